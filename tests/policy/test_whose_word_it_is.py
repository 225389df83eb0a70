"""An approval or a waiver is its committer's word, for a time, and not for everything (A14)."""

from __future__ import annotations

import shutil
import subprocess
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from policy_cases import FILES, TODAY, verdict, write
from test_waivers import STRICT, waiver
from test_where_policies_hold import mesh

from dataops_mesh.cli.declarations import check_declarations
from dataops_mesh.cli.output import Format
from dataops_mesh.policy.evaluate import evaluate
from dataops_mesh.policy.load import load_policies, load_waivers
from dataops_mesh.run.decisions import decisions_in, former_products
from dataops_mesh.run.environment import open_environment
from dataops_mesh.run.identity import git
from dataops_mesh.run.registry.register import register
from dataops_mesh.settings import load_settings
from dataops_mesh.spec.loader import load_mesh

ANA, BO = ("Ana Adler", "ana@mesh.example"), ("Bo Berg", "bo@mesh.example")
DECIDED = "default: info\nrules: {decided_by_committer: error}\n"
EYES = "default: info\nrules: {decided_by_committer: error, four_eyes: error}\n"


def commit(root, author, message="x") -> None:
    name, email = author
    git = ["git", "-C", str(root), "-c", f"user.name={name}", "-c", f"user.email={email}"]
    subprocess.run([*git, "add", "-A"], check=True)
    subprocess.run([*git, "commit", "-qm", message], check=True)


@pytest.fixture
def shop(tmp_path):
    return a_shop(tmp_path)


def a_shop(tmp_path):
    """A workspace in git, whose declarations Ana committed."""
    write(tmp_path, {"policies.yaml": DECIDED})
    (tmp_path / "pyproject.toml").write_text("[tool.dataops_mesh]\n", "utf-8")
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    commit(tmp_path, ANA)
    return tmp_path


def found(root) -> list[str]:
    settings = load_settings(root)
    declared = load_mesh(root, "domains")
    policies = load_policies(root / "policies.yaml", root)
    judged = evaluate(
        declared,
        policies,
        load_waivers(root, declared.products),
        TODAY,
        former=former_products(declared, settings),
        decisions=decisions_in(settings),
    )
    said = [v.finding.what for v in judged.violations if v.severity == "error"]
    return said + [problem.what for problem in judged.problems]


def waive(root, *entries: str, where="waivers.yaml") -> None:
    (root / where).write_text("waivers:\n" + "".join(entries), "utf-8")


@pytest.mark.parametrize("who", ["bo@mesh.example", "bo", "Bo Berg", "BO@mesh.example"])
def test_a_waiver_that_its_person_committed_is_that_persons(shop, who):
    waive(shop, waiver(who=who))
    commit(shop, BO)
    assert found(shop) == []


@pytest.mark.parametrize("who", ["ana", "lea.brandt@mesh.example", "o", "mesh.example"])
def test_a_name_that_somebody_else_committed_is_found(shop, who):
    waive(shop, waiver(who=who))
    commit(shop, BO)
    (what,) = found(shop)
    assert "was committed by Bo Berg <bo@mesh.example>" in what


def test_a_run_refuses_what_check_refuses(shop):
    waive(shop, waiver(who="lea", until=str(datetime.now(UTC).date())))
    commit(shop, BO)
    for command in ("check", "run"):
        said = mesh(shop, command)
        assert said.returncode in {1, 2}
        assert "was committed by Bo Berg <bo@mesh.example>" in said.stderr + said.stdout


def test_what_is_not_committed_is_nobodys_word(shop):
    waive(shop, waiver(who="bo"))
    assert ["is not committed" in what for what in found(shop)] == [True]
    commit(shop, BO)
    waive(shop, waiver(who="bo", until="2027-01-20"))
    assert ["is not committed" in what for what in found(shop)] == [True]


def test_each_entry_is_its_own_authors_whoever_touched_the_file_later(shop):
    mine, theirs = waiver(who="bo"), waiver(rule="support_channel", who="ana")
    waive(shop, mine)
    commit(shop, BO)
    waive(shop, mine, theirs)
    commit(shop, ANA)
    assert found(shop) == []
    waive(shop, mine.replace("a merger", "because"), theirs)
    commit(shop, ANA)
    assert ["was committed by Ana Adler" in what for what in found(shop)] == [True]


def test_a_mail_map_in_the_working_tree_gives_nobody_another_name(shop):
    waive(shop, waiver(who="bo"))
    text = "Bo Berg <bo@mesh.example> Ana Adler <ana@mesh.example>\n"
    (shop / ".mailmap").write_text(text)
    commit(shop, ANA)
    assert ["was committed by Ana Adler" in what for what in found(shop)] == [True]


