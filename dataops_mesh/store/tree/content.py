"""The fingerprint of a port in partitions: a sum, so that one more costs one addition."""

from __future__ import annotations

import hashlib

_WIDTH = 1 << 128


def plus(total: str, key: str, fingerprint: str) -> str:
    """Return the fingerprint with one partition more.

    >>> minus(plus("0", "jan", "f"), "jan", "f") == nothing()
    True
    """
    return _text(int(total, 16) + _weight(key, fingerprint))


def minus(total: str, key: str, fingerprint: str) -> str:
    """Return the fingerprint with one partition less."""
    return _text(int(total, 16) - _weight(key, fingerprint))


def nothing() -> str:
    """Return the fingerprint of no partitions."""
    return _text(0)


def _weight(key: str, fingerprint: str) -> int:
    text = f"{key}\0{fingerprint}".encode()
    return int.from_bytes(hashlib.sha256(text).digest()[:16], "big")


def _text(total: int) -> str:
    return f"{total % _WIDTH:032x}"
