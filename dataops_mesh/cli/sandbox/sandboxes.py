"""`mesh sandbox`: what its commands do."""

from __future__ import annotations

from datetime import UTC, datetime

from dataops_mesh.cli.keeping import size_of
from dataops_mesh.cli.output import Format, say, show
from dataops_mesh.run.environment import Environment, open_environment
from dataops_mesh.run.inputs.parameters import require_set
from dataops_mesh.sandbox.asked import asked_by, lease_until, opened_from
from dataops_mesh.sandbox.compare import Compared, State, compared
from dataops_mesh.sandbox.known import Sandbox, all_sandboxes, base_name, shown_base
from dataops_mesh.sandbox.subset import subset_of
from dataops_mesh.settings import load_settings
from dataops_mesh.store.line.known import find
from dataops_mesh.store.line.opening import close, open_sandbox, renew
from dataops_mesh.store.line.refresh import Piece, base_of, refresh
from dataops_mesh.store.store import Store

LISTED = (
    *("sandbox", "owner", "from", "opened", "lease", "built", "size"),
    *("last_build", "last_read", "note"),
)
DIFFERS = ("port", "state", "partitions", "rows_here", "rows_there")
_FEW = 3


def open_one(  # noqa: PLR0913 - what the command takes
    name: str, origin: str, lease: str, reason: str, *, subset: str, parameters: str
) -> None:
    """Open a sandbox and say how to work in it."""
    environment = _production()
    until = lease_until(lease, datetime.now(UTC))
    store, number = opened_from(environment.store, origin)
    few = subset_of(Environment(store, environment.settings), subset)
    asked = asked_by(environment, reason)
    values = require_set(environment.settings, parameters)
    line, first = open_sandbox(store, name, asked, until, number, few, values)
    say(f"{line.sandbox} shows {shown_base(first)}, until {_time(until)}")
    if few is not None:
        say("and all that these rows refer to; what is built from them is not promoted")
    if parameters:
        say("what these make otherwise than production's is not promoted")
    say(f"to work in it: mesh sandbox run {name}, or export DATAOPS_MESH_SANDBOX={name}")


def list_sandboxes(output: Format) -> None:
    """List what is open, and warn of what ends."""
    found = all_sandboxes(_production())
    now = datetime.now(UTC)
    show([_listed(one, now) for one in found], output, columns=LISTED, empty="no sandbox is open")


def show_differences(name: str, output: Format) -> None:
    """Show what a sandbox shows otherwise than the line that it was opened from."""
    store = find(_production().store, name)
    rows = [_differs(one) for one in compared(store)]
    show(rows, output, columns=DIFFERS, empty=f"{name} shows what it was opened from")


def refresh_one(name: str, to: int | None, output: Format) -> None:
    """Bring a sandbox up to its base as it is now, and say what that did."""
    environment = _production()
    found = refresh(find(environment.store, name), asked_by(environment), to)
    rows = [
        *({"port": str(a), "partition": key, "what": "taken"} for a, key in found.taken),
        *(_diverged(piece) for piece in found.diverged),
        *({"port": str(a), "partition": key, "what": "erased"} for a, key in found.erased),
    ]
    columns = ("port", "partition", "what", "next")
    shown = [c for c in columns if c == "port" or any(row.get(c) for row in rows)]
    show(rows, output, columns=shown, empty="nothing has changed there")
    base = base_of(found.release)
    say(f"{name} is on {base_name(base.line, base.number)} now")


def renew_one(name: str, lease: str) -> None:
    """Keep a sandbox for longer."""
    environment = _production()
    until = lease_until(lease, datetime.now(UTC))
    renew(find(environment.store, name), asked_by(environment), until)
    say(f"{name} stays until {_time(until)}")


def close_one(name: str, reason: str) -> None:
    """Take a sandbox down."""
    environment = _production()
    close(find(environment.store, name), asked_by(environment, reason))
    say(f"{name} is closed; mesh store gc --yes deletes what was built in it")


def stale_lines(store: Store) -> list[str]:
    """Return what somebody should know who looks at a sandbox: what it shows is not the newest."""
    found = compared(store)
    said = []
    for state, words in (
        (State.WITHDRAWN, "was withdrawn there since, and is stale here"),
        (State.DIVERGED, "was built here, and has changed there too"),
    ):
        said += [f"{one.address} {words}" for one in found if one.state is state]
    behind = sum(one.state is State.BEHIND for one in found)
    if behind:
        then = f"mesh sandbox refresh {store.sandbox}"
        said.append(f"{behind} ports have changed there since: {then}")
    return said


def _production() -> Environment:
    return open_environment(load_settings(sandbox=""))


def _listed(one: Sandbox, now: datetime) -> dict[str, object]:
    note = "ends with the next mesh store gc" if one.is_over(now) else ""
    if one.ends_soon(now):
        note = f"ends soon: mesh sandbox renew {one.name}"
    return {
        "sandbox": one.name,
        "owner": one.person,
        "from": one.base,
        "opened": one.opened,
        "lease": one.lease,
        "built": one.built.candidates,
        "size": size_of(one.built.bytes),
        "bytes": one.built.bytes,
        "seconds": one.built.seconds,
        "last_build": one.built.last,
        "last_read": one.read,
        "release": one.release,
        "reason": one.reason,
        "note": note,
    }


def _differs(one: Compared) -> dict[str, object]:
    few = ", ".join(one.partitions[:_FEW])
    more = f" and {len(one.partitions) - _FEW} more" if len(one.partitions) > _FEW else ""
    return {
        "port": str(one.address),
        "state": one.state.value,
        "partitions": few + more,
        "rows_here": one.here.rows if one.here else None,
        "rows_there": one.there.rows if one.there else None,
    }


def _diverged(piece: Piece) -> dict[str, str]:
    address, key = piece
    what = "diverged: it stays as it was built here"
    return {"port": str(address), "partition": key, "what": what, "next": "run it here again"}


def _time(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
