"""What a product published keeps the class of that time, whatever its contract says afterwards.

A product that reads itself, and a port whose older partitions stay, would else make any restricted
value an internal one in two runs.
"""

from __future__ import annotations

import random
import re
import uuid
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest
from helpers import (
    a_contract,
    a_product,
    a_setting,
    a_source,
    an_input,
    environment,
    mesh,
    product,
    read,
    run,
    write_product,
    write_workspace,
)

from dataops_mesh.errors import NotPublishedError, StoreError, UnknownNameError
from dataops_mesh.gate import Publish, Refuse
from dataops_mesh.run.guards.classes import class_notes
from dataops_mesh.run.planned import plan_against
from dataops_mesh.run.product import run_product
from dataops_mesh.run.rebuild import rebuild_product
from dataops_mesh.run.word.rollback import rollback_product
from dataops_mesh.store.log import PUBLICATION, latest
from dataops_mesh.store.manifest import read_manifest

CLASSES = ("public", "internal", "confidential", "restricted")
KEY = "{name: id, logicalType: integer, primaryKey: true, classification: public}"
CUT = "{name: p, logicalType: string, partitioned: true, classification: public}"
TEAM = "team: {name: evil, members: [{username: me, role: owner}]}\n"
SELF = "- name: self\n"
SSN = "078-05-1120"
STAFF = "people.staff"
MASKING = "{property: masking, vendor: dataops_mesh, value: {method: constant, value: '-'}}"
MASK = f"customProperties: [{MASKING}]"
WAIVER = """\
waivers:
  - {rule: classification_lineage, product: evil.log, who: me, why: it is known, until: 2026-06-30}
"""
FIRST = "select id, note as x from people.staff union all select id, x from self where false"
FROM_STAFF = "select partition_key() as p, id, note as x from people.staff where id % 2 = {odd}"
HARMLESS = FROM_STAFF.replace("note as x", "'-' as x")
ODD = "(partition_key() = 'b')::int"


def x(said: str, more: str = "") -> str:
    return f"{{name: x, logicalType: string, classification: {said}{', ' + more if more else ''}}}"


def staff():
    note = "{name: note, logicalType: string, classification: restricted}"
    return a_product(
        {"staff": [KEY, note]},
        inputs=[a_source("staff_csv", "staff.csv")],
        files={
            "staff.sql": "select id, note from staff_csv",
            "staff.csv": f"id,note\n1,{SSN}\n2,{SSN}\n",
        },
    )


def log(made: str, said: str, *inputs: str, status: str = "draft", name: str = "log.sql"):
    """Return a product that reads itself."""
    return a_product(
        {"log": [KEY, x(said)]},
        inputs=[*map(an_input, inputs), SELF],
        files={name: made},
        extra=f"status: {status}\n{TEAM}",
    )


def cut(made: str, said: str, more: str = "", *, status: str = "draft", own: bool = False):
    """Return a product in two partitions."""
    columns = a_contract("cut", [CUT, KEY, x(said, more)])
    return a_product(
        {"cut": columns + "customProperties:\n" + a_setting("partitions", "{values: [a, b]}")},
        inputs=[SELF if own else an_input(STAFF)],
        files={"cut.sql": made.format(odd=ODD)},
        extra=f"status: {status}\n{TEAM}",
    )


def reader(address: str, said: str = "internal"):
    return a_product(
        {"promo": [KEY, x(said)]},
        inputs=[an_input(address)],
        files={"promo.sql": f"select id, x from {address}"},
    )


def build(settings, key=None, name="evil.cut", *, full: bool = False, progress=lambda _: None):
    found, own = product(settings, name), uuid.uuid4().hex[:12]
    here, said = environment(settings), {"full": full, "progress": progress}
    return run_product(found, here, run_id=own, partition=key, **said)


def rebuild(settings, *, full: bool = False):
    own = uuid.uuid4().hex[:12]
    found = product(settings, "evil.cut")
    return rebuild_product(found, environment(settings), run_id=own, full=full)


def why(report) -> str:
    assert isinstance(report.decision, Refuse), report.decision
    return "\n".join(report.decision.reasons)


@pytest.fixture
def settings(tmp_path: Path):
    found = write_workspace(
        tmp_path, {"people": {"staff": staff()}}, settings='now = "2026-06-01T00:00:00Z"\n'
    )
    (tmp_path / "policies.yaml").write_text("rules: {classification_known: error}\n", "utf-8")
    assert isinstance(run(found, STAFF).decision, Publish)
    return found


