"""``metrics.k8s.io/v1beta1``: what the metrics API tells of a pod's usage.

Source: staging/src/k8s.io/metrics/pkg/apis/metrics/v1beta1/types.go.
"""

from __future__ import annotations

from typing import ClassVar

from kythera.model.api.meta import ObjectMeta
from kythera.model.api.quantity import Quantity
from kythera.model.record import EMPTY, Age, Map, Record, record


@record
class ContainerMetrics(Record):
    """The usage of one container by resource name."""

    name: str = ""
    usage: Map[Quantity] = EMPTY


@record
class PodMetrics(Record):
    """The usage of one pod; ``metadata.uid`` is the pod's, ``timestamp`` when the window ended."""

    metadata: ObjectMeta = ObjectMeta()
    timestamp: Age | None = None
    window: int = 0
    containers: tuple[ContainerMetrics, ...] = ()

    api_version: ClassVar[str] = "metrics.k8s.io/v1beta1"
    kind: ClassVar[str] = "PodMetrics"
    plural: ClassVar[str] = "podmetrics"
