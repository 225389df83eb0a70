"""`mesh report docs` writes pages that find each other; `mesh serve` starts, answers and ends."""

from __future__ import annotations

import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import time
from html import unescape
from pathlib import Path
from urllib.parse import unquote

import pytest
from helpers import environment, mesh

from dataops_mesh.web.catalogue import catalogue_of
from dataops_mesh.web.serve import Where, hosts_of
from dataops_mesh.web.static import write_pages


@pytest.fixture(scope="module")
def folder(settings, tmp_path_factory):
    out = tmp_path_factory.mktemp("files")
    count = write_pages(environment(settings), catalogue_of(mesh(settings), settings), out)
    assert count == len(list(out.rglob("*.html")))
    return out


def test_every_link_of_a_file_leads_to_a_file(folder):
    seen = 0
    for file in folder.rglob("*.html"):
        for link in re.findall(r'href="([^"]*)"', file.read_text("utf-8")):
            target = unquote(unescape(link)).partition("#")[0]
            assert not target.startswith("/"), (file, link)
            assert not target or (file.parent / target).resolve().is_file(), (file, link)
            seen += 1
    assert seen > 100


def test_the_files_have_every_product_and_no_form(folder):
    assert (folder / "index.html").is_file()
    assert len(list((folder / "products").glob("*.html"))) == 8
    assert all("<form" not in file.read_text("utf-8") for file in folder.rglob("*.html"))


def test_only_this_machine_is_answered_unless_somebody_says_otherwise():
    assert "*" not in hosts_of(Where())
    assert "*" not in hosts_of(Where(host="::1"))
    assert hosts_of(Where(host="0.0.0.0")) == ("*",)  # noqa: S104 - what is asked
    assert hosts_of(Where(host="0.0.0.0", names=("mesh.example",)))[-1] == "mesh.example"  # noqa: S104
    assert hosts_of(Where(socket=Path("x"))) == ("*",)


class _Unix(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=10)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.connect(str(self._path))


def test_the_server_answers_on_a_socket_and_ends_when_it_is_told(settings, tmp_path):
    place = tmp_path / "s"
    kept = {k: v for k, v in os.environ.items() if not k.startswith("DATAOPS_MESH_")}
    process = subprocess.Popen(
        [sys.executable, "-m", "dataops_mesh.cli.main", "serve", "--socket", str(place)],
        cwd=settings.root,
        env={**kept, "PYTHONPATH": str(Path(__file__).parents[2])},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        until = time.monotonic() + 60
        while not place.exists() and time.monotonic() < until and process.poll() is None:
            time.sleep(0.05)
        connection = _Unix(place)
        connection.request("GET", "/api/products/shop.orders")
        answer = connection.getresponse()
        assert answer.status == 200
        assert b'"refused"' in answer.read()
        connection.close()
    finally:
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=30)
    assert "Traceback" not in said
    assert str(place) in said
