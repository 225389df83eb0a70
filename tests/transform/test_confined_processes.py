"""What a transform does to its own process, and leaves behind, is nobody else's trouble."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from pathlib import Path

import pytest
from helpers import a_product, a_source, environment, product, read, run, write_workspace

from dataops_mesh.errors import RunError, TransformError
from dataops_mesh.gate import Refuse
from dataops_mesh.run.product import run_product
from dataops_mesh.settings import Settings
from dataops_mesh.store.log import latest_number
from dataops_mesh.store.manifest import ERROR, read_manifest
from dataops_mesh.store.refs import all_refs
from dataops_mesh.transform.confine import client

COLUMNS = ["{name: id, logicalType: integer}"]
HEAD = "import ctypes, json, os, signal, sys, time\nimport pyarrow as pa\n"


def shop(root: Path, body: str, settings: str = "", more: str = "") -> Settings:
    """A workspace whose one transform has the body."""
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    orders = a_product(
        {"orders": COLUMNS},
        inputs=[a_source("rows", "rows.csv")],
        settings=more,
        files={
            "transform.py": f"{HEAD}def transform(rows):\n{lines}    return rows\n",
            "rows.csv": "id\n1\n",
        },
    )
    return write_workspace(root, {"shop": {"orders": orders}}, settings=settings)


ENDS = {
    "os._exit": ("os._exit(0)", "exit status 0"),
    "sys.exit": ("sys.exit(0)", "SystemExit"),
    "a segfault": ("ctypes.string_at(0)", "signal 11"),
    "killed": ("os.kill(os.getpid(), signal.SIGKILL)", "signal 9"),
    "Ctrl-C by itself": ("raise KeyboardInterrupt", "KeyboardInterrupt"),
    "a result of its own": (
        "os.write(3, json.dumps({'ok': True, 'value': None, 'modules': []}).encode())\nos._exit(0)",
        "could not be built",
    ),
    "a result that is no JSON": ("os.write(3, b'{')\nos._exit(0)", "makes no sense"),
    "a result that is nested": ("os.write(3, b'[' * 200000)\nos._exit(0)", "makes no sense"),
    "an endless result": ("while True: os.write(3, b'x' * 65536)", "too large"),
    "an error of another kind": (
        "os.write(3, json.dumps({'ok': False, 'error': {'kind': 'Publish'}}).encode())\nos._exit(0)",
        "makes no sense",
    ),
    "an error that steers a terminal": (
        (
            "error = {'kind': '', 'errno': 0, 'line': 1, 'safe': chr(27), 'problems': [], 'text': ''}\n"
            "os.write(3, json.dumps({'ok': False, 'error': error}).encode())\nos._exit(0)"
        ),
        "makes no sense",
    ),
}


@pytest.mark.parametrize("case", ENDS)
def test_a_transform_that_ends_its_process_has_failed(tmp_path: Path, case: str) -> None:
    body, said = ENDS[case]
    settings = shop(tmp_path, body)
    with pytest.raises(TransformError, match=said) as caught:
        run(settings, "shop.orders")
    assert caught.value.problems[0].where is not None
    assert caught.value.problems[0].where.file == "domains/shop/orders/transform.py"
    store = environment(settings).store
    (record,) = (read_manifest(store, ref) for ref in all_refs(store))
    assert record.verdict == ERROR
    assert latest_number(store) == 0


def test_a_class_made_of_data_is_not_named(tmp_path: Path) -> None:
    settings = shop(tmp_path, "raise type('DE8937040044', (ValueError,), {})('x')")
    with pytest.raises(TransformError, match="raised ValueError"):
        run(settings, "shop.orders")


LEAVES = {
    "a link": "os.symlink('/etc/hostname', where / 'part-7.parquet')",
    "a hard link": "os.link('x', where / 'part-7.parquet')",
    "a folder": "(where / 'part-7.parquet').mkdir()",
    "another file": "(where / 'notes.txt').touch()",
    "a pattern for a name": "(where / 'part-*.parquet').touch()",
    "no rows at all": "(where / 'part-7.parquet').touch()",
    "a pipe": "os.mkfifo(where / 'part-7.parquet')",
}
SAID = "os.write(3, json.dumps({'ok': True, 'value': None, 'modules': []}).encode())\nos._exit(0)\n"


@pytest.mark.parametrize("case", LEAVES)
def test_only_plain_files_of_rows_are_taken(tmp_path: Path, case: str) -> None:
    body = (
        "import gc\nfrom dataops_mesh.transform.job import Job\n"
        "job = next(one for one in gc.get_objects() if isinstance(one, Job))\n"
        "where = job.candidate / 'orders'\nopen('x', 'w').close()\n"
        "import duckdb\nduckdb.sql(f\"copy (select 1 as id) to '{where}/part-0.parquet'\")\n"
        f"{LEAVES[case]}\n{SAID}"
    )
    settings = shop(tmp_path, body)
    with pytest.raises(TransformError):
        run(settings, "shop.orders")
    assert latest_number(environment(settings).store) == 0


def test_rows_that_it_wrote_itself_are_checked_like_any(tmp_path: Path) -> None:
    """It may write the files of its own ports; what they hold is read and tested by the gate."""
    body = (
        "import gc, duckdb\nfrom dataops_mesh.transform.job import Job\n"
        "job = next(one for one in gc.get_objects() if isinstance(one, Job))\n"
        "where = job.candidate / 'orders'\n"
        "duckdb.sql(f\"copy (select 'x' as id) to '{where}/part-0.parquet'\")\n"
    )
    settings = shop(tmp_path, body + SAID)
    assert isinstance(run(settings, "shop.orders").decision, Refuse)


DAEMON = """\
if not os.fork():
    os.setsid()
    if os.fork(): os._exit(0)
    signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 32))
    for n in range(100000):
        open(f'alive', 'a').write('x')
        if not os.fork(): continue
        os._exit(0)
