"""A twentieth of the example's rows: each foreign key holds there exactly as it does in the whole."""

from __future__ import annotations

import pytest

from dataops_mesh.engine.read import connect
from dataops_mesh.spec.loader import load_mesh

pytestmark = pytest.mark.timeout(1200)
SHARE = 0.05


def test_every_foreign_key_holds_as_in_the_whole(own):
    said = own.mesh("sandbox", "up", "small", "--subset", "5%")
    assert said.code == 0, said.err
    ports = [port for one in load_mesh(own.root).products for port in one.outputs]
    keys = [(port.address, one) for port in ports for one in port.contract.relationships]
    assert len(keys) > 5
    with connect(own.store) as whole, connect(own.store, sandbox="small") as few:
        count = "select count(*) from operations.flights"
        ((all_flights,),) = whole.execute(count).fetchall()
        ((flights,),) = few.execute(count).fetchall()
        assert 0.9 * SHARE < flights / all_flights < 1.1 * SHARE
        lost = 0
        for child, one in keys:
            mine, theirs = ", ".join(one.columns), ", ".join(one.to)
            referring = f"select distinct {mine} from {child} where ({mine}) is not null"
            unknown = f"{referring} except select {theirs} from {one.address}"
            there = set(whole.execute(unknown).fetchall())
            shown = set(few.execute(referring).fetchall())
            assert set(few.execute(unknown).fetchall()) == there & shown, one.name
            assert shown
            lost += len(there & shown)
        assert lost  # what refers to nothing in the whole is not made to fit
    said = own.mesh("sandbox", "promote", "small")
    assert said.code == 2
