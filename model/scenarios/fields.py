"""Reading a document field by field: each value of a wrong type and each unknown field becomes a problem with its line.

A ``Part`` is one mapping of a document.  Reading a field that is wrong notes the problem and gives the default, so that
everything that is wrong comes out at once.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from kythera.model.api.duration import parse_duration
from kythera.model.api.quantity import Quantity, quantity
from kythera.model.scenarios.source import Document, Path_, Problem

LONGEST_SHOWN = 60


def found(value: object) -> str:
    """What a value is, in words: ``a list``, ``"abc"``, ``nothing``."""
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, bool):
        return "true" if value else "false"
    return shortened(f'"{value}"' if isinstance(value, str) else str(value))


def shortened(text: str, longest: int = LONGEST_SHOWN) -> str:
    """A text on one line, and not too much of it."""
    text = " ".join(text.split())
    return text if len(text) <= longest else f"{text[:longest]}..."


def unknown_field(name: str, known: Collection[str]) -> str:
    """What is said of a field that nobody knows: the nearest known one, or all of them."""
    near = get_close_matches(name, known, 1)
    if near:
        return f"unknown field; did you mean {near[0]}?"
    listed = ", ".join(sorted(known))
    return f"unknown field; known here are {listed}" if listed else "unknown field; there are none here"


@dataclass(slots=True)
class Part:
    """A mapping within a document, and where it is; ``problems`` is where its problems are noted."""

    document: Document
    problems: list[Problem]
    data: dict[str, Any]
    path: Path_ = ()

    def say(self, key: str | int | None, text: str) -> None:
        """Note a problem with a field, or with the part itself."""
        path = self.path if key is None else (*self.path, key)
        self.problems.append(self.document.problem(path, text))

    def expected(self, key: str, what: str) -> None:
        """Note that a field is not what was expected."""
        self.say(key, f"expected {what}, found {found(self.data.get(key))}")

    def only(self, *known: str) -> None:
        """Note every field that is none of these."""
        for key in self.data:
            if key not in known:
                self.say(key, unknown_field(key, known))

    def text(self, key: str, default: str = "", what: str = "text") -> str:
        """A text that isn't empty."""
        value = self.data.get(key)
        if value is None:
            return default
        if isinstance(value, str) and value:
            return value
        self.expected(key, what)
        return default

    def whole(self, key: str, default: int, least: int = 0, most: int = 1_000_000) -> int:
        """A whole number within bounds."""
        value = self.data.get(key)
        if value is None:
            return default
        if isinstance(value, int) and not isinstance(value, bool) and least <= value <= most:
            return value
        self.expected(
            key, f"a whole number from {least} to {most}" if most < 1_000_000 else f"a whole number from {least}"
        )
        return default

    def choice(self, key: str, default: str, choices: Sequence[str]) -> str:
        """One of a few texts."""
        value = self.data.get(key)
        if value is None:
            return default
        if isinstance(value, str) and value in choices:
            return value
        self.expected(key, f"one of {', '.join(choices)}")
        return default

    def duration(self, key: str, default: int) -> int:
        """A duration in seconds, from 0."""
        value = self.data.get(key)
        if value is None:
            return default
        if isinstance(value, (int, str)) and not isinstance(value, bool):
            try:
                seconds = parse_duration(str(value))
            except ValueError:
                seconds = -1
            if seconds >= 0:
                return seconds
        self.expected(key, "a duration such as 40s or 1m30s")
        return default

    def part(self, key: str) -> Part:
        """A mapping; an empty one if there is none."""
        value = self.data.get(key)
        if value is not None and not isinstance(value, dict):
            self.expected(key, "a mapping")
        return Part(self.document, self.problems, value if isinstance(value, dict) else {}, (*self.path, key))

    def items(self, key: str) -> list[Any]:
        """A list; an empty one if there is none."""
        value = self.data.get(key)
        if value is not None and not isinstance(value, list):
            self.expected(key, "a list")
        return value if isinstance(value, list) else []

    def parts(self, key: str) -> list[Part]:
        """A list of mappings."""
        made = []
        for i, item in enumerate(self.items(key)):
            path = (*self.path, key, i)
            if isinstance(item, dict):
                made.append(Part(self.document, self.problems, item, path))
            else:
                self.problems.append(self.document.problem(path, f"expected a mapping, found {found(item)}"))
        return made

    def texts(self, key: str, alone: bool = False) -> list[tuple[Path_, str]]:
        """A list of texts, each with its path; with ``alone``, a single text stands for a list of one."""
        value = self.data.get(key)
        if alone and isinstance(value, str):
            return [((*self.path, key), value)]
        made: list[tuple[Path_, str]] = []
        for i, item in enumerate(self.items(key)):
            path = (*self.path, key, i)
            if isinstance(item, str) and item:
                made.append((path, item))
            else:
                self.problems.append(self.document.problem(path, f"expected text, found {found(item)}"))
        return made

    def labels(self, key: str) -> dict[str, str]:
        """A mapping from texts to texts."""
        part = self.part(key)
        for name, value in part.data.items():
            if not isinstance(value, str):
                part.expected(name, "text (put it in quotes)")
        return {name: value for name, value in part.data.items() if isinstance(value, str)}

    def quantities(self, key: str) -> list[Quantity]:
        """A list of quantities that aren't negative."""
        made = []
        for i, item in enumerate(self.items(key)):
            try:
                if isinstance(item, bool) or not isinstance(item, (str, int, float)):
                    raise ValueError
                read = quantity(item)
                if read.nano < 0:
                    raise ValueError
                made.append(read)
            except ValueError:
                text = f"expected a quantity such as 100m or 0.5, found {found(item)}"
                self.problems.append(self.document.problem((*self.path, key, i), text))
        return made
