"""What a workspace and a product say about the walls: isolation, and the network."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from helpers import environment, run
from test_confined_processes import shop

from dataops_mesh.errors import DeclarationError, SettingsError, TransformError
from dataops_mesh.settings import load_settings
from dataops_mesh.store.manifest import read_manifest
from dataops_mesh.transform.confine import landlock
from dataops_mesh.transform.walls import missing

NETWORK = """\
import socket, threading
server = socket.create_server(('127.0.0.1', 0))
threading.Thread(target=lambda: server.accept()[0].send(b'x'), daemon=True).start()
assert socket.create_connection(server.getsockname()).recv(1) == b'x'
"""


@pytest.mark.parametrize("network", [False, True])
def test_the_network_is_closed_unless_the_product_says_so(
    tmp_path: Path,
    network: bool,  # noqa: FBT001 - a case
) -> None:
    setting = "- {property: network, vendor: dataops_mesh, value: true}\n" if network else ""
    settings = shop(tmp_path, NETWORK, more=setting)
    if not network:
        with pytest.raises(TransformError, match="PermissionError"):
            run(settings, "shop.orders")
        return
    report = run(settings, "shop.orders")
    assert report.published
    assert read_manifest(environment(settings).store, report.candidate).confined.endswith("network")


def test_isolation_that_is_required_and_not_there_runs_nothing(tmp_path: Path) -> None:
    """As on a machine without Landlock: a filter refuses its calls, as old containers do."""
    shop(tmp_path, "pass", 'isolation = "required"\n')
    script = (
        "import sys, pathlib\n"
        "from dataops_mesh.transform.confine import landlock\n"
        "import ctypes, struct\n"
        "lines = [(0x20,0,0,0), (0x15,0,1,444), (6,0,0,0x50001), (6,0,0,0x7fff0000)]\n"
        "code = b''.join(struct.pack('=HBBI', *l) for l in lines)\n"
        "buffer = ctypes.create_string_buffer(code, len(code))\n"
        "program = struct.pack('HxxxxxxP', len(lines), ctypes.addressof(buffer))\n"
        "libc = ctypes.CDLL(None); libc.prctl(38, 1, 0, 0, 0)\n"
        "assert libc.prctl(22, 2, program, 0, 0) == 0\n"
        "from helpers import run\n"
        "from dataops_mesh.settings import load_settings\n"
        "from dataops_mesh.errors import RunError\n"
        "for isolation in ('available', 'required'):\n"
        "    settings = load_settings(pathlib.Path(sys.argv[1]), isolation=isolation)\n"
        "    try: print(run(settings, 'shop.orders').published)\n"
        "    except RunError as error: print(error)\n"
    )
    path = os.pathsep.join([str(Path(__file__).parents[1]), *sys.path])
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.startswith("True\n"), done.stderr
    assert "domain code cannot be confined here: Landlock of version 3" in done.stdout
    assert missing() == () or landlock.abi() < 3


def test_isolation_is_one_of_two_words(tmp_path: Path) -> None:
    shop(tmp_path, "pass")
    with pytest.raises(SettingsError):
        load_settings(tmp_path, isolation="perhaps")


SHARED = """\
try:
    with open('/dev/shm/dataops_mesh_test', 'x') as file: file.write('x')
except PermissionError: pass
else: raise AssertionError('memory that other transforms can read')
"""


def test_transforms_share_no_memory(tmp_path: Path) -> None:
    assert run(shop(tmp_path, SHARED), "shop.orders").published
    assert not Path("/dev/shm/dataops_mesh_test").exists()  # noqa: S108 - that it is not there


PROCESSES = """\
import multiprocessing, multiprocessing.pool
from concurrent.futures import ProcessPoolExecutor
with multiprocessing.Pool(2) as pool: assert pool.map(abs, range(-9, 0)) == list(range(9, 0, -1))
with multiprocessing.pool.ThreadPool(2) as pool: assert pool.map(abs, [-1, 2]) == [1, 2]
with ProcessPoolExecutor(2) as pool: assert list(pool.map(abs, [-1, 2])) == [1, 2]
queue, event = multiprocessing.Queue(2), multiprocessing.Event()
bounded, again = multiprocessing.Semaphore(2), multiprocessing.RLock()
total = multiprocessing.Value('i', 0)
def add():
    for _ in range(200):
        with total.get_lock(): total.value += 1
    event.wait(30)
    queue.put('done')
ones = [multiprocessing.Process(target=add) for _ in range(2)]
[one.start() for one in ones]
event.set()
assert [queue.get(timeout=30) for _ in ones] == ['done', 'done']
[one.join() for one in ones]
assert total.value == 400
with again, again: pass
assert bounded.acquire() and bounded.acquire() and not bounded.acquire(timeout=0.05)
once = multiprocessing.Lock()
with once: pass
try: once.release()
except ValueError: pass
else: raise AssertionError('released too often')
"""


def test_a_transform_has_pools_locks_and_queues(tmp_path: Path) -> None:
    assert run(shop(tmp_path, PROCESSES), "shop.orders").published


def test_what_a_transform_prints_steers_no_terminal(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    body = r"print('one\ttwo \x1b[2J\x1b]52;c;eA==\x07\x9b31m\rthree')"
    assert run(shop(tmp_path, body), "shop.orders").published
    said = capfd.readouterr().err
    assert "one\ttwo [2J]52;c;eA==31mthree\n" in said


def test_a_dbt_project_lies_in_no_other_domains_folder(tmp_path: Path) -> None:
    where = "domains/other/dbt"
    project = tmp_path / where
    project.mkdir(parents=True, exist_ok=True)
    (project / "dbt_project.yml").write_text("name: p\nversion: 1.0.0\n", "utf-8")
    setting = f"- {{property: transform, vendor: dataops_mesh, value: {{dbt: {{project: ../../../{where}}}}}}}\n"
    with pytest.raises(DeclarationError, match="lies in another domain's folder"):
        run(shop(tmp_path, "pass", more=setting), "shop.orders")
