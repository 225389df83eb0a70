"""What can go wrong on the way: a fault is tried again, a refusal is not."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

PAUSES = (0.5, 2.0, 8.0)
_T = TypeVar("_T")


class Fault(Exception):  # noqa: N818 - what is raised is a fault, and it is mended by another try
    """Something on the way that another try may mend; its text is safe to show.

    Args:
        what: what happened, without any value or address.
        after: how many seconds the other side asks to wait.
    """

    def __init__(self, what: str, after: float = 0.0) -> None:
        """Keep how long to wait."""
        super().__init__(what)
        self.after = min(after, 60.0)


class Refusal(Exception):  # noqa: N818 - the same
    """Something that another try does not mend; its text is safe to show.

    Args:
        what: what is wrong.
        then: what to do.
    """

    def __init__(self, what: str, then: str = "") -> None:
        """Keep what to do."""
        super().__init__(what)
        self.then = then


class Absent(Refusal):
    """There is nothing at that place: it may not have come yet."""


def retrying(work: Callable[[], _T], say: Callable[[str], None]) -> _T:
    """Do something, and again after a fault, with longer and longer pauses.

    Raises:
        Fault: the last one.
    """
    for pause in PAUSES:
        try:
            return work()
        except Fault as fault:
            seconds = max(pause, fault.after)
            say(f"{fault}; trying again in {seconds:g} s")
            time.sleep(seconds)
    return work()
