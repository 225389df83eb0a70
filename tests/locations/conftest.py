"""Two repositories, two virtual environments, one store; the second has the library as a wheel."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
from filelock import FileLock
from helpers import a_product, a_source, an_input, write_workspace
from two_repositories import PROJECT, Pair

LONG = os.environ.get("HYPOTHESIS_PROFILE") == "long"
collect_ignore = [] if LONG else ["test_long_two_environments.py"]
FAMILY = "from dataops_mesh import load_domain\n\ndefs = load_domain(__file__)\n"


@pytest.fixture(scope="session")
def other_python(tmp_path_factory) -> Path:
    """The interpreter of an environment that has dataops_mesh as a wheel, and `only_there`."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base
    target = shared / "other-environment"
    with FileLock(f"{target}.lock"):
        if not target.exists():
            building = shared / "other-environment-building"
            shutil.rmtree(building, ignore_errors=True)
            _make_environment(building, shared)
            building.rename(target)
    return target / "bin" / "python"


def _make_environment(target: Path, shared: Path) -> None:
    """Make it without a network: third-party packages are borrowed from this environment."""
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-q"]
    offline = ["--no-deps", "--no-index"]
    source = shared / "source"
    without = shutil.ignore_patterns("__pycache__", ".mesh", "*.duckdb")
    shutil.copytree(PROJECT / "dataops_mesh", source / "dataops_mesh", ignore=without)
    for name in ("pyproject.toml", "README.md", "LICENSE", "NOTICE"):
        shutil.copy(PROJECT / name, source)
    wheel = [*pip, "wheel", *offline, "--no-build-isolation", "-w", str(shared), "."]
    subprocess.run(wheel, cwd=source, check=True)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(target)], check=True)
    (site,) = target.glob("lib/python*/site-packages")
    (file,) = shared.glob("dataops_mesh-*.whl")
    subprocess.run([*pip, "install", *offline, "--target", str(site), str(file)], check=True)
    # A path in a .pth file is searched last, and the .pth files in it are not followed: an
    # editable dataops_mesh of this environment does not show through.
    (site / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n", "utf-8")
    (site / "only_there.py").write_text("FACTOR = 3\n", "utf-8")


ORDERS = (
    "{name: id, logicalType: integer, primaryKey: true}",
    "{name: amount, logicalType: integer}",
    "{name: note, logicalType: string}",
)
TRANSFORM = """\
import os

import duckdb
import only_there


def transform(shop_orders: duckdb.DuckDBPyRelation) -> duckdb.DuckDBPyRelation:
    print("what a transform prints is no answer")
    if os.environ.get("TRANSFORM_DIES"):
        os._exit(9)
    factor = int(os.environ.get("TRANSFORM_FACTOR", only_there.FACTOR))
    return shop_orders.aggregate(f"(sum(amount) * {factor})::BIGINT AS total")
"""


@pytest.fixture
def pair(tmp_path, other_python) -> Pair:
    """The seller joins the reader's domain, and reads what the reader makes of its orders."""
    seller, reader = tmp_path / "seller", tmp_path / "reader"
    seller.mkdir()
    reader.mkdir()
    orders = a_product(
        ports={"orders": ORDERS},
        inputs=[a_source("orders_csv", "orders.csv")],
        files={
            "orders.sql": "select id, amount, note from orders_csv",
            "orders.csv": "id,amount,note\n1,10,a\n2,20,b\n",
        },
    )
    report = a_product(
        ports={"report": ["{name: total, logicalType: integer}"]},
        inputs=[an_input("desk.totals")],
        files={"report.sql": "select total from desk.totals"},
    )
    total = "{name: total, logicalType: integer, logicalTypeOptions: {minimum: 0}}"
    totals = a_product(
        ports={"totals": [total]},
        inputs=[an_input("shop.orders")],
        files={"transform.py": TRANSFORM},
        settings="",
    )
    store = f'store = "{tmp_path / "store"}"\n'
    joined = f"""\
[tool.dataops_mesh.locations.desk]
folder = "../reader/domains/desk"
python = "{other_python}"
"""
    write_workspace(seller, {"shop": {"orders": orders, "report": report}}, settings=store)
    (seller / "pyproject.toml").write_text((seller / "pyproject.toml").read_text() + joined)
    write_workspace(reader, {"desk": {"totals": totals}}, settings=store)
    (seller / "domains" / "shop" / "definitions.py").write_text(FAMILY, "utf-8")
    there = f"import only_there\n\n{FAMILY}\nassert only_there.FACTOR\n"
    (reader / "domains" / "desk" / "definitions.py").write_text(there, "utf-8")
    return Pair(seller, reader, other_python)
