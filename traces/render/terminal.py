"""The report and traces as text for a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from kythera.properties.property import HOLDS, INCONCLUSIVE, VACUOUS, VIOLATED, WITHIN_BOUNDS
from kythera.traces.check import Report
from kythera.traces.format import Trace
from kythera.traces.replay import Replay
from kythera.traces.timeline import Entry, timeline

COLOUR = {HOLDS: "green", WITHIN_BOUNDS: "green", VACUOUS: "yellow", INCONCLUSIVE: "yellow", VIOLATED: "bold red"}
MEANING = {
    HOLDS: "holds: every reachable state was visited",
    WITHIN_BOUNDS: "holds within bounds: nothing was found, but not everything was visited",
    VACUOUS: "vacuous: a property never had a chance to fail",
    INCONCLUSIVE: "inconclusive: the budget ran out before a property could be judged",
    VIOLATED: "violated",
}
SHOWN_FIELDS = 6


def console() -> Console:
    """Where people read; without a terminal, lines are not broken."""
    found = Console(highlight=False)
    return found if found.is_terminal else Console(highlight=False, width=160, soft_wrap=True)


def print_report(report: Report, files: Mapping[str, Path], profile: bool) -> None:
    """The verdict, each property, each rung, each counterexample, and what was left out."""
    out = console()
    for each in report.properties:
        if each.counterexample is not None:
            case = each.counterexample
            out.print(f"\n[bold red]{each.property.name}[/] is violated: {escape(case.message)}")
            out.print(f"  {escape(each.property.says)}")
            print_entries(out, timeline(case.system, case.moves), case.loop_from)
            out.print(f"  replay: [bold]kythera replay {escape(str(files[each.property.name]))}[/]")
    out.print()
    table = Table("property", "verdict", "", box=None, pad_edge=False)
    for each in report.properties:
        note = each.note or (each.counterexample.message if each.counterexample else "")
        table.add_row(each.property.name, f"[{COLOUR[each.verdict]}]{each.verdict}[/]", escape(note))
    out.print(table)
    out.print()
    table = Table("rung", "states", "transitions", "depth", "seconds", "", box=None, pad_edge=False)
    for rung in report.rungs:
        result = rung.result
        name = f"{rung.rung.granularity}, {_faults(rung.rung.faults)}"
        end = "complete" if result.complete else f"stopped by: {result.stopped}"
        table.add_row(
            name, f"{result.states:,}", f"{result.transitions:,}", str(result.depth), f"{rung.seconds:.1f}", end
        )
    out.print(table)
    for text in report.loaded.assumptions:
        out.print(f"assumed: {escape(text)}")
    if report.loaded.ignored:
        out.print(
            f"ignored: {len(report.loaded.ignored)} fields that the model does not act on (--format json lists them)"
        )
        reasons: dict[str, list[str]] = {}
        for field in report.loaded.ignored:
            reasons.setdefault(field.why, []).append(field.field.rsplit(".", 1)[-1])
        for why, fields in sorted(reasons.items()):
            out.print(f"  {escape(why)}: {escape(', '.join(sorted(set(fields))))}")
    if profile:
        for rung in report.rungs:
            out.print(
                f"\n{rung.rung.granularity}: {rung.calls:,} rule calls for {rung.result.states:,} states; most by"
            )
            for name, misses in rung.misses.items():
                out.print(f"  {misses:>9,}  {escape(name)}")
    out.print(f"\n[{COLOUR[report.verdict]}]{MEANING[report.verdict]}[/] ({report.seconds:.1f} s)")


def _faults(faults: object) -> str:
    names = getattr(faults, "__record_fields__", ())
    found = [
        f"{name.replace('_', ' ')} {value}" for name in names if (value := getattr(faults, name)) not in (0, "none")
    ]
    return ", ".join(found) or "no faults"


def print_entries(out: Console, entries: Sequence[Entry], loop_from: int | None) -> None:
    """A timeline: when, who, what and why, and what it changed."""
    if not entries:
        out.print("  (already in the first state)")
    for entry in entries:
        if loop_from is not None and entry.n == loop_from + 1:
            out.print("  [yellow]from here it goes round for ever:[/]")
        why = f"  [dim]{escape(entry.why)}[/]" if entry.why else ""
        out.print(f"  {entry.n:>3} {entry.at:>5}s  {escape(entry.says)}{why}")
        for change in entry.changes:
            shown = "; ".join(change.fields[:SHOWN_FIELDS])
            more = f"; and {len(change.fields) - SHOWN_FIELDS} more" if len(change.fields) > SHOWN_FIELDS else ""
            what = change.what if not change.fields else ""
            out.print(f"               [cyan]{escape(change.object)}[/] {what}{escape(shown)}{more}")
    if loop_from is not None and loop_from >= len(entries):
        out.print("  [yellow]and here it stays for ever: nobody has anything to do[/]")
    elif loop_from is not None:
        out.print(f"  [yellow]and so on: the state is the one after step {loop_from} again[/]")


def print_replay(trace: Trace, found: Replay, entries: Sequence[Entry]) -> None:
    """A trace run again."""
    out = console()
    out.print(f"[bold]{trace.property}[/]: {escape(trace.message)}")
    print_entries(out, entries, trace.loop_from if not found.difference else None)
    if found.difference:
        out.print(f"[bold red]the trace does not replay[/] {escape(found.difference)}")
    else:
        out.print(f"[green]the trace replays: {len(entries)} steps to the same states[/]")


def print_properties(rows: Iterable[Mapping[str, str]]) -> None:
    """The catalogue of properties."""
    out = console()
    for row in rows:
        out.print(f"[bold]{row['name']}[/] ({row['kind']}; {row['regime']})")
        out.print(f"  {escape(row['says'])}")
        out.print(f"  [dim]source: {escape(row['source'])}[/]")
        out.print(f"  [dim]broken by: {escape(row['breaks'])}[/]")


def print_actions(rows: Iterable[Mapping[str, str]]) -> None:
    """The catalogue of actions."""
    out = console()
    for row in rows:
        out.print(f"[bold]{row['component']}.{row['action']}[/] ({row['actor']})")
        out.print(f"  {escape(row['text'])}")
