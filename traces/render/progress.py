"""A line that shows how a check gets on, for those that take longer than a second."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.status import Status

from kythera.traces.check import Progress

QUIET = 1.0
"""Seconds before anything is shown."""


@contextmanager
def shown() -> Iterator[Progress]:
    """Show progress on the error stream while the block runs."""
    console = Console(stderr=True)
    started, status = time.monotonic(), Status("", console=console)

    def progress(text: str) -> None:
        if time.monotonic() - started > QUIET:
            status.update(text)
            status.start()

    try:
        yield progress
    finally:
        status.stop()
