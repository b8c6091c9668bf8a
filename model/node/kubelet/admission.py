"""Admission: a kubelet looks again whether a pod that is bound to its node may run there.

The scheduler decides from a view that may be behind, and a pod can be bound by anybody; the node has the last
word. A refused pod fails for good.

Source: pkg/kubelet/lifecycle/predicate.go, pkg/scheduler/eventhandlers.go AdmissionCheck.
Simplifies: no preemption for critical pods (HandleAdmissionFailure), no device or topology managers, no check
of the operating system, no static pods; extended resources that the node doesn't have are not asked for, as
there.
"""

from __future__ import annotations

from collections.abc import Iterable

from kythera.model.api.core.node import Node
from kythera.model.api.core.pod import Pod
from kythera.model.api.node_affinity import required_node_affinity_matches
from kythera.model.api.quantity import milli_value, value
from kythera.model.api.requests import is_sidecar, pod_requests
from kythera.model.api.taints import find_untolerated
from kythera.model.record import Record, record

ANY_ADDRESS = "0.0.0.0"


@record
class Refusal(Record):
    """Why a pod may not run here: what becomes ``status.reason`` and part of ``status.message``."""

    reason: str
    message: str


def refusal(pod: Pod, node: Node, others: tuple[Pod, ...], admitted_before: bool = False) -> Refusal | None:
    """Why ``node`` refuses a pod beside the ``others`` that it has admitted, or ``None``.

    A pod that this kubelet had admitted before it was restarted isn't turned out because labels or taints of
    the node have changed since (``admitted_before``).
    Source: predicateAdmitHandler.Admit, generalFilter.
    """
    return (
        _insufficient(pod, node, others)
        or (None if admitted_before else _affinity(pod, node))
        or _node_name(pod, node)
        or _ports(pod, others)
        or (None if admitted_before else _taints(pod, node))
    )


def _insufficient(pod: Pod, node: Node, others: tuple[Pod, ...]) -> Refusal | None:
    """The first resource of which too little is left: the number of pods, then cpu, memory, then the rest."""
    allocatable = node.status.allocatable
    room = value(allocatable["pods"]) if "pods" in allocatable else 0
    if len(others) + 1 > room:
        return _out_of("pods", 1, len(others), room)
    wanted = pod_requests(pod)
    first = ("cpu", "memory", "ephemeral-storage")
    for name in (*(n for n in first if n in wanted), *(n for n in wanted if n not in first)):
        if name not in allocatable and (name not in first and "/" in name):
            continue
        measure = milli_value if name == "cpu" else value
        asked = measure(wanted[name])
        used = sum(measure(r[name]) for r in map(pod_requests, others) if name in r)
        capacity = measure(allocatable[name]) if name in allocatable else 0
        if asked > 0 and asked > capacity - used:
            return _out_of(name, asked, used, capacity)
    return None


def _out_of(resource: str, requested: int, used: int, capacity: int) -> Refusal:
    numbers = f"requested: {requested}, used: {used}, capacity: {capacity}"
    return Refusal(f"OutOf{resource}", f"Node didn't have enough resource: {resource}, {numbers}")


def _predicate(name: str, text: str) -> Refusal:
    return Refusal(name, f"Predicate {name} failed: {text}")


def _affinity(pod: Pod, node: Node) -> Refusal | None:
    if required_node_affinity_matches(pod, node):
        return None
    return _predicate("NodeAffinity", "node(s) didn't match Pod's node affinity/selector")


def _node_name(pod: Pod, node: Node) -> Refusal | None:
    if pod.spec.node_name in (None, node.metadata.name):
        return None
    return _predicate("NodeName", "node(s) didn't match the requested node name")


def _ports(pod: Pod, others: Iterable[Pod]) -> Refusal | None:
    taken = [port for other in others for port in host_ports(other)]
    if any(_clash(a, b) for a in host_ports(pod) for b in taken):
        return _predicate("NodePorts", "node(s) didn't have free ports for the requested pod ports")
    return None


def host_ports(pod: Pod) -> tuple[tuple[str, str, int], ...]:
    """The ports of the node that a pod takes: (address, protocol, port); sidecars' count as well.

    Source: staging/src/k8s.io/kube-scheduler/framework/types.go, pkg/scheduler/util GetHostPorts.
    """
    sidecars = filter(is_sidecar, pod.spec.init_containers)
    return tuple(
        (port.host_ip or ANY_ADDRESS, port.protocol or "TCP", port.host_port)
        for each in (*sidecars, *pod.spec.containers)
        for port in each.ports
        if port.host_port > 0
    )


def _clash(a: tuple[str, str, int], b: tuple[str, str, int]) -> bool:
    return a[1:] == b[1:] and (a[0] == b[0] or ANY_ADDRESS in (a[0], b[0]))


def _taints(pod: Pod, node: Node) -> Refusal | None:
    if find_untolerated(node.spec.taints, pod.spec.tolerations, ("NoExecute",)) is None:
        return None
    return _predicate("TaintToleration", "node(s) had taints that the pod didn't tolerate")
