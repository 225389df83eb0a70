"""Approvals: who agreed to a change that cannot be taken back.

approvals/<digest>.yaml in the product's folder
    digest: 5f1c...          # of the changes, as `mesh plan` prints it
    approver: lea.brandt@mesh.example
    reason: Nobody reads history beyond a year; agreed on 3 November.
    date: 2026-11-03
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from dataops_mesh.errors import DeclarationError, Location, Problem
from dataops_mesh.spec.model import Product
from dataops_mesh.spec.read.yaml import read_document

FOLDER = "approvals"
_KEYS = ("digest", "approver", "reason", "date")


@dataclass(frozen=True, slots=True)
class Approval:
    """One record: which changes, who agreed, why and when."""

    digest: str
    approver: str
    reason: str
    date: date
    where: Location


def read_approvals(product: Product, folder: Path | None = None) -> tuple[Approval, ...]:
    """Return the approvals in the product's folder.

    Args:
        product: it need not be declared any more.
        folder: where its folder is, if the product says another or none.

    Raises:
        DeclarationError: with every record that is not complete.
    """
    shown = Path(product.where.file).parent / FOLDER
    problems: list[Problem] = []
    found = []
    for file in sorted(((folder or product.folder) / FOLDER).glob("*.yaml")):
        name = (shown / file.name).as_posix()
        try:
            document = read_document(file, name)
        except DeclarationError as error:
            problems += error.problems
            continue
        values = {key: str(document.data.get(key) or "").strip() for key in _KEYS}
        where = Location(name, 1)
        missing = [key for key in _KEYS if not values[key]]
        unknown = sorted(map(str, document.data.keys() - set(_KEYS)))
        day = _day(values["date"])
        if missing or unknown:
            what = ", ".join(
                [f"needs {key}" for key in missing] + [f"unknown {k}" for k in unknown]
            )
            problems.append(Problem(f"the approval {what}", where, choices=_KEYS))
        elif day is None:
            problems.append(Problem("the date of the approval is no date", where, "date"))
        elif values["digest"] != file.stem:
            what = f'the approval is of "{values["digest"]}" and the file is named "{file.stem}"'
            problems.append(
                Problem(what, where, "digest", next=f"rename it {values['digest']}.yaml")
            )
        else:
            found.append(
                Approval(values["digest"], values["approver"], values["reason"], day, where)
            )
    if problems:
        raise DeclarationError(problems)
    return tuple(found)


def approvers_of(product: Product) -> tuple[str, ...]:
    """Return who may approve: the approvers of the contracts' roles, and the owners.

    Ask the published declaration: a change may not name its own judges.
    """
    named = [name for port in product.outputs for name in port.contract.approvers]
    if product.team is not None:
        owners = (m for m in product.team.members if (m.role or "").lower() == "owner")
        named += [member.username for member in owners]
    return tuple(dict.fromkeys(name for name in named if name))


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        return None
