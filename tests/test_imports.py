"""The direction of imports, the purity of the model, and what the command line loads."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = ("model", "properties", "traces")

IMPURE = frozenset(
    {
        "asyncio", "io", "logging", "multiprocessing", "os", "pathlib", "pickle", "random", "secrets",
        "shutil", "signal", "socket", "subprocess", "sys", "tempfile", "threading", "time", "urllib", "uuid",
    }
)  # fmt: skip


def modules(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


def imported(path: Path) -> Iterator[str]:
    """The modules that a file imports, anywhere in it; relative imports as ``.``."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "." if node.level else str(node.module)


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("folder", [*FOLDERS, "tests"])
def test_every_import_of_our_own_begins_with_kythera(folder: str) -> None:
    wrong = [
        (relative(path), name)
        for path in modules(folder)
        for name in imported(path)
        if name == "." or name.partition(".")[0] in FOLDERS
    ]
    assert wrong == []


def test_the_model_needs_nothing_but_the_standard_library() -> None:
    wrong = [
        (relative(path), name)
        for path in modules("model")
        for name in imported(path)
        if name.partition(".")[0] not in sys.stdlib_module_names | {"kythera"}
        and (relative(path), name) != ("model/scenarios/source.py", "yaml")
    ]
    assert wrong == []


def test_the_model_asks_neither_the_clock_nor_chance_nor_the_machine() -> None:
    wrong = [
        (relative(path), name)
        for path in modules("model")
        for name in imported(path)
        if name.partition(".")[0] in IMPURE
        and not (name == "pathlib" and relative(path).startswith("model/scenarios/"))
    ]
    assert wrong == []


def test_help_loads_nothing_of_the_model() -> None:
    program = (
        "import sys; from click.testing import CliRunner; from kythera.traces.cli import main; "
        "assert CliRunner().invoke(main, ['--help']).exit_code == 0; "
        "print([name for name in sys.modules if name.startswith(('kythera.model', 'kythera.properties'))])"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], env={"PYTHONPATH": str(ROOT / ".ci" / "import")},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert ran.stdout.strip() == "[]"