@pytest.fixture
def logged(settings):
    """`evil.log.x` is restricted, as people.staff.note is, and so it is published."""
    write_product(settings.root, "evil", "log", log(FIRST, "restricted", STAFF))
    assert isinstance(run(settings, "evil.log").decision, Publish)
    return settings


@pytest.fixture
def in_parts(settings):
    """The same of `evil.cut.x`, in the partitions a and b."""
    write_product(settings.root, "evil", "cut", cut(FROM_STAFF, "restricted"))
    for key in ("a", "b"):
        assert isinstance(build(settings, key).decision, Publish)
    return settings


def approve(settings, name: str, refused: str) -> None:
    """Say yes as the owner of the own product does."""
    (digest,) = re.findall(r"approvals/([0-9a-f]+)\.yaml", refused)
    file = settings.root / "domains" / "evil" / name / "approvals" / f"{digest}.yaml"
    file.parent.mkdir()
    said = f"digest: {digest}\napprover: me\nreason: because\ndate: 2026-06-01\n"
    file.write_text(said, "utf-8")


@pytest.mark.parametrize("status", ["draft", "active"])
@pytest.mark.parametrize(
    "made",
    [
        "select id, x from self",
        "select id, upper(x) as x from self",
        "select id, x from self where id > 1 union all select id, x from self where id < 2",
        "with n as (select id, '-' as x from self) select * from merge(self, n, id, x)",
        "def transform(self):\n    return self\n",
    ],
)
def test_what_self_reads_is_as_secret_as_it_was_published(settings, made, status):
    write_product(settings.root, "evil", "log", log(FIRST, "restricted", STAFF, status=status))
    assert isinstance(run(settings, "evil.log").decision, Publish)
    name = "transform.py" if made.startswith("def") else "log.sql"
    folder = write_product(settings.root, "evil", "log", log(made, "internal", name=name))
    if name != "log.sql":
        (folder / "log.sql").unlink()
    refused = why(run(settings, "evil.log"))
    if status == "active":
        approve(settings, "log", refused)
        refused = why(run(settings, "evil.log"))
        assert "approvals/" not in refused
    assert "evil.log.x was published as restricted" in refused
    assert "domains/evil/log/log.odcs.yaml:" in refused
    if name == "log.sql":
        assert '"x" of evil.log is internal' in refused
        assert "mesh run evil.log --full" in refused
    assert SSN not in refused


@pytest.mark.parametrize(
    ("made", "said", "full"),
    [
        ("select id, x from self", "restricted", False),
        ("select id, sha256('salt' || x) as x from self", "public", False),
        ("select id, '-' as x from self", "public", False),
        ("select 3 as id, '-' as x union all select id, x from self", "internal", True),
    ],
)
def test_who_keeps_the_class_ends_it_or_begins_again_is_published(logged, made, said, full):
    write_product(logged.root, "evil", "log", log(made, said))
    assert isinstance(build(logged, name="evil.log", full=full).decision, Publish)
    write_product(logged.root, "evil", "log", log("select id, x from self", said))
    assert isinstance(run(logged, "evil.log").decision, Publish)  # nothing of before is left in it


def test_a_waiver_says_who_answers_for_it(logged):
    write_product(logged.root, "evil", "log", log("select id, x from self", "internal"))
    (logged.root / "waivers.yaml").write_text(WAIVER, "utf-8")
    assert isinstance(run(logged, "evil.log").decision, Publish)


@pytest.mark.parametrize("status", ["draft", "active"])
def test_a_partition_that_stays_keeps_its_class(settings, status):
    write_product(settings.root, "evil", "cut", cut(FROM_STAFF, "restricted", status=status))
    for key in ("a", "b"):
        assert isinstance(build(settings, key).decision, Publish)
    write_product(settings.root, "evil", "cut", cut(HARMLESS, "internal"))
    refused = why(build(settings, "b"))
    if status == "active":
        approve(settings, "cut", refused)
        refused = why(build(settings, "b"))
    assert "evil.cut.x was published as restricted in partition a (" in refused
    assert '"x" of evil.cut is internal' in refused
    assert "mesh run evil.cut --rebuild" in refused
    assert all(isinstance(one.decision, Publish) for one in rebuild(settings))
    assert read(settings, "select distinct x from evil.cut") == [("-",)]
    assert isinstance(build(settings, "b").decision, Publish)  # from now on each alone
    write_product(settings.root, "evil", "promo", reader("evil.cut"))
    assert isinstance(run(settings, "evil.promo").decision, Publish)


