"""The ReplicaSet controller in a tiny cluster."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from tests.model.control_plane.controllers.tiny_cluster import READY, TinyCluster

from kythera.model.api.apps import ReplicaSet, ReplicaSetSpec
from kythera.model.api.core.pod import Pod, PodStatus, PodTemplateSpec
from kythera.model.api.meta import Condition, LabelSelector, ObjectMeta
from kythera.model.api.ownership import owner_reference
from kythera.model.api.pods import condition
from kythera.model.control_plane.controllers import replicaset
from kythera.model.controller import Controller, Reply, Step
from kythera.model.record import Age, Map, replace
from kythera.model.request import Create, Delete, Request, Update, ref_of

LABELS = Map({"app": "web"})


def web(replicas: int, **spec: Any) -> ReplicaSet:
    template = PodTemplateSpec(ObjectMeta(labels=LABELS))
    selector = LabelSelector(LABELS)
    return ReplicaSet(
        ObjectMeta(name="web", namespace="default"),
        ReplicaSetSpec(replicas=replicas, selector=selector, template=template, **spec),
    )


def cluster(replicas: int, lingering: bool = False, **spec: Any) -> TinyCluster:
    made = TinyCluster(replicaset.controller(), lingering=lingering)
    made.add(web(replicas, **spec))
    return made


def look(made: TinyCluster) -> Step:
    steps = list(made.steps())
    assert len(steps) == 1
    return steps[0][2]


def test_scales_up_and_rests() -> None:
    made = cluster(3)
    made.settle()
    status = made.get(ReplicaSet, "web").status
    assert len(made.pods()) == 3
    assert (status.replicas, status.ready_replicas, status.available_replicas) == (3, 3, 3)
    assert (status.fully_labeled_replicas, status.terminating_replicas, status.observed_generation) == (
        3,
        0,
        1,
    )


def test_scales_down_and_rests() -> None:
    made = cluster(4)
    made.settle()
    made.change(ReplicaSet, "web", replicas=1)
    made.settle()
    assert len(made.pods()) == 1
    assert made.get(ReplicaSet, "web").status.replicas == 1


@given(st.lists(st.integers(0, 5), min_size=1, max_size=4))
def test_reaches_any_size_from_any_other(sizes: list[int]) -> None:
    made = cluster(sizes[0])
    for size in sizes:
        made.change(ReplicaSet, "web", replicas=size)
        made.settle()
        assert len(made.pods()) == size


def test_a_new_pod_is_the_template_owned_by_the_replica_set() -> None:
    made = cluster(1)
    (request, _) = look(made).requests
    assert isinstance(request, Create)
    pod = request.object
    assert isinstance(pod, Pod)
    assert (pod.metadata.name, pod.metadata.generate_name) == ("", "web-")
    assert pod.metadata.labels == LABELS
    (owner,) = pod.metadata.owner_references
    assert (owner.kind, owner.name, owner.uid) == ("ReplicaSet", "web", 1)
    assert owner.controller
    assert owner.block_owner_deletion


def test_pods_that_ended_or_are_being_deleted_are_replaced() -> None:
    made = cluster(2, lingering=True)
    made.settle()
    first, second = made.pods()
    made.objects[made.objects.index(first)] = replace(first, status=replace(first.status, phase="Failed"))
    made.handle(Delete(ref_of(second)))
    made.settle()
    assert len(made.pods()) == 2
    assert len(made.view().list(Pod)) == 4
    status = made.get(ReplicaSet, "web").status
    assert (status.replicas, status.terminating_replicas) == (2, 1)


def stale_look(controller: Controller) -> Step:
    """What the controller does next when it has created its pods, but its informer doesn't show them."""
    made = TinyCluster(controller)
    made.add(web(2))
    before = made.view()
    local: Any = controller.initial
    (key,) = controller.keys(before)
    (step,) = controller.reconcile(local, before, key)
    local = step.local
    for request in step.requests:
        local = controller.replied(local, key, request, made.handle(request))
    (again,) = controller.reconcile(local, before, key)
    return again


def test_pods_that_are_not_seen_yet_are_not_created_twice() -> None:
    assert not any(isinstance(each, Create) for each in stale_look(replicaset.controller()).requests)


def test_the_variant_without_expectations_creates_pods_twice() -> None:
    step = stale_look(replicaset.controller({"expectations": "false"}))
    assert sum(isinstance(each, Create) for each in step.requests) == 2


