"""Out of the confined process: every attack of `attacks_from_inside.py`, tried in one run."""

from __future__ import annotations

import ctypes
import json
import os
import platform
import resource
import signal
import socket
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import attacks_from_inside
import pytest
from helpers import a_product, a_source, an_input, read, run, write_product, write_workspace

from dataops_mesh.transform.confine import landlock
from dataops_mesh.transform.walls import weakness

pytestmark = pytest.mark.skipif(
    platform.machine() != "x86_64", reason="the attacks name system calls by number"
)
# Refused by seeming to work; from outside nothing has changed.
SILENT = {
    "change the mode of an input",
    "change the time of an input",
    "give an input an attribute",
    "signal everybody",
}
SIGNALS = 6  # the version of Landlock since which signals are scoped
SECRET = "a secret of the parent"  # noqa: S105 - of this test
NAME = "{name: name, logicalType: string}"
NUMBER = "{name: id, logicalType: integer}"


def state(path: Path) -> tuple:
    found = path.stat()
    return path.read_bytes(), found.st_mode, found.st_mtime_ns, found.st_nlink, os.listxattr(path)


def ourselves() -> tuple:
    scheduled = os.sched_getscheduler(0), os.getpriority(os.PRIO_PROCESS, 0)
    return resource.getrlimit(resource.RLIMIT_CPU), os.sched_getaffinity(0), *scheduled


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """What each attack came to, after everything was seen to be as it had been."""
    root = tmp_path_factory.mktemp("mesh")
    customers, orders = (
        a_product(
            {port: [NUMBER, NAME]},
            inputs=[a_source("rows", "rows.csv")],
            files={
                f"{port}.sql": "select id::int as id, name from rows",
                "rows.csv": "id,name\n1,x\n",
            },
        )
        for port in ("customers", "orders")
    )
    columns = ["{name: attack, logicalType: string}", "{name: outcome, logicalType: string}"]
    thing = a_product(
        {"thing": columns},
        inputs=[an_input("shop.orders")],
        files={"transform.py": Path(attacks_from_inside.__file__).read_text("utf-8")},
    )
    settings = write_workspace(
        root,
        {"shop": {"customers": customers, "orders": orders}, "evil": {"thing": thing}},
        settings='alerts_file = "alerts.toml"\n',
    )
    dagster = root / ".mesh" / "dagster" / "secret"
    dagster.parent.mkdir(parents=True)
    dagster.write_text(SECRET)
    (root / "alerts.toml").write_text(f'password = "{SECRET}"\n')
    for name in ("shop.customers", "shop.orders"):
        assert run(settings, name).published
    store = settings.store_folder
    (victim,) = store.glob("candidates/shop/customers/*/customers/*.parquet")
    release = min(store.glob("heads/production/*.json"))
    (given,) = store.glob("candidates/shop/orders/*/orders/*.parquet")
    memory = ctypes.create_string_buffer(SECRET.encode())
    with ExitStack() as stack:
        stack.enter_context(pytest.MonkeyPatch.context()).setenv("A_SECRET", SECRET)
        temporary = stack.enter_context(tempfile.NamedTemporaryFile())
        file = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "socket"
        listening = [
            stack.enter_context(socket.socket(family))
            for family in (socket.AF_UNIX, socket.AF_UNIX, socket.AF_INET)
        ]
        abstract = f"dataops-mesh-{os.getpid()}"
        for server, address in zip(
            listening, (str(file), "\0" + abstract, ("127.0.0.1", 0)), strict=True
        ):
            server.bind(address)
            server.listen()
        facts = {
            "victim": str(victim),
            "input": str(given),
            "parent": os.getpid(),
            "memory": ctypes.addressof(memory),
            "store": str(store),
            "release": str(release),
            "source": str(root / "domains/shop/customers/rows.csv"),
            "dagster": str(dagster),
            "alerts": str(root / "alerts.toml"),
            "settings": str(root / "pyproject.toml"),
            "home": str(Path.home()),
            "temporary": temporary.name,
            "unix": str(file),
            "abstract": abstract,
            "tcp": listening[2].getsockname()[1],
        }
        write_product(root, "evil", "thing", {"facts.json": json.dumps(facts)})
        watched = [victim, given, root / "domains/evil/thing/transform.py", release]
        before = [state(path) for path in watched], ourselves()
        told = list[int]()
        usual = signal.signal(signal.SIGCONT, lambda number, _: told.append(number))
        try:
            report = run(settings, "evil.thing")
        finally:
            signal.signal(signal.SIGCONT, usual)
        assert not told or landlock.abi() < SIGNALS
        assert report.published, report.decision
        assert ([state(path) for path in watched], ourselves()) == before
        assert sorted(p.name for p in victim.parent.iterdir()) == [victim.name]
        assert read(settings, "select id, name from shop.customers") == [(1, "x")]
        yield dict(read(settings, "select attack, outcome from evil.thing"))


@pytest.mark.parametrize("attack", attacks_from_inside.ATTACKS)
def test_no_way_leads_out_of_a_transform(outcomes: dict[str, str], attack: str) -> None:
    if attack in SILENT:
        return  # the fixture has compared what it would have changed
    if landlock.abi() < SIGNALS and attack.startswith("signal"):
        assert "signals" in weakness()  # said in `mesh status`
        return
    assert outcomes[attack] != "open"
