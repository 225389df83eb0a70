"""A valid product as text, and ways to break it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent, indent

from dataops_mesh.errors import DeclarationError, Problem
from dataops_mesh.spec.checks.check import Check, checks_of
from dataops_mesh.spec.loader import load_product
from dataops_mesh.spec.model import Product

PRODUCT = """\
apiVersion: v1.1.0
kind: DataProduct
id: fleet.aircraft
inputPorts:
  - name: aircraft_csv
    customProperties:
      - {property: source, vendor: dataops_mesh, value: {path: data/planes.csv}}
"""

CONTRACT = """\
apiVersion: v3.2.0
kind: DataContract
id: fleet.aircraft.contract
version: 1.0.0
schema:
  - name: aircraft
    properties:
      - {name: tail_number, logicalType: string, primaryKey: true}
      - {name: seats, logicalType: integer}
      - {name: seen_at, logicalType: timestamp}
"""

SQL = "select tailnum as tail_number, seats, seen_at from aircraft_csv\n"


@dataclass(frozen=True)
class Workspace:
    root: Path

    def folder(self, domain: str = "fleet", product: str = "aircraft") -> Path:
        return self.root / "domains" / domain / product

    def write(
        self,
        product: str = PRODUCT,
        contract: str = CONTRACT,
        *,
        files: dict[str, str] | None = None,
        at: tuple[str, str] = ("fleet", "aircraft"),
    ) -> Path:
        """Write a product; `files` adds to the SQL file, or replaces it with `None` values."""
        folder = self.folder(*at)
        folder.mkdir(parents=True, exist_ok=True)
        texts = {
            "product.odps.yaml": product,
            "aircraft.odcs.yaml": contract,
            "aircraft.sql": SQL,
            **(files or {}),
        }
        for name, text in texts.items():
            if text is not None:
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                (folder / name).write_text(text, "utf-8")
        return folder

    def load(self, *args: str, **kwargs: object) -> Product:
        return load_product(self.write(*args, **kwargs), self.root)  # type: ignore[arg-type]

    def problems(self, *args: str, **kwargs: object) -> tuple[Problem, ...]:
        try:
            self.load(*args, **kwargs)
        except DeclarationError as error:
            return error.problems
        return ()


def checks(workspace: Workspace, *args: str, **kwargs: object) -> dict[str, Check]:
    found = checks_of(workspace.load(*args, **kwargs))
    assert len({check.name for check in found}) == len(found)
    return {check.name: check for check in found}


def replaced(text: str, old: str, new: str) -> str:
    assert text.count(old) == 1, f"{old!r} must occur exactly once"
    return text.replace(old, new)


def with_contract(extra: str) -> str:
    """Add top-level keys to the contract."""
    return CONTRACT + dedent(extra)


def with_column(keys: str) -> str:
    """Add a fourth column, `extra`, with these keys (on line 11)."""
    return CONTRACT + f"      - {{name: extra, {keys}}}\n"


def with_column_rule(rule: str, logical: str = "string") -> str:
    """Add a column `extra` with one rule (on line 14)."""
    return (
        CONTRACT
        + f"      - name: extra\n        logicalType: {logical}\n        quality:\n"
        + f"          - {{{rule}}}\n"
    )


def with_rule(rule: str) -> str:
    """Add one rule on the whole relation (on line 12)."""
    return CONTRACT + f"    quality:\n      - {{{rule}}}\n"


def with_setting(name: str, value: str) -> str:
    """Add a setting to the product."""
    head = PRODUCT + "customProperties:\n"
    return head + f"  - {{property: {name}, vendor: dataops_mesh, value: {value}}}\n"


def with_source(value: str) -> str:
    return replaced(PRODUCT, "{path: data/planes.csv}", value)


def with_expectation(rule: str) -> str:
    """Add one expectation to the input port."""
    text = "- property: expectations\n  vendor: dataops_mesh\n  value:\n    - {" + rule + "}\n"
    return PRODUCT + indent(text, "      ")
