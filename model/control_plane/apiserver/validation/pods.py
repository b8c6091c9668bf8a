"""Pods.

Source: pkg/apis/core/validation/validation.go ValidatePodSpec, ValidatePodUpdate.
"""

from __future__ import annotations

from kythera.model.api import names
from kythera.model.api.core.container import Container
from kythera.model.api.core.pod import Pod, PodSpec, Volume
from kythera.model.api.core.scheduling import Toleration
from kythera.model.api.quantity import canonical
from kythera.model.api.requests import container_requests
from kythera.model.control_plane.apiserver.validation.containers import (
    RESTART_POLICIES,
    validate_containers,
    validate_resources,
)
from kythera.model.control_plane.apiserver.validation.fields import (
    Errors,
    at_least_0,
    duplicate,
    forbidden,
    invalid,
    messages,
    one_of,
    required,
    unsupported,
)
from kythera.model.control_plane.apiserver.validation.placement import validate_placement
from kythera.model.record import replace

MOST_INT32 = 2**31 - 1
PREEMPTION_POLICIES = ("Never", "PreemptLowerPriority")
CHANGEABLE = (
    "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
    "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
)


def validate_pod(pod: Pod) -> Errors:
    """What the API server has against a new pod.

    Source: pkg/apis/core/validation/validation.go ValidatePodCreate.
    """
    yield from validate_pod_spec(pod.spec, "spec")
    if pod.spec.node_name and pod.spec.scheduling_gates:
        yield forbidden("spec.nodeName", "cannot be set until all schedulingGates have been cleared")
    if pod.spec.resources is not None:
        of_containers = container_requests(pod)
        for name, amount in pod.spec.resources.requests.items():
            least = of_containers.get(name)
            if least is not None and amount.nano < least.nano:
                detail = f"must be greater than or equal to aggregate container requests of {canonical(least)}"
                yield invalid(f"spec.resources.requests[{name}]", amount, detail)


def validate_pod_spec(spec: PodSpec, at: str) -> Errors:
    """What the API server has against the specification of a pod or pod template; ``at`` is its path.

    Source: pkg/apis/core/validation/validation.go ValidatePodSpec.
    """
    yield from _volumes(spec.volumes, f"{at}.volumes")
    yield from validate_containers(spec, at)
    yield from one_of(f"{at}.restartPolicy", spec.restart_policy, RESTART_POLICIES)
    yield from at_least_0(f"{at}.terminationGracePeriodSeconds", spec.termination_grace_period_seconds)
    yield from validate_placement(spec, at)
    if spec.resources is not None:
        yield from validate_resources(spec.resources.requests, spec.resources.limits, f"{at}.resources")
    deadline = spec.active_deadline_seconds
    if deadline is not None and not 1 <= deadline <= MOST_INT32:
        detail = f"must be between 1 and {MOST_INT32}, inclusive"
        yield invalid(f"{at}.activeDeadlineSeconds", deadline, detail)
    for field, value in (("hostname", spec.hostname), ("subdomain", spec.subdomain)):
        if value:
            yield from messages(f"{at}.{field}", value, names.is_dns1123_label(value))
    if spec.node_name:
        problems = names.is_dns1123_subdomain(spec.node_name)
        yield from messages(f"{at}.nodeName", spec.node_name, problems)
    if spec.priority_class_name:
        problems = names.is_dns1123_subdomain(spec.priority_class_name)
        yield from messages(f"{at}.priorityClassName", spec.priority_class_name, problems)
    if spec.preemption_policy is not None and spec.preemption_policy not in PREEMPTION_POLICIES:
        yield unsupported(f"{at}.preemptionPolicy", spec.preemption_policy, PREEMPTION_POLICIES)


def _volumes(volumes: tuple[Volume, ...], at: str) -> Errors:
    seen: set[str] = set()
    for i, volume in enumerate(volumes):
        here = f"{at}[{i}]"
        if not volume.name:
            yield required(f"{here}.name")
        else:
            yield from messages(f"{here}.name", volume.name, names.is_dns1123_label(volume.name))
        if volume.name in seen:
            yield duplicate(f"{here}.name", volume.name)
        seen.add(volume.name)
        if volume.config_map is not None and not volume.config_map.name:
            yield required(f"{here}.configMap.name")
        if volume.secret is not None and not volume.secret.secret_name:
            yield required(f"{here}.secret.secretName")
        claim = volume.persistent_volume_claim
        if claim is not None and not claim.claim_name:
            yield required(f"{here}.persistentVolumeClaim.claimName")


def validate_pod_update(old: Pod, new: Pod) -> Errors:
    """What may not change in a pod: nearly everything.

    Images may, tolerations may be added, the deadline may come nearer; a gated pod may lose gates and be
    bound to fewer nodes.
    Source: pkg/apis/core/validation/validation.go ValidatePodUpdate.
    Simplifies: Kubernetes adds a textual difference of the two specifications to the last error; of a gated
    pod's node affinity it checks that it becomes stricter.
    """
    before, after = old.spec, new.spec
    for field, ours, theirs in (
        ("containers", after.containers, before.containers),
        ("initContainers", after.init_containers, before.init_containers),
    ):
        if len(ours) != len(theirs):
            yield forbidden(f"spec.{field}", "pod updates may not add or remove containers")
            return
        for i, container in enumerate(ours):
            if not container.image:
                yield required(f"spec.{field}[{i}].image")
    yield from _deadline(before.active_deadline_seconds, after.active_deadline_seconds)
    if not _only_added(before.tolerations, after.tolerations):
        detail = "existing toleration can not be modified except its tolerationSeconds"
        yield forbidden("spec.tolerations", detail)
    known = {gate.name for gate in before.scheduling_gates}
    for gate in after.scheduling_gates:
        if gate.name not in known:
            detail = f"only deletion is allowed, but found new scheduling gate '{gate.name}'"
            yield forbidden("spec.schedulingGates", detail)
    grace = after.termination_grace_period_seconds
    may_shorten = (before.termination_grace_period_seconds or 0) < 0 and grace == 1
    gated = bool(before.scheduling_gates)
    if gated and not before.node_selector.items() <= after.node_selector.items():
        yield invalid("spec.nodeSelector", after.node_selector, "only additions are allowed")
    allowed = replace(
        after,
        containers=_with_images(after.containers, before.containers),
        init_containers=_with_images(after.init_containers, before.init_containers),
        active_deadline_seconds=before.active_deadline_seconds,
        tolerations=before.tolerations,
        scheduling_gates=before.scheduling_gates,
        termination_grace_period_seconds=before.termination_grace_period_seconds if may_shorten else grace,
        node_selector=before.node_selector if gated else after.node_selector,
        affinity=before.affinity if gated else after.affinity,
    )
    if allowed != before:
        yield forbidden("spec", CHANGEABLE)


def _with_images(ours: tuple[Container, ...], theirs: tuple[Container, ...]) -> tuple[Container, ...]:
    return tuple(replace(a, image=b.image) for a, b in zip(ours, theirs, strict=True))


def _deadline(before: int | None, after: int | None) -> Errors:
    if before is None or before == after:
        return
    at = "spec.activeDeadlineSeconds"
    if after is None:
        yield invalid(at, None, "must not update from a positive integer to nil value")
    elif after > before:
        yield invalid(at, after, "must be less than or equal to previous value")


def _only_added(before: tuple[Toleration, ...], after: tuple[Toleration, ...]) -> bool:
    """Whether every toleration is still there; how long it lasts may have changed."""
    there = {replace(each, toleration_seconds=None) for each in after}
    return all(replace(each, toleration_seconds=None) in there for each in before)
