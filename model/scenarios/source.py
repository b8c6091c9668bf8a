"""Files to plain data that remembers where each field stood: the one part of the model that reads files.

YAML as kubectl reads it (several documents, JSON as its subset, ``List`` objects), with a line for every field.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

Path_ = tuple[str | int, ...]
STANDARD_INPUT = Path("-")
TEMPLATE = re.compile(r"\{\{-?\s*[\w.$(\"/][^{}]*\}\}")
"""What Helm replaces: ``{{ .Values.name }}``."""

SUFFIXES = (".yaml", ".yml", ".json")


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with the input: where, and what was found and would be accepted."""

    file: str
    line: int
    field: str
    text: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        parts = (where, self.field, self.text) if self.field else (where, self.text)
        return " ".join(": ".join(parts).splitlines())


class Unusable(Exception):
    """The input cannot be used; all problems at once."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class Document:
    """One object of a file as plain data, with the line of each field by its path.

    ``written`` is for an object that was made from a part of a document: which of its fields are written where there.
    """

    file: str
    data: dict[str, Any]
    lines: dict[Path_, int] = field(default_factory=dict)
    written: dict[Path_, Path_] = field(default_factory=dict)

    def line(self, path: Path_) -> int:
        """The line of a field, or of the nearest one around it."""
        for end in range(len(path), -1, -1):
            if path[:end] in self.lines:
                return self.lines[path[:end]]
        return 0

    def problem(self, path: Path_, text: str) -> Problem:
        """A problem with one of its fields."""
        for place, there in self.written.items():
            if path[: len(place)] == place:
                return Problem(self.file, self.line(path), field_text((*there, *path[len(place) :])), text)
        return Problem(self.file, self.line(path), field_text(path), text)

    @property
    def name(self) -> str:
        """``Deployment/web``."""
        meta = self.data.get("metadata")
        name = meta.get("name") or meta.get("generateName") if isinstance(meta, dict) else None
        return f"{self.data.get('kind')}/{name or '?'}"


def field_text(path: Path_) -> str:
    """A path as Kubernetes writes it."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


class _Loader(yaml.CSafeLoader):
    """YAML 1.1 without dates: Kubernetes reads them as text."""


def _as_text(loader: Any, node: Any) -> Any:
    return loader.construct_scalar(node)


_Loader.add_constructor("tag:yaml.org,2002:timestamp", _as_text)
_Loader.add_constructor("tag:yaml.org,2002:binary", _as_text)


class _TooMuch(Exception):
    """The text describes more than anybody would write: what is left of it is not read."""


def _number(loader: Any, node: Any) -> Any:
    """A number, but ``12:30``, which YAML 1.1 reads in base 60 and Kubernetes as text."""
    if ":" in node.value:
        return loader.construct_scalar(node)
    if node.tag.endswith("int"):
        return loader.construct_yaml_int(node)
    value = loader.construct_yaml_float(node)
    if not math.isfinite(value):
        raise ValueError(f"expected a finite number, found {node.value}")
    return value


_Loader.add_constructor("tag:yaml.org,2002:int", _number)
_Loader.add_constructor("tag:yaml.org,2002:float", _number)


def files_in(paths: Sequence[Path]) -> tuple[list[Path], list[Problem]]:
    """The files that the paths mean: folders are searched, in the order of names."""
    files: list[Path] = []
    problems: list[Problem] = []
    for path in paths:
        if path == STANDARD_INPUT:
            files.append(path)
        elif path.is_dir():
            found = sorted(f for f in path.rglob("*") if f.suffix in SUFFIXES and f.is_file())
            if not found:
                text = f"the folder holds no file that ends with {', '.join(SUFFIXES)}"
                problems.append(Problem(str(path), 0, "", text))
            files += found
        elif path.exists():
            files.append(path)
        else:
            problems.append(Problem(str(path), 0, "", "there is no such file or folder"))
    return files, problems


def read(path: Path) -> tuple[list[Document], list[Problem]]:
    """The documents of a file, ``List`` objects taken apart."""

    def content() -> bytes:
        if path != STANDARD_INPUT:
            return path.read_bytes()
        with open(0, "rb", closefd=False) as given:
            return given.read()

    name = "standard input" if path == STANDARD_INPUT else str(path)
    try:
        text = content().decode().replace("\r\n", "\n")
    except (OSError, UnicodeDecodeError) as error:
        return [], [Problem(name, 0, "", f"cannot be read as text: {error}")]
    return parse(text, name)


def parse(text: str, file: str) -> tuple[list[Document], list[Problem]]:
    """The documents of a text; one that is a template still is told as such, and as nothing else."""
    documents, problems = _parsed(text, file)
    if problems:
        for number, line in enumerate(text.splitlines(), 1):
            if found := TEMPLATE.search(line.partition(" #")[0]):
                hint = "this is a template, not a manifest; render it first with `helm template`"
                return [], [Problem(file, number, "", f"found {found[0][:60]}: {hint}")]
    return documents, problems


