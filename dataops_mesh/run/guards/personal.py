"""Values that look like personal data, in columns whose contract does not say that they are.

Of each column the values with the smallest hashes are looked at, and none that is empty: the same
candidate gets the same answer, and few values among many nulls are seen. Presidio looks where the
patterns see nothing, if a setting says so. What is found refuses or warns as the policy
`personal_data` says.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from dataops_mesh.engine import sql
from dataops_mesh.gate import Decision, Publish, Refuse
from dataops_mesh.policy.evaluate import in_force
from dataops_mesh.policy.load import load_policies, load_waivers
from dataops_mesh.policy.personal import CURE, PERSONAL
from dataops_mesh.policy.rules import Policies
from dataops_mesh.quality.persons import person_number
from dataops_mesh.quality.presidio import Finder, finder
from dataops_mesh.quality.redact import CARD, CARD_LENGTHS, looks_like
from dataops_mesh.run.attempt import Attempt
from dataops_mesh.spec.classes import says_personal
from dataops_mesh.spec.model import OutputPort, Severity
from dataops_mesh.store.described import PersonalFound

if TYPE_CHECKING:
    import duckdb

SAMPLE = 500  # values
LONGEST = 200  # characters of one of a column
_SHARE, _LEAST = 0.1, 3  # of the values, and how many; of fewer, all


def find_personal(
    attempt: Attempt, connection: duckdb.DuckDBPyConnection
) -> tuple[PersonalFound, ...]:
    """Return the columns of a candidate that hold personal data and do not say so.

    Args:
        attempt: what was built.
        connection: has the ports as views.

    Raises:
        SettingsError: Presidio shall look and cannot.
    """
    if _severity(_policies(attempt)) is None:
        return ()
    file = attempt.environment.settings.presidio_file
    further = finder(file) if file else None
    found: list[PersonalFound] = []
    for port in attempt.product.outputs:
        found += _of_port(connection, port, further)
    return tuple(found)


def with_personal(attempt: Attempt, decision: Decision, others: Sequence[str] = ()) -> Decision:
    """Return a decision with what the policy makes of personal data that nobody declared.

    Args:
        attempt: what was built and looked at.
        decision: on its checks.
        others: more reasons to refuse it.
    """
    said: tuple[str, ...] = ()
    refuses = False
    if attempt.personal:
        policies = _policies(attempt)
        refuses = _severity(policies) is Severity.ERROR
        if not _is_waived(attempt, policies):
            said = tuple(f"{one} (policy {PERSONAL}): {CURE}" for one in attempt.personal)
    reasons = decision.reasons if isinstance(decision, Refuse) else ()
    reasons = (*reasons, *others, *(said if refuses else ()))
    warnings = (*decision.warnings, *(() if refuses else said))
    return Refuse(reasons, warnings) if reasons else Publish(warnings)


def _of_port(
    connection: duckdb.DuckDBPyConnection, port: OutputPort, further: Finder | None
) -> Iterator[PersonalFound]:
    asked = {column.name for column in port.contract.columns if not says_personal(column)}
    view = f"{sql.identifier(port.address.domain)}.{sql.identifier(port.name)}"
    told = connection.execute(f"DESCRIBE {view}").fetchall()
    there = {str(row[0]): str(row[1]) for row in told}  # without what the schema's check misses
    names = [name for name, kind in there.items() if kind == "VARCHAR" and name in asked]
    key = [name for name in port.contract.key if name in there]
    for name in names:
        column = sql.identifier(name)
        # Rows that are told apart by their key alone are drawn as often as they are there.
        row = ", ".join(map(sql.identifier, dict.fromkeys((name, *key))))
        query = (
            f"SELECT left({column}, {LONGEST}) FROM {view} WHERE trim({column}) <> '' "
            f"ORDER BY hash({row}) LIMIT {SAMPLE}"
        )
        values = [str(value) for (value,) in connection.execute(query).fetchall()]
        kind, matched = person_number(values)
        kind, matched = (kind, matched) if matched else _by_pattern(values)
        if not matched and further and values:
            kind, matched = _by_presidio(further, values)
        if matched:
            yield PersonalFound(port.address, name, kind, matched, len(values))


def _by_pattern(values: Sequence[str]) -> tuple[str, int]:
    kinds = Counter(kind for value in values if (kind := looks_like(value)))
    kind, matched = _most(kinds, values)
    if kind == CARD and 2 * matched < sum(map(_is_long, values)):
        return "", 0  # one of ten long numbers keeps Luhn's rule by chance
    return kind, matched


def _by_presidio(further: Finder, values: Sequence[str]) -> tuple[str, int]:
    kind, matched = _most(further(values), values)
    return f"{kind} (Presidio)", matched


def _most(kinds: Counter[str], values: Sequence[str]) -> tuple[str, int]:
    """Return the kind that most values are of, and how many, where these are enough."""
    for kind, matched in kinds.most_common(1):
        if matched >= max(_SHARE * len(values), min(_LEAST, len(values))):
            return kind, matched
    return "", 0


def _is_long(value: str) -> bool:
    return sum(letter.isdigit() for letter in value) >= CARD_LENGTHS[0]


def _policies(attempt: Attempt) -> Policies:
    settings = attempt.environment.settings
    return load_policies(settings.policies_file, settings.root)


def _severity(policies: Policies) -> Severity | None:
    """Return how grave it is here; None where the policy is off."""
    return next((rule.severity for rule in policies.rules if rule.id == PERSONAL), None)


def _is_waived(attempt: Attempt, policies: Policies) -> bool:
    settings, product = attempt.environment.settings, attempt.product
    today = settings.clock().date()
    waivers = load_waivers(settings.root, (product,))
    since = max(today, datetime.now(UTC).date())  # a replay reads waivers that were made after it
    return any(
        (one.rule, one.product) == (PERSONAL, product.qualified_name)
        for one in in_force(waivers, policies, today, since)
    )
