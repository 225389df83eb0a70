"""`mesh plan`: what publishing the working tree would change, for whom, and what may not be."""

from __future__ import annotations

import io
import json
import subprocess
import tarfile
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory

from dataops_mesh.cli.output import REFUSED, WRONG, say
from dataops_mesh.cli.workspace import open_readable, require_readable, say_unreadable
from dataops_mesh.errors import Problem, StoreError, UnknownNameError
from dataops_mesh.plan.plan import PUBLISHED, Plan, Version
from dataops_mesh.settings import Settings
from dataops_mesh.spec.loader import read_mesh
from dataops_mesh.spec.model import Mesh, Product


class PlanFormat(StrEnum):
    """For people, for machines, or for a pull request."""

    TABLE = "table"
    JSON = "json"
    MARKDOWN = "markdown"


def show_plan(names: Sequence[str], against: str, output: PlanFormat) -> int:
    """Print the plan; return 1 if something in it would be refused."""
    from dataops_mesh.plan.render import as_data, as_markdown, as_text

    settings, mesh = open_readable()
    if names:
        require_readable(mesh, names)
    left_out = say_unreadable(mesh, names)
    plan = plan_of(settings, mesh, names, against)
    match output:
        case PlanFormat.JSON:
            text = json.dumps(as_data(plan), indent=1)
        case PlanFormat.MARKDOWN:
            text = as_markdown(plan)
        case PlanFormat.TABLE:
            text = as_text(plan)
    print(text)  # noqa: T201 - the CLI's output
    if plan.refused:
        return REFUSED
    return WRONG if left_out else 0


def plan_of(settings: Settings, mesh: Mesh, names: Sequence[str], against: str) -> Plan:
    """Return the plan of the named products and domains, or of all that can be read."""
    from dataops_mesh.run.planned import plan_against

    before = None if against == PUBLISHED else _of_ref(settings, against, names)
    return plan_against(settings, mesh, names, before, against)


def _of_ref(settings: Settings, ref: str, names: Sequence[str]) -> dict[str, Version]:
    """Return the products as a git ref declares them."""
    from dataops_mesh.run.identity import transform_fingerprint

    with TemporaryDirectory() as folder:
        root = Path(folder).resolve()
        _unpack(settings.root, ref, root)
        if not (root / settings.domains).is_dir():
            return {}
        mesh = read_mesh(root, settings.domains)
        if names:
            require_readable(mesh, names)
        elif mesh.broken:  # what comes may be what mends them
            what = f"the declarations of {', '.join(sorted(mesh.broken))} cannot be read there"
            say(f"note: against {ref}, and {what}: they count as new")
        return {
            product.qualified_name: Version(product, transform_fingerprint(product))
            for product in mesh.products
        }


def _unpack(root: Path, ref: str, target: Path) -> None:
    what = f'git knows no "{ref}" around {root}'
    problem = Problem(what, key="--against", choices=(PUBLISHED, "a branch, tag or commit"))
    if ref.startswith("-"):
        raise UnknownNameError(problem)
    command = ["git", "-C", str(root), "archive", "--format=tar", ref, "--", "."]
    try:
        done = subprocess.run(command, capture_output=True, check=False, timeout=120)  # noqa: S603 - fixed program, and the ref is no option
    except (OSError, subprocess.TimeoutExpired):
        raise UnknownNameError(problem) from None
    if done.returncode:
        raise UnknownNameError(problem)
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        # By hand, because Python before 3.11.4 cannot leave links and devices out.
        for member in archive:
            path = (target / member.name).resolve()
            file = archive.extractfile(member) if member.isreg() else None
            if file is not None and path.is_relative_to(target):
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(file.read())


def publication_problems(
    settings: Settings, products: Sequence[Product], mesh: Mesh
) -> tuple[Problem, ...]:
    """Return what the rule of publication has against the products, for `mesh check`."""
    from dataops_mesh.run.declaration import publication_reasons
    from dataops_mesh.run.environment import Environment, store_of
    from dataops_mesh.run.guards.roles import role_reasons
    from dataops_mesh.run.guards.visible import invisible_reasons
    from dataops_mesh.run.word.gone import reading_problems
    from dataops_mesh.store.pins import pinned

    try:
        store = store_of(settings, create=False)
    except StoreError:
        return ()  # nothing was ever published here
    environment = Environment(store, settings)
    with pinned(store) as release:
        found = [
            Problem(reason, product.where, next="mesh plan")
            for product in products
            for reason in (
                *publication_reasons(product, environment, release),
                *invisible_reasons(product, environment, release),
                *role_reasons(product, environment, release),
            )
        ]
        return (*found, *reading_problems(products, mesh, environment, release))
