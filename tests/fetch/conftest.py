from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from web_server import Web, serving

from dataops_mesh.fetch import faults

sys.path.insert(0, str(Path(__file__).parents[1] / "production"))


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    """A server that the operator has named as the connection `web`."""
    monkeypatch.setattr(faults, "PAUSES", (0.0, 0.0, 0.0))
    with serving() as found:
        monkeypatch.setenv("MESH_CONNECTION_WEB", found.url("/"))
        yield found


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    from postgres import postgres

    with postgres() as url:
        yield url.replace("+psycopg2", "")


@pytest.fixture
def database(server: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """An empty schema, named as the connection `shop_db`."""
    from postgres_cases import execute

    monkeypatch.setattr(faults, "PAUSES", (0.0, 0.0, 0.0))
    monkeypatch.setenv("MESH_CONNECTION_SHOP_DB", server)
    execute(server, "drop schema if exists public cascade", "create schema public")
    return server
