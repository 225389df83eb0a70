"""What a contract says of protection: how values are masked, who reads, who approves access."""

from __future__ import annotations

import json
from collections.abc import Iterator

from dataops_mesh.spec.read.node import Node

_MASKS = frozenset({"masking", "mask", "maskingpolicy", "maskingrule", "masking_policy"})
VISIBILITY = "visibility"
_EVERYBODY, _DOMAIN = "organisation", "domain"
_APPROVERS = ("firstLevelApprovers", "secondLevelApprovers")


def masking(column: Node) -> str:
    """Return how a column says that it is masked, whoever applies the mask; empty if nobody.

    ODCS has `encryptedName`; masks stand in the custom properties of many tools.
    """
    said = []
    encrypted = column.text("encryptedName")
    if encrypted:
        said.append(f"encrypted as {encrypted}")
    for entry in column.items("customProperties"):
        name = (entry.text("property") or "").lower()
        value = entry.child("value")
        if name in _MASKS and value is not None and value.value not in (None, False, "", "none"):
            said.append(json.dumps(value.value, sort_keys=True, default=str))
    return "; ".join(said)


def visibility(setting: Node | None, domain: str) -> tuple[str, ...]:
    """Return the domains and products whose products may read the port; nothing if all may.

    Args:
        setting: our custom property `visibility`, which its schema has judged.
        domain: the port's own, whose products always may.
    """
    if setting is None or setting.value == _EVERYBODY:
        return ()
    named = setting.value if isinstance(setting.value, list) else ()
    return (domain, *sorted({str(name) for name in named} - {domain}))


def approvers(contract: Node) -> tuple[str, ...]:
    """Return who may approve, by the contract: the approvers of its roles and its owners.

    ODCS `roles[].firstLevelApprovers` and `secondLevelApprovers` are one text or a list.
    """
    named = [name for role in contract.items("roles") for name in role_approvers(role)]
    team = contract.child("team")
    members = team.items("members") if team else []
    people = [*members, *contract.items("team")]
    owners = [one for one in people if (one.text("role") or "").lower() == "owner"]
    named += [owner.text("username") or "" for owner in owners]
    return tuple(dict.fromkeys(name.strip() for name in named if name.strip()))


def role_approvers(role: Node) -> Iterator[str]:
    """Yield who may grant a role, of the first level before the second."""
    for key in _APPROVERS:
        yield from (role.text(key) or "").split(",")
        yield from role.texts(key)
