"""From documents to the objects that the API server would hold: decoded, defaulted, admitted and judged.

What is wrong with an object is said at the line of its field.

Source: staging/src/k8s.io/apiserver/pkg/registry/rest/create.go BeforeCreate.
"""

from __future__ import annotations

import re
import types
import typing
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from kythera.model.api.core.cluster import Namespace
from kythera.model.api.core.pod import Pod, PodStatus
from kythera.model.api.decode import Context, decode, json_names
from kythera.model.api.meta import ObjectMeta
from kythera.model.api.requests import qos_class
from kythera.model.api.scheduling import PriorityClass
from kythera.model.control_plane.apiserver.admission import SYSTEM_PRIORITIES, admit
from kythera.model.control_plane.apiserver.defaulting import default
from kythera.model.control_plane.apiserver.resources import RESOURCES
from kythera.model.control_plane.apiserver.validation import validate
from kythera.model.control_plane.apiserver.validation.fields import FieldError
from kythera.model.record import Age, Map, Record, replace
from kythera.model.scenarios.fields import found, shortened, unknown_field
from kythera.model.scenarios.source import Document, Path_, Problem, field_text

DEFAULT_NAMESPACE = "default"
VERSIONS = "the model counts versions itself"
LARGEST = 2**63 - 1
FINALIZER = "kubernetes"
"""What every namespace is created with: the namespace controller removes it when the namespace is empty."""

