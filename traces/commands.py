"""What the commands do; kept apart from ``cli.py`` so that ``--help`` loads nothing of the model."""

from __future__ import annotations

import json
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kythera.model.scenarios.loader import Unusable, load
from kythera.model.scenarios.question import faults_as_written
from kythera.properties.catalogue import names
from kythera.properties.property import HOLDS, INCONCLUSIVE, VACUOUS, VIOLATED, WITHIN_BOUNDS
from kythera.traces import check as checking
from kythera.traces import format as trace_format
from kythera.traces.check import Budget
from kythera.traces.replay import replay
from kythera.traces.report import Counterexample, PropertyReport, Report
from kythera.traces.timeline import Entry, Timeline, timeline
from kythera.traces.version import kythera_version

EXIT = {HOLDS: 0, WITHIN_BOUNDS: 0, VIOLATED: 1, INCONCLUSIVE: 3, VACUOUS: 3}


def refuse(problems: Iterable[str]) -> int:
    """Print each problem on a line of its own; exit code 2."""
    for problem in problems:
        print(problem, file=sys.stderr)
    return 2


def check_command(
    paths: Sequence[Path], seconds: float, states: int, memory: int, traces: Path, profile: bool, form: str
) -> int:
    """``kythera check``."""
    try:
        loaded = load(paths, names())
    except Unusable as error:
        return refuse(str(problem) for problem in error.problems)
    budget = Budget(seconds, states, memory)
    with interruptible() as interrupted:
        if sys.stderr.isatty():
            from kythera.traces.render.progress import shown

            with shown() as progress:
                report = checking.check(loaded, budget, progress, interrupted)
        else:
            report = checking.check(loaded, budget, None, interrupted)
    code, files = EXIT[report.verdict], {}
    if report.interrupted and report.verdict != VIOLATED:
        code = EXIT[INCONCLUSIVE]
    try:
        files = write_traces(report, traces)
    except OSError as error:
        # The verdict is printed all the same: it may have taken a long time.
        code = refuse([f"--traces: the traces cannot be written to {traces}: {error.strerror or error}"])
    if form == "json":
        print(json.dumps(report_as_data(report, files), indent=1))
    else:
        from kythera.traces.render.terminal import print_report

        print_report(report, files, profile)
    return code


@contextmanager
def interruptible() -> Iterator[Callable[[], bool]]:
    """Note the first interruption (Ctrl-C), so that the work ends where it is safe to; the second one ends it at once.

    Where interruptions are ignored, as in the background of a shell, they stay so.
    """
    noted: list[int] = []

    def note(number: int, _: object) -> None:
        if noted:
            raise KeyboardInterrupt
        noted.append(number)

    if threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    before = signal.getsignal(signal.SIGINT)
    if before is signal.default_int_handler:
        signal.signal(signal.SIGINT, note)
    try:
        yield lambda: bool(noted)
    finally:
        if before is signal.default_int_handler:
            signal.signal(signal.SIGINT, before)


def write_traces(report: Report, folder: Path) -> dict[str, Path]:
    """Write the trace of each violated property, and return where each went; ``OSError`` if that is impossible."""
    files: dict[str, Path] = {}
    for each in report.properties:
        if each.counterexample is not None:
            folder.mkdir(parents=True, exist_ok=True)
            path = folder / f"{report.loaded.scenario.name}.{each.name}.json"
            trace_format.save(trace_of(report, each.counterexample, each), path)
            files[each.name] = path
    return files


def trace_of(report: Report, counterexample: Counterexample, of: PropertyReport) -> trace_format.Trace:
    """A counterexample as a trace file."""
    initial, steps = trace_format.steps_of(counterexample.system, counterexample.moves)
    return trace_format.Trace(
        kythera_version(), report.loaded.documents, counterexample.rung, of.name, of.says,
        counterexample.message, initial, steps, counterexample.loop_from,
    )  # fmt: skip


