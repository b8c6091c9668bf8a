"""The kubelet of one node, as a controller whose private state is the node's.

Owns: its memory (``KubeletState``, lost in a crash) and, of the node, containers and checkpoint
(``RuntimeState``, which ``crashed`` leaves alone and ``node_lost`` doesn't).
May: admit or refuse a pod that is bound to its node; create and remove its sandbox; start, probe, kill and
stop its containers; report the pod's status; delete the pod once it has ended and somebody asked for its
deletion; clean up after pods that it doesn't see any more.
How each of these goes: ``pod_worker.py`` says what is done next for a pod, ``status.py`` what is reported of
it, ``reconcile`` below puts them together.

Granularity: with the setting ``granularity`` = ``coarse`` (the default) a step does all that needs no waiting
and reports it; with ``fine`` each thing is a step of its own, and reporting, which upstream is done by
another goroutine, comes before or after the next thing.  ``timed`` = ``yes`` makes grace periods, probe
thresholds and back-off take time; else a container stops, is found ready, and starts again at once.
``longest_back_off`` is in seconds, and so is ``crashLoopBackOff`` (maxContainerRestartPeriod).

Variants, none of them ever released: ``kubelet.admission=off`` lets every pod in that is bound to the node;
``kubelet.sandbox=always_new`` makes another sandbox for a pod that ran before the kubelet was restarted;
``kubelet.address=counts_pods`` gives a sandbox the number of sandboxes as its address, taken or not.

Source: pkg/kubelet/kubelet.go, pkg/kubelet/pod_workers.go, pkg/kubelet/status/status_manager.go.
Simplifies: no eviction under pressure of memory or disk, no graceful shutdown of the node, no static pods, no
in-place resize; nodes and Leases are not written here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from kythera.model.api.core.cluster import ConfigMap, Secret
from kythera.model.api.core.node import Node, NodeSpec, NodeStatus
from kythera.model.api.core.pod import Pod, PodStatus
from kythera.model.api.meta import ObjectMeta, identity
from kythera.model.api.pods import is_terminating
from kythera.model.controller import Controller, Reply, Step
from kythera.model.node.kubelet.containers import LONGEST_BACK_OFF, to_start, uid_of
from kythera.model.node.kubelet.needs import configuration_problem, image_problem
from kythera.model.node.kubelet.pod_worker import (
    Change,
    Settings,
    has_stopped,
    is_ending,
    is_past_deadline,
    name_of,
    next_change,
)
from kythera.model.node.kubelet.state import (
    BACK_OFF,
    NodeState,
    Worker,
    crashed,
    node_lost,
    timer_of,
    with_worker,
    without_ended,
    without_pod,
    worker_of,
)
from kythera.model.node.kubelet.status import (
    ENDED,
    OWNED,
    Waiting,
    own_part,
    pod_status,
    refused_status,
    visible,
)
from kythera.model.node.runtime import runtime as cri
from kythera.model.node.runtime.runtime import RUNNING, STEADY_SECONDS
from kythera.model.record import EMPTY, Map, NodeName, Record, Uid, replace
from kythera.model.request import Delete, Ref, Request, Update, ref_of
from kythera.model.view import View

__all__ = ["crashed", "kubelet", "node_lost"]

DEADLINE_EXCEEDED = ("DeadlineExceeded", "Pod was active on the node longer than the specified deadline")

MANY = 1000
"""More things than can be done for one pod without waiting."""


def kubelet(node: NodeName, settings: Mapping[str, str] = EMPTY, runtime: cri.RuntimeState | None = None) -> Controller:
    """The kubelet of ``node``; ``runtime`` is what the node begins with (its images, how its processes
    behave).

    Source: pkg/kubelet/kubelet.go.
    """
    options = Settings(
        coarse=settings.get("granularity", "coarse") == "coarse",
        live=settings.get("live") == "yes",
        timed=settings.get("timed", "no") == "yes",
        longest_back_off=int(settings.get("crashLoopBackOff", settings.get("longest_back_off", LONGEST_BACK_OFF))),
        admits_all=settings.get("kubelet.admission") == "off",
        always_new_sandbox=settings.get("kubelet.sandbox") == "always_new",
        counts_addresses=settings.get("kubelet.address") == "counts_pods",
    )

    def keys(view: View) -> Iterable[Ref]:
        return (*(ref_of(pod) for pod in view.list(Pod)), Ref("Node", "", node))

    def reconcile(local: NodeState, view: View, key: Ref) -> Iterator[Step]:
        if key.kind == "Node":
            return iter((housekeeping(local, view),))
        pod = view.find(Pod, key)
        if pod is None:
            return iter((Step(local),))
        return _sync(local, view, pod, view.get(Node, "", node), options)

    return Controller(
        name=f"kubelet/{node}",
        watches=(Pod, Node, ConfigMap, Secret),
        writes=(Pod,),
        initial=NodeState(runtime=runtime or cri.RuntimeState()),
        keys=keys,
        reconcile=reconcile,
        observe=observe,
        replied=replied,
        shapes=shapes(node),
        horizons={"RuntimeContainer.running_for": STEADY_SECONDS + 1} if options.timed else {},
        says="runs the pods that are bound to its node",
    )


def shapes(node: NodeName) -> dict[type[Record], Callable[[Any], Record | None]]:
    """What the kubelet reads: its own pods but for their containers' statuses, its own node, and which keys
    exist.
    """

    def pod_shape(pod: Pod) -> Pod | None:
        if pod.spec.node_name != node:
            return None
        old = pod.metadata
        meta = replace(
            identity(old),
            labels=old.labels,
            deletion_timestamp=old.deletion_timestamp,
            deletion_grace_period_seconds=old.deletion_grace_period_seconds,
        )
        status = replace(pod.status, container_statuses=(), init_container_statuses=(), pod_ips=())
        return replace(pod, metadata=meta, status=status)

    def node_shape(found: Node) -> Node | None:
        if found.metadata.name != node:
            return None
        meta = ObjectMeta(name=found.metadata.name, uid=found.metadata.uid, labels=found.metadata.labels)
        return Node(meta, NodeSpec(taints=found.spec.taints), NodeStatus(allocatable=found.status.allocatable))

    return {Pod: pod_shape, Node: node_shape, ConfigMap: _existence, Secret: _existence}


def _existence(found: ConfigMap | Secret) -> ConfigMap | Secret:
    return type(found)(metadata=identity(found.metadata), data=Map(dict.fromkeys(found.data, "")))


def _sync(local: NodeState, view: View, pod: Pod, node: Node | None, settings: Settings) -> Iterator[Step]:
    """All ways that looking at one pod can go on."""
    if settings.coarse:
        state = local
        done: list[Change] = []
        for _ in range(MANY):
            change = next_change(state, view, pod, node, settings)
            if change is None or change.does in [each.does for each in done]:
                break  # what starts and fails at once is reported before it is started again
            state = change.state
            done.append(change)
        yield _reported(state, view, pod, done, settings)
        return
    change = next_change(local, view, pod, node, settings)
    report = _reported(local, view, pod, [], settings)
    if report.requests:
        yield report
    if change is not None:
        why = f"{name_of(pod)}: {change.why}"
        yield Step(change.state, (), None, why, (("does", change.does),))
    elif not report.requests:
        yield report


def _reported(state: NodeState, view: View, pod: Pod, done: list[Change], settings: Settings) -> Step:
    """The step that ends with reporting the pod's status, if there is news, and deleting the pod if that is
    due.

    A pod is deleted from the API only after all its containers have stopped, its final status has been sent,
    and its deletion had been asked for.
    Source: pkg/kubelet/status/status_manager.go syncPod, canBeDeleted.
    """
    worker = worker_of(state, uid_of(pod))
    does = [change.does for change in done]
    whys = [change.why for change in done]
    requests: list[Request] = []
    if worker is not None:
        old = worker.reported or pod.status
        status = _status(state, view, pod, worker, old)
        disputed = worker.disputed or (settings.live and _is_disputed(worker, pod))
        if disputed or worker.reported is None or own_part(status) != own_part(worker.reported):
            own = tuple(each for each in status.conditions if each.type in OWNED)
            patch = replace(pod, status=replace(status, conditions=own))
            requests.append(Update(patch, "status", unconditional=True))
            worker = replace(worker, reported=status, disputed=False)
            state = without_ended(state, worker.pod)
            does.append("report")
            whys.append(f"it is {status.phase}")
        ended = status.phase in ENDED and has_stopped(state, pod)
        if ended and is_terminating(pod) and not worker.deleted and (settings.coarse or not requests):
            requests.append(Delete(ref_of(pod), grace_period_seconds=0))
            worker = replace(worker, deleted=True)
            does.append("delete")
            whys.append("it has ended and is to be deleted")
        state = with_worker(state, worker)
    if not does:
        return Step(state, requeue_after=_next_look(state, pod))
    why = f"{name_of(pod)}: {'; '.join(whys)}"
    return Step(state, tuple(requests), _next_look(state, pod), why, (("does", ", ".join(does)),))


def _is_disputed(worker: Worker, pod: Pod) -> bool:
    """Whether somebody else has written what the kubelet has reported, by a view that is never behind.

    One that may be behind shows older reports too: there what changes counts (``observe``).
    Source: pkg/kubelet/status/status_manager.go needsReconcile.
    """
    return worker.reported is not None and visible(pod.status) != visible(worker.reported)


def _status(state: NodeState, view: View, pod: Pod, worker: Worker, old: PodStatus) -> PodStatus:
    """The status to report now; ``old`` is the one reported last, or after a restart the one in the API."""
    if pod.status.phase in ENDED:
        old = replace(old, phase=pod.status.phase, reason=pod.status.reason, message=pod.status.message)
    foreign = tuple(each for each in pod.status.conditions if each.type not in OWNED)
    own = tuple(each for each in old.conditions if each.type in OWNED)
    old = replace(old, conditions=(*foreign, *own), nominated_node_name=pod.status.nominated_node_name)
    if worker.refused_for:
        return old if old.phase in ENDED else refused_status(old, worker.refused_for, worker.refusal)
    if old.phase in ENDED and not cri.containers_of(state.runtime, uid_of(pod)):
        return old
    if is_ending(state, pod):
        failure = DEADLINE_EXCEEDED if is_past_deadline(state, pod) else None
        return pod_status(pod, old, state.runtime, {}, True, failure=failure)
    return pod_status(pod, old, state.runtime, _waiting(state, view, pod), False)


def _waiting(state: NodeState, view: View, pod: Pod) -> Waiting:
    """Why containers that are due don't start, by name.

    Source: pkg/kubelet/kuberuntime/kuberuntime_manager.go doBackOff.
    Simplifies: the message of a back-off doesn't name the pod.
    """
    found = {}
    for spec in to_start(pod, state.runtime):
        timer = timer_of(state, uid_of(pod), spec.name, BACK_OFF)
        problem = image_problem(spec, state.runtime) or configuration_problem(pod, spec, view)
        if timer is not None and timer.due is not None and timer.due < 0:
            text = f"back-off {timer.seconds}s restarting failed container={spec.name}"
            found[spec.name] = ("CrashLoopBackOff", text)
        elif problem is not None:
            found[spec.name] = problem
    return found


def _next_look(state: NodeState, pod: Pod) -> int | None:
    """Seconds until a timer of the pod or of one of its processes runs out, if one runs."""
    uid = uid_of(pod)
    ages = [timer.due for timer in state.kubelet.timers if timer.pod == uid]
    for each in cri.containers_of(state.runtime, uid):
        ages += [each.answers_in, each.exits_in]
    return min((-age for age in ages if age is not None and age < 0), default=None)


def housekeeping(local: NodeState, view: View) -> Step:
    """Stop and forget whatever is left of pods that the kubelet doesn't see (any more).

    A view that is behind, as a restarted kubelet may get, can lack a pod that exists: then a pod that should
    run is stopped here.
    Source: pkg/kubelet/kubelet_pods.go HandlePodCleanups.
    Simplifies: the grace period of one second that such containers get is not waited for.
    """
    gone = _gone(local, view)
    if not gone:
        return Step(local)
    state = local
    for uid in gone:
        state = NodeState(without_pod(state.kubelet, uid), cri.forgotten(state.runtime, uid))
    return Step(state, why=f"{len(gone)} pods are not there any more", choice=(("does", "clean up"),))


def _gone(local: NodeState, view: View) -> tuple[Uid, ...]:
    seen = {pod.metadata.uid for pod in view.list(Pod)}
    known = (*cri.pods_in(local.runtime), *local.runtime.admitted, *(w.pod for w in local.kubelet.workers))
    return tuple(uid for uid in dict.fromkeys(known) if uid not in seen)


def observe(local: NodeState, before: View, after: View) -> NodeState:
    """The view has moved on: forget pods that are gone and had stopped; notice that somebody changed a
    status.

    Source: pkg/kubelet/kubelet.go HandlePodRemoves, HandlePodReconcile; status_manager.go needsReconcile.
    """
    for uid in _gone(local, after):
        if not any(each.state == RUNNING for each in cri.containers_of(local.runtime, uid)):
            local = NodeState(without_pod(local.kubelet, uid), cri.forgotten(local.runtime, uid))
    for worker in local.kubelet.workers:
        pod = after.find(Pod, worker.pod)
        if pod is None or worker.reported is None or worker.disputed or pod == before.find(Pod, worker.pod):
            continue
        if visible(pod.status) != visible(worker.reported):
            local = with_worker(local, replace(worker, disputed=True))
    return local


def replied(local: NodeState, key: Ref, request: Request, reply: Reply) -> NodeState:
    """A status or deletion that was not taken is sent again, unless the pod is gone already.

    Source: pkg/kubelet/status/status_manager.go syncPod.
    """
    worker = None if key.uid is None else worker_of(local, key.uid)
    if reply.ok or reply.code in (404, 409) or worker is None:
        return local
    if isinstance(request, Delete):
        return with_worker(local, replace(worker, deleted=False))
    return with_worker(local, replace(worker, disputed=True))
