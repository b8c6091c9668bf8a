"""Runs upstream's cases: finds them, finds the adapter of each, and counts.

Nothing in here knows what a case is about.
"""

from __future__ import annotations

import json
import os
import pkgutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from kythera.traces.conformance import adapters

Case = dict[str, Any]
Adapter = Callable[[Case], str | None]

VARIABLE = "KYTHERA_CONFORMANCE"
COPY = Path("tests", "conformance", "cases")


class UnusableFolderError(Exception):
    """There are no cases to run, and the text says why in one line."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A case that didn't come out as upstream expects, and how."""

    id: str
    reason: str


@dataclass(frozen=True, slots=True)
class KindReport:
    """What became of all cases of one kind."""

    kind: str
    cases: int
    passed: int
    failed: tuple[Failure, ...]
    not_modelled: int


@dataclass(frozen=True, slots=True)
class Report:
    """What became of all kinds, in the order of their names, and the known exceptions."""

    kinds: tuple[KindReport, ...]
    exceptions: Mapping[str, Mapping[str, str]]

    @property
    def failed(self) -> tuple[Failure, ...]:
        """All failed cases, also the expected ones."""
        return tuple(failure for kind in self.kinds for failure in kind.failed)

    @property
    def unexpected(self) -> tuple[Failure, ...]:
        """The failed cases that are no known exceptions."""
        return tuple(failure for failure in self.failed if failure.id not in self.exceptions)


def run(folder: Path, pattern: str = "*") -> Report:
    """Run the cases of a folder whose kind matches a pattern with ``*`` and ``?``.

    Raises ``UnusableFolderError`` when the folder holds no readable cases, or none of such a kind.
    """
    by_kind: dict[str, list[Case]] = {}
    for case in cases(folder):
        if fnmatchcase(case["kind"], pattern):
            by_kind.setdefault(case["kind"], []).append(case)
    if not by_kind:
        raise UnusableFolderError(f"no case in {folder} is of a kind like {pattern!r}")
    return Report(tuple(_run_kind(kind, by_kind[kind]) for kind in sorted(by_kind)), exceptions())


def _run_kind(kind: str, of_kind: Iterable[Case]) -> KindReport:
    adapter = all_adapters().get(kind)
    passed, not_modelled, failed = 0, 0, []
    for case in of_kind:
        try:
            if adapter is None:
                raise NotImplementedError
            reason = adapter(case)
        except NotImplementedError:
            not_modelled += 1
            continue
        except Exception as error:
            reason = f"{type(error).__name__}: {error}"
        if reason is None:
            passed += 1
        else:
            failed.append(Failure(case["id"], reason))
    return KindReport(kind, passed + len(failed) + not_modelled, passed, tuple(failed), not_modelled)


@cache
def all_adapters() -> dict[str, Adapter]:
    """The adapters of all modules in the package ``adapters``, by the kind of case."""
    found: dict[str, Adapter] = {}
    for module in pkgutil.iter_modules(adapters.__path__):
        for kind, adapter in import_module(f"{adapters.__name__}.{module.name}").ADAPTERS.items():
            if found.setdefault(kind, adapter) is not adapter:
                raise ValueError(f"there are two adapters for {kind}")
    return found


def cases(folder: Path) -> list[Case]:
    """All cases of a folder's JSON files; ``UnusableFolderError`` when there are none, or a file can't be read."""
    found: list[Case] = []
    for path in sorted(folder.glob("*.json")):
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise UnusableFolderError(f"{path} can't be read: {error}") from error
        if not isinstance(content, list) or not all(_is_case(case) for case in content):
            raise UnusableFolderError(f"{path} is no list of cases with an id and a kind")
        found += content
    if not found:
        raise UnusableFolderError(f"there are no cases in {folder}")
    return found


def _is_case(case: object) -> bool:
    return isinstance(case, dict) and all(isinstance(case.get(key), str) for key in ("id", "kind"))


def exceptions() -> dict[str, dict[str, str]]:
    """The known disagreements: case id -> why, and where upstream shows it."""
    content: dict[str, dict[str, str]] = json.loads(
        Path(__file__).with_name("exceptions.json").read_text(encoding="utf-8")
    )
    return content


def default_folder() -> Path:
    """The folder that the environment names, or else the copy in the checkout that this module belongs to.

    ``UnusableFolderError`` when Kythera was installed without its tests.
    """
    named = os.environ.get(VARIABLE)
    if named:
        return Path(named)
    for above in Path(__file__).resolve().parents:
        if (above / COPY).is_dir():
            return above / COPY
    raise UnusableFolderError(f"this installation has no copy of the cases: set {VARIABLE} or give a folder")