def approve(root, who="bo", day="2026-11-01") -> None:
    folder = root / Path(FILES["product"]).parent / "approvals"
    folder.mkdir(exist_ok=True)
    text = f"digest: abc\napprover: {who}\nreason: agreed\ndate: {day}\n"
    (folder / "abc.yaml").write_text(text, "utf-8")


def test_an_approval_is_its_committers_and_of_its_day(shop):
    today = date.today()  # noqa: DTZ011 - the day of the commit
    approve(shop, day=str(today))
    commit(shop, BO)
    assert found(shop) == []
    approve(shop, day="1999-01-01")
    commit(shop, BO)
    assert ["says 1999-01-01" in what for what in found(shop)] == [True]
    approve(shop, who="lea", day=str(today))
    commit(shop, BO)
    assert ["committed by Bo Berg" in what for what in found(shop)] == [True]


def test_with_four_eyes_nobody_approves_a_change_of_their_own(shop):
    (shop / "policies.yaml").write_text(EYES)
    waive(shop, waiver(who="ana"))
    commit(shop, ANA)
    assert ["who changed the product too" in what for what in found(shop)] == [True]
    waive(shop, waiver(who="bo"))
    commit(shop, BO)
    assert found(shop) == []


def test_outside_git_check_says_that_names_are_words(tmp_path, monkeypatch, capsys):
    write(tmp_path, {"policies.yaml": "default: info\n", "waivers.yaml": "waivers:\n" + waiver()})
    (tmp_path / "pyproject.toml").write_text("[tool.dataops_mesh]\nnow = 2026-11-01T12:00:00Z\n")
    monkeypatch.chdir(tmp_path)
    check_declarations([], Format.TABLE)
    assert "no git here: the names in 1 files of approvals and waivers" in capsys.readouterr().err


# --- for how long, and of what


@pytest.mark.parametrize(
    ("days", "longest", "holds"), [(90, 90, True), (91, 90, False), (8, 7, False)]
)
def test_a_waiver_that_would_hold_too_long_covers_nothing(tmp_path, days, longest, holds):
    until = TODAY + timedelta(days=days)
    files = {
        **STRICT,
        "policies.yaml": f"default: error\nwaivers: {{longest: {longest}}}\n",
        "waivers.yaml": "waivers:\n" + waiver(until=until),
    }
    judged = verdict(write(tmp_path, files))
    assert (judged.refusals == ()) is holds
    assert ("the longest is" in "".join(p.what for p in judged.problems)) is not holds


def test_a_replay_of_the_past_reads_the_waivers_of_after_it(tmp_path):
    files = {**STRICT, "waivers.yaml": "waivers:\n" + waiver(until=TODAY + timedelta(days=30))}
    root = write(tmp_path, files)
    declared = load_mesh(root, "domains")
    waivers = load_waivers(root, declared.products)
    policies = load_policies(root / "policies.yaml", root)
    then = TODAY - timedelta(days=300)
    assert evaluate(declared, policies, waivers, then, counted_from=TODAY).refusals == ()


def test_what_the_platform_calls_unwaivable_is_not_waived(tmp_path):
    files = {
        **STRICT,
        "policies.yaml": "default: error\nwaivers: {unwaivable: [owner]}\n",
        "waivers.yaml": "waivers:\n" + waiver(),
    }
    judged = verdict(write(tmp_path, files))
    assert [v.rule for v in judged.violations] == ["owner"]
    assert ["cannot be waived here" in p.what for p in judged.problems] == [True]


def test_who_committed_it_is_kept_with_the_registration(shop):
    waive(shop, waiver(who="bo"))
    commit(shop, BO)
    settings = load_settings(shop)
    place, (_, domain) = open_environment(settings), load_mesh(shop, "domains").domains
    said = register(domain, place, {})
    (word,) = [word for one in said for word in one.words]
    head = git(shop, "rev-parse", "HEAD").strip()
    assert (word.kind, word.who, word.author) == ("waiver", "bo", "Bo Berg <bo@mesh.example>")
    assert (word.commit, word.where.partition(":")[0]) == (head, "waivers.yaml")
    assert register(domain, place, {}) == (), "nothing is new"
    waive(shop, waiver(who="ana"))
    commit(shop, ANA)
    again = register(domain, place, {})
    assert [word.author for one in again for word in one.words] == ["Ana Adler <ana@mesh.example>"]
    shutil.rmtree(shop / ".git")
    (shop / "pyproject.toml").write_text("[tool.dataops_mesh]\nrepository = 'shop'\n", "utf-8")
    elsewhere = open_environment(load_settings(shop))
    moved = register(domain, elsewhere, {}, move=True)
    assert {one.words for one in moved} == {()}
    assert register(domain, elsewhere, {}) == ()
