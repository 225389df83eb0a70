"""Products with masked columns, and what may be left of their values."""

from __future__ import annotations

import hashlib
import hmac
import json
from pathlib import Path

import duckdb
from helpers import a_contract, a_product, a_setting, a_source, write_workspace

KEY = "a long enough key of people"
MARKER = "q7Zr81kXw2VbN5tL"


def column(name: str, logical: str, mask: str = "", more: str = "") -> str:
    said = f", customProperties: [{a_setting('masking', mask).strip()[2:]}]" if mask else ""
    return f"{{name: {name}, logicalType: {logical}{more}{said}}}"


def people(rows: str, *columns: str, rules: tuple[str, ...] = (), sql: str = ""):
    names = rows.partition("\n")[0]
    key = column("id", "integer", more=", primaryKey: true")
    return a_product(
        {"people": a_contract("people", [key, *columns], *rules)},
        inputs=[a_source("people_csv", "people.csv", more="options: {all_varchar: true}")],
        files={
            "people.sql": sql or f"select id::int as id, {names[3:]} from people_csv",
            "people.csv": rows,
        },
    )


def workspace(root: Path, files, settings: str = ""):
    return write_workspace(root, {"hr": {"people": files}}, settings=settings)


def hashed(text: str, key: str = KEY) -> str:
    return hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()


def cells(root: Path) -> str:
    """Return every value of every Parquet file below a folder, and the bytes of all others."""
    found = []
    for path in root.rglob("*"):
        if path.suffix == ".parquet":
            rows = duckdb.sql(f"from read_parquet('{path}')").fetchall()
            found.append(json.dumps(rows, default=str))
        elif path.is_file():
            found.append(path.read_bytes().decode("latin-1"))
    return "\n".join(found)
