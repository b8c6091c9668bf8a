"""Eviction: a deletion that asks the disruption budgets first, and is booked on them in the same step.

Source: pkg/registry/core/pod/storage/eviction.go.
"""

from __future__ import annotations

from kythera.model.api.core.pod import Pod
from kythera.model.api.labels import matches
from kythera.model.api.meta import Condition
from kythera.model.api.pods import condition, is_ready, is_terminal, is_terminating, set_condition
from kythera.model.api.policy import PodDisruptionBudget
from kythera.model.control_plane.apiserver.deletion import delete
from kythera.model.control_plane.apiserver.objects import get, put
from kythera.model.control_plane.apiserver.replies import (
    conflict,
    forbidden,
    internal,
    not_found,
    ok,
    resource_of,
    shown,
    too_many_requests,
)
from kythera.model.controller import Reply
from kythera.model.record import Age, replace
from kythera.model.request import Delete, Evict, Ref
from kythera.model.view import View

MOST_DISRUPTED_PODS = 2000


def evict(store: View, request: Evict) -> tuple[View, Reply]:
    """The store after an eviction: budget booked, pod marked (DisruptionTarget) and deleted with its grace.

    A pod that is terminal, Pending or on its way out anyway is deleted without a look at the budgets, and an
    unready one without booking where its budget's policy allows that.
    Errors: 404; 409 for another incarnation; 429 if the budget is exhausted or does not show its present
    specification yet; 500 if the pod has more than one budget.
    Source: pkg/registry/core/pod/storage/eviction.go EvictionREST.Create.
    Simplifies: Kubernetes books, marks and deletes in three writes, between which a crash leaves a booked
    budget.
    """
    resource = resource_of("Pod")
    name = shown(request.ref)
    pod = get(store, Ref("Pod", request.ref.namespace, request.ref.name, request.ref.uid))
    if not isinstance(pod, Pod):
        raise not_found(resource, name)
    name = shown(pod.metadata)
    if request.ref.uid is not None and request.ref.uid != pod.metadata.uid:
        raise conflict(
            "pods",
            name,
            f"the UID in the precondition ({request.ref.uid}) does not match the UID in "
            f"record ({pod.metadata.uid}). The object might have been deleted and then recreated",
        )
    if not may_ignore_budgets(pod):
        store = _book(store, pod)
    doomed = condition(pod.status.conditions, "DisruptionTarget")
    new = Condition(
        "DisruptionTarget",
        "True",
        "EvictionByEvictionAPI",
        "Eviction API: evicting",
        last_transition_time=Age(0),
    )
    if doomed is not None and doomed.status == new.status:
        new = replace(new, last_transition_time=doomed.last_transition_time)
    marked = replace(pod, status=replace(pod.status, conditions=set_condition(pod.status.conditions, new)))
    store = put(store, marked, pod)
    after, reply = delete(store, Delete(request.ref, request.grace_period_seconds))
    return after, ok(reply.object, 201)


def may_ignore_budgets(pod: Pod) -> bool:
    """Whether evicting the pod disrupts nothing that a budget protects.

    Source: pkg/registry/core/pod/storage/eviction.go canIgnorePDB.
    """
    return is_terminal(pod) or is_terminating(pod) or pod.status.phase == "Pending"


def _book(store: View, pod: Pod) -> View:
    """The store with the eviction written into the pod's budget, if it has one and that must be asked."""
    budgets = [
        budget
        for budget in store.list(PodDisruptionBudget, pod.metadata.namespace)
        if matches(budget.spec.selector, pod.metadata.labels)
    ]
    if not budgets:
        return store
    if len(budgets) > 1:
        raise internal(
            "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."
        )
    budget = budgets[0]
    if not is_ready(pod) and unready_may_go(budget):
        return store
    return put(store, decremented(budget, pod), budget)


def unready_may_go(budget: PodDisruptionBudget) -> bool:
    """Whether a pod that isn't ready may be evicted without counting as a disruption.

    With AlwaysAllow always, else if the budget has enough healthy pods without it.
    Source: pkg/registry/core/pod/storage/eviction.go; KEP-3017.
    """
    status = budget.status
    if budget.spec.unhealthy_pod_eviction_policy == "AlwaysAllow":
        return True
    return status.current_healthy >= status.desired_healthy > 0


def decremented(budget: PodDisruptionBudget, pod: Pod) -> PodDisruptionBudget:
    """The budget with one disruption less to give, and the pod written down as disrupted now.

    Errors: 429 if there is none to give or the status is of an older specification; 403 if the status makes
    no sense.
    Source: pkg/registry/core/pod/storage/eviction.go checkAndDecrement.
    """
    status = budget.status
    resource = resource_of("PodDisruptionBudget")
    if status.observed_generation < budget.metadata.generation:
        raise too_many_requests()
    if status.disruptions_allowed < 0:
        raise forbidden(resource, budget.metadata.name, "pdb disruptions allowed is negative")
    if len(status.disrupted_pods) + len(status.disrupted_uids) > MOST_DISRUPTED_PODS:
        raise forbidden(
            resource,
            budget.metadata.name,
            "DisruptedPods map too big - too many evictions not confirmed by PDB controller",
        )
    if status.disruptions_allowed == 0:
        raise too_many_requests()
    after = replace(status, disruptions_allowed=status.disruptions_allowed - 1)
    if after.disruptions_allowed == 0:
        insufficient = Condition(
            "DisruptionAllowed",
            "False",
            "InsufficientPods",
            observed_generation=status.observed_generation,
            last_transition_time=Age(0),
        )
        after = replace(after, conditions=set_condition(after.conditions, insufficient))
    if pod.metadata.name:
        after = replace(after, disrupted_pods=after.disrupted_pods.set(pod.metadata.name, Age(0)))
    elif pod.metadata.uid is not None:
        others = tuple(each for each in after.disrupted_uids if each[0] != pod.metadata.uid)
        after = replace(after, disrupted_uids=tuple(sorted((*others, (pod.metadata.uid, Age(0))))))
    return replace(budget, status=after)
