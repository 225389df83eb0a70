"""Whose line it was: an error while a port is written, as an error of the transform."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from dataops_mesh.errors import Location, MeshError, Problem, TransformError
from dataops_mesh.spec.model import OutputPort, Product
from dataops_mesh.transform.place import place
from dataops_mesh.transform.redact import line_in, safe_message
from dataops_mesh.transform.told import Plain, as_told, unknown


@contextmanager
def blamed(product: Product, port: OutputPort, plain: Plain = unknown) -> Iterator[None]:
    """Turn what is raised while a port is written into an error with the transform's line.

    A lazy transform fails here, when its rows are read.

    Args:
        product: what is built.
        port: which is written.
        plain: nothing that the product reads or makes is classified.
    """
    try:
        yield
    except TransformError as error:
        where = _line(product, port, error)
        problems = [_ours(problem, where) for problem in error.problems]
        file = product.transform.files[0]
        raise TransformError(as_told(problems, product, file, plain)) from error
    except (MeshError, OSError):
        raise
    except Exception as error:
        what = f"{port.address} could not be computed: {safe_message(error)}"
        problems = [Problem(what, _line(product, port, error))]
        file = product.transform.files[0]
        raise TransformError(as_told(problems, product, file, plain)) from error


def _ours(problem: Problem, where: Location) -> Problem:
    """Return the problem with its place; the engine's advice gives way to the kept text."""
    return replace(problem, where=where, next=problem.next if problem.choices else "")


def _line(product: Product, port: OutputPort, error: Exception) -> Location:
    """Return the line of the transform that built the port."""
    transform = product.transform
    file = dict(zip(transform.ports, transform.files, strict=False)).get(port.name)
    file = file or transform.files[0]
    return place(product, file, line_in(error, file))
