"""`mesh check` and `mesh workspace`: commands that only read declarations."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from dataops_mesh.cli.output import REFUSED, Format, say, show
from dataops_mesh.cli.pacts import pact_notes
from dataops_mesh.cli.planning import publication_problems
from dataops_mesh.cli.workspace import named, open_workspace
from dataops_mesh.errors import DeclarationError, Problem
from dataops_mesh.policy.model import Verdict
from dataops_mesh.policy.notes import Note, notes_of
from dataops_mesh.settings import Settings, load_settings
from dataops_mesh.spec.loader import load_mesh
from dataops_mesh.spec.mesh import check_mesh
from dataops_mesh.spec.model import Mesh, Product, TransformKind

_LEVELS = {"warning": "warnings", "info": "remarks"}


def check_declarations(names: Sequence[str], output: Format) -> int:
    """Print every problem of the declarations; return 1 if there is one."""
    settings = load_settings()
    try:
        mesh = load_mesh(settings.root, settings.domains)
    except DeclarationError as error:
        return _print(error.problems, output, 0)
    products = named(mesh, names)
    verdict = _judge(mesh, products, settings)
    found = (
        *_declared(mesh, products, settings),
        *verdict.refusals,
        *publication_problems(settings, products),
    )
    notes = (*notes_of(verdict), *pact_notes(mesh, products))
    return _print(found, output, len(products), notes)


def problems_of(mesh: Mesh, products: Sequence[Product], settings: Settings) -> tuple[Problem, ...]:
    """Return what is wrong with the mesh as a whole, and with the products and their transforms."""
    found = _declared(mesh, products, settings)
    return (*found, *_judge(mesh, products, settings).refusals)


def _declared(mesh: Mesh, products: Sequence[Product], settings: Settings) -> list[Problem]:
    from dataops_mesh.run.elsewhere import find_elsewhere, read_by
    from dataops_mesh.run.validate import transform_problems

    found = list(check_mesh(mesh, read_by(mesh, find_elsewhere(settings, mesh))))
    for product in products:
        found += transform_problems(product) or _dbt_problems(product, settings)
    return found


def _judge(mesh: Mesh, products: Sequence[Product], settings: Settings) -> Verdict:
    from dataops_mesh.policy.judge import judge

    every = len(products) == len(mesh.products)
    only = None if every else {product.qualified_name for product in products}
    return judge(mesh, settings, only=only)


def write_workspace_file() -> int:
    """Write `workspace.yaml`."""
    from dataops_mesh.factory.workspace import write_workspace

    _, mesh = open_workspace()
    file = write_workspace(mesh)
    say(f"{file.name}: {len(mesh.domains)} code locations")
    return 0


def _dbt_problems(product: Product, settings: Settings) -> tuple[Problem, ...]:
    if product.transform.kind is not TransformKind.DBT:
        return ()
    from dataops_mesh.run.checks import all_checks
    from dataops_mesh.run.environment import dbt_cache

    try:
        all_checks(product, dbt_cache(settings))
    except DeclarationError as error:
        return error.problems
    return ()


def _print(
    problems: Sequence[Problem], output: Format, products: int, notes: Sequence[Note] = ()
) -> int:
    if output is Format.JSON:
        rows = [("error", problem) for problem in problems] + [*notes]
        show([_row(*row) for row in rows], output, columns=())
    else:
        # What refuses comes last: that is where people look.
        for level, problem in notes:
            say(f"{level}: {problem}")
        for problem in problems:
            say(str(problem))
        counts = Counter(level for level, _ in notes)
        if counts:
            say(", ".join(f"{_LEVELS[level]}: {count}" for level, count in counts.items()))
        say(f"{len(problems)} problems" if problems else f"{products} products: no problems")
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
