"""Consumers see what a mask makes of a value, the gate judges the value, and nobody keeps it."""

from __future__ import annotations

import stat
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from helpers import (
    a_contract,
    a_product,
    a_setting,
    a_source,
    an_input,
    environment,
    product,
    read,
    run,
    write_product,
    write_workspace,
)
from mask_cases import KEY, MARKER, cells, column, hashed, people, workspace

from dataops_mesh.errors import DeclarationError, MeshError, RunError
from dataops_mesh.gate import Publish, Refuse
from dataops_mesh.run.attempt import Attempt
from dataops_mesh.run.audit import run_checks
from dataops_mesh.run.rebuild import rebuild_product
from dataops_mesh.spec.checks.check import CheckResult
from dataops_mesh.store.manifest import read_manifest
from dataops_mesh.testing import try_product
from dataops_mesh.watch.monitor import audit_published


@pytest.fixture(autouse=True)
def _secret(monkeypatch) -> None:
    monkeypatch.setenv("MESH_SECRET_PEOPLE", KEY)


def test_each_mask_is_what_it_says(tmp_path: Path):
    files = people(
        "id,mail,phone,name,age,paid,born,seen\n"
        "1,ann@x.org,+4912345678,Ann,41,1234.56,1983-05-17,2026-02-03 04:05:06\n"
        "2,,12,,-3,-0.07,,\n",
        column("mail", "string", "{method: hash, secret: people}"),
        column("phone", "string", "{method: partial, keepFirst: 3, keepLast: 2}"),
        column("name", "string", '{method: constant, value: "-"}'),
        column("age", "integer", "{method: bucket, width: 10}"),
        column("paid", "number", "{method: bucket, width: 0.5}", ', physicalType: "DECIMAL(9,2)"'),
        column("born", "date", "{method: bucket, unit: decade}"),
        column("seen", "timestamp", "{method: constant, value: null}"),
        sql="select id::int as id, mail, phone, name, age::int as age, paid::decimal(9,2) as paid, "
        "born::date as born, seen::timestamp as seen from people_csv",
    )
    settings = workspace(tmp_path, files)
    assert isinstance(run(settings, "hr.people").decision, Publish)
    assert read(settings, "select * from hr.people order by id") == [
        (
            1,
            hashed("ann@x.org"),
            "+49******78",
            "-",
            40,
            Decimal("1234.50"),
            date(1980, 1, 1),
            None,
        ),
        (2, None, "**", None, -10, Decimal("-0.50"), None, None),
    ]


def test_the_gate_judges_the_value_and_not_its_mask(tmp_path: Path):
    rule = '{id: mails, type: library, metric: invalidValues, mustBe: 0, arguments: {pattern: "@"}}'
    mail = column("mail", "string", "{method: hash, secret: people}", f", quality: [{rule}]")
    settings = workspace(tmp_path, people("id,mail\n1,ann@x.org\n", mail))
    assert isinstance(run(settings, "hr.people").decision, Publish)
    write_product(tmp_path, "hr", "people", people(f"id,mail\n1,ann@x.org\n2,{MARKER}\n", mail))
    assert isinstance(run(settings, "hr.people").decision, Refuse)
    assert read(settings, "select count(*) from hr.people") == [(1,)]
    assert MARKER not in cells(settings.store_folder)
    audit = audit_published(product(settings, "hr.people"), environment(settings))
    assert not audit.failures
    assert "mail_mails" not in {check.name for check in audit.checks}


