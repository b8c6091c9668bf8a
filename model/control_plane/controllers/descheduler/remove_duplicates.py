"""RemoveDuplicates: pods of one owner with the same images shall not crowd on one node while others could take them.

Source: sigs.k8s.io/descheduler pkg/framework/plugins/removeduplicates/removeduplicates.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from kythera.model.api.core.node import Node
from kythera.model.api.core.pod import Pod
from kythera.model.api.node_affinity import required_node_affinity_matches
from kythera.model.api.taints import find_untolerated
from kythera.model.control_plane.controllers.descheduler.situation import Situation

Owner = tuple[str, str, str, tuple[str, ...]]
"""Namespace, kind and name of an owner, and the images of the pods."""


def remove_duplicates(now: Situation) -> tuple[Pod, ...]:
    """On each node the pods above the number that an even spread over all suitable nodes would put there.

    Nothing is evicted where fewer than two nodes are suitable.
    Source: sigs.k8s.io/descheduler pkg/framework/plugins/removeduplicates/removeduplicates.go Balance.
    """
    count: dict[Owner, int] = {}
    duplicates: dict[Owner, dict[str, list[Pod]]] = {}
    for node in now.nodes:
        first_of_its_kind = set()
        for pod in filter(now.may_go, now.on(node)):
            owners = owners_of(pod)
            for owner in owners:
                count[owner] = count.get(owner, 0) + 1
            if not owners or owners not in first_of_its_kind:
                first_of_its_kind.add(owners)
                continue
            for owner in owners:
                duplicates.setdefault(owner, {}).setdefault(node.metadata.name, []).append(pod)
    chosen: dict[Pod, None] = {}
    for owner, by_node in duplicates.items():
        targets = target_nodes([pod for pods in by_node.values() for pod in pods], now.nodes)
        if len(targets) < 2:
            continue
        even = -(-count[owner] // len(targets))
        for pods in by_node.values():  # without the first one, which is no duplicate
            chosen.update(dict.fromkeys(pods[max(0, even - 1) :]))
    return tuple(chosen)


def owners_of(pod: Pod) -> tuple[Owner, ...]:
    """What a pod has in common with its duplicates."""
    images = tuple(sorted(container.image for container in pod.spec.containers))
    namespace = pod.metadata.namespace
    return tuple(sorted((namespace, each.kind, each.name, images) for each in pod.metadata.owner_references))


def target_nodes(pods: Iterable[Pod], nodes: Sequence[Node]) -> tuple[str, ...]:
    """The nodes that any of the pods could run on by taints and node affinity; a pod with one such node is no help.

    Source: sigs.k8s.io/descheduler pkg/framework/plugins/removeduplicates/removeduplicates.go getTargetNodes.
    """
    found: dict[str, None] = {}
    for pod in pods:
        suitable = [
            node.metadata.name
            for node in nodes
            if find_untolerated(node.spec.taints, pod.spec.tolerations) is None
            and required_node_affinity_matches(pod, node)
        ]
        if len(suitable) > 1:
            found.update(dict.fromkeys(suitable))
    return tuple(found)
