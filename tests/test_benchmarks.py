"""Benchmarks do not rot: each question is asked once, tiny, in this process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import __main__ as benchmarks
from benchmarks.compare import commit_files
from benchmarks.dbt_made import make_project
from benchmarks.harness import DisagreementError, measure
from benchmarks.model import Bench, Contestant, Goal, Scale

# All of them take minutes, and a whole run of the example more; that is the long profile
# (`make long`). The usual rival of the example is loaded below.
LONG = os.environ.get("HYPOTHESIS_PROFILE") == "long"
QUESTIONS = [name for name in benchmarks.QUESTIONS if name != "flights"] if LONG else ["checking"]
pytestmark = pytest.mark.timeout(0 if LONG else 300)


def test_every_question_is_answered_and_reported(tmp_path):
    out = tmp_path / "out"
    command = [sys.executable, "-m", "benchmarks", "--scale", "tiny", "--one-process"]
    done = subprocess.run(
        [*command, "--work", tmp_path / "work", "--output", out, "--only", *QUESTIONS],
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    report = (out / "REPORT.md").read_text("utf-8")
    for name in QUESTIONS:
        answer = json.loads((out / f"{name}.json").read_text("utf-8"))
        assert f"## {answer['title']}" in report
        assert (out / f"{name}.svg").stat().st_size > 1000
        # SQLMesh lives in an environment of its own, which need not be there.
        absent = {one["contestant"] for one in answer["measured"] if one["missing"]}
        assert absent <= {"SQLMesh with audits"}
    assert str(tmp_path) not in report


def test_the_usual_project_of_the_flights_has_every_table():
    from benchmarks.contestants import flights, usual_project

    keys = usual_project.defs.resolve_all_asset_keys()
    assert {key.to_user_string() for key in keys} == set(flights.PORTS)


def test_a_contestant_that_computes_something_else_is_not_compared(tmp_path):
    several = [
        Contestant(name, "test_benchmarks:answering", {"value": value})
        for name, value in (("one", 1), ("other", 2))
    ]
    with pytest.raises(DisagreementError, match="not the same result"):
        measure(Bench(Scale.TINY, tmp_path, fresh=False), "sums", several, repeats=1)


def test_a_contestant_that_is_missing_stays_in_the_report(tmp_path):
    one = Contestant("absent", "nowhere:nothing", missing="not installed")
    (found,) = measure(Bench(Scale.TINY, tmp_path, fresh=False), "sums", [one], repeats=1)
    assert found.missing == "not installed"


def test_what_was_not_measured_is_no_goal_met():
    assert not Goal("fast", missing="not installed", at_most=1).met
    assert Goal("fast", 0.9, at_most=1).met
    assert not Goal("fast", 1.1, at_most=1).met


def test_each_side_of_a_comparison_runs_from_its_own_source(tmp_path):
    several = []
    for side in ("old", "new"):
        tree = commit_files("HEAD", tmp_path / side)
        (tree / "where.py").write_text("def asked():\n    return lambda: __file__\n")
        several.append(Contestant(side, "where:asked", source=str(tree)))
    bench = Bench(Scale.TINY, tmp_path)
    found = measure(bench, "where", several, repeats=1, canonical=lambda _: None)
    assert [one.samples[0].answer for one in found] == [
        str(tmp_path / side / "where.py") for side in ("old", "new")
    ]


def test_a_made_dbt_project_has_the_models_and_tests_that_it_is_asked_for(tmp_path):
    project = make_project(tmp_path, 30)
    assert len([*project.glob("models/*.sql")]) == 30
    said = (project / "models" / "schema.yml").read_text("utf-8")
    assert said.count("unique") + said.count("not_null") == 60
    assert said.count("access: public") == 1


def answering(value):
    return lambda: value
