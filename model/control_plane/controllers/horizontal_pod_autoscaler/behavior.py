"""From a recommended number of replicas to the one that is asked for: stabilisation windows, rates, minimum,
maximum.

Source: pkg/controller/podautoscaler/horizontal.go and pkg/apis/autoscaling/v2/defaults.go.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from kythera.model.api.autoscaling import HorizontalPodAutoscalerBehavior, HPAScalingPolicy, HPAScalingRules
from kythera.model.record import Age, Record, record

SCALE_UP_POLICIES = (HPAScalingPolicy("Pods", 4, 15), HPAScalingPolicy("Percent", 100, 15))
SCALE_DOWN_POLICIES = (HPAScalingPolicy("Percent", 100, 15),)

UNLIMITED = 2**31 - 1


@record
class Recommendation(Record):
    """What the metrics asked for, and for the last time when."""

    replicas: int = 0
    age: Age = Age(0)


@record
class ScaleEvent(Record):
    """A change of the number of replicas (more: positive, fewer: negative) and when it was made."""

    change: int = 0
    age: Age = Age(0)


@record
class Rules(Record):
    """The rules of one direction, nothing left open; ``window`` is the stabilisation window in seconds."""

    window: int = 0
    select: str = "Max"
    policies: tuple[HPAScalingPolicy, ...] = ()

    @property
    def longest_period(self) -> int:
        """The longest time, in seconds, that a policy looks back."""
        return max((policy.period_seconds for policy in self.policies), default=0)


@record
class Limited(Record):
    """A number of replicas, and why it could not be another one (the reason of ScalingLimited)."""

    replicas: int = 0
    reason: str = "DesiredWithinRange"


def scale_up_rules(behavior: HorizontalPodAutoscalerBehavior) -> Rules:
    """How fast to scale up: what is given, and the defaults for the rest.

    Source: pkg/apis/autoscaling/v2/defaults.go GenerateHPAScaleUpRules.
    """
    return _rules(behavior.scale_up, 0, SCALE_UP_POLICIES)


def scale_down_rules(behavior: HorizontalPodAutoscalerBehavior, window: int) -> Rules:
    """How fast to scale down: what is given, and the defaults for the rest; ``window`` is the controller's
    own.

    Source: pkg/apis/autoscaling/v2/defaults.go GenerateHPAScaleDownRules;
    pkg/controller/podautoscaler/horizontal.go maybeInitScaleDownStabilizationWindow.
    """
    return _rules(behavior.scale_down, window, SCALE_DOWN_POLICIES)


def _rules(given: HPAScalingRules | None, window: int, policies: tuple[HPAScalingPolicy, ...]) -> Rules:
    if given is None:
        return Rules(window, "Max", policies)
    own = given.stabilization_window_seconds
    return Rules(window if own is None else own, given.select_policy or "Max", given.policies or policies)


def stabilized_downwards(desired: int, recommendations: Iterable[Recommendation], window: int) -> int:
    """The highest recommendation of the last ``window`` seconds, ``desired`` among them.

    Source: pkg/controller/podautoscaler/horizontal.go stabilizeRecommendation.
    """
    return max((desired, *(each.replicas for each in recommendations if each.age <= window)))


def stabilized(current: int, desired: int, recommendations: Sequence[Recommendation], up: int, down: int) -> int:
    """The number nearest to ``current`` that no recommendation within the windows (in seconds) speaks
    against.

    Not above the lowest of the last ``up`` seconds, not below the highest of the last ``down`` seconds.
    Source: pkg/controller/podautoscaler/horizontal.go stabilizeRecommendationWithBehaviors.
    """
    lowest = min((desired, *(each.replicas for each in recommendations if each.age < up)))
    highest = max((desired, *(each.replicas for each in recommendations if each.age < down)))
    return min(max(current, lowest), highest)


def change_within(events: Iterable[ScaleEvent], period: int) -> int:
    """By how many replicas the scale has changed in the last ``period`` seconds.

    Source: pkg/controller/podautoscaler/horizontal.go getReplicasChangePerPeriod.
    """
    return sum(event.change for event in events if event.age < period)


def scale_up_limit(current: int, events: Sequence[ScaleEvent], rules: Rules) -> int:
    """How many replicas there may be at most, by the policies for scaling up.

    Source: pkg/controller/podautoscaler/horizontal.go calculateScaleUpLimitWithScalingRules.
    """
    if rules.select == "Disabled":
        return current
    proposed = []
    for policy in rules.policies:
        start = current - change_within(events, policy.period_seconds)
        if policy.type == "Pods":
            proposed.append(start + policy.value)
        else:
            # Rounded up, or few replicas could never become more.
            proposed.append(math.ceil(start * (1 + policy.value / 100)))
    return min(proposed, default=UNLIMITED) if rules.select == "Min" else max(proposed, default=-UNLIMITED)


def scale_down_limit(current: int, events: Sequence[ScaleEvent], rules: Rules) -> int:
    """How many replicas there have to be at least, by the policies for scaling down.

    Source: pkg/controller/podautoscaler/horizontal.go calculateScaleDownLimitWithBehaviors.
    """
    if rules.select == "Disabled":
        return current
    proposed = []
    for policy in rules.policies:
        start = current - change_within(events, policy.period_seconds)
        if policy.type == "Pods":
            proposed.append(start - policy.value)
        else:
            proposed.append(int(start * (1 - policy.value / 100)))
    return max(proposed, default=-UNLIMITED) if rules.select == "Min" else min(proposed, default=UNLIMITED)


def limited_by_rates(
    current: int,
    desired: int,
    *,
    minimum: int,
    maximum: int,
    events: Sequence[ScaleEvent],
    up: Rules,
    down: Rules,
) -> Limited:
    """The number of replicas nearest to ``desired`` that the policies, the minimum and the maximum allow.

    Source: pkg/controller/podautoscaler/horizontal.go convertDesiredReplicasWithBehaviorRate.
    """
    if desired > current:
        rate = max(scale_up_limit(current, events, up), current)
        most, reason = (rate, "ScaleUpLimit") if maximum > rate else (maximum, "TooManyReplicas")
        if desired > most:
            return Limited(most, reason)
    elif desired < current:
        rate = min(scale_down_limit(current, events, down), current)
        least, reason = (rate, "ScaleDownLimit") if minimum < rate else (minimum, "TooFewReplicas")
        if desired < least:
            return Limited(least, reason)
    return Limited(desired)


def limited_without_behavior(current: int, desired: int, minimum: int, maximum: int) -> Limited:
    """The number of replicas nearest to ``desired`` within the bounds, and at most the double of ``current``
    (or 4).

    Source: pkg/controller/podautoscaler/horizontal.go convertDesiredReplicasWithRules.
    """
    rate = max(2 * current, 4)
    most, reason = (rate, "ScaleUpLimit") if maximum > rate else (maximum, "TooManyReplicas")
    if desired < minimum:
        return Limited(minimum, "TooFewReplicas")
    if desired > most:
        return Limited(most, reason)
    return Limited(desired)


def worth_keeping(
    recommendations: Sequence[Recommendation], standing: int | None, up: int, down: int
) -> tuple[Recommendation, ...]:
    """The recommendations that may still make a difference, newest first.

    One that has left both windows, or is nowhere the highest or lowest from its time on, can't.  ``standing``
    is the recommendation that holds at present; ``up`` and ``down`` are how long one is seen, in seconds.
    """
    kept: list[Recommendation] = []
    highest = -1 if standing is None else standing
    lowest = UNLIMITED if standing is None else standing
    for each in sorted(recommendations, key=lambda one: (one.age, -one.replicas)):
        higher = each.age < down and each.replicas > highest
        lower = each.age < up and each.replicas < lowest
        if higher or lower:
            kept.append(each)
        highest, lowest = max(highest, each.replicas), min(lowest, each.replicas)
    return tuple(kept)
