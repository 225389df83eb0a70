"""A product's own conditions: an alert while one holds, an error where one never could."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from helpers import (
    a_contract,
    a_product,
    a_setting,
    a_source,
    environment,
    product,
    run,
    write_product,
    write_workspace,
)
from receivers import webhook

from dataops_mesh.errors import DeclarationError
from dataops_mesh.ledger.measured import Measured
from dataops_mesh.spec.condition import METRICS
from dataops_mesh.watch.alerts import deliver
from dataops_mesh.watch.conditions import metrics
from dataops_mesh.watch.deadlines import next_alert
from dataops_mesh.watch.trouble import look

COLUMNS = [
    "{name: id, logicalType: integer, primaryKey: true, classification: public}",
    "{name: who, logicalType: string, classification: restricted}",
]
SUPPORT = "support: [{channel: shop, url: 'https://chat.mesh.example/shop'}]\n"
HALF = "{name: half, when: rows * 2 < rowsBefore, message: Half of yesterday}"


def csv(rows: int) -> str:
    return "id,who\n" + "".join(f"{n},s3cret{n}\n" for n in range(rows))


def orders(rows: int, *conditions: str):
    return a_product(
        {"orders": a_contract("orders", COLUMNS)},
        inputs=[a_source("csv", "o.csv")],
        files={"orders.sql": "select id::bigint as id, who from csv", "o.csv": csv(rows)},
        settings=a_setting("conditions", f"[{', '.join(conditions)}]"),
        extra=SUPPORT,
    )


class Shop:
    """A shop with conditions, and a channel."""

    def __init__(self, root, hook, *conditions: str) -> None:
        self.root, self.hook, self.conditions = root, hook, conditions
        made = {"shop": {"orders": orders(1, *conditions)}}
        lines = 'alerts_file = "alerts.toml"\nremind = "4h"\n'
        self.settings = write_workspace(root, made, settings=lines)
        (root / "alerts.toml").write_text(f'[channels]\nshop = "{hook.url}"\n', "utf-8")
        self.place = environment(self.settings)

    def build(self, rows: int):
        write_product(self.root, "shop", "orders", orders(rows, *self.conditions))
        return run(self.settings, "shop.orders")

    def see(self):
        return look([product(self.settings, "shop.orders")], self.place, {})

    def said(self, at: datetime | None = None) -> list[str]:
        already = len(self.hook)
        deliver([product(self.settings, "shop.orders")], self.place, at)
        return [body["text"] for _, _, body in self.hook[already:]]


@pytest.fixture
def hook():
    with webhook() as received:
        yield received


def test_a_condition_is_told_while_it_holds_and_ends_by_itself(tmp_path, hook):
    shop = Shop(tmp_path, hook, HALF)
    assert shop.see() == (), "nothing is published"
    assert shop.build(10).published
    assert shop.see() == (), "there is no publication before"
    assert shop.build(4).published
    (incident,) = shop.see()
    assert incident.trouble.subject == "half"
    assert incident.trouble.why == (
        "Half of yesterday\nwhen: rows * 2 < rowsBefore (rows 4, rowsBefore 10)"
    )
    assert shop.said() == ["its own condition: shop.orders (half)"]
    assert "s3cret" not in str(hook[-1][2])
    assert shop.build(4).published
    assert shop.see() == ()
    assert shop.said() == ["all clear: its own condition: shop.orders (half)"]


def test_a_warning_is_told_once_and_mildly(tmp_path, hook):
    shop = Shop(tmp_path, hook, "{name: few, when: rows < 5, severity: warning}")
    shop.build(3)
    shop.see()
    now = datetime.now(UTC)
    assert shop.said(now) == ["its own condition: shop.orders (few)"]
    assert hook[-1][2]["attachments"][0]["color"] == "warning"
    assert shop.said(now + timedelta(hours=9)) == []


def test_a_condition_that_cannot_be_evaluated_is_told_and_not_taken_for_false(tmp_path, hook):
    shop = Shop(tmp_path, hook, "{name: odd, when: 10 / (rows - rowsBefore) > 3}")
    shop.build(3)
    (incident,) = shop.see()
    assert incident.trouble.why.startswith("the condition cannot be evaluated: ")
    assert "zero" in incident.trouble.why


def test_refusals_and_failed_checks_are_counted_since_the_publication(tmp_path, hook):
    conditions = "{name: twice, when: refusals > 1 && failedChecks > 0}"
    shop = Shop(tmp_path, hook, conditions)
    assert shop.build(3).published
    write_product(tmp_path, "shop", "orders", {"o.csv": "id,who\n1,a\n1,a\n"})
    for told in ([], ["twice"]):
        assert not run(shop.settings, "shop.orders").published
        found = [one.trouble for one in shop.see()]
        assert [one.subject for one in found if one.kind == "condition"] == told
    shop.build(3)
    assert shop.see() == ()


def test_the_same_age_is_the_same_incident_and_the_clock_alone_wakes(tmp_path, hook):
    shop = Shop(tmp_path, hook, "{name: old, when: ageMinutes >= 0}")
    shop.build(3)
    (first,) = shop.see()
    assert "ageMinutes 0" not in first.trouble.why
    now = datetime.now(UTC)
    until = next_alert([product(shop.settings, "shop.orders")], shop.place, now)
    assert until - now <= timedelta(minutes=5, seconds=2)


def test_what_a_metric_is_made_of():
    at = datetime(2026, 3, 1, 6, tzinfo=UTC)
    numbers = Measured(7, None, 61.9, at, 2, 1)
    now = at + timedelta(minutes=5, seconds=59)
    assert metrics(numbers, now) == {
        "rows": 7, "rowsBefore": 7, "buildSeconds": 61, "ageMinutes": 5, "failedChecks": 2,
        "refusals": 1,
    }  # fmt: skip
    assert metrics(numbers, at - timedelta(hours=1))["ageMinutes"] == 0
    assert metrics(numbers, now).keys() == METRICS.keys()


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ("{name: a, when: row < 5}", 'nothing is called "row" (did you mean "rows"?)'),
        ("{name: a, when: size(nulls) < 5}", 'nothing is called "nulls"'),
        ("{name: a, when: rows <}", "is not CEL, at character"),
        ("{name: a, when: rows}", "answers neither true nor false"),
        (
            "{name: a, when: rows < 0.5 * rowsBefore}",
            "`rows < 0.5 * rowsBefore` is of different kinds",
        ),
        ("{name: a, when: refusals > 3 || rows == 's3'}", "`rows == 's3'` is of different kinds"),
        ("{name: A b, when: rows == 0}", '"A b" does not match'),
        ("{name: a, when: rows == 0, severity: fatal}", "fatal"),
        ("{name: a, wen: rows == 0}", "wen"),
        ("{name: a, when: rows == 0}, {name: a, when: rows == 1}", 'two conditions are called "a"'),
    ],
)
def test_a_condition_that_never_could_be_evaluated_is_an_error_with_its_line(
    tmp_path, condition, said
):
    settings = write_workspace(tmp_path, {"shop": {"orders": orders(1, condition)}})
    with pytest.raises(DeclarationError) as raised:
        product(settings, "shop.orders")
    text = str(raised.value)
    assert said in text
    assert "product.odps.yaml:" in text


def test_an_unknown_metric_is_answered_with_those_that_there_are(tmp_path):
    made = {"shop": {"orders": orders(1, "{name: a, when: nullRate > 5}")}}
    settings = write_workspace(tmp_path, made)
    with pytest.raises(DeclarationError) as raised:
        product(settings, "shop.orders")
    (problem,) = raised.value.problems
    assert problem.choices == tuple(METRICS)
    assert problem.key.endswith("value[0].when")
