"""A connection is for the products that its keeper names; where nobody can tell, for none."""

from __future__ import annotations

from pathlib import Path

import pytest
from fetch_cases import ID, run, shop
from helpers import read
from web_server import Web

from dataops_mesh.errors import SourceError

FOLDER = 'connections = "keys"\n'


def write(root: Path, web: Web, users: bytes | None) -> Path:
    folder = root / "keys"
    folder.mkdir()
    (folder / "web").write_text(web.url("/") + "\n", "utf-8")
    if users is not None:
        (folder / "web_for").write_bytes(users)
    return folder


@pytest.mark.parametrize("users", [None, b"shop", b"other, shop.orders\n", b"other\nshop"])
def test_it_is_for_whom_it_says(tmp_path: Path, web: Web, users: bytes | None):
    web.files["/a.csv"] = b"id\n1\n"
    write(tmp_path, web, users)
    settings = shop(tmp_path, f'url: "{web.url("/a.csv")}", connection: web', settings=FOLDER)
    assert run(settings).published
    assert read(settings, "select id from shop.orders") == [(1,)]


@pytest.mark.parametrize("users", [b"", b"other", b"shop.other", b"sho", b"\xff\xfe", "a folder"])
def test_it_is_for_nobody_else_and_for_nobody_where_that_cannot_be_read(
    tmp_path: Path, web: Web, users: bytes | str
):
    web.files["/a.csv"] = b"id\n1\n"
    folder = write(tmp_path, web, users if isinstance(users, bytes) else None)
    if isinstance(users, str):
        (folder / "web_for").mkdir()
    settings = shop(tmp_path, f'url: "{web.url("/a.csv")}", connection: web', ID, settings=FOLDER)
    with pytest.raises(SourceError, match=r"is not for shop|cannot be read") as told:
        run(settings)
    assert web.url("/") not in str(told.value).replace(web.url("/a.csv"), "")
    assert not web.asked
