"""What all metrics of a HorizontalPodAutoscaler together ask for.

Source: pkg/controller/podautoscaler/horizontal.go computeReplicasForMetrics.
"""

from __future__ import annotations

from collections.abc import Sequence

from kythera.model.api.apps import Deployment, ReplicaSet
from kythera.model.api.autoscaling import (
    CrossVersionObjectReference,
    HorizontalPodAutoscaler,
    MetricSpec,
    MetricTarget,
)
from kythera.model.api.core.pod import Pod
from kythera.model.api.labels import matches
from kythera.model.api.meta import LabelSelector
from kythera.model.api.metrics import PodMetrics
from kythera.model.api.quantity import milli_value
from kythera.model.control_plane.controllers.horizontal_pod_autoscaler.options import (
    DEFAULT_METRICS,
    SPEC_REPLICAS,
    Options,
    tolerances_of,
)
from kythera.model.control_plane.controllers.horizontal_pod_autoscaler.replica_calculator import (
    MetricError,
    average_value_replicas,
    resource_usage,
    seconds_to_regroup,
    utilization_replicas,
)
from kythera.model.record import Record, record
from kythera.model.view import View

Scalable = Deployment | ReplicaSet

_FAILED = {
    "Resource": "FailedGetResourceMetric",
    "ContainerResource": "FailedGetContainerResourceMetric",
    "Pods": "FailedGetPodsMetric",
    "Object": "FailedGetObjectMetric",
    "External": "FailedGetExternalMetric",
}


class NotActiveError(ValueError):
    """Nothing can be recommended; ``reason`` is that of ScalingActive=False."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


@record
class Measured(Record):
    """What the metrics ask for, and in how many seconds that may change by itself (``None``: not at all)."""

    replicas: int = 0
    wait: int | None = None
    why: str = ""


def find_target(view: View, namespace: str, reference: CrossVersionObjectReference) -> Scalable | None:
    """The object whose scale a reference means, if it is seen and its kind has one in the model."""
    group = reference.api_version.rpartition("/")[0]
    if group == "apps" and reference.kind == Deployment.kind:
        return view.get(Deployment, namespace, reference.name)
    if group == "apps" and reference.kind == ReplicaSet.kind:
        return view.get(ReplicaSet, namespace, reference.name)
    return None


def replicas_of(target: Scalable) -> int:
    """The number of replicas that an object asks for; 1 where it doesn't say."""
    return 1 if target.spec.replicas is None else target.spec.replicas


def measure(hpa: HorizontalPodAutoscaler, target: Scalable, view: View, options: Options) -> Measured:
    """The highest number of replicas that any metric asks for.

    A metric that can't be read is passed over, unless none can or it would be scaled down: then
    ``NotActiveError``.
    Source: pkg/controller/podautoscaler/horizontal.go computeReplicasForMetrics, validateAndParseSelector.
    """
    current, selector = replicas_of(target), target.spec.selector
    if selector is None or selector == LabelSelector():
        raise NotActiveError("InvalidSelector", "the target's scale has no selector")
    pods = _selected(view, hpa.metadata.namespace, selector)
    rivals = _rivals(hpa, pods, view)
    if rivals:
        raise NotActiveError("AmbiguousSelector", f"other autoscalers select the same pods: {', '.join(rivals)}")
    listed = _metrics(view, hpa.metadata.namespace, selector)
    specs = hpa.spec.metrics or DEFAULT_METRICS
    proposals: list[Measured] = []
    failures: list[NotActiveError] = []
    for spec in specs:
        try:
            proposals.append(_measure_one(spec, hpa, current, pods=pods, listed=listed, options=options))
        except MetricError as error:
            failures.append(NotActiveError(_FAILED.get(spec.type, "InvalidMetricSourceType"), str(error)))
    highest = max((each.replicas for each in proposals), default=0)
    if failures and (not proposals or highest < current):
        raise failures[0]
    why = next((each.why for each in proposals if each.replicas == highest), "")
    return Measured(highest, min((each.wait for each in proposals if each.wait is not None), default=None), why)


