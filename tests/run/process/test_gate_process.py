"""Nobody but the gate's own process judges and commits, and it has met no code of a domain."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from helpers import a_product, a_source, environment, product, read, write_workspace

from dataops_mesh.errors import DeclarationError, NotPublishedError, RunError, SettingsError
from dataops_mesh.run.checks import all_checks
from dataops_mesh.run.process import client, wire
from dataops_mesh.run.process.client import gate_run, start_gate
from dataops_mesh.settings import load_settings
from dataops_mesh.transform.walls import walls_of

KEY = "{name: id, logicalType: integer, primaryKey: true}"
RANGE = "{name: amount, logicalType: integer, logicalTypeOptions: {minimum: 0}}"
FOREVER = (
    "select sum(hash(a.range, b.range)) % 2 as id from src, range(1000000) a, range(10000000) b"
)


def orders(csv="id,amount\n1,5\n", sql="select id, amount from src", columns=(KEY, RANGE)):
    return a_product(
        ports={"orders": list(columns)},
        inputs=[a_source("src", "orders.csv")],
        files={"orders.sql": sql, "orders.csv": csv},
    )


@pytest.fixture
def shop(tmp_path):
    return write_workspace(tmp_path, {"shop": {"orders": orders()}})


def gate(settings, name="shop.orders", **known: Any):
    """Run a product through the gate process of this process."""
    found = known.pop("product", None) or product(settings, name)
    checks = all_checks(found, walls_of(settings))
    return gate_run(found, settings, checks, run_id=known.pop("run_id", "r1"), **known)


def test_what_the_gate_decided_is_what_the_caller_is_told(shop):
    stages = []
    report = gate(shop, progress=stages.append)
    assert report.published
    assert report.publication == 1
    assert report.rows == 1
    assert {result.check for result in report.results} == {check.name for check in report.checks}
    assert stages[-1] == "published as 1"
    assert read(shop, "select * from shop.orders") == [(1, 5)]


def test_a_caller_whose_gate_is_switched_off_publishes_nothing(tmp_path, monkeypatch):
    import dataops_mesh.gate
    import dataops_mesh.run.product

    settings = write_workspace(tmp_path, {"shop": {"orders": orders("id,amount\n1,-99\n")}})
    for module in (dataops_mesh.gate, dataops_mesh.run.product):
        monkeypatch.setattr(module, "decide", lambda *_, **__: dataops_mesh.gate.Publish(()))
    report = gate(settings)
    assert not report.published
    with pytest.raises(NotPublishedError):
        read(settings, "select * from shop.orders")


def test_a_caller_with_a_contract_of_its_own_is_refused(shop):
    lenient = product(shop, "shop.orders")
    checks = all_checks(lenient, walls_of(shop))[:1]
    with pytest.raises(DeclarationError, match="reload the code location"):
        gate_run(lenient, shop, checks, run_id="r1")


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (b"{}\n", "words it does not know"),
        (b"no json\n", "words it does not know"),
        (b"[" * 2000 + b"\n", "words it does not know"),
        (b'{"ask": "run", "root": 1}\n', "words it does not know"),
        (
            b'{"ask":"run","root":"/","folder":"/","run_id":"x","line":"production","token":"guess"}\n',
            "token",
        ),
    ],
)
def test_whoever_does_not_know_the_token_is_answered_and_nothing_runs(shop, said, why):
    gate(shop)
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(start_gate(shop)))
        connection.sendall(said)
        answer = json.loads(connection.makefile().readline())
    assert answer["error"] == "SettingsError"
    assert why in answer["problems"][0]["what"]


def test_the_token_and_the_socket_are_for_nobody_else(shop):
    gate(shop)
    path = start_gate(shop)
    for file in (path, Path(f"{path}.token")):
        assert file.stat().st_mode & 0o077 == 0


def test_silence_and_floods_do_not_keep_others_waiting(shop):
    gate(shop)
    path = str(start_gate(shop))
    silent = [socket.socket(socket.AF_UNIX) for _ in range(20)]
    for connection in silent:
        connection.connect(path)
        connection.sendall(b'{"ask": ')
    flood = socket.socket(socket.AF_UNIX)
    flood.connect(path)
    with pytest.raises(OSError):  # noqa: PT011 - it is cut off, by one of two errors
        flood.sendall(b"x" * (64 << 20))
    assert gate(shop, run_id="r2").publication == 2
    for connection in (*silent, flood):
        connection.close()


def test_a_gate_of_another_store_is_told_apart(shop, monkeypatch):
    wrong = shop.model_copy(update={"store": Path("elsewhere")})
    with pytest.raises(SettingsError, match="another store"):
        gate(wrong, product=product(shop, "shop.orders"))


def test_an_unreachable_gate_is_a_setting_to_mend(shop):
    nowhere = shop.model_copy(update={"gate": Path("none.sock")})
    with pytest.raises(SettingsError, match="no gate process listens"):
        gate(nowhere)


def _interrupt_after(seconds) -> None:
    main = threading.main_thread().ident
    timer = threading.Timer(seconds, lambda: signal.pthread_kill(main, signal.SIGINT))
    timer.start()


def test_a_cancel_ends_a_query_that_would_run_for_hours(tmp_path):
    sql = FOREVER
    settings = write_workspace(tmp_path, {"shop": {"orders": orders(sql=sql, columns=[KEY])}})
    start_gate(settings)
    found = product(settings, "shop.orders")
    stages = []

    def tell(stage) -> None:
        stages.append(stage)
        if stage.startswith("building"):
            _interrupt_after(0.5)

    with pytest.raises(KeyboardInterrupt):
        gate(settings, product=found, progress=tell)
    assert stages[-1] == "cancelled before anything was published"
    assert read_nothing(settings)
    (tmp_path / "domains" / "shop" / "orders" / "orders.sql").write_text("select 1 as id from src")
    assert gate(settings).publication == 1  # without a hand


def test_no_wait_for_the_gate_is_so_long_that_an_interrupt_before_it_is_lost(monkeypatch):
    waits: list[float] = []
    real = select.poll

    def noted() -> Any:
        poll = real()
        return SimpleNamespace(
            register=poll.register, poll=lambda most: [waits.append(most), poll.poll(most)][1]
        )

    monkeypatch.setattr(wire.select, "poll", noted)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        threading.Timer(0.8, theirs.sendall, [b'{"done": true}\n']).start()
        assert next(wire.Answers(ours).lines()) == b'{"done": true}'
    assert len(waits) > 1
    assert all(0 <= most <= 1000 for most in waits)


def test_a_line_that_an_interrupt_cut_off_is_read_to_its_end():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(b'{"stage": "a"}\n{"sta')
        answers = wire.Answers(ours)
        assert next(answers.lines()) == b'{"stage": "a"}'
        _interrupt_after(0.3)
        with pytest.raises(KeyboardInterrupt):
            next(answers.lines())
        theirs.sendall(b'ge": "b"}\n')
        assert next(answers.lines(until=time.monotonic() + 9)) == b'{"stage": "b"}'


def test_a_cancel_after_the_commit_says_so(shop):
    stages = []

    def tell(stage) -> None:
        stages.append(stage)
        if stage.startswith("published"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        gate(shop, progress=tell)
    assert stages[-1] == "cancelled after publication 1"
    assert read(shop, "select count(*) from shop.orders") == [(1,)]


def test_a_killed_gate_process_is_a_fault_and_the_next_run_starts_another(shop):
    gate(shop)
    client._own[0].process.kill()
    client._own[0].process.wait()
    assert gate(shop, run_id="r2").publication == 2


def test_a_run_whose_process_is_killed_is_a_fault_of_the_machinery(tmp_path):
    settings = write_workspace(tmp_path, {"shop": {"orders": orders(sql=FOREVER, columns=[KEY])}})

    def tell(stage) -> None:
        if stage.startswith("building"):
            server = client._own[0].process.pid
            children = Path(f"/proc/{server}/task/{server}/children").read_text().split()
            for child in children:
                os.kill(int(child), signal.SIGKILL)

    with pytest.raises(RunError, match="exit status -9"):
        gate(settings, progress=tell)


def test_the_gate_ends_with_whoever_started_it(tmp_path):
    write_workspace(tmp_path, {"shop": {"orders": orders(sql=FOREVER, columns=[KEY])}})
    code = (
        "import sys; sys.path[:0] = sys.argv[1:2]\n"
        "from test_gate_process import gate; from dataops_mesh.settings import load_settings\n"
        "from dataops_mesh.run.process import client; from pathlib import Path\n"
        "def tell(stage) -> None:\n"
        "    if stage.startswith('building'): print(client._own[0].process.pid, flush=True)\n"
        "gate(load_settings(Path(sys.argv[2])), progress=tell)\n"
    )
    arguments = [sys.executable, "-c", code, str(Path(__file__).parent), str(tmp_path)]
    path = os.pathsep.join([str(Path(__file__).parents[2]), *sys.path])
    caller = subprocess.Popen(
        arguments, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": path}
    )
    server = int(caller.stdout.readline())
    children = Path(f"/proc/{server}/task/{server}/children").read_text().split()
    assert children
    caller.kill()
    caller.wait()
    caller.stdout.close()
    until = time.monotonic() + 10
    while time.monotonic() < until and any(map(_alive, [server, *map(int, children)])):
        time.sleep(0.05)
    assert not any(map(_alive, [server, *map(int, children)]))
    assert read_nothing(load_settings(tmp_path))


def test_a_run_that_is_over_leaves_the_gate_nothing_to_do(shop):
    """The gate may be an older one, with a server beside it that confines code."""
    client.start_gate(shop)
    server = client._own[0].process.pid
    children = Path(f"/proc/{server}/task/{server}/children")
    before = {*children.read_text().split()}
    for _ in range(3):
        assert gate(shop).published
        assert {*children.read_text().split()} <= before  # one of an earlier run may end meanwhile


def read_nothing(settings) -> bool:
    return environment(settings).store.releases.is_dir() and not any(
        environment(settings).store.releases.glob("*.json")
    )


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False
