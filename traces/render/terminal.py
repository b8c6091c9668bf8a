"""The report and traces as text for a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import zip_longest
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from kythera.properties.property import HOLDS, INCONCLUSIVE, VACUOUS, VIOLATED, WITHIN_BOUNDS, WORST_FIRST
from kythera.traces.changes import CHANGED, CREATED, DELETING, GONE, Change
from kythera.traces.format import Trace
from kythera.traces.replay import Replay
from kythera.traces.report import Counterexample, PropertyReport, Report, RungReport, faults_text, rung_name
from kythera.traces.timeline import Again, Entry, Timeline, folded

COLOUR = {HOLDS: "green", WITHIN_BOUNDS: "green", VACUOUS: "yellow", INCONCLUSIVE: "yellow", VIOLATED: "bold red"}
MEANING = {
    HOLDS: "holds: everything that can happen was visited, and nothing breaks a property",
    WITHIN_BOUNDS: "holds within bounds: nothing was found, but not everything that can happen was visited",
    VACUOUS: "vacuous: a property never had a chance to fail, so nothing was learnt about it",
    INCONCLUSIVE: "inconclusive: the budget ran out before every property could be judged",
    VIOLATED: "violated",
}
WHEN_INTERRUPTED = {
    WITHIN_BOUNDS: "holds so far: nothing was found before it was interrupted",
    INCONCLUSIVE: "inconclusive: it was interrupted before every property could be judged",
    VIOLATED: "violated; it was interrupted before everything was visited",
}
GRANULARITY = {
    "coarse": "each look of a controller, with all its requests, is one step",
    "fine": "each watch event and each request is a step of its own",
}
TIME = {
    "prompt": "it passes only when no component has anything to do",
    "adversarial": "it passes whenever it likes, however slow that makes the components",
}
SIGN = {CREATED: ("+", "green"), CHANGED: ("~", "cyan"), DELETING: ("~", "magenta"), GONE: ("-", "red")}
SHOWN_FIELDS = 4
SHOWN_ACTIONS = 8
SHOWN_FIELD_NAMES = 12


def console() -> Console:
    """Where people read; without a terminal, lines are not broken."""
    found = Console(highlight=False)
    return found if found.is_terminal else Console(highlight=False, width=160, soft_wrap=True)


def print_report(report: Report, files: Mapping[str, Path], profile: bool) -> None:
    """Each counterexample, then the verdicts, what was explored, what was assumed, and the verdict on the whole."""
    out = console()
    for run in runs_of(report.properties):
        print_counterexample(out, run, files)
    print_verdicts(out, report.properties)
    print_rungs(out, report.rungs)
    print_limits(out, report)
    if profile:
        for rung in report.rungs:
            print_profile(out, rung)
    interrupted = report.interrupted and report.verdict in WHEN_INTERRUPTED
    meaning = WHEN_INTERRUPTED[report.verdict] if interrupted else MEANING[report.verdict]
    out.print(f"\n[{COLOUR[report.verdict]}]{meaning}[/] ({report.seconds:.1f} s)")


def _is_same_run(a: Counterexample, b: Counterexample) -> bool:
    """Whether two runs are the same to their end, or go round through the same states in the end."""
    if a.rung != b.rung:
        return False
    rounds = [{move.row for move in each.moves[each.loop_from :]} for each in (a, b) if each.loop_from is not None]
    if len(rounds) == 2 and rounds[0] & rounds[1]:
        return True
    return a.loop_from == b.loop_from and [m.row for m in a.moves] == [m.row for m in b.moves]


def runs_of(reports: Sequence[PropertyReport]) -> list[list[PropertyReport]]:
    """The properties that are broken, those that break in the same run together; the shortest run first."""
    found: list[list[PropertyReport]] = []
    broken = [each for each in reports if each.counterexample is not None]
    for each in sorted(broken, key=lambda each: len(each.counterexample.moves) if each.counterexample else 0):
        for run in found:
            one, other = run[0].counterexample, each.counterexample
            if one is not None and other is not None and _is_same_run(one, other):
                run.append(each)
                break
        else:
            found.append([each])
    return found


def print_counterexample(out: Console, run: Sequence[PropertyReport], files: Mapping[str, Path]) -> None:
    """A violated property: what it says, the run that breaks it, what else this run breaks, how to see it again."""
    first, *others = run
    case = first.counterexample
    assert case is not None
    out.print(f"\n[bold red]violated[/] [bold]{first.name}[/]: {escape(case.message)}")
    out.print(f"  promised: {escape(first.says)}")
    steps = len(case.moves)
    out.print(f"  the shortest run that was found, of {steps} step{'' if steps == 1 else 's'}:\n")
    told = Timeline(case.system, case.moves)
    print_entries(out, told.entries, case.loop_from, case.message, told.in_vain())
    out.print()
    for each in others:
        message = each.counterexample.message if each.counterexample else ""
        out.print(f"  also broken by this run: [bold red]{each.name}[/]: {escape(message)}")
        out.print(f"    promised: {escape(each.says)}")
    for each in run:
        if each.name in files:
            replay = f"kythera replay {escape(str(files[each.name]))}"
            out.print(f"  to see it again: [bold]{replay}[/]")


def print_profile(out: Console, rung: RungReport) -> None:
    """Where the work of a rung went: whose rules were called most, and which slots had the most values."""
    states = max(rung.result.states, 1)
    out.print(f"\n[bold]profile of {escape(rung_name(rung.rung))}[/]")
    out.print(f"  {rung.calls:,} rule calls for {states:,} states: one for each combination of what a process reads")
    table = Table("calls", "", "rules of", "values", "slot", box=None, header_style="bold")
    table.columns[0].justify = table.columns[1].justify = table.columns[3].justify = "right"
    for (rules, calls), (slot, values) in zip_longest(rung.misses.items(), rung.values.items(), fillvalue=("", 0)):
        share = f"{calls / max(rung.calls, 1):.0%}"
        left = (f"{calls:,}", share, escape(rules)) if rules else ("", "", "")
        table.add_row(*left, *((f"{values:,}", escape(slot)) if slot else ("", "")))
    out.print(table)


def print_verdicts(out: Console, reports: Sequence[PropertyReport]) -> None:
    """The properties by verdict, the worst first; those that there is nothing to say about share a line."""
    out.print()
    table = Table("verdict", "properties", box=None, pad_edge=False, header_style="bold")
    groups: dict[tuple[str, str], list[str]] = {}
    for each in reports:
        note = escape(each.counterexample.message if each.counterexample else each.note)
        groups.setdefault((each.verdict, note), []).append(each.name)
    for (verdict, note), names in sorted(groups.items(), key=lambda group: WORST_FIRST.index(group[0][0])):
        table.add_row(f"[{COLOUR[verdict]}]{verdict}[/]", ", ".join(names) + (f"\n  [dim]{note}[/]" if note else ""))
    if not reports:
        table.add_row(f"[{COLOUR[VACUOUS]}]{VACUOUS}[/]", "no property applies: there is nothing here that could fail")
    out.print(table)


def print_rungs(out: Console, rungs: Sequence[RungReport]) -> None:
    """What was explored."""
    if not rungs:
        return
    out.print()
    table = Table("explored", "states", "steps", "depth", "seconds", "", box=None, pad_edge=False, header_style="bold")
    for rung in rungs:
        result = rung.result
        end = "complete" if result.complete else f"[yellow]not complete: {rung.stopped}[/]"
        name = f"{rung.rung.granularity}, {faults_text(rung.rung.faults)}, time {rung.rung.time}"
        states, steps = f"{result.states:,}", f"{result.transitions:,}"
        table.add_row(name, states, steps, str(result.depth), f"{rung.seconds:.1f}", end)
    out.print(table)
    for granularity in dict.fromkeys(rung.rung.granularity for rung in rungs):
        out.print(f"  [dim]{granularity}: {GRANULARITY[granularity]}[/]")
    for regime in dict.fromkeys(rung.rung.time for rung in rungs):
        out.print(f"  [dim]time {regime}: {TIME[regime]}[/]")


def print_limits(out: Console, report: Report) -> None:
    """What the verdict does not cover: assumptions, fields that were ignored, actions that were never seen."""
    if report.loaded.assumptions or report.loaded.ignored or report.never_fired:
        out.print()
    for text in report.loaded.assumptions:
        out.print(f"assumed: {escape(text)}")
    reasons: dict[str, list[str]] = {}
    for field in report.loaded.ignored:
        name = field.field.rsplit(".", 1)[-1] if field.field else field.object
        reasons.setdefault(field.why, []).append(name)
    for why, fields in sorted(reasons.items()):
        out.print(f"ignored: {escape(_some(sorted(set(fields)), SHOWN_FIELD_NAMES))} ({escape(why)})")
    if report.never_fired:
        out.print(f"never happened: {escape(_some(report.never_fired, SHOWN_ACTIONS))}")


def _some(names: Sequence[str], most: int) -> str:
    more = f", and {len(names) - most} more (--format json has all)" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def print_entries(
    out: Console, entries: Sequence[Entry], loop_from: int | None, message: str = "", in_vain: Sequence[str] = ()
) -> None:
    """A timeline: when, who, what and why, and what it changed; then what is wrong at its end, and why it stays so."""
    if not entries:
        out.print("  (already in the first state)")
    shown = folded(entries, loop_from)
    who = max((len(entry.component) for entry in entries), default=0)
    margin = " " * (16 + who)
    repeats = loop_from is not None and loop_from < len(entries)
    inside = False
    for entry in shown:
        if isinstance(entry, Again):
            text = f"these {entry.period} steps again, {entry.times} times, until step {entry.n} at {entry.at}s"
            out.print(f"      [yellow]... {text}[/]")
            continue
        if repeats and not inside and entry.n > (loop_from or 0):
            inside = True
            out.print("  [yellow]from here on it repeats itself for ever:[/]")
        why = f": {entry.why}" if entry.why else ""
        head = f"  {entry.n:>3} {entry.at:>5}s  {entry.component:<{who}}  "
        _print(out, head, escape(entry.does + why), margin)
        for change in entry.changes:
            _print(out, margin, _change(change), margin)
    if message and loop_from is None:
        out.print(f"  [bold red]broken here:[/] {escape(message)}")
    elif repeats and loop_from is not None:
        took = entries[-1].at - (entries[loop_from - 1].at if loop_from else 0)
        every = f", every {took} s" if took else ""
        again = f"as it was after step {loop_from}" if loop_from else "as it was at the start"
        out.print(f"  [yellow]and so on for ever{every}: everything is {again}[/]")
    elif loop_from is not None:
        out.print("  [yellow]and so it stays for ever: nobody can do anything more that changes something[/]")
        for text in in_vain:
            _print(out, "    ", escape(text), "    ")
    if message and loop_from is not None:
        out.print(f"  [bold red]broken so:[/] {escape(message)}")


def _change(change: Change) -> str:
    sign, colour = SIGN[change.what]
    told = [change.what] if change.what in (DELETING, GONE) else []
    told += change.fields[:SHOWN_FIELDS]
    if len(change.fields) > SHOWN_FIELDS:
        told.append(f"and {len(change.fields) - SHOWN_FIELDS} more")
    return f"[{colour}]{sign} {escape(change.object)}[/]  {escape('; '.join(told))}".rstrip()


def _print(out: Console, head: str, markup: str, margin: str) -> None:
    """Print marked-up text after a plain head; on a terminal that is too narrow, the rest goes on under the margin."""
    if not out.is_terminal or len(margin) + 30 > out.width:
        out.print(escape(head) + markup)
        return
    for n, line in enumerate(Text.from_markup(markup).wrap(out, out.width - len(margin) - 2)):
        out.print(Text(f"{margin}  " if n else head), line, sep="")


def print_replay(trace: Trace, found: Replay, entries: Sequence[Entry]) -> None:
    """A trace run again."""
    out = console()
    out.print(f"[bold]{escape(trace.property)}[/]: {escape(trace.message)}")
    out.print(f"  promised: {escape(trace.says)}\n")
    if found.difference:
        print_entries(out, entries, None)
        out.print(f"\n[bold red]the trace does not replay[/] {escape(found.difference)}")
        out.print(f"(it was recorded with version {escape(trace.version)})")
    else:
        print_entries(out, entries, trace.loop_from, trace.message, Timeline(found.system, found.moves).in_vain())
        steps = f"{len(entries)} step{'' if len(entries) == 1 else 's'}"
        out.print(f"\n[green]the trace replays: {steps}, each to the state that was recorded[/]")


def print_properties(rows: Iterable[Mapping[str, str]]) -> None:
    """The catalogue of properties."""
    out = console()
    for row in rows:
        out.print(f"[bold]{row['name']}[/] ({row['kind']})")
        out.print(f"  says:       {escape(row['says'])}")
        out.print(f"  claimed:    {escape(row['regime'])}")
        out.print(f"  source:     {escape(row['source'])}")
        out.print(f"  broken by:  variant {escape(row['breaks'])}\n")


def print_actions(rows: Iterable[Mapping[str, str]]) -> None:
    """The catalogue of actions."""
    out = console()
    for row in rows:
        out.print(f"[bold]{escape(row['component'])}.{row['action']}[/] ({row['actor']})")
        for key in ("says", "when", "then", "source", "simplifies"):
            if row[key]:
                _print(out, f"  {key + ':':<12}", escape(row[key]), " " * 12)
        out.print()
