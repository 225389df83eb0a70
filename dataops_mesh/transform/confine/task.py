"""What a worker is asked to do, and what it may do it with."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Task:
    """One function call in a confined process. It travels from whoever asks to the worker only.

    Args:
        call: the module and the name of a function of ours; it returns what JSON can say.
        argument: what it is called with.
        rules: paths and rights, as `landlock` knows them, beside those of every task.
        protected: what may not be seen, wherever it lies.
        folder: the worker's own: its working folder, its HOME, and its temporary files.
        file: the file of the domain's code, for the line of an error.
        network: may open sockets of IPv4 and IPv6.
        required: do nothing where the kernel cannot confine.
        path: entries of `sys.path` beyond those of the interpreter.
        environment: what is in `os.environ`, and nothing else.
        limits: what the asking process is limited to: a resource and its two limits.
    """

    call: tuple[str, str]
    argument: Any
    rules: tuple[tuple[str, int], ...]
    protected: frozenset[Path]
    folder: Path
    file: Path
    network: bool = False
    required: bool = False
    path: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)
    limits: tuple[tuple[int, int, int], ...] = ()
