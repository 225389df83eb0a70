from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import combinations
from pathlib import Path

import pytest
from changes import CASES, ORDERS, PRODUCT, REFUNDS, Case, edited, write

from dataops_mesh.errors import Location
from dataops_mesh.plan import columns
from dataops_mesh.plan.change import Bump, digest, required
from dataops_mesh.plan.compare import compare
from dataops_mesh.plan.table import TABLE
from dataops_mesh.spec.model import (
    Operator,
    Product,
    Relationship,
    Role,
    Severity,
    Sla,
    Threshold,
    Unit,
)
from dataops_mesh.spec.partition import Cadence, Partitioning

BUMPS = {"breaking": Bump.MAJOR, "additive": Bump.MINOR, "patch": Bump.PATCH}


def judged(changes) -> dict[str, str]:
    return {one.kind: f"{one.compatibility} {one.reversibility}" for one in changes}


def test_the_table_of_cases_is_long_enough():
    assert len(CASES) >= 75
    assert len({case.name for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_change(tmp_path: Path, case: Case):
    before = write(tmp_path / "before")
    changes = compare(before, edited(tmp_path / "after", case))
    assert judged(changes) == case.expected or (
        case.expected == {} and judged(changes) == {"documentation": "patch two-way"}
    )
    for one in changes:
        assert one.bump is BUMPS[one.compatibility]
        assert one.where.line > 0
        assert one.where.file.startswith("domains/shop/sales/")
        assert one.what


def test_nothing_changed_is_no_change(tmp_path: Path):
    before = write(tmp_path / "before")
    assert compare(before, write(tmp_path / "after")) == ()
    assert compare(None, None) == ()


def test_a_new_product_breaks_nobody(tmp_path: Path):
    changes = compare(None, write(tmp_path))
    assert {one.kind for one in changes} == {"product_added", "port_added"}
    assert required(changes) is Bump.MINOR


def test_a_product_that_is_gone_leaves_its_readers_alone(tmp_path: Path):
    product = write(tmp_path)
    changes = compare(product, None)
    assert {one.kind for one in changes} == {"port_removed"}
    assert {one.port for one in changes} == {port.address for port in product.outputs}
    assert all(one.one_way for one in changes)


def test_a_port_removed_is_not_hidden_by_the_others(tmp_path: Path):
    before = write(tmp_path / "before")
    listed = PRODUCT.replace("  - {name: refunds}\n", "")
    after = write(tmp_path / "after", **{"product.odps.yaml": listed, "refunds.odcs.yaml": ""})
    (only,) = compare(before, after)
    assert (only.kind, str(only.port)) == ("port_removed", "shop.refunds")
    assert only.where.file.endswith("product.odps.yaml")


def test_a_port_renamed_is_found_by_its_contract(tmp_path: Path):
    before = write(tmp_path / "before")
    after = write(
        tmp_path / "after",
        **{
            "product.odps.yaml": PRODUCT.replace("refunds", "returns"),
            "refunds.odcs.yaml": "",
            "returns.odcs.yaml": REFUNDS.replace("name: refunds", "name: returns"),
        },
    )
    (only,) = compare(before, after)
    assert only.kind == "port_renamed"
    assert str(only.port) == "shop.refunds"
    assert only.one_way


def test_a_transform_that_changed_is_a_patch(tmp_path: Path):
    product = write(tmp_path)
    (only,) = compare(product, product, ("a", "b"))
    assert (only.kind, only.bump) == ("transform", Bump.PATCH)


def test_a_removed_column_is_shown_where_it_was(tmp_path: Path):
    before = write(tmp_path / "before")
    case = next(case for case in CASES if case.name == "column removed")
    (only,) = compare(before, edited(tmp_path / "after", case))
    line = next(n for n, text in enumerate(ORDERS.splitlines(), 1) if "name: note" in text)
    assert only.where.line == line
    assert only.columns == ("note",)


def test_the_digest_is_of_the_changes_and_not_of_their_lines(tmp_path: Path):
    before = write(tmp_path / "before")
    after = edited(tmp_path / "after", CASES[2])
    changes = compare(before, after)
    moved = tuple(replace(one, where=replace(one.where, line=99)) for one in changes)
    assert digest(changes) == digest(moved)
    assert digest(changes) != digest(compare(after, before))


BACKWARDS = {
    "key removed": "key_added",
    "empty allowed": "empty_forbidden",
    "contract back to draft": "port_activated",
    "product described otherwise": "documentation",
    "input port added": "input_removed",
    "rows may be set aside by a rule": "quarantine_less",
}


@pytest.mark.parametrize("name", BACKWARDS)
def test_the_way_back_is_judged_too(tmp_path: Path, name: str):
    case = next(case for case in CASES if case.name == name)
    changes = compare(edited(tmp_path / "before", case), write(tmp_path / "after"))
    assert BACKWARDS[name] in judged(changes)


def at_most(value: object, unit: Unit) -> Threshold:
    return Threshold(Operator.LESS_OR_EQUAL, value, unit)


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [
        (None, at_most(1, Unit.ROWS), "quarantine_more"),
        (at_most(1, Unit.ROWS), None, "quarantine_less"),
        (at_most(1, Unit.PERCENT), at_most(Decimal("1.1"), Unit.PERCENT), "quarantine_more"),
        (at_most(9, Unit.ROWS), at_most(8, Unit.ROWS), "quarantine_less"),
        (at_most(9, Unit.ROWS), at_most(1, Unit.PERCENT), "quarantine_more"),
        (at_most(1, Unit.PERCENT), at_most(1, Unit.ROWS), "quarantine_more"),
    ],
)
def test_a_bound_of_rows_set_aside_is_weaker_when_more_may_go(tmp_path, before, after, kind):
    """A bound in another unit cannot be compared, and counts as weaker."""
    known = write(tmp_path)
    one, other = (with_partitions(known, quarantine=bound) for bound in (before, after))
    assert set(judged(compare(one, other))) == {kind}


def with_partitions(product: Product, **changed: object) -> Product:
    port = product.outputs[0]
    cut = replace(Partitioning("day", None, date(2020, 1, 1), None, ("a", "b")), **changed)
    contract = replace(port.contract, partitioning=cut)
    return replace(product, outputs=(replace(port, contract=contract), *product.outputs[1:]))


@pytest.mark.parametrize(
    ("changed", "kind"),
    [
        ({"start": date(2021, 1, 1)}, "partitions_fewer"),
        ({"end": date(2021, 1, 1)}, "partitions_fewer"),
        ({"values": ("a",)}, "partitions_fewer"),
        ({"start": date(2019, 1, 1)}, "partitions_more"),
        ({"values": ("a", "b", "c")}, "partitions_more"),
        ({"column": "sold_on"}, "partitions_changed"),
        ({"cadence": Cadence.DAILY}, "partitions_changed"),
    ],
)
def test_partitions_that_are_cut_otherwise(tmp_path: Path, changed, kind: str):
    product = write(tmp_path)
    (only,) = compare(with_partitions(product), with_partitions(product, **changed))
    assert only.kind == kind


def for_ever(before: Product, after: Product) -> str:
    """Return the digest that an approval would name; empty if none is needed."""
    found = [one for one in compare(before, after) if one.one_way]
    return digest(found) if found else ""


DAYS = [date(2020, 1, 1) + timedelta(days=day) for day in range(6)]
CUTS = [
    *({"start": start, "end": end} for start in DAYS for end in (*DAYS[1:], None)),
    *({"start": start, "cadence": Cadence.MONTHLY} for start in DAYS),
]


@pytest.mark.parametrize("before", [{}, {"end": DAYS[-1]}], ids=["goes on", "ends"])
def test_an_approval_is_of_exactly_the_days_that_go(tmp_path: Path, before):
    product = write(tmp_path)
    days = {"cadence": Cadence.DAILY, "values": ()}
    old = with_partitions(product, **(days | before))
    found = [for_ever(old, with_partitions(product, **(days | cut))) for cut in CUTS]
    asked = [one for one in found if one]
    assert len(asked) == len(set(asked)) > len(CUTS) / 2


def test_an_approval_is_of_exactly_the_values_that_go(tmp_path: Path):
    product, values = write(tmp_path), ("a", "b", "c", "a, b", *map(str, range(40)))
    old = with_partitions(product, values=values)
    gone = [*combinations(values[:4], 1), *combinations(values[:4], 2), values[4:], values[4:-1]]
    left = [tuple(one for one in values if one not in some) for some in gone]
    asked = [for_ever(old, with_partitions(product, values=some)) for some in left]
    assert len(set(asked)) == len(gone)
    (only,) = compare(old, with_partitions(product, values=left[-2]))
    assert only.what == "fewer partitions: 0 to 9 (40)"


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ({}, {"start": date(2020, 1, 5)}, "2020-01-01 to 2020-01-04 (4)"),
        ({}, {"start": date(2020, 1, 2)}, "2020-01-01"),
        ({}, {"end": date(2020, 1, 9)}, "all from 2020-01-09 on"),
        ({"end": date(2020, 1, 9)}, {"end": date(2020, 1, 7)}, "2020-01-07 to 2020-01-08 (2)"),
        (
            {"end": date(2020, 1, 9)},
            {"start": date(2020, 1, 2), "end": date(2020, 1, 8)},
            "2020-01-01, 2020-01-08",
        ),
        ({}, {"start": date(9999, 12, 31)}, "from 2020-01-01 until 9999-12-31"),
        (
            {"cadence": Cadence.MONTHLY},
            {"cadence": Cadence.MONTHLY, "start": date(2020, 1, 9)},
            "start 2020-01-01 to 2020-01-09",
        ),
        (
            {"cadence": Cadence.MONTHLY, "end": date(2020, 4, 1)},
            {"cadence": Cadence.MONTHLY, "end": date(2020, 2, 9)},
            "2020-03-01",
        ),
    ],
)
def test_the_plan_says_which_partitions_go(tmp_path: Path, before, after, words):
    product, days = write(tmp_path), {"cadence": Cadence.DAILY, "values": ()}
    old, new = (with_partitions(product, **(days | one)) for one in (before, after))
    (only,) = (one for one in compare(old, new) if one.one_way)
    assert only.what == f"fewer partitions: {words}"


