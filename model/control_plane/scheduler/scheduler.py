"""The scheduler: gives each waiting pod a node, one pod at a time.

What it owns: the pods that it has assumed to be on a node since it asked for their binding, until its
informer shows them there; and the pods that it has just reported as unschedulable, until its informer shows
the report. What it may do:

    bind      the pod that comes next to one of the nodes that suit it best (``Bind``)
    report    that no node fits it (the pod's PodScheduled condition)

How each step goes: filter the nodes, score those that are left, and take one of the best; all over one
snapshot, which is what the informers show and what is assumed. See ``queue`` on which pod comes next.

Source: pkg/scheduler/schedule_one.go ScheduleOne, schedulePod, handleSchedulingFailure,
handleBindingCycleError; pkg/scheduler/backend/cache/cache.go AssumePod, ForgetPod.
Simplifies: all feasible nodes are scored (percentageOfNodesToScore is 100, as in any cluster of up to 100
nodes); one binding cycle is a single request; pods are not grouped; extenders are not modelled; no preemption
yet.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache, partial

from kythera.model.api.apps import ReplicaSet
from kythera.model.api.core.cluster import Namespace
from kythera.model.api.core.node import Node
from kythera.model.api.core.pod import Pod, PodStatus
from kythera.model.api.core.service import Service
from kythera.model.api.meta import Condition
from kythera.model.api.pods import condition
from kythera.model.control_plane.scheduler.filters import Verdict, run_filters
from kythera.model.control_plane.scheduler.node_info import Snapshot, node_infos
from kythera.model.control_plane.scheduler.queue import (
    POD_SCHEDULED,
    UNSCHEDULABLE,
    is_next,
    waits,
    was_tried,
)
from kythera.model.control_plane.scheduler.scores import total_scores
from kythera.model.control_plane.scheduler.shapes import SHAPES
from kythera.model.controller import Controller, Reply, Step
from kythera.model.record import Age, NodeName, Record, Uid, record, replace
from kythera.model.request import Bind, Ref, Request, Update, ref_of
from kythera.model.view import View

DEFAULT_SCHEDULER = "default-scheduler"


@record
class Assumed(Record):
    """A pod that counts as being on a node, although no informer has shown it there yet."""

    pod: Uid
    node: NodeName


@record
class SchedulerState(Record):
    """The scheduler's memory, in the order of the pods' uids; a crash loses it."""

    assumed: tuple[Assumed, ...] = ()
    reported: tuple[Uid, ...] = ()


@record
class Placement(Record):
    """The nodes that suit a pod best, all equally well, and their score; or none, and why."""

    nodes: tuple[NodeName, ...] = ()
    score: int = 0
    feasible: int = 0
    message: str = ""


def controller(settings: Mapping[str, str] = {}, name: str = DEFAULT_SCHEDULER) -> Controller:
    """The scheduler of pods whose ``schedulerName`` is ``name``.

    ``settings``: ``profile`` must be "default" (``ValueError`` otherwise).  ``scheduler.retry=never`` is a
    variant that never tries a pod again which once had no node to go to.
    Source: pkg/scheduler/scheduler.go New; pkg/scheduler/apis/config/v1/default_plugins.go.
    """
    if settings.get("profile", "default") != "default":
        raise ValueError(f'unknown scheduler profile {settings["profile"]!r}: only "default" is modelled')
    return Controller(
        name=name,
        watches=(Pod, Node, Namespace, Service, ReplicaSet),
        writes=(Pod,),
        initial=SchedulerState(),
        keys=partial(keys, name),
        reconcile=partial(_never_again if settings.get("scheduler.retry") == "never" else reconcile, name),
        observe=partial(observe, name),
        caught_up=caught_up,
        replied=replied,
        shapes=SHAPES,
        says="{process} schedules {key}",
    )


def keys(name: str, view: View) -> Iterable[Ref]:
    """The pods that wait for this scheduler.

    Source: pkg/scheduler/eventhandlers.go addPod, updatePod.
    """
    return [ref_of(pod) for pod in view.list(Pod) if waits(pod, name)]


def reconcile(name: str, local: SchedulerState, view: View, key: Ref) -> Iterator[Step]:
    """One scheduling attempt: one step for each of the best nodes, or one that reports that no node fits.

    Nothing happens to a pod that does not come next, and to one that was reported and still fits nowhere.
    Source: pkg/scheduler/schedule_one.go schedulingCycle, bindingCycle, handleSchedulingFailure.
    Simplifies: the report is not written anew when only its message would change.
    """
    pod = view.find(Pod, key)
    memory = settled(name, local, view)
    assumed = frozenset(each.pod for each in memory.assumed)
    if pod is None or not waits(pod, name) or _uid(pod) in assumed:
        yield Step(local)
        return
    active = [
        each for each in view.list(Pod) if waits(each, name) and _uid(each) not in assumed and not _tried(each, memory)
    ]
    if not is_next(pod, active):
        yield Step(local, why="a pod of higher priority comes first")
        return
    placement = place(pod, snapshot_of(view, memory.assumed))
    for node in placement.nodes:
        mine = tuple(sorted((*memory.assumed, Assumed(_uid(pod), node)), key=lambda each: each.pod))
        why = f"{placement.feasible} of {len(view.list(Node))} nodes fit, the best score is {placement.score}"
        yield Step(replace(memory, assumed=mine), (Bind(ref_of(pod), node),), why=why, choice=(("node", node),))
    if placement.nodes:
        return
    # Preemption (PostFilter) belongs here: which pods would have to go for this one to fit, and where.
    if _tried(pod, memory):
        yield Step(local, why=placement.message)
        return
    reported = tuple(sorted((*memory.reported, _uid(pod))))
    yield Step(replace(memory, reported=reported), (_report(pod, placement.message),), why=placement.message)


def _never_again(name: str, local: SchedulerState, view: View, key: Ref) -> Iterator[Step]:
    """A variant whose queue forgets the pods that were unschedulable, whatever changes."""
    pod = view.find(Pod, key)
    if pod is not None and _tried(pod, settled(name, local, view)):
        yield Step(local)
        return
    yield from reconcile(name, local, view, key)


def observe(name: str, local: SchedulerState, before: View, after: View) -> SchedulerState:
    """The informers' event handlers: what they show need not be remembered any more.

    Source: pkg/scheduler/eventhandlers.go; pkg/scheduler/backend/cache/cache.go AddPod.
    """
    return settled(name, local, after)


def caught_up(local: SchedulerState) -> SchedulerState:
    """Nothing need be remembered when the view shows the present: every request has had its effect in it, or none."""
    return SchedulerState()


def replied(local: SchedulerState, key: Ref, request: Request, reply: Reply) -> SchedulerState:
    """After a refused binding the pod is no longer assumed to be there; a refused report changes nothing.

    Source: pkg/scheduler/schedule_one.go handleBindingCycleError, handleSchedulingFailure.
    Simplifies: a failed binding leaves no condition on the pod.
    """
    if reply.ok or not isinstance(request, Bind):
        return local
    return replace(local, assumed=tuple(each for each in local.assumed if each.pod != request.ref.uid))


@lru_cache(maxsize=50_000)
def settled(name: str, local: SchedulerState, view: View) -> SchedulerState:
    """The memory without what the view shows: pods that are bound, reported, on their way out, or gone."""
    if not local.assumed and not local.reported:
        return local
    waiting = {_uid(pod): pod for pod in view.list(Pod) if waits(pod, name)}
    return SchedulerState(
        tuple(each for each in local.assumed if each.pod in waiting),
        tuple(uid for uid in local.reported if uid in waiting and not was_tried(waiting[uid])),
    )


@lru_cache(maxsize=50_000)
def snapshot_of(view: View, assumed: tuple[Assumed, ...]) -> Snapshot:
    """What one attempt goes by: the nodes with the pods on them, the assumed ones among them.

    Source: pkg/scheduler/backend/cache/cache.go UpdateSnapshot.
    """
    where = {each.pod: each.node for each in assumed}
    pods = tuple(
        replace(pod, spec=replace(pod.spec, node_name=where[_uid(pod)])) if _uid(pod) in where else pod
        for pod in view.list(Pod)
    )
    return Snapshot(
        nodes=node_infos(view.list(Node), pods),
        namespaces=view.list(Namespace),
        services=view.list(Service),
        replica_sets=view.list(ReplicaSet),
    )


@lru_cache(maxsize=100_000)
def place(pod: Pod, snapshot: Snapshot) -> Placement:
    """Where a pod goes: the feasible nodes of the highest total score, or why no node is feasible.

    Source: pkg/scheduler/schedule_one.go schedulePod, findNodesThatPassFilters, prioritizeNodes, selectHost.
    """
    if not snapshot.nodes:
        return Placement(message="no nodes available to schedule pods")
    verdicts = [(info, run_filters(pod, info, snapshot)) for info in snapshot.nodes]
    feasible = tuple(info for info, verdict in verdicts if verdict.fits)
    if not feasible:
        return Placement(message=no_node_message(verdict for _, verdict in verdicts))
    scores = total_scores(pod, feasible, snapshot)
    best = max(scores.values())
    nodes = tuple(NodeName(name) for name, score in scores.items() if score == best)
    return Placement(nodes, best, len(feasible))


def no_node_message(verdicts: Iterable[Verdict]) -> str:
    """Why no node is feasible: each reason with the number of nodes that gave it, in alphabetical order.

    Source: pkg/scheduler/framework/types.go FitError.Error.
    Simplifies: what preemption found out is not added.
    """
    said = list(verdicts)
    counts = Counter(reason for verdict in said for reason in verdict.reasons)
    reasons = ", ".join(sorted(f"{count} {reason}" for reason, count in counts.items()))
    return f"0/{len(said)} nodes are available: {reasons}."


def _uid(pod: Pod) -> Uid:
    uid = pod.metadata.uid
    assert uid is not None, "a pod in a view has a uid"
    return uid


def _tried(pod: Pod, memory: SchedulerState) -> bool:
    return was_tried(pod) or _uid(pod) in memory.reported


def _report(pod: Pod, message: str) -> Update:
    """A patch of the one condition that says that the pod could not be scheduled.

    Source: pkg/scheduler/schedule_one.go updatePodStatus; pkg/api/v1/pod/util.go UpdatePodCondition.
    """
    old = condition(pod.status.conditions, POD_SCHEDULED)
    since = old.last_transition_time if old is not None and old.status == "False" else Age(0)
    new = Condition(POD_SCHEDULED, "False", UNSCHEDULABLE, message, last_transition_time=since)
    patch = replace(pod, status=PodStatus(conditions=(new,)))
    return Update(patch, subresource="conditions", unconditional=True)
