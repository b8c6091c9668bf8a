"""Errors about one field, in Kubernetes' words, and the checks that every kind uses.

Source: staging/src/k8s.io/apimachinery/pkg/util/validation/field/errors.go;
staging/src/k8s.io/apimachinery/pkg/apis/meta/v1/validation/validation.go;
pkg/apis/core/validation/validation.go.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from kythera.model.api import names
from kythera.model.api.encode import encode
from kythera.model.api.meta import IntOrString, LabelSelector
from kythera.model.api.quantity import Quantity, canonical
from kythera.model.record import Map, Record, record

REQUIRED, INVALID, UNSUPPORTED = "Required value", "Invalid value", "Unsupported value"
DUPLICATE, FORBIDDEN, TOO_LONG, TOO_MANY = "Duplicate value", "Forbidden", "Too long", "Too many"

AT_LEAST_0 = "must be greater than or equal to 0"
AT_LEAST_1 = "must be greater than 0"
IMMUTABLE = "field is immutable"

Errors = Iterator["FieldError"]


@record
class FieldError(Record):
    """What is wrong with the field at a path; ``bad_value`` is already in the notation of the message."""

    field: str = ""
    type: str = ""
    bad_value: str = ""
    detail: str = ""

    def __str__(self) -> str:
        middle = f"{self.type}: {self.bad_value}" if self.bad_value else self.type
        return f"{self.field}: {middle}: {self.detail}" if self.detail else f"{self.field}: {middle}"


def shown(value: Any) -> str:
    """A value as messages show it: texts quoted, records and lists as JSON.

    Source: staging/src/k8s.io/apimachinery/pkg/util/validation/field/errors.go Error.ErrorBody.
    """
    if isinstance(value, Quantity):
        return json.dumps(canonical(value))
    if isinstance(value, Record):
        value = encode(value)
    elif isinstance(value, Map):
        value = {key: canonical(each) if isinstance(each, Quantity) else each for key, each in value.items()}
    elif isinstance(value, tuple):
        value = [encode(each) if isinstance(each, Record) else each for each in value]
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def required(field: str, detail: str = "") -> FieldError:
    """The field must be there."""
    return FieldError(field, REQUIRED, "", detail)


def invalid(field: str, value: Any, detail: str) -> FieldError:
    """The value can't be right."""
    return FieldError(field, INVALID, shown(value), detail)


def forbidden(field: str, detail: str) -> FieldError:
    """The field may not be set, or not so."""
    return FieldError(field, FORBIDDEN, "", detail)


def duplicate(field: str, value: Any) -> FieldError:
    """The value is there already."""
    return FieldError(field, DUPLICATE, shown(value))


def unsupported(field: str, value: str, supported: Collection[str]) -> FieldError:
    """The value is none of those that there are."""
    listed = ", ".join(json.dumps(each) for each in sorted(supported))
    return FieldError(field, UNSUPPORTED, shown(value), f"supported values: {listed}")


def too_long(field: str, most: int) -> FieldError:
    """The value takes more bytes than allowed."""
    return FieldError(field, TOO_LONG, "", f"may not be more than {most} bytes")


def too_many(field: str, count: int, most: int) -> FieldError:
    """The list has more elements than allowed."""
    return FieldError(field, TOO_MANY, str(count), f"must have at most {most} items")


def messages(field: str, value: Any, texts: Iterable[str]) -> Errors:
    """One error for each thing that is wrong with a value."""
    for text in texts:
        yield invalid(field, value, text)


def one_of(field: str, value: str, supported: Collection[str]) -> Errors:
    """The value must be one of these; a missing one is required."""
    if not value:
        yield required(field)
    elif value not in supported:
        yield unsupported(field, value, supported)


def at_least_0(field: str, value: int | None) -> Errors:
    """A number that must not be negative."""
    if value is not None and value < 0:
        yield invalid(field, value, AT_LEAST_0)


def port_number(field: str, value: int) -> Errors:
    """A port from 1 to 65535."""
    yield from messages(field, value, names.is_valid_port_num(value))


def immutable(field: str, new: Any, old: Any) -> Errors:
    """The field must stay as it was."""
    if new != old:
        yield invalid(field, new, IMMUTABLE)


def labels(field: str, given: Mapping[str, str]) -> Errors:
    """Keys are qualified names, values label values."""
    for key, value in given.items():
        yield from messages(field, key, names.is_qualified_name(key))
        yield from messages(field, value, names.is_valid_label_value(value))


def label_selector(field: str, selector: LabelSelector | None) -> Errors:
    """A label selector with operators that exist and values where they are wanted.

    Source: staging/src/k8s.io/apimachinery/pkg/apis/meta/v1/validation/validation.go ValidateLabelSelector.
    """
    if selector is None:
        return
    yield from labels(f"{field}.matchLabels", selector.match_labels)
    for i, requirement in enumerate(selector.match_expressions):
        at = f"{field}.matchExpressions[{i}]"
        if requirement.operator in ("In", "NotIn"):
            if not requirement.values:
                yield required(f"{at}.values", "must be specified when `operator` is 'In' or 'NotIn'")
        elif requirement.operator in ("Exists", "DoesNotExist"):
            if requirement.values:
                detail = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
                yield forbidden(f"{at}.values", detail)
        else:
            yield invalid(f"{at}.operator", requirement.operator, "not a valid selector operator")
        yield from messages(f"{at}.key", requirement.key, names.is_qualified_name(requirement.key))
        for j, value in enumerate(requirement.values):
            yield from messages(f"{at}.values[{j}]", value, names.is_valid_label_value(value))


def is_empty(selector: LabelSelector) -> bool:
    """Whether a selector has no requirement, and so selects everything."""
    return not selector.match_labels and not selector.match_expressions


def amount_or_percent(field: str, value: IntOrString | None) -> Errors:
    """A number from 0, or a percentage.

    Source: pkg/apis/apps/validation/validation.go ValidatePositiveIntOrPercent.
    """
    if isinstance(value, int):
        yield from at_least_0(field, value)
    elif isinstance(value, str):
        yield from messages(field, value, names.is_valid_percent(value))


def at_most_100_percent(field: str, value: IntOrString | None) -> Errors:
    """A percentage up to 100; plain numbers are not looked at.

    Source: pkg/apis/apps/validation/validation.go IsNotMoreThan100Percent.
    """
    percent = percentage(value)
    if percent is not None and percent > 100:
        yield invalid(field, value, "must not be greater than 100%")


def percentage(value: IntOrString | None) -> int | None:
    """The number of a percentage, ``None`` for anything else."""
    if isinstance(value, str) and value.endswith("%") and value[:-1].isdecimal():
        return int(value[:-1])
    return None
