"""The ledger may be lost, repeated, shared and asked; it never changes what it recorded."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import text

from dataops_mesh.errors import StoreError
from dataops_mesh.ledger import (
    history,
    known_candidates,
    last_release,
    open_ledger,
    record_candidate,
    record_release,
    results_of,
    status,
)


def manifest(number, verdict="publish", product="fleet.aircraft", **more: object):
    ref = f"{product.replace('.', '/')}/{number:04d}"
    result = {
        "check": "tail_not_null",
        "port": "fleet.aircraft",
        "candidate": ref,
        "fingerprint": "f",
        "outcome": "passed" if verdict == "publish" else "failed",
        "severity": "error",
        "observed": 0.0,
        "rows": 10,
        "reason": "",
        "sample": [[["tail", "SECRET"]]],
        "seconds": 0.1,
    }
    return {
        "candidate": ref,
        "product": product,
        "product_version": "1.0.0",
        "verdict": verdict,
        "run_id": f"run-{number}",
        "person": "ana",
        "started": f"2026-11-21T10:{number % 60:02d}:00+00:00",
        "finished": f"2026-11-21T11:{number % 60:02d}:30+01:00",
        "now": "2013-01-01T00:00:00+00:00",
        "base": 0,
        "reasons": [] if verdict == "publish" else ["tail_not_null: 3 rows"],
        "transform_fingerprint": "t",
        "code_version": "c",
        "git_commit": "g",
        "inputs": [
            {
                "name": "planes_csv",
                "address": None,
                "publication": None,
                "candidate": None,
                "fingerprint": "x",
            }
        ],
        "ports": [{"address": "fleet.aircraft", "rows": 10, "bytes": 100}],
        "checks_declared": 1,
        "coverage": 1.0,
        "results": [result],
    } | more


def release(number, candidate, kind="publication", ports=("fleet.aircraft", "fleet.engines")):
    entry = {"product": "fleet.aircraft", "candidate": candidate, "rows": 10, "fingerprint": "f"}
    return {
        "number": number,
        "kind": kind,
        "at": f"2026-11-21T10:{number:02d}:40+00:00",
        "switches": [entry | {"address": port, "parts": []} for port in ports],
        "run_id": f"run-{number}",
        "person": "ana",
        "reason": "wrong tails" if kind == "rollback" else "",
    }


@pytest.fixture
def ledger(tmp_path):
    found = open_ledger(f"sqlite:///{tmp_path}/ledger.sqlite")
    yield found
    found.close()


def test_recording_again_changes_nothing(ledger):
    for _ in range(3):
        record_candidate(ledger, manifest(1))
        record_release(ledger, release(1, "fleet/aircraft/0001"))
    assert len(results_of(ledger, "fleet/aircraft/0001")) == 1
    assert len(history(ledger, "fleet.aircraft")) == 1
    record_candidate(ledger, manifest(1, verdict="refuse"))
    assert history(ledger, "fleet.aircraft")[0].what == "published"


def test_the_history_tells_publications_refusals_errors_and_rollbacks(ledger):
    for number, verdict in enumerate(["publish", "publish", "refuse", "error", "publish"], 1):
        record_candidate(ledger, manifest(number, verdict))
    record_release(ledger, release(1, "fleet/aircraft/0001"))
    record_release(ledger, release(2, "fleet/aircraft/0002"))
    record_release(ledger, release(6, "fleet/aircraft/0001", "rollback"))
    events = history(ledger, "fleet.aircraft")
    assert [(event.what, event.publication) for event in events] == [
        ("rollback", 6),
        ("passed", None),
        ("error", None),
        ("refused", None),
        ("published", 2),
        ("published", 1),
    ]
    assert events[0].reasons == ("wrong tails",)
    assert events[0].rows == 20
    assert events[3].reasons == ("tail_not_null: 3 rows",)
    assert events[3].seconds == 30.0
    assert [event.what for event in history(ledger, "fleet.aircraft", limit=2)] == [
        "rollback",
        "passed",
    ]
    assert history(ledger, "fleet.other") == ()


def test_the_status_of_a_product_is_what_is_read_and_how_the_last_run_ended(ledger):
    record_candidate(ledger, manifest(1))
    record_release(ledger, release(1, "fleet/aircraft/0001"))
    record_candidate(ledger, manifest(2, "refuse"))
    record_candidate(ledger, manifest(3, "refuse", "fleet.never"))
    aircraft, never = status(ledger)
    assert (aircraft.product, aircraft.publication, aircraft.rows) == ("fleet.aircraft", 1, 20)
    assert aircraft.last_verdict == "refuse"
    assert aircraft.last_reasons == ("tail_not_null: 3 rows",)
    assert aircraft.last_finished.isoformat() == "2026-11-21T10:02:30+00:00"
    assert (never.publication, never.candidate, never.last_verdict) == (None, None, "refuse")


def test_what_is_missing_can_be_found_out(ledger):
    assert (last_release(ledger), known_candidates(ledger)) == (0, frozenset())
    record_candidate(ledger, manifest(1))
    record_release(ledger, release(7, "fleet/aircraft/0001"))
    assert last_release(ledger) == 7
    assert known_candidates(ledger) == {"fleet/aircraft/0001"}


def test_no_sample_leaves_the_store(ledger, tmp_path):
    record_candidate(ledger, manifest(1, "refuse"))
    ledger.close()
    for path in tmp_path.iterdir():
        assert b"SECRET" not in path.read_bytes()


def test_half_a_candidate_is_not_recorded(ledger):
    broken = manifest(1)
    broken["results"][0]["outcome"] = None
    with pytest.raises(StoreError, match="ledger cannot be used"):
        record_candidate(ledger, broken)
    assert known_candidates(ledger) == frozenset()


def test_an_error_of_the_database_repeats_no_value(ledger):
    broken = manifest(1, product_version=None, person="IBAN DE89")
    with pytest.raises(StoreError) as caught:
        record_candidate(ledger, broken)
    assert "DE89" not in str(caught.value)


def test_a_database_that_cannot_be_opened_is_an_error_with_a_next_step(tmp_path):
    with pytest.raises(StoreError, match="next:"):
        open_ledger(f"sqlite:///{tmp_path}/no/such/folder/ledger.sqlite")
    with pytest.raises(StoreError, match="next:"):
        open_ledger("no such url")
    (tmp_path / "text.sqlite").write_text("not a database" * 100)
    with pytest.raises(StoreError, match="next:"):
        open_ledger(f"sqlite:///{tmp_path}/text.sqlite")


def test_asking_does_not_slow_down_with_history(ledger):
    def seconds() -> float:
        found = []
        for _ in range(10):
            begun = time.perf_counter()
            last_release(ledger)
            history(ledger, "fleet.aircraft", limit=5)
            found.append(time.perf_counter() - begun)
        return min(found)

    insert = text(
        "WITH RECURSIVE n(i) AS (SELECT :first UNION ALL SELECT i + 1 FROM n WHERE i < :last)"
        " INSERT INTO publications SELECT i, 'fleet.aircraft', 'fleet.aircraft', 'c' || i,"
        " 'publication', 1, 'f', '2026-11-21T10:00:00+00:00', 'r', 'p', '' FROM n"
    )
    spent = []
    for first, last in ((1, 50), (51, 20_000)):
        with ledger.engine.begin() as connection:
            connection.execute(insert, {"first": first, "last": last})
        spent.append(seconds())
    assert last_release(ledger) == 20_000
    assert spent[1] < spent[0] * 4


WRITER = """
import sys
sys.path.insert(0, sys.argv[3])
from test_ledger import manifest, release
from dataops_mesh.ledger import open_ledger, record_candidate, record_release
ledger = open_ledger(sys.argv[1])
for number in range(int(sys.argv[2]), int(sys.argv[2]) + 30):
    record_candidate(ledger, manifest(number))
    record_release(ledger, release(number % 59 + 1, f"fleet/aircraft/{number:04d}"))
"""


def test_processes_that_open_and_write_at_once_do_not_fail(tmp_path):
    url = f"sqlite:///{tmp_path}/ledger.sqlite"
    running = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, url, str(first), str(Path(__file__).parent)],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
        for first in (0, 20, 40, 60)
    ]
    assert [process.wait(timeout=120) for process in running] == [0] * 4
    ledger = open_ledger(url)
    assert len(known_candidates(ledger)) == 90
    ledger.close()
