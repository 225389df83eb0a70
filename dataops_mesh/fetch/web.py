"""Files of the web: fetched when their ETag or their date is another one."""

from __future__ import annotations

import base64
import os
import re
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from urllib.parse import SplitResult, unquote, urljoin, urlsplit

import requests
from requests.utils import get_environ_proxies
from urllib3.exceptions import HTTPError

from dataops_mesh.connections import parts_of
from dataops_mesh.errors import FULL
from dataops_mesh.fetch.driver import Before, Fetched, Piece, Say, Where
from dataops_mesh.fetch.faults import Absent, Fault, Refusal
from dataops_mesh.fetch.reach import require_reachable, session
from dataops_mesh.spec.read.inputs.ports import PACKED
from dataops_mesh.spec.read.inputs.remote import url_problem
from dataops_mesh.spec.remote import WEB

TIMEOUT = (10.0, 60.0)  # to connect, and between two pieces of an answer
_HOPS = 5
_BLOCK = 2**20
_SAID_EVERY = 5.0  # seconds between two words on how far it is
_PORTS = {"http": 80, "https": 443}
_NOT_MODIFIED = 304
_NAME = re.compile(r"[^\x00-\x1f/]{1,100}")


class Web:
    """HTTP and HTTPS."""

    def fetch(self, where: Where, before: Before, into: Path, say: Say) -> Fetched:
        """Fetch the file, unless the server says that it is the same."""
        kept = before.pieces[0] if before.pieces else None
        with _answer("GET", where, kept.mark if kept else "") as answer:
            if answer.status_code == _NOT_MODIFIED and kept is not None:
                return Fetched(before.pieces, before.mark)
            name = _named(where.remote.url)
            mark = _mark(answer)
            path = into / name
            _save(answer, path, say)
            return Fetched((Piece(name, path, mark),), mark)

    def look(self, where: Where, before: Before) -> str | None:
        """Ask for the head alone; None of a server that says no ETag, date, or head."""
        kept = before.pieces[0] if before.pieces else None
        try:
            with _answer("HEAD", where, kept.mark if kept else "") as answer:
                if answer.status_code == _NOT_MODIFIED and kept is not None:
                    return before.mark
                return _mark(answer) or None
        except _NoHeadError:
            return None


class _NoHeadError(Refusal):
    """The server answers no HEAD."""


@contextmanager
def _answer(method: str, where: Where, mark: str) -> Iterator[requests.Response]:
    """Ask, follow where the server leads, and yield the answer with its body not yet read."""
    url, connection = where.remote.url, _connection(where)
    home = _origin(urlsplit(url))
    if connection is not None and _origin(connection) != home:
        what = f'the connection "{where.remote.connection}" is of another host'
        raise Refusal(what, "its password is only sent to the host that it names")
    for _ in range(_HOPS):
        parts = urlsplit(url)
        named = connection is not None and _origin(parts) == home
        headers = _headers(connection if named else None, mark)
        if not named:
            require_reachable(parts.hostname or "")
        with session(anywhere=named) as asking, _asked(asking, method, url, headers) as answer:
            if not answer.is_redirect:
                _require_fine(answer, method)
                yield answer
                return
            following = urljoin(url, answer.headers["location"])
        if url_problem(following) or urlsplit(following).scheme not in WEB:
            raise Refusal("leads to an address that is none of HTTP")
        if parts.scheme == "https" and urlsplit(following).scheme == "http":
            raise Refusal("leads from HTTPS to HTTP, where anybody can change it")
        url = following
    raise Refusal(f"leads on and on: {_HOPS} addresses, and no file")


@contextmanager
def _asked(
    asking: requests.Session, method: str, url: str, headers: Mapping[str, str]
) -> Iterator[requests.Response]:
    trusted = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or True
    try:
        with asking.request(
            method,
            url,
            headers=dict(headers),
            stream=True,
            allow_redirects=False,
            timeout=TIMEOUT,
            proxies=get_environ_proxies(url),
            verify=trusted,
        ) as answer:
            yield answer
    except requests.exceptions.SSLError:
        raise Refusal("has a certificate that is not trusted", "set REQUESTS_CA_BUNDLE") from None
    except (requests.Timeout, TimeoutError):
        raise Fault("does not answer in time") from None
    except (requests.RequestException, HTTPError):  # their texts repeat the address
        raise Fault("cannot be reached, or ended in the middle") from None


