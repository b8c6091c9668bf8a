"""What the kubelet reports of a pod: container statuses, phase, conditions, address.

A pod's address is the pair of ``spec.node_name`` and ``status.pod_ip``: the text is ``10.0.0.<n>`` with the
smallest n that is free on that node (0 is the node itself, for pods on the host's network), so two nodes use
the same texts.  Whoever compares addresses compares the node as well.  That keeps equal nodes
interchangeable.

Source: pkg/kubelet/kubelet_pods.go (generateAPIPodStatus, getPhase, convertToAPIContainerStatuses),
pkg/kubelet/status/generate.go, pkg/kubelet/status/status_manager.go (TerminatePod).
Simplifies: times of containers, host addresses and generations are not reported; what is known of a container
whose node lost power is nothing, so that it is reported as not started yet.
"""

from __future__ import annotations

from collections.abc import Mapping

from kythera.model.api.core.container import (
    Container,
    ContainerState,
    ContainerStateRunning,
    ContainerStateTerminated,
    ContainerStateWaiting,
    ContainerStatus,
)
from kythera.model.api.core.pod import Pod, PodIP, PodSpec, PodStatus
from kythera.model.api.meta import Condition
from kythera.model.api.pods import condition
from kythera.model.api.requests import is_sidecar
from kythera.model.node.kubelet.containers import has_started, restartable, uid_of
from kythera.model.node.runtime.runtime import RUNNING, RuntimeContainer, RuntimeState, container, sandbox
from kythera.model.record import Age, replace

PENDING, ACTIVE, SUCCEEDED, FAILED = "Pending", "Running", "Succeeded", "Failed"
ENDED = (SUCCEEDED, FAILED)

OWNED = ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled")
"""Conditions that the kubelet writes; it keeps all others as they are."""

Waiting = Mapping[str, tuple[str, str]]
"""Why a container can't start: reason and message by its name."""


def pod_phase(spec: PodSpec, statuses: tuple[ContainerStatus, ...], is_ending: bool, has_initialized: bool) -> str:
    """The phase that follows from the statuses of a pod's containers and init containers.

    ``is_ending``: the kubelet has decided that nothing of the pod will be started again.
    ``has_initialized``: a main container has started before, so that sidecars which start again don't put the
    pod back to Pending.
    Source: pkg/kubelet/kubelet_pods.go getPhase.
    """
    found = {each.name: each for each in statuses}
    pending = failed = waiting = running = unknown = 0
    for each in spec.init_containers:
        status = found.get(each.name)
        ended = _last_ended(status)
        if is_sidecar(each):
            if status is None:
                unknown += 1
            elif status.state.running is not None:
                running += 1
                pending += not has_initialized and not status.started
            elif ended is None:
                pending += not has_initialized
                waiting += status.state.waiting is not None
                unknown += status.state.waiting is None
        elif ended is None:
            pending += 1
        elif ended.exit_code != 0 and not restartable(each, spec.restart_policy, ended.exit_code):
            failed += 1
    if failed:
        return FAILED
    stopped: list[tuple[Container, ContainerStateTerminated, bool]] = []
    for each in spec.containers:
        status = found.get(each.name)
        ended = _last_ended(status)
        if status is not None and status.state.running is not None:
            running += 1
        elif status is not None and ended is not None:
            # A container that waits for its next start doesn't count as a success, whatever it exited with.
            stopped.append((each, ended, status.state.terminated is not None and ended.exit_code == 0))
        elif status is not None and status.state.waiting is not None:
            waiting += 1
        else:
            unknown += 1
    if pending or waiting or unknown:
        return PENDING
    if running:
        return ACTIVE
    if not stopped:
        return PENDING
    again = any(restartable(each, spec.restart_policy, ended.exit_code) for each, ended, _ in stopped)
    if again and not is_ending:
        return ACTIVE
    return SUCCEEDED if all(success for _, _, success in stopped) else FAILED


def _last_ended(status: ContainerStatus | None) -> ContainerStateTerminated | None:
    """How the container last ended, if it doesn't run."""
    if status is None or status.state.running is not None:
        return None
    if status.state.terminated is not None:
        return status.state.terminated
    return status.last_state.terminated if status.state.waiting is not None else None


def _of_terminal_phase(phase: str) -> str:
    return {SUCCEEDED: "PodCompleted", FAILED: "PodFailed"}[phase]


def _listed(unknown: list[str], what: str, others: list[str]) -> str:
    texts = [("unknown", unknown), (what, others)]
    return ", ".join(f"containers with {word} status: [{' '.join(names)}]" for word, names in texts if names)


