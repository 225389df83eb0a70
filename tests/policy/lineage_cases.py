"""Two inputs and what is followed of them: one with restricted columns, one that is public."""

from __future__ import annotations

from functools import cache

import duckdb

from dataops_mesh.plan.lineage.breakers import clear_columns

STAFF = ["id", "digits", "pin", "born", "city", "note", "tags"]
ROOMS = ["id", "city", "size"]
SECRET = {"digits", "pin", "born", "note"}
# Two whose names would be one, were a dot written as it may not be.
RESTRICTED = ("people.staff", "people__st.aff")
SCHEMAS = {**dict.fromkeys((*RESTRICTED, "people.st__aff"), STAFF), "shop.rooms": ROOMS}


def named(query: str) -> str:
    """Return a query in which the inputs are called by their addresses."""
    return query.replace("STAFF", "people.staff").replace("ROOMS", "shop.rooms")


def followed(query: str) -> set[str] | None:
    """Return the restricted columns that are in `x`, of two the last; None if nobody can tell."""
    found = clear_columns(named(query), SCHEMAS, is_secret) or {}
    low = {name.lower(): origins for name, origins in found.items()}
    return {name for at, name in low["x"] if is_secret((at, name))} if "x" in low else None


def is_secret(origin: tuple[str, str]) -> bool:
    """Tell whether an input's column is restricted."""
    return origin[0] in RESTRICTED and origin[1] in SECRET


def must_run(query: str) -> None:
    """Make sure that DuckDB takes a query: of one that it refuses nothing can be followed."""
    _database().execute(f"explain {named(query)}")


@cache
def _database() -> duckdb.DuckDBPyConnection:
    con = duckdb.connect()
    con.execute("create schema people; create schema people__st; create schema shop")
    kinds = "id integer, digits integer, pin integer, born date, city varchar, note json"
    for name in (*RESTRICTED, "people.st__aff"):
        con.execute(f"create table {name} ({kinds}, tags varchar[])")
    con.execute("create table shop.rooms (id integer, city varchar, size integer)")
    con.execute("create table csv (id integer, email varchar)")
    return con
