"""Cases of the HorizontalPodAutoscaler: replica calculation, stabilisation, rate limits (``hpa/*``)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from kythera.model.api.autoscaling import HorizontalPodAutoscalerBehavior
from kythera.model.api.core.pod import Pod
from kythera.model.api.decode import Context, decode
from kythera.model.control_plane.controllers.horizontal_pod_autoscaler.behavior import (
    Limited,
    Recommendation,
    ScaleEvent,
    limited_by_rates,
    limited_without_behavior,
    scale_down_rules,
    scale_up_rules,
    stabilized,
    stabilized_downwards,
)
from kythera.model.control_plane.controllers.horizontal_pod_autoscaler.replica_calculator import (
    Key,
    MetricError,
    PodUsage,
    Proposal,
    Readiness,
    Tolerances,
    average_value_replicas,
    key_of,
    resource_usage,
    utilization_replicas,
    value_per_pod_replicas,
    value_replicas,
)
from kythera.model.record import Age

Case = dict[str, Any]


def replica_calculation(case: Case) -> str | None:
    """What a metric asks for, given pods and values."""
    expected = case["expected"]
    try:
        proposal = _propose(case["input"])
    except MetricError as error:
        if not expected.get("error"):
            return f"expected {expected.get('replicas')} replicas, got the error {error}"
        wanted = expected.get("error_contains", "")
        return None if wanted in str(error) else f"expected an error with {wanted!r}, got {error}"
    if expected.get("error"):
        return f"expected an error, got {proposal.replicas} replicas"
    found = {
        "replicas": proposal.replicas,
        "utilization_percent": proposal.utilization,
        "average_usage_milli": proposal.average_usage,
        "current_value_milli": proposal.average_usage,
    }
    return _compare(expected, found)


def _propose(given: Mapping[str, Any]) -> Proposal:
    now = datetime.fromisoformat(given["now"])
    context = Context(now=now)
    pods = tuple(decode(Pod, pod, context) for pod in given.get("pods") or ())
    metric, current = given["metric"], given["current_replicas"]
    tolerance = 0.1 if given.get("tolerance") is None else given["tolerance"]
    tolerances = Tolerances(tolerance, tolerance)
    readiness = Readiness(given["cpu_initialization_period_seconds"], given["initial_readiness_delay_seconds"])
    if metric["type"] in ("Resource", "ContainerResource", "Pods"):
        resource = "" if metric["type"] == "Pods" else metric["name"]
        # That there are no metrics at all is found out while they are read, before any pod is looked at.
        usages = _usages(given, metric, pods, now) or (resource_usage((), resource) if resource else {})
        percent = metric.get("target_average_utilization_percent")
        if percent is not None:
            container = metric.get("container") or ""
            return utilization_replicas(
                current,
                percent,
                pods,
                usages,
                resource=resource,
                tolerances=tolerances,
                readiness=readiness,
                container=container,
            )
        target = metric.get("target_milli", metric.get("target_average_value_milli"))
        return average_value_replicas(
            current,
            target,
            pods,
            usages,
            tolerances=tolerances,
            readiness=readiness,
            resource=resource,
        )
    total = sum(metric.get("values_milli") or ())
    if metric.get("target_type") == "AverageValue":
        observed = given.get("status_replicas", current)
        return value_per_pod_replicas(observed, metric["target_milli"], total, tolerances)
    return value_replicas(current, metric["target_milli"], total, pods, tolerances)


def _usages(
    given: Mapping[str, Any], metric: Mapping[str, Any], pods: tuple[Pod, ...], now: datetime
) -> dict[Key, PodUsage]:
    """The values by pod: metrics name the pods, the model knows them by uid where they have one."""
    age = int((now - datetime.fromisoformat(given["metric_timestamp"])).total_seconds())
    by_name: dict[str, Key] = {pod.metadata.name: key_of(pod) for pod in pods}
    values: Mapping[str, int] = metric.get("pod_usage_milli") or metric.get("pod_values_milli") or {}
    window = given["metric_window_seconds"]
    return {
        by_name.get(name, name): PodUsage(value, age, window) for name, value in values.items() if value is not None
    }


def rate_limit(case: Case) -> str | None:
    """Policies, minimum and maximum, without a stabilisation window."""
    given = case["input"]
    behavior = decode(HorizontalPodAutoscalerBehavior, given.get("behavior") or {}, Context())
    events = (*_events(given.get("scale_up_events"), 1), *_events(given.get("scale_down_events"), -1))
    limited = limited_by_rates(
        given["current_replicas"],
        given["desired_replicas"],
        minimum=given["min_replicas"],
        maximum=given["max_replicas"],
        events=events,
        up=scale_up_rules(behavior),
        down=scale_down_rules(behavior, 300),
    )
    return _compare_limited(case, limited)


def _events(events: list[Mapping[str, int]] | None, sign: int) -> tuple[ScaleEvent, ...]:
    return tuple(ScaleEvent(sign * each["replica_change"], Age(each["age_seconds"])) for each in events or ())


def stabilization(case: Case) -> str | None:
    """The windows of a behavior."""
    given = case["input"]
    found = stabilized(
        given["current_replicas"],
        given["desired_replicas"],
        _recommendations(given),
        given["scale_up_stabilization_seconds"],
        given["scale_down_stabilization_seconds"],
    )
    return _compare(case["expected"], {"stabilized_replicas": found})


def downscale_stabilization(case: Case) -> str | None:
    """The controller's own window, where there is no behavior."""
    given = case["input"]
    window = given["downscale_stabilization_seconds"]
    found = stabilized_downwards(given["desired_replicas"], _recommendations(given), window)
    return _compare(case["expected"], {"stabilized_replicas": found})


def _recommendations(given: Mapping[str, Any]) -> tuple[Recommendation, ...]:
    return tuple(
        Recommendation(each["replicas"], Age(each["age_seconds"])) for each in given.get("recommendations") or ()
    )


def without_behavior(case: Case) -> str | None:
    """Minimum, maximum and the doubling limit, where there is no behavior."""
    given = case["input"]
    limited = limited_without_behavior(
        given["current_replicas"], given["desired_replicas"], given["min_replicas"], given["max_replicas"]
    )
    return _compare_limited(case, limited)


def _compare_limited(case: Case, limited: Limited) -> str | None:
    found = {"replicas": limited.replicas, "scaling_limited_reason": limited.reason}
    return _compare(case["expected"], found)


def _compare(expected: Mapping[str, Any], found: Mapping[str, Any]) -> str | None:
    """What differs among the things that are expected."""
    wrong = [
        f"{key}: expected {expected[key]}, got {value}"
        for key, value in found.items()
        if key in expected and expected[key] != value
    ]
    return "; ".join(wrong) or None


ADAPTERS: dict[str, Callable[[Case], str | None]] = {
    "hpa/replica-calculation": replica_calculation,
    "hpa/behavior-rate-limit": rate_limit,
    "hpa/behavior-stabilization": stabilization,
    "hpa/downscale-stabilization": downscale_stabilization,
    "hpa/convert-without-behavior": without_behavior,
}