def containers_ready_condition(spec: PodSpec, statuses: tuple[ContainerStatus, ...] | None, phase: str) -> Condition:
    """ContainersReady: all main containers and all sidecars are ready (``statuses`` is ``None`` if unknown).

    Source: pkg/kubelet/status/generate.go GenerateContainersReadyCondition.
    """
    kind = "ContainersReady"
    if statuses is None:
        return Condition(kind, "False", "UnknownContainerStatuses")
    found = {each.name: each for each in statuses}
    wanted = [each.name for each in (*filter(is_sidecar, spec.init_containers), *spec.containers)]
    unknown = [name for name in wanted if name not in found]
    unready = [name for name in wanted if name in found and not found[name].ready]
    if phase == FAILED or (phase == SUCCEEDED and not unknown):
        return Condition(kind, "False", _of_terminal_phase(phase))
    if unknown or unready:
        return Condition(kind, "False", "ContainersNotReady", _listed(unknown, "unready", unready))
    return Condition(kind, "True")


def ready_condition(
    spec: PodSpec,
    conditions: tuple[Condition, ...],
    statuses: tuple[ContainerStatus, ...] | None,
    phase: str,
) -> Condition:
    """Ready: ContainersReady, and all the conditions that the pod's readiness gates name are True.

    Source: pkg/kubelet/status/generate.go GeneratePodReadyCondition.
    """
    containers_ready = containers_ready_condition(spec, statuses, phase)
    if containers_ready.status != "True":
        return replace(containers_ready, type="Ready")
    closed = []
    for gate in spec.readiness_gates:
        found = condition(conditions, gate.condition_type)
        if found is None:
            closed.append(f'corresponding condition of pod readiness gate "{gate.condition_type}" does not exist.')
        elif found.status != "True":
            closed.append(f'the status of pod readiness gate "{gate.condition_type}" is not "True", but {found.status}')
    if closed:
        return Condition("Ready", "False", "ReadinessGatesNotReady", ", ".join(closed))
    return Condition("Ready", "True")


def initialized_condition(spec: PodSpec, statuses: tuple[ContainerStatus, ...] | None, phase: str) -> Condition:
    """Initialized: every init container has succeeded and every sidecar has started, or that was so before.

    Source: pkg/kubelet/status/generate.go GeneratePodInitializedCondition.
    """
    kind = "Initialized"
    if statuses is None and spec.init_containers:
        return Condition(kind, "False", "UnknownContainerStatuses")
    found = {each.name: each for each in statuses or ()}
    unknown = [each.name for each in spec.init_containers if each.name not in found]
    incomplete = [
        each.name
        for each in spec.init_containers
        if each.name in found and not (found[each.name].started if is_sidecar(each) else found[each.name].ready)
    ]
    if phase == SUCCEEDED and not unknown:
        return Condition(kind, "True", "PodCompleted")
    if not any_main_container_started(spec, statuses or ()) and (unknown or incomplete):
        return Condition(kind, "False", "ContainersNotInitialized", _listed(unknown, "incomplete", incomplete))
    return Condition(kind, "True")


def any_main_container_started(spec: PodSpec, statuses: tuple[ContainerStatus, ...]) -> bool:
    """Whether, by the statuses alone, a main container runs or has ended.

    Source: pkg/kubelet/container/helpers.go HasAnyRegularContainerStarted.
    """
    names = {each.name for each in spec.containers}
    return any(
        each.name in names and (each.state.running is not None or each.state.terminated is not None)
        for each in statuses
    )


def container_status(
    spec: Container, found: RuntimeContainer | None, waiting: tuple[str, str], is_init: bool = False
) -> ContainerStatus:
    """The status of one container; ``waiting`` is the reason and message to give if it waits for a start.

    ``waiting`` has an empty reason where a container that has ended doesn't wait for another start.
    Source: pkg/kubelet/kubelet_pods.go convertToAPIContainerStatuses, pkg/kubelet/prober/prober_manager.go
    UpdatePodStatus.
    """
    if found is None:
        state = ContainerState(waiting=ContainerStateWaiting(*waiting))
        return ContainerStatus(spec.name, state, image=spec.image, started=False)
    last = ContainerState()
    if found.previous_exit_code is not None:
        last = ContainerState(terminated=_terminated(found.previous_exit_code))
    if found.state == RUNNING:
        state = ContainerState(running=ContainerStateRunning())
    elif waiting[0]:
        state = ContainerState(waiting=ContainerStateWaiting(*waiting))
        last = ContainerState(terminated=_terminated(found.exit_code))
    else:
        state = ContainerState(terminated=_terminated(found.exit_code))
    done = is_init and state.terminated is not None and found.exit_code == 0
    return ContainerStatus(spec.name, state, last, found.ready or done, found.started, found.restarts, spec.image)


def _terminated(exit_code: int) -> ContainerStateTerminated:
    return ContainerStateTerminated(exit_code, reason="Completed" if exit_code == 0 else "Error")


