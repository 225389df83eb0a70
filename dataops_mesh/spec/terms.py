"""The terms of a contract, as frozen data: columns, service levels, foreign keys, roles."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from dataops_mesh.errors import Location
from dataops_mesh.spec.mask import Mask
from dataops_mesh.spec.partition import Partitioning
from dataops_mesh.spec.read.yaml import Document
from dataops_mesh.spec.rule import Rule, Scalar, Severity, Unexecuted
from dataops_mesh.spec.threshold import ZERO, Number, Threshold
from dataops_mesh.spec.types.shape import Shape


class Address(NamedTuple):
    """What consumers say in SQL: `<domain>.<port>`."""

    domain: str
    port: str

    def __str__(self) -> str:
        """Return `domain.port`."""
        return f"{self.domain}.{self.port}"

    @classmethod
    def parse(cls, text: str) -> Address:
        """Split `domain.port`.

        >>> Address.parse("fleet.aircraft")
        Address(domain='fleet', port='aircraft')
        """
        domain, _, port = text.partition(".")
        return cls(domain, port)


@dataclass(frozen=True, slots=True)
class ColumnOptions:
    """ODCS `logicalTypeOptions` that are checked; an option not listed here is a load error.

    Args:
        digits: how many digits of a second there may be, as `timestamp(3)` says it.
    """

    min_length: int | None = None
    max_length: int | None = None
    pattern: str | None = None
    minimum: Scalar = None
    maximum: Scalar = None
    exclusive_minimum: Scalar = None
    exclusive_maximum: Scalar = None
    timezone: bool | None = None
    format: str | None = None
    multiple_of: Number | None = None
    min_items: int | None = None
    max_items: int | None = None
    unique_items: bool = False
    digits: int | None = None


@dataclass(frozen=True, slots=True)
class Inside:
    """One demand on what is inside a nested column.

    Args:
        name: of the check.
        broken: the condition of a row that breaks it, in SQL.
        told: what is demanded of which part, for people.
    """

    name: str
    broken: str
    told: str
    where: Location = field(compare=False)


@dataclass(frozen=True, slots=True)
class Column:
    """One property of the contract's schema object.

    Args:
        id: ODCS `id`, which stays when the column is renamed.
        masking: all that the declaration says of masks, whoever applies them.
        mask: the one that is applied before anything is published.
        impersonal: somebody has said, with a reason, that it is not about people.
        transform_sources: ODCS `transformSourceObjects`, what the column is made of.
        shape: of an object, array, map or vector: its type, all the way down.
        physical_name: of a source, the column's name there, if it has another one here.
        date_format: of a source, how dates and times are written there; empty for ISO 8601.
        quarantine: how many rows of which it breaks a constraint may be set aside.
        inside: of a nested column, what is demanded of its parts.
        unexecuted: what else is said of them, which nobody executes here.
    """

    name: str
    logical_type: str
    where: Location
    physical_type: str | None = None
    description: str = ""
    required: bool = False
    unique: bool = False
    key_position: int | None = None
    partition_position: int | None = None
    classification: str | None = None
    critical: bool = False
    options: ColumnOptions = ColumnOptions()
    enum: tuple[Scalar, ...] = ()
    tags: tuple[str, ...] = ()
    rules: tuple[Rule, ...] = ()
    id: str = ""
    masking: str = ""
    mask: Mask | None = None
    impersonal: bool = False
    transform_sources: tuple[str, ...] = ()
    shape: Shape | None = None
    physical_name: str = ""
    date_format: str = ""
    quarantine: Threshold | None = None
    inside: tuple[Inside, ...] = ()
    unexecuted: tuple[Unexecuted, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class Sla:
    """One entry of the contract's `slaProperties`.

    Args:
        element: the column that says when a row's event was.
        until: of a latency between two columns, the one that says when it was known.
    """

    property: str
    value: Scalar
    where: Location
    unit: str | None = None
    element: str | None = None
    until: str | None = None
    driver: str | None = None
    scheduler: str | None = None
    schedule: str | None = None


@dataclass(frozen=True, slots=True)
class Relationship:
    """A foreign key (ODCS `relationships`): every key of these columns exists in another port.

    Args:
        name: an identifier, unique in its contract; becomes the check's name.
        columns: the key's columns here; a key with a null refers to nothing.
        relation: the referenced relation as it is written, `port` or `domain.port`.
        to: the referenced columns, in the order of `columns`.
        key: where it stands in the file, for problems.
        address: the referenced port; None until the product has resolved it.
    """

    name: str
    columns: tuple[str, ...]
    relation: str
    to: tuple[str, ...]
    where: Location
    key: str = ""
    address: Address | None = None
    threshold: Threshold = ZERO
    severity: Severity = Severity.ERROR


@dataclass(frozen=True, slots=True)
class Role:
    """A role that grants access (ODCS `roles`).

    Args:
        unmasked: the masked columns that it reads as they are.
        members: the products (`domain.product`, or `domain.*`) and people who have it.
        approvers: who may grant it, as the contract says.
    """

    role: str
    access: str
    unmasked: tuple[str, ...] = ()
    members: tuple[str, ...] = ()
    approvers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Export:
    """Where a copy of the published port is kept (ODCS `servers`, with our setting `export`).

    Args:
        server: its name in the contract.
        connection: of PostgreSQL, the name of the connection; empty for a folder.
        schema: of PostgreSQL, in which schema the view is.
        folder: relative to the workspace; empty for PostgreSQL.
        format: of a folder, `parquet` or `csv`.
    """

    server: str
    where: Location
    connection: str = ""
    schema: str = ""
    folder: str = ""
    format: str = ""

    @property
    def target(self) -> str:
        """Return what switches as one: all of a product in one database, or in one folder.

        >>> Export("dwh", Location("a", 1), connection="warehouse", schema="public").target
        'connection warehouse'
        """
        return f"connection {self.connection}" if self.connection else f"folder {self.folder}"


@dataclass(frozen=True, slots=True)
class Contract:
    """The schema, quality rules and SLAs that an output port promises, or a source (ODCS).

    Args:
        fingerprint: a digest of the whole document, so that any edit is a new contract.
        allow_empty: zero rows may be published; off unless the contract says so.
        partitioning: how the port is cut; None for a port that is published whole.
        approvers: who may approve a change that cannot be taken back.
        roles: who may read it, as the contract says; those that read unmasked are enforced.
        visibility: the domains and products whose products may read it; empty means all.
        timezone: whose days its partitions are, and its crons.
        closed: of a source, that a column more than these is an error.
        unexecuted: what else it says that nobody executes here.
        system: the other system that it is written for, by its servers; empty of ours.
        exports: where copies of the published port are kept.
        document: the file as it was parsed, for policies; not part of what the contract is.
    """

    id: str
    version: str
    where: Location
    fingerprint: str
    columns: tuple[Column, ...]
    rules: tuple[Rule, ...] = ()
    slas: tuple[Sla, ...] = ()
    status: str = "active"
    description: str = ""
    allow_empty: bool = False
    relationships: tuple[Relationship, ...] = ()
    partitioning: Partitioning | None = None
    approvers: tuple[str, ...] = ()
    roles: tuple[Role, ...] = ()
    visibility: tuple[str, ...] = ()
    closed: bool = False
    timezone: str = "UTC"
    unexecuted: tuple[Unexecuted, ...] = ()
    system: str = ""
    exports: tuple[Export, ...] = ()
    document: Document | None = field(default=None, compare=False, repr=False)

    @property
    def key(self) -> tuple[str, ...]:
        """Return the primary key's columns in key order."""
        keyed = [column for column in self.columns if column.key_position is not None]
        return tuple(c.name for c in sorted(keyed, key=lambda c: c.key_position or 0))
