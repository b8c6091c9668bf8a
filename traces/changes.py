"""What a step changed, object by object: the fields that a person would look at, the telling ones first.

Left out is what changes with every write (versions, times), what only repeats another field (``podIPs`` beside
``podIP``), and the wording of conditions, whose status and reason stay.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from kythera.model.api.encode import encode
from kythera.model.feed import Objects
from kythera.traces.addresses import with_addresses

UNTOLD = frozenset(
    (
        "apiVersion", "kind", "uid", "resourceVersion", "generation", "managedFields", "observedGeneration",
        "creationTimestamp", "lastTransitionTime", "lastUpdateTime", "lastProbeTime", "lastHeartbeatTime",
        "lastScaleTime", "startTime", "startedAt", "finishedAt", "timeAdded", "renewTime", "acquireTime",
        "fullyLabeledReplicas", "podIPs", "hostIP", "hostIPs", "qosClass",
        "deletionGracePeriodSeconds", "pod-template-hash", "collisionCount",
        "kubectl.kubernetes.io/last-applied-configuration", "deployment.kubernetes.io/revision",
        "deployment.kubernetes.io/desired-replicas", "deployment.kubernetes.io/max-replicas",
    )
)  # fmt: skip
"""Fields and annotations that no line is spent on."""

UNTOLD_CONDITIONS = frozenset(("PodReadyToStartContainers", "Initialized", "ContainersReady"))
"""Conditions of a pod that only lead up to ``Ready``."""

USUAL_CONDITIONS = frozenset(("PodScheduled", "Progressing", "AbleToScale", "ScalingActive", "ReplicaFailure"))
"""Conditions that are only worth telling when they are not as they should be, or have not been."""

TOLD_FIRST = ("spec.", "metadata.", "status.phase", "status.reason", "status.conditions", "status.containerStatuses")
KEYS = ("type", "name", "key", "uid", "ip")
LONGEST = 60
MOST_ITEMS = 3
CREATED, CHANGED, DELETING, GONE = "created", "changed", "is being deleted", "gone"


@dataclass(frozen=True, slots=True)
class Change:
    """A difference that a step made: to which object, what kind of change, and the fields as ``path: old -> new``."""

    object: str
    what: str
    fields: tuple[str, ...] = ()


def changes(
    before: Objects, after: Objects, name: Callable[[Any], str], number: Callable[[str], int] = lambda node: 0
) -> Iterator[Change]:
    """What became of the objects of a kind; ``name`` gives what an object is called, ``number`` that of a node."""

    def plain(obj: Any) -> dict[str, Any]:
        return with_addresses(encode(obj), number)

    old: dict[str, Any] = {name(obj): obj for obj in before}
    new: dict[str, Any] = {name(obj): obj for obj in after}
    for each in dict.fromkeys((*old, *new)):
        if each not in new:
            yield Change(each, GONE)
        elif each not in old:
            yield Change(each, CREATED, tuple(_created(plain(new[each]))))
        elif old[each] != new[each]:
            what = CHANGED
            if old[each].metadata.deletion_timestamp is None and new[each].metadata.deletion_timestamp is not None:
                what = DELETING
            fields = tuple(differences(plain(old[each]), plain(new[each])))
            if fields or what == DELETING:
                yield Change(each, what, fields)


def _created(data: dict[str, Any]) -> Iterator[str]:
    """What is worth telling of a new object: how many pods, and on which node."""
    spec = data.get("spec")
    for key in ("replicas", "nodeName", "minReplicas", "maxReplicas", "minAvailable", "maxUnavailable"):
        if isinstance(spec, dict) and key in spec:
            yield f"spec.{key}: {spec[key]}"


def differences(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """The fields that differ between two objects as plain data, as ``path: old -> new``, the telling ones first."""
    found = list(_differences(old, new, ""))
    return sorted(found, key=lambda text: next((i for i, p in enumerate(TOLD_FIRST) if text.startswith(p)), 99))


def _differences(old: Any, new: Any, path: str) -> Iterable[str]:
    leaf = re.split(r"[.\[](?=[^.\[]*$)", path)[-1].rstrip("]")
    if old == new or leaf in UNTOLD or path == "metadata.deletionTimestamp" or _is_number_of_version(path):
        return
    if ".conditions[" in path and path.endswith("]"):
        yield from _condition(old or {}, new or {}, path)
    elif re.search(r"ontainerStatuses\[[^]]*\]$", path):
        yield from _container(old or {}, new or {}, path)
    elif isinstance(old, dict | None) and isinstance(new, dict | None) and not _is_item(path, old, new):
        before, after = old or {}, new or {}
        for key in dict.fromkeys((*before, *after)):
            yield from _differences(before.get(key), after.get(key), _below(path, str(key)))
    elif isinstance(old, list | None) and isinstance(new, list | None) and _keyed(old or new or []) is not None:
        before, after = _keyed(old or []) or {}, _keyed(new or []) or {}
        for key in dict.fromkeys((*before, *after)):
            yield from _differences(before.get(key), after.get(key), f"{path}[{key}]")
    elif _short(old, new) != _short(new, old):
        yield f"{path}: {_short(old, new)} -> {_short(new, old)}"


def _is_number_of_version(path: str) -> bool:
    """Annotations and labels that only number the versions of an object."""
    return any(path.endswith(f".{each}") for each in UNTOLD if "/" in each)


def _is_item(path: str, old: Any, new: Any) -> bool:
    """Whether an item of a list came or went as a whole, of which its key says enough."""
    return path.endswith("]") and (old is None or new is None)


def _below(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def _condition(old: dict[str, Any], new: dict[str, Any], path: str) -> Iterator[str]:
    kind = path.rsplit("[", 1)[-1].rstrip("]")
    before, after = _status(old), _status(new)
    usual = kind in USUAL_CONDITIONS and before == "none" and after in ("True", "False")
    if kind not in UNTOLD_CONDITIONS and before != after and not usual:
        yield f"{path}: {before} -> {after}"


def _status(condition: dict[str, Any]) -> str:
    """``True``, or ``False (Unschedulable)``: a reason is worth telling where something is not as it should be."""
    status, reason = condition.get("status"), condition.get("reason")
    if status is None:
        return "none"
    return f"{status} ({reason})" if status != "True" and reason else str(status)


def _container(old: dict[str, Any], new: dict[str, Any], path: str) -> Iterator[str]:
    """What became of a container: its state, and how often it was started again."""
    before, after = _state(old.get("state")), _state(new.get("state"))
    if before != after:
        yield f"{path}: {before} -> {after}"
    if old.get("restartCount", 0) != new.get("restartCount", 0):
        yield f"{path}.restartCount: {old.get('restartCount', 0)} -> {new.get('restartCount', 0)}"


def _state(state: Any) -> str:
    """``running``, ``waiting (CrashLoopBackOff)``, ``terminated (exit code 1)``."""
    if not state:
        return "none"
    name, detail = next(iter(state.items()))
    if name == "terminated":
        return f"terminated (exit code {detail.get('exitCode', 0)})"
    reason = detail.get("reason") if isinstance(detail, dict) else None
    return f"{name} ({reason})" if reason else str(name)


def _keyed(items: list[Any]) -> dict[Any, Any] | None:
    """A list as a mapping by what tells its items apart; ``None`` if nothing does."""
    if items and all(isinstance(item, dict) and {"key", "effect"} <= item.keys() for item in items):
        return {f"{item['key']}:{item['effect']}": item for item in items}
    if items and all(isinstance(item, dict) and item.get("addresses") for item in items):
        return {item["addresses"][0]: item for item in items}
    for key in KEYS:
        if all(isinstance(item, dict) and key in item for item in items):
            found = {item[key]: item for item in items}
            return found if len(found) == len(items) else None
    return None


def _short(value: Any, other: Any = None) -> str:
    """A value in few words; ``other`` is what it is compared with, whose type tells what an absent one means."""
    if value is None:
        if isinstance(other, bool):
            return "false"
        return "0" if isinstance(other, int) else "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "there"
    if isinstance(value, list):
        shown = ", ".join(_short(each) for each in value[:MOST_ITEMS])
        more = f", and {len(value) - MOST_ITEMS} more" if len(value) > MOST_ITEMS else ""
        return f"[{shown}{more}]"
    text = str(value)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."
