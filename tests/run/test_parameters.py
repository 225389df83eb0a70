"""What a product is built with differs between environments, is on record, and is its code."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from helpers import a_product, a_setting, a_source, environment, mesh, read, run, write_workspace
from helpers import product as load

from dataops_mesh.engine.read import connect
from dataops_mesh.errors import ConflictError, DeclarationError, UnknownNameError
from dataops_mesh.run.changed import why_changed
from dataops_mesh.run.identity import code_version
from dataops_mesh.run.inputs.parameters import require_set
from dataops_mesh.sandbox.promotion import promote
from dataops_mesh.settings import load_settings
from dataops_mesh.spec.loader import load_product
from dataops_mesh.spec.parameters import with_values
from dataops_mesh.store.holding import Asked
from dataops_mesh.store.line.known import find
from dataops_mesh.store.line.opening import NOBODY, open_sandbox
from dataops_mesh.store.log import latest
from dataops_mesh.store.manifest import read_manifest
from dataops_mesh.transform.sql import sql_problems

TRIES = Asked("ben", "to try", NOBODY)
COLUMNS = ["{name: after, logicalType: integer}", "{name: said, logicalType: string}"]
TAKES = a_setting("parameters", "[late_after, team]")
SETS = """
[tool.dataops_mesh.parameters.default]
late_after = 15
team = "it's ours"

[tool.dataops_mesh.parameters.canary]
late_after = 30
"""
SQL = "select n + mesh_parameter('late_after') - n as after, Mesh_Parameter('team') as said from d"
PYTHON = """\
import pyarrow as pa

def transform(d, parameters):
    return pa.table({"after": [parameters["late_after"]], "said": [parameters["team"]]})
"""


def workspace(root, *, takes=TAKES, sets=SETS, files=None):
    late = a_product(
        ports={"late": COLUMNS},
        inputs=[a_source("d", "d.csv")],
        settings=takes,
        files=files or {"late.sql": SQL, "d.csv": "n\n1\n"},
    )
    plain = a_product(
        ports={"plain": ["{name: n, logicalType: integer}"]},
        inputs=[a_source("d", "d.csv")],
        files={"plain.sql": "select n::bigint as n from d", "d.csv": "n\n1\n"},
    )
    return write_workspace(root, {"shop": {"late": late, "plain": plain}}, settings=sets)


def up(settings, name, parameters=""):
    lease = datetime.now(UTC) + timedelta(days=1)
    store = environment(settings).store
    open_sandbox(store, name, TRIES, lease, parameters=require_set(settings, parameters))
    return load_settings(settings.root, sandbox=name)


def asked(settings, sandbox=""):
    with connect(settings.store_folder, sandbox=sandbox) as published:
        return published.execute("from shop.late").fetchall()


@pytest.mark.parametrize("files", [None, {"transform.py": PYTHON, "d.csv": "n\n1\n"}])
def test_a_sandbox_builds_with_its_own_values_and_nothing_of_it_is_promoted(tmp_path, files):
    settings = workspace(tmp_path, files=files)
    for name in ("shop.late", "shop.plain"):
        assert run(settings, name).published
    assert read(settings, "from shop.late") == [(15, "it's ours")]
    inside = up(settings, "canary", "canary")
    assert run(inside, "shop.late").published
    assert asked(settings, "canary") == [(30, "it's ours")]
    assert asked(settings) == [(15, "it's ours")]
    there = environment(inside)
    manifest = read_manifest(there.store, next(iter(latest(there.store).ports.values())).candidate)
    assert manifest.parameters == (("late_after", "30"), ("team", '"it\'s ours"'))
    assert list(why_changed(mesh(inside).products, there)) == []
    products = {one.qualified_name: one for one in mesh(settings).products}
    with pytest.raises(ConflictError, match="was built with another late_after"):
        promote(find(there.store, "canary"), environment(settings), products, (), "")
    # With production's values it is promoted like anything else.
    (tmp_path / "domains/shop/late/d.csv").write_text("n\n2\n", "utf-8")
    assert run(up(settings, "plain"), "shop.late").published
    promote(find(there.store, "plain"), environment(settings), products, (), "")


def test_another_value_is_another_version_of_what_takes_it_and_of_nothing_else(tmp_path):
    settings = workspace(tmp_path)
    for name in ("shop.late", "shop.plain"):
        assert run(settings, name).published
    before = {name: code_version(load(settings, name)) for name in ("shop.late", "shop.plain")}
    assert list(why_changed(mesh(settings).products, environment(settings))) == []
    file = tmp_path / "pyproject.toml"
    file.write_text(file.read_text("utf-8").replace("= 15", "= 16"), "utf-8")
    assert code_version(load(settings, "shop.late")) != before["shop.late"]
    assert code_version(load(settings, "shop.plain")) == before["shop.plain"]
    assert list(why_changed(mesh(settings).products, environment(settings))) == ["shop.late"]


def test_a_value_is_text_where_it_is_text(tmp_path):
    settings = workspace(tmp_path, sets=SETS.replace("it's ours", "'); drop table d; --"))
    assert run(settings, "shop.late").published
    assert read(settings, "select said from shop.late") == [("'); drop table d; --",)]


@pytest.mark.parametrize(
    ("takes", "sql", "told"),
    [
        (a_setting("parameters", "[late_after]"), SQL, 'asks for the parameter "team"'),
        ("", SQL, "does not take"),
        (TAKES, SQL.replace("'team'", "said"), "takes the name of one parameter"),
    ],
)
def test_what_is_asked_for_wrongly_is_said_with_its_line(tmp_path, takes, sql, told):
    settings = workspace(tmp_path, takes=takes, files={"late.sql": f"\n{sql}", "d.csv": "n\n1\n"})
    (problem,) = sql_problems(load(settings, "shop.late"))
    assert told in problem.what
    assert str(problem.where).endswith("late.sql:2")


def test_what_has_no_value_is_said_with_the_choices(tmp_path):
    settings = workspace(tmp_path, sets=SETS.replace("late_after = 15", "late_aftr = 15"))
    with pytest.raises(DeclarationError) as caught:
        load(settings, "shop.late")
    (problem,) = caught.value.problems
    assert 'the parameter "late_after" has no value' in problem.what
    assert problem.choices == ("late_aftr", "team")
    with pytest.raises(UnknownNameError, match='no set of parameters "canry"'):
        require_set(settings, "canry")


def test_dbt_is_told_by_its_vars():
    root = Path(__file__).parents[2]
    project = replace(
        load_product(root / "domains/punctuality/punctuality", root), takes=("late_after",)
    )
    sets = {"default": {"late_after": 15}, "canary": {"late_after": 30}}
    for name, value in (("default", 15), ("canary", 30), ("other", 15)):
        told = with_values(project, sets, name)
        assert json.loads(told.transform.dbt.vars)["late_after"] == value
