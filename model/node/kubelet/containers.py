"""Which containers of a pod to start and to stop next: restart policy, back-off, order of init containers and
sidecars.

Source: pkg/kubelet/kuberuntime/kuberuntime_manager.go (computePodActions, doBackOff),
kuberuntime_container.go (computeInitContainerActions);
https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/.
Simplifies: restart rules by exit code (KEP-5307) and restarts of all containers (KEP-5532) are left out.
"""

from __future__ import annotations

from kythera.model.api.core.container import Container
from kythera.model.api.core.pod import Pod, PodSpec
from kythera.model.api.requests import is_sidecar
from kythera.model.node.runtime import runtime as cri
from kythera.model.node.runtime.runtime import (
    EXITED,
    RUNNING,
    Behaviour,
    RuntimeContainer,
    RuntimeState,
    container,
    containers_of,
)
from kythera.model.record import Uid, replace

INITIAL_BACK_OFF = 10
LONGEST_BACK_OFF = 300


def restartable(spec: Container, pod_restart_policy: str, exit_code: int) -> bool:
    """Whether a container that ended with ``exit_code`` is to be started again.

    A container's own policy goes before the pod's; none at all means Always.
    Source: pkg/api/v1/pod/util.go ContainerShouldRestart.
    """
    policy = spec.restart_policy or pod_restart_policy or "Always"
    return policy == "Always" or (policy == "OnFailure" and exit_code != 0)


def should_be_restarted(spec: Container, pod: Pod, state: str | None, exit_code: int = 0) -> bool:
    """Whether a container should be started (again), from the state of its newest instance (``None``: there
    is none).

    ``state`` is the runtime's: created, running, exited or unknown.  Nothing is started in a pod being
    deleted.
    Source: pkg/kubelet/container/helpers.go ShouldContainerBeRestarted.
    """
    if pod.metadata.deletion_timestamp is not None or state == RUNNING:
        return False
    return state != EXITED or restartable(spec, pod.spec.restart_policy, exit_code)


def next_back_off(seconds: int, longest: int = LONGEST_BACK_OFF) -> int:
    """The delay in seconds that follows a delay of ``seconds`` (0: there was none yet).

    Source: staging/src/k8s.io/client-go/util/flowcontrol/backoff.go Backoff.Next; pkg/kubelet/kubelet.go.
    """
    return min(2 * seconds or INITIAL_BACK_OFF, longest)


def uid_of(pod: Pod) -> Uid:
    """The uid of a pod that the API server has stored; ``ValueError`` for any other."""
    if pod.metadata.uid is None:
        raise ValueError("a pod without a uid was never stored")
    return pod.metadata.uid


def behaviour_of(pod: Pod, spec: Container, runtime: RuntimeState) -> Behaviour:
    """What the process of a container does.

    An init container that is no sidecar does its work and ends with success, or nothing would ever come after it.  A
    sidecar is there for the others, and so goes on for ever.
    """
    found = cri.behaviour_of(runtime, pod.metadata.labels)
    if is_sidecar(spec):
        return replace(found, may_exit=(), lasts=None)
    if any(spec.name == each.name for each in pod.spec.init_containers):
        return replace(found, startup=0, may_exit=(), lasts=0)
    return found


def has_started(pod: Pod, runtime: RuntimeState) -> bool:
    """Whether a main container of the pod has ever started here, so that initialization is behind it.

    Source: pkg/kubelet/container/helpers.go HasAnyActiveRegularContainerStarted.
    """
    return any(container(runtime, uid_of(pod), each.name) for each in pod.spec.containers)


def to_start(pod: Pod, runtime: RuntimeState) -> tuple[Container, ...]:
    """The containers that are to be started now, first or again, if nothing stands in their way.

    Init containers run one after the other, each to a successful end.  A sidecar among them has only to be
    started for the next to follow, and is started again whenever it ends.  Then the main containers start
    together.
    Source: computeInitContainerActions, computePodActions.
    """
    uid = uid_of(pod)
    wanted: list[Container] = []
    initialized = has_started(pod, runtime)
    for spec in pod.spec.init_containers:
        found = container(runtime, uid, spec.name)
        if is_sidecar(spec):
            if found is None or found.state == EXITED:
                wanted.append(spec)
            if not initialized and (found is None or not found.started):
                return tuple(wanted)
        elif not initialized and not (found is not None and found.state == EXITED and found.exit_code == 0):
            if found is None or (found.state == EXITED and restartable(spec, pod.spec.restart_policy, found.exit_code)):
                wanted.append(spec)
            return tuple(wanted)
    for spec in pod.spec.containers:
        found = container(runtime, uid, spec.name)
        if should_be_restarted(spec, pod, found.state if found else None, found.exit_code if found else 0):
            wanted.append(spec)
    return tuple(wanted)


def is_finished(pod: Pod, runtime: RuntimeState) -> bool:
    """Whether nothing of the pod will start any more by itself: its work is done, or its initialization has
    failed.

    Sidecars are then stopped and the pod gets its final phase.
    Source: computePodActions (KillPod when no container is kept or started).
    """
    uid = uid_of(pod)
    if not has_started(pod, runtime):
        return any(_ended_for_good(each, pod.spec, container(runtime, uid, each.name), failed=True)
                   for each in pod.spec.init_containers if not is_sidecar(each))  # fmt: skip
    return all(_ended_for_good(each, pod.spec, container(runtime, uid, each.name)) for each in pod.spec.containers)


def _ended_for_good(spec: Container, pod: PodSpec, found: RuntimeContainer | None, failed: bool = False) -> bool:
    if found is None or found.state != EXITED or (failed and found.exit_code == 0):
        return False
    return not restartable(spec, pod.restart_policy, found.exit_code)


def to_stop(pod: Pod, runtime: RuntimeState) -> tuple[Container, ...]:
    """The running containers of a pod that are to be stopped now: all but sidecars, then these from last to
    first.

    Source: pkg/kubelet/kuberuntime/kuberuntime_termination_order.go.
    """
    running = {each.name for each in containers_of(runtime, uid_of(pod)) if each.state == RUNNING}
    sidecars = [each for each in pod.spec.init_containers if is_sidecar(each) and each.name in running]
    others = [each for each in (*pod.spec.init_containers, *pod.spec.containers)
              if each.name in running and each not in sidecars]  # fmt: skip
    return tuple(others) or tuple(sidecars[-1:])
