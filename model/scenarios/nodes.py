"""Nodes that no manifest describes: those of a Scenario, and three equal ones where there are none at all.

Source: https://kubernetes.io/docs/reference/labels-annotations-taints/ for the labels that every kubelet sets.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kythera.model.api.apps import Deployment, ReplicaSet
from kythera.model.api.autoscaling import HorizontalPodAutoscaler
from kythera.model.api.core.node import Node
from kythera.model.api.core.pod import Pod, PodSpec
from kythera.model.api.int_or_string import scaled_value
from kythera.model.api.meta import Condition
from kythera.model.api.pods import condition, controller_of, is_terminal
from kythera.model.api.quantity import Quantity, add, canonical, multiply, quantity
from kythera.model.api.requests import pod_requests
from kythera.model.control_plane.apiserver.defaulting import default
from kythera.model.normalise import HOSTNAME
from kythera.model.record import Map, replace
from kythera.model.scenarios.fields import Part
from kythera.model.scenarios.objects import Item
from kythera.model.scenarios.scenario import Event
from kythera.model.scenarios.source import Document, Path_

USUAL = {"cpu": "4", "memory": "8Gi", "pods": "110"}
SMALLEST = {"cpu": "1", "memory": "1Gi"}
MOST_PODS = 110
ASSUMED = 3
PREFIX = "n"
LABELS = {"kubernetes.io/arch": "amd64", "kubernetes.io/os": "linux"}
ZONE, REGION = "topology.kubernetes.io/zone", "topology.kubernetes.io/region"
OLD_ZONE, OLD_REGION = "failure-domain.beta.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/region"
TOPOLOGY = (ZONE, REGION, OLD_ZONE, OLD_REGION)
MOST_NODES = 5000
PLACES: Mapping[Path_, Path_] = {
    ("metadata", "name"): ("namePrefix",), ("metadata", "labels"): ("labels",), ("spec", "taints"): ("taints",),
    ("status", "capacity"): ("capacity",), ("status", "allocatable"): ("capacity",),
}  # fmt: skip
"""Which fields of a node are written in which fields of an entry of ``spec.nodes``."""


def scenario_nodes(part: Part, assumptions: list[str]) -> list[Document]:
    """The documents of the nodes of one entry of ``spec.nodes``; their lines are those of the entry."""
    part.only("count", "namePrefix", "labels", "capacity", "taints")
    count = part.whole("count", 1, least=1, most=MOST_NODES)
    prefix = part.text("namePrefix", PREFIX)
    labels = part.labels("labels")
    capacity = part.part("capacity").data
    if "capacity" in part.data and not capacity:
        part.expected("capacity", "resources, such as {cpu: 4, memory: 8Gi, pods: 110}")
    missing = {name: amount for name, amount in USUAL.items() if name not in capacity}
    if missing:
        which = f"node {prefix}1 was" if count == 1 else f"nodes {prefix}1 to {prefix}{count} were"
        assumptions.append(f"{which} given {_listed(missing)}")
    taints = [taint.data for taint in part.parts("taints")]
    lines = _lines(part)
    written = {of_node: (*part.path, *of_entry) for of_node, of_entry in PLACES.items()}
    return [
        Document(part.document.file, node_data(f"{prefix}{n}", labels, {**missing, **capacity}, taints), lines, written)
        for n in range(1, count + 1)
    ]


def _lines(part: Part) -> dict[Path_, int]:
    """Where the fields of an entry stand, by the fields of the nodes that are made from it."""
    size = len(part.path)
    lines: dict[Path_, int] = {(): part.document.line(part.path)}
    for place, line in part.document.lines.items():
        if place[:size] != part.path:
            continue
        for of_node, of_entry in PLACES.items():
            below = place[size:]
            if below[: len(of_entry)] == of_entry:
                lines[*of_node, *below[len(of_entry) :]] = line
    return lines


def node_data(
    name: str, labels: Mapping[str, str], capacity: Mapping[str, Any], taints: Sequence[Any] = ()
) -> dict[str, Any]:
    """A node that is ready, as a manifest."""
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": {**LABELS, **labels, HOSTNAME: name}},
        "spec": {"taints": list(taints)},
        "status": {
            "capacity": dict(capacity),
            "conditions": [{"type": "Ready", "status": "True", "reason": "KubeletReady"}],
        },
    }


def completed(items: Iterable[Item], assumptions: list[str]) -> None:
    """Give nodes of manifests what their kubelets would tell: capacity, readiness, the hostname label."""
    for item in items:
        node = item.obj
        if not isinstance(node, Node):
            continue
        name, said = node.metadata.name, []
        if not node.status.capacity and not node.status.allocatable:
            capacity = Map({resource: quantity(amount) for resource, amount in USUAL.items()})
            node = replace(node, status=replace(node.status, capacity=capacity))
            said.append(f"to have {_listed(USUAL)}")
        elif not node.status.capacity:
            node = replace(node, status=replace(node.status, capacity=node.status.allocatable))
        if condition(node.status.conditions, "Ready") is None:
            ready = Condition("Ready", "True", "KubeletReady")
            node = replace(node, status=replace(node.status, conditions=(*node.status.conditions, ready)))
            said.append("to be ready")
        if HOSTNAME not in node.metadata.labels and name:
            labels = node.metadata.labels.set(HOSTNAME, name)
            node = replace(node, metadata=replace(node.metadata, labels=labels))
            said.append(f"to have the label {HOSTNAME}")
        if said:
            assumptions.append(f"node {name} was assumed {' and '.join(said)}")
        item.obj = node


@dataclass(slots=True)
class Group:
    """Pods of one template: how many there can be at once, and what each requests."""

    count: int
    pod: Pod
    bound: bool = False


def assumed_nodes(
    items: Sequence[Item], later: Sequence[Item], events: Sequence[Event], assumptions: list[str]
) -> list[Document]:
    """Three equal nodes of which any two have room for all pods that can exist at once.

    ``later`` are the objects that events apply.  Pods that are bound already have their nodes' names.
    """
    groups = list(_groups(items, later, events))
    bound = sorted({g.pod.spec.node_name for g in groups if g.pod.spec.node_name})
    names = [*bound, *_fresh(ASSUMED - len(bound), bound)]
    half: dict[str, Quantity] = {}
    pods = 0
    for group in groups:
        share = group.count if group.pod.spec.node_name else -(-group.count // 2)
        pods += share
        for resource, amount in pod_requests(group.pod).items():
            half[resource] = add(half.get(resource, Quantity(0, amount.format)), multiply(amount, share))
    capacity = {name: canonical(amount) for name, amount in half.items() if amount.nano > 0}
    capacity = {
        **{k: v for k, v in SMALLEST.items() if k not in capacity},
        **capacity,
        "pods": str(max(pods, MOST_PODS)),
    }
    specs = [group.pod.spec for group in groups]
    labels, left_out = _selected_labels(specs)
    topology = [key for key in TOPOLOGY if key in set(_topology_keys(specs)) and key not in labels]
    text = f"{_count(len(names))} equal nodes of {_listed(capacity)} were assumed"
    if not bound:
        text += ": any two of them have room for all pods at once"
    if topology:
        text += f"; each is in a {' and '.join(key.rpartition('/')[2] for key in topology)} of its own"
    if labels:
        text += f"; each has the labels {', '.join(f'{k}={v}' for k, v in sorted(labels.items()))}"
    if left_out:
        text += f"; none has a label {', '.join(sorted(left_out))}, of which pods want different values"
    assumptions.append(text)
    return [
        Document(
            "", node_data(name, {**labels, **{key: f"{key.rpartition('/')[2]}-{n}" for key in topology}}, capacity)
        )
        for n, name in enumerate(names, 1)
    ]


def _fresh(count: int, taken: Sequence[str]) -> list[str]:
    free = (f"{PREFIX}{n}" for n in range(1, count + len(taken) + 1) if f"{PREFIX}{n}" not in taken)
    return [name for name, _ in zip(free, range(count), strict=False)]


def _count(number: int) -> str:
    return {3: "three", 4: "four", 5: "five"}.get(number, str(number))


def _listed(capacity: Mapping[str, Any]) -> str:
    first = [name for name in ("cpu", "memory") if name in capacity]
    others = sorted(name for name in capacity if name not in first)
    return ", ".join(f"{capacity[name]} {name}" for name in (*first, *others))


def _groups(items: Sequence[Item], later: Sequence[Item], events: Sequence[Event]) -> Iterator[Group]:
    """What pods there can be: of each template the most replicas that anybody asks for, and the surge."""
    everything = [*items, *later]
    owned = {item.key for item in items if isinstance(item.obj, ReplicaSet) and controller_of(item.obj)}
    owners = {item.meta.uid for item in items if isinstance(item.obj, ReplicaSet)} - {None}
    most: dict[tuple[str, str, str], tuple[int, Pod]] = {}
    for item in everything:
        obj: Any = default(item.obj)
        if isinstance(obj, Pod):
            owner = controller_of(obj)
            if not is_terminal(obj) and (owner is None or owner.uid not in owners):
                yield Group(1, obj)
        elif isinstance(obj, (Deployment, ReplicaSet)) and item.key not in owned:
            count = max(obj.spec.replicas or 0, _asked(item.key, everything, events))
            count += _surge(obj, count)
            pod = default(Pod(obj.metadata, obj.spec.template.spec))
            before = most.get(item.key)
            if before is not None and any(_exceeds(before[1], pod, name) for name in pod_requests(before[1])):
                yield Group(count, pod)  # both versions may exist side by side
            elif before is None or count >= before[0]:
                most[item.key] = (count, pod)
    for count, pod in most.values():
        yield Group(count, pod)


def _exceeds(a: Pod, b: Pod, resource: str) -> bool:
    there = pod_requests(b).get(resource)
    return there is None or pod_requests(a)[resource].nano > there.nano


def _asked(key: tuple[str, str, str], items: Iterable[Item], events: Iterable[Event]) -> int:
    """The most replicas that an autoscaler may set or a user sets."""
    kind, namespace, name = key
    asked = [event.replicas for event in events if (event.target, event.namespace) == (f"{kind}/{name}", namespace)]
    for item in items:
        hpa = item.obj
        if isinstance(hpa, HorizontalPodAutoscaler) and hpa.metadata.namespace == namespace:
            target = hpa.spec.scale_target_ref
            if (target.kind, target.name) == (kind, name):
                asked.append(hpa.spec.max_replicas)
    return max(asked, default=0)


def _surge(obj: Deployment | ReplicaSet, count: int) -> int:
    if not isinstance(obj, Deployment) or obj.spec.strategy.type == "Recreate":
        return 0
    rolling = obj.spec.strategy.rolling_update
    surge = "25%" if rolling is None or rolling.max_surge is None else rolling.max_surge
    try:
        return max(scaled_value(surge, count, True), 0)
    except ValueError:
        return 0


def _selected_labels(specs: Iterable[PodSpec]) -> tuple[dict[str, str], set[str]]:
    """Labels that node selectors ask for: those that all agree on, and the keys of the others."""
    values: dict[str, set[str]] = {}
    for spec in specs:
        for key, value in spec.node_selector.items():
            values.setdefault(key, set()).add(value)
    chosen = {k: next(iter(v)) for k, v in values.items() if len(v) == 1 and k != HOSTNAME}
    chosen = {k: v for k, v in chosen.items() if LABELS.get(k) != v}
    return chosen, {k for k, v in values.items() if len(v) > 1}


def _topology_keys(specs: Iterable[PodSpec]) -> Iterator[str]:
    """The keys by which pods are to be kept together or apart, or nodes are chosen."""
    for spec in specs:
        yield from (each.topology_key for each in spec.topology_spread_constraints)
        affinity = spec.affinity
        if affinity is None:
            continue
        for pods in (affinity.pod_affinity, affinity.pod_anti_affinity):
            if pods is not None:
                yield from (t.topology_key for t in pods.required_during_scheduling_ignored_during_execution)
                for weighted in pods.preferred_during_scheduling_ignored_during_execution:
                    yield weighted.pod_affinity_term.topology_key
