"""at-most-one and pod-ip-uniqueness: what a node runs for its pods, and at which addresses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from kythera.model.api.core.pod import Pod
from kythera.model.feed import Objects
from kythera.properties.property import AnyProperty, Invariant
from kythera.properties.reading import by_uid, makes_pods, title
from kythera.properties.statement import Question, Statement, among


def _on_each_node(judge: Callable[[str, Any, Objects], str | None]) -> Callable[..., Sequence[AnyProperty]]:
    def bind(statement: Statement, question: Question) -> Sequence[AnyProperty]:
        if not makes_pods(question):
            return []
        return [
            Invariant(
                **statement.words(),
                slots=(f"local/kubelet/{node}", "objects/Pod"),
                broken=lambda state, pods, node=node: judge(node, state, pods),
                applies=lambda state, pods: bool(state.runtime.sandboxes),
            )
            for node in question.nodes
        ]

    return bind


def twice(node: str, state: Any, pods: Objects) -> str | None:
    """Which pod has more than one sandbox or set of containers on a node; of two pods with one name, both count."""
    stored = by_uid(among(pods, Pod))
    names: Counter[Any] = Counter()
    for sandbox in state.runtime.sandboxes:
        names[_identity(sandbox.pod, stored)] += 1
    for identity, count in names.items():
        if count > 1:
            return f"{count} sandboxes run on {node} for pod {_called(identity, stored)}"
    running = Counter(
        (_identity(each.pod, stored), each.name) for each in state.runtime.containers if each.state == "running"
    )
    for (identity, name), count in running.items():
        if count > 1:
            return f"{count} containers {name} run on {node} for pod {_called(identity, stored)}"
    return None


def _identity(uid: int, stored: dict[int | None, Any]) -> Any:
    """Namespace and name of a pod, or its uid where the name is generated or no longer known."""
    pod = stored.get(uid)
    return uid if pod is None or not pod.metadata.name else (pod.metadata.namespace, pod.metadata.name)


def _called(identity: Any, stored: dict[int | None, Any]) -> str:
    if isinstance(identity, tuple):
        return str(identity[1])
    return title(stored[identity]) if identity in stored else "that is no longer stored"


def one_address_twice(node: str, state: Any, pods: Objects) -> str | None:
    """Which two pods share an address of a node; pods in the network of the host have none of their own (0)."""
    stored = by_uid(among(pods, Pod))
    holders: dict[int, int] = {}
    for sandbox in state.runtime.sandboxes:
        if sandbox.ip and sandbox.ip in holders:
            first, second = (_called(uid, stored) for uid in (holders[sandbox.ip], sandbox.pod))
            return f"pods {first} and {second} on {node} both have its address number {sandbox.ip}"
        holders[sandbox.ip] = sandbox.pod
    return None


AT_MOST_ONE = Statement(
    "at-most-one",
    "invariant",
    "A node never runs two sets of containers for one pod.",
    "design-proposals-archive/storage/pod-safety.md; pkg/kubelet/pod_workers.go",
    "pods are not deleted with grace period 0 by users",
    "kubelet.sandbox=always_new",
    _on_each_node(twice),
)

POD_IP_UNIQUENESS = Statement(
    "pod-ip-uniqueness",
    "invariant",
    "Two pods that run at the same time never have the same address.",
    "https://kubernetes.io/docs/concepts/services-networking/#the-kubernetes-network-model",
    "pods with a network of their own (not hostNetwork)",
    "kubelet.address=counts_pods",
    _on_each_node(one_address_twice),
)
