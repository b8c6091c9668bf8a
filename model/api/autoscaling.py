"""``autoscaling/v2``: HorizontalPodAutoscalers.

Source: staging/src/k8s.io/api/autoscaling/v2/types.go.
"""

from __future__ import annotations

from typing import ClassVar

from kythera.model.api.meta import Condition, LabelSelector, ObjectMeta
from kythera.model.api.quantity import Quantity
from kythera.model.record import Age, Record, record


@record
class CrossVersionObjectReference(Record):
    """An object that has a scale."""

    api_version: str = ""
    kind: str = ""
    name: str = ""


@record
class MetricTarget(Record):
    """The value to be held; type is Utilization, Value or AverageValue."""

    type: str = ""
    value: Quantity | None = None
    average_value: Quantity | None = None
    average_utilization: int | None = None


@record
class ResourceMetricSource(Record):
    """A resource of all containers of the pods."""

    name: str = ""
    target: MetricTarget = MetricTarget()


@record
class ContainerResourceMetricSource(Record):
    """A resource of one container of the pods."""

    name: str = ""
    container: str = ""
    target: MetricTarget = MetricTarget()


@record
class MetricIdentifier(Record):
    """A metric by name and selector."""

    name: str = ""
    selector: LabelSelector | None = None


@record
class PodsMetricSource(Record):
    """A metric of each pod."""

    metric: MetricIdentifier = MetricIdentifier()
    target: MetricTarget = MetricTarget()


@record
class ObjectMetricSource(Record):
    """A metric of another object."""

    described_object: CrossVersionObjectReference = CrossVersionObjectReference()
    target: MetricTarget = MetricTarget()
    metric: MetricIdentifier = MetricIdentifier()


@record
class ExternalMetricSource(Record):
    """A metric from outside the cluster."""

    metric: MetricIdentifier = MetricIdentifier()
    target: MetricTarget = MetricTarget()


@record
class MetricSpec(Record):
    """What to scale by; ``type`` names the field that is set."""

    type: str = ""
    resource: ResourceMetricSource | None = None
    container_resource: ContainerResourceMetricSource | None = None
    pods: PodsMetricSource | None = None
    object: ObjectMetricSource | None = None
    external: ExternalMetricSource | None = None


@record
class HPAScalingPolicy(Record):
    """At most ``value`` pods (type Pods) or percent (type Percent) in ``period_seconds``."""

    type: str = ""
    value: int = 0
    period_seconds: int = 0


@record
class HPAScalingRules(Record):
    """How fast to scale in one direction."""

    stabilization_window_seconds: int | None = None
    select_policy: str | None = None
    policies: tuple[HPAScalingPolicy, ...] = ()
    tolerance: Quantity | None = None


@record
class HorizontalPodAutoscalerBehavior(Record):
    """How fast to scale up and down."""

    scale_up: HPAScalingRules | None = None
    scale_down: HPAScalingRules | None = None


@record
class HorizontalPodAutoscalerSpec(Record):
    """What to scale, between which bounds, by which metrics."""

    scale_target_ref: CrossVersionObjectReference = CrossVersionObjectReference()
    min_replicas: int | None = None
    max_replicas: int = 0
    metrics: tuple[MetricSpec, ...] = ()
    behavior: HorizontalPodAutoscalerBehavior | None = None


@record
class HorizontalPodAutoscalerStatus(Record):
    """What the autoscaler last saw and wanted."""

    observed_generation: int | None = None
    last_scale_time: Age | None = None
    current_replicas: int = 0
    desired_replicas: int = 0
    conditions: tuple[Condition, ...] = ()

    ignored: ClassVar[dict[str, str]] = {"currentMetrics": "a report for people"}


@record
class HorizontalPodAutoscaler(Record):
    """Keeps the number of replicas in proportion to a load."""

    metadata: ObjectMeta = ObjectMeta()
    spec: HorizontalPodAutoscalerSpec = HorizontalPodAutoscalerSpec()
    status: HorizontalPodAutoscalerStatus = HorizontalPodAutoscalerStatus()

    api_version: ClassVar[str] = "autoscaling/v2"
    kind: ClassVar[str] = "HorizontalPodAutoscaler"
    plural: ClassVar[str] = "horizontalpodautoscalers"
