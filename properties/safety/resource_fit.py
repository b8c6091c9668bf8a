"""resource-fit: what a kubelet has admitted fits its node."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kythera.model.api.core.node import Node
from kythera.model.api.core.pod import Pod
from kythera.model.api.pods import is_terminal
from kythera.model.api.requests import pod_requests
from kythera.model.feed import Objects
from kythera.properties.property import AnyProperty, Invariant
from kythera.properties.reading import makes_pods
from kythera.properties.statement import Question, Statement, among

ENDED = ("Succeeded", "Failed")


def _bind(statement: Statement, question: Question) -> Sequence[AnyProperty]:
    if not makes_pods(question) or any(
        '"Node"' in text for each in question.scenario.events for text in each.manifests
    ):
        return []
    return [
        Invariant(
            **statement.words(),
            slots=(f"local/kubelet/{node}", "objects/Pod", "objects/Node"),
            broken=lambda state, pods, nodes, node=node: broken(node, state, pods, nodes),
            applies=lambda state, pods, nodes: bool(state.runtime.admitted),
        )
        for node in question.nodes
    ]


def broken(name: str, state: Any, pods: Objects, nodes: Objects) -> str | None:
    """Which resource of a node its kubelet has given out more of than there is."""
    node = next((each for each in among(nodes, Node) if each.metadata.name == name), None)
    if node is None:
        return None
    stored = {pod.metadata.uid: pod for pod in among(pods, Pod)}
    ended = {each.pod for each in state.kubelet.workers if each.reported is not None and each.reported.phase in ENDED}
    used: dict[str, int] = {}
    for uid in state.runtime.admitted:
        admitted = stored.get(uid)
        if admitted is not None and uid not in ended and not is_terminal(admitted):
            used["pods"] = used.get("pods", 0) + 10**9
            for resource, amount in pod_requests(admitted).items():
                used[resource] = used.get(resource, 0) + amount.nano
    for resource, nano in used.items():
        free = node.status.allocatable.get(resource)
        if free is not None and nano > free.nano:
            return f"the pods admitted on {name} request {nano / 10**9:g} {resource} of {free.nano / 10**9:g}"
    return None


RESOURCE_FIT = Statement(
    "resource-fit",
    "invariant",
    "The requests of the pods that a kubelet has admitted never exceed what its node can allocate.",
    "pkg/kubelet/lifecycle/predicate.go, admission by the kubelet",
    "the size of a node does not change",
    "kubelet.admission=off",
    _bind,
)
