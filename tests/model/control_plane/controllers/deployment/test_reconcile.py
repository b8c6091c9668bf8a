"""The Deployment controller, with the ReplicaSet controller, in a tiny cluster."""

from __future__ import annotations

from typing import Any

import pytest
from tests.model.control_plane.controllers.tiny_cluster import TinyCluster
from tests.systems import deployment as manifest
from tests.systems import event, node, question

from kythera.model.api.apps import (
    Deployment,
    DeploymentSpec,
    DeploymentStrategy,
    ReplicaSet,
    RollingUpdateDeployment,
)
from kythera.model.api.core.container import Container
from kythera.model.api.core.pod import Pod, PodSpec, PodTemplateSpec
from kythera.model.api.meta import Condition, LabelSelector, ObjectMeta
from kythera.model.api.pods import condition
from kythera.model.control_plane.controllers import deployment, replicaset
from kythera.model.control_plane.controllers.deployment.reconcile import pod_shape
from kythera.model.control_plane.controllers.deployment.revisions import REVISION, REVISION_HISTORY
from kythera.model.controller import Reply, Step
from kythera.model.record import Map, Uid, replace
from kythera.model.request import Create, Request, ref_of
from kythera.model.scenarios.scenario import Faults
from kythera.model.view import view
from kythera.properties.engines.core import Core

LABELS = Map({"app": "web"})
ONE_MORE = DeploymentStrategy("RollingUpdate", RollingUpdateDeployment(0, 1))
RECREATE = DeploymentStrategy("Recreate")


def template(image: str) -> PodTemplateSpec:
    return PodTemplateSpec(ObjectMeta(labels=LABELS), PodSpec(containers=(Container(name="c", image=image),)))


def cluster(replicas: int, strategy: DeploymentStrategy = ONE_MORE, **spec: Any) -> TinyCluster:
    made = TinyCluster(deployment.controller(), replicaset.controller())
    selector = LabelSelector(LABELS)
    made.add(
        Deployment(
            ObjectMeta(name="web", namespace="default"),
            DeploymentSpec(replicas=replicas, selector=selector, template=template("v1"), strategy=strategy, **spec),
        )
    )
    made.settle()
    return made


def images(made: TinyCluster) -> list[str]:
    return sorted(each.spec.containers[0].image for each in made.pods())


def sizes(made: TinyCluster) -> dict[str, int | None]:
    """How many pods each ReplicaSet asks for, by its image."""
    return {r.spec.template.spec.containers[0].image: r.spec.replicas for r in made.view().list(ReplicaSet)}


def progressing(made: TinyCluster) -> Condition:
    found = condition(made.get(Deployment, "web").status.conditions, "Progressing")
    assert found is not None
    return found


def test_a_new_deployment_gets_a_replica_set_and_all_its_pods() -> None:
    made = cluster(3, progress_deadline_seconds=600)
    (replica_set,) = made.view().list(ReplicaSet)
    code = replica_set.metadata.labels["pod-template-hash"]
    assert replica_set.metadata.name == f"web-{code}"
    assert replica_set.spec.selector == LabelSelector(LABELS.set("pod-template-hash", code))
    assert images(made) == ["v1"] * 3
    web = made.get(Deployment, "web")
    status = web.status
    assert (status.replicas, status.updated_replicas, status.available_replicas) == (3, 3, 3)
    assert (status.unavailable_replicas, status.terminating_replicas, status.observed_generation) == (0, 0, 1)
    assert web.metadata.annotations[REVISION] == "1"
    assert progressing(made).reason == "NewReplicaSetAvailable"
    available = condition(status.conditions, "Available")
    assert available is not None
    assert available.status == "True"


@pytest.mark.parametrize("size", [5, 1, 0])
def test_scales_its_replica_set(size: int) -> None:
    made = cluster(3)
    made.change(Deployment, "web", replicas=size)
    made.settle()
    assert sizes(made) == {"v1": size}
    assert len(made.pods()) == size


def test_a_rollout_with_surge_keeps_all_pods_available_and_never_has_two_too_many() -> None:
    made = cluster(3)
    made.change(Deployment, "web", template=template("v2"))

    def bounds() -> None:
        assert len(made.pods(ready=True)) >= 3
        assert sum(size or 0 for size in sizes(made).values()) <= 4

    made.settle(after_each=bounds)
    assert images(made) == ["v2"] * 3
    assert sizes(made) == {"v1": 0, "v2": 3}


