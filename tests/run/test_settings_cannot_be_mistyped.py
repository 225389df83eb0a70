"""A setting is read as it was meant, or is said with its line."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from helpers import environment, run
from record_cases import shop

from dataops_mesh.errors import SettingsError, StoreError
from dataops_mesh.settings import find_root, load_settings


def test_a_misspelled_setting_is_said_with_its_line(tmp_path: Path) -> None:
    shop(tmp_path)
    pyproject = tmp_path / "pyproject.toml"
    pyproject.write_text("[tool.dataops_mesh]\nthreds = 4\ntime_limit = -1\n")
    with pytest.raises(SettingsError) as caught:
        load_settings(tmp_path)
    found = {(str(p.where), p.key): p.what for p in caught.value.problems}
    assert 'did you mean "threads"' in found["pyproject.toml:2", "tool.dataops_mesh.threds"]
    assert ("pyproject.toml:3", "tool.dataops_mesh.time_limit") in found


def test_a_misspelled_environment_variable_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop(tmp_path)
    monkeypatch.setenv("DATAOPS_MESH_STOER", "/elsewhere")
    with pytest.raises(SettingsError, match="DATAOPS_MESH_STORE"):
        load_settings(tmp_path)
    monkeypatch.delenv("DATAOPS_MESH_STOER")
    monkeypatch.setenv("DATAOPS_MESH_THREADS", "many")
    with pytest.raises(SettingsError) as caught:
        load_settings(tmp_path)
    assert caught.value.problems[0].key == "DATAOPS_MESH_THREADS"


def test_the_environment_wins_over_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATAOPS_MESH_THREADS", "3")
    monkeypatch.setenv("DATAOPS_MESH_STORE", str(tmp_path / "there"))
    settings = shop(tmp_path)
    assert environment(settings).threads == 3
    run(settings, "shop.both")
    assert (tmp_path / "there/heads").is_dir()
    assert not (tmp_path / ".mesh/store").exists()
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    assert settings.dagster_folder == tmp_path / ".mesh/dagster"
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "home"))
    assert settings.dagster_folder == tmp_path / "home"


def test_without_a_workspace_the_error_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        find_root(tmp_path)
    assert "[tool.dataops_mesh]" in caught.value.problems[0].next
    (tmp_path / "pyproject.toml").write_text("[tool.dataops_mesh\n")
    with pytest.raises(SettingsError) as caught:
        find_root(tmp_path)
    assert str(caught.value.problems[0].where).endswith("pyproject.toml:1")


def test_a_run_never_uses_a_store_that_is_something_else(tmp_path: Path) -> None:
    settings = shop(tmp_path, 'store = "domains"\n')
    with pytest.raises(StoreError, match="neither a store nor empty"):
        run(settings, "shop.both")


def test_threads_are_the_cores_unless_said(tmp_path: Path) -> None:
    settings = shop(tmp_path)
    assert environment(load_settings(tmp_path, threads=0)).threads == os.cpu_count()
    assert environment(settings).threads == 1


LINKS = {
    "DATAOPS_MESH_PORT": "tcp://10.0.0.1:80",
    "DATAOPS_MESH_PORT_80_TCP": "tcp://10.0.0.1:80",
    "DATAOPS_MESH_PORT_80_TCP_ADDR": "10.0.0.1",
    "DATAOPS_MESH_SERVICE_HOST": "10.0.0.1",
    "DATAOPS_MESH_SERVICE_PORT": "80",
    "DATAOPS_MESH_SERVICE_PORT_HTTP": "80",
    "DATAOPS_MESH_UI_SERVICE_HOST": "10.0.0.1",
    "DATAOPS_MESH_GATE_PORT_53_UDP_PROTO": "udp",
    "DATAOPS_MESH_STORE_SERVICE_PORT_HTTPS": "443",
    "DATAOPS_MESH_NAME": "/web/dataops_mesh",  # a link of Docker
    "DATAOPS_MESH_ENV_PATH": "/usr/bin",
    "DATAOPS_MESH_PORT_8080_TCP_PORT_START": "8080",
}


def test_what_a_cluster_says_of_its_services_is_no_setting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop(tmp_path)
    for name, value in LINKS.items():
        monkeypatch.setenv(name, value)
    before = load_settings(tmp_path)
    assert (before.gate, before.ui_url) == (None, "")
    monkeypatch.setenv("DATAOPS_MESH_PROT", "x")
    with pytest.raises(SettingsError, match="DATAOPS_MESH_PROT"):
        load_settings(tmp_path)
