"""Rows that come late are in their own partition, once, or refused in words that help."""

from __future__ import annotations

import os
from pathlib import Path
from random import Random

import pytest
from aside_cases import rows_aside
from late_cases import SQL, Shop, calls, calls_cut
from late_model import CUTS, Model

from dataops_mesh.errors import DeclarationError, SourceError
from tests.helpers import product, write_workspace

LONG = os.environ.get("HYPOTHESIS_PROFILE") == "long"


@pytest.fixture(autouse=True)
def _clock(monkeypatch) -> None:
    monkeypatch.setenv("DATAOPS_MESH_NOW", "2026-03-01T12:00:00Z")


def test_a_late_row_makes_its_own_day_due_and_is_in_it_once(tmp_path):
    shop = Shop(tmp_path, calls())
    shop.deliver("2026-03-01", {1: "2026-03-01"})
    assert shop.build("2026-03-01").published
    shop.at("2026-03-02T12:00:00Z")
    shop.deliver("2026-03-02", {3: "2026-03-02"})
    assert shop.due() == ("2026-03-02",)  # which brings nothing of the day before
    shop.deliver("2026-03-02", {2: "2026-03-01", 3: "2026-03-02"})
    assert shop.due() == ("2026-03-01", "2026-03-02")
    for key in shop.due():
        assert shop.build(key).published
    assert shop.rows() == [(1, "2026-03-01"), (2, "2026-03-01"), (3, "2026-03-02")]
    assert shop.due() == ("2026-03-02",)  # the day that is not over


