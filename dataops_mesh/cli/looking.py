"""`mesh status`, `mesh query` and `mesh show PRODUCT --history`: commands that only look."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from itertools import count
from typing import TYPE_CHECKING, Any

from dataops_mesh.cli.near import open_near
from dataops_mesh.cli.output import WRONG, Format, say, show, value_of_data
from dataops_mesh.cli.workspace import load_workspace, named, one, say_unreadable
from dataops_mesh.errors import Problem, StoreError, UnknownNameError
from dataops_mesh.run.environment import Environment, open_environment
from dataops_mesh.run.word.held import gone_inputs, holds_behind
from dataops_mesh.settings import Settings
from dataops_mesh.spec.model import Address, Mesh, Product, TransformKind
from dataops_mesh.store.hold import Hold
from dataops_mesh.store.log import Release, latest
from dataops_mesh.store.tree.ports import light_of
from dataops_mesh.transform.walls import weakness

if TYPE_CHECKING:
    from dataops_mesh.run.word.ends import End

STATUS = (
    "port", "status", "publication", "rows", "set_aside", "published", "last_run", "last_ended",
    "runs", "data", "held", "ends",
)  # fmt: skip
HISTORY = ("at", "what", "publication", "rows", "seconds", "person", "note")
LIMIT = 50


def show_status(names: Sequence[str], output: Format) -> int:
    """Print one line per output port: what consumers read, and how the last run ended."""
    from dataops_mesh.cli.run.ending import ending_words
    from dataops_mesh.cli.sandbox.sandboxes import stale_lines
    from dataops_mesh.run.quarantine import set_aside_now
    from dataops_mesh.run.record import open_record
    from dataops_mesh.run.word.orphans import orphans
    from dataops_mesh.watch.states import states

    settings, mesh, is_all = open_near(names, looks=True)
    say_unreadable(mesh, names)
    environment = open_environment(settings)
    release = latest(environment.store)
    products = named(mesh, names)
    asked = {product.qualified_name for product in products}
    every = {product.qualified_name: product for product in mesh.products}
    with open_record(environment) as ledger:
        known = states(every, ledger, release, datetime.now(UTC), asked if names else None)
    over = _over(mesh, environment, asked if names else None)
    if over and not is_all:  # who reads it stands in any declaration
        over = _over(load_workspace(settings), environment, asked)
    ends = {str(address): end.why for end in over for address in end.addresses}
    aside = set_aside_now(environment.store, products, release)
    rows = [
        {
            **_status_row(product, port_index, release, known[product.qualified_name].last),
            "set_aside": aside.get(product.outputs[port_index].address, 0),
            "runs": known[product.qualified_name].slo.runs,
            "data": known[product.qualified_name].slo.data,
            "held": "; ".join(
                text
                for text in (
                    held_words(product, holds_behind(product, release)),
                    *(f"reads withdrawn {one.product}" for one in gone_inputs(product, release)),
                )
                if text
            ),
            "ends": ends.pop(str(product.outputs[port_index].address), ""),
        }
        for product in products
        for port_index in range(len(product.outputs))
    ]
    left = _left(ends, release) if ends else []
    rows += [_gone_row(address, ends[str(address)], release) for address in left]
    quiet = {"set_aside", "held", "ends"}
    said = [c for c in STATUS if c not in quiet or any(row[c] for row in rows)]
    show(rows, output, columns=said)
    if output is Format.TABLE:
        for end in over:
            say(f"to end: {ending_words(end)}")
        for one in (o for p in products for o in orphans(p, release, settings.clock())):
            what = f"{one.product} {one.partition} was built from what was withdrawn of {one.reads}"
            say(f"{what}, and nothing is left to build it from: {one.command}")
        for line in stale_lines(environment.store) if environment.store.sandbox else ():
            say(line)
        where = f"sandbox {environment.store.sandbox}, " if environment.store.sandbox else ""
        say(f"\n{where}release {release.number}; times are UTC; {_clock(settings)}")
        sql = all(product.transform.kind is TransformKind.SQL for product in products)
        if not sql and (open_door := weakness()):
            say(f"note: {open_door}")
    return 0


def _over(mesh: Mesh, environment: Environment, asked: Collection[str] | None) -> list[End]:
    """Return what has ended of some products; of all, and of what nobody declares, if None."""
    from dataops_mesh.run.word.ended import ended

    unread = {name.partition(".")[0] for name in mesh.broken}  # it may still be declared there
    found = ended(mesh.domains, environment, products=asked)
    return [end for end in found if end.product.partition(".")[0] not in unread]


def run_query(sql: str, release: int | None, output: Format, role: str = "") -> int:
    """Run one SELECT on published data."""
    from dataops_mesh.serving import open_connection
    from dataops_mesh.settings import load_settings

    settings = load_settings()
    try:
        with open_connection(settings, release, role) as connection:
            result = connection.execute(sql)
            columns = distinct(result.columns)
            found = [dict(zip(columns, row, strict=True)) for row in result.fetchall()]
    except Exception as error:
        if not (code := say_engine(error)):
            raise
        return code
    show(found, output, columns=columns, empty="no rows", cell=value_of_data)
    return 0


def say_engine(error: Exception) -> int:
    """Say what the engine says of a person's SQL; return 0 for any other error."""
    if isinstance(error, StoreError):
        return 0
    if type(error).__module__.partition(".")[0] not in {"duckdb", "_duckdb"}:
        return 0
    then = "`mesh status` lists what can be read; `mesh store verify` finds damaged files"
    say(f"error: {error}\n  next:  {then}")
    return WRONG


