"""One request, in a process of its own: read the declarations from the disk, run, answer."""

from __future__ import annotations

import hmac
import json
import logging
import os
import pwd
import socket
import struct
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from dataops_mesh.errors import DeclarationError, MeshError, Problem, RunError, SettingsError
from dataops_mesh.run.process.wire import (
    CODE,
    EXPORT,
    LOOK,
    Request,
    check_names,
    error_line,
    hello,
    report_line,
)
from dataops_mesh.settings import PREFIX, Settings, find_root, load_settings
from dataops_mesh.spec.model import Product
from dataops_mesh.store import record

ASKS = ("run", "rebuild", "reproduce", LOOK, EXPORT)
LOGGER = logging.getLogger("dataops_mesh")
Send = Callable[[dict[str, Any]], None]


def answer(connection: socket.socket, text: bytes, token: str, *, own: bool) -> None:
    """Do what a request asks and tell the caller: stages, then reports or an error."""

    def send(line: dict[str, Any]) -> None:
        connection.sendall(json.dumps(line).encode() + b"\n")

    try:
        request = request_of(text, token)
        for line in _work(request, send, own=own, user=user_of(connection)):
            send({"report": line})
        send({"done": True})
    except MeshError as error:
        send(error_line(error))
    except Exception as error:
        from dataops_mesh.transform.redact import safe_message

        LOGGER.exception("the gate process failed")
        what = f"the gate process failed: {safe_message(error)}"
        send(error_line(RunError(Problem(what, next="its log has the whole text"))))


def request_of(text: bytes, token: str) -> Request:
    """Return the request, of a caller who knows the token.

    Raises:
        SettingsError: it is none, or the token is another one.
    """
    try:
        request: Request = record.build(Request, json.loads(text.removeprefix(CODE)))
        known = hmac.compare_digest(request.token.encode(), token.encode())
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise SettingsError(Problem("the gate was asked in words it does not know")) from None
    if not known:
        what = "the gate does not know this caller's token"
        raise SettingsError(Problem(what, key=f"{PREFIX}GATE", next="read the token file again"))
    return request


def _work(request: Request, send: Send, *, own: bool, user: str) -> list[dict[str, Any]]:
    if own:
        obey(request)
    settings = settings_of(request, user)
    if not own:
        _require_served(settings.root)
    python = _python(request, own=own)
    settings = settings.model_copy(update={"python": python})
    if request.ask not in ASKS:
        raise SettingsError(Problem(f'the gate cannot "{request.ask}"', choices=ASKS))
    if request.ask == EXPORT:
        return _export(request, send, settings)
    begun = datetime.now(UTC)
    try:
        return _run(request, send, settings)
    except Exception as error:
        if request.ask == "reproduce":  # it leaves nothing on record
            raise
        from dataops_mesh.run.environment import open_environment
        from dataops_mesh.run.process.ending import record_failure

        if request.ask == LOOK:
            raise
        with suppress(MeshError):
            record_failure(request, open_environment(settings), error, begun)
        raise


def _export(request: Request, send: Send, settings: Settings) -> list[dict[str, Any]]:
    """Bring the copies of a product to what the log says: no policy can stop a withdrawal."""
    from dataops_mesh.run.environment import open_environment
    from dataops_mesh.run.exporting import export_product
    from dataops_mesh.spec.loader import load_product

    product = load_product(Path(request.folder), settings.root)
    environment = open_environment(settings)
    tell = partial(_tell, send)
    return [asdict(one) for one in export_product(product, environment, tell)]


def _tell(send: Send, stage: str) -> None:
    send({"stage": stage})


