"""Label selectors written as text, such as ``app=web,tier in (a,b),!canary``.

A selector is a tuple of requirements in the order of their keys; all of them must be fulfilled, so that none at
all selects everything.

Source: staging/src/k8s.io/apimachinery/pkg/labels/selector.go.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping

from kythera.model.api import names
from kythera.model.api.meta import LabelSelector
from kythera.model.api.numbers import parse_int64
from kythera.model.record import Record, record

IN, NOT_IN = "in", "notin"
EQUALS, DOUBLE_EQUALS, NOT_EQUALS = "=", "==", "!="
EXISTS, DOES_NOT_EXIST = "exists", "!"
GREATER_THAN, LESS_THAN = "gt", "lt"

_BINARY = (IN, NOT_IN, EQUALS, DOUBLE_EQUALS, NOT_EQUALS, GREATER_THAN, LESS_THAN)
_SYMBOLS = {GREATER_THAN: ">", LESS_THAN: "<", EQUALS: "=", DOUBLE_EQUALS: "==", NOT_EQUALS: "!="}
_OPERATORS = {symbol: operator for operator, symbol in _SYMBOLS.items()} | {IN: IN, NOT_IN: NOT_IN}
_FROM_OBJECT = {"In": IN, "NotIn": NOT_IN, "Exists": EXISTS, "DoesNotExist": DOES_NOT_EXIST}

_SYMBOLIC = frozenset(("==", "!=", *"=!(),<>"))
# Blanks between tokens; the symbols; any other run of characters is a word.
_TOKEN = re.compile(r"[ \t\r\n]*(?:(?P<symbol>==|!=|[=!(),<>])|(?P<word>[^ \t\r\n=!(),<>]+))")


@record
class Requirement(Record):
    """What is asked of one label."""

    key: str
    operator: str
    values: tuple[str, ...] = ()

    def __str__(self) -> str:
        """The requirement as it would be written in a selector.  Source: selector.go Requirement.String."""
        if self.operator == EXISTS:
            return self.key
        if self.operator == DOES_NOT_EXIST:
            return f"!{self.key}"
        values = ",".join(sorted(self.values))
        if self.operator in (IN, NOT_IN):
            return f"{self.key} {self.operator} ({values})"
        return f"{self.key}{_SYMBOLS.get(self.operator, '')}{values}"

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether labels fulfil the requirement; what forbids a value is fulfilled where the label is missing.

        Source: selector.go Requirement.Matches.
        """
        found = labels.get(self.key)
        match self.operator:
            case "in" | "=" | "==":
                return found is not None and found in self.values
            case "notin" | "!=":
                return found is None or found not in self.values
            case "exists":
                return found is not None
            case "!":
                return found is None
        if found is None or len(self.values) != 1:
            return False
        number, bound = parse_int64(found), parse_int64(self.values[0])
        if number is None or bound is None:
            return False
        return number > bound if self.operator == GREATER_THAN else number < bound


Selector = tuple[Requirement, ...]


@record
class RequirementError(Record):
    """What is wrong with one part of a requirement; ``wrong`` is what stands there."""

    field: str
    message: str
    wrong: str | tuple[str, ...] = ""

    def __str__(self) -> str:
        """The error as Kubernetes puts it.

        Source: staging/src/k8s.io/apimachinery/pkg/util/validation/field/errors.go Error.Error.
        """
        kind = "Unsupported value" if self.field == "operator" else "Invalid value"
        if isinstance(self.wrong, str):
            return f"{self.field}: {kind}: {_quoted(self.wrong)}: {self.message}"
        return f"{self.field}: {kind}: []string{{{', '.join(map(_quoted, self.wrong))}}}: {self.message}"


def requirement_errors(requirement: Requirement) -> tuple[RequirementError, ...]:
    """What is wrong with a requirement: its key, its operator, the number of its values, or one of them.

    Source: selector.go NewRequirement.
    """
    key, operator, values = requirement.key, requirement.operator, requirement.values
    found: list[RequirementError] = []
    if wrong := names.is_qualified_name(key):
        found.append(RequirementError("key", "; ".join(wrong), key))
    match operator:
        case "in" | "notin":
            if not values:
                found.append(_count_error("for 'in', 'notin' operators, values set can't be empty", values))
        case "=" | "==" | "!=":
            if len(values) != 1:
                found.append(_count_error("exact-match compatibility requires one single value", values))
        case "exists" | "!":
            if values:
                found.append(_count_error("values set must be empty for exists and does not exist", values))
        case "gt" | "lt":
            if len(values) != 1:
                found.append(_count_error("for 'Gt', 'Lt' operators, exactly one value is required", values))
            found += (
                RequirementError(f"values[{i}]", "for 'Gt', 'Lt' operators, the value must be an integer", value)
                for i, value in enumerate(values)
                if parse_int64(value) is None
            )
        case _:
            supported = ", ".join(map(_quoted, sorted((*_BINARY, EXISTS, DOES_NOT_EXIST))))
            found.append(RequirementError("operator", f"supported values: {supported}", operator))
    for i, value in enumerate(values):
        if wrong := names.is_valid_label_value(value):
            found.append(RequirementError(f"values[{i}][{key}]", "; ".join(wrong), value))
    return tuple(found)


