"""Files of an S3-compatible store: one, or all that a pattern names; each by its ETag."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlsplit

from dataops_mesh.connections import parts_of
from dataops_mesh.fetch.driver import Before, Fetched, Piece, Say, Where
from dataops_mesh.fetch.faults import Absent, Fault, Refusal
from dataops_mesh.spec.remote import WEB
from dataops_mesh.store import files

if TYPE_CHECKING:
    from obstore.store import S3Config, S3Store

_MAGIC = re.compile(r"[*?\[]")
_BLOCK = 8 * 2**20
_OPTIONS = ("region", "token")
_EXTRA = 'pip install "dataops-mesh[sources]"'
_EXAMPLE = "https://KEY:SECRET@s3.eu-central-1.amazonaws.com?region=eu-central-1"


class Bucket:
    """Any store that speaks S3."""

    def fetch(self, where: Where, before: Before, into: Path, say: Say) -> Fetched:
        """Fetch the files that are new, and keep those whose ETag is the same."""
        store = _store(where)
        kept = {(piece.name, piece.mark): piece for piece in before.pieces if piece.mark}
        found = []
        listed = _listed(store, where)
        for number, (name, path, mark) in enumerate(listed, 1):
            piece = kept.get((name, mark))
            if piece is None:
                say(f"file {number} of {len(listed)}")
                piece = Piece(name, into / name, mark)
                _save(store, path, mark, piece.path)
            found.append(piece)
        return Fetched(tuple(found), _mark(listed))

    def look(self, where: Where, before: Before) -> str | None:
        """List what there is."""
        del before
        return _mark(_listed(_store(where), where))


def pattern(path: str) -> re.Pattern[str]:
    """Return what matches the names that a pattern means; `*` ends at a slash, `**` does not.

    >>> [bool(pattern("a/*.csv").fullmatch(name)) for name in ("a/x.csv", "a/b/x.csv")]
    [True, False]
    >>> bool(pattern("a/**/*.csv").fullmatch("a/x.csv"))
    True
    """
    made = ""
    for part in re.split(r"(\*\*/|\*\*|\*|\?)", path):
        made += {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}.get(
            part, re.escape(part)
        )
    return re.compile(made)


def _store(where: Where) -> S3Store:
    try:
        from obstore.store import S3Store
    except ImportError:
        raise Refusal("needs obstore, which is not installed", _EXTRA) from None
    parts = parts_of(where.address)
    if parts is None or parts.scheme not in WEB or not parts.hostname:
        what = f'the connection "{where.remote.connection}" is no address of a store of buckets'
        raise Refusal(what, _EXAMPLE)
    more = dict(parse_qsl(parts.query))
    if unknown := sorted(set(more) - set(_OPTIONS)):
        what = f'the connection "{where.remote.connection}" has an unknown option: {unknown[0]}'
        raise Refusal(what, f"known are {', '.join(_OPTIONS)}")
    port = f":{parts.port}" if parts.port else ""
    config: S3Config = {
        "endpoint": f"{parts.scheme}://{parts.hostname}{port}",
        "region": more.get("region", "us-east-1"),
        "access_key_id": unquote(parts.username or ""),
        "secret_access_key": unquote(parts.password or ""),
    }
    if "token" in more:
        config["session_token"] = more["token"]
    if not parts.username:
        config["skip_signature"] = True
    with _faults():
        return S3Store(
            urlsplit(where.remote.url).netloc,
            config=config,
            client_options={
                "allow_http": parts.scheme == "http",
                "connect_timeout": timedelta(seconds=10),
                "timeout": timedelta(hours=6),
            },
            retry_config={
                "max_retries": 2,
                "retry_timeout": timedelta(seconds=60),
                "backoff": {"init_backoff": timedelta(milliseconds=200),
                            "max_backoff": timedelta(seconds=2), "base": 2},
            },
        )  # fmt: skip


def _listed(store: S3Store, where: Where) -> list[tuple[str, str, str]]:
    """Return name, path and mark of each file, sorted."""
    path = urlsplit(where.remote.url).path.strip("/")
    magic = _MAGIC.search(path)
    with _faults():
        if magic is None:
            found: list[Mapping[str, Any]] = [store.head(path)]
            base = path.rpartition("/")[0]
        else:
            base = path[: magic.start()].rpartition("/")[0]
            wanted = pattern(path)
            listed = (one for batch in store.list(base or None) for one in batch)
            found = [one for one in listed if wanted.fullmatch(str(one["path"]))]
    if not found:
        raise Absent("has no file of this pattern", "correct the address, or deliver the files")
    cut = len(base) + 1 if base else 0
    return sorted((str(one["path"])[cut:], str(one["path"]), _version(one)) for one in found)


def _version(one: Mapping[str, Any]) -> str:
    etag = one.get("e_tag")
    return f"etag {etag}" if etag else f"date {one['last_modified']} {one['size']}"


def _mark(listed: list[tuple[str, str, str]]) -> str:
    return hashlib.sha256(json.dumps(listed).encode()).hexdigest()


def _save(store: S3Store, path: str, mark: str, target: Path) -> None:
    """Write a file, of the very version that was listed."""
    files.make_folder(target.parent)
    kind, _, etag = mark.partition(" ")
    with _faults(), target.open("wb") as file:
        answer = store.get(path, options={"if_match": etag} if kind == "etag" else None)
        done = sum(file.write(block) for block in answer.stream(min_chunk_size=_BLOCK))
        if done != answer.meta["size"]:
            raise Fault("ended before all of it had come")


@contextmanager
def _faults() -> Iterator[None]:
    """Say what went wrong in our own words: the library's repeat addresses."""
    from obstore import exceptions as told

    try:
        yield
    except (told.NotFoundError, FileNotFoundError):
        raise Absent("is not there", "correct the address, or deliver the file") from None
    except (told.PermissionDeniedError, told.UnauthenticatedError):
        raise Refusal("may not be read with this connection") from None
    except told.InvalidPathError:
        what = "lies beside a file whose name has a line break, an empty part or `..` in it"
        then = "rename that file, or let the pattern begin with another folder"
        raise Refusal(what, then) from None
    except told.PreconditionError:
        raise Fault("was replaced while it was read") from None
    except told.BaseError:
        raise Fault("cannot be reached, or ended in the middle") from None