def _headers(connection: SplitResult | None, mark: str) -> dict[str, str]:
    # Bytes as they are: what is unpacked on the way would have another length than was said.
    headers = {"Accept-Encoding": "identity", "User-Agent": "dataops_mesh"}
    if mark.startswith(("etag ", "date ")):
        kind, _, value = mark.partition(" ")
        headers["If-None-Match" if kind == "etag" else "If-Modified-Since"] = value
    if connection is not None and connection.password:
        user, password = unquote(connection.username or ""), unquote(connection.password)
        both = base64.b64encode(f"{user}:{password}".encode()).decode()
        headers["Authorization"] = f"Basic {both}" if user else f"Bearer {password}"
    return headers


def _connection(where: Where) -> SplitResult | None:
    if not where.remote.connection:
        return None
    parts = parts_of(where.address)
    if parts is None or parts.scheme not in WEB or not parts.hostname:
        what = f'the connection "{where.remote.connection}" is no address of HTTP'
        raise Refusal(what, "https://USER:PASSWORD@HOST, or https://:TOKEN@HOST")
    return parts


def _origin(parts: SplitResult) -> tuple[str, str, int | None]:
    return parts.scheme, (parts.hostname or "").lower(), parts.port or _PORTS.get(parts.scheme)


def _require_fine(answer: requests.Response, method: str) -> None:
    status = answer.status_code
    if status in {200, _NOT_MODIFIED}:
        return
    said = f"answers {status}"
    if status in {404, 410}:
        raise Absent(said, "correct the address, or have the file delivered")
    if method == "HEAD" and status in {405, 501}:
        raise _NoHeadError(said)
    if status in {408, 425, 429} or status >= 500:  # noqa: PLR2004 - a fault of the server
        wait = answer.headers.get("retry-after", "")
        raise Fault(said, float(wait) if wait.isdecimal() else 0.0)
    if status in {401, 403}:
        raise Refusal(said, "name a connection that may read it (docs/sources.md)")
    raise Refusal(said)


def _named(url: str) -> str:
    """Return the name of the file that is written: the address's own, where it can be one.

    >>> _named("https://data.example/a%20b.csv.gz"), _named("https://data.example/%2e%2e")
    ('a b.csv.gz', 'file')
    """
    name = unquote(PurePosixPath(urlsplit(url).path).name)
    if _NAME.fullmatch(name) and name not in {".", ".."}:
        return name
    ends = "".join(PurePosixPath(name).suffixes[-2:])
    return "file" + (ends if _NAME.fullmatch(ends) else "")


def _mark(answer: requests.Response) -> str:
    if etag := answer.headers.get("etag", "").strip():
        return f"etag {etag}"
    date = answer.headers.get("last-modified", "").strip()
    return f"date {date}" if date else ""


def _save(answer: requests.Response, path: Path, say: Say) -> None:
    """Write the body; what is shorter than was said is a fault, and never a file."""
    said = answer.headers.get("content-length", "")
    size = int(said) if said.isdecimal() else None
    if size is not None and size > shutil.disk_usage(path.parent).free:
        raise OSError(min(FULL), "there is no room for what is fetched", str(path))
    # What its name says is packed, is meant packed, whatever the server calls it.
    unpack = not path.name.lower().endswith(tuple(PACKED))
    packed = answer.headers.get("content-encoding", "identity").lower() != "identity"
    done, told = 0, time.monotonic()
    with path.open("wb") as file:
        while block := answer.raw.read(_BLOCK, decode_content=unpack):
            done += file.write(block)
            if time.monotonic() - told > _SAID_EVERY:
                told = time.monotonic()
                say(f"{done / 2**20:,.0f} MB{f' of {size / 2**20:,.0f}' if size else ''}")
    if size is not None and done != size and not (packed and unpack):
        raise Fault("ended before all of it had come")