def _count_error(message: str, values: tuple[str, ...]) -> RequirementError:
    return RequirementError("values", message, values)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def parse_selector(text: str) -> Selector:
    """The selector that a text denotes; ``ValueError`` when it denotes none.

    Values become sets: they are sorted, and each stands there once.
    Source: selector.go Parse.
    """
    return _sorted(_Parser(text).requirements())


def selector_of(selector: LabelSelector) -> Selector:
    """The requirements of a ``LabelSelector`` object; ``ValueError`` when one isn't valid.

    Source: staging/src/k8s.io/apimachinery/pkg/apis/meta/v1/helpers.go LabelSelectorAsSelector.
    """
    found = [Requirement(key, EQUALS, (value,)) for key, value in selector.match_labels.items()]
    for each in selector.match_expressions:
        if each.operator not in _FROM_OBJECT:
            raise ValueError(f'"{each.operator}" is not a valid label selector operator')
        found.append(Requirement(each.key, _FROM_OBJECT[each.operator], each.values))
    return _sorted(map(_valid, found))


def selector_of_map(pairs: Mapping[str, str]) -> Selector:
    """The selector of exactly these values.  Source: selector.go SelectorFromSet."""
    return _sorted(Requirement(key, EQUALS, (value,)) for key, value in pairs.items())


def selector_text(selector: Iterable[Requirement]) -> str:
    """A selector as text, as ``parse_selector`` reads it.  Source: selector.go internalSelector.String."""
    return ",".join(map(str, selector))


def selector_matches(selector: Iterable[Requirement], labels: Mapping[str, str]) -> bool:
    """Whether labels fulfil all requirements.  Source: selector.go internalSelector.Matches."""
    return all(requirement.matches(labels) for requirement in selector)


def required_value(selector: Iterable[Requirement], key: str) -> str | None:
    """The one value that a selector leaves to a label, if the first requirement on it is of that kind.

    Source: selector.go internalSelector.RequiresExactMatch.
    """
    first = next((requirement for requirement in selector if requirement.key == key), None)
    if first is None or first.operator not in (IN, EQUALS, DOUBLE_EQUALS) or len(first.values) != 1:
        return None
    return first.values[0]


def _sorted(requirements: Iterable[Requirement]) -> Selector:
    return tuple(sorted(requirements, key=lambda requirement: requirement.key))


def _valid(requirement: Requirement) -> Requirement:
    errors = requirement_errors(requirement)
    if errors:
        raise ValueError("; ".join(map(str, errors)))
    return requirement


class _Parser:
    """Reads one text from left to right; ``""`` is the token at the end.

    Source: selector.go Lexer, Parser.
    """

    def __init__(self, text: str) -> None:
        self._tokens = [found[0].strip(" \t\r\n") for found in _TOKEN.finditer(text)]
        self._next = 0

    def requirements(self) -> Iterator[Requirement]:
        if self._peek() == "":
            return
        if self._peek() in _SYMBOLIC and self._peek() != "!":
            raise ValueError(f"found '{self._peek()}', expected: !, identifier, or 'end of string'")
        while True:
            try:
                yield self._requirement()
            except ValueError as error:
                raise ValueError(f"unable to parse requirement: {error}") from None
            separator = self._take()
            if separator == "":
                return
            if separator != ",":
                raise ValueError(f"found '{separator}', expected: ',' or 'end of string'")
            if self._peek() == "" or self._peek() in _SYMBOLIC - {"!"}:
                raise ValueError(f"found '{self._peek()}', expected: identifier after ','")

    def _requirement(self) -> Requirement:
        if self._peek() == "!":
            self._take()
            return _valid(Requirement(self._word("identifier"), DOES_NOT_EXIST))
        key = self._word("identifier")
        if self._peek() in ("", ","):
            return _valid(Requirement(key, EXISTS))
        symbol = self._take()
        if symbol not in _OPERATORS:
            raise ValueError(f"found '{symbol}', expected: {', '.join(_BINARY)}")
        operator = _OPERATORS[symbol]
        values = self._values() if operator in (IN, NOT_IN) else {self._value()}
        return _valid(Requirement(key, operator, tuple(sorted(values))))

    def _value(self) -> str:
        return "" if self._peek() in ("", ",") else self._word("identifier")

    def _values(self) -> set[str]:
        """What stands between parentheses; nothing between two commas is the empty value."""
        if (opening := self._take()) != "(":
            raise ValueError(f"found '{opening}' expected: '('")
        values = set()
        while True:
            values.add("" if self._peek() in (",", ")") else self._word("',', or identifier"))
            separator = self._take()
            if separator == ")":
                return values
            if separator != ",":
                raise ValueError(f"found '{separator}', expected: ',' or ')'")

    def _word(self, wanted: str) -> str:
        token = self._take()
        if not token or token in _SYMBOLIC:
            raise ValueError(f"found '{token}', expected: {wanted}")
        return token

    def _peek(self) -> str:
        return self._tokens[self._next] if self._next < len(self._tokens) else ""

    def _take(self) -> str:
        token = self._peek()
        self._next += 1
        return token
