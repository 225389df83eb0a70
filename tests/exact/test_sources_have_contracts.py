"""A source with a contract is read as promised on every day, or refused with line and column."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from helpers import a_product, a_source, read, run, write_workspace
from source_contract_cases import published

from dataops_mesh.errors import SourceError
from dataops_mesh.gate import Publish, Refuse

DAYS = [
    ["true", "false"], ["1.5", "2"], ["1.10", "2.50"], ["2026-01-02T03:04:05", ""], ["007", "1"],
    ["", ""], ["NO", "'x'"], ["03/04/2026", "05/26/2026"],
]  # fmt: skip


@pytest.mark.parametrize("values", DAYS, ids=str)
def test_a_promised_text_is_the_text_on_every_day(tmp_path: Path, values: list[str]):
    rows = "".join(f"{k},{value}\n" for k, value in enumerate(values))
    _, found = published(tmp_path, f"k,v\n{rows}", "{name: v, logicalType: string}")
    assert found == [value or None for value in values]


TYPED = {
    "integer": (["1", "", "-9007199254740993", "2.0"], [1, None, -9007199254740993, 2]),
    "number": (["1.10", "1e3", "0.1", ""], [1.1, 1000.0, 0.1, None]),
    "boolean": (["true", "FALSE", "1", ""], [True, False, True, None]),
    "date": (["2026-02-28", "", "1900-01-01", ""],
             [date(2026, 2, 28), None, date(1900, 1, 1), None]),
    "timestamp": (["2026-02-28T10:00:00", "2026-02-28", "", ""],
                  [datetime(2026, 2, 28, 10), datetime(2026, 2, 28), None, None]),  # noqa: DTZ001
}  # fmt: skip


@pytest.mark.parametrize("logical", TYPED)
@pytest.mark.parametrize("kind", ["csv", "json"])
def test_a_promised_type_is_read_exactly(tmp_path: Path, logical: str, kind: str):
    said, wanted = TYPED[logical]
    text = "k,v\n" + "".join(f"{k},{value}\n" for k, value in enumerate(said))
    if kind == "json":
        plain = logical in {"integer", "number"}
        values = [value if plain else f'"{value}"' for value in said]
        values = [value if said[k] else "null" for k, value in enumerate(values)]
        text = "\n".join(f'{{"k": {k}, "v": {value}}}' for k, value in enumerate(values))
    column = f"{{name: v, logicalType: {logical}}}"
    _, found = published(tmp_path, text, column, port=column, path=f"src.{kind}")
    assert found == wanted


def test_a_day_without_a_value_has_the_promised_type(tmp_path: Path):
    column = "{name: v, logicalType: date}"
    assert published(tmp_path, "k,v\n1,\n2,\n", column, port=column)[1] == [None, None]


def test_days_are_written_as_the_contract_says(tmp_path: Path):
    column = (
        "{name: v, logicalType: date, customProperties: "
        "[{property: dateformat, vendor: dataops_mesh, value: '%d/%m/%Y'}]}"
    )
    port = "{name: v, logicalType: date}"
    _, found = published(tmp_path, "k,v\n1,03/04/2026\n", column, port=port)
    assert found == [date(2026, 4, 3)]
    text = "k,v\n1,03/04/2026\n2,05/26/2026\n"
    with pytest.raises(SourceError, match=r'src.csv:3: column "v": expected a DATE as %d/%m/%Y'):
        published(tmp_path, text, column, port=port)


COUNTED = {
    "%Y%j": {"2026365": date(2026, 12, 31), "2024366": date(2024, 12, 31), "2026366": None},
    "%-j/%y": {"5/26": date(2026, 1, 5), "005/26": date(2026, 1, 5), "366/26": None},
    "%G-W%V-%u": {"2026-W53-7": date(2027, 1, 3), "2025-W53-1": None},
    "%Y-%W-%w": {"2026-01-1": date(2026, 1, 5), "2026-53-6": None},
    "%a, %-d %b %Y": {"THU, 1 jan 2026": date(2026, 1, 1), "Mon, 1 Jan 2026": None},
    "%d.%m.%Y": {"3.4.2026": date(2026, 4, 3), "31.2.2026": None},
}


@pytest.mark.parametrize(("form", "text"), [(f, t) for f, ts in COUNTED.items() for t in ts])
def test_a_day_that_its_year_has_not_is_no_day_of_the_next(tmp_path: Path, form: str, text: str):
    column = (
        "{name: v, logicalType: date, customProperties: "
        f"[{{property: dateformat, vendor: dataops_mesh, value: '{form}'}}]}}"
    )
    port, lines = "{name: v, logicalType: date}", f'k,v\n1,"{text}"\n'
    if COUNTED[form][text] is None:
        with pytest.raises(SourceError, match=r'src.csv:2: column "v": expected a DATE as'):
            published(tmp_path, lines, column, port=port)
    else:
        assert published(tmp_path, lines, column, port=port)[1] == [COUNTED[form][text]]


def test_prices_have_every_digit(tmp_path: Path):
    column = "{name: v, logicalType: number, physicalType: 'DECIMAL(38,10)'}"
    long = "9007199254740993.0000000001"
    text = f'{{"k": 1, "v": {long}}}\n{{"k": 2, "v": 5.0}}\n'
    _, found = published(tmp_path, text, column, port=column, path="src.json")
    assert found == [Decimal(long), Decimal(5)]


NOT_HELD = {
    "integer": ["1.5", "NO", "1e3", "9223372036854775808", " "],
    "number": ["9007199254740993", "1,5", "0x10", "0.10000000000000000001"],
    "boolean": ["NO", "yes", "2"],
    "date": ["03/04/2026", "2026-02-30", "2026-1-2", "2026-01-02T00:00:00"],
}


@pytest.mark.parametrize(("logical", "value"), [(k, v) for k, vs in NOT_HELD.items() for v in vs])
def test_a_value_that_does_not_fit_is_said_with_line_and_column(
    tmp_path: Path, logical: str, value: str
):
    column = f"{{name: v, logicalType: {logical}}}"
    text = f'k,v\n0,\n1,"{value}"\n'
    with pytest.raises(SourceError, match=r'src.csv:3: column "v": expected') as error:
        published(tmp_path, text, column, port=column)
    assert value not in str(error.value).replace("src.csv:3", "") or value == " "


def test_a_line_is_counted_behind_texts_of_several_lines(tmp_path: Path):
    column = "{name: v, logicalType: integer}"
    text = 'k,v\n"1\n",1\n\n2,x\n'
    with pytest.raises(SourceError) as error:
        published(tmp_path, text, column, port=column)
    assert 'src.csv:2: column "k": expected a BIGINT' in str(error.value)
    assert 'src.csv:5: column "v": expected a BIGINT' in str(error.value)


def test_a_column_that_is_gone_is_refused_by_name(tmp_path: Path):
    for path, text in (("src.csv", "k,val\n1,a\n"), ("src.json", '{"k": 1, "val": "a"}')):
        with pytest.raises(SourceError) as error:
            published(tmp_path, text, "{name: v, logicalType: string}", path=path)
        assert f'{path} has no column "v"' in str(error.value)
        assert "physicalName" in str(error.value)


def test_a_column_that_is_new_is_a_warning_unless_the_contract_is_closed(tmp_path: Path):
    text, column = "k,v,new\n1,a,b\n", "{name: v, logicalType: string}"
    report, found = published(tmp_path, text, column)
    assert found == ["a"]
    assert isinstance(report.decision, Publish)
    assert any("input_src_no_new_columns" in warning for warning in report.decision.warnings)
    closed = "customProperties:\n  - {property: closed, vendor: dataops_mesh, value: true}\n"
    report, _ = published(tmp_path, text, column, extra=closed)
    assert isinstance(report.decision, Refuse)
    assert any("input_src_no_new_columns" in reason for reason in report.decision.reasons)


@pytest.mark.parametrize("language", ["sql", "python"])
def test_a_column_has_its_own_name_at_the_source(tmp_path: Path, language: str):
    column = "{name: v, physicalName: The Value, logicalType: string}"
    text = "The Value,k,new\n007,1,x\n"
    assert published(tmp_path, text, column, python=language == "python")[1] == ["007"]


TYPES = [("DECIMAL(9,2)", "1.005"), ("INTEGER", "1.5"), ("DATE", "03/04/2026"), ("BIGINT", "x")]


@pytest.mark.parametrize(("kind", "value"), TYPES)
def test_types_in_the_options_are_exact_or_say_line_and_column(
    tmp_path: Path, kind: str, value: str
):
    made = a_product(
        {"p": ["{name: v, logicalType: string}"]},
        inputs=[a_source("src", "src.csv", more=f"options: {{types: {{v: '{kind}'}}}}")],
        files={"p.sql": "select v::varchar as v from src", "src.csv": f"v,w\n{value},1\n"},
    )
    settings = write_workspace(tmp_path, {"d": {"p": made}})
    with pytest.raises(SourceError, match=r'src.csv:2: column "v": expected'):
        run(settings, "d.p")


def test_the_clock_of_a_time_with_a_zone_is_kept(tmp_path: Path):
    column = "{name: v, logicalType: timestamp, logicalTypeOptions: {timezone: true}}"
    _, found = published(tmp_path, "k,v\n1,2026-01-02T03:04:05+02:00\n", column, port=column)
    assert found[0].astimezone(UTC) == datetime(2026, 1, 2, 1, 4, 5, tzinfo=UTC)


def test_the_contract_of_the_page_is_real(tmp_path: Path):
    page = (Path(__file__).parents[2] / "docs" / "declarations.md").read_text("utf-8")
    shown = page.partition("## Contracts of sources")[2].partition("```yaml\n")[2]
    made = a_product(
        {
            "aircraft": [
                "{name: tail_number, logicalType: string}",
                "{name: seats, logicalType: integer}",
                "{name: registered, logicalType: date}",
            ]
        },
        inputs=[a_source("aircraft_csv", "planes.csv")],
        files={
            "aircraft.sql": "select * from aircraft_csv",
            "planes.csv": "TAIL NUM,seats,registered\nN007,2,03/04/2026\n",
            "inputs/aircraft_csv.odcs.yaml": shown.partition("```")[0],
        },
    )
    settings = write_workspace(tmp_path, {"fleet": {"aircraft": made}})
    report = run(settings, "fleet.aircraft")
    assert isinstance(report.decision, Publish)
    assert any("input_aircraft_csv_enough" in one for one in report.decision.warnings)
    assert read(settings, "from fleet.aircraft") == [("N007", 2, date(2026, 4, 3))]
