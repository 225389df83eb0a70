"""From a workspace's settings to a verdict: reads the policies and the waivers, then evaluates."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import UTC, datetime

from dataops_mesh.errors import Problem, SettingsError
from dataops_mesh.policy.evaluate import evaluate
from dataops_mesh.policy.load import load_policies, load_waivers
from dataops_mesh.policy.model import (
    Answers,
    Decisions,
    Flows,
    Verdict,
    ask_anew,
    no_decisions,
    no_flow,
)
from dataops_mesh.settings import Settings
from dataops_mesh.spec.model import Mesh, Product
from dataops_mesh.spec.names import EXAMPLES, EXPECTED

DEFAULT = "policies.yaml"
TESTS = "tests"


def judge(  # noqa: PLR0913 - what is judged, by what, and what is known of it
    mesh: Mesh,
    settings: Settings,
    *,
    whole: bool = True,
    only: Collection[str] | None = None,
    former: Iterable[Product] = (),
    flows: Flows = no_flow,
    decisions: Decisions = no_decisions,
    answers: Answers = ask_anew,
) -> Verdict:
    """Return what the workspace's policies say of a mesh, or of a part of it.

    Waivers are read by the workspace's clock, so that a replay tells what held then.

    Args:
        mesh: what is known here.
        settings: of the workspace.
        whole: whether that is the whole mesh; a domain alone cannot tell that a waiver of
            another one names nothing.
        only: the products to judge, and whose waivers to look at; all if absent.
        former: what is declared no more, and its end approved.
        flows: tells what a product's columns are made of.
        decisions: tells who committed approvals and waivers, where git can be asked.
        answers: remembers what expressions said.

    Raises:
        DeclarationError: the policies file or a waivers file is not valid.
        SettingsError: the setting `policies` names a file that does not exist.
    """
    if settings.policies != DEFAULT and not settings.policies_file.is_file():
        what = f"there is no file {settings.policies}"
        raise SettingsError(Problem(what, key="tool.dataops_mesh.policies"))
    policies = load_policies(settings.policies_file, settings.root, answers)
    domains = {domain.name for domain in mesh.domains}
    # A file that cannot be read is the trouble of its own product.
    judged = tuple(p for p in mesh.products if only is None or p.qualified_name in only)
    waivers = tuple(
        waiver
        for waiver in load_waivers(settings.root, judged)
        if (whole or waiver.product.partition(".")[0] in domains)
        and (only is None or waiver.product in only)
    )
    files = (settings.root / TESTS).rglob("*.py")
    tested = any(file.name.startswith("test_") or file.stem.endswith("_test") for file in files)
    today = settings.clock().date()
    return evaluate(
        mesh,
        policies,
        waivers,
        today,
        only,
        former=former,
        flows=flows,
        decisions=decisions,
        answers=answers,
        tested=tested,
        examples=frozenset(map(_name, filter(_has_examples, mesh.products))),
        counted_from=max(today, datetime.now(UTC).date()),
    )


def _name(product: Product) -> str:
    return product.qualified_name


def _has_examples(product: Product) -> bool:
    return any(one.is_dir() for one in (product.folder / EXAMPLES).glob(f"*/{EXPECTED}"))
