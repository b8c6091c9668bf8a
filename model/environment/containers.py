"""Containers that end by themselves: a process crashes, or has done its work.

It owns: how many containers may still crash (``budget/containerCrash``; 0 switches it off).
It may: let a running container of a node exit with an error.

Source: https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#container-restarts.
"""

from __future__ import annotations

from kythera.model.node.kubelet.state import NodeState
from kythera.model.node.runtime.runtime import RUNNING, exited
from kythera.model.record import replace
from kythera.model.rule import FAULT, Process, Yields, outcome, rule


@rule("{process}: container {container} of a pod exits with an error", FAULT)
def crash(local: NodeState, budget: int) -> Yields:
    """A process in a container ends with exit code 1; what follows is up to the kubelet and the restart policy."""
    if budget == 0:
        return
    for each in local.runtime.containers:
        if each.state == RUNNING:
            runtime = exited(local.runtime, each.pod, each.name, 1)
            new = replace(local, runtime=runtime)
            yield outcome({"local": new, "budget": budget - 1}, pod=each.pod, container=each.name)


def process(node: str) -> Process:
    """The container crashes of one node."""
    return Process(
        f"containers/{node}", (crash,), {"local": f"local/kubelet/{node}", "budget": "budget/containerCrash"}
    )
