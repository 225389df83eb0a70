"""Out of dbt: hooks, macros and models in Python try to write, to read, and to lie about tests."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from helpers import a_product, a_setting, a_source, environment, read, run, write_workspace

from dataops_mesh.errors import DeclarationError, TransformError
from dataops_mesh.gate import Refuse
from dataops_mesh.settings import Settings
from dataops_mesh.store.log import latest
from dataops_mesh.transform.confine.preload import ENVIRONMENT

PROJECT = {
    "dbt_project.yml": "name: books\nversion: 1.0.0\nprofile: books\nmodel-paths: [models]\n@more",
    "models/schema.yml": (
        "version: 2\nmodels:\n  - name: totals\n    access: public\n"
        "    columns:\n      - {name: n, data_tests: [{accepted_values: {values: [1]}}]}\n"
    ),
    "models/totals.sql": "select 1::integer as n\n",
}


def books(root: Path, files: dict[str, str], more: str = "") -> Settings:
    """A product of dbt beside a victim; `@victim` in the files is its published file."""
    victim = a_product(
        {"orders": ["{name: id, logicalType: integer}"]},
        inputs=[a_source("rows", "rows.csv")],
        files={"orders.sql": "select id::int as id from rows", "rows.csv": "id\n1\n"},
    )
    totals = a_product(
        {"totals": ["{name: n, logicalType: integer}"]},
        settings=a_setting("transform", "{dbt: {project: ../../../project}}"),
        files={},
    )
    settings = write_workspace(root, {"shop": {"orders": victim}, "books": {"totals": totals}})
    assert run(settings, "shop.orders").published
    (file,) = settings.store_folder.glob("candidates/shop/orders/*/orders/*.parquet")
    for name, text in {**PROJECT, **files}.items():
        path = root / "project" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.replace("@more", more).replace("@victim", str(file)), "utf-8")
    return settings


COPY = "copy (select 666 as id) to '@victim' (format parquet)"
OUT = {
    "a hook that writes": (
        {"models/totals.sql": f'{{{{ config(post_hook="{COPY}") }}}}\nselect 1::integer as n\n'},
        "",
    ),
    "an end of the run that writes": ({}, f'on-run-end: "{COPY}"\n'),
    "a start of the run that reads": (
        {},
        "on-run-start: \"create table stolen as from read_parquet('@victim')\"\n",
    ),
    "an external table": (
        {
            "models/totals.sql": (
                "{{ config(materialized='external', location='@victim') }}\nselect 1::integer as n\n"
            )
        },
        "",
    ),
    "a model in Python that opens": (
        {
            "models/totals.sql": "select n from {{ ref('thief') }}\n",
            "models/thief.py": (
                "def model(dbt, session):\n    open('@victim', 'rb').read()\n"
                "    return session.sql('select 1::integer as n')\n"
            ),
        },
        "",
    ),
}


@pytest.mark.parametrize("case", OUT)
def test_dbt_reaches_no_file_of_another_product(tmp_path: Path, case: str) -> None:
    files, more = OUT[case]
    settings = books(tmp_path, files, more)
    with pytest.raises((TransformError, DeclarationError)):
        run(settings, "books.totals")
    assert {str(address) for address in latest(environment(settings).store).ports} == {
        "shop.orders"
    }
    assert read(settings, "select id from shop.orders") == [(1,)]


# It succeeded where models and tests shared a process: published, with a row that its test forbids.
LIES = """\
def model(dbt, session):
    import dbt.task.test as tests

    passed = tests.TestResultData(
        failures=0, should_warn=False, should_error=False, adapter_response={}
    )
    tests.TestRunner.execute_data_test = lambda *_: passed
    return session.sql("select 2::integer as n")
"""


def test_a_model_in_python_cannot_say_how_its_tests_ended(tmp_path: Path) -> None:
    files = {"models/totals.sql": "select n from {{ ref('liar') }}\n", "models/liar.py": LIES}
    report = run(books(tmp_path, files), "books.totals")
    assert isinstance(report.decision, Refuse)
    assert "accepted_values_totals_n" in report.decision.reasons[0]


def test_a_parse_that_never_ends_is_a_declaration_error(tmp_path: Path) -> None:
    """Jinja is code: it runs confined and limited in time like the rest."""
    loops = "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}"
    files = {"models/totals.sql": f"{loops}select 1 as n\n"}
    settings = books(tmp_path, files)
    settings = settings.model_copy(update={"transform_limit": 5.0})
    with pytest.raises(DeclarationError, match="exceeded its time limit"):
        run(settings, "books.totals")


PRELOADED = """\
import json
from dataops_mesh.transform.confine import preload, preload_dbt
from dataops_mesh.transform.confine.processes import threads
preload.python()
preload.dbt(0)
told = [len(threads())]
from mashumaro.core.meta.code.builder import CodeBuilder
made = []
for name in ("add_unpack_method", "add_pack_method"):
    def record(self, _real=getattr(CodeBuilder, name)):
        made.append(f"{self.cls.__name__} {self.format_name}")
        return _real(self)
    setattr(CodeBuilder, name, record)
preload_dbt.compile_classes()
again = sorted(set(made))
preload.dbt(preload._MANY)
print(json.dumps([*told, len(threads()), again]))
"""


def test_what_dbt_makes_of_its_classes_is_made_once_by_one_thread() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PRELOADED], env={**os.environ, **ENVIRONMENT},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    before, after, made = json.loads(done.stdout.splitlines()[-1])
    assert (before, after) == (1, 1)
    assert made == []
