"""Personal data in a column that says nothing of it is told, or refused, and never shown."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest
from helpers import a_contract, a_product, a_source, environment, run, write_workspace

from dataops_mesh.cli.warned import warned
from dataops_mesh.gate import Publish, Refuse
from dataops_mesh.quality.persons import person_number
from dataops_mesh.quality.redact import looks_like
from dataops_mesh.settings import load_settings
from dataops_mesh.store.manifest import read_manifest

MAILS = [f"someone.{n}@mesh.example" for n in range(40)]
KINDS = {
    "an e-mail": MAILS[0],
    "a phone number": "+49 30 1234567",
    "a phone number ": "01 23 45 67 89",
    "a phone number  ": "(11) 98765-4321",
    "a phone number   ": "03-1234-5678",
    "an IBAN": "DE89 3704 0044 0532 0130 00",
    "a card number": "4111 1111 1111 1111",
    "a social security number": "078-05-1120",
}


def port(values: list[str], more: str = ""):
    rows = "".join(f'{n},"{value}"\n' for n, value in enumerate(values))
    columns = [
        "{name: id, logicalType: integer, primaryKey: true}",
        f"{{name: contact, logicalType: string{more}}}",
    ]
    return a_product(
        {"desks": a_contract("desks", columns)},
        inputs=[a_source("desks_csv", "desks.csv", more="options: {all_varchar: true}")],
        files={
            "desks.sql": "select id::int as id, contact from desks_csv",
            "desks.csv": f"id,contact\n{rows}",
        },
    )


def workspace(root: Path, files, policy: str = "rules: {personal_data: error}\n"):
    (root / "policies.yaml").write_text(policy, "utf-8")
    return write_workspace(root, {"shop": {"desks": files}})


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_refused_and_not_shown(tmp_path: Path, kind):
    value = KINDS[kind]
    settings = workspace(tmp_path, port([value] * 3 + ["", "open"] * 5))
    report = run(settings, "shop.desks")
    assert isinstance(report.decision, Refuse)
    (reason,) = report.decision.reasons
    assert (
        f"3 of 13 values of contact look like {kind.strip()}" in reason or "3 of 8 values" in reason
    )
    assert value not in reason
    assert "personal_data" in reason
    assert "{none: ...}" in reason


def digits(number: int, first: int) -> list[int]:
    return [int(one) for one in f"{number:0{first}}"]


def cpf(number: int) -> str:
    """The Brazilian number, by its rule: two digits, each the rest of a weighted sum by 11."""
    figures = digits(100_000_000 + 7 * number, 9)
    for _ in range(2):
        weighted = sum(n * w for n, w in zip(figures, range(len(figures) + 1, 1, -1), strict=True))
        figures.append((-weighted % 11) % 10)
    text = "".join(map(str, figures))
    return f"{text[:3]}.{text[3:6]}.{text[6:9]}-{text[9:]}"


def dni(number: int) -> str:
    """The Spanish number: its letter is the rest of a division by 23."""
    return f"{10_000_000 + 31 * number}{'TRWAGMYFPDXBNJZSQVHLCKE'[(10_000_000 + 31 * number) % 23]}"


def nir(number: int) -> str:
    """The French number: its last two digits are 97 minus the rest by 97."""
    body = 1_850_175_001_000 + number
    return f"{body}{97 - body % 97:02}"


@pytest.mark.parametrize(("made", "country"), [(cpf, "BR"), (dni, "ES"), (nir, "FR")])
def test_the_number_of_a_person_is_told_by_a_column_of_them(tmp_path: Path, made, country):
    values = [made(n) for n in range(40)]
    decision = run(workspace(tmp_path, port(values)), "shop.desks").decision
    assert isinstance(decision, Refuse)
    (reason,) = decision.reasons
    assert f"40 of 40 values of contact look like a number of a person ({country})" in reason
    wrong = [f"{value[:-1]}{'B' if value[-1] == 'A' else 'A'}" for value in values]
    assert person_number(wrong) == ("", 0)
    assert person_number(values[:4]) == ("", 0), "four may be chance"


def test_a_warning_publishes_and_says_so(tmp_path: Path):
    settings = workspace(tmp_path, port(MAILS), "default: error\nrules: {owner: warning}\n")
    report = run(settings, "shop.desks")
    assert isinstance(report.decision, Publish)
    (warning,) = report.decision.warnings
    assert "shop.desks: 40 of 40 values of contact look like an e-mail" in warning
    assert any(
        "contact look like" in one for one in warned(environment(settings), report.candidate)
    )


@pytest.mark.parametrize(
    "more",
    [
        ", classification: confidential",
        ", tags: [pii:email]",
        ", customProperties: [{property: pii, vendor: dataops_mesh, value: {none: of desks}}]",
        ", customProperties: [{property: masking, vendor: dataops_mesh, value: {method: constant, value: x}}]",
    ],
)
def test_who_has_said_so_is_not_asked_again(tmp_path: Path, more):
    report = run(workspace(tmp_path, port(MAILS, more)), "shop.desks")
    assert report.decision == Publish(())


def test_it_can_be_off(tmp_path: Path):
    policy = "rules: {personal_data: {severity: off, reason: x}}\n"
    report = run(workspace(tmp_path, port(MAILS), policy), "shop.desks")
    assert report.decision == Publish(())
    assert (
        read_manifest(environment(load_settings(tmp_path)).store, report.candidate).personal == ()
    )


@pytest.mark.parametrize(
    ("days", "policy", "holds"),
    [
        (30, "", True),
        (-1, "", False),
        (91, "", False),  # longer than a waiver may hold
        (30, "waivers: {unwaivable: [personal_data]}\n", False),
    ],
)
def test_a_waiver_counts_as_for_any_policy(tmp_path: Path, days, policy, holds):
    files = port(MAILS)
    until = datetime.now(UTC).date() + timedelta(days)
    files["waivers.yaml"] = (
        f"waivers: [{{rule: personal_data, who: ana, why: of tests, until: {until}}}]\n"
    )
    settings = workspace(tmp_path, files, f"rules: {{personal_data: error}}\n{policy}")
    assert isinstance(run(settings, "shop.desks").decision, Publish if holds else Refuse)


def test_a_few_among_many_are_not_a_column_of_them(tmp_path: Path):
    report = run(workspace(tmp_path, port([*MAILS[:3], *["gate 4"] * 200])), "shop.desks")
    assert report.decision == Publish(())


def test_few_values_among_many_nulls_are_found(tmp_path: Path):
    """Nobody hides a column by filling it with nothing."""
    report = run(workspace(tmp_path, port([*MAILS[:4], *[""] * 5_000])), "shop.desks")
    assert isinstance(report.decision, Refuse)
    assert "4 of 4 values" in report.decision.reasons[0]


def test_a_word_that_is_repeated_hides_nothing(tmp_path: Path):
    """Equal values have equal hashes: a word with a small one would be all of the sample."""
    words = "select 'word ' || range as word from range(100000)"
    ((word,),) = duckdb.sql(f"select word from ({words}) order by hash(word) limit 1").fetchall()
    values = [f"x{n}@mesh.example" for n in range(900)]
    report = run(workspace(tmp_path, port([*values, *[word] * 900])), "shop.desks")
    assert isinstance(report.decision, Refuse)


def test_the_same_candidate_gets_the_same_answer(tmp_path: Path):
    """Whatever order the rows have, and however many there are."""
    values = [f"x{n}@mesh.example" if n % 7 == 0 else f"desk {n}" for n in range(3_000)]
    found = []
    files = port(values)
    head, *rows = str(files["desks.csv"]).splitlines()
    for number, given in enumerate((rows, rows[::-1])):
        root = tmp_path / str(number)
        root.mkdir()
        settings = workspace(root, {**files, "desks.csv": "\n".join((head, *given, ""))})
        report = run(settings, "shop.desks")
        found.append(read_manifest(environment(settings).store, report.candidate).personal)
    assert found[0] == found[1]
    assert found[0][0].sampled == 500
    assert abs(found[0][0].matched - 500 / 7) < 30


@pytest.mark.parametrize(
    "values",
    [
        [f"UA{n}" for n in range(100, 140)],
        [f"2013-01-{n:02} 10:00:00" for n in range(1, 31)],
        [f"N{n}UA" for n in range(10000, 10040)],
        ["10.0.0.1", "192.168.1.12", "172.16.0.9"] * 5,
        [f"{n}{n}-{n}" for n in range(1_000, 1_040)],
        [f"{n:013}" for n in range(4_006_381_333_900, 4_006_381_333_940)],
        ["a@", "@b", "see @home", "5 @ 3.20", "@scope/tool@0.9.0"] * 5,
        [f"{n / 7:.9f}" for n in range(40)],
        [f"+{n * 7919}.{n % 100:02}" for n in range(400, 440)],
        [f"{n:010}" for n in range(12_944_390, 12_944_430)],
        [f"git@git.mesh.example:team/part-{n}.git" for n in range(40)],
        [*(f"icon-{n}@2x.png" for n in range(20)), *(f"getty@tty{n}.service" for n in range(20))],
        ["RF18539007547034", "RF85521518235347302", "RF51402614973621 82"] * 5,
        ["Größe", "naïve", "北京", "e-mail", "phone"] * 5,
    ],
    ids=range(14),
)
def test_what_is_about_nobody_is_left_alone(tmp_path: Path, values):
    assert run(workspace(tmp_path, port(values)), "shop.desks").decision == Publish(())


def test_a_very_long_text_is_read_no_further_than_its_beginning(tmp_path: Path):
    """The patterns take the square of the length: 300,000 letters took minutes."""
    values = ["x" * 300_000, MAILS[0] + " " * 300_000, *MAILS[1:9]]
    began = time.process_time()
    report = run(workspace(tmp_path, port(values)), "shop.desks")
    assert isinstance(report.decision, Refuse)
    assert time.process_time() - began < 20
    assert looks_like("y" * 300_000) == ""