def test_a_mask_of_today_is_none_on_partitions_of_before(in_parts):
    write_product(in_parts.root, "evil", "cut", cut(HARMLESS, "internal", MASK))
    refused = why(build(in_parts, "b"))
    assert "evil.cut.x was published as restricted in partition a" in refused
    assert all(isinstance(one.decision, Publish) for one in rebuild(in_parts))


def test_a_masked_form_may_be_called_open_in_every_partition(settings):
    write_product(settings.root, "evil", "cut", cut(FROM_STAFF, "restricted", MASK))
    for key in ("a", "b"):
        assert isinstance(build(settings, key).decision, Publish)
    write_product(settings.root, "evil", "cut", cut(FROM_STAFF, "internal", MASK))
    assert isinstance(build(settings, "b").decision, Publish)


def test_only_partitions_that_stay_are_asked(settings):
    write_product(settings.root, "evil", "cut", cut(HARMLESS, "internal"))
    assert isinstance(build(settings, "a").decision, Publish)
    write_product(settings.root, "evil", "cut", cut(FROM_STAFF, "restricted"))
    assert isinstance(build(settings, "b").decision, Publish)  # a higher class needs nothing
    write_product(settings.root, "evil", "cut", cut(HARMLESS, "internal"))
    assert "in partition b" in why(build(settings, "a"))
    assert isinstance(build(settings, "b").decision, Publish)  # takes the place of all that is


def test_a_partition_reads_itself_as_it_was_published(settings):
    write_product(settings.root, "evil", "cut", cut(FROM_STAFF, "restricted"))
    assert isinstance(build(settings, "a").decision, Publish)
    again = "select p, id, x from self where id > 3 union all select 'a' as p, 3 as id, '-' as x"
    write_product(settings.root, "evil", "cut", cut(again, "internal", own=True))
    refused = why(build(settings, "a"))
    assert "mesh run evil.cut --full" in refused
    assert "--rebuild" not in refused  # no other stays
    assert isinstance(build(settings, "a", full=True).decision, Publish)
    assert isinstance(build(settings, "a").decision, Publish)


def test_what_a_rollback_brings_back_is_as_secret_as_it_was(logged):
    first = latest(environment(logged).store).number
    made = FIRST.replace("note as x", "'-' as x")
    write_product(logged.root, "evil", "log", log(made, "internal", STAFF))
    assert isinstance(build(logged, name="evil.log", full=True).decision, Publish)
    write_product(logged.root, "good", "promo", reader("evil.log"))
    assert isinstance(run(logged, "good.promo").decision, Publish)
    rollback_product(product(logged, "evil.log"), environment(logged), first, "it was better")
    assert "evil.log.x was published as restricted" in why(run(logged, "good.promo"))
    write_product(logged.root, "evil", "log", log("select id, x from self", "internal"))
    assert "evil.log.x was published as restricted" in why(run(logged, "evil.log"))


def test_a_partition_that_was_rolled_back_is_as_secret_as_it_was(in_parts):
    first = latest(environment(in_parts).store).number - 1
    write_product(in_parts.root, "evil", "cut", cut(HARMLESS, "internal"))
    assert all(isinstance(one.decision, Publish) for one in rebuild(in_parts))
    write_product(in_parts.root, "good", "promo", reader("evil.cut"))
    assert isinstance(run(in_parts, "good.promo").decision, Publish)
    found, here = product(in_parts, "evil.cut"), environment(in_parts)
    rollback_product(found, here, first, "it was better", partition="a")
    refused = why(run(in_parts, "good.promo"))
    assert "evil.cut.x was published as restricted in partition a" in refused
    assert "in partition a" in why(build(in_parts, "b"))


def test_a_declaration_that_is_lost_is_no_word(in_parts):
    here = environment(in_parts)
    for file in (here.store.root / "declarations").iterdir():
        file.unlink()
    write_product(in_parts.root, "evil", "cut", cut(HARMLESS, "internal"))
    refused = why(build(in_parts, "b"))
    assert "counts as restricted in partition a, for nobody can tell" in refused


