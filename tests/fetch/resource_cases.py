"""A shop whose orders are asked by a resource of dlt, in a file beside its declaration."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from fetch_cases import shop
from web_server import Web

from dataops_mesh.settings import Settings

RESOURCE = 'resource: "orders.py:orders", connection: shop_api'
ALONE = 'resource: "orders.py:orders"'
KEY = "hunter2-key"
ASKING = """
import dlt
from dlt.sources.helpers import requests


@dlt.resource
def orders(url: str = dlt.config.value, api_key: str = dlt.secrets.value):
    answer = requests.get(url, headers={"Authorization": api_key})
    answer.raise_for_status()
    yield answer.json()
"""
GROWING = """
import dlt
from dlt.sources.helpers import requests


@dlt.resource(primary_key="id")
def orders(
    url: str = dlt.config.value,
    api_key: str = dlt.secrets.value,
    seen=dlt.sources.incremental("id", initial_value=0),
):
    rows = requests.get(url, headers={"Authorization": api_key}).json()
    yield [row for row in rows if row["id"] > seen.last_value]
"""
YIELDING = """
import datetime as dt
import decimal
import math

import dlt


@dlt.resource{columns}
def orders():
    {body}
"""
NETWORK = "customProperties:\n  - {property: network, vendor: dataops_mesh, value: true}\n"


def yielding(body: str, columns: str = "") -> str:
    """Return a resource of this body; `columns` is the inside of its argument of that name."""
    said = f"(columns={{{columns}}})" if columns else ""
    return YIELDING.format(columns=said, body=body)


def a_shop(
    root: Path, code: str, *columns: str, value: str = "", network: bool = True, **more: Any
) -> Settings:
    """Return a workspace with one product that reads a resource."""
    made = shop(root, value or (RESOURCE if "api_key" in code else ALONE), *columns, **more)
    folder = root / "domains/shop/orders"
    write_code(root, code)
    file = folder / "product.odps.yaml"
    file.write_text(file.read_text("utf-8") + NETWORK * network, "utf-8")
    return made


def write_code(root: Path, code: str) -> None:
    (root / "domains/shop/orders/orders.py").write_text(code, "utf-8")


def an_api(web: Web, monkeypatch: pytest.MonkeyPatch, *ids: int) -> None:
    """Have a server answer with orders, to whom has the key; a connection says both."""
    offer(web, *ids)
    web.password = KEY
    said = f'url = "{web.url("/orders")}"\napi_key = "{KEY}"\n'
    monkeypatch.setenv("MESH_CONNECTION_SHOP_API", said)


def offer(web: Web, *ids: int) -> None:
    web.files["/orders"] = json.dumps([{"id": one} for one in ids]).encode()
