"""Cases of the taint eviction controller and of the taints that follow from a node's conditions."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from kythera.model.api.core.node import Node
from kythera.model.api.core.pod import Pod
from kythera.model.api.decode import Context, decode
from kythera.model.control_plane.controllers.node_lifecycle.health import condition_taints
from kythera.model.control_plane.controllers.node_lifecycle.taint_eviction import no_execute_taints, seconds_tolerated

Case = dict[str, Any]


def _deleted_at_once(case: Case) -> str | None:
    """Whether a pod goes as soon as the controller sees it."""
    given = case["input"]
    now = given.get("now")
    context = Context(now=datetime.fromisoformat(now)) if now else Context()
    pod = decode(Pod, given["pod"], context)
    nodes = [decode(Node, each, context) for each in given.get("nodes") or ()]
    taints = [t for node in nodes if node.metadata.name == pod.spec.node_name for t in no_execute_taints(node)]
    got = bool(taints) and seconds_tolerated(taints, pod.spec.tolerations) == 0
    expected = case["expected"]["deleted_at_once"]
    return None if got == expected else f"expected {expected}, got {got}"


def _taints_from_conditions(case: Case) -> str | None:
    """The NoSchedule taints of a node with these conditions."""
    node = decode(Node, case["input"]["node"], Context())
    got = {(taint.key, taint.value, taint.effect) for taint in condition_taints(node)}
    expected = {(taint["key"], taint.get("value", ""), taint["effect"]) for taint in case["expected"]["taints"]}
    return None if got == expected else f"expected {sorted(expected)}, got {sorted(got)}"


ADAPTERS: dict[str, Callable[[Case], str | None]] = {
    "taint-eviction/delete-at-once": _deleted_at_once,
    "node/no-schedule-taints-from-conditions": _taints_from_conditions,
}
