"""dbt behind the gate: a project (or a selection of it) is the transform of one product."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest
from dbt_cases import GOOD, PROJECT, books, deliver, mesh, write_project
from helpers import environment, read, run

from dataops_mesh.errors import DeclarationError
from dataops_mesh.gate import Publish, Refuse
from dataops_mesh.settings import Settings, load_settings
from dataops_mesh.spec.checks.check import Outcome
from dataops_mesh.spec.checks.measures import DbtTest
from dataops_mesh.store.release import latest
from dataops_mesh.transform.dbt import build as running


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace whose dbt project nobody changes: dbt takes seconds to parse it."""
    root = tmp_path_factory.mktemp("shared")
    mesh(
        root,
        both=books("totals", "largest"),
        totals=books("totals", select="+totals"),
        largest=books("largest", select="+largest"),
        no_contract=books("totals"),
        no_input=books("totals", "largest", inputs=()),
        no_reader=books("totals", "largest", inputs=("shop.orders", "shop.items")),
        no_model=books("totals", select="nowhere"),
    )
    return root


@pytest.fixture
def shared(workspace: Path) -> Settings:
    """The shared workspace with a store of its own, beside the others."""
    store = Path(".mesh") / f"store-{uuid.uuid4().hex}"
    settings = load_settings(workspace, store=store)
    deliver(settings, GOOD)
    return settings


def test_both_public_models_are_published_together_with_dbt_tests_as_checks(
    shared: Settings,
) -> None:
    settings = shared
    report = run(settings, "books.both")
    assert report.published, report.decision
    assert read(settings, "select orders, amount from books.totals") == [(2, 30)]
    assert read(settings, "select id from books.largest") == [(2,)]
    release = latest(environment(settings).store)
    assert {str(address) for address in release.changed} == {"books.totals", "books.largest"}
    assert len({release.ports[address].candidate for address in release.changed}) == 1
    tests = {c.name: c for c in report.checks if isinstance(c.measure, DbtTest)}
    assert set(tests) == {
        "dbt_unique_staged_id",
        "dbt_not_null_staged_id",
        "dbt_not_null_totals_amount",
        "dbt_amount_is_low",
    }
    assert str(tests["dbt_not_null_totals_amount"].port) == "books.totals"
    assert str(tests["dbt_not_null_totals_amount"].where).startswith("project/models/schema.yml")
    passed = {result.check for result in report.results if result.outcome is Outcome.PASSED}
    assert set(tests) <= passed


def test_nothing_but_the_public_models_leaves_the_project(shared: Settings) -> None:
    settings = shared
    run(settings, "books.both")
    published = {str(address) for address in latest(environment(settings).store).ports}
    assert published == {"shop.orders", "books.totals", "books.largest"}
    # The project's own profile is for its developers; no run may write where it points.
    assert not (settings.root / "production.duckdb").exists()
    assert not (settings.root / "project/target").exists()
    assert not (settings.root / "project/logs").exists()


def test_variables_of_dbt_in_the_environment_do_not_move_a_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = mesh(tmp_path)
    monkeypatch.setenv("DBT_TARGET", "production")
    monkeypatch.setenv("DBT_PROFILES_DIR", str(tmp_path / "project"))
    monkeypatch.setenv("DBT_PROFILE", "nowhere")
    monkeypatch.setenv("DBT_TARGET_PATH", str(tmp_path / "elsewhere"))
    assert run(settings, "books.both").published
    assert not (tmp_path / "production.duckdb").exists()
    assert not (tmp_path / "elsewhere").exists()


def test_a_failing_dbt_test_refuses_both_ports(shared: Settings) -> None:
    settings = shared
    assert run(settings, "books.both").published
    deliver(settings, "id,amount,note\n1,10,a\n1,30,b\n")
    report = run(settings, "books.both")
    assert isinstance(report.decision, Refuse)
    assert any("dbt_unique_staged_id" in reason for reason in report.decision.reasons)
    assert not report.retryable
    assert read(settings, "select amount from books.totals") == [(30,)]
    assert read(settings, "select id from books.largest") == [(2,)]


def test_a_contract_refuses_both_ports_too(tmp_path: Path) -> None:
    settings = mesh(tmp_path)
    write_project(
        tmp_path, {"models/largest.sql": "select 'x' as id from {{ ref('staged') }} limit 1"}
    )
    report = run(settings, "books.both")
    assert not report.published
    assert {str(address) for address in latest(environment(settings).store).ports} == {
        "shop.orders"
    }


def test_a_dbt_test_of_severity_warn_warns(shared: Settings) -> None:
    settings = shared
    deliver(settings, "id,amount,note\n1,500,a\n")
    report = run(settings, "books.both")
    assert isinstance(report.decision, Publish)
    (warning,) = report.decision.warnings
    assert "dbt_amount_is_low" in warning
    assert "the dbt test found failing rows" in warning