def _parsed(text: str, file: str) -> tuple[list[Document], list[Problem]]:
    documents: list[Document] = []
    problems: list[Problem] = []
    try:
        loader = _Loader(text)
        try:
            while loader.check_node():
                node = loader.get_node()
                lines: dict[Path_, int] = {}
                data: Any = _plain(loader, node, (), lines, file, problems, 0)
                documents += _flat(Document(file, data, lines), problems)
        finally:
            loader.dispose()
    except yaml.YAMLError as error:
        if text.lstrip().startswith("{") and (data := _json(text)) is not None:
            return list(_flat(Document(file, data), problems)), problems
        mark = getattr(error, "problem_mark", None)
        what = getattr(error, "problem", None) or str(error).splitlines()[0]
        if mark and text.splitlines()[mark.line : mark.line + 1] and _is_tabbed(text.splitlines()[mark.line]):
            what = "YAML does not allow tabs for indentation; use spaces"
        problems.append(Problem(file, mark.line + 1 if mark else 0, "", f"not YAML: {what}"))
    except _TooMuch as error:
        problems.append(Problem(file, 0, "", str(error)))
    except (RecursionError, ValueError, OverflowError) as error:
        problems.append(Problem(file, 0, "", f"not YAML: {str(error) or 'nested too deeply'}"))
    return documents, problems


def _is_tabbed(line: str) -> bool:
    """Whether a line begins with a tab, perhaps after spaces."""
    return "\t" in line[: len(line) - len(line.lstrip())]


def _json(text: str) -> Any:
    """A text as JSON, for what YAML refuses of it: tabs, and characters written as surrogate pairs; else ``None``."""

    def refuse(name: str) -> None:
        raise ValueError(name)

    try:
        data = json.loads(text, parse_constant=refuse)
        json.dumps(data, ensure_ascii=False).encode()  # half a surrogate pair is no character
        _check_depth(data)
    except (ValueError, RecursionError):
        return None
    return data


def _check_depth(data: Any) -> None:
    """Raise ``ValueError`` for plain data that is nested deeper than anybody would write."""
    level = [data]
    for _ in range(DEEPEST):
        level = [
            inner
            for outer in level
            if isinstance(outer, (dict, list))
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
    if level:
        raise ValueError(f"nested deeper than {DEEPEST} levels")


DEEPEST = 100
MOST_VALUES = 1_000_000


def _plain(
    loader: Any, node: Any, path: Path_, lines: dict[Path_, int], file: str, problems: list[Problem], depth: int
) -> Any:
    lines.setdefault(path, node.start_mark.line + 1)
    if depth > DEEPEST:
        raise _TooMuch(f"line {node.start_mark.line + 1}: nested deeper than {DEEPEST} levels")
    if len(lines) > MOST_VALUES:
        raise _TooMuch(f"a document of more than {MOST_VALUES} values")
    if isinstance(node, yaml.MappingNode):
        _check_keys(node, path, file, problems)
        loader.flatten_mapping(node)
        made: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                problems.append(Problem(file, key_node.start_mark.line + 1, field_text(path), "a key must be text"))
                continue
            key = str(key_node.value)
            here = (*path, key)
            lines[here] = key_node.start_mark.line + 1
            made[key] = _plain(loader, value_node, here, lines, file, problems, depth + 1)
        return made
    if isinstance(node, yaml.SequenceNode):
        return [_plain(loader, item, (*path, i), lines, file, problems, depth + 1) for i, item in enumerate(node.value)]
    try:
        value = loader.construct_object(node, deep=True)
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        what = getattr(error, "problem", None) or str(error)
        problems.append(Problem(file, node.start_mark.line + 1, field_text(path), str(what)))
        return None
    return value if isinstance(value, (str, int, float, bool, type(None))) else str(node.value)


def _check_keys(node: Any, path: Path_, file: str, problems: list[Problem]) -> None:
    """Refuse a key that is written twice; a key may well be merged in (``<<``) and written besides."""
    if getattr(node, "is_checked", False):
        return
    node.is_checked = True
    own: set[str] = set()
    for key_node, _ in node.value:
        key = str(key_node.value)
        if key in own and isinstance(key_node, yaml.ScalarNode) and key != "<<":
            text = "the key is there twice"
            problems.append(Problem(file, key_node.start_mark.line + 1, field_text((*path, key)), text))
        own.add(key)


def _flat(document: Document, problems: list[Problem]) -> Iterator[Document]:
    """The objects of a document: itself, or the items of a ``List``; an empty document is none."""
    data = document.data
    if data is None:
        return
    if not isinstance(data, dict):
        what = f"expected an object with apiVersion and kind, found {type(data).__name__}"
        problems.append(document.problem((), what))
        return
    kind = data.get("kind")
    if isinstance(kind, str) and kind.endswith("List") and isinstance(data.get("items"), list):
        lines_of: dict[Any, dict[Path_, int]] = {}
        for place, line in document.lines.items():
            if len(place) > 1 and place[0] == "items":
                lines_of.setdefault(place[1], {})[place[2:]] = line
        for i, item in enumerate(data["items"]):
            lines = lines_of.get(i, {})
            if isinstance(item, dict) and "kind" not in item and kind != "List":
                item = {"apiVersion": data.get("apiVersion"), "kind": kind.removesuffix("List"), **item}
            yield from _flat(Document(document.file, item, lines), problems)
        return
    yield document


def from_data(documents: Sequence[Any], file: str) -> list[Document]:
    """Documents of plain data, as a trace holds them.  ``ValueError`` or ``TypeError`` for what JSON cannot hold."""
    _check_depth(list(documents))
    made = []
    for data in documents:
        text = json.dumps(data, ensure_ascii=False, allow_nan=False)
        text.encode()  # half a surrogate pair is no character
        made.append(Document(file, json.loads(text)))
    return made
