"""Where a channel really leads: a file of secrets, read when something is sent.

A product names channels (ODPS `support`); the file maps their names to targets. A target is a
webhook that takes Slack's JSON (`https://...`), or anything that apprise knows
(`mailtos://...`, `slack://...`, `pagerduty://...`). Nothing here logs or raises a target.
"""

from __future__ import annotations

import json
import logging
import re
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from dataops_mesh.errors import Problem, SettingsError
from dataops_mesh.settings import Settings
from dataops_mesh.spec.model import Product

EVERY, MAIL = "*", "mail"
LOG = "log"
TIMEOUT = 5.0
_WEB = ("http", "https")
_SETTING = "DATAOPS_MESH_ALERTS_FILE"


class NotDeliveredError(Exception):
    """A channel did not take a message; says which kind of fault, never the target."""


class UnreachableError(NotDeliveredError):
    """Nobody answered, for whatever was said: to ask again at once only costs time."""


@dataclass(frozen=True, slots=True)
class Hook:
    """How a channel wants its events.

    Args:
        secret: the name of an environment variable with the secret that signs them; unsigned if
            empty.
        unchanged: also of publications with the content of before.
    """

    secret: str = ""
    unchanged: bool = False


@dataclass(frozen=True, slots=True)
class Targets:
    """What the alerts file says.

    Args:
        channels: name -> targets; `*` receives every alert.
        mail: a `mailto(s)://` URL of the mail server, for channels that are an address.
        hooks: name -> how events are sent there.
    """

    channels: Mapping[str, tuple[str, ...]] = field(default_factory=dict, repr=False)
    mail: str = field(default="", repr=False)
    hooks: Mapping[str, Hook] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Message:
    """What is told, in the parts that channels show.

    Args:
        good: an all clear.
        mild: not as grave as the others.
        data: the same for machines.
    """

    title: str
    body: str
    link: str = ""
    good: bool = False
    mild: bool = False
    data: Mapping[str, Any] = field(default_factory=dict)


