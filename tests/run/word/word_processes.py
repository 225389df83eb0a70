"""What a process of the kill and cancel test does: one thing after the other, as people do them."""

from __future__ import annotations

import os
import random
import signal
from pathlib import Path
from typing import Any

from helpers import environment, product

from dataops_mesh.errors import MeshError
from dataops_mesh.run.checks import all_checks
from dataops_mesh.run.process.client import gate_run
from dataops_mesh.run.word.erase import Forgot, erase
from dataops_mesh.run.word.erasing import erasing
from dataops_mesh.run.word.hold import hold_product, lift_hold
from dataops_mesh.run.word.rollback import rollback_product
from dataops_mesh.run.word.withdraw import taking, withdraw_product
from dataops_mesh.settings import Settings, load_settings
from dataops_mesh.store.log import latest_number
from dataops_mesh.transform.redact import interruption
from dataops_mesh.transform.walls import walls_of

NAME, WHY = "shop.orders", "because"
KINDS = ("run", "run", "run", "hold", "lift", "lift", "rollback", "withdraw", "erase")


def act(kind: str, settings: Settings, run_id: str) -> int | None:
    """Do one thing and return the number of its release, if it made one."""
    place = environment(settings)
    found = product(settings, NAME)
    match kind:
        case "run":
            return run_it(settings, run_id).publication
        case "hold":
            return hold_product(found, place, WHY).number
        case "lift":
            return lift_hold(NAME, place, WHY).number
        case "rollback":
            return rollback_product(found, place, None, WHY).number
        case "withdraw":
            return withdraw_product(taking(NAME, place, (found,)), place, WHY).number
        case _:
            what, whole = erasing(NAME, place, (found,))
            said: list[str] = []
            done = erase(
                what,
                place,
                WHY,
                whole=whole,
                wait=True,
                forget=lambda _: Forgot(),
                tell=said.append,
            )
            return done.release.number


def run_it(settings: Settings, run_id: str) -> Any:
    found = product(settings, NAME)
    return gate_run(found, settings, all_checks(found, walls_of(settings), None), run_id=run_id)


def act_for_ever(root: str, gate: str, journal: str, seed: int) -> None:
    """Act until a signal ends it; say in a journal what was begun, done and cancelled."""
    settings = load_settings(Path(root)).model_copy(update={"gate": Path(gate)})
    chance = random.Random(seed)
    file = os.open(journal, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def say(*words: object) -> None:
        os.write(file, (" ".join(map(str, words)) + "\n").encode())

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGINT, interrupt)
    signal.signal(signal.SIGTERM, interrupt)
    count = 0
    try:
        say("started")
        while True:
            count += 1
            kind = chance.choice(KINDS)
            say("begin", kind)
            try:
                say("done", kind, act(kind, settings, f"{os.getpid()}-{count}") or 0)
            except MeshError as error:
                say("refused", kind, type(error).__name__)
            except Exception as error:
                if interruption(error) is None:
                    say("broken", kind, repr(error))
                    raise
                raise KeyboardInterrupt from None
    except KeyboardInterrupt:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        say("cancelled", latest_number(environment(settings).store))
        os._exit(130)


__all__ = ["NAME", "act", "act_for_ever", "run_it"]