def pod_status(
    pod: Pod,
    old: PodStatus,
    runtime: RuntimeState,
    waiting: Waiting,
    is_ending: bool,
    *,
    failure: tuple[str, str] | None = None,
) -> PodStatus:
    """The status to report of a pod: from the runtime, and from ``old`` what has to be kept.

    ``is_ending``: nothing of the pod will be started again.  Once that is so and all containers have stopped,
    the phase is Succeeded or Failed; a pod never leaves these two.  ``failure`` (reason and message) makes it
    Failed whatever its containers did.
    Source: pkg/kubelet/kubelet_pods.go generateAPIPodStatus.
    """
    uid = uid_of(pod)
    spec = pod.spec
    default = ("PodInitializing" if spec.init_containers else "ContainerCreating", "")

    def status_of(each: Container, is_init: bool) -> ContainerStatus:
        found = container(runtime, uid, each.name)
        reason = waiting.get(each.name, default if found is None else ("", ""))
        return container_status(each, found, reason, is_init)

    inits = tuple(status_of(each, True) for each in spec.init_containers)
    mains = tuple(status_of(each, False) for each in spec.containers)
    phase = pod_phase(spec, (*inits, *mains), is_ending, has_started(pod, runtime))
    stopped = all(each.state.running is None for each in (*inits, *mains))
    if is_ending and stopped and (failure or phase not in ENDED):
        phase = FAILED
    if is_ending and not stopped and phase in ENDED:
        phase = old.phase or PENDING  # not before the last container has stopped
    if old.phase in ENDED:
        phase = old.phase
    kept = phase == old.phase
    box = sandbox(runtime, uid)
    ip = f"10.0.0.{box.ip}" if box else old.pod_ip
    status = PodStatus(
        phase=phase,
        conditions=old.conditions,
        reason=old.reason if kept else failure[0] if failure and phase == FAILED else "",
        message=old.message if kept else failure[1] if failure and phase == FAILED else "",
        nominated_node_name=old.nominated_node_name,
        pod_ip=ip,
        pod_ips=(PodIP(ip),) if ip else (),
        start_time=Age(0) if old.start_time is None else old.start_time,
        init_container_statuses=inits,
        container_statuses=mains,
        qos_class=old.qos_class,
    )
    return replace(status, conditions=_conditions(pod, status, box is not None))


def _conditions(pod: Pod, status: PodStatus, has_sandbox: bool) -> tuple[Condition, ...]:
    """The conditions of others as they are, then the kubelet's own, each with the age of its last change."""
    others = tuple(each for each in status.conditions if each.type not in OWNED)
    both = (*status.init_container_statuses, *status.container_statuses)
    own = (
        Condition("PodReadyToStartContainers", "True" if has_sandbox else "False"),
        initialized_condition(pod.spec, both, status.phase),
        ready_condition(pod.spec, others, both, status.phase),
        containers_ready_condition(pod.spec, both, status.phase),
        Condition("PodScheduled", "True"),
    )
    return (*others, *(_since(each, condition(status.conditions, each.type)) for each in own))


def _since(new: Condition, old: Condition | None) -> Condition:
    if old is not None and old.status == new.status:
        return replace(new, last_transition_time=old.last_transition_time)
    return replace(new, last_transition_time=Age(0))


def refused_status(old: PodStatus, reason: str, message: str) -> PodStatus:
    """The status of a pod that the node has refused: Failed, with the reason, and none of its conditions.

    Source: pkg/kubelet/kubelet.go rejectPod, pkg/kubelet/status/status_manager.go mergePodStatus.
    """
    return PodStatus(
        phase=FAILED,
        conditions=tuple(each for each in old.conditions if each.type not in OWNED),
        reason=reason,
        message=f"Pod was rejected: {message}",
        nominated_node_name=old.nominated_node_name,
        start_time=Age(0) if old.start_time is None else old.start_time,
        qos_class=old.qos_class,
    )


def own_part(status: PodStatus) -> PodStatus:
    """What of a status is the kubelet's own to say, without times; conditions in whatever order are the same.

    Source: pkg/kubelet/status/status_manager.go isPodStatusByKubeletEqual.
    """
    found = (replace(each, last_transition_time=None) for each in status.conditions if each.type in OWNED)
    own = tuple(sorted(found, key=lambda each: OWNED.index(each.type)))
    return replace(status, conditions=own, start_time=None, nominated_node_name=None, qos_class="")


def visible(status: PodStatus) -> PodStatus:
    """What the kubelet looks at of its own part after it, or somebody else, has written it: all but
    containers.
    """
    return replace(own_part(status), container_statuses=(), init_container_statuses=(), pod_ips=())
