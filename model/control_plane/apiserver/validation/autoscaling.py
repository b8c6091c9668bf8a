"""HorizontalPodAutoscalers.

Source: pkg/apis/autoscaling/validation/validation.go.
"""

from __future__ import annotations

from kythera.model.api.autoscaling import (
    ContainerResourceMetricSource,
    CrossVersionObjectReference,
    HorizontalPodAutoscaler,
    HPAScalingRules,
    MetricIdentifier,
    MetricSpec,
    MetricTarget,
)
from kythera.model.control_plane.apiserver.validation.fields import (
    AT_LEAST_1,
    Errors,
    at_least_0,
    forbidden,
    invalid,
    label_selector,
    required,
    unsupported,
)

SOURCES = ("Object", "Pods", "Resource", "External", "ContainerResource")
TARGETS = ("Utilization", "Value", "AverageValue")
SELECT_POLICIES = ("Max", "Min", "Disabled")
MOST_STABILIZATION_SECONDS, MOST_PERIOD_SECONDS = 3600, 1800


def validate_autoscaler(autoscaler: HorizontalPodAutoscaler) -> Errors:
    """What the API server has against an autoscaler.

    The smallest number of replicas is 1: scaling to zero is behind a gate that is off by default.
    Source: pkg/apis/autoscaling/validation/validation.go validateHorizontalPodAutoscalerSpec.
    """
    spec = autoscaler.spec
    least, most = spec.min_replicas, spec.max_replicas
    if least is not None and least < 1:
        yield invalid("spec.minReplicas", least, "must be greater than or equal to 1")
    if most < 1:
        yield invalid("spec.maxReplicas", most, AT_LEAST_1)
    if least is not None and most < least:
        yield invalid("spec.maxReplicas", most, "must be greater than or equal to `minReplicas`")
    yield from _reference(spec.scale_target_ref, "spec.scaleTargetRef")
    for i, metric in enumerate(spec.metrics):
        yield from _metric(metric, f"spec.metrics[{i}]")
    if spec.behavior is not None:
        yield from _rules(spec.behavior.scale_up, "spec.behavior.scaleUp")
        yield from _rules(spec.behavior.scale_down, "spec.behavior.scaleDown")


def validate_autoscaler_status(autoscaler: HorizontalPodAutoscaler) -> Errors:
    """What the API server has against the status.

    Source: pkg/apis/autoscaling/validation/validation.go ValidateHorizontalPodAutoscalerStatusUpdate.
    """
    yield from at_least_0("status.currentReplicas", autoscaler.status.current_replicas)
    yield from at_least_0("status.desiredReplicas", autoscaler.status.desired_replicas)


def _reference(reference: CrossVersionObjectReference, at: str) -> Errors:
    for field, value in (("kind", reference.kind), ("name", reference.name)):
        if not value:
            yield required(f"{at}.{field}")
        elif value in (".", ".."):
            yield invalid(f"{at}.{field}", value, f"may not be '{value}'")
        else:
            for part in ("/", "%"):
                if part in value:
                    yield invalid(f"{at}.{field}", value, f"may not contain '{part}'")


def _rules(rules: HPAScalingRules | None, at: str) -> Errors:
    if rules is None:
        return
    window = rules.stabilization_window_seconds
    yield from at_least_0(f"{at}.stabilizationWindowSeconds", window)
    if window is not None and window > MOST_STABILIZATION_SECONDS:
        detail = f"must be less than or equal to {MOST_STABILIZATION_SECONDS}"
        yield invalid(f"{at}.stabilizationWindowSeconds", window, detail)
    if rules.select_policy is not None and rules.select_policy not in SELECT_POLICIES:
        yield unsupported(f"{at}.selectPolicy", rules.select_policy, SELECT_POLICIES)
    if rules.tolerance is not None and rules.tolerance.nano < 0:
        yield invalid(f"{at}.tolerance", rules.tolerance, "must be greater than or equal to zero")
    if not rules.policies:
        yield required(f"{at}.policies", "must specify at least one Policy")
    for i, policy in enumerate(rules.policies):
        here = f"{at}.policies[{i}]"
        if policy.type not in ("Pods", "Percent"):
            yield unsupported(f"{here}.type", policy.type, ("Pods", "Percent"))
        if policy.value <= 0:
            yield invalid(f"{here}.value", policy.value, "must be greater than zero")
        if policy.period_seconds <= 0:
            yield invalid(f"{here}.periodSeconds", policy.period_seconds, "must be greater than zero")
        if policy.period_seconds > MOST_PERIOD_SECONDS:
            detail = f"must be less than or equal to {MOST_PERIOD_SECONDS}"
            yield invalid(f"{here}.periodSeconds", policy.period_seconds, detail)


