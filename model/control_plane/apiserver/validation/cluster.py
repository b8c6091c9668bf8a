"""Namespaces, nodes, ConfigMaps, Secrets and Leases.

Source: pkg/apis/core/validation/validation.go; pkg/apis/coordination/validation/validation.go.
"""

from __future__ import annotations

from kythera.model.api import names
from kythera.model.api.coordination import Lease
from kythera.model.api.core.cluster import ConfigMap, Namespace, Secret
from kythera.model.api.core.node import Node
from kythera.model.control_plane.apiserver.validation.fields import (
    AT_LEAST_1,
    Errors,
    at_least_0,
    duplicate,
    forbidden,
    immutable,
    invalid,
    messages,
    required,
    unsupported,
)

TAINT_EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
LEASE_STRATEGIES = ("OldestEmulationVersion",)


def validate_namespace(namespace: Namespace) -> Errors:
    """What the API server has against a namespace: finalizers that nobody could remove.

    Source: pkg/apis/core/validation/validation.go ValidateNamespace.
    """
    for finalizer in namespace.spec.finalizers:
        yield from messages("spec.finalizers", finalizer, names.is_qualified_name(finalizer))


def validate_node(node: Node) -> Errors:
    """What the API server has against a node: taints without key or effect, or twice the same.

    Source: pkg/apis/core/validation/validation.go ValidateNode, validateNodeTaints.
    """
    seen: set[tuple[str, str]] = set()
    for i, taint in enumerate(node.spec.taints):
        at = f"spec.taints[{i}]"
        yield from messages(f"{at}.key", taint.key, names.is_qualified_name(taint.key))
        yield from messages(f"{at}.value", taint.value, names.is_valid_label_value(taint.value))
        if not taint.effect:
            yield required(f"{at}.effect")
        elif taint.effect not in TAINT_EFFECTS:
            yield unsupported(f"{at}.effect", taint.effect, TAINT_EFFECTS)
        if (taint.key, taint.effect) in seen:
            yield duplicate(at, taint)
        seen.add((taint.key, taint.effect))
    for field, resources in (("capacity", node.status.capacity), ("allocatable", node.status.allocatable)):
        for name, amount in resources.items():
            if amount.nano < 0:
                yield invalid(f"status.{field}[{name}]", amount, "must be greater than or equal to 0")


def validate_keys(obj: ConfigMap | Secret) -> Errors:
    """What the API server has against a ConfigMap or Secret: keys that can't be file names.

    Source: pkg/apis/core/validation/validation.go ValidateConfigMap, ValidateSecret.
    """
    for key in obj.data:
        yield from messages(f"data[{key}]", key, names.is_config_map_key(key))


def validate_keys_update(old: ConfigMap | Secret, new: ConfigMap | Secret) -> Errors:
    """What may not change: anything in an immutable object, and a Secret's type.

    Source: pkg/apis/core/validation/validation.go ValidateConfigMapUpdate, ValidateSecretUpdate.
    """
    if old.immutable:
        detail = "field is immutable when `immutable` is set"
        if not new.immutable:
            yield forbidden("immutable", detail)
        if new.data != old.data:
            yield forbidden("data", detail)
    if isinstance(old, Secret) and isinstance(new, Secret):
        yield from immutable("type", new.type, old.type)


def validate_lease(lease: Lease) -> Errors:
    """What the API server has against a lease.

    Source: pkg/apis/coordination/validation/validation.go ValidateLeaseSpec.
    """
    spec = lease.spec
    if spec.lease_duration_seconds is not None and spec.lease_duration_seconds <= 0:
        yield invalid("spec.leaseDurationSeconds", spec.lease_duration_seconds, AT_LEAST_1)
    yield from at_least_0("spec.leaseTransitions", spec.lease_transitions)
    if spec.strategy is not None:
        if "/" in spec.strategy:
            yield from messages("spec.strategy.strategy", spec.strategy, names.is_qualified_name(spec.strategy))
        elif spec.strategy not in LEASE_STRATEGIES:
            yield unsupported("spec.strategy.strategy", spec.strategy, LEASE_STRATEGIES)
    if spec.preferred_holder and not spec.strategy:
        yield forbidden("spec.preferredHolder", "may only be specified if `strategy` is defined")
