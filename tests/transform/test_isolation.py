"""What a workspace and a product say about the walls: isolation, and the network."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from helpers import environment, run
from test_confined_processes import shop

from dataops_mesh.errors import SettingsError, TransformError
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
