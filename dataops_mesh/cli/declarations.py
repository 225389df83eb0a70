"""`mesh check` and `mesh workspace`: commands that only read declarations."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from dataops_mesh.cli.examine import examine_all
from dataops_mesh.cli.explaining import say_notes
from dataops_mesh.cli.output import REFUSED, Format, say, show
from dataops_mesh.cli.pacts import pact_notes
from dataops_mesh.cli.planning import publication_problems
from dataops_mesh.cli.workspace import (
    load_workspace,
    open_workspace,
    readable,
    say_unreadable,
)
from dataops_mesh.errors import Problem
from dataops_mesh.policy.notes import Note
from dataops_mesh.settings import Settings, load_settings
from dataops_mesh.spec.model import Mesh, Product
from dataops_mesh.watch.channels import escalation_problems
from dataops_mesh.watch.events import event_problems

WRITE = "mesh workspace"
_LEVELS = {"warning": "warnings", "info": "remarks"}


def check_declarations(names: Sequence[str], output: Format) -> int:
    """Print every problem of the declarations; return 1 if there is one."""
    from dataops_mesh.run.guards.classes import class_notes
    from dataops_mesh.run.guards.remasked import mask_notes
    from dataops_mesh.run.planned import own_notes

    settings = load_settings()
    mesh = load_workspace(settings)
    products, unread = readable(mesh, names)
    if names and not unread:
        say_unreadable(mesh, names)
    found, notes = examine_all(mesh, products, settings)
    found += publication_problems(settings, products, mesh)
    found += event_problems(products, settings)
    found += escalation_problems(settings) if settings.escalate else ()
    notes += [*pact_notes(mesh, products), *_unloadable(mesh, products), *_unapproved(products)]
    notes += _words_only(mesh, settings)
    published = (*own_notes(settings, products), *class_notes(settings, products))
    published += mask_notes(settings, products)
    notes += [("warning", problem) for problem in published]
    return _print([*unread, *found], output, len(products), notes)


def write_workspace_file() -> int:
    """Write `workspace.yaml`, and the `definitions.py` of each domain that has none."""
    from dataops_mesh.factory.workspace import write_definitions, write_workspace

    _, mesh = open_workspace()
    for file in write_definitions(mesh):
        say(f"{file.parent.name}/{file.name}: written")
    file = write_workspace(mesh)
    say(f"{file.name}: {len(mesh.domains)} code locations")
    return 0


def _unloadable(mesh: Mesh, products: Sequence[Product]) -> tuple[Note, ...]:
    """Return a warning for each domain that Dagster cannot load yet."""
    named_domains = {product.domain for product in products}
    files = {
        domain.name: domain.folder / "definitions.py"
        for domain in mesh.domains
        if domain.name in named_domains
    }
    return tuple(
        ("warning", Problem(f"{name} has no definitions.py: Dagster cannot load it", next=WRITE))
        for name, file in files.items()
        if not file.is_file()
    )


def _unapproved(products: Sequence[Product]) -> tuple[Note, ...]:
    """Return a remark for each product whose one-way changes nobody could approve."""
    from dataops_mesh.plan.approval import approvers_of

    then = (
        "add `members: [{username: ..., role: owner}]` to `team`, or a role with an approver to "
        "the contract, before such a change is needed"
    )
    what = "names nobody who may approve a change that cannot be taken back"
    return tuple(
        ("info", Problem(f"{product.qualified_name} {what}", product.where, "team", next=then))
        for product in products
        if product.status in {"active", "deprecated"} and not approvers_of(product)
    )


def _words_only(mesh: Mesh, settings: Settings) -> tuple[Note, ...]:
    """Say that names in approvals and waivers are only words where no commit stands behind them."""
    from dataops_mesh.run.decisions import words_only

    count = words_only(mesh, settings)
    if not count:
        return ()
    what = f"no git here: the names in {count} files of approvals and waivers are only words"
    then = "keep it in git, where the commit says who decided"
    return (("info", Problem(what, next=then)),)


def _print(
    problems: Sequence[Problem], output: Format, products: int, notes: Sequence[Note] = ()
) -> int:
    if output is Format.JSON:
        rows = [("error", problem) for problem in problems] + [*notes]
        show([_row(*row) for row in rows], output, columns=())
    else:
        # What refuses comes last: that is where people look.
        say_notes(notes)
        for problem in problems:
            say(str(problem))
        counts = Counter(level for level, _ in notes)
        if counts:
            say(", ".join(f"{_LEVELS[level]}: {count}" for level, count in counts.items()))
        fine = f"{products} product{'s' * (products != 1)}: no problems"
        found = f"{len(problems)} problem{'s' * (len(problems) != 1)}"
        say(found if problems else fine)
    return REFUSED if problems else 0


def _row(level: str, problem: Problem) -> dict[str, Any]:
    return {
        "level": level,
        "what": problem.what,
        "file": problem.where.file if problem.where else None,
        "line": problem.where.line if problem.where else None,
        "key": problem.key,
        "choices": list(problem.choices),
        "next": problem.next,
    }
