"""The nouns of a declaration, as frozen data. Nothing here reads a file or does anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from dataops_mesh.errors import Location, Problem
from dataops_mesh.spec.condition import Condition
from dataops_mesh.spec.dbt import DbtOptions
from dataops_mesh.spec.partition import Partitioning
from dataops_mesh.spec.people import Member, Support, Team
from dataops_mesh.spec.read.pact import Pact
from dataops_mesh.spec.read.yaml import Document
from dataops_mesh.spec.remote import PARTITION_KEY, Remote
from dataops_mesh.spec.rule import Metric, Rule, RuleKind, Scalar, Severity
from dataops_mesh.spec.terms import (
    Address,
    Column,
    ColumnOptions,
    Contract,
    Export,
    Relationship,
    Role,
    Sla,
)
from dataops_mesh.spec.threshold import ZERO, Operator, Threshold, Unit

__all__ = [
    "PARTITION_KEY",
    "ZERO",
    "Address",
    "Column",
    "ColumnOptions",
    "Condition",
    "Contract",
    "Domain",
    "Export",
    "InputPort",
    "Member",
    "Mesh",
    "Metric",
    "Operator",
    "OutputPort",
    "Product",
    "Relationship",
    "Remote",
    "Role",
    "Rule",
    "RuleKind",
    "Scalar",
    "Severity",
    "Sla",
    "Source",
    "SourceFormat",
    "Support",
    "Team",
    "Threshold",
    "Transform",
    "TransformKind",
    "Unit",
]


class SourceFormat(StrEnum):
    """How a source is read; `file` is opaque: only a Python transform can open it."""

    CSV = "csv"
    PARQUET = "parquet"
    JSON = "json"
    FILE = "file"


class Capture(StrEnum):
    """Whether the bytes of a source are kept with what was built from them, or only known."""

    KEEP = "keep"
    FINGERPRINT = "fingerprint"


Option = Scalar | tuple[Scalar, ...] | tuple[tuple[str, Scalar], ...]


@dataclass(frozen=True, slots=True)
class Source:
    """Data from outside the mesh: files, fingerprinted at every run.

    Args:
        path: a path or glob; relative to the product's folder, or to the package. `{partition}`
            stands for the key of the partition that is built. Of what is fetched, how people
            call it.
        package: an installed Python package that carries the file, or None.
        options: options of DuckDB's reader, as sorted pairs; a mapping (`types`) is a tuple of
            pairs, a list (`nullstr`) a tuple of texts.
        column: the column that says which partition a row is of; empty for that of the port.
        asset: the key of the Dagster asset that writes the files, `a/b`; empty if none does.
        remote: what is fetched before it is read; None of files that are here.
        capture: whether its bytes are kept; absent means up to the setting `capture`.
    """

    path: str
    format: SourceFormat
    where: Location
    package: str | None = None
    options: tuple[tuple[str, Option], ...] = ()
    column: str = ""
    asset: str = ""
    remote: Remote | None = None
    capture: Capture | None = None

    @property
    def is_cut(self) -> bool:
        """Tell whether each partition has files of its own."""
        return self.remote.is_cut if self.remote else PARTITION_KEY in self.path


@dataclass(frozen=True, slots=True)
class InputPort:
    """What a product reads: a published port of the mesh, or a source outside it.

    Exactly one of `address` and `source` is set. Transforms name a published port by its
    address (`fleet.aircraft`) and a source by the port's name (`aircraft_csv`). A source may
    have a contract, which says what its columns are and what must hold of them. With a `role` of
    its contract a published port is read unmasked.
    """

    name: str
    where: Location
    address: Address | None = None
    source: Source | None = None
    version: str | None = None
    contract_id: str | None = None
    expectations: tuple[Rule, ...] = ()
    contract: Contract | None = None
    role: str = ""

    @property
    def remote(self) -> Remote | None:
        """Return what is fetched before this port is read; None for a publication or a file."""
        return self.source.remote if self.source else None

    @property
    def resource(self) -> str:
        """Return the resource of dlt that is run for this port; empty for none."""
        return self.remote.resource if self.remote else ""

    @property
    def parameter(self) -> str:
        """Return the name by which a Python transform receives this port."""
        return self.name.replace(".", "_")


class TransformKind(StrEnum):
    """The three ways to build a product."""

    SQL = "sql"
    PYTHON = "python"
    DBT = "dbt"


@dataclass(frozen=True, slots=True)
class Transform:
    """How a product is built.

    Args:
        files: for SQL, one file per output port (`<port>.sql`); for Python, `transform.py`
            with a function `transform`; for dbt, the project's `dbt_project.yml`.
        ports: for SQL, the port that each file builds, in the order of `files`.
        select: for dbt, the node selection; empty means the whole project.
        dbt: for dbt, what else it is told.
    """

    kind: TransformKind
    files: tuple[Path, ...]
    ports: tuple[str, ...] = ()
    select: str = ""
    dbt: DbtOptions = field(default_factory=DbtOptions)


@dataclass(frozen=True, slots=True)
class OutputPort:
    """A relation that the product promises, at `<domain>.<port>`."""

    address: Address
    contract: Contract
    where: Location
    version: str
    description: str = ""
    deprecated: bool = False

    @property
    def name(self) -> str:
        """Return the port's name, unique in its domain."""
        return self.address.port


