"""From a workspace's settings to a verdict: reads the policies and the waivers, then evaluates."""

from __future__ import annotations

from collections.abc import Collection

from dataops_mesh.errors import Problem, SettingsError
from dataops_mesh.policy.evaluate import evaluate
from dataops_mesh.policy.load import load_policies, load_waivers
from dataops_mesh.policy.model import Flows, Verdict, no_flow
from dataops_mesh.settings import Settings
from dataops_mesh.spec.model import Mesh

DEFAULT = "policies.yaml"


def judge(
    mesh: Mesh,
    settings: Settings,
    *,
    whole: bool = True,
    only: Collection[str] | None = None,
    flows: Flows = no_flow,
) -> Verdict:
    """Return what the workspace's policies say of a mesh, or of a part of it.

    Waivers are read by the workspace's clock, so that a replay tells what held then.

    Args:
        mesh: what is known here.
        settings: of the workspace.
        whole: whether that is the whole mesh; a domain alone cannot tell that a waiver of
            another one names nothing.
        only: the products to judge, and whose waivers to look at; all if absent.
        flows: tells what a product's columns are made of.

    Raises:
        DeclarationError: the policies file or a waivers file is not valid.
        SettingsError: the setting `policies` names a file that does not exist.
    """
    if settings.policies != DEFAULT and not settings.policies_file.is_file():
        what = f"there is no file {settings.policies}"
        raise SettingsError(Problem(what, key="tool.dataops_mesh.policies"))
    policies = load_policies(settings.policies_file, settings.root)
    domains = {domain.name for domain in mesh.domains}
    waivers = tuple(
        waiver
        for waiver in load_waivers(settings.root, mesh.products)
        if (whole or waiver.product.partition(".")[0] in domains)
        and (only is None or waiver.product in only)
    )
    return evaluate(mesh, policies, waivers, settings.clock().date(), only, flows=flows)
