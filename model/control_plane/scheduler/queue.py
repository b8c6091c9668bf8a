"""The scheduling queue: which pods wait to be scheduled, which of them comes next, and what brings others back.

What it owns: a memory of each waiting pod that was tried in vain (``Queued``), in the order of their uids. From it, and
from what the informers show, a waiting pod is in one of these places:

    active          nobody has tried it yet, or an event has brought it back and its back-off is over
    backoff         an event has brought it back; it is taken once nothing is active, or when its back-off is over
    error_backoff   something went wrong (its binding was refused, there is no node at all); only time brings it back
    unschedulable   plugins have rejected it; it stays in this pool until an event may help by one of their hints

What it may do: nothing; the scheduler asks it for the next pod, and tells it of failures and events.

How each step goes: ``failed`` and ``went_wrong`` put a pod back; ``woken`` moves those that an event may help;
``comes_next`` says whose turn it is. A back-off runs from the failure on, in the pool too: one second, after each other
error in a row twice as long, and never more than ten seconds. A crash forgets all of it, so that every waiting pod is
active again.

Source: pkg/scheduler/backend/queue/scheduling_queue.go, active_queue.go, backoff_queue.go; KEP-4247 (queueing
hints); KEP-5142 (SchedulerPopFromBackoffQ, on by default since v1.33);
https://kubernetes.io/docs/concepts/scheduling-eviction/scheduling-framework/.
Simplifies: active pods of equal priority come in any order, while the real queue takes the one that has waited
longest: which does not matter to any property, and would make states that differ in nothing else. Rejections do not
make a back-off longer: it is not waited for, and only decides which of several pods comes first. The flush of pods
that have been in the pool for five minutes is followed only for a pod that a node would take, since a try of any
other changes nothing; its five minutes are counted from when that is so, and not from the pod's last try.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping

from kythera.model.api.core.pod import Pod
from kythera.model.api.pods import is_terminal, is_terminating
from kythera.model.control_plane.scheduler.cluster_events import ClusterEvent
from kythera.model.control_plane.scheduler.queueing_hints import cares_for_deletions, may_help
from kythera.model.record import Age, Record, Uid, record, replace

POD_SCHEDULED = "PodScheduled"
UNSCHEDULABLE = "Unschedulable"

ACTIVE = "active"
BACKOFF = "backoff"
ERROR_BACKOFF = "error_backoff"
POOL = "unschedulable"

INITIAL_BACKOFF = 1
LONGEST_BACKOFF = 10
FLUSHED_AFTER = 300


@record
class Queued(Record):
    """What is remembered of a waiting pod that was tried in vain.

    ``ready`` is the age of the end of its back-off (negative: it is still on).  ``plugins`` are those that rejected it,
    as long as it is in the pool, in alphabetical order.  ``delay`` is the length of the back-off in seconds if the last
    try ended with an error, else 0.  ``flush`` is the age of the time at which the pool is flushed, if that is waited
    for.
    """

    pod: Uid
    ready: Age = Age(-INITIAL_BACKOFF)
    plugins: tuple[str, ...] = ()
    delay: int = 0
    flush: Age | None = None

    @property
    def place(self) -> str:
        """Where the pod is."""
        if self.plugins:
            return ACTIVE if self.flush is not None and self.flush >= 0 else POOL
        if self.ready >= 0:
            return ACTIVE
        return ERROR_BACKOFF if self.delay else BACKOFF

    @property
    def tells_nothing(self) -> bool:
        """Whether the pod is like one that nobody has tried."""
        return not self.plugins and not self.delay and self.ready >= 0


Queue = tuple[Queued, ...]


def priority_of(pod: Pod) -> int:
    """The pod's priority, 0 if nobody has set one.

    Source: staging/src/k8s.io/component-helpers/scheduling/corev1/helpers.go PodPriority.
    """
    return pod.spec.priority or 0


def less(priority: int, waited: Age, other_priority: int, other_waited: Age) -> bool:
    """Whether a pod comes before another: higher priority first, then whoever has waited longer (in seconds).

    Source: pkg/scheduler/framework/plugins/queuesort/priority_sort.go Less.
    """
    return priority > other_priority or (priority == other_priority and waited > other_waited)


def waits(pod: Pod, scheduler_name: str) -> bool:
    """Whether a pod waits for this very scheduler: unbound, without gates, and not on its way out.

    Source: pkg/scheduler/eventhandlers.go responsibleForPod; pkg/scheduler/schedule_one.go skipPodSchedule;
    pkg/scheduler/framework/plugins/schedulinggates/scheduling_gates.go PreEnqueue.
    """
    return (
        not pod.spec.node_name
        and not pod.spec.scheduling_gates
        and (pod.spec.scheduler_name or "default-scheduler") == scheduler_name
        and not is_terminating(pod)
        and not is_terminal(pod)
    )


def recall(queue: Queue, pod: Uid) -> Queued | None:
    """What is remembered of a pod, if it was tried."""
    for each in queue:
        if each.pod == pod:
            return each
    return None


def remember(queue: Queue, entry: Queued) -> Queue:
    """The queue with this in place of what was remembered of the pod."""
    return tuple(sorted((*without(queue, entry.pod), entry), key=lambda each: each.pod))


def without(queue: Queue, pod: Uid) -> Queue:
    """The queue without a pod: it is bound, or gone, or taken out to be bound."""
    return tuple(each for each in queue if each.pod != pod)


def place_of(queue: Queue, pod: Uid) -> str:
    """Where a waiting pod is."""
    entry = recall(queue, pod)
    return ACTIVE if entry is None else entry.place


def comes_next(pod: Pod, waiting: Iterable[Pod], queue: Queue) -> bool:
    """Whether a pod is taken next: the most important of the active ones, or, without any, the first in backoff.

    Of those in backoff the one comes first whose back-off ends first; of several, the most important.  Pods in error
    backoff and in the pool are not taken.
    Source: pkg/scheduler/backend/queue/active_queue.go unlockedPop; backoff_queue.go popBackoff,
    lessBackoffCompletedWithPriority.
    """
    others = [each for each in waiting if each != pod]
    places = [place_of(queue, _uid(each)) for each in others]
    mine = place_of(queue, _uid(pod))
    if mine not in (ACTIVE, BACKOFF) or (mine == BACKOFF and ACTIVE in places):
        return False
    rivals = [each for each, place in zip(others, places, strict=True) if place == mine]
    if mine == BACKOFF:
        ready = _ready(queue, pod)
        if any(_ready(queue, each) > ready for each in rivals):
            return False
        rivals = [each for each in rivals if _ready(queue, each) == ready]
    return not any(less(priority_of(each), Age(0), priority_of(pod), Age(0)) for each in rivals)


def _ready(queue: Queue, pod: Pod) -> int:
    entry = recall(queue, _uid(pod))
    return 0 if entry is None else entry.ready


def failed(queue: Queue, pod: Uid, plugins: Iterable[str], backoff: int = INITIAL_BACKOFF) -> Queue:
    """The queue after plugins have rejected a pod: it goes to the pool, and its back-off begins.

    Source: pkg/scheduler/backend/queue/scheduling_queue.go AddUnschedulableIfNotPresent.
    """
    return remember(queue, Queued(pod, Age(-backoff), tuple(sorted(set(plugins)))))


def went_wrong(queue: Queue, pod: Uid, delay: int) -> Queue:
    """The queue after a try of a pod that ended with an error: it is tried again after ``delay`` seconds.

    Source: pkg/scheduler/backend/queue/backoff_queue.go add; scheduling_queue.go
    determineSchedulingHintForInFlightPod.
    """
    return remember(queue, Queued(pod, Age(-delay), delay=delay))


def delay_after_error(queue: Queue, pod: Uid, initial: int = INITIAL_BACKOFF, longest: int = LONGEST_BACKOFF) -> int:
    """The seconds for which a pod has to wait if the next try of it ends with an error.

    Errors in a row count; a rejection ends the row.
    Source: pkg/scheduler/backend/queue/backoff_queue.go getBackoffTime, calculateBackoffDuration.
    """
    entry = recall(queue, pod)
    return initial if entry is None or not entry.delay else min(2 * entry.delay, longest)


def woken(queue: Queue, events: Iterable[ClusterEvent], waiting: Mapping[Uid, Pod]) -> Queue:
    """The queue after events: a pod leaves the pool if by a hint of a plugin that rejected it one of them may help.

    Source: pkg/scheduler/backend/queue/scheduling_queue.go MoveAllToActiveOrBackoffQueue, Update,
    requeuePodViaQueueingHint.
    """
    if not any(each.plugins for each in queue):
        return queue
    found = tuple(events)
    return _telling(_woken(each, found, waiting.get(each.pod)) for each in queue)


def _woken(entry: Queued, events: Iterable[ClusterEvent], pod: Pod | None) -> Queued:
    if pod is None or not entry.plugins:
        return entry
    concerning = [event for event in events if event.about in (None, entry.pod)]
    helps = any(may_help(plugin, pod, event) for event in concerning for plugin in entry.plugins)
    return replace(entry, plugins=(), flush=None) if helps else entry


def room_given_back(queue: Queue) -> Queue:
    """The queue after a binding has failed, for which a node had been kept: whoever deletions may help is woken.

    Source: pkg/scheduler/schedule_one.go handleBindingCycleError.
    Simplifies: the hints are not asked whether this pod's room, ports or labels matter.
    """
    return _telling(
        replace(each, plugins=(), flush=None) if any(map(cares_for_deletions, each.plugins)) else each for each in queue
    )


def still_waiting(queue: Queue, waiting: Container[Uid]) -> Queue:
    """What need be remembered of the pods that wait.

    Source: pkg/scheduler/backend/queue/scheduling_queue.go Delete.
    """
    return _telling(each for each in queue if each.pod in waiting)


def _telling(queue: Iterable[Queued]) -> Queue:
    return tuple(each for each in queue if not each.tells_nothing)


def flush_awaited(queue: Queue, pod: Uid, after: int = FLUSHED_AFTER) -> Queue:
    """The queue when a pod of the pool would fit a node, so that only the flush brings it back.

    Source: pkg/scheduler/backend/queue/scheduling_queue.go flushUnschedulablePodsLeftover.
    """
    entry = recall(queue, pod)
    assert entry is not None, "a pod of the pool was tried"
    return remember(queue, replace(entry, flush=Age(-after)))


def _uid(pod: Pod) -> Uid:
    uid = pod.metadata.uid
    assert uid is not None, "a pod in a view has a uid"
    return uid