def test_a_refusal_is_reported_once_and_taken_back_after_success() -> None:
    made = cluster(2)

    def quota(request: Request) -> Reply | None:
        full = isinstance(request, Create) and len(made.pods()) >= 1
        return Reply(403, "Forbidden", "exceeded quota") if full else None

    made.refusal = quota
    for _ in range(4):
        made.look_after_all()
    found = condition(made.get(ReplicaSet, "web").status.conditions, "ReplicaFailure")
    assert found is not None
    assert (found.status, found.reason, found.message) == ("True", "FailedCreate", "exceeded quota")
    # Trying again and being refused again changes nothing.
    assert not made.look_after_all()
    made.refusal = lambda request: None
    made.settle()
    assert len(made.pods()) == 2
    assert made.get(ReplicaSet, "web").status.conditions == ()


def test_a_pod_that_is_gone_already_is_no_failure() -> None:
    made = cluster(1)
    made.settle()
    made.change(ReplicaSet, "web", replicas=0)
    made.refusal = lambda request: Reply(404, "NotFound") if isinstance(request, Delete) else None
    made.look_after_all()
    assert made.locals["replicaset"] == ()


def test_no_pods_while_it_is_being_deleted() -> None:
    made = cluster(2)
    made.objects[0] = replace(web(2), metadata=replace(made.objects[0].metadata, deletion_timestamp=Age(0)))
    assert all(isinstance(each, Update) for each in look(made).requests)


def test_adopts_orphans_and_releases_what_no_longer_matches() -> None:
    made = cluster(1)
    owner = owner_reference(made.objects[0])
    orphan = made.add(Pod(ObjectMeta(name="orphan", namespace="default", labels=LABELS)))
    other = made.add(Pod(ObjectMeta(name="relabelled", namespace="default", owner_references=(owner,))))
    made.settle()
    assert made.get(Pod, "orphan").metadata.owner_references == (owner,)
    assert made.get(Pod, "relabelled").metadata.owner_references == ()
    assert {each.metadata.uid for each in made.pods()} == {orphan.metadata.uid, other.metadata.uid}


def test_a_pod_counts_as_available_after_min_ready_seconds() -> None:
    made = cluster(1, min_ready_seconds=10)
    made.settle()
    assert look(made).requeue_after == 10
    made.pass_time(4)
    assert look(made).requeue_after == 6
    assert made.get(ReplicaSet, "web").status.available_replicas == 0
    made.pass_time(6)
    made.settle()
    assert made.get(ReplicaSet, "web").status.available_replicas == 1
    assert look(made).requeue_after is None
    assert replicaset.horizons_of(made.objects[0]) == {"Condition.last_transition_time": 10}


def ways(made: TinyCluster) -> list[Step]:
    """All ways in which the controller may go on."""
    controller = made.controllers[0]
    (key,) = controller.keys(made.view())
    return list(controller.reconcile(made.locals["replicaset"], made.view(), key))


def test_a_tie_between_pods_is_a_choice_even_if_they_look_the_same() -> None:
    made = cluster(3)
    made.settle()
    made.change(ReplicaSet, "web", replicas=1)
    found = ways(made)
    deleted = [{each.ref.uid for each in step.requests if isinstance(each, Delete)} for step in found]
    assert deleted == [{2, 3}, {2, 4}, {3, 4}]
    assert len({step.choice for step in found}) == 3


def test_of_many_pods_that_tie_only_some_go_at_once() -> None:
    made = cluster(20)
    made.settle()
    made.change(ReplicaSet, "web", replicas=10)
    steps = ways(made)
    assert len(steps) == 190
    assert {sum(isinstance(each, Delete) for each in step.requests) for step in steps} == {2}
    made.settle()
    assert len(made.pods()) == 10


def test_unready_pods_go_first() -> None:
    made = cluster(3)
    made.settle()
    victim = made.pods()[1]
    status = PodStatus(phase="Running", conditions=(replace(READY, status="False"),))
    made.objects[made.objects.index(victim)] = replace(victim, status=status)
    made.change(ReplicaSet, "web", replicas=2)
    deletions = [each for each in look(made).requests if isinstance(each, Delete)]
    assert [each.ref.uid for each in deletions] == [victim.metadata.uid]


def test_a_condition_of_another_kind_is_kept() -> None:
    made = cluster(1)
    mine = Condition("Mine", "True")
    made.objects[0] = replace(made.objects[0], status=replace(made.objects[0].status, conditions=(mine,)))
    made.settle()
    assert made.get(ReplicaSet, "web").status.conditions == (mine,)


def test_pods_are_created_in_batches_that_double() -> None:
    made = cluster(6)
    assert look(made).together == (1, 2, 3)


def test_pods_are_deleted_together() -> None:
    made = cluster(3)
    made.settle()
    made.change(ReplicaSet, "web", replicas=0)
    assert look(made).together == (3,)
