"""Objects, arrays and maps are built, checked inside, published and read like other columns."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers import a_product, a_source, read, run, write_workspace

from dataops_mesh.gate import Publish, Refuse

COLUMNS = [
    "{name: id, logicalType: integer, primaryKey: true}",
    (
        "{name: place, logicalType: object, properties: [{name: city, logicalType: string}, "
        "{name: at, logicalType: array, items: {logicalType: number, physicalType: DOUBLE}}]}"
    ),
    (
        "{name: tags, logicalType: array, items: {logicalType: string}, "
        "logicalTypeOptions: {maxItems: 2, uniqueItems: true}}"
    ),
    "{name: seen, logicalType: map, map: {key: {logicalType: string}, value: {logicalType: integer}}}",
    "{name: mail, logicalType: string, logicalTypeOptions: {format: email}}",
]
GOOD = (
    "select id, {'city': 'NYC', 'at': [40.6::double, -73.7]} as place, ['a', 'b'] as tags, "
    "map {'x': 1} as seen, 'a@b.test' as mail from ids"
)
BAD = {
    "{'city': 'NYC'": "{'town': 'NYC'",
    "[40.6::double, -73.7]": "['north']",
    "['a', 'b']": "['a', 'a']",
    "map {'x': 1}": "map {'x': 'y'}",
    "a@b.test": "a@b",
}
FAILED = ["schema", "schema", "tags_unique_items", "schema", "mail_format"]


def places(query: str) -> dict[str, str | bytes]:
    return a_product(
        {"places": COLUMNS},
        inputs=[a_source("ids", "ids.csv")],
        files={"places.sql": query, "ids.csv": "id\n1\n2\n"},
    )


def test_nested_columns_are_published(tmp_path: Path):
    settings = write_workspace(tmp_path, {"geo": {"places": places(GOOD)}})
    assert isinstance(run(settings, "geo.places").decision, Publish)
    rows = read(settings, "select place.city, tags[1], seen['x'] from geo.places")
    assert rows == [("NYC", "a", 1)] * 2


@pytest.mark.parametrize(("old", "failed"), zip(BAD, FAILED, strict=True))
def test_what_is_wrong_inside_is_refused(tmp_path: Path, old: str, failed: str):
    query = GOOD.replace(old, BAD[old])
    settings = write_workspace(tmp_path, {"geo": {"places": places(query)}})
    report = run(settings, "geo.places")
    assert isinstance(report.decision, Refuse)
    assert [r.check for r in report.results if r.outcome != "passed"] == [failed]
