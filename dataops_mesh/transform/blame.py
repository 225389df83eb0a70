"""Whose line it was: an error while a port is written, as an error of the transform."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from dataops_mesh.errors import Location, MeshError, Problem, TransformError
from dataops_mesh.spec.model import OutputPort, Product
from dataops_mesh.transform.place import place
from dataops_mesh.transform.redact import line_in, safe_message


@contextmanager
def blamed(product: Product, port: OutputPort) -> Iterator[None]:
    """Turn what is raised while a port is written into an error with the transform's line.

    A lazy transform fails here, when its rows are read.
    """
    try:
        yield
    except TransformError as error:
        where = _line(product, port, error)
        raise TransformError(_ours(problem, where) for problem in error.problems) from error
    except (MeshError, OSError):
        raise
    except Exception as error:
        what = f"{port.address} could not be computed: {safe_message(error)}"
        raise TransformError(Problem(what, _line(product, port, error))) from error


def _ours(problem: Problem, where: Location) -> Problem:
    """Return the problem with its place; the engine's advice gives way to the kept text."""
    return replace(problem, where=where, next=problem.next if problem.choices else "")


def _line(product: Product, port: OutputPort, error: Exception) -> Location:
    """Return the line of the transform that built the port."""
    transform = product.transform
    file = dict(zip(transform.ports, transform.files, strict=False)).get(port.name)
    file = file or transform.files[0]
    return place(product, file, line_in(error, file))
