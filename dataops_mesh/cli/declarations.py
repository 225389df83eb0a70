"""`mesh check` and `mesh workspace`: commands that only read declarations."""

from __future__ import annotations

from collections.abc import Sequence

from dataops_mesh.cli.output import REFUSED, Format, say, show
from dataops_mesh.cli.workspace import named, open_workspace
from dataops_mesh.errors import DeclarationError, Problem
from dataops_mesh.settings import Settings, load_settings
from dataops_mesh.spec.loader import load_mesh
from dataops_mesh.spec.mesh import check_mesh
from dataops_mesh.spec.model import Mesh, Product, TransformKind


def check_declarations(names: Sequence[str], output: Format) -> int:
    """Print every problem of the declarations; return 1 if there is one."""
    settings = load_settings()
    try:
        mesh = load_mesh(settings.root, settings.domains)
    except DeclarationError as error:
        return _print(error.problems, output, 0)
    products = named(mesh, names)
    return _print(problems_of(mesh, products, settings), output, len(products))


def problems_of(mesh: Mesh, products: Sequence[Product], settings: Settings) -> tuple[Problem, ...]:
    """Return what is wrong with the mesh as a whole and with the products' transforms."""
    from dataops_mesh.run.validate import transform_problems

    found = list(check_mesh(mesh))
    for product in products:
        found += transform_problems(product) or _dbt_problems(product, settings)
    return tuple(found)


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


def _print(problems: Sequence[Problem], output: Format, products: int) -> int:
    if output is Format.JSON:
        rows = [
            {
                "what": problem.what,
                "file": problem.where.file if problem.where else None,
                "line": problem.where.line if problem.where else None,
                "key": problem.key,
                "choices": list(problem.choices),
                "next": problem.next,
            }
            for problem in problems
        ]
        show(rows, output, columns=())
    else:
        for problem in problems:
            say(str(problem))
        tail = f"{len(problems)} problems" if problems else f"{products} products: no problems"
        say(tail)
    return REFUSED if problems else 0
