from __future__ import annotations

from collections.abc import Iterator

import pytest
from web_server import Web, serving

from dataops_mesh.fetch import faults


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    """A server that the operator has named as the connection `web`."""
    monkeypatch.setattr(faults, "PAUSES", (0.0, 0.0, 0.0))
    with serving() as found:
        monkeypatch.setenv("MESH_CONNECTION_WEB", found.url("/"))
        yield found
