"""An error of domain code, or of an engine about its words, shows no value of the data."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers import a_contract, a_product, a_source, an_input, run, write_workspace

from dataops_mesh.errors import MeshError

VALUE = "N7ac86aa35045f499"
ROWS = f"id,note\n1,{VALUE}\n"
ID = "{name: id, logicalType: integer, classification: public}"
NOTE = "{name: note, logicalType: string, classification: %s}"
MASK = (
    "{name: note, logicalType: string, classification: restricted, customProperties: [{property: "
    "mask, vendor: dataops_mesh, value: {method: constant, value: x}}]}"
)
FIRST = "    v = staff_csv.fetchall()[0][1]\n"

BODIES = {
    "a text is SQL": "    return '(select 1) t ' + v + ' ' + v + ' ' + v\n",
    "a value is returned": "    return v\n",
    "a table": "    return 'select * from ' + v\n",
    "a column": "    return 'select 1 as id, ' + v + ' as note'\n",
    "a function": "    return 'select 1 as id, ' + v + '(2) as note'\n",
    "a type": "    return 'select 1 as id, 2::' + v + ' as note'\n",
    "a file": "    return 'select * from read_csv(\\'' + v + '\\')'\n",
    "a relation's column": "    return staff_csv.project('id, ' + v + ' as x')\n",
    "a name": "    raise NameError(v)\n",
    "a name that looks like one": '    raise NameError("name \'" + v + "\' is not defined")\n',
    "a module": "    import importlib\n    importlib.import_module(v)\n",
    "a module by hand": "    raise ModuleNotFoundError('No module named ' + repr(v))\n",
    "an engine's": "    import duckdb\n    raise duckdb.IOException(v)\n",
    "an engine's catalogue": "    import duckdb\n    raise duckdb.CatalogException(v)\n",
    "an engine's binder": "    import duckdb\n    raise duckdb.BinderException('Binder Error: ' + v)\n",
    "a class": "    raise type(v, (Exception,), {})()\n",
    "a class of the module": (
        "    import builtins\n    k = type(v, (Exception,), {'__module__': 'builtins'})\n"
        "    setattr(builtins, v, k)\n    raise k()\n"
    ),
    "a class of rows": "    return type(v, (), {})()\n",
    "words of this library": (
        "    from dataops_mesh.errors import Location, Problem, TransformError as E\n"
        "    raise E(Problem(v, Location(v, 4711), choices=(v,), next=v))\n"
    ),
    "two columns": ("    import pandas\n    return pandas.DataFrame([[1, 2]], columns=[v, v])\n"),
    "a type of Arrow": (
        "    import pyarrow\n"
        "    return pyarrow.table({v: pyarrow.array([b'x'], pyarrow.binary(1)).cast("
        "pyarrow.binary(1)), 'n': pyarrow.array([None], pyarrow.decimal256(70, 2))})\n"
    ),
    "the pipe": (
        "    import json, os\n    error = {'kind': 'TransformError', 'errno': 0, 'safe': v, "
        "'line': 1, 'problems': [], 'text': ''}\n"
        "    os.write(3, json.dumps({'ok': False, 'error': error}).encode())\n    os._exit(0)\n"
    ),
    "the pipe, a problem": (
        "    import json, os\n    one = {'what': v, 'file': v, 'line': 4711, 'choices': [v], "
        "'next': v}\n"
        "    error = {'kind': 'RunError', 'errno': 0, 'safe': '', 'line': 1, 'problems': [one], "
        "'text': ''}\n"
        "    os.write(3, json.dumps({'ok': False, 'error': error}).encode())\n    os._exit(0)\n"
    ),
    "lines": "    return '\\n' * 4711 + 'select note::int as id from staff_csv'\n",
}


def staff(body: str, note: str) -> dict[str, str | bytes]:
    return a_product(
        {"staff": a_contract("staff", [ID, note])},
        inputs=[a_source("staff_csv", "staff.csv")],
        files={"transform.py": f"def transform(staff_csv):\n{FIRST}{body}", "staff.csv": ROWS},
    )


def failed(root: Path, files: dict, name: str = "hr.staff", **more: dict) -> str:
    """Return all that is told of a run and kept of it, but the text that only its owner reads."""
    domain, _, product = name.partition(".")
    settings = write_workspace(root, {**more, domain: {product: files}})
    for others, products in more.items():
        for other in products:
            run(settings, f"{others}.{other}")
    with pytest.raises(MeshError) as caught:
        run(settings, name)
    kept = [file for file in settings.store_folder.rglob("*") if file.is_file()]
    told = [file for file in kept if file.name.startswith("ledger") or ".json" in file.name]
    return "\n".join([str(caught.value), *(file.read_bytes().decode("latin-1") for file in told)])


@pytest.mark.parametrize("note", [NOTE % "restricted", MASK], ids=["restricted", "masked"])
@pytest.mark.parametrize("name", BODIES)
def test_no_words_of_python_show_a_value(tmp_path: Path, name: str, note: str):
    said = failed(tmp_path, staff(BODIES[name], note))
    assert VALUE not in said
    assert VALUE.lower() not in said.lower()
    assert "4711" not in said.partition("\n")[0]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("    return staff_csv.project('id, nope')\n", 'Referenced column "nope" not found'),
        ("    return 'select nope from staff_csv'\n", 'Referenced column "nope" not found'),
        ("    return 'select id fro staff_csv t t'\n", 'syntax error at or near "staff_csv"'),
        ("    return staff_cvs\n", "name 'staff_cvs' is not defined"),
        ("    import nosuch_package\n", "No module named 'nosuch_package'"),
        ("    return 'select sum(note) from staff_csv'\n", "'sum(VARCHAR)'"),
        ("    return {}\n", "must return its output port"),
        ("    return 7\n", "a int is not rows"),
    ],
)
def test_an_honest_slip_keeps_its_help(tmp_path: Path, body: str, said: str):
    assert said in failed(tmp_path, staff(body, NOTE % "restricted"))


def test_words_about_open_data_are_told(tmp_path: Path):
    files = staff("    raise NameError('whatever ' + v)\n", NOTE % "internal")
    contract = a_contract("staff_csv", [ID, NOTE % "public"])
    product = "product.odps.yaml"
    open_files = files | {"inputs/staff_csv.odcs.yaml": contract, product: files[product]}
    assert VALUE in failed(tmp_path, open_files)


def test_what_is_read_of_others_counts(tmp_path: Path):
    source = a_product(
        {"staff": a_contract("staff", [ID, NOTE % "restricted"])},
        inputs=[a_source("staff_csv", "staff.csv")],
        files={"staff.sql": "select * from staff_csv", "staff.csv": ROWS},
    )
    body = "    raise NameError(hr_staff.fetchall()[0][1])\n"
    reader = a_product(
        {"n": a_contract("n", [ID])},
        inputs=[an_input("hr.staff")],
        files={"transform.py": f"def transform(hr_staff):\n{body}"},
    )
    assert VALUE not in failed(tmp_path, reader, "other.n", hr={"staff": source})


@pytest.mark.parametrize(
    "sql",
    [
        "select 1 as id, x as note from (pivot staff_csv on note using count(*))",
        (
            "select id, columns(*) from (pivot staff_csv on note using count(*)) a, "
            "(pivot staff_csv on note using count(*)) b"
        ),
        "select id, note::int as note from staff_csv",
        "select id, error(note) as note from staff_csv",
    ],
)
def test_no_words_of_sql_show_a_value(tmp_path: Path, sql: str):
    files = staff("", NOTE % "restricted")
    del files["transform.py"]
    try:
        said = failed(tmp_path, {**files, "staff.sql": sql})
    except pytest.fail.Exception:
        return  # it was refused, as other columns than the contract's
    assert VALUE not in said