def report_as_data(report: Report, files: dict[str, Path]) -> dict[str, Any]:
    """The report as JSON-like data, as docs/scenario.md describes it."""
    return {
        "kythera": kythera_version(),
        "scenario": report.loaded.scenario.name,
        "verdict": report.verdict,
        "seconds": round(report.seconds, 3),
        "properties": [
            {
                "name": each.name,
                "verdict": each.verdict,
                "says": each.counterexample.message if each.counterexample else each.says,
                "fairness": each.fairness,
                "note": each.note,
                "trace": trace_as_data(each.counterexample, files.get(each.name)),
            }
            for each in report.properties
        ],
        "rungs": [
            {
                "granularity": each.rung.granularity,
                "faults": faults_as_written(each.rung.faults),
                "time": each.rung.time,
                "states": each.result.states,
                "transitions": each.result.transitions,
                "depth": each.result.depth,
                "complete": each.result.complete,
                "stopped": each.result.stopped or None,
                "properties": sorted(each.judged),
                "searched": each.searched,
                "seconds": round(each.seconds, 3),
            }
            for each in report.rungs
        ],
        "ignored_fields": [
            {"file": each.file, "line": each.line, "object": each.object, "field": each.field, "why": each.why}
            for each in report.loaded.ignored
        ],
        "assumptions": list(report.loaded.assumptions),
        "never_fired": report.never_fired,
    }  # fmt: skip


def trace_as_data(counterexample: Counterexample | None, file: Path | None) -> dict[str, Any] | None:
    """A counterexample in the report."""
    if counterexample is None:
        return None
    told = Timeline(counterexample.system, counterexample.moves)
    return {
        "file": None if file is None else str(file),
        "length": len(counterexample.moves),
        "loop_from": counterexample.loop_from,
        "rung": {
            "granularity": counterexample.rung.granularity,
            "faults": faults_as_written(counterexample.rung.faults),
            "time": counterexample.rung.time,
        },
        "steps": [step_as_data(each) for each in told.entries],
        "in_vain": told.in_vain() if counterexample.loop_from is not None else [],
    }


def step_as_data(entry: Entry) -> dict[str, Any]:
    """A step of a timeline."""
    return {
        "n": entry.n,
        "at": f"{entry.at}s",
        "action": entry.action,
        "component": entry.component,
        "says": entry.says,
        "why": entry.why,
        "changes": [{"object": c.object, "what": c.what, "fields": list(c.fields)} for c in entry.changes],
    }


def replay_command(path: Path, form: str) -> int:
    """``kythera replay``: 0 if the trace replays to the same states, 1 if the model differs, 2 if it is no trace."""
    try:
        trace = trace_format.load(path)
        found = replay(trace)
    except trace_format.NotATrace as error:
        return refuse([str(error)])
    except Unusable as error:
        return refuse(f"{path}: the input in the trace is not usable any more: {problem}" for problem in error.problems)
    entries = timeline(found.system, found.moves)
    if form == "json":
        print(
            json.dumps(
                {
                    "kythera": kythera_version(),
                    "recorded_with": trace.version,
                    "property": trace.property,
                    "says": trace.message,
                    "same": not found.difference,
                    "difference": found.difference or None,
                    "length": len(trace.steps),
                    "loop_from": trace.loop_from,
                    "steps": [step_as_data(each) for each in entries],
                },
                indent=1,
            )
        )  # fmt: skip
    else:
        from kythera.traces.render.terminal import print_replay

        print_replay(trace, found, entries)
    return 1 if found.difference else 0


def properties_command(form: str) -> int:
    """``kythera properties``."""
    from kythera.properties.catalogue import CATALOGUE

    rows = [
        {
            "name": each.name, "kind": each.kind, "says": each.says, "source": each.source,
            "regime": each.regime, "breaks": each.breaks,
        }
        for each in CATALOGUE
    ]  # fmt: skip
    if form == "json":
        print(json.dumps(rows, indent=1))
    else:
        from kythera.traces.render.terminal import print_properties

        print_properties(rows)
    return 0


def actions_command(component: str | None, form: str) -> int:
    """``kythera actions``."""
    from kythera.traces.actions import catalogue

    rows = [row for row in catalogue() if component is None or component in row["component"]]
    if not rows:
        return refuse([f"--component: no component's name contains {component!r}; `kythera actions` lists all"])
    if form == "json":
        print(json.dumps(rows, indent=1))
    else:
        from kythera.traces.render.terminal import print_actions

        print_actions(rows)
    return 0
