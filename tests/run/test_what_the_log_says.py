"""The log has a whole line for each thing on record, nothing of the data, and stops nothing."""

from __future__ import annotations

import json
import os
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from helpers import (
    a_contract,
    a_product,
    a_source,
    environment,
    lift,
    product,
    roll_back,
    run,
    write_product,
    write_workspace,
)

from dataops_mesh.errors import MeshError
from dataops_mesh.ledger.told import log as log_module
from dataops_mesh.ledger.told.facts import COMMON, EVENTS
from dataops_mesh.ledger.told.log import Log
from dataops_mesh.ledger.trouble.incidents import Trouble, update_incidents
from dataops_mesh.run.record import open_record
from dataops_mesh.run.word.erase import Forgot, erase
from dataops_mesh.run.word.erasing import erasing
from dataops_mesh.run.word.hold import hold_product
from dataops_mesh.run.word.withdraw import taking, withdraw_product
from dataops_mesh.settings import Settings

REPOSITORY = Path(__file__).parents[2]
PAGE = (REPOSITORY / "docs" / "logs.md").read_text("utf-8")
SECRETS = ("anna-smith", "bert-jones", "DE89370400440532013000")
SETTINGS = 'log = "log.jsonl"\nrepository = "acme/mesh"\n'
COLUMNS = (
    "{name: id, logicalType: integer, classification: public, unique: true, required: true}",
    "{name: name, logicalType: string, classification: confidential, unique: true}",
)
RULE = "{name: cast, type: sql, query: 'select count(name::int) from {object}', mustBe: 0, severity: warning}"


def people(rows: str, query: str = "from people_csv") -> dict[str, str | bytes]:
    return a_product(
        {"people": a_contract("people", COLUMNS)},
        inputs=[a_source("people_csv", "people.csv")],
        files={"people.sql": query, "people.csv": f"id,name\n{rows}"},
    )


GOOD, BETTER = f"1,{SECRETS[0]}\n", f"1,{SECRETS[0]}\n2,{SECRETS[1]}\n"
BAD = f"1,{SECRETS[0]}\n1,{SECRETS[0]}\n"


def lines(settings: Settings) -> list[dict]:
    return [json.loads(line) for line in (settings.root / "log.jsonl").read_text().splitlines()]


def named(settings: Settings, event: str) -> list[dict]:
    return [line for line in lines(settings) if line["event"] == event]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    log_module._say.cache_clear()
    return write_workspace(tmp_path, {"shop": {"people": people(GOOD)}}, settings=SETTINGS)


def story(settings: Settings) -> list:
    """Published twice, refused, failed, rolled back, lifted."""
    reports = [run(settings, "shop.people")]
    for rows in (BETTER, BAD):
        write_product(settings.root, "shop", "people", people(rows))
        reports.append(run(settings, "shop.people"))
    failing = "select id, error('broke at ' || name) as name from people_csv"
    write_product(settings.root, "shop", "people", people(GOOD, failing))
    with pytest.raises(MeshError):
        run(settings, "shop.people")
    write_product(settings.root, "shop", "people", people(GOOD))
    roll_back(settings, "shop.people")
    lift(settings, "shop.people")
    return reports


def test_each_thing_that_happened_is_one_line_with_known_fields(settings: Settings):
    first, second, refused = story(settings)
    told = [line["event"] for line in lines(settings) if line["event"] != "checked"]
    assert told == [
        *("built", "published", "built", "published", "refused", "failed"),
        *("asked", "rolled_back", "asked", "lifted"),
    ]
    for line in lines(settings):
        assert set(line) <= {*COMMON, *EVENTS[line["event"]]}
        assert line["repository"] == "acme/mesh"
        age = datetime.now(UTC) - datetime.fromisoformat(line["time"])
        assert line["time"].endswith("+00:00")
        assert timedelta(0) <= age < timedelta(minutes=5)
    ids = [line["id"] for line in lines(settings)]
    assert len(set(ids)) == len(ids)
    built = named(settings, "built")[1]
    assert (built["candidate"], built["rows"], built["failed"]) == (second.candidate, 2, 0)
    assert built["bytes"] > 0
    assert built["seconds"] > 0
    assert built["checks"] == len(second.results)
    assert [one["publication"] for one in named(settings, "published")] == [1, 2]
    back = named(settings, "rolled_back")[0]
    assert (back["publication"], back["candidate"], back["rows"]) == (3, first.candidate, 1)
    [no] = named(settings, "refused")
    assert no["candidate"] == refused.candidate
    judged = [one for one in named(settings, "checked") if one["candidate"] == refused.candidate]
    assert len(judged) == len(refused.results) == no["checks"]
    broke = {(one["check"], one["severity"]) for one in judged if one["outcome"] == "failed"}
    assert broke == {("id_unique", "error"), ("name_unique", "error")}
    assert no["failed"] == 2


def test_what_a_person_decides_is_told_of_all_its_ports(settings: Settings):
    run(settings, "shop.people")
    place, before = environment(settings), len(lines(settings))
    hold_product(product(settings, "shop.people"), place, "wait")
    lift(settings, "shop.people")
    what = taking("shop.people", place, ())
    withdraw_product(what, place, "not ours")
    lift(settings, "shop.people")
    run(settings, "shop.people")
    erase(
        erasing("shop.people", place, [product(settings, "shop.people")])[0],
        place,
        "asked for",
        whole=True,
        wait=False,
        forget=lambda _: Forgot(),
        tell=lambda _: None,
    )
    told = [one for one in lines(settings)[before:] if one["event"] in EVENTS and "product" in one]
    told = [one for one in told if one["event"] not in {"checked", "built", "published"}]
    assert [(one["event"], one["ports"]) for one in told] == [
        (event, ["shop.people"]) for event in ("held", "lifted", "withdrawn", "lifted", "erased")
    ]
    assert [one.get("reason") for one in told][::2] == ["wait", "not ours", "asked for"]