REFUSED = {
    "older than the lookback": ({1: "2026-03-01", 2: "2026-03-03"}, "there is 1 row of day that"),
    "of a day to come": ({2: "2026-03-03", 3: "2026-03-04"}, "there is 1 row of day that"),
    "of no day": ({1: "", 2: "", 3: "2026-03-03"}, "there are 2 rows of day that"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_comes_too_late_or_too_early_is_refused_where_it_arrives(tmp_path, case):
    rows, said = REFUSED[case]
    shop = Shop(tmp_path, calls())
    shop.at("2026-03-03T12:00:00Z")
    shop.deliver("2026-03-03", rows)
    report = shop.build("2026-03-03")
    assert not report.published
    words = "the delivery of 2026-03-03 may not bring: `lookback: 1` reaches from 2026-03-02 to"
    assert f"{said} {words} 2026-03-03" in str(report.decision)


def test_a_row_of_a_day_that_has_no_delivery_is_not_lost_in_silence(tmp_path):
    shop = Shop(tmp_path, calls(2))
    shop.at("2026-03-03T12:00:00Z")
    shop.deliver("2026-03-02", {2: "2026-03-02"})
    shop.deliver("2026-03-03", {1: "2026-03-01", 3: "2026-03-03"})
    report = shop.build("2026-03-03")
    assert not report.published
    assert "2026-03-01 has no delivery of its own to be built from" in str(report.decision)
    shop.deliver("2026-03-01", {0: "2026-03-01"})
    for key in shop.due():
        assert shop.build(key).published
    days = [(n, f"2026-03-0{d}") for n, d in ((0, 1), (1, 1), (2, 2), (3, 3))]
    assert shop.rows() == days


def test_without_a_lookback_the_refusal_says_what_there_is(tmp_path):
    shop = Shop(tmp_path, calls(0))
    shop.deliver("2026-03-01", {1: "2026-02-28", 2: "2026-03-01"})
    decision = str(shop.build("2026-03-01").decision)
    assert "there is 1 row of another partition than 2026-03-01" in decision
    assert "needs `lookback`" in decision
    assert "the query returned" not in decision


PYTHON = "def transform(csv):\n    return csv\n"


@pytest.mark.parametrize("column", ["", "{path: 'in/{partition}.csv', column: day}"])
def test_a_confined_transform_sees_the_rows_of_its_own_day(tmp_path, column):
    made = calls(sql="", **{"transform.py": PYTHON})
    if column:
        text = made["product.odps.yaml"]
        made["product.odps.yaml"] = text.replace("{path: 'in/{partition}.csv'}", column)
        assert made["product.odps.yaml"] != text
    shop = Shop(tmp_path, made)
    shop.at("2026-03-02T12:00:00Z")
    shop.deliver("2026-03-01", {1: "2026-03-01"})
    shop.deliver("2026-03-02", {2: "2026-03-01", 3: "2026-03-02"})
    for key in shop.due():
        report = shop.build(key)
        assert report.published, report.decision
    assert shop.rows() == [(1, "2026-03-01"), (2, "2026-03-01"), (3, "2026-03-02")]


def test_a_delivery_that_comes_while_a_day_is_built_disturbs_nobody(tmp_path):
    sql = "select id, day::date as day from csv"
    shop = Shop(tmp_path, calls(sql=sql))
    shop.at("2026-03-02T12:00:00Z")
    shop.deliver("2026-03-01", {1: "2026-03-01"})

    from dataops_mesh.run.inputs.bind import pin_inputs, require_unchanged
    from dataops_mesh.store.log import latest
    from tests.helpers import environment

    found, store = product(shop.settings, "shop.calls"), environment(shop.settings).store
    inputs = pin_inputs(store, found, latest(store), "2026-03-01")
    shop.deliver("2026-03-02", {2: "2026-03-01"})
    require_unchanged(store, found, inputs, "2026-03-01")
    assert shop.build("2026-03-01").published
    shop.deliver("2026-03-01", {1: "2026-03-01", 9: "2026-03-01"})
    with pytest.raises(SourceError, match="changed while it was read"):
        require_unchanged(store, found, inputs, "2026-03-01")


def test_a_delivery_without_the_column_says_so(tmp_path):
    shop = Shop(tmp_path, calls())
    (shop.folder / "2026-03-01.csv").write_text("id,when\n1,2026-03-01\n", "utf-8")
    with pytest.raises(SourceError, match='no column "day", which says of which partition a row'):
        shop.build("2026-03-01")


MISTAKES = {
    "a whole source": (calls(source="in.csv"), "no source says `{partition}`"),
    "an opaque file": (calls(source="'in/{partition}.bin'"), "opaque file"),
    "none": (calls(more=", lookback: 0", lookback=0), "lookback"),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_a_lookback_that_does_nothing_is_a_mistake(tmp_path, case):
    made, said = MISTAKES[case]
    settings = write_workspace(tmp_path, {"shop": {"calls": made}})
    with pytest.raises(DeclarationError, match=said):
        product(settings, "shop.calls")


@pytest.mark.parametrize("case", REFUSED)
@pytest.mark.parametrize("python", ["", PYTHON], ids=["sql", "python"])
def test_what_comes_too_late_or_too_early_is_set_aside_where_the_contract_says_so(
    tmp_path, case, python
):
    rows, _ = REFUSED[case]
    shop = Shop(
        tmp_path,
        calls(
            sql="" if python else SQL,
            more=f", onFailure: {{quarantine: {len(rows) - 1} rows}}",
            **({"transform.py": python} if python else {}),
        ),
    )
    shop.at("2026-03-03T12:00:00Z")
    shop.deliver("2026-03-02", {8: "2026-03-02"})
    shop.deliver("2026-03-03", {**rows, 9: "2026-03-02"})
    for key in ("2026-03-02", "2026-03-03"):
        report = shop.build(key)
        assert report.published, report.decision
    wrong = [number for number, day in rows.items() if day != "2026-03-03"]
    aside = rows_aside(shop.settings, report, "calls")
    assert [(row[0], row[-1]) for row in aside] == [(n, ["in_partition"]) for n in wrong]
    kept = {8: "2026-03-02", 9: "2026-03-02"} | {n: rows[n] for n in rows if n not in wrong}
    assert dict(shop.rows()) == kept


@pytest.mark.parametrize("aside", [False, True], ids=["refused", "set aside"])
@pytest.mark.parametrize("name", CUTS)
@pytest.mark.parametrize("seed", range(8 if LONG else 1))
def test_deliveries_early_late_corrected_and_withdrawn_against_a_model(
    tmp_path: Path, name, seed, aside
):
    random = Random(f"{name}-{seed}-{aside}")
    cut, lookback, number = CUTS[name], random.choice((1, 2)), 0
    shop = Shop(tmp_path, calls_cut(cut.setting, cut.kind, lookback, aside=aside))
    model, now = Model(cut, lookback, aside=aside), cut.begin
    for _ in range(30 if LONG else 5):
        now += random.choice(cut.steps)
        shop.at(now.isoformat())
        last = cut.last(now)
        piece = random.randint(max(0, last - 2), last)
        if piece in model.delivered and random.random() < 0.2:
            del model.delivered[piece]
            (shop.folder / f"{cut.key(piece)}.csv").unlink()
        else:
            odd = 2 if aside else 0.3
            ago = random.choices((0, 1, 2, 3, -1, None), (8, 4, 3, odd, odd, odd / 2),
                                 k=random.randint(1, 3))  # fmt: skip
            rows, text = dict[int, int | None](), dict[int, str]()
            for back in ago:
                number += 1
                at = None if back is None else piece - back
                rows[number], text[number] = at, "" if at is None else cut.value(at, random)
            model.delivered[piece] = rows
            shop.deliver(cut.key(piece), text)
        assert shop.due() == model.due(now), (now, model.delivered)
        for key in shop.due():
            report = shop.build(key)
            built = next(n for n in model.delivered if cut.key(n) == key)
            assert report.published == model.build(built), (key, report.decision)
            if report.published:
                out = {row[0] for row in rows_aside(shop.settings, report, "calls")}
                assert out == model.kept_out[built]
        if model.published:
            wanted = sorted(row for rows in model.published.values() for row in rows)
            assert shop.numbers() == wanted
