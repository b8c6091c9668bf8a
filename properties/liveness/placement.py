"""Placements: could some pods be put on the nodes at all, whatever the scheduler did?

A small exact search over the scheduler's own filters.  It is bounded: where it gives up, nothing is claimed.

Source: https://kubernetes.io/docs/concepts/scheduling-eviction/kube-scheduler/.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from kythera.model.api.apps import ReplicaSet
from kythera.model.api.core.cluster import Namespace
from kythera.model.api.core.node import Node
from kythera.model.api.core.pod import Pod, PodStatus
from kythera.model.api.core.service import Service
from kythera.model.api.pods import is_active
from kythera.model.control_plane.scheduler.filters import run_filters
from kythera.model.control_plane.scheduler.node_info import Snapshot, node_infos
from kythera.model.host import GONE
from kythera.model.record import NodeName, Record, Uid, record, replace
from kythera.properties.statement import Question, among

MOST_PLACEMENTS = 2_000
"""After so many partial placements the search gives up."""

OTHER_KINDS = ("Namespace", "Service", "ReplicaSet")

HARMLESS = frozenset({"", "ContainerCreating", "PodInitializing"})


@record
class Situation(Record):
    """The pods and nodes of a state, and what else the scheduler's filters read.

    ``gone``: the nodes that were lost for good.
    """

    pods: tuple[Pod, ...]
    nodes: tuple[Node, ...]
    gone: frozenset[str] = frozenset()
    namespaces: tuple[Namespace, ...] = ()
    services: tuple[Service, ...] = ()
    replica_sets: tuple[ReplicaSet, ...] = ()

    @property
    def living(self) -> tuple[Node, ...]:
        """The nodes that are there."""
        return tuple(node for node in self.nodes if node.metadata.name not in self.gone)

    def is_on_living(self, pod: Pod) -> bool:
        """Whether a pod is bound to a node that is there."""
        return any(node.metadata.name == pod.spec.node_name for node in self.living)

    def snapshot(self, pods: tuple[Pod, ...]) -> Snapshot:
        """What the scheduler would go by, with these pods."""
        return Snapshot(
            nodes=node_infos(self.living, pods),
            namespaces=self.namespaces,
            services=self.services,
            replica_sets=self.replica_sets,
        )


def slots(question: Question) -> tuple[str, ...]:
    """The slots that make a situation."""
    others = [f"objects/{kind}" for kind in OTHER_KINDS if question.has(f"objects/{kind}")]
    links = [f"link/node/{node}" for node in question.nodes if question.has(f"link/node/{node}")]
    return ("objects/Pod", "objects/Node", *others, *links)


def situation(names: Sequence[str], values: Sequence[Any]) -> Situation:
    """The situation that the values of these slots are."""
    state: Mapping[str, Any] = dict(zip(names, values, strict=True))
    lost = (
        name.removeprefix("link/node/")
        for name, link in state.items()
        if name.startswith("link/node/") and link == GONE
    )
    return Situation(
        tuple(among(state["objects/Pod"], Pod)),
        tuple(among(state["objects/Node"], Node)),
        frozenset(lost),
        state.get("objects/Namespace", ()),
        state.get("objects/Service", ()),
        state.get("objects/ReplicaSet", ()),
    )


@lru_cache(maxsize=10_000)
def fits_now(pod: Pod, now: Situation) -> str | None:
    """A node that the pod could be bound to as things are, or ``None``."""
    snapshot = now.snapshot(now.pods)
    return next((info.node.metadata.name for info in snapshot.nodes if run_filters(pod, info, snapshot).fits), None)


@lru_cache(maxsize=10_000)
def could_be_placed(pod: Pod, now: Situation) -> bool:
    """Whether some placement holds a waiting pod beside all pods that have a node.

    Pods on nodes that take no new ones stay where they are; all others could have been put anywhere.
    """
    free = {node.metadata.name for node in now.living if not node.spec.unschedulable}
    bound = [each for each in now.pods if is_active(each) and each.spec.node_name is not None]
    stay = tuple(each for each in bound if each.spec.node_name not in free)
    move = [replace(each, spec=replace(each.spec, node_name=None)) for each in bound if each.spec.node_name in free]
    return _search(now, stay, [pod, *move])


def _search(now: Situation, fixed: tuple[Pod, ...], pods: Sequence[Pod]) -> bool:
    """Whether all pods can be placed, one after the other in any order."""
    groups: dict[Pod, list[Pod]] = {}
    for pod in pods:
        meta = replace(pod.metadata, name="", uid=Uid(0))
        groups.setdefault(replace(pod, metadata=meta, status=PodStatus()), []).append(pod)
    members = list(groups.values())
    nodes = [node.metadata.name for node in now.living]
    start = tuple((0,) * len(nodes) for _ in members)
    stack, met = [start], {start}
    while stack:
        placed = stack.pop()
        if all(sum(row) == len(group) for row, group in zip(placed, members, strict=True)):
            return True
        if len(met) > MOST_PLACEMENTS:
            return False
        snapshot = now.snapshot((*fixed, *_put(members, placed, nodes)))
        for g, (row, group) in enumerate(zip(placed, members, strict=True)):
            if sum(row) == len(group):
                continue
            following = group[sum(row)]
            for n, info in enumerate(snapshot.nodes):
                if run_filters(following, info, snapshot).fits:
                    after = (*placed[:g], (*row[:n], row[n] + 1, *row[n + 1 :]), *placed[g + 1 :])
                    if after not in met:
                        met.add(after)
                        stack.append(after)
    return False


def _put(members: Sequence[Sequence[Pod]], placed: Sequence[Sequence[int]], nodes: Sequence[str]) -> list[Pod]:
    """The pods that are placed, on their nodes."""
    found = []
    for row, group in zip(placed, members, strict=True):
        left = iter(group)
        for node, count in zip(nodes, row, strict=True):
            for _ in range(count):
                pod = next(left)
                found.append(replace(pod, spec=replace(pod.spec, node_name=NodeName(node))))
    return found


def lacks_something(pod: Pod) -> bool:
    """Whether a container of the pod waits for what no placement gives it: an image, a key, a better program."""
    statuses = (*pod.status.init_container_statuses, *pod.status.container_statuses)
    waiting = (each.state.waiting for each in statuses)
    return any(each is not None and each.reason not in HARMLESS for each in waiting)
