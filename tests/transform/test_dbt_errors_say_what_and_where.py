"""dbt's errors: the model's file, dbt's words where they cannot be data, and what to do."""

from __future__ import annotations

import pytest
from dbt_cases import mesh, write_project
from helpers import run

from dataops_mesh.errors import DeclarationError, Location, TransformError
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
    for other in ("(models/../../x.sql)", "(/etc/x.sql)", "(models/none.sql)", "no file"):
        assert not_parsed(other, tmp_path / "project", where).where == where


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
