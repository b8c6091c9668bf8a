"""Validation: what the API server has against an object, in Kubernetes' own words.

``validate`` judges a new object (with its defaults filled in), ``validate_update`` a change.  Each API group
has a file of its own.

Source: pkg/apis/*/validation/validation.go.
Simplifies: fields that the model ignores are not judged.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from kythera.model.api.apps import Deployment, ReplicaSet
from kythera.model.api.autoscaling import HorizontalPodAutoscaler
from kythera.model.api.coordination import Lease
from kythera.model.api.core.cluster import ConfigMap, Namespace, Secret
from kythera.model.api.core.node import Node
from kythera.model.api.core.pod import Pod
from kythera.model.api.core.service import Service
from kythera.model.api.discovery import EndpointSlice
from kythera.model.api.policy import PodDisruptionBudget
from kythera.model.api.scheduling import PriorityClass
from kythera.model.control_plane.apiserver.validation import (
    apps,
    autoscaling,
    cluster,
    pods,
    policy,
    services,
)
from kythera.model.control_plane.apiserver.validation.fields import Errors, FieldError
from kythera.model.control_plane.apiserver.validation.metadata import (
    validate_metadata,
    validate_metadata_update,
)
from kythera.model.record import Record

__all__ = ["FieldError", "validate", "validate_update"]

_OBJECT: dict[type[Record], Callable[[Any], Errors]] = {
    Namespace: cluster.validate_namespace,
    Node: cluster.validate_node,
    ConfigMap: cluster.validate_keys,
    Secret: cluster.validate_keys,
    Lease: cluster.validate_lease,
    Pod: pods.validate_pod,
    Service: services.validate_service,
    EndpointSlice: services.validate_endpoint_slice,
    Deployment: apps.validate_deployment,
    ReplicaSet: apps.validate_replica_set,
    HorizontalPodAutoscaler: autoscaling.validate_autoscaler,
    PodDisruptionBudget: policy.validate_disruption_budget,
    PriorityClass: policy.validate_priority_class,
}

_CHANGE: dict[type[Record], Callable[[Any, Any], Errors]] = {
    ConfigMap: cluster.validate_keys_update,
    Secret: cluster.validate_keys_update,
    Pod: pods.validate_pod_update,
    Service: services.validate_service_update,
    EndpointSlice: services.validate_endpoint_slice_update,
    Deployment: apps.validate_deployment_update,
    ReplicaSet: apps.validate_replica_set_update,
    PriorityClass: policy.validate_priority_class_update,
}

_STATUS: dict[type[Record], Callable[[Any], Errors]] = {
    HorizontalPodAutoscaler: autoscaling.validate_autoscaler_status,
    PodDisruptionBudget: policy.validate_disruption_budget_status,
}


@lru_cache(maxsize=50_000)
def validate(obj: Record) -> tuple[FieldError, ...]:
    """Everything that is wrong with a new object, in the order in which Kubernetes reports it.

    Source: staging/src/k8s.io/apiserver/pkg/registry/rest/create.go BeforeCreate.
    """
    judged = _OBJECT.get(type(obj))
    return (*validate_metadata(obj), *(judged(obj) if judged is not None else ()))


@lru_cache(maxsize=50_000)
def validate_update(old: Record, new: Record, subresource: str = "") -> tuple[FieldError, ...]:
    """Everything that is wrong with a change of the object itself or through a subresource.

    Source: staging/src/k8s.io/apiserver/pkg/registry/rest/update.go BeforeUpdate.
    Simplifies: of a change of status only numbers are judged.
    """
    kind = type(old)
    found = [*validate_metadata_update(old, new)]
    if subresource == "status":
        status = _STATUS.get(kind)
        return (*found, *(status(new) if status is not None else ()))
    judged, changed = _OBJECT.get(kind), _CHANGE.get(kind)
    if judged is not None and kind is not Pod:
        found += judged(new)
    if kind is Pod:  # what an update may not touch was judged when the pod was created
        found += pods.validate_pod_spec(new.spec, "spec")  # type: ignore[attr-defined]
    if changed is not None:
        found += changed(old, new)
    return tuple(found)
