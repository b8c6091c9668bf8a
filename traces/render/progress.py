"""A line that shows how an exploration gets on: states, rate, depth, frontier."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console

from kythera.model.scenarios.scenario import Rung
from kythera.properties.engines.result import Exploration
from kythera.traces.check import Progress


@contextmanager
def shown() -> Iterator[Progress]:
    """Show progress on the error stream while the block runs."""
    console = Console(stderr=True)
    with console.status("compiling") as status:

        def progress(rung: Rung, result: Exploration, frontier: int) -> None:
            rate = result.states / max(result.seconds, 1e-6)
            status.update(
                f"{rung.granularity}{'' if rung.faults.crash == 0 else ', with faults'}: {result.states:,} states, "
                f"{rate:,.0f}/s, depth {result.depth}, frontier {frontier:,}"
            )

        yield progress
