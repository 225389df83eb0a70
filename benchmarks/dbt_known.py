"""What public dbt projects need before they run on DuckDB anywhere: packages, options, data."""

from __future__ import annotations

import csv
import random
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path


def _nothing(_: Path) -> None:
    """Make nothing up."""


def _nothing_new(_: Path, number: int) -> None:
    """Deliver the same data again."""


def _more(name: str) -> Callable[[Path, int], None]:
    """Return what delivers more rows of a file each time: 70, 85, 100 percent of them."""

    def deliver(folder: Path, number: int) -> None:
        file = folder / name
        whole = file.with_name(f"{file.name}.whole")
        if not whole.is_file():
            file.rename(whole)
        lines = whole.read_text("utf-8").splitlines(keepends=True)
        file.write_text("".join(lines[: 1 + (len(lines) - 1) * (70 + 15 * number) // 100]), "utf-8")

    return deliver


def _without_a_lost_test(folder: Path) -> None:
    """Take away the test of a model that the project has not got; dbt warns and never runs it."""
    file = folder / "models" / "marts" / "marketing" / "marketing.yml"
    file.write_text(file.read_text("utf-8").partition("  - name: non_existent_table")[0], "utf-8")


def _customers(folder: Path, number: int) -> None:
    """Let some customers move, and orders be delivered and forgotten, before each further run."""
    raw = folder / "raw_data"
    if not number:
        return
    with (raw / "customers.csv").open(encoding="utf-8") as file:
        customers = [row for row in csv.reader(file) if row]
    for row in customers[number :: 3 + number]:
        if row[0].isdigit():
            row[1], row[5] = f"{number}0000", f"2018-0{number}-18 00:00:00"
    if number == 1:
        new = (raw / "customer_new.csv").read_text("utf-8").splitlines()[1:]
        taken = {line.split(",")[0] for line in new}
        customers = [row for row in customers if row[0] not in taken]
        customers += [line.split(",") for line in new]
    with (raw / "customers.csv").open("w", encoding="utf-8") as file:
        csv.writer(file).writerows(customers)
    orders = (raw / "orders.csv").read_text("utf-8").replace("shipped", "delivered", number)
    lines = orders.splitlines(keepends=True)
    (raw / "orders.csv").write_text("".join(lines[: len(lines) - 5]), "utf-8")


def _orders_so_far(folder: Path, number: int) -> None:
    """Deliver more orders each time, with all items of each."""
    seeds = folder / "seeds" / "jaffle-data"
    _more("raw_orders.csv")(seeds, number)
    _more("raw_items.csv")(seeds, number)
    ordered = {line.split(",")[0] for line in (seeds / "raw_orders.csv").open(encoding="utf-8")}
    head, *items = (seeds / "raw_items.csv.whole").open(encoding="utf-8")
    kept = [line for line in items if line.split(",")[1] in ordered]
    (seeds / "raw_items.csv").write_text("".join((head, *kept)), "utf-8")


@dataclass(frozen=True)
class Known:
    """How one project is built, plainly and here.

    Args:
        folder: what is copied of the checkout.
        inside: the dbt project's folder in that.
        variables: dbt's `--vars`.
        seed_first: plain dbt needs `dbt seed` before: a source is a seed, which it does not know.
        build: more options of plain `dbt build`.
        imported: more options of `mesh import dbt`.
        packages: names of checkouts that it needs.
        own_packages: folders of the checkout that are packages of the project.
        make: makes up what is not in the repository.
        deliver: changes the data before each of several runs, the first is number 0.
        changed: what that is, in words.
        apart: columns that are not compared: they say when or in which database a build was.
    """

    folder: str = "."
    inside: str = "."
    variables: str = ""
    seed_first: bool = False
    build: tuple[str, ...] = ()
    imported: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    own_packages: tuple[str, ...] = ()
    make: Callable[[Path], None] = _nothing
    deliver: Callable[[Path, int], None] = _nothing_new
    changed: tuple[str, ...] = ()
    apart: tuple[str, ...] = ()


def _orders(folder: Path) -> None:
    """Make up the two large seeds of jaffle-shop where the checkout has not got them."""
    seeds = folder / "seeds" / "jaffle-data"
    if (seeds / "raw_orders.csv").is_file() and (seeds / "raw_items.csv").is_file():
        return
    chance = random.Random(1)  # noqa: S311 - made-up orders

    def read(name: str) -> list[dict[str, str]]:
        with (seeds / f"raw_{name}.csv").open(encoding="utf-8") as file:
            return list(csv.DictReader(file))

    def some_id() -> str:
        return str(uuid.UUID(int=chance.getrandbits(128)))

    customers, stores, products = read("customers"), read("stores"), read("products")
    first = datetime(2024, 9, 1)  # noqa: DTZ001 - as the seeds have it
    with (
        (seeds / "raw_orders.csv").open("w", encoding="utf-8") as orders,
        (seeds / "raw_items.csv").open("w", encoding="utf-8") as items,
    ):
        order, item = csv.writer(orders), csv.writer(items)
        head = ("id", "customer", "ordered_at", "store_id", "subtotal", "tax_paid", "order_total")
        order.writerow(head)
        item.writerow(("id", "order_id", "sku"))
        taken: set[tuple[str, str]] = set()  # two of a customer's day have no order among them
        for _ in range(60_000):
            key, bought = some_id(), chance.choices(products, k=chance.randint(1, 3))
            price = sum(int(one["price"]) for one in bought)
            day = (first + timedelta(minutes=chance.randrange(500_000))).isoformat()
            who, where = chance.choice(customers)["id"], chance.choice(stores)["id"]
            if (who, day[:10]) in taken:
                continue
            taken.add((who, day[:10]))
            order.writerow((key, who, day, where, price, price // 20, price + price // 20))
            item.writerows((some_id(), key, one["sku"]) for one in bought)


def _of_2022(folder: Path) -> None:
    """Give today's dbt_utils the macro that the project calls, and DuckDB a date for a text."""
    months = folder / "models" / "utils" / "util_months.sql"
    text = months.read_text("utf-8").replace("'2018-01-01'", "cast('2018-01-01' as date)")
    months.write_text(text, "utf-8")
    churn = folder / "models" / "customer_churn_month.sql"
    text = churn.read_text("utf-8")
    text = text.replace("dateadd(month, 1, date_month)", "(date_month + interval 1 month)")
    churn.write_text(text, "utf-8")
    file = folder / "dbt_packages" / "dbt_utils" / "macros" / "sql" / "surrogate_key.sql"
    call = "dbt_utils.generate_surrogate_key(varargs | list)"
    file.write_text(
        f"{{% macro surrogate_key() %}}{{{{ return({call}) }}}}{{% endmacro %}}\n", "utf-8"
    )


def _games(folder: Path) -> None:
    """Make up what an API delivers, and the history that is not in the repository."""
    data = folder / "data" / "nba"
    chance = random.Random(1)  # noqa: S311 - made-up games

    def read(name: str) -> list[dict[str, str]]:
        with (data / f"{name}.csv").open(encoding="utf-8-sig") as file:
            return list(csv.DictReader(file))

    teams = {row["team_long"]: row["alt_key"] for row in read("nba_team_ratings")}
    games = folder / "dlt" / "data" / "nba" / "nba_data" / "games"
    games.mkdir(parents=True)
    with (games / "made_up.csv").open("w", encoding="utf-8") as file:
        writer = csv.writer(file)
        side = ("abbreviation", "points")
        writer.writerow(("date", *(f"{who}_{what}" for who, what in (
            ("home_team", side[0]), ("away_team", side[0]), ("home", side[1]), ("away", side[1])
        ))))  # fmt: skip
        for row in read("nba_schedule"):
            home, away = teams.get(row["Home/Neutral"]), teams.get(row["Visitor/Neutral"])
            if row["type"] == "reg_season" and home and away:
                day = datetime.strptime(f"{row['Year']} {row['Date']}".strip(), "%Y  %b %d")  # noqa: DTZ007
                writer.writerow((day.date(), home, away, *chance.sample(range(80, 140), 2)))
    with (data / "nba_elo.csv").open("w", encoding="utf-8") as file:
        writer = csv.writer(file)
        pairs = [f"elo{at}_{when}" for when in ("pre", "post") for at in (1, 2)]
        head = ("date", "season", "neutral", "playoff", "team1", "team2", *pairs[:2])
        writer.writerow((*head, "elo_prob1", "elo_prob2", *pairs[2:], "score1", "score2"))
        first = ("2024-10-22", 2024, "", "r", "Boston Celtics", "New York Knicks")
        writer.writerow((*first, 1500.5, 1500.5, 0.5, 0.5, 1510.5, 1490.5, 100.5, 90.5))


_SETTLED = (
    *("nba_elo_rollforward", "nba_latest_elo", "nba_ratings", "nba_results_log", "nba_schedules"),
    *("nba_season_teams", "nba_vegas_wins", "reg_season_actuals_enriched"),
)
_UP_TO_THEM = " ".join(f"+{port}" for port in _SETTLED)
_EVALUATED = (
    *("fct_missing_primary_key_tests", "fct_model_fanout", "fct_test_coverage"),
    *("fct_undocumented_models", "int_all_dag_relationships", "int_all_graph_resources"),
)
_SELECTED = "package:dbt_project_evaluator resource_type:seed"
_DIMENSIONAL = (
    *("customers_snapshot", "dim_customers", "fct_orders", "customer_orders"),
    "order_status_pivot",
)
KNOWN = {
    "jaffle_shop_duckdb": Known(deliver=_more("seeds/raw_orders.csv")),
    "simple_dbt_project": Known(
        packages=("dbt-utils", "dbt-date", "dbt-expectations"),
        imported=tuple(word for port in _DIMENSIONAL for word in ("--port", port)),
        make=_without_a_lost_test,
        deliver=_customers,
        changed=("a test of a model that is not there removed",),
    ),
    "jaffle-shop": Known(
        variables='{"load_source_data": true}',
        seed_first=True,
        packages=("dbt-utils", "dbt-date", "dbt-audit-helper"),
        make=_orders,
        deliver=_orders_so_far,
        changed=("raw_orders and raw_items made up if the checkout lacks them",),
    ),
    "mrr-playbook": Known(
        packages=("dbt-utils",),
        make=_of_2022,
        deliver=_more("data/subscription_periods.csv"),
        changed=(
            "surrogate_key of dbt_utils 0.8 written for dbt_utils 1",
            "util_months casts its first day to a date",
            "customer_churn_month adds a month as DuckDB does (dateadd is Snowflake's)",
        ),
    ),
    "nba-monte-carlo": Known(
        inside="transform",
        build=("--select", *_UP_TO_THEM.split()),
        imported=(
            *("--select", _UP_TO_THEM),
            *(word for port in _SETTLED for word in ("--port", port)),
        ),
        packages=("dbt-utils",),
        make=_games,
        deliver=_more("dlt/data/nba/nba_data/games/made_up.csv"),
        changed=(
            "games and nba_elo, which its API delivers, made up",
            "ports named: those that are made of no random number",
        ),
    ),
    "dbt-project-evaluator": Known(
        folder="integration_tests",
        build=("--select", *_SELECTED.split()),
        imported=(
            *("--select", _SELECTED),
            *(word for port in _EVALUATED for word in ("--port", port)),
        ),
        packages=("dbt-utils",),
        own_packages=(".", "integration_tests/exclude_package"),
        apart=("measured_at", "database"),
        changed=("ports named: its own models are ephemeral, so those of the package are chosen",),
    ),
}