@dataclass(frozen=True, slots=True)
class Product:
    """A contract (per output port) plus a transform: the unit of ownership and publishing.

    Args:
        own: the input ports that read the product's own last publication (`self`): no edges of
            any graph, so they stand apart from `inputs`.
        automation: the setting of that name; empty where `automation_of` decides.
        events: the channels that are told of every publication.
        conditions: what its team wants to be told of.
        keep_publications: how many stay readable for a rollback; 0 means the workspace's number.
        network: the transform may open connections; without, it reaches no machine.
        takes: the names of the parameters that it is built with.
        parameters: their values, where there is a workspace to say them.
        pacts: what consumers expect and this product's gate has accepted to check.
        shared: folders of modules and macros for more than one product: its domain's, then the
            workspace's.
        document: the file as it was parsed, for policies; not part of what the product is.
    """

    domain: str
    name: str
    id: str
    version: str
    folder: Path
    where: Location
    fingerprint: str
    outputs: tuple[OutputPort, ...]
    transform: Transform
    inputs: tuple[InputPort, ...] = ()
    own: tuple[InputPort, ...] = ()
    status: str = "active"
    title: str = ""
    description: str = ""
    usage: str = ""
    limitations: str = ""
    team: Team | None = None
    support: tuple[Support, ...] = ()
    tags: tuple[str, ...] = ()
    automation: str = ""
    events: tuple[str, ...] = ()
    conditions: tuple[Condition, ...] = ()
    keep_publications: int = 0
    network: bool = False
    takes: tuple[str, ...] = ()
    parameters: tuple[tuple[str, str | int | float | bool], ...] = ()
    pacts: tuple[Pact, ...] = ()
    shared: tuple[Path, ...] = ()
    document: Document | None = field(default=None, compare=False, repr=False)

    @property
    def reads(self) -> tuple[InputPort, ...]:
        """Return everything that the transform may name: inputs, and its own last publication."""
        return (*self.inputs, *self.own)

    @property
    def partitioning(self) -> Partitioning | None:
        """Return how the product is cut; all its ports are cut alike."""
        return self.outputs[0].contract.partitioning if self.outputs else None

    @property
    def included(self) -> tuple[Path, ...]:
        """Return the files that its contracts include."""
        contracts = [*(port.contract for port in self.outputs), *(p.contract for p in self.inputs)]
        documents = [one.document for one in contracts if one and one.document]
        return tuple(dict.fromkeys(file for one in documents for file in one.included))

    @property
    def qualified_name(self) -> str:
        """Return `domain.product`, unique in the mesh."""
        return f"{self.domain}.{self.name}"


@dataclass(frozen=True, slots=True)
class Domain:
    """A team's bounded area: a folder, a code location, and the products it owns.

    Args:
        root: the domain's own workspace, where it is not that of the mesh.
        python: the interpreter that has what its transforms import, where it is a certain one.
    """

    name: str
    folder: Path
    products: tuple[Product, ...]
    root: Path | None = None
    python: Path | None = None


@dataclass(frozen=True, slots=True)
class Mesh:
    """All domains of a workspace.

    Args:
        broken: what is wrong with declarations that could not be read, by the product's name or,
            where it belongs to none, by the domain's; the products of `domains` are without them.
    """

    root: Path
    domains: tuple[Domain, ...] = field(default=())
    broken: Mapping[str, tuple[Problem, ...]] = field(default_factory=dict)

    @property
    def products(self) -> tuple[Product, ...]:
        """Return the products of all domains, in the order of the folders."""
        return tuple(product for domain in self.domains for product in domain.products)