def wait_for_metrics(hpa: HorizontalPodAutoscaler, target: Scalable, view: View, options: Options) -> int | None:
    """Seconds until the passing of time alone may make the metrics readable; ``None``: it won't."""
    pods = _selected(view, hpa.metadata.namespace, target.spec.selector)
    listed = _metrics(view, hpa.metadata.namespace, target.spec.selector)
    waits = []
    for container in {
        "",
        *(m.container_resource.container for m in hpa.spec.metrics if m.container_resource),
    }:
        try:
            wait = seconds_to_regroup(pods, resource_usage(listed, "cpu", container), options.readiness)
        except MetricError:
            continue
        waits += [] if wait is None else [wait]
    return min(waits, default=None)


def _measure_one(
    spec: MetricSpec,
    hpa: HorizontalPodAutoscaler,
    current: int,
    *,
    pods: Sequence[Pod],
    listed: Sequence[PodMetrics],
    options: Options,
) -> Measured:
    """What one metric asks for.

    Source: pkg/controller/podautoscaler/horizontal.go computeStatusForResourceMetricGeneric.
    Simplifies: metrics that are no resource of the pods (Pods, Object, External) can't be read, as in a
    cluster that has no adapter for them.
    """
    if spec.type == "Resource" and spec.resource is not None:
        resource, container, goal = spec.resource.name, "", spec.resource.target
    elif spec.type == "ContainerResource" and spec.container_resource is not None:
        source = spec.container_resource
        resource, container, goal = source.name, source.container, source.target
    else:
        raise MetricError(f"no source of metrics of type {spec.type}")
    usages = resource_usage(listed, resource, container)
    tolerances = tolerances_of(hpa, options.tolerance)
    base = current if options.base == SPEC_REPLICAS else None
    kind, amount = _goal(goal)
    if kind == "value":
        proposal = average_value_replicas(
            current,
            amount,
            pods,
            usages,
            tolerances=tolerances,
            readiness=options.readiness,
            resource=resource,
            base=base,
        )
    else:
        proposal = utilization_replicas(
            current,
            amount,
            pods,
            usages,
            resource=resource,
            tolerances=tolerances,
            readiness=options.readiness,
            container=container,
            base=base,
        )
    wait = seconds_to_regroup(pods, usages, options.readiness) if resource == "cpu" else None
    shown = "unknown" if proposal.utilization is None else f"{proposal.utilization}%"
    why = f"{resource} is at {shown} of the requests, the target is {amount}%" if kind == "percent" else ""
    return Measured(proposal.replicas, wait, why)


def _goal(target: MetricTarget) -> tuple[str, int]:
    if target.average_value is not None:
        return "value", milli_value(target.average_value)
    if target.average_utilization is not None:
        return "percent", target.average_utilization
    raise MetricError("neither an average utilization nor an average value is set as a target")


def _selected(view: View, namespace: str, selector: LabelSelector | None) -> tuple[Pod, ...]:
    return tuple(pod for pod in view.list(Pod, namespace) if matches(selector, pod.metadata.labels))


def _metrics(view: View, namespace: str, selector: LabelSelector | None) -> tuple[PodMetrics, ...]:
    listed = view.list(PodMetrics, namespace)
    return tuple(each for each in listed if matches(selector, each.metadata.labels))


def _rivals(hpa: HorizontalPodAutoscaler, pods: Sequence[Pod], view: View) -> list[str]:
    """The names of other HorizontalPodAutoscalers that look after any of the pods."""
    found = []
    for other in view.list(HorizontalPodAutoscaler, hpa.metadata.namespace):
        if other.metadata.name == hpa.metadata.name:
            continue
        target = find_target(view, other.metadata.namespace, other.spec.scale_target_ref)
        if target is not None and any(matches(target.spec.selector, pod.metadata.labels) for pod in pods):
            found.append(other.metadata.name)
    return found