def read_targets(settings: Settings) -> Targets:
    """Read the alerts file; without one, every alert goes to the log only.

    Raises:
        SettingsError: the file is missing or not valid; the message holds no target.
    """
    if settings.alerts_file is None:
        return Targets()
    file = settings.root / settings.alerts_file
    try:
        document = tomllib.loads(file.read_text("utf-8-sig"))
    except OSError as error:
        raise _problem(file, f"cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        # Its message could repeat a part of a target.
        raise _problem(file, "is not TOML") from None
    unknown = sorted(set(document) - {"channels", "events", MAIL})
    if unknown:
        known = ("channels", "events", MAIL)
        raise _problem(file, f"has unknown keys: {', '.join(unknown)}", known)
    channels, mail = document.get("channels", {}), document.get(MAIL, "")
    if not isinstance(channels, dict) or not isinstance(mail, str):
        raise _problem(file, "needs a table `channels` and, if any, a text `mail`")
    found = {}
    for name, value in channels.items():
        targets = tuple(value) if isinstance(value, list) else (value,)
        if not all(isinstance(target, str) and _known(target) for target in targets):
            raise _problem(file, f'channel "{name}" has a target of no known kind', _KINDS)
        found[name] = targets
    if mail and not (urlsplit(mail).scheme in {"mailto", "mailtos"} and _known(mail)):
        raise _problem(file, "`mail` is not a mailto:// or mailtos:// URL of a mail server")
    return Targets(found, mail, _hooks(file, document.get("events", {}), found))


def _hooks(file: Path, said: Any, channels: Mapping[str, Any]) -> dict[str, Hook]:
    """Read how channels want their events: `[events.NAME]` with `secret`, `unchanged`."""
    tables = said if isinstance(said, dict) else {"NAME": None}
    for name, table in tables.items():
        known = isinstance(table, dict) and not set(table) - {"secret", "unchanged"}
        secret, unchanged = (table.get("secret", ""), table.get("unchanged")) if known else (0, 0)
        named = isinstance(secret, str) and re.fullmatch(r"\w*", secret)
        if not known or not named or unchanged not in (None, True, False):
            keys = ("secret (the name of an environment variable)", "unchanged (true or false)")
            raise _problem(file, f"has no valid table [events.{name}]", keys)
        if name not in channels:  # else the events of the channel that was meant go unsigned
            what = f"has a table [events.{name}], and no channel of that name"
            raise _problem(file, what, tuple(sorted(channels)))
    return {name: Hook(**table) for name, table in tables.items()}


def escalation_problems(settings: Settings) -> Iterator[Problem]:
    """Yield the channels of the setting `escalate` that lead nowhere, where that can be told.

    Raises:
        SettingsError: the alerts file is not valid.
    """
    file = settings.root / (settings.alerts_file or "")
    if settings.alerts_file is not None and not file.is_file():
        return  # it is a secret and not here
    known = tuple(sorted(read_targets(settings).channels))
    for name in settings.escalate:
        if name not in known:
            what = f'the channel "{name}" is not in the alerts file'
            yield Problem(what, key="tool.dataops_mesh.escalate", choices=known)


def channels_of(product: Product, targets: Targets) -> tuple[str, ...]:
    """Return the channels of a product that lead somewhere; the log always does."""
    names = dict.fromkeys(support.channel for support in product.support)
    leading = [name for name in names if resolve(product, name, targets)]
    every = [EVERY] if EVERY in targets.channels else []
    return (LOG, *leading, *every)


def resolve(product: Product, channel: str, targets: Targets) -> tuple[str, ...]:
    """Return where a channel leads: the file's targets, else its address as e-mail."""
    if channel in targets.channels:
        return targets.channels[channel]
    addresses = [
        support.url.removeprefix("mailto:")
        for support in product.support
        if support.channel == channel and support.url.startswith("mailto:")
    ]
    if not addresses or not targets.mail:
        return ()
    join = "&" if urlsplit(targets.mail).query else "?"
    return tuple(f"{targets.mail}{join}to={quote(address)}" for address in addresses)


def send(target: str, message: Message) -> None:
    """Send a message to one target.

    Raises:
        NotDeliveredError: it was not taken.
    """
    if is_web(target):
        post(target, slack_json(message))
        return
    import apprise

    grave = apprise.NotifyType.WARNING if message.mild else apprise.NotifyType.FAILURE
    kind = apprise.NotifyType.SUCCESS if message.good else grave
    said = "\n".join(f"{name}: {value}" for name, value in _fields(message))
    body = "\n\n".join(part for part in (message.body, said, message.link) if part)
    with _quiet():
        sender = apprise.Apprise.instantiate(target)
        if sender is None:
            raise NotDeliveredError("the target is of no known kind")
        try:
            taken = sender.notify(title=message.title, body=body, notify_type=kind)
        except Exception as error:  # noqa: BLE001 - plugins raise what they like
            raise NotDeliveredError(type(error).__name__) from None
    if not taken:
        raise NotDeliveredError("the server did not take it or cannot be reached")


def is_web(target: str) -> bool:
    """Tell whether a target takes a POST."""
    return urlsplit(target).scheme in _WEB


def post(target: str, content: Mapping[str, Any]) -> None:
    """Post JSON; see `post_body`."""
    body = json.dumps(content).encode()
    post_body(target, body, {"Content-Type": "application/json"})


def post_body(target: str, body: bytes, headers: Mapping[str, str]) -> None:
    """Post exactly these bytes, trying again where a server says it is busy.

    Raises:
        UnreachableError: no server, or none that answers.
        NotDeliveredError: not a 2xx answer.
    """
    if not is_web(target):
        raise NotDeliveredError("only an http(s) target can be posted to")
    import requests
    from requests.adapters import HTTPAdapter
    from urllib3.util.retry import Retry

    retry = Retry(
        total=2,
        connect=0,
        read=0,
        backoff_factor=0.3,
        status_forcelist=(429, 502, 503, 504),
        allowed_methods=("POST",),
        raise_on_status=False,
        respect_retry_after_header=False,
    )
    with _quiet(), requests.Session() as session:
        session.trust_env = False
        for scheme in ("http://", "https://"):
            session.mount(scheme, HTTPAdapter(max_retries=retry))
        try:
            answer = session.post(
                target, data=body, headers=dict(headers), timeout=TIMEOUT, allow_redirects=False
            )
        except requests.RequestException as error:
            raise UnreachableError(type(error).__name__) from None  # its text has the URL
    if not answer.ok:
        raise NotDeliveredError(f"the server answered {answer.status_code}")


def _fields(message: Message) -> list[tuple[str, str]]:
    """Return what every channel says beside the words: whose it is, which, and what to type."""
    return [(name, str(value)) for name, value in message.data.items() if value not in (None, "")]


def slack_json(message: Message) -> dict[str, Any]:
    """Return the JSON that Slack's incoming webhooks take, and those that copy them."""
    attachment: dict[str, Any] = {
        "color": "good" if message.good else "warning" if message.mild else "danger",
        "fallback": message.title,
        "text": message.body,
        "fields": [
            {"title": name, "value": value, "short": True} for name, value in _fields(message)
        ],
    }
    if message.link:
        attachment |= {"title": "Open the run", "title_link": message.link}
    return {"text": message.title, "attachments": [attachment]}


_KINDS = ("https://... (Slack's JSON)", "mailtos://...", "slack://...", "any URL of apprise")


def _known(target: str) -> bool:
    parts = urlsplit(target)
    if parts.scheme in _WEB:
        return bool(parts.netloc)
    import apprise

    with _quiet():
        return apprise.Apprise.instantiate(target) is not None


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the libraries from logging hosts, addresses and paths: these are the secrets."""
    loggers = [logging.getLogger(name) for name in ("apprise", "urllib3", "urllib3.connectionpool")]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)


def _problem(file: Path, what: str, choices: tuple[str, ...] = ()) -> SettingsError:
    return SettingsError(Problem(f"{file.name} {what}", key=_SETTING, choices=choices))