def _metric(metric: MetricSpec, at: str) -> Errors:
    if not metric.type:
        yield required(f"{at}.type", "must specify a metric source type")
    if metric.type not in SOURCES:
        yield unsupported(f"{at}.type", metric.type, SOURCES)
    present = []
    for field, source in (
        ("object", metric.object),
        ("external", metric.external),
        ("pods", metric.pods),
        ("resource", metric.resource),
        ("containerResource", metric.container_resource),
    ):
        if source is None:
            continue
        present.append(field)
        if len(present) == 1:
            yield from _source(metric, field, f"{at}.{field}")
    wanted = metric.type[:1].lower() + metric.type[1:]
    if wanted not in present:
        yield required(f"{at}.{wanted}", "must populate information for the given metric source")
    if len(present) != 1:
        for field in present:
            if field != wanted:
                yield forbidden(f"{at}.{field}", "must populate the given metric source only")


def _source(metric: MetricSpec, field: str, at: str) -> Errors:
    if metric.object is not None and field == "object":
        yield from _reference(metric.object.described_object, f"{at}.describedObject")
        yield from _identifier(metric.object.metric, f"{at}.metric")
        yield from _target(metric.object.target, f"{at}.target")
        if metric.object.target.value is None and metric.object.target.average_value is None:
            detail = "must set either a target value or averageValue"
            yield required(f"{at}.target.averageValue", detail)
    elif metric.external is not None and field == "external":
        yield from _identifier(metric.external.metric, f"{at}.metric")
        yield from _target(metric.external.target, f"{at}.target")
        target = metric.external.target
        if target.value is None and target.average_value is None:
            yield required(f"{at}.target.averageValue", "must set either a target value for metric or a per-pod target")
        if target.value is not None and target.average_value is not None:
            yield forbidden(f"{at}.target.value", "may not set both a target value for metric and a per-pod target")
    elif metric.pods is not None and field == "pods":
        yield from _identifier(metric.pods.metric, f"{at}.metric")
        yield from _target(metric.pods.target, f"{at}.target")
        if metric.pods.target.average_value is None or metric.pods.target.average_value.nano <= 0:
            yield required(f"{at}.target.averageValue", "must specify a positive target averageValue")
    else:
        source = metric.resource if field == "resource" else metric.container_resource
        if source is None:
            return
        if not source.name:
            yield required(f"{at}.name", "must specify a resource name")
        if isinstance(source, ContainerResourceMetricSource) and not source.container:
            yield required(f"{at}.container", "must specify a container")
        yield from _target(source.target, f"{at}.target")
        if source.target.average_utilization is None and source.target.average_value is None:
            detail = "must set either a target raw value or a target utilization"
            yield required(f"{at}.target.averageUtilization", detail)
        if source.target.average_utilization is not None and source.target.average_value is not None:
            detail = "may not set both a target raw value and a target utilization"
            yield forbidden(f"{at}.target.averageValue", detail)


def _identifier(metric: MetricIdentifier, at: str) -> Errors:
    if not metric.name:
        yield required(f"{at}.name", "must specify a metric name")
    yield from label_selector(f"{at}.selector", metric.selector)


def _target(target: MetricTarget, at: str) -> Errors:
    if not target.type:
        yield required(f"{at}.type", "must specify a metric target type")
    if target.type not in TARGETS:
        detail = "must be either Utilization, Value, or AverageValue"
        yield invalid(f"{at}.type", target.type, detail)
    for field, amount in (("value", target.value), ("averageValue", target.average_value)):
        if amount is not None and amount.nano <= 0:
            yield invalid(f"{at}.{field}", amount, "must be positive")
    if target.average_utilization is not None and target.average_utilization < 1:
        yield invalid(f"{at}.averageUtilization", target.average_utilization, AT_LEAST_1)
