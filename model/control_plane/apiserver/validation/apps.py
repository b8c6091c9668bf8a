"""Deployments and ReplicaSets.

Source: pkg/apis/apps/validation/validation.go.
"""

from __future__ import annotations

from kythera.model.api import names
from kythera.model.api.apps import Deployment, DeploymentStrategy, ReplicaSet
from kythera.model.api.core.pod import PodTemplateSpec
from kythera.model.api.labels import matches
from kythera.model.api.meta import IntOrString, LabelSelector
from kythera.model.control_plane.apiserver.validation.fields import (
    Errors,
    amount_or_percent,
    at_least_0,
    at_most_100_percent,
    forbidden,
    immutable,
    invalid,
    is_empty,
    label_selector,
    labels,
    messages,
    percentage,
    required,
    unsupported,
)
from kythera.model.control_plane.apiserver.validation.pods import validate_pod_spec


def validate_deployment(deployment: Deployment) -> Errors:
    """What the API server has against a Deployment.

    Source: pkg/apis/apps/validation/validation.go ValidateDeploymentSpec.
    """
    spec = deployment.spec
    yield from at_least_0("spec.replicas", spec.replicas)
    yield from _selector_and_template(spec.selector, spec.template, "spec.selector", "deployment")
    yield from _strategy(spec.strategy)
    yield from at_least_0("spec.minReadySeconds", spec.min_ready_seconds)
    yield from at_least_0("spec.revisionHistoryLimit", spec.revision_history_limit)
    deadline = spec.progress_deadline_seconds
    if deadline is not None:
        yield from at_least_0("spec.progressDeadlineSeconds", deadline)
        if deadline <= spec.min_ready_seconds:
            yield invalid("spec.progressDeadlineSeconds", deadline, "must be greater than minReadySeconds")


def validate_deployment_update(old: Deployment, new: Deployment) -> Errors:
    """What may not change: the selector.

    Source: pkg/registry/apps/deployment/strategy.go ValidateUpdate.
    """
    yield from immutable("spec.selector", new.spec.selector, old.spec.selector)


def validate_replica_set(replica_set: ReplicaSet) -> Errors:
    """What the API server has against a ReplicaSet.

    Source: pkg/apis/apps/validation/validation.go ValidateReplicaSetSpec.
    """
    spec = replica_set.spec
    yield from at_least_0("spec.replicas", spec.replicas)
    yield from at_least_0("spec.minReadySeconds", spec.min_ready_seconds)
    yield from _selector_and_template(spec.selector, spec.template, "spec.selector", "deployment")


def validate_replica_set_update(old: ReplicaSet, new: ReplicaSet) -> Errors:
    """What may not change: the selector.

    Source: pkg/registry/apps/replicaset/strategy.go ValidateUpdate.
    """
    yield from immutable("spec.selector", new.spec.selector, old.spec.selector)


def _selector_and_template(selector: LabelSelector | None, template: PodTemplateSpec, at: str, owner: str) -> Errors:
    if selector is None:
        yield required(at)
    else:
        yield from label_selector(at, selector)
        if is_empty(selector):
            yield invalid(at, selector, f"empty selector is invalid for {owner}")
    if selector is not None and not is_empty(selector) and not matches(selector, template.metadata.labels):
        detail = "`selector` does not match template `labels`"
        yield invalid("spec.template.metadata.labels", template.metadata.labels, detail)
    yield from labels("spec.template.labels", template.metadata.labels)
    for key in template.metadata.annotations:
        problems = names.is_qualified_name(key.lower())
        yield from messages("spec.template.annotations", key, problems)
    yield from validate_pod_spec(template.spec, "spec.template.spec")
    policy = template.spec.restart_policy
    if policy and policy != "Always":
        yield unsupported("spec.template.spec.restartPolicy", policy, ("Always",))
    if template.spec.active_deadline_seconds is not None:
        detail = "activeDeadlineSeconds in ReplicaSet is not Supported"
        yield forbidden("spec.template.spec.activeDeadlineSeconds", detail)


def _strategy(strategy: DeploymentStrategy) -> Errors:
    at = "spec.strategy"
    if strategy.type == "Recreate":
        if strategy.rolling_update is not None:
            yield forbidden(f"{at}.rollingUpdate", "may not be specified when strategy `type` is 'Recreate'")
    elif strategy.type == "RollingUpdate":
        rolling = strategy.rolling_update
        if rolling is None:
            yield required(f"{at}.rollingUpdate", "this should be defaulted and never be nil")
            return
        at = f"{at}.rollingUpdate"
        unavailable, surge = rolling.max_unavailable, rolling.max_surge
        yield from amount_or_percent(f"{at}.maxUnavailable", unavailable)
        yield from amount_or_percent(f"{at}.maxSurge", surge)
        if _is_zero(unavailable) and _is_zero(surge):
            yield invalid(f"{at}.maxUnavailable", unavailable, "may not be 0 when `maxSurge` is 0")
        yield from at_most_100_percent(f"{at}.maxUnavailable", unavailable)
    else:
        yield unsupported(f"{at}.type", strategy.type, ("Recreate", "RollingUpdate"))


def _is_zero(value: IntOrString | None) -> bool:
    return value in (0, None) or percentage(value) == 0