def test_nothing_of_the_data_is_in_it(settings: Settings):
    story(settings)
    text = (settings.root / "log.jsonl").read_text()
    assert not any(secret in text for secret in SECRETS)


def test_a_ledger_that_is_written_again_tells_everything_with_the_same_ids(settings: Settings):
    run(settings, "shop.people")
    before = lines(settings)
    environment(settings).store.ledger_file.unlink()
    run(settings, "shop.people")
    again = lines(settings)[len(before) :]
    assert {one["id"] for one in before} < {one["id"] for one in again}
    assert all(one in again for one in before)


def test_an_incident_begins_and_ends_once(settings: Settings):
    wrong, now = Trouble("shop.people", "late", "", "late by an hour"), datetime.now(UTC)
    with open_record(environment(settings)) as ledger:
        for troubles in ([wrong], [wrong], [], []):
            update_incidents(ledger, ["shop.people"], troubles, now)
    began, ended = lines(settings)
    assert (began["event"], ended["event"]) == ("incident_opened", "incident_closed")
    assert began["incident"] == ended["incident"]
    assert (began["kind"], began["why"]) == ("late", "late by an hour")


@pytest.mark.parametrize("where", ["no/such/folder/log.jsonl", ".", "/dev/full", "pipe"])
def test_a_log_that_cannot_be_written_is_said_once_and_stops_nothing(
    settings: Settings, where: str, caplog: pytest.LogCaptureFixture
):
    os.mkfifo(settings.root / "pipe")  # that nobody reads
    broken = settings.model_copy(update={"log": where})
    assert run(broken, "shop.people").published
    assert run(broken, "shop.people").published
    said = [one.getMessage() for one in caplog.records if one.name == "dataops_mesh.log"]
    assert len(said) == 1
    assert said[0].startswith("the log is not written: ")


def test_whoever_rotates_it_loses_no_line(settings: Settings):
    run(settings, "shop.people")
    first = lines(settings)
    (settings.root / "log.jsonl").rename(settings.root / "log.jsonl.1")
    run(settings, "shop.people")
    assert len(lines(settings)) == len(first)
    os.truncate(settings.root / "log.jsonl", 0)
    run(settings, "shop.people")
    assert len(lines(settings)) == len(first)


def test_a_line_that_a_full_disk_cut_spoils_no_other(tmp_path: Path):
    file = tmp_path / "log.jsonl"
    file.write_text('{"event":"published","rea')
    Log(file, {})([{"event": "built"}])
    assert file.read_text().split("\n")[1:] == ['{"event":"built"}', ""]


def test_lines_of_many_writers_stay_whole(tmp_path: Path):
    log = Log(tmp_path / "log.jsonl", {})

    def write(writer: int) -> None:
        for number in range(50):
            log([{"writer": writer, "number": number, "text": "x" * 9000}] * 2)

    with ThreadPoolExecutor(8) as writers:
        list(writers.map(write, range(8)))
    said = (tmp_path / "log.jsonl").read_text().splitlines()
    found = [json.loads(line) for line in said if line]  # an empty line is no harm
    assert len(found) == 8 * 50 * 2


def test_the_line_of_the_page_is_one_of_a_run(settings: Settings):
    run(settings, "shop.people")
    shown = json.loads(next(re.finditer(r"```json\n(.*?)```", PAGE, re.DOTALL))[1])
    assert set(shown) == set(named(settings, "published")[0])


def test_the_page_names_each_event_and_its_fields():
    rows = dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", PAGE, re.MULTILINE))
    assert {name: tuple(re.findall(r"`(\w+)`", said)) for name, said in rows.items()} == EVENTS


def test_the_templates_name_only_fields_and_events_that_exist():
    known = {*COMMON, *(name for fields in EVENTS.values() for name in fields)}
    folder = REPOSITORY / "templates"
    index = json.loads((folder / "elasticsearch" / "index-template.json").read_text())
    assert set(index["template"]["mappings"]["properties"]) <= known
    beat = yaml.safe_load((folder / "elasticsearch" / "filebeat.yml").read_text())
    assert beat["filebeat.inputs"][0]["parsers"][0]["ndjson"]["document_id"] in known
    assert beat["processors"][0]["timestamp"]["field"] in known
    tail = yaml.safe_load((folder / "loki" / "promtail.yaml").read_text())
    [stages, labels, _] = tail["scrape_configs"][0]["pipeline_stages"]
    assert set(stages["json"]["expressions"].values()) <= known
    assert set(labels["labels"]) <= known
    for query in yaml.safe_load((folder / "loki" / "queries.yaml").read_text()).values():
        assert set(re.findall(r'event="(\w+)"', query)) <= set(EVENTS)
        words = re.findall(r"\.(\w+)\}\}|by \((\w+)\)|unwrap (\w+)|\| (\w+)=", query)
        assert {word for found in words for word in found if word} <= known
