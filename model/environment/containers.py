"""Containers that end by themselves: a process has done its work, gives up, or crashes.

It owns: how many containers may still crash (``budget/containerCrash``; there is none without such faults).
It may: let a running container of a node exit.

    finish  a process has done its work and exits with code 0: an init container, or one of which a workload says
            how long it lasts (it cannot be put off for ever)
    leave   a process exits with one of the codes that its workload allows, at any time or never
    crash   a process exits with code 1 (a fault with a budget)

What follows is up to the kubelet and the restart policy.

Source: https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#container-restarts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from kythera.model.api.core.pod import PodSpec
from kythera.model.api.requests import is_sidecar
from kythera.model.node.kubelet.state import NodeState
from kythera.model.node.runtime.runtime import RUNNING, Behaviour, RuntimeContainer, RuntimeState, exited
from kythera.model.record import Record, replace, within
from kythera.model.rule import FAULT, WORKLOAD, Process, Rule, Wake, Yields, outcome, rule
from kythera.model.scenarios.scenario import Scenario, Workload

CODES: Mapping[str, tuple[int, ...]] = {"never": (), "success": (0,), "failure": (1,), "any": (0, 1)}
"""What a workload says of exits -> the exit codes with which its containers may end by themselves."""


@rule("{process}: container {what} of a pod has done its work")
def finish(local: NodeState) -> Yields:
    """A process in a container ends with exit code 0 when its time has come: an init container, or one that lasts so
    long.

    Source: https://kubernetes.io/docs/concepts/workloads/pods/init-containers/.
    Simplifies: an init container takes no time.
    """
    for each in _running(local):
        if each.ends_in is not None and each.ends_in >= 0:
            yield outcome({"local": _after(local, each, 0)}, pod=each.pod, what=each.name)
        elif each.ends_in is not None:
            yield Wake(-each.ends_in)


@rule("{process}: container {container} of a pod exits with code {code}", WORKLOAD)
def leave(local: NodeState) -> Yields:
    """A process in a container ends by itself, with one of the exit codes that its workload allows.

    Source: https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#container-restarts.
    Simplifies: of all exit codes, 0 and 1 stand for success and failure.
    """
    for each in _running(local):
        for code in each.may_exit:
            yield outcome({"local": _after(local, each, code)}, pod=each.pod, container=each.name, code=code)


@rule("{process}: container {container} of a pod exits with an error", FAULT)
def crash(local: NodeState, budget: int) -> Yields:
    """A process in a container ends with exit code 1; what follows is up to the kubelet and the restart policy.

    Simplifies: 1 stands for every code that is not 0; signals and the out-of-memory killer are not told apart.
    """
    if budget == 0:
        return
    for each in _running(local):
        new = _after(local, each, 1)
        yield outcome({"local": new, "budget": budget - 1}, pod=each.pod, container=each.name)


def _running(local: NodeState) -> Iterator[RuntimeContainer]:
    return (each for each in local.runtime.containers if each.state == RUNNING)


def _after(local: NodeState, found: RuntimeContainer, code: int) -> NodeState:
    return replace(local, runtime=exited(local.runtime, found.pod, found.name, code))


def with_workload(runtime: RuntimeState, workload: Sequence[Workload]) -> RuntimeState:
    """A node whose runtime is told how the processes behave that a workload speaks of.

    Simplifies: where containers end again and again, only whether one was ever restarted is told apart.
    """
    found = tuple(
        Behaviour(each.selector, each.startup, may_exit=CODES[each.exits], lasts=each.lasts)
        for each in workload
        if each.startup or each.ends
    )
    counted = min(runtime.restarts_counted, 1) if any(each.ends for each in workload) else runtime.restarts_counted
    return replace(runtime, behaviours=found, restarts_counted=counted)


def rules(objects: Sequence[Record], scenario: Scenario, crashes: bool) -> tuple[Rule, ...]:
    """The ways in which containers can end in a scenario."""
    ends = any(each.lasts is not None for each in scenario.workload) or _run_init_containers(objects, scenario)
    leaves = any(CODES[each.exits] for each in scenario.workload)
    return (*((finish,) if ends else ()), *((leave,) if leaves else ()), *((crash,) if crashes else ()))


def _run_init_containers(objects: Sequence[Record], scenario: Scenario) -> bool:
    """Whether some pod has, or may get, an init container that runs to its end."""
    later = (text for event in scenario.events for text in event.manifests)
    return any(_holds_one(obj) for obj in objects) or any('"initContainers"' in text for text in later)


def _holds_one(obj: Record) -> bool:
    specs = (part for part in within(obj) if isinstance(part, PodSpec))
    return any(not all(map(is_sidecar, spec.init_containers)) for spec in specs)


def process(node: str, ends: tuple[Rule, ...]) -> Process:
    """The containers of one node, which can end in these ways."""
    slots = {"local": f"local/kubelet/{node}"}
    return Process(f"containers/{node}", ends, {**slots, "budget": "budget/containerCrash"} if crash in ends else slots)
