"""The sessions in the README are real: each command is run, and what it prints is compared, but for times."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"


def sessions(text: str) -> list[tuple[str, list[str]]]:
    """The commands of all ``console`` blocks that begin with ``$ kythera``, and the lines shown after each."""
    found: list[tuple[str, list[str]]] = []
    for block in re.findall(r"^```console\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        for line in block.splitlines():
            if line.startswith("$ "):
                found.append((line[2:], []))
            elif line.strip() and found:
                found[-1][1].append(line)
    return [(command, lines) for command, lines in found if command.startswith("kythera ")]


def comparable(line: str) -> str:
    """A line without what differs from run to run: times with a fraction, and how columns are spaced."""
    return " ".join(re.sub(r"\d+\.\d+", "#", line).split())


def run(command: str, folder: Path) -> str:
    """What a command prints."""
    program = "from kythera.traces.cli import main; main(prog_name='kythera')"
    path = os.pathsep.join(filter(None, [str(ROOT / ".ci" / "import"), os.environ.get("PYTHONPATH")]))
    ran = subprocess.run(
        [sys.executable, "-c", program, *shlex.split(command)[1:]],
        cwd=folder, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return ran.stdout + ran.stderr


def test_the_sessions_print_what_the_readme_shows(tmp_path: Path) -> None:
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    shown = sessions(README.read_text(encoding="utf-8"))
    assert shown, "the README shows no session"
    for command, lines in shown:
        printed = [comparable(line) for line in run(command, tmp_path).splitlines()]
        missing = [line for line in lines if line.strip() != "..." and comparable(line) not in printed]
        assert missing == [], f"{command} prints\n" + "\n".join(printed)


def test_the_first_command_checks_an_example_that_there_is() -> None:
    (path,) = re.findall(r"kythera check (\S+)$", "\n".join(_shell(README.read_text(encoding="utf-8"))), re.MULTILINE)
    assert (ROOT / path).is_file()


def test_the_tests_are_run_by_exactly_one_command() -> None:
    assert ".ci/run" in _shell(README.read_text(encoding="utf-8"))
    assert os.access(ROOT / ".ci" / "run", os.X_OK)


def test_every_link_in_the_documents_leads_somewhere() -> None:
    broken = []
    for document in [README, *sorted((ROOT / "docs").rglob("*.md"))]:
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", document.read_text(encoding="utf-8")):
            if "://" not in target and not (document.parent / target).exists():
                broken.append((document.relative_to(ROOT).as_posix(), target))
    assert broken == []


def _shell(text: str) -> list[str]:
    return [
        line.strip()
        for block in re.findall(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
        for line in block.splitlines()
    ]
