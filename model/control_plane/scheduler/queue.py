"""The scheduling queue: which pods wait to be scheduled, and which of them comes next.

What it owns: nothing.  Which of the scheduler's three queues a pod is in can be read off the pod:

    active          it has no Unschedulable condition (and none is under way): nobody has tried yet
    unschedulable   it has that condition, and no node fits: a try would change nothing
    backoff         it has that condition, and a node fits: something has happened since that helped

What it may do: nothing; the order is binding for the active pods. A pod in backoff may be taken at any time,
but none that is less important than an active one: its wait may be over or not, and if nothing is active it
is not waited for (``SchedulerPopFromBackoffQ``).

Source: pkg/scheduler/backend/queue/scheduling_queue.go;
https://kubernetes.io/docs/concepts/scheduling-eviction/scheduling-framework/.
Simplifies: queueing hints are taken to be perfect: whatever makes a node fit wakes the pod, and nothing else
does. In the real scheduler a hint may also wake a pod in vain, which nobody but the scheduler can see, or
fail to wake one, which a flush repairs after five minutes. How long a backoff lasts (1 s, doubled up to 10 s)
is not modelled, and pods of equal priority come in any order, while the real queue takes the one that has
waited longest.
"""

from __future__ import annotations

from collections.abc import Iterable

from kythera.model.api.core.pod import Pod
from kythera.model.api.pods import condition, is_terminal, is_terminating
from kythera.model.record import Age

POD_SCHEDULED = "PodScheduled"
UNSCHEDULABLE = "Unschedulable"


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


def was_tried(pod: Pod) -> bool:
    """Whether the pod bears the mark of a try that failed; the mark of a gate that it had is another."""
    scheduled = condition(pod.status.conditions, POD_SCHEDULED)
    return scheduled is not None and scheduled.status == "False" and scheduled.reason == UNSCHEDULABLE


def is_next(pod: Pod, active: Iterable[Pod]) -> bool:
    """Whether a pod may be taken from the queue: no active pod comes before it.

    Source: pkg/scheduler/backend/queue/scheduling_queue.go Pop.
    """
    return not any(less(priority_of(each), Age(0), priority_of(pod), Age(0)) for each in active)
