"""The gate is a pure function; every way to be incomplete must refuse."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataops_mesh.errors import Location
from dataops_mesh.gate import Publish, Refuse, decide
from dataops_mesh.spec.checks.check import Check, CheckResult, Outcome, Stage
from dataops_mesh.spec.checks.measures import Nulls
from dataops_mesh.spec.model import ZERO, Address, Severity

PORT = Address("weather", "observations")
ME = "weather/observations/1"


def a_check(name="no_nulls", severity=Severity.ERROR, port=PORT):
    return Check(
        name=name,
        port=port,
        relation=str(port),
        measure=Nulls("temp"),
        threshold=ZERO,
        severity=severity,
        stage=Stage.OUTPUT,
        where=Location("o.odcs.yaml", 3),
        fingerprint=f"f-{name}",
    )


def a_result(check, outcome=Outcome.PASSED, observed=0.0, candidate=ME, reason="because"):
    return CheckResult(
        check=check.name,
        port=check.port,
        candidate=candidate,
        fingerprint=check.fingerprint,
        outcome=outcome,
        severity=check.severity,
        observed=observed,
        reason=reason,
    )


def test_all_passed_is_the_only_way_to_publish_silently():
    check = a_check()
    assert decide(ME, [PORT], [check], [a_result(check)]) == Publish()


def test_a_missing_result_is_a_refusal_whatever_the_severity():
    for severity in Severity:
        decision = decide(ME, [PORT], [a_check(severity=severity)], [])
        assert isinstance(decision, Refuse)
        assert "missing result is a refusal" in decision.reasons[0]


def test_an_empty_suite_is_a_refusal():
    assert isinstance(decide(ME, [PORT], [], []), Refuse)


def test_a_port_without_checks_is_a_refusal_even_beside_a_checked_one():
    check = a_check()
    other = Address("weather", "stations")
    decision = decide(ME, [PORT, other], [check], [a_result(check)])
    assert isinstance(decision, Refuse)
    assert str(other) in decision.reasons[0]


@pytest.mark.parametrize("severity", list(Severity))
def test_a_check_that_could_not_run_refuses_whatever_its_severity(severity):
    check = a_check(severity=severity)
    result = a_result(check, Outcome.ERRORED, None)
    decision = decide(ME, [PORT], [check], [result])
    assert isinstance(decision, Refuse)
    assert "could not run" in decision.reasons[0]


@pytest.mark.parametrize("severity", [Severity.WARNING, Severity.INFO])
def test_a_failed_warning_publishes_and_is_told(severity):
    check = a_check(severity=severity)
    decision = decide(ME, [PORT], [check], [a_result(check, Outcome.FAILED, 3.0)])
    assert decision == Publish((f"{PORT} no_nulls: because",))


def test_a_failed_error_refuses():
    check = a_check()
    decision = decide(ME, [PORT], [check], [a_result(check, Outcome.FAILED, 3.0)])
    assert decision == Refuse((f"{PORT} no_nulls: because",))


@pytest.mark.parametrize(
    "change",
    [
        {"candidate": "weather/observations/0"},
        {"fingerprint": "an older version of the check"},
        {"outcome": "fine"},
        {"observed": None},
        {"observed": 7.0},
        {"check": "another"},
        {"port": Address("weather", "other")},
    ],
)
def test_a_result_that_does_not_fit_cannot_open_the_gate(change):
    check = a_check()
    assert isinstance(decide(ME, [PORT], [check], [replace(a_result(check), **change)]), Refuse)


def test_an_unknown_severity_refuses():
    check = replace(a_check(), severity="fatal")
    failed = a_result(check, Outcome.FAILED, 1.0)
    assert isinstance(decide(ME, [PORT], [check], [failed]), Refuse)


def withheld(result):
    return replace(result, observed=None, withheld=True)


def test_a_number_that_is_withheld_opens_the_gate_only_where_the_declaration_says_so():
    shown, secret = a_check(), replace(a_check(), withheld=True)
    assert decide(ME, [PORT], [secret], [withheld(a_result(secret))]) == Publish()
    for check, result in (
        (shown, withheld(a_result(shown))),  # a result that hides what everybody may see
        (secret, a_result(secret)),  # a number where none may be
        (secret, replace(a_result(secret), observed=None)),
        (secret, replace(withheld(a_result(secret)), observed=0.0)),
        (secret, replace(withheld(a_result(secret)), outcome=Outcome.ERRORED)),
        (secret, replace(withheld(a_result(secret)), outcome="fine")),
        (secret, replace(withheld(a_result(secret)), fingerprint="old")),
    ):
        assert isinstance(decide(ME, [PORT], [check], [result]), Refuse), result


def test_a_withheld_failure_has_the_power_of_its_severity():
    for severity, kind in ((Severity.ERROR, Refuse), (Severity.WARNING, Publish)):
        check = replace(a_check(severity=severity), withheld=True)
        decision = decide(ME, [PORT], [check], [withheld(a_result(check, Outcome.FAILED))])
        assert isinstance(decision, kind)
        assert "because" in str(decision)


def test_two_results_for_one_check_refuse_even_if_one_passed():
    check = a_check()
    results = [a_result(check), a_result(check, Outcome.FAILED, 1.0)]
    assert isinstance(decide(ME, [PORT], [check], results), Refuse)


def test_a_check_declared_twice_refuses():
    check = a_check()
    assert isinstance(decide(ME, [PORT], [check, check], [a_result(check)]), Refuse)


def test_a_result_nobody_asked_for_refuses():
    check, stranger = a_check(), a_check("stranger")
    assert isinstance(decide(ME, [PORT], [check], [a_result(check), a_result(stranger)]), Refuse)


results = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "c"]),
        st.sampled_from(list(Outcome)),
        st.sampled_from([None, 0.0, 1.0]),
        st.sampled_from([ME, "other"]),
    ),
    max_size=6,
)


@given(
    names=st.lists(st.sampled_from(["a", "b", "c"]), unique=True, max_size=3),
    severities=st.lists(st.sampled_from(list(Severity)), min_size=3, max_size=3),
    found=results,
)
def test_publishing_always_means_that_every_error_check_passed_for_this_candidate(
    names, severities, found
):
    checks = [a_check(n, s) for n, s in zip(names, severities, strict=False)]
    rows = [a_result(a_check(n), o, v, c) for n, o, v, c in found]
    decision = decide(ME, [PORT], checks, rows)
    if isinstance(decision, Publish):
        assert checks
        for check in checks:
            mine = [r for r in rows if r.check == check.name]
            assert len(mine) == 1
            assert mine[0].candidate == ME
            assert mine[0].outcome in (Outcome.PASSED, Outcome.FAILED)
            if check.severity is Severity.ERROR:
                assert mine[0].outcome is Outcome.PASSED
                assert mine[0].observed == 0.0
