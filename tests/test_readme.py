"""The sessions in the README are real: each command is run, and what it prints is compared, but for times.

``python tests/test_readme.py`` writes what the commands print now into the README.  Where a session shows a line
``...``, as many lines as before are kept in front of it and behind it.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
WIDTH = 118
CUT = " ..."
BLOCK = re.compile(r"(?<=^```console\n)\$ (kythera [^\n]*)\n(.*?)(?=^```$)", re.MULTILINE | re.DOTALL)
"""A session: one command and what it prints."""


def comparable(line: str) -> str:
    """A line without what differs from run to run, or with any change of a record: times, hashes of pod templates."""
    line = re.sub(r"-[b-df-hj-np-tv-z0-9]{8,10}\b", "-HASH", line)
    return " ".join(re.sub(r"\d+\.\d+(?= s\b|\s+(complete|not complete))", "TIME", line).split())


def run(command: str, folder: Path) -> list[str]:
    """The lines that a command prints."""
    program = "from kythera.traces.cli import main; main()"
    path = os.pathsep.join(filter(None, [str(ROOT / ".ci" / "import"), os.environ.get("PYTHONPATH")]))
    ran = subprocess.run(
        [sys.executable, "-c", program, *shlex.split(command)[1:]],
        cwd=folder, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return [line.rstrip() for line in (ran.stdout + ran.stderr).strip("\n").rstrip().splitlines()]


def missing(shown: list[str], printed: list[str]) -> list[str]:
    """The lines that are shown and were not printed; a line that was cut needs only its beginning."""
    found = [comparable(line) for line in printed]
    whole = [line for line in shown if line.strip() not in ("", "...") and not line.endswith(CUT)]
    cut = [line.removesuffix(CUT) for line in shown if line.endswith(CUT)]
    return [line for line in whole if comparable(line) not in found] + [
        line for line in cut if not any(each.startswith(comparable(line)) for each in found)
    ]


def test_the_sessions_print_what_the_readme_shows(tmp_path: Path) -> None:
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    sessions = BLOCK.findall(README.read_text(encoding="utf-8"))
    assert sessions, "the README shows no session"
    for command, shown in sessions:
        printed = run(command, tmp_path)
        assert missing(shown.splitlines(), printed) == [], f"{command} prints\n" + "\n".join(printed)


def test_the_first_command_checks_the_example_that_the_first_session_shows() -> None:
    text = README.read_text(encoding="utf-8")
    (path,) = re.findall(r"&& \S*kythera check (\S+)$", text, re.MULTILINE)
    assert (ROOT / path).is_file()
    assert BLOCK.findall(text)[0][0] == f"kythera check {path}"


def test_the_tests_are_run_by_one_command() -> None:
    assert re.search(r"^```sh\n\.ci/run\n```$", README.read_text(encoding="utf-8"), re.MULTILINE)
    assert os.access(ROOT / ".ci" / "run", os.X_OK)


def test_every_link_in_the_documents_leads_somewhere() -> None:
    broken = []
    for document in [README, *sorted((ROOT / "docs").rglob("*.md"))]:
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", document.read_text(encoding="utf-8")):
            if "://" not in target and not (document.parent / target).exists():
                broken.append((document.relative_to(ROOT).as_posix(), target))
    assert broken == []


def refreshed(shown: list[str], printed: list[str]) -> list[str]:
    """What a session should show."""
    lines = [line if len(line) <= WIDTH else line[:WIDTH].rstrip() + CUT for line in printed]
    if "..." not in shown:
        return lines
    at = shown.index("...")
    return [*lines[:at], "...", *lines[len(lines) - len(shown) + at + 1 :]]


def refresh() -> None:
    """Write the sessions anew."""
    text = README.read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "examples").symlink_to(ROOT / "examples")

        def session(found: re.Match[str]) -> str:
            lines = refreshed(found[2].splitlines(), run(found[1], Path(folder)))
            return "\n".join([f"$ {found[1]}", *lines, ""])

        README.write_text(BLOCK.sub(session, text), encoding="utf-8")


if __name__ == "__main__":
    refresh()
