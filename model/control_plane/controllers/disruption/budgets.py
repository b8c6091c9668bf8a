"""What a PodDisruptionBudget allows: how many pods it counts on, which are healthy, which are about to go.

Source: pkg/controller/disruption/disruption.go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from kythera.model.api.apps import Deployment, ReplicaSet
from kythera.model.api.core.pod import Pod
from kythera.model.api.int_or_string import scaled_value
from kythera.model.api.label_parsing import selector_of
from kythera.model.api.labels import matches
from kythera.model.api.meta import Condition, OwnerReference
from kythera.model.api.pods import condition, controller_of, is_ready, is_terminating, set_condition
from kythera.model.api.policy import PodDisruptionBudget, PodDisruptionBudgetStatus
from kythera.model.record import Age, Map, Record, Uid, record, replace
from kythera.model.view import View

DELETION_TIMEOUT = 120
"""For so many seconds an evicted pod that isn't being deleted yet counts as gone."""

DISRUPTION_ALLOWED = "DisruptionAllowed"


class SyncError(ValueError):
    """A budget cannot be worked out; the text says why."""


@record
class Scale(Record):
    """An owner of pods, and how many it is to have."""

    uid: Uid | None = None
    replicas: int = 0


@record
class Expected(Record):
    """How many pods a budget counts on, and how many of them have to be healthy."""

    pods: int = 0
    healthy: int = 0


@record
class Disrupted(Record):
    """The pods whose eviction was granted, by name and by uid, and seconds until the first is given up."""

    names: Map[Age] = Map()
    uids: tuple[tuple[Uid, Age], ...] = ()
    recheck: int | None = None


ScaleOf = Callable[[OwnerReference, str], Scale | None]


def pods_of(budget: PodDisruptionBudget, pods: Iterable[Pod]) -> tuple[Pod, ...]:
    """The pods that a budget speaks of; ``SyncError`` if its selector means nothing.

    Source: pkg/controller/disruption/disruption.go getPodsForPdb.
    """
    namespace, selector = budget.metadata.namespace, budget.spec.selector
    try:
        if selector is not None:
            selector_of(selector)
    except ValueError as error:
        raise SyncError(str(error)) from error
    return tuple(pod for pod in pods if pod.metadata.namespace == namespace and matches(selector, pod.metadata.labels))


def budget_status(budget: PodDisruptionBudget, pods: Sequence[Pod], scale_of: ScaleOf) -> PodDisruptionBudgetStatus:
    """The status that a budget should have, given the pods that it speaks of.

    No disruption is allowed while no pod is expected.  ``SyncError`` if an owner's scale is not to be found.
    Source: pkg/controller/disruption/disruption.go trySync, updatePdbStatus.
    """
    expected = expected_pods(budget, pods, scale_of)
    disrupted = disrupted_pods(budget, pods)
    healthy = count_healthy(pods, disrupted)
    allowed = max(0, healthy - expected.healthy) if expected.pods > 0 else 0
    generation = budget.metadata.generation
    told = Condition(
        DISRUPTION_ALLOWED,
        "True" if allowed > 0 else "False",
        "SufficientPods" if allowed > 0 else "InsufficientPods",
        observed_generation=generation,
    )
    return PodDisruptionBudgetStatus(
        generation,
        disrupted.names,
        disrupted.uids,
        allowed,
        healthy,
        expected.healthy,
        expected.pods,
        _told(budget.status.conditions, told),
    )


def failed_status(budget: PodDisruptionBudget, message: str) -> PodDisruptionBudgetStatus:
    """The status of a budget that can't be worked out: nothing is allowed, all else stays as it was.

    Source: pkg/controller/disruption/disruption.go failSafe.
    """
    generation = budget.status.observed_generation
    told = Condition(DISRUPTION_ALLOWED, "False", "SyncFailed", message, observed_generation=generation)
    return replace(budget.status, disruptions_allowed=0, conditions=_told(budget.status.conditions, told))


