"""PodDisruptionBudgets and PriorityClasses.

Source: pkg/apis/policy/validation/validation.go; pkg/apis/scheduling/validation/validation.go.
"""

from __future__ import annotations

from kythera.model.api.policy import PodDisruptionBudget
from kythera.model.api.scheduling import PriorityClass
from kythera.model.control_plane.apiserver.validation.fields import (
    Errors,
    amount_or_percent,
    at_least_0,
    at_most_100_percent,
    forbidden,
    invalid,
    label_selector,
    unsupported,
)

HIGHEST_USER_DEFINABLE_PRIORITY = 1_000_000_000
SYSTEM_CLASSES = {"system-node-critical": 2_000_001_000, "system-cluster-critical": 2_000_000_000}
EVICTION_POLICIES = ("AlwaysAllow", "IfHealthyBudget")
PREEMPTION_POLICIES = ("Never", "PreemptLowerPriority")


def validate_disruption_budget(budget: PodDisruptionBudget) -> Errors:
    """What the API server has against a budget.

    Source: pkg/apis/policy/validation/validation.go ValidatePodDisruptionBudgetSpec.
    """
    spec = budget.spec
    if spec.min_available is not None and spec.max_unavailable is not None:
        yield invalid("spec", spec, "minAvailable and maxUnavailable cannot be both set")
    for field, value in (("minAvailable", spec.min_available), ("maxUnavailable", spec.max_unavailable)):
        yield from amount_or_percent(f"spec.{field}", value)
        yield from at_most_100_percent(f"spec.{field}", value)
    yield from label_selector("spec.selector", spec.selector)
    policy = spec.unhealthy_pod_eviction_policy
    if policy is not None and policy not in EVICTION_POLICIES:
        yield unsupported("spec.unhealthyPodEvictionPolicy", policy, EVICTION_POLICIES)


def validate_disruption_budget_status(budget: PodDisruptionBudget) -> Errors:
    """What the API server has against the status.

    Source: pkg/apis/policy/validation/validation.go ValidatePodDisruptionBudgetStatusUpdate.
    """
    status = budget.status
    yield from at_least_0("status.disruptionsAllowed", status.disruptions_allowed)
    yield from at_least_0("status.currentHealthy", status.current_healthy)
    yield from at_least_0("status.desiredHealthy", status.desired_healthy)
    yield from at_least_0("status.expectedPods", status.expected_pods)


def validate_priority_class(priority_class: PriorityClass) -> Errors:
    """What the API server has against a priority class: names and values of the system's own are taken.

    Source: pkg/apis/scheduling/validation/validation.go ValidatePriorityClass.
    """
    name = priority_class.metadata.name
    if name.startswith("system-"):
        if SYSTEM_CLASSES.get(name) != priority_class.value:
            detail = "priority class names with 'system-' prefix are reserved for system use only. error: "
            if name in SYSTEM_CLASSES:
                detail += f"value of {name} PriorityClass must be {SYSTEM_CLASSES[name]}"
            else:
                detail += f"{name} is not a known system priority class"
            yield forbidden("metadata.name", detail)
    elif priority_class.value > HIGHEST_USER_DEFINABLE_PRIORITY:
        detail = f"maximum allowed value of a user defined priority is {HIGHEST_USER_DEFINABLE_PRIORITY}"
        yield forbidden("value", detail)
    policy = priority_class.preemption_policy
    if policy is not None and policy not in PREEMPTION_POLICIES:
        yield unsupported("preemptionPolicy", policy, PREEMPTION_POLICIES)


def validate_priority_class_update(old: PriorityClass, new: PriorityClass) -> Errors:
    """What may not change: value and preemption policy.

    Source: pkg/apis/scheduling/validation/validation.go ValidatePriorityClassUpdate.
    """
    if new.value != old.value:
        yield forbidden("value", "may not be changed in an update.")
    if new.preemption_policy != old.preemption_policy:
        yield invalid("preemptionPolicy", new.preemption_policy, "field is immutable")
