"""A value that a model puts into SQL, into `ref()` or into words is in no error of dbt's."""

from __future__ import annotations

from pathlib import Path

import pytest
from dbt_cases import mesh, write_project
from helpers import run

from dataops_mesh.errors import TransformError

VALUE = "N7ac86aa35045f499"
CSV = f"id,amount,note\n1,10,{VALUE}\n"
ASKED = (
    "{% if execute %}{% set z = run_query('select max(note) from ' ~ source('shop', 'orders'))"
    ".columns[0].values()[0] %}{% else %}{% set z = 'zz' %}{% endif %}"
)
ORDERS = "{{ source('shop', 'orders') }}"
MODELS = {
    "a column": "select id, {{ z }} as x from " + ORDERS,
    "a model": "select * from {{ ref(z) if execute else source('shop', 'orders') }} -- " + ORDERS,
    "twice": "select id from " + ORDERS + " x {{ z }} {{ z }}",
    "a table": "select * from " + ORDERS + ", {{ z }}",
    "a schema": "select * from " + ORDERS + ", {{ z }}.t",
    "a function": "select {{ z }}(id) as x from " + ORDERS,
    "a type": "select id::{{ z }} as x from " + ORDERS,
    "a file": "select * from read_csv('{{ z }}.csv'), " + ORDERS,
    "an alias": "select a.x from (select 1 as {{ z }}) a, " + ORDERS,
    "a compiler error": "{{ exceptions.raise_compiler_error(z) if execute }} select * from "
    + ORDERS,
    "undefined": '{{ exceptions.raise_compiler_error("\'" ~ z ~ "\' is undefined") if execute }} select 1 from '
    + ORDERS,
}
PYTHON = {
    "NameError": "raise NameError(f\"name '{z}' is not defined\")",
    "a module": "import importlib; importlib.import_module(z)",
    "an engine's": "session.sql('select * from ' + z)",
    "PermissionError": "raise PermissionError(13, 'Permission denied', z)",
}


@pytest.mark.parametrize("name", MODELS)
def test_no_words_of_a_model_show_a_value(tmp_path: Path, name: str):
    settings = mesh(tmp_path, CSV)
    text = "{{ config(materialized='table') }}" + ASKED + MODELS[name]
    write_project(tmp_path, {"models/leak.sql": text})
    with pytest.raises(TransformError) as caught:
        run(settings, "books.both")
    assert VALUE.lower() not in str(caught.value).lower()
    assert "leak" in str(caught.value)


@pytest.mark.parametrize("name", PYTHON)
def test_no_words_of_a_model_in_python_show_a_value(tmp_path: Path, name: str):
    settings = mesh(tmp_path, CSV)
    text = (
        "def model(dbt, session):\n    z = dbt.source('shop', 'orders').fetchall()[0][2]\n"
        f"    {PYTHON[name]}\n    return dbt.source('shop', 'orders')\n"
    )
    write_project(tmp_path, {"models/leak.py": text})
    with pytest.raises(TransformError) as caught:
        run(settings, "books.both")
    assert VALUE.lower() not in str(caught.value).lower()
    assert "leak" in str(caught.value)


def test_no_words_of_a_test_show_a_value(tmp_path: Path):
    settings = mesh(tmp_path, CSV)
    text = ASKED + "select {{ z }} from {{ ref('totals') }} -- " + ORDERS
    write_project(tmp_path, {"tests/leak.sql": text})
    assert VALUE.lower() not in str(run(settings, "books.both").decision).lower()
