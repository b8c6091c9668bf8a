"""What the autoscaler's controller remembers of each HorizontalPodAutoscaler; lost when its process dies.

Source: pkg/controller/podautoscaler/horizontal.go HorizontalController (recommendations, scaleUpEvents,
scaleDownEvents).

Simplifies: upstream writes down a recommendation every sync period, also when it says what the one before
said.  Here the one that holds is ``standing``, without an age, and becomes an entry with one only when
another takes its place; and of those only what a window can still tell apart is kept.  No property can tell,
since windows ask for the highest and the lowest alone.  (What is forgotten for good is what a window that is
made longer later would have shown.)
"""

from __future__ import annotations

from kythera.model.control_plane.controllers.horizontal_pod_autoscaler.behavior import (
    Recommendation,
    ScaleEvent,
    worth_keeping,
)
from kythera.model.record import Age, Record, Uid, record, replace


@record
class Autoscaling(Record):
    """What is remembered of one HorizontalPodAutoscaler.

    ``synced``: since it was last looked at with any effect (``None``: never).  ``standing``: what the metrics
    ask for at present, ``recommendations``: what they asked for before.  ``events``: changes of the scale,
    where the policies of a ``behavior`` ask for them.  ``asked``: by how much a change under way changes the
    scale.  ``refusal``: why the last change was refused.  ``begun``: the scale has been seen once.
    """

    uid: Uid = Uid(0)
    begun: bool = False
    synced: Age | None = None
    standing: int | None = None
    recommendations: tuple[Recommendation, ...] = ()
    events: tuple[ScaleEvent, ...] = ()
    asked: int = 0
    refusal: str = ""


Local = tuple[Autoscaling, ...]


def recall(local: Local, uid: Uid) -> Autoscaling:
    """What is remembered of one HorizontalPodAutoscaler."""
    return next((each for each in local if each.uid == uid), Autoscaling(uid))


def remember(local: Local, memory: Autoscaling) -> Local:
    """Everything that is remembered, with this in place of what was known of the same object."""
    others = (each for each in local if each.uid != memory.uid)
    return tuple(sorted((*others, memory), key=lambda each: each.uid))


def begun(memory: Autoscaling, current: int) -> Autoscaling:
    """When its target's scale is first seen, a HorizontalPodAutoscaler is taken to recommend what there is.

    Source: pkg/controller/podautoscaler/horizontal.go recordInitialRecommendation.
    """
    if memory.begun:
        return memory
    return replace(memory, begun=True, recommendations=(Recommendation(current),))


def heard(memory: Autoscaling, desired: int | None, period: int) -> Autoscaling:
    """After the metrics asked for ``desired`` replicas (``None``: nothing can be said).

    What was asked for until now was so for the last time one sync ``period`` (in seconds) ago.
    """
    if desired == memory.standing:
        return memory
    past = memory.recommendations
    if memory.standing is not None:
        past = (Recommendation(memory.standing, Age(period)), *past)
    return replace(memory, standing=desired, recommendations=past)


def pruned(memory: Autoscaling, up: int, down: int, longest: int) -> Autoscaling:
    """Without what nobody asks for any more.

    ``up`` and ``down`` are how long a recommendation is seen, ``longest`` how long a change is, in seconds.
    """
    return replace(
        memory,
        recommendations=worth_keeping(memory.recommendations, memory.standing, up, down),
        events=tuple(event for event in memory.events if event.age < longest),
    )


def changed(memory: Autoscaling, change: int) -> Autoscaling:
    """After the scale was changed by so many replicas.

    Source: pkg/controller/podautoscaler/horizontal.go storeScaleEvent.
    """
    return replace(memory, events=(ScaleEvent(change), *memory.events))
