"""The pod worker: the next single thing that a kubelet does on its node for one pod.

In this order: admit it; if it is to end, stop its containers and give its sandbox back; else make a sandbox,
look at the probes, and start what is to be started.  Each is one ``Change``; reporting is the affair of
``kubelet.py``.

Source: pkg/kubelet/pod_workers.go, pkg/kubelet/kubelet.go (SyncPod, SyncTerminatingPod, HandlePodAdditions),
pkg/kubelet/kuberuntime/kuberuntime_manager.go (SyncPod, computePodActions), kuberuntime_container.go
(killContainer).
Simplifies: hooks after start do nothing; only ``sleep`` of a hook before stop has an effect; a container that
a probe kills gets no grace period; a restarted kubelet counts a pod's deadline anew unless it was reported.
"""

from __future__ import annotations

from typing import NamedTuple

from kythera.model.api.core.container import Container
from kythera.model.api.core.node import Node
from kythera.model.api.core.pod import Pod
from kythera.model.api.pods import is_terminal, is_terminating
from kythera.model.node.kubelet.admission import refusal
from kythera.model.node.kubelet.containers import (
    LONGEST_BACK_OFF,
    behaviour_of,
    is_finished,
    next_back_off,
    to_start,
    to_stop,
    uid_of,
)
from kythera.model.node.kubelet.needs import configuration_problem, image_problem, missing_volume, pulls
from kythera.model.node.kubelet.probes import probed
from kythera.model.node.kubelet.state import (
    BACK_OFF,
    DEADLINE,
    GRACE,
    NodeState,
    Timer,
    Worker,
    timer_of,
    with_timer,
    with_worker,
    without_ended,
    without_timer,
    worker_of,
)
from kythera.model.node.kubelet.status import ENDED
from kythera.model.node.runtime import runtime as cri
from kythera.model.node.runtime.runtime import EXITED, RUNNING, RuntimeContainer
from kythera.model.record import Age, replace
from kythera.model.view import View

DEFAULT_GRACE = 30
SHORTEST_GRACE_AFTER_HOOK = 2
KILLED = 137


class Settings(NamedTuple):
    """How finely, and whether with time, a kubelet's work is cut into steps.

    ``live``: what it sees of its pods is never behind, and so neither its own reports.
    """

    coarse: bool = True
    live: bool = False
    timed: bool = False
    longest_back_off: int = LONGEST_BACK_OFF
    admits_all: bool = False
    always_new_sandbox: bool = False
    counts_addresses: bool = False


class Change(NamedTuple):
    """One thing done: the new state, what was done (for traces), and why."""

    state: NodeState
    does: str
    why: str


def name_of(pod: Pod) -> str:
    """The pod's name for people."""
    return pod.metadata.name or f"{pod.metadata.generate_name}{pod.metadata.uid}"


def is_ending(state: NodeState, pod: Pod) -> bool:
    """Whether the pod's containers are to be stopped for good.

    Because it is deleted, was refused, has a final phase, or because there is nothing left to do in it.
    Source: pkg/kubelet/pod_workers.go UpdatePod.
    """
    worker = worker_of(state, uid_of(pod))
    refused = worker is not None and bool(worker.refused_for)
    if is_terminating(pod) or is_terminal(pod) or refused:
        return True
    return is_past_deadline(state, pod) or is_finished(pod, state.runtime)


def is_past_deadline(state: NodeState, pod: Pod) -> bool:
    """Whether the pod has been active on the node for longer than it may be.

    Source: pkg/kubelet/active_deadline.go ShouldEvict.
    """
    timer = timer_of(state, uid_of(pod), "", DEADLINE)
    return timer is not None and timer.due is not None and timer.due >= 0


def has_stopped(state: NodeState, pod: Pod) -> bool:
    """Whether nothing of the pod runs here, its sandbox included."""
    uid = uid_of(pod)
    running = any(each.state == RUNNING for each in cri.containers_of(state.runtime, uid))
    return not running and cri.sandbox(state.runtime, uid) is None


