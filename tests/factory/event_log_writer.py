"""Writes events until it is told to stop or is killed, and notes each that is stored.

python event_log_writer.py kill FOLDER ROUNDS SEED    a child for each round, killed at random
python event_log_writer.py write FOLDER NAME COUNT [default]
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from itertools import count
from pathlib import Path

import dagster as dg
from dagster._core.definitions.asset_checks.asset_check_evaluation import (
    AssetCheckEvaluationPlanned,
)
from dagster._core.events import DagsterEvent, StepMaterializationData
from dagster._core.storage.event_log.sqlite.sqlite_event_log import SqliteEventLogStorage

from dataops_mesh.factory.eventlog.storage import KeptEventLogStorage

ROUND = 12  # events of one run: planned checks, their results, materializations, a message


def events(name: str, run: int):
    """Return the events of one run."""
    run_id = f"{name}-{run}"
    key = dg.AssetKey(["all", name])

    def entry(kind, data=None):
        return dg.EventLogEntry(
            error_info=None, level=10, user_message="", run_id=run_id, timestamp=time.time(),
            step_key="step", job_name="job",
            dagster_event=DagsterEvent(kind.value, "job", step_key="step", event_specific_data=data),
        )  # fmt: skip

    kinds = dg.DagsterEventType
    checks = [f"check_{n}" for n in range(3)]
    yield entry(kinds.RUN_START)
    for check in checks:
        planned = AssetCheckEvaluationPlanned(asset_key=key, check_name=check)
        yield entry(kinds.ASSET_CHECK_EVALUATION_PLANNED, planned)
    for n in range(4):
        made = dg.AssetMaterialization(dg.AssetKey(["all", "shared"]), metadata={"n": n})
        yield entry(kinds.ASSET_MATERIALIZATION, StepMaterializationData(made))
    for check in checks:
        result = dg.AssetCheckEvaluation(asset_key=key, check_name=check, passed=True)
        yield entry(kinds.ASSET_CHECK_EVALUATION, result)
    yield entry(kinds.RUN_SUCCESS)


def write(folder: str, name: str, runs, *, kept: bool = True) -> None:
    log = (KeptEventLogStorage if kept else SqliteEventLogStorage)(folder)
    noted = os.open(f"{folder}/{name}.noted", os.O_APPEND | os.O_CREAT | os.O_WRONLY)
    for run in runs:
        for number, event in enumerate(events(name, run)):
            log.store_event(event)
            os.write(noted, f"{event.run_id} {number}\n".encode())
    log.dispose()


def kill(folder: str, rounds: int, seed: int) -> None:
    """Kill a writer at a random instant, again and again; every fifth starts in a new folder.

    These are killed while they make the files, the others while they write.
    """
    chance = random.Random(seed)
    for turn in range(rounds):
        where = Path(folder) / str(turn // 5)
        where.mkdir(exist_ok=True)
        child = os.fork()
        if child == 0:
            write(str(where), f"turn{turn}", count())
        note = where / f"turn{turn}.noted"
        while turn % 5 and not (note.exists() and note.stat().st_size):
            time.sleep(0.01)
        time.sleep(chance.uniform(0, 0.5))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


if __name__ == "__main__":
    if sys.argv[1] == "kill":
        kill(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
    else:
        write(sys.argv[2], sys.argv[3], range(int(sys.argv[4])), kept="default" not in sys.argv)
