"""A node in the middle of its life: what runs there, from the statuses that its kubelet has reported.

Source: https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/.
Simplifies: a container that waits for its restart is taken as one that has just ended.
"""

from __future__ import annotations

from collections.abc import Iterable

from kythera.model.api.core.container import Container, ContainerStatus
from kythera.model.api.core.pod import Pod, PodStatus
from kythera.model.api.pods import is_terminating
from kythera.model.api.requests import is_sidecar
from kythera.model.node.kubelet.containers import behaviour_of, uid_of
from kythera.model.node.kubelet.state import KubeletState, NodeState, Worker
from kythera.model.node.kubelet.status import pod_status
from kythera.model.node.runtime import runtime as cri
from kythera.model.node.runtime.runtime import EXITED, RuntimeContainer, RuntimeState
from kythera.model.record import Age, NodeName, replace


def is_running_on(pod: Pod, node: NodeName) -> bool:
    """Whether a pod is bound to the node and said to run there."""
    return pod.spec.node_name == node and pod.status.phase == "Running"


EMPTY_NODE = RuntimeState()


def running_on(node: NodeName, pods: Iterable[Pod], runtime: RuntimeState = EMPTY_NODE) -> NodeState:
    """The state of a node whose kubelet has admitted and started the pods that are said to run there.

    ``runtime`` is the node without them.  What the kubelet has reported is the status that it would report now.
    """
    mine = sorted((pod for pod in pods if is_running_on(pod, node)), key=uid_of)
    for pod in mine:
        runtime = _with_pod(runtime, pod)
    workers = tuple(
        Worker(uid_of(pod), reported=None if is_terminating(pod) else reported(pod, runtime)) for pod in mine
    )
    return NodeState(KubeletState(workers), runtime)


def reported(pod: Pod, runtime: RuntimeState) -> PodStatus:
    """The status of a running pod as this kubelet reports it."""
    return pod_status(pod, pod.status, runtime, {}, False)


def settled(pods: Iterable[Pod]) -> dict[int, PodStatus]:
    """The statuses that running pods have once their kubelets have reported them, by uid.

    Pods that are being deleted are left out: their kubelets have something to do anyway.
    """
    pods = list(pods)
    found: dict[int, PodStatus] = {}
    for node in dict.fromkeys(pod.spec.node_name for pod in pods if pod.spec.node_name is not None):
        state = running_on(node, pods)
        found.update({worker.pod: worker.reported for worker in state.kubelet.workers if worker.reported is not None})
    return found


def _with_pod(runtime: RuntimeState, pod: Pod) -> RuntimeState:
    uid = uid_of(pod)
    runtime = cri.sandbox_created(runtime, uid, pod.spec.host_network)
    known = {each.name: each for each in (*pod.status.init_container_statuses, *pod.status.container_statuses)}
    for spec in pod.spec.init_containers:
        runtime = _with_container(runtime, pod, spec, known.get(spec.name), runs=is_sidecar(spec))
    for spec in pod.spec.containers:
        runtime = _with_container(runtime, pod, spec, known.get(spec.name), runs=True)
    return cri.let_in(runtime, uid)


def _with_container(
    runtime: RuntimeState, pod: Pod, spec: Container, status: ContainerStatus | None, runs: bool
) -> RuntimeState:
    """The runtime with one more container; of one without a status it is known only whether it should run."""
    made = RuntimeContainer(
        uid_of(pod), spec.name, ports=tuple((port.container_port, port.protocol or "TCP") for port in spec.ports)
    )
    behaviour = behaviour_of(pod, spec, runtime)
    running = replace(
        made,
        ends_in=None if behaviour.lasts is None else Age(-behaviour.lasts),
        may_exit=behaviour.may_exit,
    )
    if status is None:
        made = replace(running, started=True, ready=True) if runs else replace(made, state=EXITED)
        return cri.updated(runtime, made)
    last = status.last_state.terminated
    restarts = min(status.restart_count, runtime.restarts_counted)
    if status.state.running is not None:
        return cri.updated(
            runtime,
            replace(
                running,
                restarts=restarts,
                started=status.started is not False,
                ready=status.ready,
                previous_exit_code=None if last is None else last.exit_code,
            ),
        )
    ended = status.state.terminated or last
    if ended is None:
        return runtime
    return cri.updated(runtime, replace(made, state=EXITED, restarts=restarts, exit_code=ended.exit_code))