def test_a_rollout_without_surge_takes_down_first() -> None:
    made = cluster(3, DeploymentStrategy("RollingUpdate", RollingUpdateDeployment(1, 0)))
    made.change(Deployment, "web", template=template("v2"))

    def bounds() -> None:
        assert sum(size or 0 for size in sizes(made).values()) <= 3
        assert len(made.pods(ready=True)) >= 2

    made.settle(after_each=bounds)
    assert images(made) == ["v2"] * 3


def test_recreate_never_runs_two_versions() -> None:
    made = cluster(3, RECREATE)
    made.change(Deployment, "web", template=template("v2"))
    made.settle(after_each=lambda: _assert(len(set(images(made))) <= 1))
    assert images(made) == ["v2"] * 3


def test_recreate_waits_for_pods_that_are_being_deleted() -> None:
    made = cluster(2, RECREATE)
    made.lingering = True
    made.change(Deployment, "web", template=template("v2"))
    made.settle()
    assert sizes(made) == {"v1": 0}
    made.bury()
    made.settle()
    assert images(made) == ["v2"] * 2


def test_a_paused_deployment_scales_but_does_not_roll_out() -> None:
    made = cluster(2, progress_deadline_seconds=600)
    made.change(Deployment, "web", paused=True, replicas=4, template=template("v2"))
    made.settle()
    assert images(made) == ["v1"] * 4
    assert (progressing(made).status, progressing(made).reason) == ("Unknown", "DeploymentPaused")
    made.change(Deployment, "web", paused=False)
    made.settle()
    assert images(made) == ["v2"] * 4
    assert progressing(made).reason == "NewReplicaSetAvailable"


def test_going_back_reuses_the_old_replica_set_under_a_new_revision() -> None:
    made = cluster(2)
    for image in ("v2", "v1"):
        made.change(Deployment, "web", template=template(image))
        made.settle()
    assert images(made) == ["v1"] * 2
    old = next(r for r in made.view().list(ReplicaSet) if r.spec.replicas)
    assert (old.metadata.annotations[REVISION], old.metadata.annotations[REVISION_HISTORY]) == ("3", "1")
    assert made.get(Deployment, "web").metadata.annotations[REVISION] == "3"


def test_old_replica_sets_beyond_the_history_limit_are_deleted() -> None:
    made = cluster(1, revision_history_limit=1)
    for image in ("v2", "v3", "v4"):
        made.change(Deployment, "web", template=template(image))
        made.settle()
    assert sizes(made) == {"v3": 0, "v4": 1}


def test_a_rollout_that_stops_is_reported_after_the_deadline() -> None:
    made = cluster(2, progress_deadline_seconds=30)
    made.run_pods = lambda: None  # type: ignore[method-assign]
    made.change(Deployment, "web", template=template("v2"))
    made.settle()
    assert progressing(made).reason == "ReplicaSetUpdated"
    ((_, _, step), *_) = made.steps()
    assert step.requeue_after == 31
    made.pass_time(30)
    made.settle()
    assert progressing(made).status == "True"
    made.pass_time(1)
    made.settle()
    assert (progressing(made).status, progressing(made).reason) == ("False", "ProgressDeadlineExceeded")
    assert deployment.horizons_of(made.objects[0]) == {"Condition.last_update_time": 31}


def test_a_name_that_is_taken_leads_to_the_next_one() -> None:
    made = cluster(0)
    (first,) = made.view().list(ReplicaSet)
    stranger = replace(
        first,
        metadata=replace(first.metadata, owner_references=(), labels=Map({"app": "other"})),
        spec=replace(first.spec, template=template("other")),
    )
    made.objects[made.objects.index(first)] = stranger
    made.settle()
    assert made.get(Deployment, "web").status.collision_count == 1
    assert len(made.view().list(ReplicaSet)) == 2


def test_a_refused_replica_set_is_reported_and_tried_again() -> None:
    made = cluster(1, progress_deadline_seconds=600)

    def full(request: Request) -> Reply | None:
        is_one = isinstance(request, Create) and isinstance(request.object, ReplicaSet)
        return Reply(403, "Forbidden", "quota") if is_one else None

    made.refusal = full
    made.change(Deployment, "web", template=template("v2"))
    for _ in range(4):
        made.look_after_all()
    assert (progressing(made).status, progressing(made).reason) == ("False", "ReplicaSetCreateError")
    assert not made.look_after_all()
    made.refusal = lambda request: None
    made.settle()
    assert images(made) == ["v2"]


