"""Fill the disk under the store (a small tmpfs, or a limit on the size of a file); ends in `ok`."""

from __future__ import annotations

import os
import resource
import signal
import sys
from pathlib import Path

from helpers import a_product, environment, product, read, run, write_product, write_workspace

from dataops_mesh.errors import MeshError
from dataops_mesh.settings import load_settings
from dataops_mesh.store.collect import collect
from dataops_mesh.store.log import latest_number
from dataops_mesh.watch.collection import collect_store
from dataops_mesh.watch.health import examine

COLUMNS = [
    "{name: id, logicalType: integer, required: true}",
    "{name: note, logicalType: string}",
]


def files(rows: int) -> dict[str, str | bytes]:
    query = f"select i::int as id, md5(i::varchar) as note from range({rows}) as t(i)"
    python = f"def transform():\n    import duckdb\n    return duckdb.sql({query!r})\n"
    return a_product({"notes": COLUMNS}, files={"transform.py": python})


def main(root: Path, kind: str) -> None:
    settings = write_workspace(root, {"shop": {"notes": files(10)}})
    store = environment(settings).store
    for _ in range(3):
        assert run(settings, "shop.notes").published
    if kind == "limit":
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, resource.RLIM_INFINITY))
    write_product(root, "shop", "notes", files(1_000_000))  # 20 MB of text that does not compress
    try:
        run(settings, "shop.notes")
    except MeshError as error:
        say(type(error).__name__, error.problems[0].what)
    else:
        raise AssertionError("the disk took it")
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    assert latest_number(store) == 3
    assert read(settings, "select count(*) from shop.notes") == [(10,)]
    left = sum(path.stat().st_size for path in store.candidates.rglob("*.parquet"))
    assert left < 100_000, "what was built in vain still fills the disk"
    if kind == "tmpfs":
        fill(store.root / "filler")
        assert read(settings, "select count(*) from shop.notes") == [(10,)]
        try:
            run(settings, "shop.notes")
        except MeshError as error:
            say(type(error).__name__, error.problems[0].what)
        else:
            raise AssertionError("the disk took it")
        now = load_settings(root, grace=0, keep_publications=1)
        found, notes = collect_store(environment(now), [product(now, "shop.notes")], dry_run=False)
        say(f"collected on a full disk: {len(found.gone)} candidates, {found.bytes} B; {notes}")
        assert read(settings, "select count(*) from shop.notes") == [(10,)]
        (store.root / "filler").unlink()
    write_product(root, "shop", "notes", files(20))
    report = run(settings, "shop.notes")
    assert report.published
    assert report.notes == ()
    assert read(settings, "select count(*) from shop.notes") == [(20,)]
    collect(store, keep_releases=1, grace_seconds=0)
    assert examine(store, everything=True).damage == ()
    assert list(store.root.rglob(".tmp-*")) == []
    say("ok")


def say(*words: object) -> None:
    """Tell the test what happened."""
    sys.stdout.write(" ".join(map(str, words)) + "\n")


def fill(path: Path) -> None:
    """Write until nothing more fits."""
    with path.open("wb", buffering=0) as file:
        for size in (1_000_000, 10_000, 100, 1):
            try:
                while True:
                    file.write(os.urandom(size))
            except OSError:
                continue


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