time.sleep(0.2)
"""


def test_what_a_transform_leaves_running_is_ended_before_anybody_looks(tmp_path: Path) -> None:
    settings = shop(tmp_path, DAEMON)
    assert run(settings, "shop.orders").published
    mine = client.start().pid
    children = Path(f"/proc/{mine}/task/{mine}/children").read_text().split()
    assert children == []
    assert not list(tmp_path.rglob("alive"))  # its folder went with the run


def test_a_transform_has_its_time_and_no_more(tmp_path: Path) -> None:
    settings = shop(tmp_path, "while True: pass", "transform_limit = 1\n")
    start = time.monotonic()
    with pytest.raises(TransformError, match="exceeded its time limit"):
        run(settings, "shop.orders")
    assert time.monotonic() - start < 30


class Stop(BaseException):
    """What a signal handler raises."""


def test_an_interrupted_run_ends_its_transform_first(tmp_path: Path) -> None:
    settings = shop(
        tmp_path, "signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 32))\nwhile True: pass"
    )
    server = client.start()

    def interrupt() -> None:
        while not Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text():
            time.sleep(0.01)
        time.sleep(0.5)
        os.kill(os.getpid(), signal.SIGUSR1)

    def stop(*_: object) -> None:
        raise Stop

    usual = signal.signal(signal.SIGUSR1, stop)
    try:
        waiting = threading.Thread(target=interrupt)
        waiting.start()
        with pytest.raises(Stop):
            run(settings, "shop.orders")
        waiting.join()
    finally:
        signal.signal(signal.SIGUSR1, usual)
    assert Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text() == ""
    assert client.start() is server  # and it goes on


def test_a_server_that_was_killed_is_started_again(tmp_path: Path) -> None:
    settings = shop(tmp_path, "pass")
    assert run(settings, "shop.orders").published
    os.kill(client.start().pid, signal.SIGKILL)
    deadline = time.monotonic() + 20
    while client._servers[sys.executable].is_alive() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert run(settings, "shop.orders").published


def test_a_server_killed_under_a_run_is_a_fault_of_the_machinery(tmp_path: Path) -> None:
    settings = shop(tmp_path, "while True: pass")
    server = client.start()

    def kill() -> None:
        while not Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text():
            time.sleep(0.01)
        os.kill(server.pid, signal.SIGKILL)

    waiting = threading.Thread(target=kill)
    waiting.start()
    with pytest.raises(RunError, match="server of confined processes ended"):
        run(settings, "shop.orders")
    waiting.join()


def test_the_server_has_one_thread_when_it_forks(tmp_path: Path) -> None:
    """A fork copies one thread, and the locks of the others for ever."""
    settings = shop(tmp_path, "pass")
    assert run(settings, "shop.orders").published  # so it is ready
    server = client.start()
    assert len(list(Path(f"/proc/{server.pid}/task").iterdir())) == 1


def test_a_process_forked_from_ours_uses_the_same_server(tmp_path: Path) -> None:
    settings = shop(tmp_path, "pass")
    server = client.start()
    child = os.fork()
    if not child:
        try:
            done = run(settings, "shop.orders").published and client.start() is server
            client._close_all()
            os._exit(0 if done else 1)
        finally:
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert server.is_alive()
    assert run(settings, "shop.orders").published


def test_a_small_transform_imports_nothing_but_itself(tmp_path: Path) -> None:
    """What it imports costs every run: it belongs into the server's preload."""
    settings = shop(tmp_path, "os.write(1, repr(sorted(sys.modules)).encode())")
    told = list[str]()
    before = client._to_stderr
    client._to_stderr = told.append
    try:
        assert run(settings, "shop.orders").published
    finally:
        client._to_stderr = before
    assert "dataops_mesh.transform.job" in "".join(told)
    assert "great_expectations" not in "".join(told)


def test_two_transforms_at_once_do_not_end_each_other(tmp_path: Path) -> None:
    settings = shop(tmp_path, "time.sleep(1)")
    found = list[bool]()
    runs = [
        threading.Thread(
            target=lambda n=n: found.append(
                run_product(
                    product(settings, "shop.orders"), environment(settings), run_id=f"run-{n}"
                ).published
            )
        )
        for n in range(2)
    ]
    for one in runs:
        one.start()
    for one in runs:
        one.join()
    assert found == [True, True]
    assert read(settings, "select id from shop.orders") == [(1,)]
