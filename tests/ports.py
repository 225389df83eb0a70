"""Ports on this machine that nobody listens on."""

from __future__ import annotations

import itertools
import os
import socket

# Below the ports that a system gives to whoever asks for any (32768 and up on Linux), so that no
# connection of another process takes one between the question and its use.
_PORTS = 20_000
_FOR_A_WORKER = 1_000
_given = itertools.count(os.getpid() % 700)


def free_port(following: int = 0) -> int:
    """Return a port that nobody listens on, nor on so many of those that follow it."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 12
    while True:
        first = _PORTS + worker * _FOR_A_WORKER + next(_given) % (_FOR_A_WORKER - following)
        wanted = range(first, first + following + 1)
        for _ in range(following):
            next(_given)
        if all(_nobody_listens(port) for port in wanted):
            return first


def _nobody_listens(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
