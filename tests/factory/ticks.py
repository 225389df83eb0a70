"""A domain's sensors as a daemon keeps them, and what they open when they look."""

from __future__ import annotations

import sys

import dagster as dg
from helpers import environment, run, write_workspace
from locations import GOOD, location, orders, totals

from dataops_mesh.factory.quiet import NOTHING_NEW
from dataops_mesh.ledger.trouble.incidents import incidents_of
from dataops_mesh.run.record import open_record

TICKS = 6  # after a change a sensor looks at most four times


class Watched:
    """A domain's two sensors and their cursors, as a daemon keeps them."""

    def __init__(self, settings, instance, domain="shop") -> None:
        self.settings, self.instance, self.domain = settings, instance, domain
        self.cursors: dict[str, str | None] = {}
        self.load()

    def load(self):
        """Load the domain, as a code server that starts."""
        self.defs = location(self.settings, self.domain)
        self.repository = self.defs.get_repository_def()

    def tick(self, kind, *, kept=True):
        """Let the daemon look once; return whether the sensor looked, and what it asked for."""
        name = f"{self.domain}_{kind}"
        sensor = self.repository.get_sensor_def(name)
        before = self.cursors.get(name)
        with dg.build_sensor_context(
            instance=self.instance, cursor=before, repository_def=self.repository, sensor_name=name
        ) as context:
            found = sensor.evaluate_tick(context)
        if kept:
            self.cursors[name] = found.cursor
        asked = bool(found.run_requests)
        if kind == "automation":
            return found.skip_message != NOTHING_NEW, asked
        return found.cursor != before, asked

    def settle(self, kind):
        """Tick until nothing is new."""
        ticks = (self.tick(kind)[0] for _ in range(TICKS))
        assert not all(ticks), f"{kind} never rests"

    def looks(self, kind):
        return self.tick(kind)[0]

    def opened(self):
        with open_record(environment(self.settings)) as ledger:
            name = f"{self.domain}.orders"
            return [item.trouble.kind for item in incidents_of(ledger, [name], only_open=True)]


def desk_of(root, instance):
    made = {"shop": {"orders": orders(GOOD)}, "desk": {"totals": totals()}}
    settings = write_workspace(root, made)
    assert run(settings, "shop.orders").published
    assert run(settings, "desk.totals").published
    return Watched(settings, instance, "desk")


class Opened:
    """What the process opens while it is asked to listen; a hook cannot be taken away again."""

    def __init__(self) -> None:
        self.listens, self.files = False, list[str]()
        sys.addaudithook(self.hear)

    def hear(self, event, arguments):
        if self.listens and event in {"open", "sqlite3.connect"}:
            self.files.append(str(arguments[0]))


OPENED = Opened()
