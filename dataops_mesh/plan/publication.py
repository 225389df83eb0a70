"""The rule of publication: what breaks needs a major version, what is for ever an approval.

Two-way changes that break nobody pass untouched, and so does everything in a draft.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from dataops_mesh.plan.approval import FOLDER, Approval, approvers_of
from dataops_mesh.plan.change import Bump, Change, Compatibility, digest, to_be_approved
from dataops_mesh.plan.compare import compare
from dataops_mesh.plan.version import bump_of, next_version
from dataops_mesh.spec.model import OutputPort, Product

Spent = Callable[[str], int]
_UNPROMISED = frozenset({"proposed", "draft"})
_NO_VERSION = "0.0.0"


def unspent(_digest: str) -> int:
    """Say that no approval has served, where nobody knows."""
    return 0


def change_reasons(
    before: Product | None,
    after: Product | None,
    approvals: Iterable[Approval] = (),
    spent: Spent = unspent,
) -> tuple[str, ...]:
    """Return why the change may not be published, one sentence each; nothing if it may.

    Args:
        before: what is published now; None if nothing is.
        after: what would be published.
        approvals: the records in the product's folder.
        spent: how often changes of a digest were approved and published: an approval serves once.
    """
    if before is None or before.status in _UNPROMISED:
        return ()
    changes = promised(before, compare(before, after))
    refused = _approval(before, changes, tuple(approvals), spent)
    return (*_versions(before, after, changes), *refused)


def promised(before: Product, changes: Iterable[Change]) -> tuple[Change, ...]:
    """Return the changes of ports that were promised to somebody: not those of drafts."""
    drafts = {p.address for p in before.outputs if p.contract.status in _UNPROMISED}
    return tuple(change for change in changes if change.port not in drafts)


def to_approve(before: Product, changes: Iterable[Change]) -> tuple[Change, ...]:
    """Return the changes that need an approval."""
    return tuple(one for one in promised(before, changes) if one.one_way)


def _versions(before: Product, after: Product | None, changes: Sequence[Change]) -> tuple[str, ...]:
    """Return a reason for each port that breaks its readers under the same major version."""
    if after is None:
        return ()
    old = {port.contract.id: port for port in before.outputs}
    reasons = []
    for port in after.outputs:
        was = old.get(port.contract.id) or _same_address(before, port)
        own = [one for one in changes if one.port == port.address and _breaks(one)]
        if was is None or not own:
            continue
        given = bump_of(was.contract.version, port.contract.version)
        if given is not Bump.MAJOR:
            wanted = next_version(was.contract.version, Bump.MAJOR)
            reasons += [_refused(str(port.address), one, wanted) for one in own]
    general = [one for one in changes if one.port is None and _breaks(one) and not one.one_way]
    versioned = before.version != _NO_VERSION
    if general and versioned and bump_of(before.version, after.version) is not Bump.MAJOR:
        wanted = next_version(before.version, Bump.MAJOR)
        reasons += [_refused(before.qualified_name, one, wanted) for one in general]
    return tuple(reasons)


def _same_address(before: Product, port: OutputPort) -> OutputPort | None:
    return next((one for one in before.outputs if one.address == port.address), None)


def _breaks(change: Change) -> bool:
    return change.compatibility is Compatibility.BREAKING


def _refused(name: str, change: Change, wanted: str) -> str:
    return (
        f"{name}: {change.what} ({change.place}) breaks consumers; make the version {wanted}, "
        "or publish it as a new port beside this one"
    )


def approval_used(
    before: Product | None,
    after: Product | None,
    approvals: Iterable[Approval],
    spent: Spent = unspent,
) -> tuple[str, Approval] | None:
    """Return the digest of what needs an approval and the record that gives it, if it does."""
    if before is None or before.status in _UNPROMISED:
        return None
    needed = to_approve(before, compare(before, after))
    if not needed:  # nobody is asked what was spent: a run needs no ledger for that
        return None
    same = digest(needed)
    wanted, may = to_be_approved(needed, spent(same)), approvers_of(before)
    found = [one for one in approvals if one.digest == wanted and one.approver in may]
    return (same, found[0]) if found else None


def _approval(
    before: Product, changes: Sequence[Change], approvals: tuple[Approval, ...], spent: Spent
) -> tuple[str, ...]:
    needed = [one for one in changes if one.one_way]
    if not needed:
        return ()
    times = spent(digest(needed))
    wanted = to_be_approved(needed, times)
    may = approvers_of(before)
    given = [one for one in approvals if one.digest == wanted]
    if any(one.approver in may for one in given):
        return ()
    people = ", ".join(may) or "nobody: first publish approvers in the contract's roles"
    if given:
        strangers = ", ".join(f"{one.approver} ({one.where})" for one in given)
        return (f"{strangers} may not approve; who may: {people}",)
    what = "; ".join(f"{one.what} ({one.place}): {one.one_way}" for one in needed)
    again = "; the approval of before has served" if times else ""
    reason = (
        f"{before.qualified_name}: cannot be taken back: {what}{again}. It needs "
        f"{FOLDER}/{wanted}.yaml by one of: {people}"
    )
    return (reason,)
