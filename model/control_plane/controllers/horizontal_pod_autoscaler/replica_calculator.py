"""From metrics to a number of replicas: the arithmetic of the autoscaler, before stabilisation and rate
limits.

All usages and targets are in thousandths (``milli``).  Ratios are floating-point numbers, as they are
upstream: the last bit decides what rounding up gives.

Source: pkg/controller/podautoscaler/replica_calculator.go and metrics/utilization.go.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence

from kythera.model.api.core.pod import Pod
from kythera.model.api.metrics import PodMetrics
from kythera.model.api.pods import condition, is_ready, is_terminating
from kythera.model.api.quantity import milli_value
from kythera.model.record import Record, record

MAX_INT32 = 2**31 - 1
LONG_AGO = 2**40
"""Stands for the age of an instant that was never set."""

Key = int | str
"""How usages are told apart by pod: its uid, or its name where it has no uid."""


_Fallback = Callable[[Key], int]


class MetricError(ValueError):
    """No number of replicas follows from the metrics; the text says why."""


@record
class Tolerances(Record):
    """How far the ratio of usage to target may be off, downwards and upwards, without anything being done."""

    down: float = 0.1
    up: float = 0.1

    def allow(self, ratio: float) -> bool:
        """Whether a ratio is near enough to 1."""
        return 1.0 - self.down <= ratio <= 1.0 + self.up


@record
class Readiness(Record):
    """When a pod's CPU usage says nothing yet, in seconds after its start.

    During ``initialization_period`` only pods that are ready for a whole window of the metric count; later, a
    pod that is not ready counts unless its last change was within ``initial_delay`` of its start (it was
    never ready).
    """

    initialization_period: int = 300
    initial_delay: int = 30


@record
class PodUsage(Record):
    """What one pod uses: ``value`` in thousandths, the seconds since its ``window`` ended, and its length."""

    value: int = 0
    age: int = 0
    window: int = 60


@record
class Proposal(Record):
    """A number of replicas, and the average usage (for utilisations also the percentage) that led to it."""

    replicas: int = 0
    average_usage: int = 0
    utilization: int | None = None


@record
class Groups(Record):
    """The pods by what their usage is good for; pods are given by key."""

    ready: tuple[Key, ...] = ()
    unready: tuple[Key, ...] = ()
    missing: tuple[Key, ...] = ()
    ignored: tuple[Key, ...] = ()


def key_of(obj: Pod | PodMetrics) -> Key:
    """The key of a pod or of its metrics."""
    return obj.metadata.name if obj.metadata.uid is None else obj.metadata.uid


def resource_usage(metrics: Iterable[PodMetrics], resource: str, container: str = "") -> dict[Key, PodUsage]:
    """The usage of a resource by pod; of one container, if it is named.

    A pod of which a container has no value is left out.  ``MetricError`` if there are no metrics at all, or a
    pod's metrics don't mention the container.
    Source: pkg/controller/podautoscaler/metrics/client.go GetResourceMetric.
    """
    usages: dict[Key, PodUsage] = {}
    listed = tuple(metrics)
    if not listed:
        raise MetricError(
            f"unable to get metrics for resource {resource}: no metrics returned from resource metrics API"
        )
    for each in listed:
        wanted = [c for c in each.containers if container in ("", c.name)]
        if container and not wanted:
            name = f"{each.metadata.namespace}/{each.metadata.name}"
            missing = f"container {container} not present in metrics for pod {name}"
            raise MetricError(f"unable to get metrics for resource {resource}: {missing}")
        values = [c.usage.get(resource) for c in wanted]
        known = [milli_value(value) for value in values if value is not None]
        if values and len(known) == len(values):
            age = LONG_AGO if each.timestamp is None else each.timestamp
            usages[key_of(each)] = PodUsage(sum(known), age, each.window)
    return usages


def is_unready(pod: Pod, usage: PodUsage, readiness: Readiness, later: int = 0) -> bool:
    """Whether a running pod's CPU usage has to be left aside; ``later``: in so many seconds, if nothing
    changes.

    Source: pkg/controller/podautoscaler/replica_calculator.go groupPods.
    """
    ready = condition(pod.status.conditions, "Ready")
    if ready is None or pod.status.start_time is None:
        return True
    started = pod.status.start_time + later
    changed = LONG_AGO if ready.last_transition_time is None else ready.last_transition_time + later
    if started < readiness.initialization_period:
        return ready.status == "False" or changed - usage.age < usage.window
    return ready.status == "False" and started - changed < readiness.initial_delay


def group_pods(pods: Iterable[Pod], usages: Mapping[Key, PodUsage], resource: str, readiness: Readiness) -> Groups:
    """Sort the pods by what their usage is good for.

    Source: pkg/controller/podautoscaler/replica_calculator.go groupPods.
    """
    ready: list[Key] = []
    unready: list[Key] = []
    missing: list[Key] = []
    ignored: list[Key] = []
    for pod in pods:
        key = key_of(pod)
        if is_terminating(pod) or pod.status.phase == "Failed":
            ignored.append(key)
        elif pod.status.phase == "Pending":
            unready.append(key)
        elif key not in usages:
            missing.append(key)
        elif resource == "cpu" and is_unready(pod, usages[key], readiness):
            unready.append(key)
        else:
            ready.append(key)
    return Groups(tuple(ready), tuple(unready), tuple(missing), tuple(ignored))


def seconds_to_regroup(pods: Iterable[Pod], usages: Mapping[Key, PodUsage], readiness: Readiness) -> int | None:
    """Seconds until a pod's CPU usage counts that doesn't now, or the reverse, by itself; ``None``: never."""
    waits: list[int] = []
    for pod in pods:
        usage = usages.get(key_of(pod))
        ready = condition(pod.status.conditions, "Ready")
        if usage is None or ready is None or pod.status.start_time is None or pod.status.phase != "Running":
            continue
        changed = LONG_AGO if ready.last_transition_time is None else ready.last_transition_time
        moments = (
            readiness.initialization_period - pod.status.start_time,
            usage.window + usage.age - changed,
        )
        now = is_unready(pod, usage, readiness)
        waits += [m for m in moments if m > 0 and is_unready(pod, usage, readiness, m) != now]
    return min(waits, default=None)


def requests_of(pods: Iterable[Pod], resource: str, container: str = "") -> dict[Key, int]:
    """What each pod requests of a resource, in thousandths: the container's share, the pod's own, or the sum.

    ``MetricError`` where a request is missing.
    Source: pkg/controller/podautoscaler/replica_calculator.go calculateRequests.
    """
    return {key_of(pod): _request(pod, resource, container) for pod in pods}


def _request(pod: Pod, resource: str, container: str) -> int:
    own = pod.spec.resources
    if not container and own is not None and own.requests:
        if resource not in own.requests:
            raise MetricError(f"missing pod-level request for {resource} in Pod {pod.metadata.name}")
        return milli_value(own.requests[resource])
    sidecars = (c for c in pod.spec.init_containers if c.restart_policy == "Always")
    wanted = [c for c in (*pod.spec.containers, *sidecars) if container in ("", c.name)]
    if container and not wanted:
        raise MetricError(f"container {container} not found in Pod {pod.metadata.name}")
    total = 0
    for each in wanted[:1] if container else wanted:
        if resource not in each.resources.requests:
            raise MetricError(f"missing request for {resource} in container {each.name} of Pod {pod.metadata.name}")
        total += milli_value(each.resources.requests[resource])
    return total


def utilization_ratio(
    usages: Mapping[Key, PodUsage], requests: Mapping[Key, int], target: int
) -> tuple[float, int, int]:
    """The ratio of the percentage used to the target, the percentage, and the average usage per pod.

    Source: pkg/controller/podautoscaler/metrics/utilization.go GetResourceUtilizationRatio.
    """
    known = [key for key in usages if key in requests]
    used, requested = sum(usages[key].value for key in known), sum(requests[key] for key in known)
    if requested == 0:
        raise MetricError("no metrics returned matched known pods")
    percentage = used * 100 // requested
    return percentage / target, percentage, used // len(known)


def usage_ratio(usages: Mapping[Key, PodUsage], target: int) -> tuple[float, int]:
    """The ratio of the average usage per pod to the target, and the average.

    Source: pkg/controller/podautoscaler/metrics/utilization.go GetMetricUsageRatio.
    """
    average = sum(usage.value for usage in usages.values()) // len(usages)
    return average / target, average


def utilization_replicas(
    current: int,
    target: int,
    pods: Sequence[Pod],
    usages: Mapping[Key, PodUsage],
    *,
    resource: str,
    tolerances: Tolerances,
    readiness: Readiness,
    container: str = "",
    base: int | None = None,
) -> Proposal:
    """The number of replicas that brings a resource's utilisation to ``target`` percent of the requests.

    ``base``: multiply the ratio by so many pods instead of the number of pods that were measured.
    Source: pkg/controller/podautoscaler/replica_calculator.go GetResourceReplicas.
    """
    groups, measured = _measured(pods, usages, resource, readiness)
    requests = requests_of(pods, resource, container)
    ratio, percentage, average = utilization_ratio(measured, requests, target)
    fallback = max(100, target)
    filled = _filled(measured, groups, ratio, lambda key: requests[key] * fallback // 100)
    if filled is None:
        replicas = _proportion(current, ratio, len(groups.ready), tolerances, base)
    else:
        again, _, _ = utilization_ratio(filled, requests, target)
        replicas = _cautious(current, ratio, again, len(filled), tolerances=tolerances, base=base)
    return Proposal(replicas, average, percentage)


def average_value_replicas(
    current: int,
    target: int,
    pods: Sequence[Pod],
    usages: Mapping[Key, PodUsage],
    *,
    tolerances: Tolerances,
    readiness: Readiness,
    resource: str = "",
    base: int | None = None,
) -> Proposal:
    """The number of replicas that brings the average usage per pod to ``target``; ``resource``: if it is one.

    Source: pkg/controller/podautoscaler/replica_calculator.go calcPlainMetricReplicas.
    """
    groups, measured = _measured(pods, usages, resource, readiness)
    ratio, average = usage_ratio(measured, target)
    filled = _filled(measured, groups, ratio, lambda _: target)
    if filled is None:
        replicas = _proportion(current, ratio, len(groups.ready), tolerances, base)
    else:
        again, _ = usage_ratio(filled, target)
        replicas = _cautious(current, ratio, again, len(filled), tolerances=tolerances, base=base)
    return Proposal(replicas, average)


def value_replicas(current: int, target: int, usage: int, pods: Sequence[Pod], tolerances: Tolerances) -> Proposal:
    """The number of replicas that brings one value (of an object, or from outside) to ``target``.

    Source: pkg/controller/podautoscaler/replica_calculator.go getUsageRatioReplicaCount.
    """
    ratio = usage / target
    if current == 0:
        return Proposal(_bounded(ratio), usage)
    if tolerances.allow(ratio):
        return Proposal(current, usage)
    if not pods:
        raise MetricError("no pods returned by selector while calculating replica count")
    ready = sum(pod.status.phase == "Running" and is_ready(pod) for pod in pods)
    return Proposal(_bounded(ratio * ready), usage)


def value_per_pod_replicas(observed: int, target: int, usage: int, tolerances: Tolerances) -> Proposal:
    """The number of replicas among which one value divides to ``target`` each; ``observed``: those there are
    now.

    Source: pkg/controller/podautoscaler/replica_calculator.go GetObjectPerPodMetricReplicas.
    """
    within = observed != 0 and tolerances.allow(usage / (target * observed))
    replicas = observed if within else _bounded(usage / target)
    return Proposal(replicas, math.ceil(usage / observed) if observed else 0)


def _measured(
    pods: Sequence[Pod], usages: Mapping[Key, PodUsage], resource: str, readiness: Readiness
) -> tuple[Groups, dict[Key, PodUsage]]:
    """The pods in groups, and the usages that count."""
    if not pods:
        raise MetricError("no pods returned by selector while calculating replica count")
    groups = group_pods(pods, usages, resource, readiness)
    aside = {*groups.ignored, *groups.unready}
    measured = {key: usage for key, usage in usages.items() if key not in aside}
    if not measured:
        raise MetricError("did not receive metrics for targeted pods (pods might be unready)")
    return groups, measured


def _filled(
    measured: Mapping[Key, PodUsage], groups: Groups, ratio: float, at_least: _Fallback
) -> dict[Key, PodUsage] | None:
    """The usages with cautious guesses for pods without one, against the direction that the ratio points to.

    ``None`` if nothing had to be guessed.
    """
    rebalance = bool(groups.unready) and ratio > 1.0
    if not rebalance and not groups.missing:
        return None
    filled = dict(measured)
    if ratio != 1.0:
        filled.update({key: PodUsage(at_least(key) if ratio < 1.0 else 0) for key in groups.missing})
    if rebalance:
        filled.update({key: PodUsage(0) for key in groups.unready})
    return filled


def _proportion(current: int, ratio: float, ready: int, tolerances: Tolerances, base: int | None) -> int:
    """In proportion to the ratio, unless it is within the tolerances."""
    if tolerances.allow(ratio):
        return current
    return _bounded(ratio * (ready if base is None else base))


def _cautious(
    current: int, before: float, after: float, counted: int, *, tolerances: Tolerances, base: int | None
) -> int:
    """The same after guessing: what turns the direction round, or counts against it, changes nothing."""
    turned = (before < 1.0 < after) or (before > 1.0 > after)
    if tolerances.allow(after) or turned:
        return current
    replicas = _bounded(after * (counted if base is None else base))
    against = (after < 1.0 and replicas > current) or (after > 1.0 and replicas < current)
    return current if against else replicas


def _bounded(replicas: float) -> int:
    return MAX_INT32 if replicas > MAX_INT32 else math.ceil(replicas)
