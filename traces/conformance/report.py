"""What a run of upstream's cases looks like, as a table or as JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from kythera.traces.conformance.runner import Report, UnusableFolderError, default_folder, run


def conformance_command(form: str, kind: str | None, folder: str | None) -> int:
    """Run the cases and print the outcome.

    ``form`` is ``text`` or ``json``, ``kind`` a pattern such as ``filter/*``, ``folder`` where the cases are.
    Exit code: 0 when nothing failed but known exceptions, 1 otherwise, 2 when there is nothing to run.
    """
    try:
        report = run(default_folder() if folder is None else Path(folder), kind or "*")
    except UnusableFolderError as error:
        click.echo(f"kythera: {error}", err=True)
        return 2
    if form == "json":
        click.echo(json.dumps(as_data(report), indent=2))
    else:
        _print(report, Console(highlight=False))
    return 1 if report.unexpected else 0


def as_data(report: Report) -> dict[str, Any]:
    """The report as plain data; exceptions count as failed here."""
    return {
        "kinds": [
            {
                "kind": each.kind,
                "cases": each.cases,
                "passed": each.passed,
                "failed": [failure.id for failure in each.failed],
                "not_modelled": each.not_modelled,
            }
            for each in report.kinds
        ]
    }


def _print(report: Report, console: Console) -> None:
    table = Table(title="Upstream's unit-test cases", title_justify="left", show_footer=True, box=SIMPLE_HEAD)
    sums = {
        "cases": sum(each.cases for each in report.kinds),
        "passed": sum(each.passed for each in report.kinds),
        "failed": len(report.failed),
        "not modelled": sum(each.not_modelled for each in report.kinds),
    }
    table.add_column("kind", footer="all", no_wrap=True)
    for name, total in sums.items():
        table.add_column(name, footer=str(total), justify="right")
    for each in report.kinds:
        row = (each.cases, each.passed, len(each.failed), each.not_modelled)
        unexpected = any(failure.id not in report.exceptions for failure in each.failed)
        style = "red" if unexpected else "yellow" if each.failed else "dim" if each.not_modelled else ""
        table.add_row(each.kind, *(str(number) for number in row), style=style)
    console.print(table)
    for failure in report.unexpected:
        console.print(Text.assemble((failure.id, "red"), f": {failure.reason}"), soft_wrap=True)
    for failure in report.failed:
        if failure.id in report.exceptions:
            why = report.exceptions[failure.id]["why"]
            console.print(Text.assemble((failure.id, "yellow"), f" (known exception): {why}"), soft_wrap=True)
