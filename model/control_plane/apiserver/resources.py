"""What the API server knows of each kind besides its fields: names, scope, subresources, generations.

Source: pkg/registry/<group>/<kind>/strategy.go of each kind.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from kythera.model.api.apps import Deployment, ReplicaSet
from kythera.model.api.autoscaling import HorizontalPodAutoscaler
from kythera.model.api.coordination import Lease
from kythera.model.api.core.cluster import ConfigMap, Namespace, Secret
from kythera.model.api.core.node import Node
from kythera.model.api.core.pod import Pod
from kythera.model.api.core.service import Service
from kythera.model.api.discovery import EndpointSlice
from kythera.model.api.metrics import PodMetrics
from kythera.model.api.policy import PodDisruptionBudget
from kythera.model.api.scheduling import PriorityClass
from kythera.model.record import Record

Version = Callable[[Any], object]


@dataclass(frozen=True, slots=True)
class Resource:
    """One kind: its class, scope and subresources.

    ``generation``: the part of an object whose change makes ``metadata.generation`` rise (``None``: the kind
    has no generation).  ``kept_by_status``: metadata that an update of the status cannot change.
    """

    kind: type[Record]
    namespaced: bool = True
    status: bool = False
    scale: bool = False
    generation: Version | None = None
    kept_by_status: tuple[str, ...] = ()

    @property
    def group(self) -> str:
        """The API group, empty for the core group."""
        version: str = self.kind.api_version  # type: ignore[attr-defined]
        return version.partition("/")[0] if "/" in version else ""

    @property
    def name(self) -> str:
        """The resource as messages name it: ``pods``, ``deployments.apps``."""
        plural: str = self.kind.plural  # type: ignore[attr-defined]
        return f"{plural}.{self.group}" if self.group else plural

    @property
    def group_kind(self) -> str:
        """The kind as messages name it: ``Pod``, ``Deployment.apps``."""
        return f"{self.kind.__name__}.{self.group}" if self.group else self.kind.__name__


def _spec(obj: Any) -> object:
    return obj.spec


def _spec_and_annotations(obj: Any) -> object:
    return obj.spec, obj.metadata.annotations


def _slice(obj: Any) -> object:
    return obj.endpoints, obj.ports, obj.metadata.labels


def _never(obj: Any) -> object:
    return None


RESOURCES: dict[str, Resource] = {
    each.kind.__name__: each
    for each in (
        Resource(Namespace, namespaced=False, status=True),
        Resource(Node, namespaced=False, status=True),
        Resource(PriorityClass, namespaced=False, generation=_never),
        Resource(Pod, status=True, generation=_spec, kept_by_status=("owner_references",)),
        Resource(Service),
        Resource(ConfigMap),
        Resource(Secret),
        Resource(Deployment, status=True, scale=True, generation=_spec_and_annotations, kept_by_status=("labels",)),
        Resource(ReplicaSet, status=True, scale=True, generation=_spec),
        Resource(HorizontalPodAutoscaler, status=True),
        Resource(PodDisruptionBudget, status=True, generation=_spec),
        Resource(EndpointSlice, generation=_slice),
        Resource(Lease),
        Resource(PodMetrics),
    )
}


def place_of(kind: str, namespace: str) -> str:
    """The namespace of an object of a kind that an object in a namespace refers to: none if it has none."""
    resource = RESOURCES.get(kind)
    return "" if resource is not None and not resource.namespaced else namespace
