"""From plain JSON-like data to records, driven by the records' own annotations; nothing is lost on the way.

``decode(Pod, data, context)`` makes the record and notes in the context every field that the model ignores (by the
``ignored`` table of the record's class), every field that nobody knows, and every value of a wrong type, each with
the path that leads to it.
"""

from __future__ import annotations

import dataclasses
import json
import types
import typing
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any, TypeVar

from kythera.model.api.quantity import Quantity
from kythera.model.record import Age, Map, NodeName, Record, Uid

R = TypeVar("R", bound=Record)
Path = tuple[str | int, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Remark:
    """Something to be said about one field: where it is, and why it is ignored or what is wrong with it."""

    path: Path
    text: str


@dataclasses.dataclass(slots=True)
class Context:
    """What decoding needs and what it notes: the instant that ages count from, uids by their text, remarks."""

    now: datetime = datetime(2024, 1, 1, tzinfo=UTC)
    uids: dict[str, int] = dataclasses.field(default_factory=dict)
    ignored: list[Remark] = dataclasses.field(default_factory=list)
    errors: list[Remark] = dataclasses.field(default_factory=list)

    def uid(self, text: str) -> int:
        """The number that stands for a uid's text, the same for the same text."""
        return self.uids.setdefault(text, len(self.uids))


def field_path(path: Path) -> str:
    """A path in the notation of Kubernetes' own messages: ``spec.containers[0].image``."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


@cache
def json_names(cls: type[Record]) -> dict[str, tuple[str, Any]]:
    """JSON name -> (field name, annotation) for each field of a record class, except its ``internal`` ones."""
    renamed: dict[str, str] = getattr(cls, "json_names", {})
    internal: frozenset[str] = getattr(cls, "internal", frozenset())
    hints = typing.get_type_hints(cls)
    names = {}
    for field in cls.__record_fields__:
        if field == "opaque" or field in internal:
            continue
        head, *rest = field.split("_")
        camel = head + "".join("IP" if p == "ip" else "IPs" if p == "ips" else p.capitalize() for p in rest)
        names[renamed.get(field, camel)] = (field, hints[field])
    return names


def decode(cls: type[R], data: object, context: Context, path: Path = ()) -> R:
    """The record of class ``cls`` that ``data`` describes; fields that can't be read keep their default."""
    if not isinstance(data, Mapping):
        context.errors.append(Remark(path, f"expected a mapping, found {_what(data)}"))
        return cls()
    names = json_names(typing.cast(Any, cls))
    ignored: dict[str, str] = getattr(cls, "ignored", {})
    values: dict[str, Any] = {}
    opaque: dict[str, Any] = {}
    for key, value in data.items():
        here = (*path, key)
        if key in names:
            field, hint = names[key]
            if value is not None:
                read = _value(hint, value, context, here)
                if read is not None:
                    values[field] = read
        elif key in ("apiVersion", "kind") and not path:
            continue
        elif key in ignored:
            context.ignored.append(Remark(here, ignored[key]))
            opaque[key] = value
        else:
            context.errors.append(Remark(here, f'unknown field "{field_path(here)}"'))
    if opaque and "opaque" in cls.__record_fields__:
        values["opaque"] = json.dumps(opaque, sort_keys=True, default=str)
    return cls(**values)


def _what(value: object) -> str:
    names = {dict: "a mapping", list: "a list", str: "text", bool: "a boolean", int: "a number", float: "a number"}
    described = names.get(type(value), "nothing" if value is None else type(value).__name__)
    return f"{described} ({value!r})" if isinstance(value, (str, bool, int, float)) else described


def _value(hint: Any, value: object, context: Context, path: Path) -> Any:
    """``value`` as the annotation wants it, or ``None`` after noting an error."""
    origin = typing.get_origin(hint)
    arguments = typing.get_args(hint)
    if origin in (types.UnionType, typing.Union):
        wanted = [a for a in arguments if a is not type(None)]
        if len(wanted) == 1:
            return _value(wanted[0], value, context, path)
        if isinstance(value, (int, str)) and not isinstance(value, bool):
            return value  # IntOrString
        return _refuse("a number or text", value, context, path)
    if origin is tuple:
        if not isinstance(value, list):
            return _refuse("a list", value, context, path)
        read = [_value(arguments[0], v, context, (*path, i)) for i, v in enumerate(value)]
        return tuple(v for v in read if v is not None)
    if origin is Map or hint is Map:
        if not isinstance(value, Mapping):
            return _refuse("a mapping", value, context, path)
        pairs = {str(k): _value(arguments[0], v, context, (*path, str(k))) for k, v in value.items()}
        return Map({k: v for k, v in pairs.items() if v is not None})
    if hint is Age:
        return _age(value, context, path)
    if hint is Uid:
        return context.uid(str(value))
    if hint is NodeName or hint is str:
        return value if isinstance(value, str) else _refuse("text", value, context, path)
    if hint is Quantity:
        return _quantity(value, context, path)
    if hint is bool:
        return value if isinstance(value, bool) else _refuse("true or false", value, context, path)
    if hint is int:
        if isinstance(value, bool) or not isinstance(value, (int, float, str)):
            return _refuse("a whole number", value, context, path)
        if isinstance(value, str):  # resourceVersion is a number written as text
            return (
                int(value)
                if path[-1] == "resourceVersion" and value.isdecimal()
                else _refuse("a whole number", value, context, path)
            )
        return int(value) if int(value) == value else _refuse("a whole number", value, context, path)
    if isinstance(hint, type) and issubclass(hint, Record):
        return decode(hint, value, context, path)
    raise TypeError(f"no way to decode {hint!r} at {field_path(path)}")


def _refuse(wanted: str, value: object, context: Context, path: Path) -> None:
    context.errors.append(Remark(path, f"expected {wanted}, found {_what(value)}"))


def _age(value: object, context: Context, path: Path) -> int | None:
    try:
        instant = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    except ValueError:
        _refuse("a time such as 2024-01-01T00:00:00Z", value, context, path)
        return None
    if instant.tzinfo is None:
        instant = instant.replace(tzinfo=UTC)
    return int((context.now - instant).total_seconds())


def _quantity(value: object, context: Context, path: Path) -> Quantity | None:
    from kythera.model.api.quantity import quantity

    try:
        return quantity(str(value))
    except ValueError:
        _refuse("a quantity such as 100m, 1.5 or 2Gi", value, context, path)
        return None