def expected_pods(budget: PodDisruptionBudget, pods: Sequence[Pod], scale_of: ScaleOf) -> Expected:
    """How many pods a budget counts on, and how many have to stay healthy.

    A whole number as ``minAvailable`` counts the pods that there are; everything else counts what their
    owners are scaled to.  Percentages are rounded up.
    Source: pkg/controller/disruption/disruption.go getExpectedPodCount.
    """
    maximum, minimum = budget.spec.max_unavailable, budget.spec.min_available
    try:
        if maximum is not None:
            count = expected_scale(pods, scale_of)
            return Expected(count, max(0, count - scaled_value(maximum, count, True)))
        if isinstance(minimum, str):
            count = expected_scale(pods, scale_of)
            return Expected(count, scaled_value(minimum, count, True))
    except SyncError:
        raise
    except ValueError as error:
        raise SyncError(str(error)) from error
    return Expected() if minimum is None else Expected(len(pods), minimum)


def expected_scale(pods: Iterable[Pod], scale_of: ScaleOf) -> int:
    """What the owners of the pods are scaled to together; pods that nobody owns don't count.

    Source: pkg/controller/disruption/disruption.go getExpectedScale.
    """
    scales: dict[Uid | None, int] = {}
    for pod in pods:
        owner = controller_of(pod)
        if owner is None or owner.uid in scales:
            continue
        found = scale_of(owner, pod.metadata.namespace)
        if found is None:
            raise SyncError(f'found no controllers for pod "{pod.metadata.name}"')
        scales[found.uid] = found.replicas
    return sum(scales.values())


def scale_of_owner(view: View, owner: OwnerReference, namespace: str) -> Scale | None:
    """What a pod's owner is scaled to: the Deployment above a ReplicaSet, or the ReplicaSet where none is found.

    Source: pkg/controller/disruption/disruption.go getPodDeployment, getPodReplicaSet, getScaleController.
    Simplifies: where no Deployment is found upstream asks the API server for the ReplicaSet's scale; here the one
    that is seen is taken.
    """
    if owner.kind != "ReplicaSet" or not _in_group(owner):
        return None
    replica_set = view.get(ReplicaSet, namespace, owner.name)
    if replica_set is None or replica_set.metadata.uid != owner.uid:
        return None
    above = controller_of(replica_set)
    if above is None or above.kind != "Deployment" or not _in_group(above):
        return _scale(replica_set)
    deployment = view.get(Deployment, namespace, above.name)
    if deployment is None or deployment.metadata.uid != above.uid:
        return _scale(replica_set)
    return _scale(deployment)


def _in_group(owner: OwnerReference) -> bool:
    return owner.api_version.rpartition("/")[0] in ("apps", "extensions")


def _scale(owner: Deployment | ReplicaSet) -> Scale:
    return Scale(owner.metadata.uid, 1 if owner.spec.replicas is None else owner.spec.replicas)


def disrupted_pods(budget: PodDisruptionBudget, pods: Iterable[Pod]) -> Disrupted:
    """What is left of the evictions granted: those of pods that exist, aren't being deleted yet, and still
    may be.

    Source: pkg/controller/disruption/disruption.go buildDisruptedPodMap.
    """
    granted = dict(budget.status.disrupted_uids)
    names: dict[str, Age] = {}
    uids: dict[Uid, Age] = {}
    for pod in pods:
        name, uid = pod.metadata.name, pod.metadata.uid
        if is_terminating(pod):
            continue
        if name and (since := budget.status.disrupted_pods.get(name)) is not None and since < DELETION_TIMEOUT:
            names[name] = since
        elif not name and uid in granted and granted[uid] < DELETION_TIMEOUT:
            uids[uid] = granted[uid]
    ages = (*names.values(), *uids.values())
    recheck = min((DELETION_TIMEOUT - age for age in ages), default=None)
    return Disrupted(Map(names), tuple(sorted(uids.items())), recheck)


def count_healthy(pods: Iterable[Pod], disrupted: Disrupted) -> int:
    """How many of the pods are ready, neither being deleted nor about to be.

    Source: pkg/controller/disruption/disruption.go countHealthyPods.
    """
    leaving = dict(disrupted.uids)
    return sum(
        is_ready(pod)
        for pod in pods
        if not is_terminating(pod)
        and pod.metadata.name not in disrupted.names
        and (pod.metadata.name or pod.metadata.uid not in leaving)
    )


def _told(conditions: tuple[Condition, ...], new: Condition) -> tuple[Condition, ...]:
    """The conditions with ``new``; its transition time changes only with its status.

    Source: staging/src/k8s.io/apimachinery/pkg/api/meta/conditions.go SetStatusCondition.
    """
    old = condition(conditions, new.type)
    since = old.last_transition_time if old is not None and old.status == new.status else Age(0)
    return set_condition(conditions, replace(new, last_transition_time=since))
