"""What of a domain can be a code location: one product's fault stays its own."""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import dagster as dg

from dataops_mesh.errors import DeclarationError, Problem
from dataops_mesh.policy.judge import judge
from dataops_mesh.policy.model import ask_anew
from dataops_mesh.run.guards.flow import flows_in
from dataops_mesh.run.lineage import Known
from dataops_mesh.settings import Settings
from dataops_mesh.spec.kept.kept import Kept
from dataops_mesh.spec.loader import Broken
from dataops_mesh.spec.mesh import check_mesh
from dataops_mesh.spec.model import Domain, InputPort, Mesh, Product
from dataops_mesh.transform.validate import transform_problems

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Standing:
    """A domain, and what of it cannot be loaded.

    Args:
        domain: with the products that can be.
        faults: what is wrong with the others, by qualified name.
    """

    domain: Domain
    faults: Broken

    @property
    def whole(self) -> bool:
        """Tell whether everything could be loaded."""
        return not self.faults

    def without(self, faults: Broken) -> "Standing":
        """Return what stands where these do not either."""
        products = tuple(p for p in self.domain.products if p.qualified_name not in faults)
        return Standing(replace(self.domain, products=products), {**self.faults, **faults})


def standing(
    domain: Domain,
    broken: Broken,
    settings: Settings,
    known: Known,
    kept: Kept | None = None,
) -> Standing:
    """Return what of a domain can be loaded: valid by itself, with the rest, and by the policies.

    A product that cannot is left as it was published, and named in the log and in Dagster.

    Args:
        domain: what could be read of it.
        broken: what is wrong with declarations that could not be read.
        settings: of the workspace.
        known: the products that are loaded already.
        kept: what was asked before of the same files.

    Raises:
        DeclarationError: with all problems, where nothing is left to load, or one belongs to no
            product.
    """
    if domain.name in broken:
        raise DeclarationError(_all(broken))
    found = Standing(domain, broken)
    found = found.without(_by_product(found, _own_problems(found, kept)))
    # What is wrong between products may be cut by leaving one of them.
    while problems := _problems_between(found, settings, known, kept):
        found = found.without(_by_product(found, problems))
    if found.faults and not found.domain.products:
        raise DeclarationError(_all(found.faults))
    return found


def tell(faults: Broken) -> None:
    """Say in the log of the location which products are not in it."""
    for name, problems in faults.items():
        _log.error("%s is not loaded:\n%s", name, "\n".join(map(str, problems)))


def fault_specs(faults: Broken, taken: Iterable[dg.AssetKey]) -> list[dg.AssetSpec]:
    """Return an asset that nobody can run for each product that is not loaded.

    Args:
        faults: by qualified name.
        taken: keys that other assets of the location have.
    """
    keys = set(taken)
    specs = [
        dg.AssetSpec(
            key=dg.AssetKey(name.split(".")),
            group_name=name.partition(".")[0],
            description="**Not loaded.** It is not built until this is mended; what it published "
            "stays as it is.\n\n" + "\n".join(f"    {line}" for line in _lines(problems)),
            tags={"mesh/not_loaded": "true"},
        )
        for name, problems in faults.items()
    ]
    return [spec for spec in specs if spec.key not in keys]


def _lines(problems: Iterable[Problem]) -> list[str]:
    return [line for problem in problems for line in str(problem).splitlines()]


def _all(faults: Broken) -> dict[Problem, None]:
    return dict.fromkeys(problem for found in faults.values() for problem in found)


def _own_problems(found: Standing, kept: Kept | None) -> list[Problem]:
    problems: list[Problem] = []
    for product in found.domain.products:
        find = partial(transform_problems, product)
        problems += kept.fits(product, find) if kept else find()
    return problems


def _problems_between(
    found: Standing, settings: Settings, known: Known, kept: Kept | None
) -> tuple[Problem, ...]:
    own = Mesh(found.domain.folder.parent, (found.domain,), found.faults)
    alone, twice = _alone(found), _alone(found, backwards=True)
    # Of two that claim one name each is told as the second: nobody knows whose it is.
    if wrong := (*check_mesh(alone), *check_mesh(twice)):
        return wrong
    try:
        flows, answers = flows_in(own, settings, known), kept.answer if kept else ask_anew
        return judge(own, settings, whole=False, flows=flows, answers=answers).refusals
    except DeclarationError as error:  # a file of waivers
        return error.problems


def _by_product(found: Standing, problems: Iterable[Problem]) -> Mapping[str, tuple[Problem, ...]]:
    """Return problems by the product in whose folder they lie.

    Raises:
        DeclarationError: one lies elsewhere.
    """
    faults: dict[str, tuple[Problem, ...]] = {}
    rest = []
    for problem in dict.fromkeys(problems):
        name = next((p.qualified_name for p in found.domain.products if _is_in(problem, p)), "")
        if name:
            faults[name] = (*faults.get(name, ()), problem)
        else:
            rest.append(problem)
    if rest:
        raise DeclarationError([*rest, *_all({**found.faults, **faults})])
    return faults


def _is_in(problem: Problem, product: Product) -> bool:
    return problem.where is not None and Path(problem.where.file).is_relative_to(
        Path(product.where.file).parent
    )


def _alone(found: Standing, *, backwards: bool = False) -> Mesh:
    """Return a mesh of this domain only, without what it reads of others.

    A location must not fail to load because of another team's mistake; `mesh check` sees both.
    """
    domain = found.domain
    products = tuple(
        replace(product, inputs=tuple(p for p in product.inputs if _is_own(domain, p)))
        for product in domain.products[:: -1 if backwards else 1]
    )
    return Mesh(domain.folder.parent, (replace(domain, products=products),), found.faults)


def _is_own(domain: Domain, port: InputPort) -> bool:
    return port.address is not None and port.address.domain == domain.name