def test_between_warn_if_and_error_if_a_dbt_test_passes(tmp_path: Path) -> None:
    settings = mesh(tmp_path, "id,amount,note\n1,500,a\n")
    config = "{{ config(severity='error', warn_if='>0', error_if='>5') }}\n"
    body = "select * from {{ ref('totals') }} where amount > 100\n"
    write_project(tmp_path, {"tests/amount_is_low.sql": config + body})
    report = run(settings, "books.both")
    assert report.published
    (result,) = (r for r in report.results if r.check == "dbt_amount_is_low")
    assert result.reason.startswith("dbt warned: failing rows (not counted here")


def test_a_dbt_test_that_cannot_run_refuses_whatever_its_severity(tmp_path: Path) -> None:
    settings = mesh(tmp_path)
    broken = "{{ config(severity='warn') }}\nselect nowhere from {{ ref('totals') }}\n"
    write_project(tmp_path, {"tests/amount_is_low.sql": broken})
    report = run(settings, "books.both")
    assert isinstance(report.decision, Refuse)
    (reason,) = report.decision.reasons
    assert 'dbt_amount_is_low: could not run: dbt reports the status "error"' in reason


@pytest.mark.parametrize("status", ["", "skipped", "no-op"])
def test_a_dbt_test_that_did_not_run_refuses(
    shared: Settings, monkeypatch: pytest.MonkeyPatch, status: str
) -> None:
    settings = shared
    from dataops_mesh.run import build

    def without_one(*given: object, **more: object) -> list:
        tests = running.build_project(*given, **more)  # type: ignore[arg-type] # passed on
        rest = [test for test in tests if "amount_is_low" not in test.unique_id]
        lost = [running.DbtTestRun(t.unique_id, status, 0) for t in tests if t not in rest]
        return rest + (lost if status else [])

    monkeypatch.setattr(build, "build_project", without_one)
    report = run(settings, "books.both")
    assert isinstance(report.decision, Refuse)
    assert len(report.decision.reasons) == 1


DISAGREE = {
    "no_contract": '"largest" is public and has no contract',
    "no_input": 'dbt reads "shop.orders", which is not an input port',
    "no_reader": '"shop.items" is declared and no dbt model reads it',
    "no_model": "matches nothing",
}


@pytest.mark.parametrize("name", DISAGREE)
def test_a_project_that_disagrees_with_its_declaration_is_said(shared: Settings, name: str) -> None:
    with pytest.raises(DeclarationError, match=DISAGREE[name]) as caught:
        run(shared, f"books.{name}")
    assert all(problem.where is not None for problem in caught.value.problems)


def test_selections_split_a_project_into_two_products(shared: Settings) -> None:
    settings = shared
    first = run(settings, "books.totals")
    assert first.published
    assert "dbt_not_null_totals_amount" in {check.name for check in first.checks}
    assert {str(a) for a in latest(environment(settings).store).ports} == {
        "shop.orders",
        "books.totals",
    }
    second = run(settings, "books.largest")
    assert second.published
    assert "dbt_not_null_totals_amount" not in {check.name for check in second.checks}
    assert read(settings, "select amount, id from books.totals, books.largest") == [(30, 2)]


def test_seeds_and_unit_tests_are_part_of_the_product(tmp_path: Path) -> None:
    settings = mesh(tmp_path)
    unit = (
        "unit_tests:\n  - name: sums_up\n    model: totals\n    given:\n"
        "      - input: ref('staged')\n        rows: [{id: 1, amount: 3}, {id: 2, amount: 4}]\n"
        "    expect: {rows: [{orders: 2, amount: %s}]}\n"
    )
    schema = PROJECT["models/schema.yml"]
    write_project(tmp_path, {"models/schema.yml": schema + unit % 7})
    report = run(settings, "books.both")
    assert report.published, report.decision
    assert "dbt_sums_up" in {result.check for result in report.results}
    write_project(tmp_path, {"models/schema.yml": schema + unit % 8})
    report = run(settings, "books.both")
    assert isinstance(report.decision, Refuse)
    assert any("dbt_sums_up" in reason for reason in report.decision.reasons)


def test_models_and_tests_see_the_replay_clock(tmp_path: Path) -> None:
    settings = mesh(tmp_path)
    pyproject = tmp_path / "pyproject.toml"
    pyproject.write_text(pyproject.read_text() + 'now = "2013-05-01T00:00:00Z"\n')
    write_project(
        tmp_path,
        {
            "models/largest.sql": (
                "select year(mesh.mesh_now())::integer as id from {{ ref('staged') }} limit 1\n"
            )
        },
    )
    settings = load_settings(tmp_path)
    report = run(settings, "books.both")
    assert report.published, report.decision
    assert read(settings, "select id from books.largest") == [(2013,)]