@pytest.mark.parametrize("kind", ["sql", "python"])
@pytest.mark.parametrize("published", [True, False])
def test_no_clear_value_stays_anywhere_in_the_store(tmp_path: Path, kind, published):
    """Whether it was published or refused, and in what was set aside."""
    aside = ", customProperties: [" + a_setting("onFailure", "{quarantine: 90%}").strip()[2:] + "]"
    rule = (
        f"{{id: adult, metric: invalidValues, mustBe: 0, arguments: {{validValues: [1]}}{aside}}}"
    )
    columns = (
        column("mail", "string", "{method: hash, secret: people}", ", classification: restricted"),
        column("kind", "integer", more=f", quality: [{rule}]"),
    )
    rules = () if published else ("{id: many, metric: rowCount, mustBeGreaterThan: 99}",)
    rows = f"id,mail,kind\n1,{MARKER}@x.org,1\n2,{MARKER}2@x.org,7\n"
    files = people(rows, *columns, rules=rules)
    files["people.sql"] = "select id::int as id, mail, kind::int as kind from people_csv"
    if kind == "python":
        del files["people.sql"]
        files["transform.py"] = (
            "def transform(people_csv):\n"
            "    return people_csv.select('id::int as id, mail, kind::int as kind')\n"
        )
    settings = workspace(tmp_path, files)
    report = run(settings, "hr.people")
    assert report.published is published
    assert isinstance(report.decision, Publish if published else Refuse)
    manifest = read_manifest(environment(settings).store, report.candidate)
    assert [(one.column, one.kind) for one in manifest.masks] == [("mail", "hash")]
    assert manifest.quarantines[0].rows == 1
    found = cells(settings.store_folder)
    assert MARKER not in found
    assert hashed(f"{MARKER}@x.org") in found
    assert hashed(f"{MARKER}2@x.org") in found


def test_joins_and_foreign_keys_work_on_masked_keys(tmp_path: Path):
    mail = column(
        "mail", "string", "{method: hash, secret: people}", ", unique: true, required: true"
    )
    other = a_product(
        {
            "orders": a_contract(
                "orders",
                ["{name: mail, logicalType: string, relationships: [{to: hr.people.mail}]}"],
            )
        },
        inputs=[an_input("hr.people")],
        files={"orders.sql": "select mail from hr.people"},
    )
    first = people("id,mail\n1,a@x\n2,b@x\n", mail)
    domains = {"hr": {"people": first}, "shop": {"orders": other}}
    settings = write_workspace(tmp_path, domains)
    assert isinstance(run(settings, "hr.people").decision, Publish)
    assert isinstance(run(settings, "shop.orders").decision, Publish)
    write_product(tmp_path, "hr", "people", people("id,mail\n1,a@x\n2,a@x\n", mail))
    assert isinstance(run(settings, "hr.people").decision, Refuse)  # not unique before the mask


@pytest.mark.parametrize(
    ("secret", "said"),
    [(None, "neither as MESH_SECRET_PEOPLE nor"), ("short", "fewer than 16 bytes")],
)
def test_without_its_secret_nothing_is_built(tmp_path: Path, monkeypatch, secret, said):
    monkeypatch.delenv("MESH_SECRET_PEOPLE")
    if secret:
        monkeypatch.setenv("MESH_SECRET_PEOPLE", secret)
    mail = column("mail", "string", "{method: hash, secret: people}")
    settings = workspace(tmp_path, people(f"id,mail\n1,{MARKER}\n", mail))
    report = run(settings, "hr.people")
    assert isinstance(report.decision, Refuse)
    assert said in report.decision.reasons[0]
    assert "short" not in report.decision.reasons[0].replace("fewer", "")
    assert MARKER not in cells(settings.store_folder)


def test_a_secret_can_be_a_file(tmp_path: Path, monkeypatch):
    monkeypatch.delenv("MESH_SECRET_PEOPLE")
    mail = column("mail", "string", "{method: hash, secret: people}")
    settings = workspace(tmp_path, people("id,mail\n1,a@x\n", mail), 'secrets = "keys"\n')
    assert isinstance(run(settings, "hr.people").decision, Refuse)
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys/people").write_text(f"{KEY}\n", "utf-8")
    assert isinstance(run(settings, "hr.people").decision, Publish)
    assert read(settings, "select mail from hr.people") == [(hashed("a@x"),)]


def test_a_transform_does_not_see_the_secret(tmp_path: Path):
    files = people("id,mail\n1,a@x\n", column("mail", "string", "{method: hash, secret: people}"))
    del files["people.sql"]
    files["transform.py"] = (
        "import os\n"
        "def transform(people_csv):\n"
        "    if any('MESH_SECRET' in name for name in os.environ):\n"
        "        raise ValueError\n"
        "    return people_csv.select('id::int as id, mail')\n"
    )
    settings = workspace(tmp_path, files)
    assert isinstance(run(settings, "hr.people").decision, Publish)