def _run(request: Request, send: Send, settings: Settings) -> list[dict[str, Any]]:
    product = _product(request, settings)
    from dataops_mesh.run.environment import open_environment

    environment = open_environment(settings)
    if request.ask == LOOK:
        from dataops_mesh.run.inputs.looking import look_at_sources

        for trouble in look_at_sources(product, environment):
            send({"stage": trouble})
        return []
    if request.ask == "rebuild":
        from dataops_mesh.run.rebuild import rebuild_product

        built = rebuild_product(product, environment, run_id=request.run_id, full=request.full)
        return [report_line(report) for report in built]
    if request.ask == "reproduce":
        from dataops_mesh.run.reproduce.publication import reproduce

        found = reproduce(
            product,
            environment,
            request.publication,
            partition=request.partition or None,
            progress=lambda stage: send({"stage": stage}),
        )
        return [report_line(one) for one in found]
    from dataops_mesh.run.product import run_product

    report = run_product(
        product,
        environment,
        run_id=request.run_id,
        partition=request.partition or None,
        full=request.full,
        progress=partial(_tell, send),
    )
    return [report_line(report)]


def _require_served(root: Path) -> None:
    """Make sure that a gate for all is asked by its own workspace, or by one of its `locations`.

    It publishes in the name of its own repository, and knows nobody else.

    Raises:
        SettingsError: the workspace is another one.
    """
    here = load_settings()
    folders = [here.root / one.folder for one in here.locations.values() if one.folder]
    if root.resolve() not in {here.root.resolve(), *map(find_root, folders)}:
        what = f"this gate serves the workspace {here.root.name}, and was asked by another one"
        then = "add its domain under `locations` there, or start a gate of its own"
        raise SettingsError(Problem(what, key=f"{PREFIX}GATE", next=then))


def obey(request: Request) -> None:
    """Take the caller's settings from its environment: this gate is the caller's own."""
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        del os.environ[name]
    os.environ.update(dict(request.environment))


def _python(request: Request, *, own: bool) -> Path | None:
    """Return the interpreter of the domain's code.

    It starts with our rights. A gate for all takes it from the settings `locations` of the
    workspace that it runs in, and from nobody who asks.
    """
    if own:
        return Path(request.python) if request.python != sys.executable else None
    here = load_settings()
    location = here.locations.get(Path(request.folder).parent.name)
    return here.root / location.python if location and location.python else None


def settings_of(request: Request, user: str) -> Settings:
    """Return the settings of the workspace, with the person who asks.

    Raises:
        SettingsError: the caller has another store or ledger.
    """
    from dataops_mesh.run.environment import on_line, store_of

    # The line that the caller says, whatever our own settings name; one that is gone is refused.
    settings = on_line(load_settings(Path(request.root)), request.line)
    theirs = dict(request.hello)
    wrong = [name for name, value in hello(settings).items() if theirs.get(name) != str(value)]
    if wrong:
        what = f"the gate has another {wrong[0]} than the process that asks"
        then = "start both with the same settings, and the same version of dataops_mesh"
        raise SettingsError(Problem(what, key=f"tool.dataops_mesh.{wrong[0]}", next=then))
    if store_of(settings).line != request.line:
        what = f"{request.line!r} is no line of the store"
        raise SettingsError(Problem(what, next="mesh sandbox list"))
    return settings if settings.person else settings.model_copy(update={"person": user})


def _product(request: Request, settings: Settings) -> Product:
    """Read the product's declarations and judge them, whatever the caller has made of them.

    Raises:
        DeclarationError: they are not valid, policies refuse them, or the caller has others.
    """
    from dataops_mesh.run.checks import all_checks
    from dataops_mesh.run.guards.flow import policy_problems
    from dataops_mesh.spec.loader import load_product
    from dataops_mesh.transform.validate import transform_problems
    from dataops_mesh.transform.walls import walls_of

    product = load_product(Path(request.folder), settings.root)
    if problems := [*transform_problems(product), *policy_problems(product, settings)]:
        raise DeclarationError(problems)
    if check_names(all_checks(product, walls_of(settings))) != request.checks:
        what = f"{product.qualified_name} was changed after this code location was loaded"
        then = "reload the code location, then run the product again"
        raise DeclarationError(Problem(what, product.where, next=then))
    return product


def user_of(connection: socket.socket) -> str:
    """Return the operating system's name of whoever is at the other end."""
    size = struct.calcsize("3i")
    _, uid, _ = struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, 17, size))
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
