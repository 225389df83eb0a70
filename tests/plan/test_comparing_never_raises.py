from __future__ import annotations

from dataclasses import fields
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

from changes import CASES, TEXTS, write
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from dataops_mesh.errors import DeclarationError
from dataops_mesh.plan.change import digest, required
from dataops_mesh.plan.compare import compare, compare_port
from dataops_mesh.spec.model import (
    Address,
    Column,
    ColumnOptions,
    Contract,
    OutputPort,
    Product,
    Relationship,
    Rule,
    Sla,
)
from dataops_mesh.spec.read.sla import PROPERTIES
from dataops_mesh.spec.types.shape import read_shape

EDITS = st.lists(st.sampled_from(CASES), max_size=6)


# What a declaration could be, and more: contradictions that the loader would refuse.
def every_field(kind: type, **given: st.SearchStrategy) -> st.SearchStrategy:
    """Build the dataclass with all its fields, those with defaults too."""
    known = {one.name for one in fields(kind) if one.compare and "Any" not in str(one.type)}
    return st.builds(kind, **{name: given.get(name, ...) for name in sorted(known)})


# No YAML says a number that cannot even be compared, and no reader makes a list of nothing.
st.register_type_strategy(Decimal, st.decimals(allow_nan=False))
st.register_type_strategy(float, st.floats(allow_nan=False))
SHAPES = st.sampled_from(
    [None, *map(read_shape, ("INTEGER[]", "MAP(VARCHAR, DATE)", "STRUCT(a INTEGER, b DATE[])"))]
)
RULES = st.lists(every_field(Rule), max_size=2).map(tuple)
COLUMNS = st.lists(
    every_field(Column, rules=RULES, shape=SHAPES, options=every_field(ColumnOptions)), max_size=3
).map(tuple)
CONTRACTS = every_field(
    Contract,
    columns=COLUMNS,
    rules=RULES,
    slas=st.lists(every_field(Sla, property=st.sampled_from(PROPERTIES)), max_size=3).map(tuple),
    relationships=st.lists(every_field(Relationship), max_size=2).map(tuple),
)


def load(edits) -> Product:
    texts = dict(TEXTS)
    for case in edits:
        texts[case.file] = texts[case.file].replace(case.old, case.new)
    with TemporaryDirectory() as folder:
        try:
            return write(Path(folder), **texts)
        except DeclarationError:
            assume(False)  # two edits that do not go together
            raise


@settings(max_examples=30, deadline=None)
@given(EDITS, EDITS)
def test_any_edits_together(first, second):
    before, after = load(first), load(second)
    changes = compare(before, after)
    assert bool(changes) == (before.fingerprint != after.fingerprint)
    assert len(digest(changes)) == 16
    assert required(changes)
    assert compare(after, after) == ()


@settings(max_examples=40, deadline=None)
@given(CONTRACTS, CONTRACTS)
def test_any_two_contracts(old: Contract, new: Contract):
    address = Address("shop", "orders")
    before = OutputPort(address, old, old.where, old.version)
    after = OutputPort(address, new, new.where, new.version)
    assert isinstance(digest(compare_port(before, after)), str)