def show_history(name: str, output: Format) -> int:
    """Print what happened to a product and what each publication changed, newest first."""
    if name.isdecimal():
        what = f'"{name}" is no product'
        raise UnknownNameError(Problem(what, next=f"mesh show {name}, for publication {name}"))
    settings, mesh, _ = open_near([name], looks=True)
    rows = history_rows(one(mesh, name), open_environment(settings))
    show(rows, output, columns=HISTORY, empty=f"{name} never ran", wrap="note")
    return 0


def history_rows(product: Product, environment: Environment) -> list[dict[str, Any]]:
    """Return what happened to a product, newest first, as rows of facts."""
    from dataops_mesh.run.record import product_changes, product_history

    events = product_history(environment, product.qualified_name, LIMIT)
    numbers = [event.publication for event in events if event.publication is not None]
    changed = product_changes(environment, product.qualified_name, numbers)
    rows: list[dict[str, Any]] = [
        {
            "at": event.at,
            "what": event.what,
            "publication": event.publication,
            "rows": event.rows,
            "seconds": event.seconds,
            "person": event.person,
            "why": list(event.reasons),
            "changed": [item.what for item in changed.get(event.publication or 0, ())],
            "changes": [asdict(item) for item in changed.get(event.publication or 0, ())],
            "run_id": event.run_id,
            "candidate": event.candidate,
        }
        for event in events
    ]
    return [row | {"note": [*row["why"], *row["changed"]]} for row in rows]


def held_words(product: Product, behind: Sequence[Hold]) -> str:
    """Return what is held of the product, or of what it reads, in a few words."""
    found = []
    for hold in behind:
        piece = f" {hold.partition}" if hold.partition else ""
        mine = hold.product == product.qualified_name
        found.append(f"{piece.strip()} {hold}".strip() if mine else f"reads {hold.product}{piece}")
    return "; ".join(found)


def distinct(names: Sequence[str]) -> tuple[str, ...]:
    """Number the columns that have the name of an earlier one, so that none is lost."""
    result: list[str] = []
    for name in names:
        unused = (f"{name}_{n}" for n in count(1) if f"{name}_{n}" not in {*result, *names})
        result.append(next(unused) if name in result else name)
    return tuple(result)


def _left(ends: Mapping[str, str], release: Release) -> list[Address]:
    """Return what is still to be told of: ports that nobody declares any more."""
    return [address for address in sorted(release.ports) if str(address) in ends]


def _gone_row(address: Address, why: str, release: Release) -> dict[str, Any]:
    entry = release.ports[address]
    told = {"port": str(address), "product": entry.product, "status": "not declared"}
    facts = {"publication": entry.publication, "rows": entry.rows, "set_aside": 0, "ends": why}
    empty = dict.fromkeys(("published", "last_run", "last_ended"))
    return {**told, **facts, **empty, "runs": "", "data": "", "held": "", "reasons": []}


def _status_row(product: Product, index: int, release: Release, known: Any) -> dict[str, Any]:
    port = product.outputs[index]
    entry = light_of(release.ports, port.address)
    ended = {"publish": "published", "refuse": "refused", None: "never"}
    verdict = known.last_verdict if known else None
    return {
        "port": str(port.address),
        "product": product.qualified_name,
        "status": product.status,
        "publication": entry.publication if entry else None,
        "rows": entry.rows if entry else None,
        "published": known.published_at if known and entry else None,
        "last_run": known.last_finished if known else None,
        "last_ended": ended.get(verdict, verdict),
        "reasons": list(known.last_reasons) if known else [],
    }


def _clock(settings: Settings) -> str:
    return f"now is {settings.clock():%Y-%m-%d %H:%M %Z}" + (
        ", by the setting `now`" if settings.now else ""
    )
