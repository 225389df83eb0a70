"""The table of judgements: what each kind of change means for those who read the port.

Consumers hold a promise. Whatever lets pass more than yesterday may surprise them (breaking);
whatever lets pass less, or says more, may not (additive). docs/changes.md shows this table.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

from dataops_mesh.errors import Location
from dataops_mesh.plan.change import Change, Compatibility
from dataops_mesh.spec.model import Address

BREAKING, ADDITIVE, PATCH = Compatibility
MOVED = "consumers and their queries name the address, and old ones may never come back"
LOST = "what is no longer published is gone when the old publications are collected"
SHOWN = "what people have seen cannot be made unseen"
GRAIN = "data joined or stored under the old key cannot be told apart or put together again"


@dataclass(frozen=True, slots=True)
class Judgement:
    """One row of the table.

    Args:
        title: the change, as people say it.
        compatibility: what it means for consumers.
        why: the reason, in a few words.
        one_way: why it cannot be taken back; empty when it can.
    """

    title: str
    compatibility: Compatibility
    why: str
    one_way: str = ""


def _rows() -> dict[str, Judgement]:
    rows: dict[str, tuple[str, Compatibility, str] | tuple[str, Compatibility, str, str]] = {
        "product_added": ("product added", ADDITIVE, "nobody read it before"),
        "port_added": ("port added", ADDITIVE, "nobody read it before"),
        "port_removed": ("port removed", BREAKING, "its readers have nothing to read", MOVED),
        "port_renamed": ("port renamed, the contract's id unchanged", BREAKING,
                         "consumers name the address, not the id", MOVED),
        "port_retired": ("port or product retired", BREAKING, "nobody may read it any more", MOVED),
        "port_withdrawn": ("status back to draft or proposed", BREAKING,
                           "the mesh no longer runs it"),
        "port_deprecated": ("deprecated", ADDITIVE, "readers are warned and lose nothing"),
        "port_activated": ("status to active", ADDITIVE, "more is promised"),
        "contract_id": ("contract id changed", BREAKING, "consumers may ask for it by id"),
        "version": ("version changed", PATCH, "says what other changes mean"),
        "version_back": ("version went back", BREAKING, "a version means one promise only"),
        "empty_allowed": ("`allowEmpty` set", BREAKING, "zero rows may now come"),
        "empty_forbidden": ("`allowEmpty` removed", ADDITIVE, "zero rows are now refused"),
        "partitions_changed": ("partitioning set, removed or cut otherwise", BREAKING,
                               "consumers may follow single partitions"),
        "partitions_fewer": ("partitions start later, end sooner or are fewer", BREAKING,
                             "old partitions are no longer published", LOST),
        "partitions_more": ("more partitions", ADDITIVE, "more is published"),
        "column_added": ("column added", ADDITIVE, "queries name the columns they want"),
        "column_removed": ("column removed", BREAKING, "queries that name it fail", LOST),
        "column_renamed": ("column renamed, its id unchanged", BREAKING,
                           "queries name columns, not ids"),
        "columns_reordered": ("columns in another order", PATCH, "the order is no promise"),
        "type_changed": ("logical type changed", BREAKING, "values mean something else"),
        "type_special": ("number to integer", ADDITIVE, "every integer is a number"),
        "type_wider": ("physical type or precision widened", BREAKING,
                       "values may not fit where consumers keep them"),
        "type_narrower": ("physical type or precision narrowed", BREAKING,
                          "arithmetic of consumers may overflow", LOST),
        "type_other": ("physical type otherwise changed", BREAKING, "typed readers fail"),
        "type_declared": ("physical type declared", ADDITIVE, "more is promised"),
        "type_undeclared": ("physical type no longer declared", BREAKING,
                            "it may change without a word"),
        "zone_changed": ("time zone option changed", BREAKING, "instants become other instants"),
        "optional": ("required to nullable", BREAKING, "nulls may now come"),
        "required": ("nullable to required", ADDITIVE, "nulls are now refused"),
        "not_unique": ("unique to not unique", BREAKING, "joins may multiply rows"),
        "unique": ("not unique to unique", ADDITIVE, "more is promised"),
        "key_changed": ("primary key changed or removed", BREAKING,
                        "a row is another thing", GRAIN),
        "key_added": ("primary key declared", ADDITIVE, "more is promised"),
        "key_reordered": ("primary key in another order", PATCH, "the same columns identify a row"),
        "enum_wider": ("enum value added, or the enum removed", BREAKING,
                       "values may come that no consumer knows"),
        "enum_narrower": ("enum value removed, or an enum declared", ADDITIVE,
                          "consumers know every value that is left"),
        "option_wider": ("range, length or pattern loosened, removed or otherwise changed",
                         BREAKING, "values may come that were refused"),
        "option_narrower": ("range, length or pattern tightened or declared", ADDITIVE,
                            "more is promised"),
        "classified_first": ("classification declared for the first time", ADDITIVE,
                             "queries work; nobody was told another class"),
        "classified_lower": ("classification lowered, or no longer declared", ADDITIVE,
                             "queries work; people see more", SHOWN),
        "classified_higher": ("classification raised, or `public` no longer declared", ADDITIVE,
                              "queries work; consumers must take more care"),
        "pii_removed": ("PII tag removed", ADDITIVE, "queries work; people see more", SHOWN),
        "pii_added": ("PII tag added", ADDITIVE, "queries work; consumers must take more care"),
        "masking_removed": ("masking removed or changed", BREAKING,
                            "values differ, and clear ones may show", SHOWN),
        "masking_added": ("masking added", BREAKING, "values differ from those stored"),
        "visibility_narrower": ("`visibility` leaves out who could read it", BREAKING,
                                "their next run is refused"),
        "visibility_wider": ("`visibility` names more, or is removed", ADDITIVE,
                             "queries work; more people may read it", SHOWN),
        "unmasked_wider": ("a role reads more unmasked, or has another member", ADDITIVE,
                           "queries work; more people see values as they are", SHOWN),
        "unmasked_narrower": ("a role reads less unmasked, or loses a member", PATCH,
                              "the port is as it was; who lost it is refused from now on"),
        "export_added": ("a server that gets a copy of the port", ADDITIVE,
                         "more is promised: a copy where consumers are"),
        "export_removed": ("a copy of the port elsewhere is no longer kept, or kept otherwise",
                           BREAKING, "who reads the copy has nothing to read there"),
        "rule_added": ("quality rule of severity error added", ADDITIVE, "more is promised"),
        "rule_removed": ("quality rule of severity error removed", BREAKING,
                         "data that was refused may come"),
        "rule_looser": ("threshold loosened", BREAKING, "data that was refused may come"),
        "rule_tighter": ("threshold tightened", ADDITIVE, "more is promised"),
        "rule_other": ("rule measures or compares otherwise", BREAKING,
                       "data that was refused may come"),
        "severity_lower": ("severity lowered from error", BREAKING, "failing data is published"),
        "severity_higher": ("severity raised to error", ADDITIVE, "failing data is refused"),
        "quarantine_more": ("rows that break a rule may be set aside, or more of them", BREAKING,
                            "rows that were there, or refused with all others, may be missing"),
        "quarantine_less": ("rows are no longer set aside, or fewer of them", ADDITIVE,
                            "more is promised"),
        "rule_note": ("a rule that never refuses added, changed or removed; a rule's wording",
                      PATCH, "it decides nothing"),
        "reference_removed": ("foreign key removed or changed", BREAKING,
                              "joins may find nothing"),
        "reference_added": ("foreign key added", ADDITIVE, "more is promised"),
        "sla_looser": ("service level loosened or removed", BREAKING, "less is promised"),
        "sla_tighter": ("service level tightened or added", ADDITIVE, "more is promised"),
        "sla_other": ("service level otherwise changed", BREAKING, "it cannot be compared"),
        "sla_note": ("service level's schedule, driver or availability date", PATCH,
                     "the promise stands"),
        "retention_cut": ("retention shortened or removed", BREAKING,
                          "history that was readable goes", LOST),
        "retention_longer": ("retention lengthened or declared", ADDITIVE, "more is promised"),
        "end_sooner": ("end of life or support sooner", BREAKING, "consumers planned for more"),
        "end_later": ("end of life or support announced, later or taken back", ADDITIVE,
                      "consumers have more time, or learn of it"),
        "setting_other": ("a setting that this table does not know", BREAKING,
                          "it cannot be judged"),
        "input_added": ("input port added", PATCH, "the promise stands"),
        "input_removed": ("input port removed", PATCH, "the promise stands"),
        "input_changed": ("input port or its expectations changed", PATCH, "the promise stands"),
        "pact": ("pact with a consumer made, changed or ended", PATCH, "the promise stands"),
        "transform": ("transform only", PATCH, "the promise stands"),
        "documentation": ("descriptions, tags, team, support and the like", PATCH,
                          "the promise stands"),
        "unknown": ("what is published cannot be read any more", BREAKING,
                    "it cannot be compared", "nobody can say what is lost"),
    }  # fmt: skip
    return {kind: Judgement(*row) for kind, row in rows.items()}


TABLE: dict[str, Judgement] = _rows()


def change(  # noqa: PLR0913 - each a fact of the change
    kind: str,
    what: str,
    where: Location,
    port: Address | None = None,
    columns: tuple[str, ...] = (),
    *,
    extent: object = None,
) -> Change:
    """Return a change as the table judges it.

    Args:
        kind: the row.
        what: one sentence.
        where: the line.
        port: the port it is about.
        columns: the columns that a consumer may have used.
        extent: plain values that say exactly what it is about, where the sentence does not.
    """
    row = TABLE[kind]
    exact = json.dumps(extent) if extent else ""
    return Change(kind, what, where, row.compatibility, row.one_way, port, columns, extent=exact)


def gone(  # noqa: PLR0913 - each a fact of the change
    kind: str,
    what: str,
    where: Location,
    port: Address | None = None,
    columns: tuple[str, ...] = (),
    *,
    extent: object = None,
) -> Change:
    """Return a change of what is there no more: its line is that of the file before."""
    return replace(change(kind, what, where, port, columns, extent=extent), former=True)