def with_contract(product: Product, **changed: object) -> Product:
    port = product.outputs[0]
    contract = replace(port.contract, **changed)
    return replace(product, outputs=(replace(port, contract=contract), *product.outputs[1:]))


def reading(*roles: tuple[tuple[str, ...], tuple[str, ...]]) -> dict[str, tuple[Role, ...]]:
    made = (Role("care", "read", unmasked=some, members=who) for some, who in roles)
    return {"roles": tuple(made)}


def kept(*years: tuple[str, int]) -> dict[str, tuple[Sla, ...]]:
    here = Location("x", 1)
    return {"slas": tuple(Sla("retention", n, here, "y", driver=who) for who, n in years)}


@pytest.mark.parametrize(
    ("before", "afters"),
    [
        (
            reading(),
            [
                reading((("a", "b"), ("ana", "bob"))),
                reading((("a",), ("ana",)), (("b",), ("bob",))),
                reading((("b",), ("ana",)), (("a",), ("bob",))),
                reading((("a, b",), ("ana", "bob"))),
            ],
        ),
        (
            {"visibility": ("x",)},
            [{"visibility": ("x", "a", "b")}, {"visibility": ("x", "a, b")}],
        ),
        (
            kept(("law", 5), ("care", 5)),
            [kept(("law", 2), ("care", 5)), kept(("law", 5), ("care", 2))],
        ),
    ],
    ids=["roles", "visibility", "retention"],
)
def test_two_extents_never_share_an_approval(tmp_path: Path, before, afters):
    product = write(tmp_path)
    old = with_contract(product, **before)
    asked = [for_ever(old, with_contract(product, **after)) for after in afters]
    assert all(asked)
    assert len(set(asked)) == len(afters)


