"""The process of another environment: `python -m dataops_mesh.cli.worker` in its workspace.

Reads requests from its standard input, a line of JSON each, and answers with lines of JSON on its
standard output. What transforms print goes to the standard error, so that it is no answer.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, TextIO

from dataops_mesh.cli.wire import ended_line
from dataops_mesh.cli.workspace import load_workspace, named
from dataops_mesh.errors import MeshError, Problem
from dataops_mesh.run.process.wire import hello, problem_line
from dataops_mesh.settings import Settings, load_settings

Answers = Iterator[dict[str, Any]]


def main() -> None:
    """Answer every request until the input ends."""
    requests, answers = _private_pipes()

    def send(line: dict[str, Any]) -> None:
        answers.write(json.dumps(line) + "\n")
        answers.flush()

    logging.getLogger().addHandler(logging.NullHandler())
    try:
        settings = load_settings()
    except MeshError as error:
        send(_error(error))
        return
    send(hello(settings))
    for line in requests:
        request = json.loads(line)
        try:
            for answer in _HANDLERS[request["ask"]](settings, request, send):
                send(answer)
        except MeshError as error:
            send(_error(error))
        send({"done": True})


def _private_pipes() -> tuple[TextIO, TextIO]:
    """Keep the two pipes for ourselves; code of a domain gets an empty input and stderr."""
    requests = os.fdopen(os.dup(0), encoding="utf-8")
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    return requests, answers


def _check(settings: Settings, request: dict[str, Any], _send: Callable[..., None]) -> Answers:
    """Say what is wrong with the transforms, and what the policies of this workspace say."""
    from dataops_mesh.cli.examine import examine

    mesh = load_workspace(settings)
    problems, notes = examine(named(mesh, request["products"]), mesh, settings)
    yield {"problems": [problem_line(problem) for problem in problems]}
    yield {"notes": [(level, problem_line(problem)) for level, problem in notes]}


def _run(settings: Settings, request: dict[str, Any], send: Callable[..., None]) -> Answers:
    """Run the products of a domain, and say how each ended."""
    from dataops_mesh.cli.run.running import pieces_of
    from dataops_mesh.factory.instance import open_instance
    from dataops_mesh.factory.runner import run_batch
    from dataops_mesh.run.environment import open_environment

    mesh = load_workspace(settings)
    found = {product.qualified_name: product for product in named(mesh, request["products"])}
    products = [found[name] for name in request["products"]]
    domain = next(one for one in mesh.domains if one.name == products[0].domain)
    chosen = tuple(request["partitions"])
    environment = open_environment(settings)
    pieces = partial(pieces_of, environment=environment, named=chosen, every=request["every"])
    logger, stages = logging.getLogger("dataops_mesh"), _Stages(send)
    logger.addHandler(stages)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    try:
        with open_instance(settings) as instance:
            for ended in run_batch(domain, products, instance, pieces, full=request["full"]):
                yield {"ended": ended_line(ended)}
    finally:
        logger.removeHandler(stages)


class _Stages(logging.Handler):
    """Sends what the library logs of a run."""

    def __init__(self, send: Callable[..., None]) -> None:
        super().__init__(logging.INFO)
        self.send = send

    def emit(self, record: logging.LogRecord) -> None:
        """Send one stage as it was logged, so that it is logged alike on the other side."""
        arguments = record.args if isinstance(record.args, tuple) else ()
        self.send({"log": [record.levelno, str(record.msg), *map(str, arguments)]})


def _error(error: MeshError) -> dict[str, Any]:
    problems: tuple[Problem, ...] = error.problems
    return {"error": type(error).__name__, "problems": [problem_line(one) for one in problems]}


_HANDLERS = {"check": _check, "run": _run}

if __name__ == "__main__":
    main()
