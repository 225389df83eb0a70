"""What is wrong between products is found before anything runs."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataops_mesh.errors import DeclarationError, Location
from dataops_mesh.spec.mesh import check_mesh, order
from dataops_mesh.spec.model import (
    Address,
    Column,
    Contract,
    Domain,
    InputPort,
    Mesh,
    Metric,
    OutputPort,
    Product,
    Rule,
    RuleKind,
    Transform,
    TransformKind,
)

HERE = Location("x.yaml", 3)


def product(name: str, *reads: str, domain: str = "d", **port: object) -> Product:
    contract = Contract(f"c.{domain}.{name}", "1.2.0", HERE, "f", (Column("a", "string", HERE),))
    where = Location(f"{domain}/{name}.yaml", 1)
    output = OutputPort(Address(domain, name), contract, where, "1.2.0")
    return Product(
        domain=domain,
        name=name,
        id=f"p.{domain}.{name}",
        version="1.0.0",
        folder=Path(name),
        where=where,
        fingerprint="f",
        outputs=(replace(output, **port),),  # type: ignore[arg-type]
        transform=Transform(TransformKind.SQL, ()),
        inputs=tuple(InputPort(text, HERE, Address.parse(text)) for text in reads),
    )


def mesh(*products: Product) -> Mesh:
    return Mesh(Path(), (Domain("d", Path(), products),))


def said(*products: Product) -> list[str]:
    return [str(problem) for problem in check_mesh(mesh(*products))]


def test_a_thousand_products_are_not_compared_with_each_other(monkeypatch):
    """Each with each took half of the time in which a mesh of a thousand loads."""

    def compared(*_: object) -> bool:
        pytest.fail("two products were compared")

    monkeypatch.setattr(Product, "__eq__", compared)
    assert said(*(product(f"p{n}", *([f"d.p{n - 1}"] if n else [])) for n in range(50))) == []


def test_a_sound_mesh_has_no_problems():
    assert said(product("a"), product("b", "d.a"), product("c", "d.a", "d.b")) == []


def test_an_unknown_input_names_the_nearest_port():
    (text,) = said(product("flights"), product("b", "d.fligths"))
    assert 'no product publishes d.fligths (did you mean "d.flights"?)' in text


def test_one_address_has_one_publisher():
    twin = replace(product("a"), name="other", id="other")
    texts = said(product("a"), twin)
    assert any("d.a is also a port of d.a" in text for text in texts)


def test_a_copied_id_is_found():
    texts = said(product("a"), replace(product("b"), id="p.d.a"))
    assert any('the product id "p.d.a" is also used' in text for text in texts)


def test_each_cycle_is_named():
    texts = said(product("a", "d.c"), product("b", "d.a"), product("c", "d.b"), product("x", "d.x"))
    assert len(texts) == 2
    assert any("d.a -> d.b -> d.c -> d.a" in text for text in texts)
    assert any("d.x reads its own port by its address" in text for text in texts)


def test_a_retired_port_cannot_be_read():
    retired = replace(product("a"), status="retired")
    (text,) = said(retired, product("b", "d.a"))
    assert "d.a is retired" in text


def test_another_major_version_cannot_be_read():
    reader = product("b", "d.a")
    asks = replace(reader, inputs=(replace(reader.inputs[0], version="2.0.0"),))
    (text,) = said(product("a"), asks)
    assert "asks for version 2.0.0, and d.a is version 1.2.0" in text
    fits = replace(reader, inputs=(replace(reader.inputs[0], version="1.0.0"),))
    assert said(product("a"), fits) == []


def test_another_contract_cannot_be_read():
    reader = product("b", "d.a")
    asks = replace(reader, inputs=(replace(reader.inputs[0], contract_id="c.d.z"),))
    (text,) = said(product("a"), asks)
    assert "is not the contract of d.a" in text


def test_an_expectation_on_an_unknown_column_is_found():
    rule = Rule("r", RuleKind.LIBRARY, HERE, column="A", metric=Metric.NULL_VALUES)
    reader = product("b", "d.a")
    reader = replace(reader, inputs=(replace(reader.inputs[0], expectations=(rule,)),))
    (text,) = said(product("a"), reader)
    assert 'd.a has no column "A"' in text


def test_a_cycle_has_no_order():
    with pytest.raises(DeclarationError, match="in a circle"):
        order([product("a", "d.b"), product("b", "d.a")])


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 12), st.randoms(use_true_random=False))
def test_every_product_comes_after_those_it_reads(count: int, chance: random.Random):
    made = [
        product(f"p{i}", *(f"d.p{j}" for j in range(i) if chance.random() < 0.3))
        for i in range(count)
    ]
    chance.shuffle(made)
    seen: set[Address] = set()
    ordered = order(made)
    for item in ordered:
        assert {port.address for port in item.inputs} <= seen
        seen |= {port.address for port in item.outputs}
    assert sorted(p.name for p in ordered) == sorted(p.name for p in made)
    assert order(made) == ordered