def test_an_edit_while_it_runs_is_not_what_it_was_published_as(settings):
    """What is kept is what the run was judged by, and not the internal one of before."""
    made = FIRST.replace("note as x", "'-' as x")
    write_product(settings.root, "evil", "log", log(made, "internal", STAFF))
    assert isinstance(run(settings, "evil.log").decision, Publish)
    write_product(settings.root, "evil", "log", log(FIRST, "restricted", STAFF))
    edited = log(FIRST, "internal", STAFF)

    def meanwhile(_line: str) -> None:
        write_product(settings.root, "evil", "log", edited)

    assert isinstance(build(settings, name="evil.log", progress=meanwhile).decision, Publish)
    write_product(settings.root, "good", "promo", reader("evil.log"))
    assert "evil.log.x is restricted" in why(run(settings, "good.promo"))
    write_product(settings.root, "evil", "log", log("select id, x from self", "internal"))
    assert "evil.log.x was published as restricted" in why(run(settings, "evil.log"))


def test_another_contract_that_is_published_meanwhile_is_seen(settings):
    """Started while nothing was published; before it ends, the other partition is."""
    write_product(settings.root, "evil", "cut", cut(HARMLESS, "internal"))
    told = []

    def meanwhile(line: str) -> None:
        if not told:
            told.append(line)
            write_product(settings.root, "evil", "cut", cut(FROM_STAFF, "restricted"))
            assert isinstance(build(settings, "a").decision, Publish)
            write_product(settings.root, "evil", "cut", cut(HARMLESS, "internal"))

    refused = why(build(settings, "b", progress=meanwhile))
    assert "evil.cut.x was published as restricted in partition a" in refused
    assert read(settings, "select distinct p from evil.cut") == [("a",)]


def test_check_and_plan_say_it_beforehand(logged):
    write_product(logged.root, "evil", "cut", cut(FROM_STAFF, "restricted"))
    assert isinstance(build(logged, "a").decision, Publish)
    names = ("evil.log", "evil.cut")
    assert class_notes(logged, [product(logged, name) for name in names]) == ()
    write_product(logged.root, "evil", "log", log("select id, x from self", "internal"))
    write_product(logged.root, "evil", "cut", cut(HARMLESS, "internal"))
    notes = class_notes(logged, [product(logged, name) for name in names])
    assert [note.where.file for note in notes if note.where] == [
        "domains/evil/log/log.odcs.yaml",
        "domains/evil/cut/cut.odcs.yaml",
    ]
    assert "mesh run evil.log --full" in notes[0].next
    assert "mesh run evil.cut --rebuild" in notes[1].next
    warned = "\n".join(plan_against(logged, mesh(logged)).warnings)
    assert all(note.what in warned for note in notes)


@pytest.mark.parametrize("seed", range(3))
def test_no_partition_is_shown_under_a_lower_class_than_its_own(settings, seed):
    """Whatever is published, rebuilt and rolled back, in any order."""
    rng, here = random.Random(seed), environment(settings)
    write_product(settings.root, "evil", "promo", reader("evil.cut", "public"))
    for _ in range(6):
        said = rng.choice(CLASSES)
        made = FROM_STAFF if said == "restricted" else HARMLESS
        write_product(settings.root, "evil", "cut", cut(made, said))
        numbers = range(2, latest(here.store).number + 1)
        step = rng.choice(["a", "b", "a", "b", "rebuild", "back"])
        if step == "rebuild":
            rebuild(settings)
        elif step != "back":
            build(settings, step)
        elif numbers:
            key = rng.choice(["a", "b", None])
            back = partial(rollback_product, product(settings, "evil.cut"), here)
            with suppress(UnknownNameError, NotPublishedError, StoreError):  # not there, or there
                back(rng.choice(numbers), "why not", partition=key)
        entry = next((e for a, e in latest(here.store).ports.items() if str(a) == "evil.cut"), None)
        if entry is None:
            continue
        ranks = {part.key: _rank(here, part.candidate) for part in entry.parts}
        if entry.kind == PUBLICATION:
            assert max(ranks.values()) <= _rank(here, entry.candidate)
        shown = isinstance(run(settings, "evil.promo").decision, Publish)
        assert not shown or not max(ranks.values())


def _rank(here, ref: str) -> int:
    """Return the class of x that a candidate was published under."""
    digest = read_manifest(here.store, ref).declaration
    text = (here.store.root / "declarations" / digest).read_text("utf-8")
    (said,) = re.findall(r"name: x, logicalType: string, classification: (\w+)", text)
    return CLASSES.index(said)