def next_change(state: NodeState, view: View, pod: Pod, node: Node | None, settings: Settings) -> Change | None:
    """The next thing to do for the pod, or ``None`` if all that is left is to wait (or to report).

    ``node`` is the kubelet's own node as it sees it; nothing is admitted before it sees one.
    """
    uid = uid_of(pod)
    if worker_of(state, uid) is None:
        if is_terminating(pod) or is_terminal(pod):
            if is_terminal(pod) and not is_terminating(pod) and has_stopped(state, pod):
                return None
            return Change(with_worker(state, Worker(uid)), "take on", "it is to end")
        return None if node is None else _admit(state, view, pod, node, settings)
    if is_ending(state, pod):
        return _end(state, pod, settings)
    if cri.sandbox(state.runtime, uid) is None:
        if missing_volume(pod, view):
            return None
        made = cri.sandbox_created(state.runtime, uid, pod.spec.host_network, settings.counts_addresses)
        return Change(replace(state, runtime=made), "create sandbox", "")
    return _probe(state, pod, settings) or _start(state, view, pod, settings)


def _admit(state: NodeState, view: View, pod: Pod, node: Node, settings: Settings) -> Change:
    """Let the pod in, beside those let in before, or refuse it for good.

    Pods in the checkpoint count although the kubelet has been restarted since and hasn't looked at them
    again: upstream it looks at the oldest first.
    """
    uid = uid_of(pod)
    known = set(state.runtime.admitted)
    others = tuple(
        each
        for each in view.list(Pod)
        if each.metadata.uid in known and each.metadata.uid != uid and not _has_ended(state, each)
    )
    no = None
    if not settings.admits_all:
        no = refusal(pod, node, others, admitted_before=uid in known and pod.status.start_time is not None)
    if no is not None:
        refused = Worker(uid, refused_for=no.reason, refusal=no.message)
        return Change(with_worker(state, refused), "refuse", no.message)
    if uid not in known:
        state = replace(state, runtime=cri.let_in(state.runtime, uid))
    if settings.always_new_sandbox and cri.sandbox(state.runtime, uid) is not None:
        state = replace(state, runtime=cri.sandbox_created(state.runtime, uid, pod.spec.host_network))
    if settings.timed and pod.spec.active_deadline_seconds is not None:
        left = max(pod.spec.active_deadline_seconds - (pod.status.start_time or 0), 0)
        state = with_timer(state, Timer(uid, "", DEADLINE, Age(-left)))
    return Change(with_worker(state, Worker(uid)), "admit", f"it fits beside {len(others)} other pods")


def _has_ended(state: NodeState, pod: Pod) -> bool:
    """Whether the kubelet saw or reported that a pod has ended, and so takes nothing of the node any more."""
    worker = worker_of(state, uid_of(pod))
    reported = worker.reported if worker is not None else None
    return is_terminal(pod) or (reported is not None and reported.phase in ENDED)


def _specs(pod: Pod) -> tuple[Container, ...]:
    return (*pod.spec.init_containers, *pod.spec.containers)


def _probe(state: NodeState, pod: Pod, settings: Settings) -> Change | None:
    """Conclude from what the running containers answer; kill one that fails its startup or liveness probe."""
    uid = uid_of(pod)
    for spec in _specs(pod):
        found = cri.container(state.runtime, uid, spec.name)
        if found is None or found.state != RUNNING:
            continue
        after, failure = probed(state, spec, found, settings.timed)
        if failure:
            return _exit(after, found, KILLED, f"kill container {spec.name}", failure)
        if after != state:
            return Change(after, f"probe container {spec.name}", "")
    return None


def _exit(state: NodeState, found: RuntimeContainer, exit_code: int, does: str, why: str) -> Change:
    """A running container has ended, and nothing waits for an answer of its any more."""
    ended = replace(state, runtime=cri.exited(state.runtime, found.pod, found.name, exit_code))
    return Change(without_ended(ended, found.pod), does, why)


def _start(state: NodeState, view: View, pod: Pod, settings: Settings) -> Change | None:
    """Start the first container that is due and lacks nothing; begin to wait for one that has failed too
    often.
    """
    uid = uid_of(pod)
    for spec in to_start(pod, state.runtime):
        found = cri.container(state.runtime, uid, spec.name)
        again = found is not None and found.state == EXITED
        timer = timer_of(state, uid, spec.name, BACK_OFF)
        if again and settings.timed and found is not None and timer is not None and not found.ran_steadily:
            if timer.due is None:
                waiting = with_timer(state, replace(timer, due=Age(-timer.seconds)))
                return Change(waiting, f"back off container {spec.name}", f"{timer.seconds} s until its restart")
            if timer.due < 0:
                continue
        if again and not exit_is_reported(state, pod, spec.name):
            continue
        if image_problem(spec, state.runtime) or configuration_problem(pod, spec, view):
            continue
        if again and settings.timed:
            fresh = timer is None or (found is not None and found.ran_steadily)
            seconds = next_back_off(0 if fresh or timer is None else timer.seconds, settings.longest_back_off)
            state = with_timer(state, Timer(uid, spec.name, BACK_OFF, None, seconds))
        runtime = state.runtime
        if pulls(spec, runtime):
            runtime = replace(runtime, images=tuple(sorted((*runtime.images, spec.image))))
        ports = tuple((port.container_port, port.protocol or "TCP") for port in spec.ports)
        runtime = cri.started(runtime, uid, spec.name, ports, behaviour_of(pod, spec, runtime))
        why = "it has ended and its restart policy says so" if again else ""
        after = replace(state, runtime=runtime)
        if after != state:  # one that fails at once, and has so often, is where it was
            return Change(after, f"start container {spec.name}", why)
    return None


