"""Whether packed files are whole: DuckDB reads one that was cut as if it ended there.

The end of a stream of gzip or zstd says that it is the end, and gzip what the sum of its content
is; DuckDB looks at neither. So each file is unpacked once before it is read.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from functools import lru_cache
from pathlib import Path
from typing import Any

from dataops_mesh.engine.delivery import UnclearDelivery
from dataops_mesh.spec.read.inputs.ports import PACKED

_CHUNK = 2**20  # bytes


def require_complete(found: Sequence[Path], options: Mapping[str, Any]) -> None:
    """Refuse a delivery of which a packed file ends before its end, or is damaged.

    Args:
        found: the files.
        options: what the input port says; `compression` counts for all files.

    Raises:
        UnclearDelivery: a file is not whole.
    """
    said = str(options.get("compression", "auto")).lower()
    for file in found:
        kind = PACKED.get(file.suffix, "") if said.startswith("auto") else said
        if kind in PACKED.values() and (wrong := _wrong(str(file), _state(file), kind)):
            raise UnclearDelivery(f"{file.name} {wrong}", "have it delivered again, whole")


def _state(file: Path) -> tuple[int, ...]:
    state = file.stat()
    return state.st_ino, state.st_size, state.st_mtime_ns, state.st_ctime_ns


@lru_cache(maxsize=1024)
def _wrong(path: str, _: tuple[int, ...], kind: str) -> str:
    """Return what is wrong with a file in its present state, once for each of its states."""
    try:
        with _unpacked(path, kind) as stream:
            while stream.read(_CHUNK):
                pass
    except EOFError:
        return f"ends in the middle of its {kind}: it was cut"
    except (gzip.BadGzipFile, zlib.error):
        return "is no gzip, or it is damaged"
    except OSError as error:
        if error.errno is not None:  # the disk's
            raise
        cut = "Truncated" in str(error)
        return f"ends in the middle of its {kind}: it was cut" if cut else f"is no {kind}"
    return ""


def _unpacked(path: str, kind: str) -> AbstractContextManager[Any]:
    if kind == "gzip":
        return gzip.open(path)
    import pyarrow as pa

    stream: AbstractContextManager[Any] = pa.input_stream(path, compression=kind)
    return stream
