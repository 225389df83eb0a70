"""Ctrl-C reaches every process of the terminal: what is said is what was cancelled, and no more."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from helpers import a_product, a_source, environment, write_workspace

MESH = "from dataops_mesh.cli.main import main; main()"
SLOW = """\
import time


def transform(rows):
    print("BUILDING", flush=True)
    time.sleep(600)
    return rows
"""
FOREVER = "select sum(hash(a.range, b.range)) from range(1000000) a, range(10000000) b"


@pytest.fixture
def slow(tmp_path):
    found = a_product(
        {"orders": ["{name: id, logicalType: integer}"]},
        inputs=[a_source("rows", "rows.csv")],
        files={"transform.py": SLOW, "rows.csv": "id\n1\n"},
    )
    return write_workspace(tmp_path, {"shop": {"orders": found}})


def typed(settings, *arguments: str) -> subprocess.Popen:
    """Type a command in a terminal of its own: a process group that hears Ctrl-C."""
    path = os.pathsep.join([str(Path(__file__).parents[2]), *sys.path])
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("DATAOPS_", "DAGSTER_"))}
    file = settings.root / "said"
    with file.open("wb") as said:
        return subprocess.Popen(
            [sys.executable, "-c", MESH, *arguments],
            cwd=settings.root,
            stdout=said,
            stderr=said,
            start_new_session=True,
            env={**clean, "PYTHONPATH": path, "DAGSTER_DISABLE_TELEMETRY": "1"},
        )


def interrupt(process: subprocess.Popen, settings) -> tuple[int, list[str], float]:
    """Press Ctrl-C; return the code, the lines that were said, and the seconds until the end."""
    began = time.monotonic()
    os.killpg(process.pid, signal.SIGINT)
    code = process.wait(60)
    text = (settings.root / "said").read_text("utf-8")
    return code, [line for line in text.splitlines() if line.strip()], time.monotonic() - began


def alive_in(group: int) -> list[str]:
    listed = subprocess.run(
        ["ps", "-eo", "pgid=,args="], capture_output=True, text=True, check=True
    )
    return [line for line in listed.stdout.splitlines() if line.split()[0] == str(group)]


def test_a_cancelled_run_says_that_and_no_traceback_of_what_dagster_started(slow):
    process = typed(slow, "run")
    until = time.monotonic() + 120
    while "BUILDING" not in (slow.root / "said").read_text("utf-8"):
        assert (time.monotonic() < until, process.poll()) == (True, None)
        time.sleep(0.1)
    code, lines, seconds = interrupt(process, slow)
    assert code == 130
    assert [line.split()[0] for line in lines] == ["shop.orders", "cancelled"], lines
    assert "cancelled before anything was published" in lines[-1]
    assert seconds < 30
    assert alive_in(process.pid) == []


@pytest.mark.parametrize("seconds", [0, 1.5])
def test_a_run_that_had_not_begun_is_no_bug_and_does_not_wait_for_its_gate(slow, seconds):
    process = typed(slow, "run")
    until = time.monotonic() + 60
    while not Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text("utf-8"):
        assert (time.monotonic() < until, process.poll()) == (True, None)
        time.sleep(0.02)
    time.sleep(seconds)  # the gate imports, and the declarations are looked at
    code, lines, _ = interrupt(process, slow)
    assert code == 130
    assert [line for line in lines if "cancelled" not in line] == []


LOST = """
import os, signal, time, weakref
from dataops_mesh.cli import main
class Gone:
    def __del__(self):
        os.kill(os.getpid(), signal.{name}) if {how} else None
        time.sleep(0.01)
def called():
    gone = Gone()
    ended = weakref.ref(gone, lambda _: None if {how} else os.kill(os.getpid(), signal.{name}))
    del gone
    time.sleep(60)
main.app = lambda **_: called()
main.main()
"""


@pytest.mark.parametrize("how", [True, False], ids=["in a __del__", "in a weak reference"])
@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
def test_an_interrupt_that_python_ignores_where_it_is_raised_comes_again(name: str, *, how: bool):
    path = os.pathsep.join([str(Path(__file__).parents[2]), *sys.path])
    ended = subprocess.run(
        [sys.executable, "-c", LOST.format(name=name, how=how)],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (130, "")


def test_a_query_ends_with_ctrl_c_and_is_no_bug(slow):
    environment(slow)  # an empty store
    process = typed(slow, "query", FOREVER)
    until = time.monotonic() + 60
    while _seconds_of_cpu(process.pid) < 4:
        assert (time.monotonic() < until, process.poll()) == (True, None)
        time.sleep(0.1)
    assert interrupt(process, slow)[:2] == (130, [])


def _seconds_of_cpu(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text("utf-8").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
