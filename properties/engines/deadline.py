"""A bound on time that is handed down, and asked now and then by whoever works long."""

from __future__ import annotations

import time
from collections.abc import Callable

GRACE = 2.0
"""Seconds that may be spent beyond a deadline on what is known to be there, such as the run that shows a violation."""


class OutOfTime(Exception):
    """The time was up before an answer was known."""


class Deadline:
    """So many seconds from now on, by a clock.

    ``watch`` is called whenever somebody asks, with what he is doing: it may show that, or raise ``KeyboardInterrupt``.
    """

    def __init__(
        self,
        seconds: float = float("inf"),
        clock: Callable[[], float] = time.perf_counter,
        watch: Callable[[str], None] | None = None,
    ) -> None:
        self.clock = clock
        self.watch = watch
        self.end = clock() + seconds

    def left(self) -> float:
        """How many seconds are left; negative when it is over."""
        return self.end - self.clock()

    def part(self, share: float) -> Deadline:
        """A deadline after a share of what is left."""
        return Deadline(max(self.left(), 0.0) * share, self.clock, self.watch)

    def over(self, doing: str = "") -> bool:
        """Whether the time is up."""
        if self.watch is not None:
            self.watch(doing)
        return self.clock() > self.end

    def check(self, doing: str = "", grace: float = 0.0) -> None:
        """Raise ``OutOfTime`` if the time is up, and as many seconds of grace."""
        if self.over(doing) and self.left() < -grace:
            raise OutOfTime