def exit_is_reported(state: NodeState, pod: Pod, name: str) -> bool:
    """Whether the kubelet has reported that the container has ended: it does so before it starts it again."""
    worker = worker_of(state, uid_of(pod))
    if worker is None or worker.reported is None:
        return False
    both = (*worker.reported.init_container_statuses, *worker.reported.container_statuses)
    return any(
        each.state.terminated is not None or (each.state.waiting and each.last_state.terminated) is not None
        for each in both
        if each.name == name
    )


def _end(state: NodeState, pod: Pod, settings: Settings) -> Change | None:
    """Stop the next container, or when none runs any more give the sandbox back."""
    uid = uid_of(pod)
    for spec in to_stop(pod, state.runtime):
        found = cri.container(state.runtime, uid, spec.name)
        if found is not None:
            change = _stop(state, pod, spec, found, settings)
            if change is not None:
                return change
    if not to_stop(pod, state.runtime) and cri.sandbox(state.runtime, uid) is not None:
        for timer in state.kubelet.timers:
            if timer.pod == uid and not (timer.what == DEADLINE and timer.due == 0):
                state = without_timer(state, uid, timer.container, timer.what)
        return Change(
            replace(state, runtime=cri.sandbox_removed(state.runtime, uid)),
            "remove sandbox",
            "all its containers have stopped",
        )
    return None


def grace_seconds(pod: Pod) -> int:
    """The grace period of a pod that ends: the deletion's, else the spec's.

    Source: pkg/kubelet/pod_workers.go calculateEffectiveGracePeriod.
    """
    for seconds in (pod.metadata.deletion_grace_period_seconds, pod.spec.termination_grace_period_seconds):
        if seconds is not None:
            return max(seconds, 1)
    return DEFAULT_GRACE


def hook_seconds(spec: Container) -> int:
    """Seconds that the container's hook before stop sleeps."""
    hook = spec.lifecycle.pre_stop if spec.lifecycle else None
    return hook.sleep.seconds if hook and hook.sleep else 0


def _stop(state: NodeState, pod: Pod, spec: Container, found: RuntimeContainer, settings: Settings) -> Change | None:
    """Ask a container to stop; it stops in its own time, or is killed when the grace period is over.

    Where time doesn't count it stops at once.  The hook before stop is a part of the grace period, but 2
    seconds are left after it in any case.
    Source: pkg/kubelet/kuberuntime/kuberuntime_container.go killContainer.
    """
    uid = uid_of(pod)
    does, behaviour = f"stop container {spec.name}", behaviour_of(pod, spec, state.runtime)
    if not settings.timed or (found.exits_in is not None and found.exits_in >= 0):
        return _exit(state, found, behaviour.drain_code, does, "its pod is to end")
    grace, hook = grace_seconds(pod), hook_seconds(spec)
    timer = timer_of(state, uid, "", GRACE)
    if timer is None:
        asleep = min(hook, grace)
        longest = max(grace, asleep + SHORTEST_GRACE_AFTER_HOOK if asleep else 0)
        timer = Timer(uid, "", GRACE, Age(-longest))
        return Change(with_timer(state, timer), f"start the grace period of {longest} s", "its pod is to end")
    if timer.due is not None and timer.due >= 0:
        return _exit(state, found, KILLED, f"kill container {spec.name}", "the grace period is over")
    if found.exits_in is None:
        drain = min(hook, grace) + behaviour.drain
        asked = replace(state, runtime=cri.terminated_gently(state.runtime, uid, spec.name, drain))
        return Change(asked, f"ask container {spec.name} to stop", "its pod is to end")
    shorter = max(timer.due or Age(0), Age(-grace))
    if timer.due is not None and shorter != timer.due and not hook:
        return Change(
            with_timer(state, replace(timer, due=shorter)), "shorten the grace period", "it was deleted again"
        )
    return None
