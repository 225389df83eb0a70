"""What a caller and the gate process say to each other: lines of JSON over a socket.

A caller asks once, in one line. The gate answers with lines: the candidate it is about to build,
each stage, then a report or an error. Nothing is pickled, in either direction.
"""

from __future__ import annotations

import hashlib
import select
import socket
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, get_type_hints

from dataops_mesh import errors
from dataops_mesh.errors import Location, MeshError, Problem
from dataops_mesh.gate import Decision, Publish, Refuse
from dataops_mesh.run.report import Report
from dataops_mesh.run.reproduce.told import Reproduction
from dataops_mesh.settings import Settings
from dataops_mesh.spec.checks.check import Check
from dataops_mesh.spec.model import Product
from dataops_mesh.store import record

PROTOCOL = 3
_MOMENT = 250  # milliseconds
EXPORT = "export"
LONGEST = 1 << 20  # bytes of a request
LOOK = "look"  # at sources that are elsewhere; nothing is built
CODE = b"code "  # before the request of a product that Python or dbt builds
Line = Mapping[str, Any]
_OWN = frozenset(
    {"product", "checks", "decision"}
)  # of a report, what its reader knows or rebuilds


@dataclass(frozen=True, slots=True)
class Request:
    """What a caller asks of the gate: one product, by its place on the disk.

    Args:
        ask: `run`, `rebuild`, `reproduce`, `look` or `export`.
        root: the workspace.
        folder: the product's folder; the gate reads the declarations there by itself.
        run_id: on record with the candidate.
        line: of the store: production, or which sandbox. Whoever says nothing is refused.
        partition: the key of the partition to build; empty for none.
        checks: the names that the caller will store results under, as `port check`; the gate
            refuses when the declarations on the disk ask for others.
        hello: what both sides must agree on (`hello`).
        token: proves that the caller may ask.
        environment: the settings of the caller's environment; only a gate of its own obeys them.
        python: the interpreter of the domain's code; only a gate of its own obeys it.
        person: who asks; empty means the user that the socket tells.
        full: leave out what the product itself published last.
        publication: which one to build again.
    """

    ask: str
    root: str
    folder: str
    run_id: str
    line: str
    partition: str = ""
    checks: tuple[str, ...] = ()
    hello: tuple[tuple[str, str], ...] = ()
    token: str = ""
    environment: tuple[tuple[str, str], ...] = ()
    python: str = ""
    person: str = ""
    full: bool = False
    publication: int = 0


def hello(settings: Settings) -> dict[str, Any]:
    """Return what both sides must agree on: the protocol, the store, its line and the ledger."""
    ledger = hashlib.sha256(settings.ledger.encode()).hexdigest()  # it may hold a password
    store = str(settings.store_folder.resolve())
    found = {"protocol": PROTOCOL, "store": store, "ledger": ledger}
    return found | ({"sandbox": settings.sandbox} if settings.sandbox else {})


@dataclass(slots=True)
class Answers:
    """What the gate says, line by line; an interrupt between two lines loses none.

    An interrupt that comes a moment before a call that blocks would wait for its end: so no call
    here blocks for longer than a moment.

    Args:
        said: what has come of the next line.
    """

    connection: socket.socket
    said: bytearray = field(default_factory=bytearray)

    def lines(self, until: float | None = None) -> Iterator[bytes]:
        """Yield lines until the gate has said all, or until a moment on the monotonic clock."""
        poll = select.poll()
        poll.register(self.connection, select.POLLIN)
        while until is None or time.monotonic() < until:
            line, end, rest = self.said.partition(b"\n")
            if end:
                self.said = rest
                yield bytes(line)
            elif poll.poll(_MOMENT):
                block = self.connection.recv(1 << 16)
                if not block:
                    return
                self.said += block


def check_names(checks: tuple[Check, ...]) -> tuple[str, ...]:
    """Return the checks by port and name, sorted."""
    return tuple(sorted(f"{check.port} {check.name}" for check in checks))


def problem_line(problem: Problem) -> dict[str, Any]:
    """Return a problem as JSON can say it."""
    return asdict(problem)


def read_problem(line: Line) -> Problem:
    """Return the problem of a line.

    >>> read_problem(problem_line(Problem("no", Location("a.yaml", 3), choices=("x",))))
    Problem(what='no', where=Location(file='a.yaml', line=3), key='', choices=('x',), next='')
    """
    where = Location(**line["where"]) if line["where"] else None
    return Problem(**{**line, "where": where, "choices": tuple(line["choices"])})


def error_line(error: MeshError) -> dict[str, Any]:
    """Return an error as JSON can say it."""
    return {
        "error": type(error).__name__,
        "problems": [problem_line(one) for one in error.problems],
    }


def read_error(line: Line) -> MeshError:
    """Return the error of a line; of a class that nobody knows, the general one."""
    kind = getattr(errors, str(line["error"]), None)
    if not isinstance(kind, type) or not issubclass(kind, MeshError):
        kind = MeshError
    return kind(read_problem(one) for one in line["problems"])


def report_line(report: Report | Reproduction) -> dict[str, Any]:
    """Return a report as JSON can say it, without what its reader has itself."""
    if isinstance(report, Reproduction):
        return dict(record.plain(report))
    facts = {
        field.name: record.plain(getattr(report, field.name))
        for field in fields(report)
        if field.name not in _OWN
    }
    reasons = report.decision.reasons if isinstance(report.decision, Refuse) else None
    return {**facts, "reasons": reasons, "warnings": list(report.decision.warnings)}


def read_reproduction(line: Line) -> Reproduction:
    """Return what was found when a publication was built again."""
    found: Reproduction = record.build(Reproduction, line)
    return found


def read_report(line: Line, product: Product, checks: tuple[Check, ...]) -> Report:
    """Return the report of a line.

    Args:
        line: what the gate said.
        product: what was run.
        checks: those of the product, as the caller knows them.
    """
    hints = get_type_hints(Report)
    facts = {
        field.name: record.build(hints[field.name], line[field.name])
        for field in fields(Report)
        if field.name not in _OWN
    }
    return Report(product=product, checks=checks, decision=_decision(line), **facts)


def _decision(line: Line) -> Decision:
    warnings = tuple(line["warnings"])
    reasons = line["reasons"]
    return Publish(warnings) if reasons is None else Refuse(tuple(reasons), warnings)
