"""Which models of a dbt project become the output ports of its product."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dataops_mesh.errors import DeclarationError, Problem, did_you_mean
from dataops_mesh.spec.dbt_names import names
from dataops_mesh.spec.names import is_name
from dataops_mesh.transform.dbt.project import below, offered_models

Node = Mapping[str, Any]
_MARTS = frozenset({"mart", "marts"})


@dataclass(frozen=True, slots=True)
class Choice:
    """The models that become ports, by the port's name, and why these.

    Args:
        nodes: the models.
        why: the rule that chose them.
        notes: which were left out, and why.
    """

    nodes: Mapping[str, Node]
    why: str
    notes: tuple[str, ...] = ()


def choose_ports(
    manifest: Mapping[str, Any], built: Iterable[str], wanted: Sequence[str]
) -> Choice:
    """Return the ports: what somebody wants, else what is public, else marts, else leaves.

    Args:
        manifest: dbt's.
        built: the unique ids that the selection covers.
        wanted: models, by name.

    Raises:
        DeclarationError: a wanted model is not there, or nothing can be a port.
    """
    offered = _offered(manifest, built)
    why, found = _by_rule(manifest, offered, wanted)
    notes = [f'"{name}" is no port: rename it to lower case' for name in found if not is_name(name)]
    nodes = {name: node for name, node in found.items() if is_name(name)}
    if not nodes:
        what = "the dbt project has no model that can be a port"
        raise DeclarationError([Problem(what), *(Problem(note) for note in notes)])
    return Choice(nodes, why, tuple(notes))


def _offered(manifest: Mapping[str, Any], built: Iterable[str]) -> dict[str, Node]:
    """Return the models that can be ports, each by its most certain name."""
    found = offered_models(manifest, built)
    return {name: node for name, node in found.items() if name == names(node)[0]}


def _by_rule(
    manifest: Mapping[str, Any], offered: Mapping[str, Node], wanted: Sequence[str]
) -> tuple[str, dict[str, Node]]:
    if wanted:
        unknown = [name for name in wanted if name not in offered]
        if unknown:
            raise DeclarationError(
                Problem(
                    f'no model "{name}" that can be a port{did_you_mean(name, offered)}',
                    choices=tuple(sorted(offered)),
                )
                for name in unknown
            )
        return "named on the command line", {name: offered[name] for name in wanted}
    project = manifest["metadata"].get("project_name")
    own = {n: node for n, node in offered.items() if node["package_name"] == project}
    models = {n: node for n, node in own.items() if node["resource_type"] == "model"}
    public = {n: node for n, node in models.items() if node.get("access") == "public"}
    if public:
        return "the models with `access: public`", public
    marts = {n: node for n, node in models.items() if not _MARTS.isdisjoint(node["fqn"][:-1])}
    if marts:
        return "no model is public: those in marts/", marts
    read = {key for node in _models(manifest) for key in below(node)}
    leaves = {n: node for n, node in models.items() if node["unique_id"] not in read}
    return "no model is public: those that no other model reads", leaves


def _models(manifest: Mapping[str, Any]) -> list[Node]:
    return [n for n in manifest["nodes"].values() if n["resource_type"] in {"model", "snapshot"}]
