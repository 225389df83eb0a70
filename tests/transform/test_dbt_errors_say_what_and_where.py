"""dbt's errors: the model's file, dbt's words where they cannot be data, and what to do."""

from __future__ import annotations

import pytest
from dbt_cases import mesh, write_project
from helpers import run

from dataops_mesh.errors import DeclarationError, Location, TransformError
from dataops_mesh.transform.dbt.lines import line_of
from dataops_mesh.transform.dbt.words import not_parsed, said_of

BROKEN = {
    "models/unset.sql": "select {{ var('currency') }} as x",
    "models/promised.sql": "select 'a' as id",
    "models/promised.yml": (
        "models:\n  - name: promised\n    config: {contract: {enforced: true}}\n"
        "    columns: [{name: id, data_type: integer}]\n"
    ),
    "models/imports.py": "import nosuchmodule\ndef model(dbt, session):\n    return session\n",
    "models/raises.py": "def model(dbt, session):\n    x = int('IBAN')\n    return session\n",
    "models/cell.sql": "{{ config(materialized='table') }} select cast('IBAN' as int) as x",
    "models/column.sql": (
        "{{ config(materialized='table') }}\nselect code::int as x from (select 'IBAN' as code)"
    ),
}


def test_every_model_that_cannot_be_built_says_why_and_repeats_no_value(tmp_path):
    settings = mesh(tmp_path)
    write_project(tmp_path, BROKEN)
    with pytest.raises(TransformError) as caught:
        run(settings, "books.both")
    told = {p.where.file.rpartition("/")[2]: p for p in caught.value.problems if p.where}
    assert 'reads var("currency"), which has no value' in told["unset.sql"].what
    assert "vars: {currency: ...}" in told["unset.sql"].next
    assert "id          | VARCHAR         | INTEGER" in told["promised.sql"].what
    assert "No module named 'nosuchmodule'" in told["imports.py"].what
    assert told["raises.py"].what.endswith("(error): ValueError (its words may repeat data)")
    assert told["cell.sql"].what.endswith("Conversion Error (its words may repeat data)")
    assert told["column.sql"].what.endswith('Conversion Error: a value of "code" cannot be cast')
    assert told["raises.py"].where.line == 2
    assert "IBAN" not in str(caught.value)


def test_a_dbt_test_that_cannot_run_says_why(tmp_path):
    settings = mesh(tmp_path)
    write_project(tmp_path, {"tests/typo.sql": "select nocol from {{ ref('totals') }}"})
    report = run(settings, "books.both")
    assert 'dbt_typo: could not run: dbt reports the status "error": Binder Error' in str(
        report.decision
    )


def test_packages_that_are_not_installed_and_wrong_selections_say_what_to_do(tmp_path):
    from dbt_cases import books

    settings = mesh(tmp_path, both=books("totals", "largest", select="nomethod:x"))
    with pytest.raises(DeclarationError, match="'nomethod' is not a valid method name"):
        run(settings, "books.both")
    hub = "packages:\n  - {package: dbt-labs/dbt_utils, version: 1.3.0}\n"
    write_project(tmp_path, {"packages.yml": hub})
    with pytest.raises(DeclarationError) as caught:
        run(settings, "books.both")
    (problem,) = caught.value.problems
    assert problem.next.startswith("dbt deps --project-dir ")
    assert "where there is a network" in problem.next


def test_an_error_of_the_parse_names_the_file_that_dbt_names(tmp_path):
    write_project(tmp_path, {"models/x.sql": "select 1"})
    where = Location("project/dbt_project.yml", 1)
    said = "Compilation Error in model x (models/x.sql)\n  division by zero"
    found = not_parsed(said, tmp_path / "project", where).where
    assert found == Location("project/models/x.sql", 1)
    write_project(tmp_path, {"models/deep/y.py": "def model(dbt, session):\n    retrun 1\n"})
    found = not_parsed("invalid syntax (y.py, line 2)", tmp_path / "project", where).where
    assert found == Location("project/models/deep/y.py", 2)
    write_project(tmp_path, {"models/deep/z.yml": "models:\n  - name: x\n   columns: []\n"})
    said = "Parsing Error\n  Error reading books: deep/z.yml - Runtime Error\n  Syntax error near line 3"
    assert not_parsed(said, tmp_path / "project", where).where == Location(
        "project/models/deep/z.yml", 3
    )
    for other in ("(models/../../x.sql)", "(/etc/x.sql)", "(models/none.sql)", "no file"):
        assert not_parsed(other, tmp_path / "project", where).where == where


@pytest.mark.parametrize(
    ("message", "line"),
    [
        ('Binder Error: no column "y"\n\n  LINE 2:   y\n            ^', 3),
        ("Binder Error: x\n  LINE 2: ...select 1 as x, ...", 2),
        ("Compilation Error in model x (models/x.sql)\n  no endif\n    line 4\n      {% if %}", 4),
        ('Parser Error: x\n  LINE 9: from "candidate"."main"."staged" join b', 4),
        ("  'nothere' is undefined. This can happen", 5),
        ("LINE 9: as x, from", 1),  # no line has it
        ("LINE 9: a", 1),  # two lines have it
        ("  line 99", 1),
        ("no line", 1),
    ],
)
def test_the_line_is_that_of_the_file(tmp_path, message, line):
    file = tmp_path / "x.sql"
    file.write_text(
        "{{ config() }}\nselect 1 as x,\n  y\nfrom {{ ref('a') }} join b\n{{ nothere() }}", "utf-8"
    )
    assert line_of(message, file) == line


@pytest.mark.parametrize(
    "message",
    [
        "Runtime Error in model x (models/x.sql)\n  Conversion Error: 'DE89' to INT32",
        "Python model failed:\n  KeyError: 'DE89'",
        "Python model failed:\n  DE89Error: x",
        "DE89",
    ],
)
def test_words_that_may_be_data_are_not_told(message):
    assert "DE89" not in said_of(message)


def test_what_duckdb_says_in_a_model_in_python_is_told():
    said = "Python model failed:\n  _duckdb.BinderException: Binder Error: no column nocol"
    assert said_of(said) == "Binder Error: no column nocol"
    cell = "_duckdb.ConversionException: Conversion Error: Could not convert 'DE89'"
    assert said_of(cell) == "Conversion Error (its words may repeat data)"
    assert said_of("Compilation Error in model x (x.sql)\n  DE89").startswith("Compilation Error (")
