"""What keeps a candidate in its sandbox, whatever its checks say."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from dataops_mesh.errors import MeshError, Problem
from dataops_mesh.plan.approval import FOLDER
from dataops_mesh.run.checks import all_checks
from dataops_mesh.run.environment import Environment
from dataops_mesh.run.identity import code_version
from dataops_mesh.run.inputs.parameters import of_line
from dataops_mesh.run.judged import SETTINGS, judgement_texts
from dataops_mesh.run.partition import chosen
from dataops_mesh.settings import Settings
from dataops_mesh.spec.model import Product
from dataops_mesh.spec.parameters import said_of
from dataops_mesh.store.declarations import read_declaration
from dataops_mesh.store.manifest import Manifest
from dataops_mesh.transform.walls import walls_of

_A_MOMENT = 3_600.0  # seconds between the clock that a run had and when it ran


def marks(manifest: Manifest, settings: Settings) -> Iterator[Problem]:
    """Yield why a candidate is for its sandbox only: how it was built.

    Args:
        manifest: its evidence.
        settings: of the line that it would go to.
    """
    name = manifest.product
    if manifest.git_commit.endswith("+"):
        what = f"{name} was built from files that are in no commit"
        yield Problem(what, next="commit them, then run it in the sandbox again")
    if manifest.subset:
        what = f"{name} was built from {manifest.subset} of the rows"
        yield Problem(what, next="run it in a sandbox that shows all of them")
    off = max(manifest.started - manifest.now, manifest.now - manifest.finished).total_seconds()
    if manifest.now != settings.now if settings.now else off > _A_MOMENT:
        what = f"{name} was built for another moment: {manifest.now:%Y-%m-%d %H:%M %Z}"
        yield Problem(what, next="run it in the sandbox without the setting `now`")


def outdated(
    manifests: Collection[Manifest], products: Mapping[str, Product], environment: Environment
) -> Iterator[Problem]:
    """Yield what was judged or built otherwise than the workspace says now."""
    for manifest in manifests:
        product = products[manifest.product]
        product = of_line(product, environment)
        then = f"run {manifest.product} in the sandbox again"
        if other := sorted(_other(manifest.parameters, said_of(product))):
            what = f"{manifest.product} was built with another {' and '.join(other)}"
            last = "a sandbox without --parameters builds it as it is built there"
            yield Problem(what, product.where, key="parameters", next=last)
            continue
        if manifest.code_version != code_version(product):
            what = f"the declaration or transform of {manifest.product} has changed since"
            yield Problem(what, product.where, next=then)
            continue
        if _checks(manifest) != _checks_now(product, manifest, environment):
            what = f"other checks apply to {manifest.product} than it was judged by"
            yield Problem(what, product.where, next=then)
        elif _policies(manifest, environment) != _policies_now(product, environment):
            what = f"the policies have changed since {manifest.product} was judged"
            yield Problem(what, product.where, next=then)


def _other(mine: Iterable[tuple[str, str]], theirs: Iterable[tuple[str, str]]) -> set[str]:
    return {name for name, _ in {*mine} ^ {*theirs}}


def _checks(manifest: Manifest) -> frozenset[tuple[str, str, str]]:
    return frozenset((one.name, str(one.port), one.fingerprint) for one in manifest.checks)


def _checks_now(
    product: Product, manifest: Manifest, environment: Environment
) -> frozenset[tuple[str, str, str]]:
    settings = environment.settings
    piece = chosen(product, manifest.partition or None, settings.clock())
    checks = all_checks(product, walls_of(settings), piece)
    found = (check.declared for check in checks)
    return frozenset((one.name, str(one.port), one.fingerprint) for one in found)


def _policies(manifest: Manifest, environment: Environment) -> Mapping[str, str] | None:
    try:
        return _only_policies(read_declaration(environment.store, manifest.judged))
    except MeshError:
        return None


def _policies_now(product: Product, environment: Environment) -> Mapping[str, str]:
    return _only_policies(judgement_texts(product, environment))


def _only_policies(texts: Mapping[str, str]) -> Mapping[str, str]:
    """Leave out what may differ: approvals are for the promotion, settings name the line."""
    return {
        name: text
        for name, text in texts.items()
        if name != SETTINGS and f"/{FOLDER}/" not in f"/{name}"
    }
