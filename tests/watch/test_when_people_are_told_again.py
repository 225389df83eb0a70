"""Reminders and escalation: each exactly once, never while somebody looks at it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataops_mesh.errors import SettingsError
from dataops_mesh.ledger import open_ledger
from dataops_mesh.ledger.trouble.claims import LEASE_SECONDS, Claim, give_up, take
from dataops_mesh.ledger.trouble.deliveries import delivered, record_delivery
from dataops_mesh.ledger.trouble.incidents import Incident, Trouble
from dataops_mesh.settings import load_settings
from dataops_mesh.watch.schedule import (
    AFFECTS,
    CLEARED,
    ESCALATED,
    OPENED,
    PAUSE,
    REMIND,
    Schedule,
    due,
    moments,
)

BEGIN = datetime(2026, 3, 1, 6, tzinfo=UTC)
HOUR = timedelta(hours=1)
PLAN = Schedule(4 * HOUR, 24 * HOUR, ("lead",))
TROUBLE = Trouble("shop.orders", "caught", "", "shop.orders primary_key: 1 row")


def open_since(at: datetime, closed: datetime | None = None) -> Incident:
    return Incident("3f9c2a7b10de", TROUBLE, at, closed)


# A history: at each look the clock says something (it may jump), and somebody may look at it.
looks = st.lists(
    st.tuples(st.integers(-3000, 9000), st.booleans(), st.booleans()), min_size=1, max_size=60
)


@given(looks, st.booleans())
def test_each_reminder_is_told_once_and_never_while_somebody_looks_at_it(steps, escalates):
    """The model: of each stretch of four hours since the first alert there is one reminder."""
    said: dict[str, datetime] = {}
    told: list[tuple[str, datetime]] = []
    now = BEGIN
    for minutes, acknowledged, sent in steps:
        now += timedelta(minutes=minutes)
        incident = open_since(BEGIN)
        what = due(incident, said, PLAN, now, acknowledged=acknowledged, escalates=escalates)
        first = told[0][1] if told else None
        stretch = int(abs(now - first) / (4 * HOUR)) * (1 if now > first else -1) if first else 0
        known = [at for word, at in told if word.startswith(REMIND)]
        owed = stretch != 0 and not any(
            int((at - first) / (4 * HOUR)) == stretch for at in known if first
        )
        if first is None and escalates:
            assert (what == ESCALATED) == (not acknowledged and now - BEGIN >= 24 * HOUR)
        elif first is None:
            assert what == OPENED
        else:
            assert (what is not None) == (owed and not acknowledged)
        if what is not None and sent:  # a channel that is dead is told at another look
            assert what not in said
            said[what] = now
            told.append((what, now))
    if told:
        over = open_since(BEGIN, now)
        assert due(over, said, PLAN, now, escalates=escalates) == CLEARED
        assert due(over, {**said, CLEARED: now}, PLAN, now, escalates=escalates) is None
    else:
        assert due(open_since(BEGIN, now), said, PLAN, now, escalates=escalates) is None


@given(st.lists(st.integers(0, 50_000), min_size=1, max_size=30))
def test_a_sensor_that_rests_until_the_next_moment_misses_no_reminder(skips):
    said = {OPENED: BEGIN}
    for minutes in skips:
        at = BEGIN + timedelta(minutes=minutes)
        if what := due(open_since(BEGIN), said, PLAN, at):
            said[what] = at
        wake = min(moment for moment in moments(said, PLAN, at) if moment > at)
        just_before = wake - timedelta(seconds=1)
        assert just_before < at or due(open_since(BEGIN), said, PLAN, just_before) is None


def test_without_settings_nothing_is_told_again():
    late = BEGIN + 1000 * HOUR
    assert due(open_since(BEGIN), {OPENED: BEGIN}, Schedule(), late) is None
    assert due(open_since(BEGIN), {}, Schedule(), late, escalates=True) is None


def test_clocks_that_differ_by_seconds_tell_nothing_again():
    assert due(open_since(BEGIN), {OPENED: BEGIN}, PLAN, BEGIN - timedelta(seconds=30)) is None


def test_what_else_is_affected_is_told_once_an_hour():
    said = {OPENED: BEGIN}
    plan = Schedule()
    assert due(open_since(BEGIN), said, plan, BEGIN + PAUSE / 2, more=True) is None
    assert due(open_since(BEGIN), said, plan, BEGIN + PAUSE, more=True) == f"{AFFECTS} 1"
    said[f"{AFFECTS} 1"] = BEGIN + PAUSE
    assert due(open_since(BEGIN), said, plan, BEGIN + 1.5 * PAUSE, more=True) is None
    assert due(open_since(BEGIN), said, plan, BEGIN + 2 * PAUSE, more=True) == f"{AFFECTS} 2"


claims = st.lists(
    st.tuples(
        st.sampled_from("ab"), st.sampled_from(["tell", "die", "fail"]), st.integers(-500, 400)
    ),
    max_size=12,
)


@given(claims)
@settings(deadline=None, max_examples=40)
def test_two_who_look_at_one_ledger_never_both_tell(tmp_path_factory, steps):
    """What one is about to tell, another does not; what a dead one left is told after a while."""
    ledger = open_ledger(f"sqlite:///{tmp_path_factory.mktemp('l')}/ledger.sqlite")
    claim, now = Claim("3f9c2a7b10de", "shop", OPENED), BEGIN
    told, holder, since = False, "", BEGIN
    for number, (who, then, seconds) in enumerate(steps):
        now += timedelta(seconds=seconds)
        age = (now - since).total_seconds()
        free = not holder or age >= LEASE_SECONDS or age < -LEASE_SECONDS
        got = take(ledger, claim, f"{who}{number}", now)
        assert got == (free and not told)
        if not got:
            continue
        if then == "tell":
            record_delivery(ledger, claim.about, claim.channel, claim.what, now)
            told = True
        if then == "die":
            holder, since = who, now
        else:
            give_up(ledger, claim, f"{who}{number}")
            holder = ""
    assert bool(delivered(ledger, [claim.about])) == told
    ledger.close()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('remind = "soon"', '"soon" is no length of time: 90m, 12h, 7d, 2w'),
        ('escalate = ["lead"]', "`escalate` needs `escalate_after`"),
        ('escalate_after = "0h"', '"0h" is no length of time'),
    ],
)
def test_a_wrong_length_is_said_with_its_line(tmp_path, text, said):
    (tmp_path / "pyproject.toml").write_text(f"[tool.dataops_mesh]\n{text}\n", "utf-8")
    with pytest.raises(SettingsError) as raised:
        load_settings(tmp_path)
    assert said in str(raised.value)
    assert "pyproject.toml:2" in str(raised.value)