def test_after_a_creation_nothing_is_done_until_something_is_seen() -> None:
    controller = deployment.controller()
    selector = LabelSelector(LABELS)
    spec = DeploymentSpec(replicas=1, selector=selector, template=template("v1"))
    web = Deployment(ObjectMeta(name="web", namespace="default", uid=Uid(0)), spec)
    before, key = view(Deployment=(web,)), ref_of(web)
    (step,) = controller.reconcile((), before, key)
    create = step.requests[0]
    assert isinstance(create, Create)
    local = controller.replied(step.local, key, create, Reply(201, object=create.object))
    assert list(controller.reconcile(local, before, key)) == [Step(local)]
    strangers = view(Deployment=(web,), ReplicaSet=(_of_another(create.object),))
    assert controller.observe(local, before, strangers) == local
    for after in (view(Deployment=(replace(web, status=replace(web.status, replicas=1)),)), view()):
        assert controller.observe(local, before, after) == ()
    mine = view(Deployment=(web,), ReplicaSet=(create.object,))
    assert controller.observe(local, before, mine) == ()
    assert controller.observe(local, mine, before) == ()
    assert controller.caught_up(local) == ()


def _of_another(replica_set: Any) -> ReplicaSet:
    owner = replace(replica_set.metadata.owner_references[0], uid=Uid(9))
    made: ReplicaSet = replace(replica_set, metadata=replace(replica_set.metadata, owner_references=(owner,)))
    return made


def test_a_deployment_that_is_gone_gets_no_replica_set_after_each_collection() -> None:
    """The controller has not seen yet that the Deployment is gone: it makes one ReplicaSet, which is collected."""
    lag = Faults(crash=0)
    asked = question([node("n1"), manifest(1)], lag, events=(event("bye", "delete", "deployment/web"),))
    core = Core(asked.system, [], float("inf"))
    assert core.run(max_states=20_000).complete
    codec, index = core.tables.codec, asked.system.index
    rows = [codec.decode(state) for level in core.levels for state in level]
    assert max(len(row[index["objects/Pod"]]) for row in rows) == 1
    seen = ("pending/deployment/Deployment", "pending/deployment/ReplicaSet")
    waiting = [row for row in rows if row[index["local/deployment"]]]
    assert waiting
    assert all(any(row[index[name]] for name in seen) for row in waiting)


def test_a_replica_set_of_its_own_template_is_adopted() -> None:
    made = cluster(2)
    (mine,) = made.view().list(ReplicaSet)
    made.objects[made.objects.index(mine)] = replace(mine, metadata=replace(mine.metadata, owner_references=()))
    made.settle()
    assert made.view().list(ReplicaSet) == (mine,)


def test_an_empty_selector_does_nothing() -> None:
    made = TinyCluster(deployment.controller())
    made.add(Deployment(ObjectMeta(name="web", namespace="default"), DeploymentSpec(selector=LabelSelector())))
    made.settle()
    assert made.view().list(ReplicaSet) == ()
    assert made.get(Deployment, "web").status.observed_generation == 1


def test_a_replica_failure_is_passed_on() -> None:
    made = cluster(1)
    (mine,) = made.view().list(ReplicaSet)
    failure = Condition("ReplicaFailure", "True", "FailedCreate", "quota")
    status = replace(mine.status, conditions=(failure,))
    made.objects[made.objects.index(mine)] = replace(mine, status=status)
    ((controller, key, step), *_) = made.steps()
    made.take(controller, key, step)
    found = condition(made.get(Deployment, "web").status.conditions, "ReplicaFailure")
    assert found is not None
    assert found.reason == "FailedCreate"


def test_pods_need_not_be_seen_where_nothing_is_recreated() -> None:
    assert Pod not in deployment.controller({"recreate": "false"}).watches
    assert Pod in deployment.controller().watches


def test_a_pod_is_seen_by_owner_and_whether_it_has_ended() -> None:
    made = cluster(1)
    (pod,) = made.pods()
    seen = pod_shape(pod)
    assert seen is not None
    assert (seen.metadata.owner_references, seen.status.phase) == (pod.metadata.owner_references, "")
    assert pod_shape(Pod()) is None


def _assert(holds: bool) -> None:
    assert holds
