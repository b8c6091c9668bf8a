"""The scheduler: gives each waiting pod a node, one pod at a time.

What it owns: its queue (see ``queue``), and the pods that it has assumed to be on a node since it asked for their
binding, until its informer shows them there. What it may do:

    bind      the pod that comes next to one of the nodes that suit it best (``Bind``)
    report    that no node fits it (the pod's PodScheduled condition), if it does not say so already

How each step goes: filter the nodes, score those that are left, and take one of the best; all over one
snapshot, which is what the informers show and what is assumed. A pod that fits nowhere goes to the queue's pool, with
the plugins that rejected it; one whose binding fails is no longer assumed and is tried again after a back-off.

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
from kythera.model.api.duration import parse_duration
from kythera.model.api.meta import Condition
from kythera.model.api.pods import condition, is_terminating
from kythera.model.control_plane.scheduler import queue as queues
from kythera.model.control_plane.scheduler.cluster_events import ClusterEvent, cluster_events, pod_deleted
from kythera.model.control_plane.scheduler.filters import Verdict, run_filters
from kythera.model.control_plane.scheduler.node_info import Snapshot, node_infos
from kythera.model.control_plane.scheduler.queue import (
    POD_SCHEDULED,
    UNSCHEDULABLE,
    Queue,
    waits,
)
from kythera.model.control_plane.scheduler.scores import total_scores
from kythera.model.control_plane.scheduler.shapes import SHAPES
from kythera.model.controller import Controller, Reply, Step
from kythera.model.record import Age, NodeName, Record, Uid, record, replace
from kythera.model.request import Bind, Ref, Request, Update, ref_of
from kythera.model.view import View

DEFAULT_SCHEDULER = "default-scheduler"


@record
class Options(Record):
    """The name that pods ask for this scheduler by, and its settings; durations in seconds.

    ``hints``: whether events move pods out of the pool; ``flushes``: whether time does.
    """

    name: str = DEFAULT_SCHEDULER
    initial_backoff: int = queues.INITIAL_BACKOFF
    longest_backoff: int = queues.LONGEST_BACKOFF
    flushed_after: int = queues.FLUSHED_AFTER
    hints: bool = True
    flushes: bool = True


@record
class Assumed(Record):
    """A pod that counts as being on a node, although no informer has shown it there yet.

    ``delay`` is the back-off in seconds that it gets if its binding fails.  It is assumed until then, however long that
    takes.
    Source: pkg/scheduler/scheduler.go durationToExpireAssumedPod, which is 0: never.
    """

    pod: Uid
    node: NodeName
    delay: int = queues.INITIAL_BACKOFF


@record
class SchedulerState(Record):
    """The scheduler's memory, in the order of the pods' uids; a crash loses it."""

    assumed: tuple[Assumed, ...] = ()
    queue: Queue = ()


NOTHING = SchedulerState()


@record
class Placement(Record):
    """The nodes that suit a pod best, all equally well, and their score; or none, why, and the plugins that say so."""

    nodes: tuple[NodeName, ...] = ()
    score: int = 0
    feasible: int = 0
    message: str = ""
    plugins: tuple[str, ...] = ()


def controller(settings: Mapping[str, str] = {}, name: str = DEFAULT_SCHEDULER) -> Controller:
    """The scheduler of pods whose ``schedulerName`` is ``name``.

    ``settings``: ``profile`` must be "default" (``ValueError`` otherwise); ``podInitialBackoffSeconds``,
    ``podMaxBackoffSeconds`` and ``pod-max-in-unschedulable-pods-duration`` as upstream.  Variants:
    ``scheduler.queueing_hints=none`` moves no pod when something changes, ``scheduler.flush=never`` never flushes the
    pool of unschedulable pods, and ``scheduler.retry=never`` does neither.
    Source: pkg/scheduler/scheduler.go New; pkg/scheduler/apis/config/v1/default_plugins.go, defaults.go.
    """
    if settings.get("profile", "default") != "default":
        raise ValueError(f'unknown scheduler profile {settings["profile"]!r}: only "default" is modelled')
    retries = settings.get("scheduler.retry") != "never"
    options = Options(
        name,
        int(settings.get("podInitialBackoffSeconds", queues.INITIAL_BACKOFF)),
        int(settings.get("podMaxBackoffSeconds", queues.LONGEST_BACKOFF)),
        parse_duration(settings.get("pod-max-in-unschedulable-pods-duration", f"{queues.FLUSHED_AFTER}s")),
        retries and settings.get("scheduler.queueing_hints") != "none",
        retries and settings.get("scheduler.flush") != "never",
    )
    return Controller(
        name=name,
        watches=(Pod, Node, Namespace, Service, ReplicaSet),
        writes=(Pod,),
        initial=NOTHING,
        keys=partial(keys, name),
        reconcile=partial(reconcile, options),
        observe=partial(observe, options),
        caught_up=caught_up,
        replied=replied,
        shapes=SHAPES,
        edges=True,
        says="{process} schedules {key}",
    )


def keys(name: str, view: View) -> Iterable[Ref]:
    """The pods that wait for this scheduler.

    Source: pkg/scheduler/eventhandlers.go addPod, updatePod.
    """
    return [ref_of(pod) for pod in view.list(Pod) if waits(pod, name)]


def reconcile(options: Options, local: SchedulerState, view: View, key: Ref) -> Iterator[Step]:
    """One scheduling attempt: one step for each of the best nodes, or one for the lack of any.

    Nothing happens to a pod that does not come next.
    Source: pkg/scheduler/schedule_one.go schedulingCycle, bindingCycle, handleSchedulingFailure.
    Simplifies: while there is no node at all, a pod is tried once, and not again and again after each back-off.
    """
    pod = view.find(Pod, key)
    memory = settled(options.name, local, view)
    assumed = frozenset(each.pod for each in memory.assumed)
    if pod is None or not waits(pod, options.name) or _uid(pod) in assumed:
        yield Step(local)
        return
    if not view.list(Node):
        if queues.recall(memory.queue, _uid(pod)) is None:
            yield from _attempt(options, memory, view, pod)
        return
    waiting = [each for each in view.list(Pod) if waits(each, options.name) and _uid(each) not in assumed]
    if queues.comes_next(pod, waiting, memory.queue):
        yield from _attempt(options, memory, view, pod)
    else:
        yield _wait(options, local, memory, view, pod)


def _wait(options: Options, local: SchedulerState, memory: SchedulerState, view: View, pod: Pod) -> Step:
    """What becomes of a pod that is not tried: others come first, or time or an event has to bring it back."""
    entry = queues.recall(memory.queue, _uid(pod))
    if entry is None or entry.place in (queues.ACTIVE, queues.BACKOFF):
        return Step(local, why="another pod comes first")
    if entry.place == queues.ERROR_BACKOFF:
        return Step(local, requeue_after=-entry.ready, why="its last try ended with an error")
    if not options.flushes:
        return Step(local, why="no event may help")
    if entry.flush is not None:
        return Step(local, requeue_after=-entry.flush, why="no event was thought to help")
    if memory.assumed or not place(pod, snapshot_of(view, ())).nodes:
        return Step(local, why="no event may help")
    awaited = queues.flush_awaited(memory.queue, _uid(pod), options.flushed_after)
    return Step(replace(memory, queue=awaited), why="a node fits, but by no hint: the flush of the pool is waited for")


def _attempt(options: Options, memory: SchedulerState, view: View, pod: Pod) -> Iterator[Step]:
    """The pod is taken from the queue and tried."""
    uid = _uid(pod)
    placement = place(pod, snapshot_of(view, memory.assumed))
    delay = queues.delay_after_error(memory.queue, uid, options.initial_backoff, options.longest_backoff)
    for node in placement.nodes:
        mine = tuple(sorted((*memory.assumed, Assumed(uid, node, delay)), key=lambda each: each.pod))
        after = SchedulerState(mine, queues.without(memory.queue, uid))
        why = f"{placement.feasible} of {len(view.list(Node))} nodes fit, the best score is {placement.score}"
        yield Step(after, (Bind(ref_of(pod), node),), why=why, choice=(("node", node),))
    if placement.nodes:
        return
    # Preemption (PostFilter) belongs here: which pods would have to go for this one to fit, and where.
    if placement.plugins:
        queue = queues.failed(memory.queue, uid, placement.plugins, options.initial_backoff)
    else:
        queue = queues.went_wrong(memory.queue, uid, delay)
    yield Step(replace(memory, queue=queue), tuple(_report(pod, placement.message)), why=placement.message)


def observe(options: Options, local: SchedulerState, before: View, after: View) -> SchedulerState:
    """The informers' event handlers: they move pods of the queue, and forget what need not be remembered any more.

    Source: pkg/scheduler/eventhandlers.go; pkg/scheduler/backend/cache/cache.go AddPod.
    """
    if local == NOTHING:
        return local
    if options.hints and any(each.plugins for each in local.queue):
        waiting = {_uid(pod): pod for pod in after.list(Pod) if waits(pod, options.name)}
        events = (*cluster_events(before, after), *_given_up(local.assumed, before, after))
        local = replace(local, queue=queues.woken(local.queue, events, waiting))
    return settled(options.name, local, after)


def _given_up(assumed: Iterable[Assumed], before: View, after: View) -> Iterator[ClusterEvent]:
    """Assumed pods that have gone, or are on their way out, before they came to their node.

    Source: pkg/scheduler/eventhandlers.go handleAssumedPodDeletion.
    """
    for each in assumed:
        old, new = before.find(Pod, each.pod), after.find(Pod, each.pod)
        gone = new is None or (is_terminating(new) and not new.spec.node_name)
        if old is not None and gone and not is_terminating(old):
            yield pod_deleted(replace(old, spec=replace(old.spec, node_name=each.node)))


def caught_up(local: SchedulerState) -> SchedulerState:
    """Nobody need be assumed when the view shows the present: every binding has had its effect in it, or none."""
    return replace(local, assumed=()) if local.assumed else local


def replied(local: SchedulerState, key: Ref, request: Request, reply: Reply) -> SchedulerState:
    """After a refused binding the pod is no longer assumed to be there; a refused report changes nothing.

    A lost answer counts as a refusal: if the binding has taken place, the informer will show it.
    Source: pkg/scheduler/schedule_one.go handleBindingCycleError, handleSchedulingFailure.
    Simplifies: a failed binding leaves no condition on the pod.
    """
    if reply.ok or not isinstance(request, Bind):
        return local
    for each in local.assumed:
        if each.pod == request.ref.uid:
            queue = queues.went_wrong(queues.room_given_back(local.queue), each.pod, each.delay)
            return SchedulerState(tuple(other for other in local.assumed if other != each), queue)
    return local


@lru_cache(maxsize=50_000)
def settled(name: str, local: SchedulerState, view: View) -> SchedulerState:
    """The memory without what the view shows: pods that are bound, on their way out, or gone."""
    if local == NOTHING:
        return local
    waiting = {_uid(pod) for pod in view.list(Pod) if waits(pod, name)}
    return SchedulerState(
        tuple(each for each in local.assumed if each.pod in waiting),
        queues.still_waiting(local.queue, waiting),
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

    Without any node it is not a plugin that rejects the pod.
    Source: pkg/scheduler/schedule_one.go schedulePod, findNodesThatPassFilters, prioritizeNodes, selectHost.
    """
    if not snapshot.nodes:
        return Placement(message="no nodes available to schedule pods")
    verdicts = [(info, run_filters(pod, info, snapshot)) for info in snapshot.nodes]
    feasible = tuple(info for info, verdict in verdicts if verdict.fits)
    if not feasible:
        plugins = tuple(sorted({verdict.plugin for _, verdict in verdicts}))
        return Placement(message=no_node_message(verdict for _, verdict in verdicts), plugins=plugins)
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


def _report(pod: Pod, message: str) -> Iterator[Update]:
    """A patch of the one condition that says that the pod could not be scheduled, unless it says just that.

    Source: pkg/scheduler/schedule_one.go updatePod; pkg/api/v1/pod/util.go UpdatePodCondition.
    """
    old = condition(pod.status.conditions, POD_SCHEDULED)
    if old is not None and (old.status, old.reason, old.message) == ("False", UNSCHEDULABLE, message):
        return
    since = old.last_transition_time if old is not None and old.status == "False" else Age(0)
    new = Condition(POD_SCHEDULED, "False", UNSCHEDULABLE, message, last_transition_time=since)
    patch = replace(pod, status=PodStatus(conditions=(new,)))
    yield Update(patch, subresource="conditions", unconditional=True)
