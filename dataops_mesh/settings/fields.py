"""The settings of a workspace, each with what it means."""

from __future__ import annotations

import os
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    PrivateAttr,
    ValidationInfo,
    field_validator,
)
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from dataops_mesh.cron import LENGTHS, cron_problem, length_of

PREFIX = "DATAOPS_MESH_"
TABLE = ("tool", "dataops_mesh")


class CodeLocation(BaseModel):
    """Where a domain lives that has a repository or an environment of its own.

    Args:
        folder: the domain's folder in its own workspace; absent for a domain of this one.
        python: the interpreter that runs it; absent for ours. Relative paths start at the root.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    folder: Path | None = None
    python: Path | None = None


class Settings(BaseSettings):
    """What differs between a laptop and production.

    Args:
        root: the workspace: the folder whose pyproject.toml has `[tool.dataops_mesh]`.
        domains: the folder of domains, relative to the root.
        locations: domains with a repository or an environment of their own, by name.
        policies: the file of policies, relative to the root; it need not exist.
        repository: the name of this repository, under which it owns domains and registers them;
            empty means the address of git's remote, or else the folder. An image carries it.
        ownership: whether the first publication of a domain that nobody owns makes the repository
            its owner (`open`), or a person must say so (`assigned`, for production).
        store: where data and the release log live.
        dagster_home: Dagster's instance folder, unless DAGSTER_HOME is set.
        ledger: a SQLAlchemy URL; empty means a SQLite file inside the store.
        now: the replay clock, with a time zone; absent means the real time.
        log: a file that gets a line of JSON for each thing that comes on record, or `-` for
            standard error; empty for no log (docs/logs.md).
        openlineage: the namespace under which runs and ports are told to OpenLineage; empty for
            not at all (docs/logs.md).
        memory_limit: what DuckDB may use before it spills to disk, for example `2GB`.
        threads: DuckDB's threads; 0 means one per core.
        time_limit: seconds after which a SQL rule is interrupted.
        transform_limit: seconds after which a transform is ended; 0 for never.
        isolation: `required` runs no domain code where the kernel cannot confine it, as in
            production; `available` confines it as far as the machine can.
        samples: a failed check shows up to five offending rows, in columns classified public
            or internal; `false` shows none anywhere.
        person: who is on record for a run; empty means the operating system's user.
        automation: sensors and schedules start running, as in production; off on a laptop.
        tick: seconds between two looks of a sensor.
        monitor: when published data is tested again, as cron in UTC.
        verify: when every published file is compared with its checksum, as cron in UTC.
        keep_publications: how many publications of a product stay readable for a rollback,
            unless the product says another number.
        grace: seconds for which a superseded release stays whole, for readers that cannot pin
            it, and for which a refused candidate stays to be looked at.
        capture: up to which size the bytes of a source are kept with what was built from them, for
            example `500MB`; `0` for no source that does not say `capture: keep` (docs/captures.md).
        retries: how often a step is tried again after a fault of the machinery.
        ui_url: where people reach the Dagster UI, for the links in alerts.
        python: the interpreter of domain code; absent for ours. Relative to the root. Whoever may
            install into it is trusted like whoever may install here (docs/security.md).
        gate: the socket of a warm gate process (docs/production.md); absent means that each
            process starts one of its own.
        secrets: a folder with a file for each secret of the masks; absent means the variables
            MESH_SECRET_<NAME>. Only the gate needs them.
        connections: a folder with a file for each connection, which holds its URL; absent means the
            variables MESH_CONNECTION_<NAME>. Only the gate needs them (docs/sources.md).
        restricted: the folder of the clear values that roles of contracts read; it has rights of
            its own, none of them for everybody. `{store}` in it is the path of the store. Absent
            means that no role reads unmasked.
        presidio: a file that configures Presidio's analyzer, which looks for personal data too then
            (docs/policies.md); absent for not at all.
        alerts_file: a TOML file with the targets of the alert channels; they are secrets.
        remind: after how long an alert is told again, and again, while the trouble lasts, for
            example `4h`; empty for never.
        escalate_after: how long a trouble has lasted when `escalate` is told of it too, for
            example `1d`.
        escalate: the names of channels in the alerts file that are told of what lasts.
        event_channels: the names of channels that take events, so that `mesh check` knows them
            where the alerts file is not.
        parameters: sets of values that products are built with, by name; `default` is that of
            production, and of what another set does not say.
        sandbox: the name of the sandbox to work in; empty for production (docs/sandboxes.md).
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True)

    root: Path
    domains: str = "domains"
    locations: dict[str, CodeLocation] = Field(default_factory=dict)
    policies: str = "policies.yaml"
    repository: str = ""
    ownership: Literal["open", "assigned"] = "open"
    store: Path = Path(".mesh/store")
    dagster_home: Path = Path(".mesh/dagster")
    ledger: str = ""
    log: str = ""
    openlineage: str = ""
    now: AwareDatetime | None = None
    memory_limit: str = Field(default="2GB", pattern=r"^\d+(\.\d+)?\s?([KMGT]i?)?B$")
    threads: int = Field(default=0, ge=0)
    time_limit: float = Field(default=600.0, gt=0)
    transform_limit: float = Field(default=21_600.0, ge=0)
    isolation: Literal["available", "required"] = "available"
    samples: bool = True
    person: str = ""
    automation: bool = False
    tick: int = Field(default=30, ge=1)
    monitor: str = "17 * * * *"
    verify: str = "43 3 * * *"
    keep_publications: int = Field(default=10, ge=1)
    grace: float = Field(default=604_800.0, ge=0)
    capture: str = Field(default="1GB", pattern=r"^(0|\d+(\.\d+)?\s?([kKMGT]i?)?B)$")
    retries: int = Field(default=2, ge=0, le=10)
    ui_url: str = ""
    python: Path | None = None
    gate: Path | None = None
    secrets: Path | None = None
    connections: Path | None = None
    restricted: Path | None = None
    presidio: Path | None = None
    alerts_file: Path | None = None
    remind: str = ""
    escalate_after: str = ""
    escalate: tuple[str, ...] = ()
    event_channels: tuple[str, ...] = ()
    parameters: dict[str, dict[str, bool | int | float | str]] = Field(default_factory=dict)
    sandbox: str = ""
    _kept: tuple[Path, ...] = PrivateAttr(default=())  # what was hidden where this is a try of

    @field_validator("monitor", "verify")
    @classmethod
    def _is_cron(cls, value: str) -> str:
        if wrong := cron_problem(value):
            what = f'"{value}" is not cron: {wrong}'
            raise ValueError(what)
        return value

    @field_validator("remind", "escalate_after")
    @classmethod
    def _is_length(cls, value: str) -> str:
        if value and not length_of(value):
            what = f'"{value}" is no length of time: {", ".join(LENGTHS)}'
            raise ValueError(what)
        return value

    @field_validator("escalate")
    @classmethod
    def _says_when(cls, value: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        if value and info.data.get("escalate_after") == "":
            what = "`escalate` needs `escalate_after`, for example 1d"
            raise ValueError(what)
        return value

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read arguments first, then the environment, then the root's pyproject.toml."""
        del dotenv_settings, file_secret_settings
        root = Path(init_settings()["root"])
        file = root / "pyproject.toml"
        toml = read_toml(file) if file.is_file() else {}
        for name in TABLE:
            toml = toml.get(name, {})
        return init_settings, env_settings, InitSettingsSource(settings_cls, toml)

    @property
    def domains_folder(self) -> Path:
        """Return the folder of domains."""
        return self.root / self.domains

    @property
    def gate_socket(self) -> Path | None:
        """Return the socket of the warm gate process, if the settings name one."""
        return self.root / self.gate if self.gate else None

    @property
    def policies_file(self) -> Path:
        """Return the file of policies."""
        return self.root / self.policies

    @property
    def store_folder(self) -> Path:
        """Return the store's folder; a relative setting starts at the root."""
        return self.root / self.store

    @property
    def dagster_folder(self) -> Path:
        """Return Dagster's instance folder; DAGSTER_HOME wins. A sandbox has one of its own."""
        sandboxes = self.store_folder / "sandboxes"
        if self.sandbox:
            return sandboxes / self.sandbox / "dagster"
        home = os.environ.get("DAGSTER_HOME", "")  # a process that was in a sandbox has left it
        inside = Path(home).absolute().is_relative_to(sandboxes.absolute())
        return Path(home) if home and not inside else self.root / self.dagster_home

    @property
    def capture_bytes(self) -> int:
        """Return up to how many bytes of a source are kept."""
        return size_of(self.capture)

    @property
    def secret_paths(self) -> tuple[Path, ...]:
        """Return the files and folders that hold secrets, so that no product may read them."""
        kept = (self.secrets, self.connections, self.restricted_folder, self.alerts_file)
        return (*(self.root / one for one in kept if one), *self._kept)

    @property
    def hidden_paths(self) -> tuple[Path, ...]:
        """Return what no domain code may see, wherever it lies: secrets, the store, Dagster's."""
        beside = self.store_folder.parent
        around = (beside,) if beside.name == ".mesh" else ()
        return (self.store_folder, self.dagster_folder, *around, *self.secret_paths)

    def trying(self, store: Path) -> Settings:
        """Return the settings with a store of its own for a try; what is hidden here stays so."""
        clear = self.restricted and Path("{store}-restricted")  # of that store, as all else
        own = {"store": store, "ledger": "", "gate": None, "restricted": clear}
        tried = self.model_copy(update=own)
        tried._kept = self.hidden_paths  # noqa: SLF001 - a copy of ours
        return tried

    @property
    def restricted_folder(self) -> Path | None:
        """Return the folder of the clear values that roles read, if there is one."""
        if self.restricted is None:
            return None
        named = str(self.restricted).replace("{store}", str(self.store_folder))
        return (self.root / named).absolute()

    @property
    def presidio_file(self) -> Path | None:
        """Return the configuration of Presidio, if it shall look for personal data."""
        return self.root / self.presidio if self.presidio else None

    def clock(self) -> datetime:
        """Return the replay clock's time, or the real one."""
        return self.now or datetime.now(UTC)


def size_of(text: str) -> int:
    """Return how many bytes a size is.

    >>> size_of("1.5GB"), size_of("2 KiB"), size_of("0")
    (1500000000, 2048, 0)
    """
    number, unit = text.rstrip("Bi").strip(), text.removesuffix("B")
    power = max(" KMGT".find(number[-1:].upper()), 0)
    step = 1024 if unit.endswith("i") else 1000
    return int(float(number.rstrip("kKMGT")) * step**power)


def read_toml(file: Path) -> dict[str, Any]:
    """Read a file of TOML; editors may mark its start."""
    return tomllib.loads(file.read_text("utf-8-sig"))
