"""Eviction: when the budgets are asked, what they say, and what is booked."""

from __future__ import annotations

from tests.model.control_plane.apiserver.small import budget, only, running, stored

from kythera.model.api.pods import condition
from kythera.model.control_plane.apiserver.handler import handle
from kythera.model.record import replace
from kythera.model.request import Evict, ref_of

REFUSED = "Cannot evict pod as it would violate the pod's disruption budget."


def test_without_a_budget_a_pod_is_condemned_and_deleted_with_its_grace_period() -> None:
    one = running(1)
    store, reply = handle(stored(one), Evict(ref_of(one)))
    assert reply.code == 201
    doomed = only(store, "Pod")
    assert doomed.metadata.deletion_timestamp == -30
    target = condition(doomed.status.conditions, "DisruptionTarget")
    assert target is not None
    assert (target.status, target.reason, target.message) == (
        "True",
        "EvictionByEvictionAPI",
        "Eviction API: evicting",
    )


def test_an_allowed_disruption_is_booked_in_the_same_step() -> None:
    one = running(1)
    store, _ = handle(stored(one, budget(disruptions_allowed=1)), Evict(ref_of(one)))
    status = only(store, "PodDisruptionBudget").status
    assert (status.disruptions_allowed, status.disrupted_uids) == (0, ((1, 0),))
    allowed = condition(status.conditions, "DisruptionAllowed")
    assert allowed is not None
    assert (allowed.status, allowed.reason) == ("False", "InsufficientPods")


def test_a_named_pod_is_booked_by_name() -> None:
    one = running(1)
    named = replace(one, metadata=replace(one.metadata, name="a", generate_name=""))
    store, _ = handle(stored(named, budget(disruptions_allowed=2)), Evict(ref_of(named)))
    status = only(store, "PodDisruptionBudget").status
    assert (dict(status.disrupted_pods), status.disrupted_uids, status.conditions) == ({"a": 0}, (), ())


def test_an_exhausted_budget_and_one_that_was_not_looked_at_yet_refuse() -> None:
    one = running(1)
    for refusing in (budget(disruptions_allowed=0), budget(disruptions_allowed=5, observed_generation=0)):
        store = stored(one, refusing)
        same, reply = handle(store, Evict(ref_of(one)))
        assert same is store
        assert (reply.code, reply.reason, reply.message) == (429, "TooManyRequests", REFUSED)


def test_two_budgets_over_one_pod_are_an_error_of_the_server() -> None:
    one = running(1)
    _, reply = handle(stored(one, budget("p"), budget("q")), Evict(ref_of(one)))
    assert (reply.code, reply.reason) == (500, "")
    assert reply.message.startswith("This pod has more than one PodDisruptionBudget")


def test_pending_ended_and_dying_pods_ask_no_budget() -> None:
    one = running(1)
    pending = replace(one, status=replace(one.status, phase="Pending"))
    failed = replace(one, status=replace(one.status, phase="Failed"))
    dying = running(1, deletion_timestamp=-9, deletion_grace_period_seconds=30)
    for each in (pending, failed, dying):
        store, reply = handle(stored(each, budget()), Evict(ref_of(each)))
        assert reply.code == 201
        assert only(store, "PodDisruptionBudget") == budget()


def test_an_unready_pod_goes_unbooked_if_the_budget_is_healthy_without_it() -> None:
    one = running(1, ready=False)
    healthy = budget(current_healthy=2, desired_healthy=2)
    store, reply = handle(stored(one, healthy), Evict(ref_of(one)))
    assert reply.ok
    assert only(store, "PodDisruptionBudget") == healthy
    sick = budget(current_healthy=1, desired_healthy=2)
    assert handle(stored(one, sick), Evict(ref_of(one)))[1].code == 429
    always = replace(sick, spec=replace(sick.spec, unhealthy_pod_eviction_policy="AlwaysAllow"))
    assert handle(stored(one, always), Evict(ref_of(one)))[1].ok


def test_budgets_of_other_namespaces_are_not_asked() -> None:
    one = running(1)
    elsewhere = replace(budget(), metadata=replace(budget().metadata, namespace="other"))
    assert handle(stored(one, elsewhere), Evict(ref_of(one)))[1].ok


def test_negative_and_overflowing_budgets_are_forbidden() -> None:
    one = running(1)
    _, reply = handle(stored(one, budget(disruptions_allowed=-1)), Evict(ref_of(one)))
    assert reply.code == 403
    full = budget(disruptions_allowed=1, disrupted_uids=tuple((n, 0) for n in range(2001)))
    assert handle(stored(one, full), Evict(ref_of(one)))[1].code == 403
