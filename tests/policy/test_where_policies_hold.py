"""The same verdict in `mesh check`, before a run and where Dagster loads a domain."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
from policy_cases import FILES, PRODUCT, replaced, verdict, write

from dataops_mesh.errors import DeclarationError, SettingsError
from dataops_mesh.factory.domain import load_domain
from dataops_mesh.policy import plugin
from dataops_mesh.policy.judge import judge
from dataops_mesh.policy.model import Finding, Policy
from dataops_mesh.settings import load_settings
from dataops_mesh.spec.loader import load_mesh
from dataops_mesh.spec.model import Severity

REPOSITORY = Path(__file__).parents[2]
NO_TEAM = replaced(
    PRODUCT, "team: {name: shop, members: [{username: ana@mesh.example, role: owner}]}\n", ""
)


def mesh(root: Path, *arguments: str):
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("DATAOPS_MESH_", "DAGSTER_"))}
    return subprocess.run(
        [sys.executable, "-m", "dataops_mesh.cli.main", *arguments],
        cwd=root, env=kept | {"PYTHONPATH": str(REPOSITORY)}, capture_output=True, text=True,
        check=False, timeout=120,
    )  # fmt: skip


@pytest.fixture
def refused(tmp_path):
    return write(tmp_path, {FILES["product"]: NO_TEAM, "policies.yaml": "rules: {owner: error}\n"})


def test_a_location_of_which_a_policy_refuses_a_product_does_not_load(refused):
    with pytest.raises(DeclarationError, match=r"product.odps.yaml:1: team: .*policy owner"):
        load_domain(refused / "domains" / "shop")


def test_a_location_loads_although_another_domain_breaks_a_policy(refused):
    assert load_domain(refused / "domains" / "desk").resolve_asset_graph()


def test_a_location_loads_with_warnings(tmp_path):
    root = write(tmp_path, {FILES["product"]: NO_TEAM})
    assert load_domain(root / "domains" / "shop").resolve_asset_graph()


def test_check_and_run_refuse_with_the_same_words(refused):
    checked, ran = mesh(refused, "check"), mesh(refused, "run", "shop.orders")
    assert (checked.returncode, ran.returncode) == (1, 2)
    words = "domains/shop/orders/product.odps.yaml:1: team: no team owns the product (policy owner"
    assert words in checked.stderr
    assert words in ran.stderr
    assert not (refused / ".mesh" / "store" / "heads").exists()


def test_a_product_is_not_refused_for_another_one(refused):
    assert mesh(refused, "check", "desk.tickets").returncode == 0


def test_a_broken_policies_file_refuses_everything(tmp_path):
    root = write(tmp_path, {"policies.yaml": "rules: {ownr: error}\n"})
    for domain in ("shop", "desk"):
        with pytest.raises(DeclarationError, match=r"policies.yaml:1"):
            load_domain(root / "domains" / domain)
    assert mesh(root, "check").returncode == 1


def test_a_policies_file_that_is_set_must_exist(tmp_path):
    root = write(tmp_path)
    settings = load_settings(root, policies="platform/policies.yaml")
    with pytest.raises(SettingsError, match=r"platform/policies.yaml"):
        judge(load_mesh(root), settings)


def test_cel_is_imported_only_where_there_is_such_a_rule(tmp_path):
    write(tmp_path, {"policies.yaml": "default: error\n"})
    code = (
        "import sys; from pathlib import Path; from dataops_mesh.settings import load_settings; "
        "from dataops_mesh.spec.loader import load_mesh; from dataops_mesh.policy.judge import judge; "
        "judge(load_mesh(Path.cwd()), load_settings()); "
        "print(sorted({m.partition('.')[0] for m in sys.modules} & {'celpy', 'lark', 'dagster', 'duckdb'}))"
    )
    said = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
    )  # fmt: skip
    assert said.stdout == "[]\n", said.stderr


def _no_telephone(product, _options, _around) -> Iterator[Finding]:
    if "telephone" in product.limitations:
        yield Finding("telephones again", product.where)


def _broken(_product, _options, _around) -> None:
    raise RuntimeError("a bug")


TELEPHONE = Policy("no_telephone", "it is the year it is", _no_telephone, Severity.ERROR)
BROKEN = [Policy("broken", "never works", _broken)]
TAKEN = Policy("owner", "ours", _no_telephone)
NOT_A_POLICY = "a text"


def plugged(monkeypatch, *names: str):
    points = [EntryPoint(n, f"{__name__}:{n}", plugin.GROUP) for n in names]
    monkeypatch.setattr(plugin, "brought", lambda: tuple(points))


def test_a_policy_in_python_comes_with_a_package(tmp_path, monkeypatch):
    plugged(monkeypatch, "TELEPHONE")
    (found,) = verdict(write(tmp_path)).violations
    assert (found.rule, found.finding.what) == ("no_telephone", "telephones again")
    off = "rules: {no_telephone: {severity: off, reason: we like them}}\n"
    assert verdict(write(tmp_path, {"policies.yaml": off})).violations == ()


def test_a_package_that_is_installed_meanwhile_is_not_overlooked(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    for count, name in enumerate(("one", "two")):
        assert len(plugin.brought()) == count
        folder = tmp_path / f"{name}-1.0.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(f"Name: {name}\nVersion: 1.0\n")
        (folder / "entry_points.txt").write_text(f"[{plugin.GROUP}]\n{name} = policies:{name}\n")
    found = sorted((entry.name, entry.dist.name) for entry in plugin.brought())
    assert found == [("one", "one"), ("two", "two")]


def test_a_policy_that_raises_is_broken_not_passed(tmp_path, monkeypatch):
    plugged(monkeypatch, "BROKEN")
    found = verdict(write(tmp_path)).violations
    assert [v.finding.what for v in found] == ["the policy raised RuntimeError: a bug"] * 2


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("TAKEN", 'there is a policy "owner" already'),
        ("NOT_A_POLICY", "must be a Policy"),
        ("ABSENT", "cannot be imported: AttributeError"),
    ],
)
def test_a_package_with_a_bad_policy_is_a_problem(tmp_path, monkeypatch, name, says):
    plugged(monkeypatch, name)
    with pytest.raises(DeclarationError, match=says):
        verdict(write(tmp_path))


def test_the_example_mesh_keeps_its_strict_policies():
    said = mesh(REPOSITORY, "check")
    assert said.returncode == 0, said.stderr
    assert "policy grain_is_stated" in said.stderr
    assert "the waiver of row_count for weather.as_delivered ends on 2014-01-20" in said.stderr
