"""How to read a port: lines that can be copied and run."""

from __future__ import annotations

from dataclasses import dataclass

from dataops_mesh.spec.model import OutputPort, Product

_PYTHON = """\
from dataops_mesh import connect

with connect() as mesh:
    {take} = mesh.execute("{sql}"){end}"""


@dataclass(frozen=True, slots=True)
class Recipe:
    """One way to read a port."""

    how: str
    text: str


@dataclass(frozen=True, slots=True)
class Reading:
    """The ways to read a port."""

    address: str
    recipes: tuple[Recipe, ...]


def readings(product: Product) -> tuple[Reading, ...]:
    """Return how to read each port of a product."""
    return tuple(Reading(str(port.address), recipes(port)) for port in product.outputs)


def recipes(port: OutputPort) -> tuple[Recipe, ...]:
    """Return the ways to read a port."""
    domain, name = port.address
    whole = f"from {_quoted(domain)}.{_quoted(name)}"
    escaped = whole.replace('"', '\\"')
    return (
        Recipe("Shell", f"mesh query '{whole} limit 10'"),
        Recipe("SQL", f"select *\n{whole}\nlimit 10"),
        Recipe("Python", _PYTHON.format(take="rows", sql=escaped, end=".fetchall()")),
        Recipe("pandas", _PYTHON.format(take="frame", sql=escaped, end=".df()")),
        Recipe(
            "polars",
            "import polars as pl\n"
            + _PYTHON.format(take="table", sql=escaped, end=".arrow()")
            + "\nframe = pl.from_arrow(table)",
        ),
    )


def _quoted(name: str) -> str:
    return name if name.isascii() and name.isidentifier() and name.islower() else f'"{name}"'
