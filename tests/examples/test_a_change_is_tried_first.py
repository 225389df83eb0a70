"""A change of what a delay is: tried on everything, promoted as it was built, and taken back."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.timeout(1200)
QUERY = "select carrier, origin, destination, mean_arrival_delay_minutes as mean from punctuality.by_route"


def means(own, *options: str) -> dict[tuple[str, str, str], float]:
    rows = own.mesh("query", QUERY, "--format", "json", *options).json
    return {(row["carrier"], row["origin"], row["destination"]): row["mean"] for row in rows}


def test_the_definition_of_a_delay_changes_and_every_reader_is_compared(own):
    transform = own.root / "domains/operations/flights/transform.py"
    text = transform.read_text("utf-8")
    old = '"arrival_delay_minutes": delivered["arr_delay"],'
    new = (
        '"arrival_delay_minutes": pc.max_element_wise(delivered["arr_delay"], 0, skip_nulls=False),'
    )
    assert old in text
    transform.write_text(text.replace(old, new), "utf-8")
    before = means(own)

    said = own.mesh("sandbox", "test", "--samples", "100", "--keep", "early", "--format", "json")
    assert said.code == 0, said.err
    found = {one["product"]: one for one in said.json}
    assert list(found) == ["operations.flights", "punctuality.punctuality"]
    assert found["operations.flights"]["edited"]
    assert not found["punctuality.punctuality"]["edited"]
    assert means(own) == before

    after = means(own, "--sandbox", "early")
    changed = {route for route in before if before[route] != after[route]}
    ports = {port["address"]: port for port in found["punctuality.punctuality"]["ports"]}
    difference = ports["punctuality.by_route"]["difference"]
    columns = {one["name"]: one for one in difference["columns"]}
    assert columns["mean_arrival_delay_minutes"]["rows"] == len(changed) > 0
    named = {tuple(key.values()) for key in difference["keys"]}
    assert len(named) == min(100, difference["changed"])
    assert changed & named
    assert (difference["added"], difference["removed"]) == (0, 0)

    said = own.mesh("sandbox", "promote", "early", "--reason", "early is not late")
    assert said.code == 0, said.err
    assert means(own) == after
    for product in ("punctuality.punctuality", "operations.flights"):
        assert own.mesh("rollback", product, "--reason", "after all").code == 0
    assert means(own) == before
