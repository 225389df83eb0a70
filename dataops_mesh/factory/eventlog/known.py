"""What the event log relies on inside Dagster, and whether this Dagster has it."""

import functools
import inspect
from collections.abc import Callable, Mapping

import dagster as dg
from dagster._core.events import (
    ASSET_CHECK_EVENTS,
    ASSET_EVENTS,
    EVENT_TYPE_TO_PIPELINE_RUN_STATUS,
)
from dagster._core.storage.event_log.sqlite.sqlite_event_log import (
    SqliteEventLogStorage,
    SqliteEventLogStorageWatchdog,
)

SINCE, BEFORE = (1, 13, 27), (1, 14)
PARAMETERS: Mapping[str, tuple[str, ...]] = {
    "__init__": ("self", "base_dir", "inst_data"),
    "_connect": ("self", "shard"),
    "_event_to_row": ("self", "event"),
    "_has_asset_key_col_on_connection": ("self", "conn", "column_name"),
    "_initdb": ("self", "engine", "for_index_shard"),
    "_store_asset_event": ("self", "conn", "event", "event_id"),
    "_store_asset_event_tags": ("self", "conn", "events", "event_ids"),
    "dispose": ("self",),
    "end_watch": ("self", "run_id", "handler"),
    "fetch_materializations": ("self", "records_filter", "limit", "cursor", "ascending"),
    "has_table": ("self", "table_name"),
    "index_connection": ("self",),
    "path_for_shard": ("self", "run_id"),
    "run_connection": ("self", "run_id"),
    "store_asset_check_event": ("self", "event", "event_id"),
    "store_event": ("self", "event"),
    "store_event_batch": ("self", "events"),
    "watch": ("self", "run_id", "cursor", "callback"),
    "wipe": ("self",),
}
# The names in the bodies of what is written anew here: another name is another behaviour, for
# example one more kind of event that belongs into the index.
NAMES: Mapping[str, frozenset[str]] = {
    "_connect": frozenset({
        "SQLITE_BUSY_TIMEOUT_SECONDS", "NullPool", "_db_lock", "_initdb", "_initialized_dbs",
        "add", "begin", "check", "conn_string_for_shard", "connect", "create_engine", "dispose",
        "str_param",
    }),
    "store_event": frozenset({
        "ASSET_CHECK_EVENTS", "ASSET_EVENTS", "DagsterInvariantViolationError",
        "EVENT_TYPE_TO_PIPELINE_RUN_STATUS", "EventLogEntry", "_store_asset_event",
        "_store_asset_event_tags", "check", "dagster_event_type", "db_result", "execute",
        "index_connection", "index_transaction", "inserted_primary_key", "inst_param",
        "is_dagster_event", "prepare_insert_event", "run_connection", "run_id",
        "store_asset_check_event",
    }),
    "watch": frozenset({
        "Observer", "SqliteEventLogStorageWatchdog", "_base_dir", "_obs", "_watchers", "schedule",
        "start",
    }),
}  # fmt: skip


@functools.cache
def unknown() -> str:
    """Return why this Dagster's event log is not the one that we know; empty if it is."""
    if not SINCE <= _numbers(dg.__version__) < BEFORE:
        return f"it is known of {_dotted(SINCE)} to below {_dotted(BEFORE)}, not {dg.__version__}"
    for name, parameters in PARAMETERS.items():
        member = getattr(SqliteEventLogStorage, name, None)
        if member is None or tuple(inspect.signature(member).parameters) != parameters:
            return f"SqliteEventLogStorage.{name} takes other parameters"
    for name, names in NAMES.items():
        if _names(getattr(SqliteEventLogStorage, name)) != names:
            return f"SqliteEventLogStorage.{name} does something else"
    if not hasattr(SqliteEventLogStorageWatchdog, "_process_log"):
        return "SqliteEventLogStorageWatchdog has no _process_log"
    kinds = [ASSET_EVENTS, ASSET_CHECK_EVENTS, set(EVENT_TYPE_TO_PIPELINE_RUN_STATUS)]
    if len(set().union(*kinds)) != sum(map(len, kinds)):
        return "a kind of event is of two groups"
    return ""


def _names(member: Callable[..., object]) -> frozenset[str]:
    return frozenset(inspect.unwrap(member).__code__.co_names)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:3] if part.isdigit())


def _dotted(numbers: tuple[int, ...]) -> str:
    return ".".join(map(str, numbers))