_STEP = re.compile(r"\[([^\]]*)\]|([^.\[\]]+)")
_TIMES = frozenset(
    (
        "creationTimestamp", "lastTransitionTime", "lastUpdateTime", "lastHeartbeatTime", "lastProbeTime", "startTime",
        "startedAt", "finishedAt", "renewTime", "acquireTime", "lastScaleTime", "timeAdded",
    )
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Ignored:
    """A field, or a whole object (``field`` is empty), that the model does not act on."""

    file: str
    line: int
    object: str
    field: str
    why: str


@dataclass(slots=True)
class Item:
    """An object and the document that it comes from.

    ``is_from_cluster``: an API server has seen it before, so that nothing is to be added to it.
    """

    document: Document
    obj: Any
    is_from_cluster: bool = False

    @property
    def meta(self) -> ObjectMeta:
        """Its metadata."""
        metadata: ObjectMeta = self.obj.metadata
        return metadata

    @property
    def key(self) -> tuple[str, str, str]:
        """Kind, namespace and name."""
        return type(self.obj).__name__, self.meta.namespace, self.meta.name

    @property
    def label(self) -> str:
        """``Deployment/web``, with the namespace where it isn't the default one."""
        kind, namespace, name = self.key
        shown = name or f"{self.meta.generate_name}*"
        return f"{kind}/{shown}" if namespace in ("", DEFAULT_NAMESPACE) else f"{kind}/{namespace}/{shown}"


def present(documents: Iterable[Document]) -> datetime:
    """The instant that ages count from: the last one that the documents mention as past."""
    latest = Context().now
    instants = [instant for document in documents for instant in _instants(document.data)]
    return max(instants, default=latest)


def _instants(data: object) -> Iterator[datetime]:
    if isinstance(data, dict):
        for key, value in data.items():
            if key in _TIMES and isinstance(value, str):
                try:
                    instant = datetime.fromisoformat(value)
                    yield (instant if instant.tzinfo else instant.replace(tzinfo=UTC)).astimezone(UTC)
                except (ValueError, OverflowError):
                    continue
            elif isinstance(value, (dict, list)):
                yield from _instants(value)
    elif isinstance(data, list):
        for value in data:
            yield from _instants(value)


def _too_large(data: object, path: Path_ = ()) -> Iterator[Path_]:
    """Numbers that no field of the API can hold."""
    if isinstance(data, dict):
        for key, value in data.items():
            yield from _too_large(value, (*path, key))
    elif isinstance(data, list):
        for i, value in enumerate(data):
            yield from _too_large(value, (*path, i))
    elif isinstance(data, (int, float)) and abs(data) > LARGEST:
        yield path


def decoded(
    document: Document, cls: type[Record], context: Context, problems: list[Problem], ignored: list[Ignored]
) -> Item | None:
    """The object of a document, in its namespace; ``None`` if some of it can't be read.

    ``context`` knows the uids of other objects and the present.
    """
    large = [document.problem(path, "expected a number of at most 64 bits") for path in _too_large(document.data)]
    if large:
        problems += large
        return None
    known = Context(context.now, context.uids)
    try:
        obj: Any = decode(cls, document.data, known)
    except (ValueError, OverflowError, RecursionError) as error:
        problems.append(document.problem((), f"cannot be read: {error}"))
        return None
    for remark in known.ignored:
        where = document.line(remark.path)
        ignored.append(Ignored(document.file, where, document.name, field_text(remark.path), remark.text))
    for remark in known.errors:
        text = remark.text
        if text.startswith("unknown field"):
            text = unknown_field(str(remark.path[-1]), _names_at(cls, remark.path[:-1]))
        problems.append(document.problem(remark.path, shortened(text, 200)))
    if known.errors:
        return None
    metadata: ObjectMeta = obj.metadata
    if metadata.resource_version:
        path = ("metadata", "resourceVersion")
        ignored.append(Ignored(document.file, document.line(path), document.name, field_text(path), VERSIONS))
    if RESOURCES[cls.__name__].namespaced and not metadata.namespace:
        metadata = replace(metadata, namespace=DEFAULT_NAMESPACE)
    seen = metadata.uid is not None or metadata.resource_version > 0
    return Item(document, replace(obj, metadata=metadata), seen)


def _names_at(cls: type[Record], path: Path_) -> Collection[str]:
    """The names of the fields that there are at a path of an object of a class."""
    hint: Any = cls
    for part in path:
        origin = typing.get_origin(hint)
        if origin in (types.UnionType, typing.Union):
            hint = next(each for each in typing.get_args(hint) if each is not type(None))
            origin = typing.get_origin(hint)
        if isinstance(hint, type) and issubclass(hint, Record):
            hint = json_names(typing.cast(Any, hint)).get(str(part), ("", None))[1]
        elif origin in (tuple, Map):
            hint = typing.get_args(hint)[0]
        else:
            return ()
    if typing.get_origin(hint) in (types.UnionType, typing.Union):
        hint = next(each for each in typing.get_args(hint) if each is not type(None))
    if not (isinstance(hint, type) and issubclass(hint, Record)):
        return ()
    extra = ("apiVersion", "kind") if not path else ()
    return (*json_names(typing.cast(Any, hint)), *getattr(hint, "ignored", {}), *extra)


class _Refused(Exception):
    """Admission forbids the object; the text says why."""


def admitted(items: Sequence[Item], problems: list[Problem]) -> None:
    """Give every object its defaults and what admission adds; note what validation has against it.

    Objects that come from a cluster have been through admission there.
    """
    classes = tuple(item.obj for item in items if isinstance(item.obj, PriorityClass))
    _check_default_class(items, problems)
    for item in items:
        obj: Any = default(item.obj)
        if isinstance(obj, Pod) and not item.is_from_cluster:
            try:
                obj = admit(obj, None, classes, _Refused)
            except _Refused as refused:
                path = ("spec", "priorityClassName" if obj.spec.priority_class_name else "priority")
                problems.append(item.document.problem(path, str(refused)))
        _check_class(item, obj, {each.metadata.name for each in classes}, problems)
        item.obj = obj = _as_created(obj, item.is_from_cluster)
        for error in validate(obj):
            problems.append(item.document.problem(path_of(error.field), text_of(error)))


def _check_default_class(items: Sequence[Item], problems: list[Problem]) -> None:
    first: Item | None = None
    for item in items:
        if isinstance(item.obj, PriorityClass) and item.obj.global_default:
            if first is not None:
                text = f"{first.meta.name} is the default already; expected one at most"
                problems.append(item.document.problem(("globalDefault",), text))
            first = first or item


def _check_class(item: Item, obj: Any, classes: Collection[str], problems: list[Problem]) -> None:
    """A template's pods need a priority class that exists, or none is ever created."""
    template = getattr(getattr(obj, "spec", None), "template", None)
    name = template.spec.priority_class_name if template is not None else ""
    if name and name not in classes and name not in SYSTEM_PRIORITIES:
        path = ("spec", "template", "spec", "priorityClassName")
        text = f"there is no PriorityClass {found(name)}; add it to the input, or name one of "
        known = ", ".join(sorted({*classes, *SYSTEM_PRIORITIES}))
        problems.append(item.document.problem(path, text + known))


def _as_created(obj: Any, is_from_cluster: bool) -> Any:
    """The object with what the API server says of a new one, where it doesn't say it itself."""
    resource = RESOURCES[type(obj).__name__]
    metadata = replace(obj.metadata, resource_version=0)
    if resource.generation and not metadata.generation:
        metadata = replace(metadata, generation=1)
    if metadata.creation_timestamp is None:
        metadata = replace(metadata, creation_timestamp=Age(0))
    obj = replace(obj, metadata=metadata)
    if isinstance(obj, Pod):
        status: PodStatus = obj.status
        status = replace(status, phase=status.phase or "Pending", qos_class=status.qos_class or qos_class(obj))
        obj = replace(obj, status=status)
    if isinstance(obj, Namespace) and not is_from_cluster:
        # Without it the namespace would be gone as soon as it is deleted, and what is in it would stay.
        finalizers = tuple(dict.fromkeys((*obj.spec.finalizers, FINALIZER)))
        obj = replace(obj, spec=replace(obj.spec, finalizers=finalizers))
    return obj


def path_of(text: str) -> Path_:
    """A path in Kubernetes' notation, taken apart."""
    return tuple(int(inner) if inner.isdecimal() else inner or name for inner, name in _STEP.findall(text))


def text_of(error: FieldError) -> str:
    """What validation has against a field, without the field."""
    whole = str(error).removeprefix(f"{error.field}: ")
    if len(error.bad_value) > 100:
        whole = f"{error.type}: {shortened(error.bad_value)}: {error.detail}"
    return shortened(whole, 400)