def daily(mask: str, more: str = "", rules: tuple[str, ...] = ()):
    days = "{cadence: daily, start: 2026-01-01}"
    contract = a_contract(
        "visits",
        [column("day", "date", more=", partitioned: true"), column("who", "string", mask, more)],
        *rules,
        extra="customProperties:\n" + a_setting("partitions", days),
    )
    return a_product(
        {"visits": contract},
        inputs=[a_source("visits_csv", "visits.csv", more="column: day")],
        files={
            "visits.sql": "select day, who from visits_csv where day = partition_start()",
            "visits.csv": f"day,who\n2026-01-01,{MARKER}\n2026-01-02,{MARKER}\n",
        },
    )


def test_partitions_are_masked_and_a_rule_over_all_of_them_is_refused(tmp_path: Path):
    domains = {"hr": {"visits": daily("{method: hash, secret: people}")}}
    settings = write_workspace(tmp_path, domains, settings='now = "2026-01-02T12:00:00Z"\n')
    reports = rebuild_product(product(settings, "hr.visits"), environment(settings), run_id="x")
    assert [one.decision for one in reports] == [Publish(()), Publish(())]
    assert read(settings, "select distinct who from hr.visits") == [(hashed(MARKER),)]
    assert MARKER not in cells(settings.store_folder)
    write_product(
        tmp_path, "hr", "visits", daily("{method: hash, secret: people}", ", unique: true")
    )
    with pytest.raises(DeclarationError, match="masked columns of all partitions"):
        product(settings, "hr.visits")


def test_a_value_that_its_mask_lets_through_ends_the_run(tmp_path: Path, monkeypatch):
    """The guard does not trust the masks: here one is broken."""
    files = people(
        f"id,mail\n1,{MARKER}\n", column("mail", "string", "{method: hash, secret: people}")
    )
    settings = workspace(tmp_path, files)
    monkeypatch.setattr("dataops_mesh.engine.mask._hash", lambda column, _key: column)
    with pytest.raises(RunError, match="a masked value is its clear one") as caught:
        run(settings, "hr.people")
    assert MARKER not in str(caught.value)
    with pytest.raises(MeshError):
        read(settings, "from hr.people")
    assert MARKER not in cells(settings.store_folder / "candidates")


def test_a_test_of_a_product_sees_its_values_and_needs_no_secret(tmp_path: Path, monkeypatch):
    monkeypatch.delenv("MESH_SECRET_PEOPLE")
    mail = column("mail", "string", "{method: hash, secret: people}")
    workspace(tmp_path, people("id,mail\n1,a@x\n", mail))
    tried = try_product(tmp_path / "domains/hr/people", {"people_csv": [{"id": "1", "mail": "b"}]})
    assert tried.rows("people") == [{"id": 1, "mail": "b"}]
    assert tried.published


def test_nobody_else_gets_into_the_folder_until_only_the_masked_form_is_left(tmp_path, monkeypatch):
    seen: list[tuple[int, bool]] = []

    def watched(attempt: Attempt, *given: object) -> tuple[CheckResult, ...]:
        seen.append((stat.S_IMODE(attempt.folder.stat().st_mode), MARKER in cells(attempt.folder)))
        return run_checks(attempt, *given)

    monkeypatch.setattr("dataops_mesh.run.stages.run_checks", watched)
    files = people(
        f"id,mail\n1,{MARKER}\n", column("mail", "string", "{method: hash, secret: people}")
    )
    settings = workspace(tmp_path, files)
    report = run(settings, "hr.people")
    assert report.published
    assert seen[-1] == (0o700, True)
    folder = settings.store_folder / "candidates" / report.candidate
    assert stat.S_IMODE(folder.stat().st_mode) == stat.S_IMODE(folder.parent.stat().st_mode)
    assert MARKER not in cells(folder)
