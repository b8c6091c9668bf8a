"""How many more pods each budget lets go."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kythera.model.api.apps import Deployment, DeploymentSpec, ReplicaSet, ReplicaSetSpec
from kythera.model.api.core.pod import Pod, PodStatus
from kythera.model.api.decode import Context, decode, json_names
from kythera.model.api.meta import (
    Condition,
    LabelSelector,
    LabelSelectorRequirement,
    ObjectMeta,
    OwnerReference,
)
from kythera.model.api.pods import condition
from kythera.model.api.policy import PodDisruptionBudget, PodDisruptionBudgetSpec, PodDisruptionBudgetStatus
from kythera.model.control_plane.controllers.disruption import controller
from kythera.model.control_plane.controllers.disruption.budgets import (
    Disrupted,
    Scale,
    budget_status,
    count_healthy,
    disrupted_pods,
)
from kythera.model.control_plane.controllers.disruption.targets import Targeted, is_targeted
from kythera.model.controller import Step
from kythera.model.record import Age, Map, Uid, replace
from kythera.model.request import Update, ref_of
from kythera.model.view import View, view

LABELS = Map({"app": "web"})
READY = Condition("Ready", "True")
TARGETED = Condition("DisruptionTarget", "True", "EvictionByEvictionAPI")
OWNER = OwnerReference("apps/v1", "ReplicaSet", "web-1", Uid(50), True)


def a_pod(uid: int, *, name: str = "", ready: bool = True, deleted: bool = False, owned: bool = False) -> Pod:
    meta = ObjectMeta(
        name,
        namespace="default",
        uid=Uid(uid),
        labels=LABELS,
        deletion_timestamp=Age(0) if deleted else None,
        owner_references=(OWNER,) if owned else (),
    )
    return Pod(meta, status=PodStatus("Running", (READY,) if ready else ()))


def a_budget(minimum: int | str | None = 1, maximum: int | str | None = None) -> PodDisruptionBudget:
    return PodDisruptionBudget(
        ObjectMeta("web", namespace="default", uid=Uid(1), generation=1),
        PodDisruptionBudgetSpec(minimum, maximum, LabelSelector(LABELS)),
    )


def looks(budget: PodDisruptionBudget, *pods: Pod, settings: dict[str, str] | None = None, **more: object) -> Step:
    seen = view(PodDisruptionBudget=(budget,), Pod=pods, **more)  # type: ignore[arg-type]
    made = controller(settings or {})
    (step,) = made.reconcile(made.initial, seen, ref_of(budget))
    return step


def written(step: Step) -> PodDisruptionBudget:
    (request,) = step.requests
    assert isinstance(request, Update)
    assert isinstance(request.object, PodDisruptionBudget)
    return request.object


def test_healthy_pods_above_the_minimum_may_go() -> None:
    budget = written(looks(a_budget(1), a_pod(10), a_pod(11), a_pod(12, ready=False)))
    status = budget.status
    assert (status.disruptions_allowed, status.current_healthy, status.desired_healthy) == (1, 2, 1)
    assert (status.expected_pods, status.observed_generation) == (3, 1)
    told = condition(status.conditions, "DisruptionAllowed")
    assert told is not None
    assert (told.status, told.reason, told.observed_generation) == ("True", "SufficientPods", 1)
    assert looks(budget, a_pod(10), a_pod(11), a_pod(12, ready=False)).requests == ()


def test_nothing_may_go_while_there_are_no_pods() -> None:
    assert written(looks(a_budget(0))).status.disruptions_allowed == 0


def test_shares_count_on_what_the_owners_are_scaled_to() -> None:
    deployment = Deployment(ObjectMeta("web", namespace="default", uid=Uid(40)), DeploymentSpec(10))
    above = OwnerReference("apps/v1", "Deployment", "web", Uid(40), True)
    replica_set = ReplicaSet(
        ObjectMeta("web-1", namespace="default", uid=Uid(50), owner_references=(above,)), ReplicaSetSpec(4)
    )
    pods = [a_pod(n, owned=True) for n in range(10, 18)]
    step = looks(a_budget(None, "25%"), *pods, ReplicaSet=(replica_set,), Deployment=(deployment,))
    assert written(step).status.expected_pods == 10
    assert written(step).status.desired_healthy == 7
    step = looks(a_budget("50%"), *pods, ReplicaSet=(replica_set,), Deployment=())
    assert written(step).status.expected_pods == 4, (
        "the Deployment above is not seen: the ReplicaSet's own scale counts"
    )
    alone = replace(replica_set, metadata=replace(replica_set.metadata, owner_references=()))
    step = looks(a_budget("50%"), *pods, ReplicaSet=(alone,), Deployment=())
    assert (written(step).status.expected_pods, written(step).status.desired_healthy) == (4, 2)


def test_an_unknown_owner_allows_nothing() -> None:
    budget = replace(a_budget("50%"), status=PodDisruptionBudgetStatus(disruptions_allowed=3, current_healthy=5))
    failed = written(looks(budget, a_pod(10, owned=True)))
    assert failed.status.disruptions_allowed == 0
    assert failed.status.current_healthy == 5
    told = condition(failed.status.conditions, "DisruptionAllowed")
    assert told is not None
    assert told.reason == "SyncFailed"
    assert looks(failed, a_pod(10, owned=True)).requests == ()


def test_a_selector_that_means_nothing_allows_nothing() -> None:
    nonsense = LabelSelector(match_expressions=(LabelSelectorRequirement("app", "Resembles", ("web",)),))
    budget = replace(a_budget(0), spec=PodDisruptionBudgetSpec(0, None, nonsense))
    failed = written(looks(budget, a_pod(10)))
    told = condition(failed.status.conditions, "DisruptionAllowed")
    assert told is not None
    assert (told.reason, failed.status.disruptions_allowed, failed.status.expected_pods) == ("SyncFailed", 0, 0)


def test_an_eviction_that_was_granted_counts_for_two_minutes() -> None:
    status = PodDisruptionBudgetStatus(
        disrupted_pods=Map({"a": Age(30), "b": Age(120), "gone": Age(0), "c": Age(1)}),
        disrupted_uids=((Uid(20), Age(50)), (Uid(21), Age(120)), (Uid(99), Age(0))),
    )
    budget = replace(a_budget(0), status=status)
    named = [a_pod(10, name="a"), a_pod(11, name="b"), a_pod(12, name="c", deleted=True)]
    pods = [*named, a_pod(20), a_pod(21)]
    found = disrupted_pods(budget, pods)
    assert found == Disrupted(Map({"a": Age(30)}), ((Uid(20), Age(50)),), 70)
    assert count_healthy(pods, found) == 2
    step = looks(budget, *pods)
    assert written(step).status.disrupted_uids == ((Uid(20), Age(50)),)
    assert looks(written(step), *pods).requeue_after == 70


def test_on_a_conflict_it_looks_again_unless_told_to_overwrite() -> None:
    (recompute,) = looks(a_budget(), a_pod(10)).requests
    settings = {"disruption.on_conflict": "overwrite_with_old"}
    (overwrite,) = looks(a_budget(), a_pod(10), settings=settings).requests
    assert isinstance(recompute, Update)
    assert not recompute.unconditional
    assert overwrite == replace(recompute, unconditional=True)


def targeted(**more: object) -> Pod:
    pod = a_pod(10)
    return replace(pod, status=replace(pod.status, conditions=(READY, replace(TARGETED, **more))))


def test_a_disruption_that_does_not_come_is_taken_back_after_two_minutes() -> None:
    made, pod = controller(), targeted()
    seen: View = view(Pod=(pod,), PodDisruptionBudget=())
    assert list(made.keys(seen)) == [ref_of(pod)]
    (step,) = made.reconcile((), seen, ref_of(pod))
    assert step.local == (Targeted(Uid(10)),)
    (step,) = made.reconcile((Targeted(Uid(10), Age(50)),), seen, ref_of(pod))
    assert (step.requests, step.requeue_after) == ((), 70)
    (step,) = made.reconcile((Targeted(Uid(10), Age(120)),), seen, ref_of(pod))
    (request,) = step.requests
    assert isinstance(request, Update)
    assert isinstance(request.object, Pod)
    told = condition(request.object.status.conditions, "DisruptionTarget")
    assert told is not None
    assert told.status == "False"
    assert made.observe(step.local, seen, view(Pod=(request.object,))) == ()


def test_what_the_kubelet_says_is_never_stale() -> None:
    assert is_targeted(targeted())
    assert not is_targeted(targeted(reason="TerminationByKubelet"))
    assert not is_targeted(replace(targeted(), status=replace(targeted().status, phase="Failed")))


def test_the_entries_by_uid_are_no_field_of_the_api() -> None:
    assert "disruptedUids" not in json_names(PodDisruptionBudgetStatus)
    context = Context()
    decode(PodDisruptionBudgetStatus, {"disruptedUids": []}, context)
    assert [remark.text for remark in context.errors] == ['unknown field "disruptedUids"']


@given(
    st.lists(st.tuples(st.booleans(), st.booleans(), st.integers(0, 200)), max_size=6),
    st.one_of(st.integers(0, 6), st.sampled_from(["0%", "34%", "100%"])),
    st.booleans(),
    st.integers(0, 6),
)
def test_whoever_is_allowed_to_go_leaves_enough_behind(
    given_pods: list[tuple[bool, bool, int]], amount: int | str, at_most: bool, scale: int
) -> None:
    pods = [a_pod(n, ready=ready, deleted=deleted, owned=True) for n, (ready, deleted, _) in enumerate(given_pods)]
    granted = tuple((Uid(n), Age(age)) for n, (_, _, age) in enumerate(given_pods) if age < 100)
    budget = a_budget(None, amount) if at_most else a_budget(amount)
    budget = replace(budget, status=PodDisruptionBudgetStatus(disrupted_uids=granted))
    status = budget_status(budget, pods, lambda owner, namespace: Scale(owner.uid, scale))
    assert status.disruptions_allowed >= 0
    if status.disruptions_allowed > 0:
        assert status.current_healthy - status.disruptions_allowed >= status.desired_healthy
        assert status.expected_pods > 0
    assert status.current_healthy <= sum(ready and not deleted for ready, deleted, _ in given_pods)
    again = budget_status(replace(budget, status=status), pods, lambda owner, namespace: Scale(owner.uid, scale))
    assert again == status
