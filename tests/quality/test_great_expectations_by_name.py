"""Every expectation that a contract may ask for holds where it should and fails where it should."""

from __future__ import annotations

import subprocess
import sys

import pytest
from great_expectations_cases import CASES, DATA, asked
from quality_cases import check, parquet, run

from dataops_mesh.quality import catalogue
from dataops_mesh.spec.checks.check import Outcome
from dataops_mesh.spec.checks.measures import Nulls
from dataops_mesh.spec.read.quality.custom import table


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """Run all of them in one audit, as a contract would."""
    checks = [
        check(asked(name, kwargs), name=f"{name}-{met}")
        for name, both in CASES.items()
        for met, kwargs in zip((True, False), both, strict=True)
    ]
    connection = parquet(tmp_path_factory.mktemp("gx"), DATA)
    return {result.check: result for result in run(connection, *checks, safe=("i", "s"))}


def test_every_expectation_that_may_be_asked_for_has_a_case():
    assert CASES.keys() == table()["executed"].keys()
    assert len(CASES) == 51


@pytest.mark.parametrize("name", CASES)
def test_an_expectation_is_met_or_is_not(results, name):
    met, missed = results[f"{name}-True"], results[f"{name}-False"]
    assert (met.outcome, met.observed) == (Outcome.PASSED, 0), met.reason
    assert (missed.outcome, missed.observed) == (Outcome.FAILED, 1), missed.reason
    assert missed.reason.startswith(f"{name} is not met")
    assert missed.sample == ()


def test_the_table_is_what_the_installed_library_has():
    written = catalogue.FILE.read_text("utf-8")
    assert written == catalogue.written(), "run python -m dataops_mesh.quality.catalogue"
    known = table()
    assert not known["executed"].keys() & known["refused"].keys()
    assert known["executed"].keys() | known["refused"].keys() == catalogue.classes().keys()


def test_unexpected_rows_are_counted(results):
    name = "expect_column_values_to_be_in_set"
    assert "(2 unexpected rows)" in results[f"{name}-False"].reason


def test_mostly_is_the_tolerance(tmp_path):
    kwargs = {"column": "s", "value_set": ["a"]}
    connection = parquet(tmp_path, DATA)
    name = "expect_column_values_to_be_in_set"
    some, most = run(
        connection, asked(name, {**kwargs, "mostly": 0.3}), asked(name, {**kwargs, "mostly": 0.4})
    )
    assert (some.outcome, most.outcome) == (Outcome.PASSED, Outcome.FAILED)


IBAN = "DE89370400440532013000"


@pytest.mark.parametrize(
    ("name", "kwargs"),
    [
        ("expect_column_max_to_be_between", {"column": "s", "max_value": 3}),
        ("expect_column_mean_to_be_between", {"column": "s", "max_value": 3}),
        ("expect_column_most_common_value_to_be_in_set", {"column": "s", "value_set": ["x"]}),
        ("expect_column_distinct_values_to_be_in_set", {"column": "s", "value_set": ["x"]}),
        ("expect_column_values_to_be_in_set", {"column": "s", "value_set": ["x"]}),
        ("expect_column_values_to_be_in_set", {"column": "s", "value_set": [1]}),
        ("expect_column_sum_to_be_between", {"column": "s", "max_value": 1}),
        ("expect_column_to_exist", {"column": "t"}),
        ("expect_column_median_to_be_between", {"column": "t", "max_value": 1}),
        ("unexpected_rows_expectation", {"unexpected_rows_query": "SELECT * FROM {batch}"}),
        ("unexpected_rows_expectation", {"unexpected_rows_query": "SELECT s::INT FROM {batch}"}),
    ],
)
def test_nothing_that_was_observed_is_repeated(tmp_path, capfd, caplog, name, kwargs):
    connection = parquet(tmp_path, f"SELECT '{IBAN}' AS s FROM range(3)")
    (result,) = run(connection, asked(name, kwargs), safe=())
    assert result.outcome is not Outcome.PASSED
    out, err = capfd.readouterr()
    assert IBAN not in repr(result) + out + err + caplog.text


def test_one_that_cannot_run_leaves_the_others_alone(tmp_path):
    connection = parquet(tmp_path, DATA)
    broken, missing, unknown, fine = run(
        connection,
        asked("expect_column_mean_to_be_between", {"column": "s", "max_value": 3}),
        asked("expect_column_values_to_be_unique", {"column": "zz"}),
        asked("expect_nothing", {}),
        Nulls("s"),
    )
    assert [r.outcome for r in (broken, missing, unknown)] == [Outcome.ERRORED] * 3
    assert fine.observed == 1


def test_the_audit_says_nothing_of_its_providers():
    code = "import dataops_mesh.quality.session, dataops_mesh.quality.translate"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout + done.stderr == ""
