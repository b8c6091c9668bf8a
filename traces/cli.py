"""The command line: ``kythera check``, ``replay``, ``properties``, ``actions``, ``conformance``."""

from __future__ import annotations

import math
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import click

FORMAT = click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True, help="How to print."
)


class Positive(click.FloatRange):
    """A number above 0."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The number, or an error of use."""
        number = float(super().convert(value, param, ctx))
        return self.fail(f"{value!r} is no number", param, ctx) if math.isnan(number) else number


def print_version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    """Show the version and leave."""
    if wanted and not ctx.resilient_parsing:
        from kythera.traces.version import kythera_version

        click.echo(f"kythera {kythera_version()}")
        ctx.exit()


class Usable(click.Group):
    """Errors of use end with exit code 2 and one line, never a traceback; and 1 means violated and nothing else."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run; leave quietly when the reader of our output has gone, and with 3 when nothing is known yet."""
        kwargs |= {"standalone_mode": False, "prog_name": "kythera"}
        try:
            code = super().main(*args, **kwargs)
            sys.stdout.flush()
        except click.exceptions.NoArgsIsHelpError as error:
            error.show()
            sys.exit(2)
        except click.ClickException as error:
            message = " ".join(error.format_message().split())
            context = error.ctx if isinstance(error, click.UsageError) else None
            hint = f" (see {context.command_path} --help)" if context is not None else ""
            print(f"kythera: {message}{hint}", file=sys.stderr)
            sys.exit(2)
        except (click.Abort, KeyboardInterrupt):
            print("kythera: interrupted before there was a verdict", file=sys.stderr)
            sys.exit(3)
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(141)
        sys.exit(code if isinstance(code, int) else 0)


@click.group(cls=Usable, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version", is_flag=True, expose_value=False, is_eager=True, callback=print_version,
    help="Show the version and exit.",
)  # fmt: skip
def main() -> None:
    """Kythera checks what a Kubernetes cluster may do with your manifests when things go wrong.

    \b
    kythera check deployment.yaml             is every promise kept under a crash and stale caches?
    kythera check manifests/ scenario.yaml    with nodes, faults and users' events of your own
    kythera replay kythera-traces/x.json      step through a counterexample again

    Exit code: 0 holds (within bounds), 1 violated, 2 unusable input, 3 inconclusive or vacuous.
    """


@main.command(short_help="Check manifests under faults, and print the verdict.")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--seconds",
    default=60.0,
    show_default=True,
    type=Positive(min=0, min_open=True),
    help="Time budget for the whole ladder.",
)
@click.option(
    "--states",
    default=50_000_000,
    show_default=True,
    type=click.IntRange(min=1),
    help="Distinct states per rung, at most.",
)
@click.option(
    "--memory",
    default=16.0,
    show_default=True,
    type=Positive(min=0, min_open=True, max=1e6),
    help="Memory in GiB, at most.",
)
@click.option(
    "--traces", default=Path("kythera-traces"), show_default=True, type=click.Path(path_type=Path),
    help="Folder for the traces of violated properties.",
)  # fmt: skip
@click.option("--profile", is_flag=True, help="Also show which processes cost the most rule calls.")
@FORMAT
def check(
    paths: tuple[Path, ...], seconds: float, states: int, memory: float, traces: Path, profile: bool, form: str
) -> int:
    """Check manifests (YAML or JSON files and folders) under faults, and print the verdict.

    At most one document of kind Scenario says what else is part of the question: nodes, component settings, users'
    events, faults. Without one, three equal nodes, one crash and stale caches are assumed, and the report says so.
    """
    from kythera.traces.commands import check_command

    return check_command(paths, seconds, states, int(memory * (1 << 30)), traces, profile, form)


@main.command(short_help="Run a counterexample again, step by step.")
@click.argument("trace", type=click.Path(path_type=Path))
@FORMAT
def replay(trace: Path, form: str) -> int:
    """Run the counterexample in TRACE again, step by step, and tell whether the model still does the same."""
    from kythera.traces.commands import replay_command

    return replay_command(trace, form)


@main.command(short_help="List what is checked, and who promises it.")
@FORMAT
def properties(form: str) -> int:
    """List what is checked: each property, its kind, who promises it, and under which settings."""
    from kythera.traces.commands import properties_command

    return properties_command(form)


@main.command(short_help="List what can happen in the model.")
@click.option("--component", help="Only the actions of components whose name contains this.")
@FORMAT
def actions(component: str | None, form: str) -> int:
    """List what can happen in the model: when, what then, who promises it, what is simplified."""
    from kythera.traces.commands import actions_command

    return actions_command(component, form)


@main.command(short_help="Run upstream Kubernetes' own test cases.")
@click.option("--kind", help="Only kinds of cases that match this pattern, such as 'filter/*'.")
@click.option("--folder", type=click.Path(), help="Folder of case files (default: $KYTHERA_CONFORMANCE or the copy).")
@FORMAT
def conformance(kind: str | None, folder: str | None, form: str) -> int:
    """Run upstream Kubernetes' own unit-test cases against the model's functions."""
    from kythera.traces.conformance import conformance_command

    return conformance_command(form, kind, folder)


def program() -> None:
    """The command line as a program.

    It leaves without taking apart what it has made: after a large exploration that would take a good second.
    """
    code: object = 0
    try:
        main()
    except SystemExit as end:
        code = end.code
    with suppress(OSError):  # whoever read the output has gone
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code if isinstance(code, int) else code is not None)


if __name__ == "__main__":
    program()
