"""Readers in a loop, exporters that are killed or that meet: nobody sees half of a switch."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import subprocess
import sys
import time
import uuid
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg2
import pytest
from export_cases import (
    VARIABLE,
    export,
    in_folder,
    publish,
    relations,
    round_of,
    shop,
    to_folder,
    to_postgres,
)
from helpers import roll_back

pytestmark = pytest.mark.needs_postgres
LONG = os.environ.get("HYPOTHESIS_PROFILE") == "long"
ROUNDS, KILLS = (60, 60) if LONG else (5, 6)


@pytest.fixture
def place(tmp_path, database, monkeypatch):
    schema = f"s{uuid.uuid4().hex[:8]}"
    monkeypatch.setenv(VARIABLE, database)
    settings = shop(tmp_path, [to_postgres(schema), to_folder()])
    publish(settings, 1)
    return settings, database, schema


def read_tables(url, schema, isolation, until, said):
    """Read both views again and again, and tell what was seen."""
    connection = psycopg2.connect(url.replace("+psycopg2", ""))
    connection.set_session(isolation_level=isolation)
    seen, wrong = 0, []
    ports = ["orders", "totals"]
    while not until.is_set():
        with connection.cursor() as cursor:
            found = {}
            cursor.execute("select 1")  # of a repeatable read, this is the moment that it shows
            random.shuffle(ports)
            try:
                for port in ports:
                    time.sleep(random.random() / 500)
                    column = {"orders": "max(amount), min(amount), count(*)",
                              "totals": "max(round), max(total), count(*)"}[port]  # fmt: skip
                    cursor.execute(f"select {column} from {schema}.{port}")
                    found[port] = cursor.fetchone()
            except psycopg2.Error as error:
                wrong.append(str(error))
                connection.rollback()
                continue
            connection.rollback()
        high, low, count = found["orders"]
        number, total, one = found["totals"]
        if not (high == low == number and total == number * count and (count, one) == (20, 1)):
            wrong.append(str(found))
        seen += 1
    said.put((seen, wrong))


def read_files(current, until, said):
    seen, wrong = 0, []
    while not until.is_set():
        try:
            if in_folder(current.resolve())[1] != 20:
                wrong.append("rows are missing")
        except Exception as error:  # noqa: BLE001 - whatever it is, a reader has met it
            wrong.append(repr(error))
        seen += 1
        time.sleep(0.05)
    said.put((seen, wrong))


def test_readers_during_many_switches(place):
    settings, url, schema = place
    export(settings)
    current = settings.root / "exports" / "shop" / "sales" / "current"
    context = multiprocessing.get_context("spawn")
    until, said = context.Event(), context.Queue()
    tables = [(url, schema, level, until, said) for level in ("READ COMMITTED", "REPEATABLE READ")]
    readers = [context.Process(target=read_tables, args=one) for one in tables]
    readers += [context.Process(target=read_files, args=(current, until, said))]
    for reader in readers:
        reader.start()
    try:
        for number in range(2, ROUNDS + 2):
            publish(settings, number)
            found = export(settings)
            assert [one.outcome for one in found] == ["exported"] * 2, found
        roll_back(settings, "shop.sales")
        assert [one.outcome for one in export(settings)] == ["exported"] * 2
    finally:
        until.set()
        ended = [said.get(timeout=30) for _ in readers]
        for reader in readers:
            reader.join()
    assert [wrong for _, wrong in ended] == [[], [], []]
    assert min(seen for seen, _ in ended) > ROUNDS
    assert round_of(url, schema) == ROUNDS


@contextmanager
def exporters(settings):
    """Start what starts exporters; yield a function that returns a new one's process."""
    script = str(Path(__file__).parent / "exporter.py")
    pipe = subprocess.PIPE
    command = [sys.executable, script, str(settings.root)]
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as parent:
        alive = []

        def start() -> int:
            parent.stdin.write("go\n")
            parent.stdin.flush()
            said = parent.stdout.readline()
            assert said.strip().isdigit(), said
            alive.append(int(said))
            return alive[-1]

        try:
            yield start
        finally:
            for pid in alive:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            parent.stdin.close()
            assert parent.stdout.read() == "", "an export has failed"


def test_a_killed_exporter_leaves_nothing_that_the_next_one_minds(place):
    """Whatever instant it is killed at, the next look ends at what the log says, with no rest."""
    settings, url, schema = place
    current = settings.root / "exports" / "shop" / "sales" / "current"
    chance = random.Random(7)
    with exporters(settings) as start:
        for number in range(2, KILLS + 2):
            publish(settings, number)
            pid = start()
            time.sleep(chance.random() * 0.8)
            os.kill(pid, signal.SIGKILL)
            if current.exists():
                assert in_folder(current)[0] in {number - 1, number}
            if "orders" in relations(url, schema):
                assert round_of(url, schema) in {number - 1, number}
            found = export(settings)
            assert "failed" not in {one.outcome for one in found}, found
            assert round_of(url, schema) == number
            assert in_folder(current) == (number, 20)
            assert sorted(relations(url, schema).values()) == ["r", "r", "r", "v", "v"]
            assert [p for p in current.parent.iterdir() if p.name.startswith(".tmp")] == []


def test_two_exporters_at_once_end_at_the_newest(place):
    settings, url, schema = place
    with exporters(settings) as start:
        start(), start()
        for number in range(2, 6):
            publish(settings, number)
        until = time.monotonic() + 30
        while time.monotonic() < until and not (
            "orders" in relations(url, schema) and round_of(url, schema) == 5
        ):
            time.sleep(0.05)
    export(settings)
    assert round_of(url, schema) == 5
    assert sorted(relations(url, schema).values()) == ["r", "r", "r", "v", "v"]
