"""The gate: publishing is a function of (candidate, check results), and nothing else.

Pure: no clock, no file, no engine. A result counts only when it was computed for this very
candidate and this very check; whatever is missing, doubled, unknown or could not run is a
reason to refuse. A check of severity warning or info that *failed* is not. It is called twice: by
the run, and by the commit on nothing but the evidence that is on the disk.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dataops_mesh.spec.checks.check import Check, CheckResult, DeclaredCheck, Outcome
from dataops_mesh.spec.model import Address, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Key = tuple[Address, str]


@dataclass(frozen=True, slots=True)
class Publish:
    """The candidate may become what consumers read.

    Args:
        warnings: what failed without the power to refuse, one sentence each.
    """

    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Refuse:
    """The candidate stays invisible.

    Args:
        reasons: every reason, one sentence each; at least one.
        warnings: what failed without the power to refuse.
    """

    reasons: tuple[str, ...]
    warnings: tuple[str, ...] = ()


Decision = Publish | Refuse


def decide(
    candidate: str,
    ports: Iterable[Address],
    checks: Sequence[Check | DeclaredCheck],
    results: Sequence[CheckResult],
) -> Decision:
    """Decide whether a candidate is published.

    Args:
        candidate: the candidate's ref.
        ports: the ports that must have been checked; a port without any check refuses.
        checks: all checks that the declaration asks for.
        results: all results there are.

    >>> decide("a", [Address("d", "p")], [], [])
    Refuse(reasons=('d.p: no check is declared, and untested data is not published',), warnings=())
    """
    reasons: list[str] = []
    warnings: list[str] = []
    checked = {check.port for check in checks}
    reasons += [
        f"{port}: no check is declared, and untested data is not published"
        for port in ports
        if port not in checked
    ]
    by_key: dict[Key, list[CheckResult]] = defaultdict(list)
    for result in results:
        by_key[result.port, result.check].append(result)
    seen: set[Key] = set()
    for check in checks:
        key = (check.port, check.name)
        if key in seen:
            reasons.append(f"{_name(check)}: declared twice")
        seen.add(key)
        _judge(candidate, check, by_key.pop(key, []), reasons, warnings)
    reasons += [
        f"{port} {name}: a result for a check that nobody declared" for port, name in by_key
    ]
    if reasons:
        return Refuse(tuple(reasons), tuple(warnings))
    return Publish(tuple(warnings))


def _judge(
    candidate: str,
    check: Check | DeclaredCheck,
    results: list[CheckResult],
    reasons: list[str],
    warnings: list[str],
) -> None:
    """Add the reason or warning that this check's results give, if any."""
    if not results:
        reasons.append(f"{_name(check)}: there is no result, and a missing result is a refusal")
        return
    if len(results) > 1:
        reasons.append(f"{_name(check)}: {len(results)} results where one is expected")
        return
    (result,) = results
    if result.candidate != candidate:
        reasons.append(f"{_name(check)}: the result is for another candidate")
    elif result.fingerprint != check.fingerprint:
        reasons.append(f"{_name(check)}: the result is for another version of the check")
    elif _passed(check, result):
        return
    elif result.withheld is not check.withheld and result.outcome is not Outcome.ERRORED:
        says = "withheld" if check.withheld else "shown"
        reasons.append(f"{_name(check)}: its number must be {says}, and the result is otherwise")
    elif result.outcome is not Outcome.FAILED:
        why = result.reason.removeprefix(f"{check.name} could not run: ")
        reasons.append(f"{_name(check)}: could not run: {why or 'no reason given'}")
    elif check.severity in (Severity.WARNING, Severity.INFO):
        warnings.append(f"{_name(check)}: {result.reason}")
    else:
        reasons.append(f"{_name(check)}: {result.reason}")


def _passed(check: Check | DeclaredCheck, result: CheckResult) -> bool:
    """Tell whether a result says that it passed, and the number agrees.

    Only the declaration can say that a number is withheld; then the audit's word stands for it.
    """
    if result.outcome is not Outcome.PASSED:
        return False
    if check.withheld:
        return result.withheld and result.observed is None
    if result.withheld or result.observed is None:
        return False
    return check.threshold.holds(result.observed)


def _name(check: Check | DeclaredCheck) -> str:
    return f"{check.port} {check.name}"
