"""The mesh's own settings: `customProperties` entries with `vendor: dataops_mesh`.

Other tools keep reading the files; what we add is validated as strictly as what the
standards define, and an entry that stands where nothing reads it is an error.
"""

from __future__ import annotations

from collections.abc import Iterator

from dataops_mesh.errors import Problem, did_you_mean
from dataops_mesh.spec.read.node import Node
from dataops_mesh.spec.read.yaml import Document, Keys
from dataops_mesh.spec.standards.schema import settings_validators, validate

VENDOR = "dataops_mesh"
_LIST = "customProperties"
# A vendor spelled nearly like ours is a setting that would be ignored.
_ALMOST = {"dataops-mesh", "dataopsmesh", "dataops_mash", "data_ops_mesh"}

# None stands for a setting that is given and wrong: it is reported, and not missing.
Settings = dict[str, Node | None]
Extras = dict[Keys, Settings]


def read_extras(document: Document, kind: str, problems: list[Problem]) -> Extras:
    """Return the settings of each place of a document.

    Args:
        document: an ODPS or ODCS document.
        kind: `DataProduct` or `DataContract`.
        problems: receives what is wrong.
    """
    found: Extras = {}
    for owner in _owners(Node(document, document.data)):
        place = _place(owner.keys, kind)
        for entry in owner.items(_LIST):
            setting = _setting(entry, place, found.get(owner.keys, {}), problems)
            if setting is not None:
                name, value = setting
                found.setdefault(owner.keys, {})[name] = value
    return found


def _owners(node: Node) -> Iterator[Node]:
    """Walk to every mapping that has custom properties; never into their values."""
    stack = [node]
    while stack:
        current = stack.pop()
        if isinstance(current.value, dict):
            if isinstance(current.value.get(_LIST), list):
                yield current
            pairs = [(k, v) for k, v in current.value.items() if k != _LIST]
        else:
            pairs = list(enumerate(current.value))
        stack += [
            Node(current.document, value, (*current.keys, key))
            for key, value in reversed(pairs)
            if isinstance(value, dict | list)
        ]


def _place(keys: Keys, kind: str) -> str | None:
    match (kind, *keys):
        case ("DataProduct",):
            return "product"
        case ("DataProduct", "inputPorts", int()):
            return "inputPort"
        case ("DataProduct", "outputPorts", int()):
            return "outputPort"
        case ("DataContract",):
            return "contract"
        case ("DataContract", "roles", int()):
            return "role"
        case ("DataContract", "servers", int()):
            return "server"
        case ("DataContract", "schema", int(), "properties", int()):
            return "column"
        case ("DataContract", "schema", int(), "quality", int()):
            return "rule"
        case ("DataContract", "schema", int(), "properties", int(), "quality", int()):
            return "rule"
        case ("DataContract", "schema", int(), "relationships", int()):
            return "relationship"
        case ("DataContract", "schema", int(), "properties", int(), "relationships", int()):
            return "relationship"
    return None


def _setting(
    entry: Node, place: str | None, seen: Settings, problems: list[Problem]
) -> tuple[str, Node | None] | None:
    vendor, name, value = entry.text("vendor"), entry.text("property"), entry.child("value")
    if vendor != VENDOR:
        if vendor and vendor.lower().strip() in {*_ALMOST, VENDOR}:
            node = entry.child("vendor") or entry
            what = f'"{vendor}" is not our vendor name (did you mean "{VENDOR}"?)'
            problems.append(node.problem(what, [VENDOR]))
        return None
    if name is None or value is None:
        return None  # the standard's own schema has reported it
    misplaced = _misplaced(entry, name, place, seen)
    if misplaced is not None:
        problems.append(misplaced)
        return None
    validator = settings_validators()[place or ""][name]
    if "not" in validator.schema:
        what = f'the setting "{name}" is not supported yet'
        found = [value.problem(what, then="remove it")]
    else:
        found = validate(validator, value)
    problems += found
    return name, None if found else value


def _misplaced(entry: Node, name: str, place: str | None, seen: Settings) -> Problem | None:
    if place is None:
        what = f'no setting of {VENDOR} is read here, so "{name}" would have no effect'
        return entry.problem(what, tuple(settings_validators()))
    known = settings_validators()[place]
    if name not in known:
        node = entry.child("property") or entry
        return node.problem(f'unknown setting "{name}"{did_you_mean(name, known)}', sorted(known))
    return entry.problem(f'the setting "{name}" is given twice') if name in seen else None
