"""What OpenLineage's own client sends of a run, to a file and to a receiver that is down."""

from __future__ import annotations

import json
import socket
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from helpers import (
    a_contract,
    a_product,
    a_source,
    environment,
    product,
    run,
    write_product,
    write_workspace,
)

from dataops_mesh.run import openlineage
from dataops_mesh.run.record import open_record
from dataops_mesh.sandbox.promotion import promote
from dataops_mesh.settings import load_settings
from dataops_mesh.store.holding import Asked
from dataops_mesh.store.line.opening import NOBODY, open_sandbox

PLANTED = "mark-secret-0001"
SETTINGS = 'openlineage = "mesh"\n'


def people(rows: str):
    columns = [
        "{name: id, logicalType: integer, primaryKey: true, classification: internal}",
        "{name: mail, logicalType: string, classification: restricted}",
    ]
    return a_product(
        {"people": a_contract("people", columns)},
        inputs=[a_source("s", "s.csv")],
        files={"people.sql": "select id, mail from s", "s.csv": f"id,mail\n{rows}"},
    )


@pytest.fixture(autouse=True)
def fresh(monkeypatch):
    openlineage._client.cache_clear()
    openlineage._say.cache_clear()
    openlineage._DEAF.clear()
    monkeypatch.setattr(openlineage, "SECONDS", 20.0)
    yield
    openlineage._client.cache_clear()


def to_file(monkeypatch, file: Path) -> None:
    told = {"type": "file", "log_file_path": str(file), "append": True}
    monkeypatch.setenv("OPENLINEAGE__TRANSPORT", json.dumps(told))


def test_start_and_end_say_what_was_read_written_and_tested(tmp_path, monkeypatch):
    file = tmp_path / "events.json"
    to_file(monkeypatch, file)
    good = people(f"1,{PLANTED}\n2,b\n")
    settings = write_workspace(tmp_path, {"shop": {"people": good}}, settings=SETTINGS)
    report = run(settings, "shop.people")
    text = file.read_text("utf-8")
    start, end = map(json.loads, text.splitlines())
    assert (start["eventType"], end["eventType"]) == ("START", "COMPLETE")
    assert start["run"]["runId"] == end["run"]["runId"]
    assert end["job"] | {} == {**end["job"], "namespace": "mesh", "name": "shop.people"}
    assert [one["name"] for one in end["inputs"]] == ["shop.people/s"]
    (port,) = end["outputs"]
    assert (port["namespace"], port["name"]) == ("mesh", "shop.people")
    assert {one["_producer"] for one in port["facets"].values()} == {openlineage.PRODUCER}
    columns = port["facets"]["schema"]["fields"]
    assert [(one["name"], one["type"]) for one in columns] == [
        ("id", "BIGINT"),
        ("mail", "VARCHAR"),
    ]
    assert port["facets"]["version"]["datasetVersion"] == report.candidate
    assert port["outputFacets"]["outputStatistics"]["rowCount"] == 2
    tests = end["run"]["facets"]["tests"]["tests"]
    assert {one["name"] for one in tests} == {f"{r.port}: {r.check}" for r in report.results}
    assert {one["status"] for one in tests} == {"pass"}
    assert PLANTED not in text


def test_a_refusal_fails_and_writes_nothing(tmp_path, monkeypatch):
    file = tmp_path / "events.json"
    to_file(monkeypatch, file)
    bad = people(f"1,{PLANTED}\n1,{PLANTED}\n")
    settings = write_workspace(tmp_path, {"shop": {"people": bad}}, settings=SETTINGS)
    run(settings, "shop.people")
    _, end = map(json.loads, file.read_text("utf-8").splitlines())
    assert end["eventType"] == "FAIL"
    assert end["outputs"] == []
    assert "was refused" in end["run"]["facets"]["errorMessage"]["message"]
    assert "fail" in {one["status"] for one in end["run"]["facets"]["tests"]["tests"]}
    assert PLANTED not in file.read_text("utf-8")


def test_it_is_off_unless_it_is_asked_for(tmp_path, monkeypatch):
    file = tmp_path / "events.json"
    to_file(monkeypatch, file)
    settings = write_workspace(tmp_path, {"shop": {"people": people("1,a\n")}})
    run(settings, "shop.people")
    assert not file.exists()


def test_a_sandbox_is_not_told_of_until_it_is_promoted(tmp_path, monkeypatch):
    file = tmp_path / "events.json"
    to_file(monkeypatch, file)
    settings = write_workspace(tmp_path, {"shop": {"people": people("1,a\n")}}, settings=SETTINGS)
    run(settings, "shop.people")
    lease = datetime.now(UTC) + timedelta(days=1)
    open_sandbox(environment(settings).store, "try", Asked("ben", "to try", NOBODY), lease)
    inside = load_settings(settings.root, sandbox="try")
    write_product(settings.root, "shop", "people", people("1,a\n2,b\n"))
    report = run(inside, "shop.people")
    assert len(file.read_text("utf-8").splitlines()) == 2
    place = environment(inside)
    promote(place.store, place, {"shop.people": product(settings, "shop.people")}, (), "tried")
    with open_record(environment(settings)):
        pass
    *_, last = map(json.loads, file.read_text("utf-8").splitlines())
    assert last["outputs"][0]["facets"]["version"]["datasetVersion"] == report.candidate


def test_a_receiver_that_never_answers_keeps_nobody(tmp_path, monkeypatch, caplog):
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}"
        told = {"type": "http", "url": url, "timeout": 60}
        monkeypatch.setenv("OPENLINEAGE__TRANSPORT", json.dumps(told))
        monkeypatch.setattr(openlineage, "SECONDS", 8.0)
        settings = write_workspace(
            tmp_path, {"shop": {"people": people("1,a\n")}}, settings=SETTINGS
        )
        began = time.monotonic()
        assert run(settings, "shop.people").publication == 1
        write_product(settings.root, "shop", "people", people("1,a\n2,b\n"))
        assert run(settings, "shop.people").publication == 2
        once = time.monotonic() - began
        write_product(settings.root, "shop", "people", people("1,a\n2,b\n3,c\n"))
        assert run(settings, "shop.people").publication == 3
        assert once > 8
        assert time.monotonic() - began - once < 8, "it is waited for once"
    said = [one.getMessage() for one in caplog.records if "OpenLineage" in one.getMessage()]
    assert said == [one for one in said if "has not answered" in one]
    assert len(said) == 1


def test_settings_of_the_client_that_make_no_sense_are_said(tmp_path, monkeypatch, caplog):
    monkeypatch.setenv("OPENLINEAGE__TRANSPORT", json.dumps({"type": "pigeon"}))
    settings = write_workspace(tmp_path, {"shop": {"people": people("1,a\n")}}, settings=SETTINGS)
    assert run(settings, "shop.people").publication == 1
    assert "OpenLineage was not told" in caplog.text
