"""The package's surface: small, lazy, and free of what does not belong in a repository."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import dataops_mesh

REPOSITORY = Path(__file__).parents[1]
HEAVY = {
    *("great_expectations", "dbt", "dagster_dbt", "dagster", "pandas", "polars", "pyspark"),
    *("duckdb", "sqlglot", "pyarrow", "sqlalchemy"),
}
SOURCES = sorted((REPOSITORY / "dataops_mesh").rglob("*.py"))


def imported_by(statement):
    code = f"{statement}\nimport json, sys\nprint(json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        timeout=60,
    )
    return {name.partition(".")[0] for name in json.loads(done.stdout)}


def committed_files():
    done = subprocess.run(
        ["git", "-C", str(REPOSITORY), "ls-files", "-z"], capture_output=True, check=False
    )
    names = [name for name in done.stdout.decode().split("\0") if name]
    found = [REPOSITORY / name for name in names]
    return [file for file in found if file.is_file()] or [
        file for file in REPOSITORY.glob("[!.]*/**/*") if file.is_file()
    ]


def test_what_is_exported_is_what_is_visible():
    assert sorted(dataops_mesh.__all__) == dir(dataops_mesh)
    for name in dataops_mesh.__all__:
        assert getattr(dataops_mesh, name) is not None


def test_a_name_that_does_not_exist_is_an_attribute_error():
    with pytest.raises(AttributeError, match="load_domian"):
        _ = dataops_mesh.load_domian


@pytest.mark.parametrize(
    "module", ["dataops_mesh", "dataops_mesh.spec.loader", "dataops_mesh.cli.main"]
)
def test_importing_is_cheap(module):
    """Dagster's `dg` imports every registered package; a CLI that only looks must be quick."""
    assert imported_by(f"import {module}") & (HEAVY - {"sqlglot"}) == set()


def test_consuming_imports_duckdb_and_nothing_heavier():
    imported = imported_by("from dataops_mesh import connect")
    assert imported & (HEAVY - {"duckdb", "sqlglot"}) == set()


EVENT_LOG = REPOSITORY / "dataops_mesh" / "factory" / "eventlog"


def modules_named(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_only_public_parts_of_dagster_are_used_outside_the_event_log():
    """A private module of Dagster may change in any patch release; the event log looks for that."""
    private = [
        (str(file.relative_to(REPOSITORY)), name)
        for file in SOURCES
        if EVENT_LOG not in file.parents
        for name in modules_named(ast.parse(file.read_text("utf-8")))
        if re.match(r"dagster(_dbt)?\.(.*\.)?_", name)
    ]
    assert private == []


# Written in parts, so that this file does not find itself.
FOREIGN = re.compile(
    "|".join(
        [
            r"(?<![\w.])/" + r"work/(main|shared)",
            r"(?<![\w.])/" + r"root/",
            r"(?<![\w.])/" + r"tmp/w/",
            r"(?<![\w.])/" + r"home/\w",
            r"files\.python" + r"hosted\.org",
            r"py" + r"pi\.org/(simple|packages)",
            r"registry\.npm" + r"js\.org",
            r"--(extra-)?index" + r"-url[= ]",
            r"https?://(10\.\d|192\.168\.)",
        ]
    )
)


def test_no_committed_file_names_a_machine_or_a_registry():
    found = []
    for file in committed_files():
        try:
            text = file.read_text("utf-8")
        except UnicodeDecodeError:
            continue
        found += [
            f"{file.relative_to(REPOSITORY)}:{number}: {match.group()}"
            for number, line in enumerate(text.splitlines(), 1)
            if (match := FOREIGN.search(line))
        ]
    assert found == []


def test_nothing_is_left_for_later():
    marks = re.compile(r"\b(TO" + r"DO|FIX" + r"ME)\b")
    left = [
        f
        for f in [*SOURCES, *REPOSITORY.glob("tests/**/*.py")]
        if marks.search(f.read_text("utf-8"))
    ]
    assert left == []
