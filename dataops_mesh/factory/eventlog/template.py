"""An empty file of events, made once and copied for each run."""

import os
import uuid
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Engine, create_engine
from sqlalchemy.pool import NullPool

SQLITE = b"SQLite format 3\x00"
WRITE_AHEAD = b"\x02\x02"
VERSIONS = slice(18, 20)


def template(folder: Path, version: str, make: Callable[[Engine], None]) -> bytes:
    """Return the empty file, which is kept in the folder for other processes.

    Args:
        folder: of the event log.
        version: of Dagster; another one may have another schema.
        make: writes the schema.
    """
    file = folder / f"empty-{version}.sqlite"
    try:
        kept = file.read_bytes()
    except FileNotFoundError:
        kept = b""
    if _is_whole(kept):
        return kept
    new = _beside(file)
    engine = create_engine(f"sqlite:///{new}", poolclass=NullPool)
    make(engine)
    engine.dispose()
    content = new.read_bytes()
    new.replace(file)
    return content


def put(content: bytes, path: Path) -> bool:
    """Write a file that is there whole or not at all, unless it exists; tell whether that worked.

    Where the file system has no hard links it does not, and Dagster makes the file its own way.
    """
    new = _beside(path)
    new.write_bytes(content)
    try:
        os.link(new, path)
    except FileExistsError:
        return True
    except OSError:
        return False
    finally:
        new.unlink()
    return True


def _beside(file: Path) -> Path:
    # Not `*.db`: Dagster takes those for runs.
    return file.with_name(f".{uuid.uuid4().hex}.new")


def _is_whole(content: bytes) -> bool:
    """Tell whether the content is an SQLite file of as many pages as it says, with a log."""
    if not content.startswith(SQLITE) or content[VERSIONS] != WRITE_AHEAD:
        return False
    page = int.from_bytes(content[16:18], "big")
    return len(content) == page * int.from_bytes(content[28:32], "big")
