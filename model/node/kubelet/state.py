"""What a kubelet remembers, and the node's state as a whole.

``KubeletState`` is the memory of one process and is lost when it dies; ``RuntimeState`` is what goes on
running, and the disk.
"""

from __future__ import annotations

from kythera.model.api.core.pod import PodStatus
from kythera.model.node.runtime.runtime import RUNNING, RuntimeState, containers_of
from kythera.model.record import Age, Record, Uid, record, replace

GRACE = "grace period"
BACK_OFF = "back-off"
DEADLINE = "deadline"
STARTUP = "startup probe"
READINESS = "readiness probe"
LIVENESS = "liveness probe"
PROBES = (STARTUP, READINESS, LIVENESS)


@record
class Worker(Record):
    """The pod worker of one pod that the kubelet has taken on, or refused (``refused_for`` is the reason
    then).

    ``reported`` is the status that it sent last; ``disputed`` that somebody's later writing says otherwise.
    """

    pod: Uid
    refused_for: str = ""
    refusal: str = ""
    reported: PodStatus | None = None
    disputed: bool = False
    deleted: bool = False


@record
class Timer(Record):
    """Something that the kubelet waits for; ``due`` is negative until it is time (``None``: not counting
    yet).

    ``seconds`` is the length of a back-off.  ``container`` is empty for what concerns the pod as a whole.
    """

    pod: Uid
    container: str
    what: str
    due: Age | None = None
    seconds: int = 0


@record
class KubeletState(Record):
    """The kubelet's memory: the pods it knows, and what it waits for, in the order of the pods' uids."""

    workers: tuple[Worker, ...] = ()
    timers: tuple[Timer, ...] = ()


@record
class NodeState(Record):
    """The kubelet's memory and the container runtime of one node."""

    kubelet: KubeletState = KubeletState()
    runtime: RuntimeState = RuntimeState()


def crashed(state: NodeState) -> NodeState:
    """The kubelet's process has died: its memory is lost, containers go on."""
    return replace(state, kubelet=KubeletState())


def node_lost(state: NodeState) -> NodeState:
    """The machine has lost power: kubelet, containers and checkpoint are gone, images are still there."""
    left = replace(state.runtime, sandboxes=(), containers=(), admitted=())
    return NodeState(KubeletState(), left)


def worker_of(state: NodeState, pod: Uid) -> Worker | None:
    """The kubelet's worker for a pod, if it has one."""
    for each in state.kubelet.workers:
        if each.pod == pod:
            return each
    return None


def with_worker(state: NodeState, new: Worker) -> NodeState:
    """The state with ``new`` in place of the worker of the same pod, or added."""
    if worker_of(state, new.pod) is None:
        workers = tuple(sorted((*state.kubelet.workers, new), key=lambda each: each.pod))
    else:
        workers = tuple(new if each.pod == new.pod else each for each in state.kubelet.workers)
    return replace(state, kubelet=replace(state.kubelet, workers=workers))


def timer_of(state: NodeState, pod: Uid, container: str, what: str) -> Timer | None:
    """The timer for that purpose, if it is set."""
    for each in state.kubelet.timers:
        if (each.pod, each.container, each.what) == (pod, container, what):
            return each
    return None


def with_timer(state: NodeState, new: Timer) -> NodeState:
    """The state with ``new`` in place of the timer for the same purpose, or added."""
    kept = without_timer(state, new.pod, new.container, new.what).kubelet
    timers = sorted((*kept.timers, new), key=lambda each: (each.pod, each.container, each.what))
    return replace(state, kubelet=replace(kept, timers=tuple(timers)))


def without_timer(state: NodeState, pod: Uid, container: str, what: str) -> NodeState:
    """The state without that timer (which need not be set)."""
    kept = tuple(
        each for each in state.kubelet.timers if (each.pod, each.container, each.what) != (pod, container, what)
    )
    return replace(state, kubelet=replace(state.kubelet, timers=kept))


def without_ended(state: NodeState, pod: Uid) -> NodeState:
    """The state in which nothing is asked any more of the pod's containers that do not run."""
    running = {each.name for each in containers_of(state.runtime, pod) if each.state == RUNNING}
    kept = tuple(
        each for each in state.kubelet.timers if each.pod != pod or each.what not in PROBES or each.container in running
    )
    return replace(state, kubelet=replace(state.kubelet, timers=kept)) if kept != state.kubelet.timers else state


def without_pod(kubelet: KubeletState, pod: Uid) -> KubeletState:
    """The memory without anything of a pod."""
    return KubeletState(
        tuple(each for each in kubelet.workers if each.pod != pod),
        tuple(each for each in kubelet.timers if each.pod != pod),
    )
