"""From records to plain JSON-like data: the inverse of decoding.

``decode(type(obj), encode(obj, now), context(now))`` is ``obj`` again, without a remark.  Fields that hold
their default are left out, as Kubernetes leaves empty fields out; what the manifest said in ignored fields
(``opaque``) is put back in its place.
"""

from __future__ import annotations

import dataclasses
import json
import types
import typing
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from kythera.model.api.decode import Context, json_names
from kythera.model.api.quantity import Quantity, canonical
from kythera.model.record import Age, Map, Record, Uid

UID_PREFIX = "00000000-0000-4000-8000-"


def uid_text(uid: int) -> str:
    """The text that stands for a uid: a valid UUID with the number in its last group."""
    return f"{UID_PREFIX}{uid:012d}"


class UidNumbers(dict[str, int]):
    """The numbers of uids by their text; what ``uid_text`` writes is known from the start."""

    def setdefault(self, text: str, default: int = 0) -> int:
        """The number that the text stands for; other texts get one that isn't taken."""
        if text.startswith(UID_PREFIX) and text[len(UID_PREFIX) :].isdecimal():
            return int(text[len(UID_PREFIX) :])
        if text.isdecimal():
            return int(text)
        if text not in self:
            self[text] = max((default, *(number + 1 for number in self.values())))
        return self[text]


def context(now: datetime | None = None) -> Context:
    """A context in which decoding reverses ``encode``; ``now`` is the instant that ages count from."""
    made = Context(uids=UidNumbers())
    return made if now is None else dataclasses.replace(made, now=now)


@cache
def _defaults(cls: Any) -> dict[str, Any]:
    """Field -> its default, for each field of a record class that has one."""
    return {f.name: f.default for f in dataclasses.fields(cls)}


def encode(obj: Record, now: datetime | None = None) -> dict[str, Any]:
    """The record as plain data with the API's own field names; objects carry their apiVersion and kind.

    Uids become UUIDs (``uid_text``), ages the instants that many seconds before ``now``, quantities their
    canonical text.  Bookkeeping of the model that is no field of the API is left out.
    """
    instant = Context().now if now is None else now
    data: dict[str, Any] = {}
    cls: Any = type(obj)
    if "metadata" in cls.__record_fields__ and hasattr(cls, "api_version"):
        data["apiVersion"] = cls.api_version
        data["kind"] = cls.kind
    data.update(_record(obj, instant))
    return data


def _record(obj: Record, now: datetime) -> dict[str, Any]:
    cls: Any = type(obj)
    defaults = _defaults(cls)
    data: dict[str, Any] = {}
    for key, (field, hint) in json_names(cls).items():
        value = getattr(obj, field)
        if value != defaults[field] or type(value) is not type(defaults[field]):
            data[key] = _value(hint, value, now)
            if key == "resourceVersion":
                data[key] = str(value)
    opaque = getattr(obj, "opaque", "")
    if opaque:
        data.update(json.loads(opaque))
    return data


def _value(hint: Any, value: Any, now: datetime) -> Any:
    origin = typing.get_origin(hint)
    arguments = typing.get_args(hint)
    if origin in (types.UnionType, typing.Union):
        wanted = [a for a in arguments if a is not type(None)]
        return _value(wanted[0], value, now) if len(wanted) == 1 else value
    if origin is tuple:
        return [_value(arguments[0], each, now) for each in value]
    if origin is Map:
        return {key: _value(arguments[0], each, now) for key, each in value.items()}
    if hint is Age:
        return (now - timedelta(seconds=value)).strftime("%Y-%m-%dT%H:%M:%SZ")
    if hint is Uid:
        return uid_text(value)
    if isinstance(value, Quantity):
        return canonical(value)
    if isinstance(value, Record):
        return _record(value, now)
    return value


def plain(data: Any) -> Any:
    """Data as JSON has it: mappings become dictionaries and sequences lists, all the way down."""
    if isinstance(data, Mapping):
        return {str(key): plain(value) for key, value in data.items()}
    if isinstance(data, (list, tuple)):
        return [plain(value) for value in data]
    return data