def test_to_retire_a_product_is_approved_for_the_ports_that_it_has(tmp_path: Path):
    product = write(tmp_path)
    fewer = replace(product, outputs=product.outputs[:1])
    asked = {for_ever(one, replace(one, status="retired")) for one in (product, fewer)}
    assert len(asked) == 2
    assert "" not in asked


def with_reference(product: Product, *given: Relationship) -> Product:
    port = product.outputs[0]
    contract = replace(port.contract, relationships=given)
    return replace(product, outputs=(replace(port, contract=contract), *product.outputs[1:]))


def test_foreign_keys_are_promises(tmp_path: Path):
    product = write(tmp_path)
    one = Relationship("r", ("line",), "refunds", ("refund_id",), Location("x", 1))
    loose = replace(one, threshold=Threshold(Operator.LESS, 9))
    warns = replace(one, severity=Severity.WARNING)
    without, strict = product, with_reference(product, one)
    assert [c.kind for c in compare(without, strict)] == ["reference_added"]
    assert [c.kind for c in compare(strict, without)] == ["reference_removed"]
    assert [c.kind for c in compare(strict, with_reference(product, loose))] == ["rule_looser"]
    assert [c.kind for c in compare(strict, with_reference(product, warns))] == ["severity_lower"]


def test_what_no_row_knows_is_never_ignored(tmp_path: Path, monkeypatch):
    # Stands for a field that a later version of the model brings.
    monkeypatch.setattr(columns, "_JUDGED", columns._JUDGED - {"transform_sources"})
    product = write(tmp_path)
    port, other = product.outputs
    first, *rest = port.contract.columns
    changed = (replace(first, transform_sources=("x",)), *rest)
    port = replace(port, contract=replace(port.contract, columns=changed))
    assert "setting_other" in judged(compare(product, replace(product, outputs=(port, other))))


def test_every_row_of_the_table_has_a_case():
    elsewhere = {
        "product_added", "port_added", "port_removed", "port_renamed", "transform", "unknown",
        "setting_other", "partitions_fewer", "partitions_more", "key_reordered",
        "reference_added", "reference_removed", "sla_other", "sla_note", *BACKWARDS.values(),
    }  # fmt: skip
    assert set(TABLE) == elsewhere | {kind for case in CASES for kind in case.expected}
