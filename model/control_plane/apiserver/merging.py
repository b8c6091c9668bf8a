"""Merging JSON: RFC 7386, Kubernetes' strategic merge, and kubectl's three-way apply, on plain data.

Source: https://www.rfc-editor.org/rfc/rfc7386;
staging/src/k8s.io/apimachinery/pkg/util/strategicpatch/patch.go; the ``patchStrategy`` and ``patchMergeKey``
marks of the API types.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

MERGE_KEYS = {
    "containers": "name",
    "initContainers": "name",
    "ephemeralContainers": "name",
    "env": "name",
    "volumes": "name",
    "volumeMounts": "mountPath",
    "volumeDevices": "devicePath",
    "conditions": "type",
    "topologySpreadConstraints": "topologyKey",
    "schedulingGates": "name",
    "resourceClaims": "name",
    "hostAliases": "ip",
    "imagePullSecrets": "name",
    "ownerReferences": "uid",
    "podIPs": "ip",
    "hostIPs": "ip",
}
"""Lists of mappings that merge element by element, and the field that tells their elements apart."""

SETS = frozenset({"finalizers"})
"""Lists of texts that merge as sets."""

RETAIN_KEYS = frozenset({"strategy", "volumes"})
"""Mappings (or elements of lists) of which only one member may be set."""


class BadPatch(ValueError):
    """A patch that contradicts itself or asks for something that there is not."""


PATCH, RETAIN = "$patch", "$retainKeys"
SET_ORDER, DELETE_FROM = "$setElementOrder/", "$deleteFromPrimitiveList/"


def json_merge(target: Any, patch: Any) -> Any:
    """``target`` with ``patch`` merged in: mappings key by key, null removes, everything else replaces.

    Source: https://www.rfc-editor.org/rfc/rfc7386#section-2.
    """
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = json_merge(merged.get(key), value)
    return merged


def merge_key(field: str, *lists: Iterable[Any]) -> str | None:
    """The key that tells the elements of the list ``field`` apart, ``None`` if it is replaced whole."""
    if field == "ports":  # of a container or of a Service; those of an EndpointSlice are replaced
        elements = [element for each in lists for element in each if isinstance(element, dict)]
        if any("containerPort" in element for element in elements):
            return "containerPort"
        return "port" if elements and all("port" in element for element in elements) else None
    return MERGE_KEYS.get(field)


def strategic_merge(target: Any, patch: Any) -> Any:
    """``target`` with ``patch`` merged in: lists that have a merge key are merged element by element.

    Understands the directives ``$patch`` (replace, delete), ``$retainKeys``, ``$setElementOrder`` and
    ``$deleteFromPrimitiveList``.  An element that the list hasn't yet comes before those that the patch
    doesn't name.  Raises ``BadPatch``.
    Source: staging/src/k8s.io/apimachinery/pkg/util/strategicpatch/patch.go mergeMap.
    """
    if not isinstance(patch, dict):
        return patch
    directive = patch.get(PATCH)
    if directive not in (None, "replace", "delete"):
        raise BadPatch(f"unknown patch type: {directive} in map")
    if directive == "replace":
        return without_nulls({key: value for key, value in patch.items() if key != PATCH})
    if directive == "delete":
        return {}
    merged = dict(target) if isinstance(target, dict) else {}
    if isinstance(patch.get(RETAIN), list):
        if any(key not in patch[RETAIN] for key in patch if not key.startswith("$")):
            raise BadPatch("retainKeys list must contain all fields present in the patch")
        merged = {key: value for key, value in merged.items() if key in patch[RETAIN]}
    for key, value in patch.items():
        if key in (RETAIN, PATCH):
            continue
        if key.startswith(DELETE_FROM):
            field = key.removeprefix(DELETE_FROM)
            if not isinstance(value, list):
                raise BadPatch(f"{key} must be a list")
            if isinstance(merged.get(field), list):
                merged[field] = [each for each in merged[field] if each not in value]
        elif key.startswith(SET_ORDER):
            field = key.removeprefix(SET_ORDER)
            if not isinstance(value, list):
                raise BadPatch(f"{key} must be a list")
            if field not in patch and isinstance(merged.get(field), list):
                merged[field] = _merge_lists(field, merged[field], [], value)
        elif value is None:
            merged.pop(key, None)
        elif isinstance(value, list):
            live = merged.get(key)
            merged[key] = _merge_lists(key, live if isinstance(live, list) else [], value, patch.get(SET_ORDER + key))
        else:
            merged[key] = strategic_merge(merged.get(key), value)
    return merged


def without_nulls(data: Any) -> Any:
    """The data without the keys that hold null."""
    if isinstance(data, dict):
        return {key: without_nulls(value) for key, value in data.items() if value is not None}
    if isinstance(data, list):
        return [without_nulls(value) for value in data]
    return data


def _merge_lists(field: str, live: list[Any], patch: list[Any], order: list[Any] | None) -> list[Any]:
    if field in SETS and all(isinstance(each, str) for each in (*live, *patch)):
        if order is not None and any(each not in order for each in patch):
            raise BadPatch(f"the elements of list {field} are not all in {SET_ORDER}{field}")
        merged = list(dict.fromkeys([*live, *patch]))
        return _ordered(merged, live, order if order is not None else patch, None)
    key = merge_key(field, live, patch)
    if key is None or not all(isinstance(each, dict) for each in (*live, *patch)):
        return [without_nulls(each) for each in patch]
    _check(field, patch, key, order)
    if any(each.get(PATCH) == "replace" for each in patch):
        return [without_nulls(each) for each in patch if PATCH not in each]
    gone = [each.get(key) for each in patch if each.get(PATCH) == "delete"]
    changes = [each for each in patch if PATCH not in each]
    merged = [each for each in live if each.get(key) not in gone]
    for change in changes:
        for at, each in enumerate(merged):
            if each.get(key) == change.get(key):
                merged[at] = strategic_merge(each, change)
                break
        else:
            merged.append(strategic_merge({}, change))
    return _ordered(merged, live, order if order is not None else changes, key)


def _check(field: str, patch: list[Any], key: str, order: list[Any] | None) -> None:
    """Every element says which one it is, and the order that a patch asks for speaks of all of its elements."""
    known = None if order is None else [each.get(key) if isinstance(each, dict) else each for each in order]
    for each in patch:
        directive = each.get(PATCH)
        if directive not in (None, "replace", "delete"):
            raise BadPatch(f"unknown patch type: {directive} in list {field}")
        if key not in each and directive != "replace":
            raise BadPatch(f"an element of list {field} does not contain declared merge key: {key}")
        if known is not None and directive is None and each[key] not in known:
            raise BadPatch(f"the elements of list {field} are not all in {SET_ORDER}{field}")


def _ordered(merged: list[Any], live: list[Any], order: list[Any], key: str | None) -> list[Any]:
    """The elements in the order of the patch, those that only the live list has kept in their places.

    Source: staging/src/k8s.io/apimachinery/pkg/util/strategicpatch/patch.go normalizeElementOrder.
    """

    def name(element: Any) -> Any:
        return element.get(key) if key is not None and isinstance(element, dict) else element

    places = [name(each) for each in live]
    wanted = [name(each) for each in order]
    named = sorted((e for e in merged if name(e) in wanted), key=lambda e: wanted.index(name(e)))
    others = sorted((e for e in merged if name(e) not in wanted), key=lambda e: places.index(name(e)))
    result: list[Any] = []
    while named and others:
        first, second = name(others[0]), name(named[0])
        kept = first in places and second in places and places.index(first) < places.index(second)
        result.append((others if kept else named).pop(0))
    return result + others + named


def three_way(last: Any, new: Any, live: Any, field: str = "") -> Any:
    """``live`` as ``new`` wants it: what ``last`` had and ``new`` hasn't goes, what only ``live`` has stays.

    Source: staging/src/k8s.io/apimachinery/pkg/util/strategicpatch/patch.go CreateThreeWayMergePatch;
    https://kubernetes.io/docs/tasks/manage-kubernetes-objects/declarative-config/#merge-patch-calculation.
    """
    if isinstance(new, dict) and isinstance(live, dict):
        return _three_way_mapping(last if isinstance(last, dict) else {}, new, live, field)
    if isinstance(new, list) and isinstance(live, list):
        return _three_way_list(last if isinstance(last, list) else [], new, live, field)
    return without_nulls(new)


def _three_way_mapping(last: dict[str, Any], new: dict[str, Any], live: dict[str, Any], field: str) -> dict[str, Any]:
    merged = dict(live)
    for key in last:
        if new.get(key) is None:
            merged.pop(key, None)
    for key, value in new.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = three_way(last.get(key), value, live.get(key), key)
    if field in RETAIN_KEYS and merged != live:
        merged = {key: value for key, value in merged.items() if key in new}
    return merged


def _three_way_list(last: list[Any], new: list[Any], live: list[Any], field: str) -> list[Any]:
    if field in SETS and all(isinstance(each, str) for each in (*new, *live)):
        kept = [each for each in live if each in new or each not in last]
        return _ordered(list(dict.fromkeys([*kept, *new])), live, new, None)
    key = merge_key(field, live, new)
    if key is None or not all(isinstance(each, dict) for each in (*last, *new, *live)):
        return [without_nulls(each) for each in new]
    old, there, wanted = _named(last, key), _named(live, key), _named(new, key)
    merged = [each for name, each in there.items() if name not in wanted and name not in old]
    merged += [three_way(old.get(name), each, there.get(name), field) for name, each in wanted.items()]
    return _ordered(merged, live, new, key)


def _named(elements: list[Any], key: str) -> dict[tuple[str, int], Any]:
    """Elements by their merge key, and by their place among those that have the same one.

    Ports of one number and two protocols have the same; kubectl finds no difference where nothing was changed.
    """
    found: dict[tuple[str, int], Any] = {}
    for each in elements:
        name, place = repr(each.get(key)), 0
        while (name, place) in found:
            place += 1
        found[name, place] = each
    return found
