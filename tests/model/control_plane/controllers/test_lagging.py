"""The Deployment and ReplicaSet controllers with informers that lag, each kind on its own."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.model.control_plane.controllers.tiny_cluster import TinyCluster

from kythera.model.api.apps import (
    Deployment,
    DeploymentSpec,
    DeploymentStrategy,
    ReplicaSet,
    RollingUpdateDeployment,
)
from kythera.model.api.core.container import Container
from kythera.model.api.core.pod import Pod, PodSpec, PodTemplateSpec
from kythera.model.api.meta import LabelSelector, ObjectMeta
from kythera.model.control_plane.controllers import deployment, replicaset
from kythera.model.controller import Controller, Reply
from kythera.model.record import Map
from kythera.model.request import Request, Update, ref_of
from kythera.model.view import View

LABELS = Map({"app": "web"})
KINDS = (Deployment, ReplicaSet, Pod)


class LaggingCluster(TinyCluster):
    """A tiny cluster whose controllers see, of each kind, the snapshot that their informer has come to."""

    def __init__(self, *controllers: Controller) -> None:
        super().__init__(*controllers)
        self.history: dict[type[Any], list[tuple[Any, ...]]] = {kind: [()] for kind in KINDS}
        self.at = {(each.name, kind): 0 for each in controllers for kind in each.watches}

    def remember(self) -> None:
        """Take down what is stored, where it is new."""
        for kind in KINDS:
            present = tuple(obj for obj in self.objects if type(obj) is kind)
            if present != self.history[kind][-1]:
                self.history[kind].append(present)

    def seen_by(self, controller: Controller) -> View:
        return View(Map({k.__name__: self.history[k][self.at[controller.name, k]] for k in controller.watches}))

    def learn(self, controller: Controller, kind: type[Any]) -> bool:
        """One event reaches an informer; whether there was one."""
        where = (controller.name, kind)
        if where not in self.at or self.at[where] == len(self.history[kind]) - 1:
            return False
        before = self.seen_by(controller)
        self.at[where] += 1
        local = controller.observe(self.locals[controller.name], before, self.seen_by(controller))
        self.locals[controller.name] = local
        return True

    def work(self, controller: Controller, way: int) -> bool:
        """One look at each key; whether anything was changed by it."""
        was = (list(self.objects), dict(self.locals))
        seen = self.seen_by(controller)
        for key in controller.keys(seen):
            steps = list(controller.reconcile(self.locals[controller.name], seen, key))
            step = steps[way % len(steps)]
            self.locals[controller.name] = step.local
            for request in step.requests:
                reply = self.reply(request, seen)
                self.remember()
                local = controller.replied(self.locals[controller.name], key, request, reply)
                self.locals[controller.name] = local
                if not reply.ok:
                    break
        return was != (self.objects, self.locals)

    def reply(self, request: Request, seen: View) -> Reply:
        if isinstance(request, Update):
            ref = ref_of(request.object)
            kind = type(request.object)
            if self.view().find(kind, ref) != seen.find(kind, ref):
                return Reply(409, "Conflict")
        return self.handle(request)

    def catch_up(self) -> None:
        """Let everything happen until nothing changes any more."""
        for _ in range(300):
            changed = False
            for each in self.controllers:
                while sum(self.learn(each, kind) for kind in KINDS):
                    changed = True
                changed |= self.work(each, 0)
            before = list(self.objects)
            self.run_pods()
            self.remember()
            if not changed and before == self.objects:
                return
        raise AssertionError("no rest")


def template(image: str) -> PodTemplateSpec:
    return PodTemplateSpec(ObjectMeta(labels=LABELS), PodSpec(containers=(Container(name="c", image=image),)))


EVENTS = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 5), st.integers(0, 3)), max_size=60)
STRATEGIES = st.sampled_from(
    [
        DeploymentStrategy("RollingUpdate", RollingUpdateDeployment(0, 1)),
        DeploymentStrategy("RollingUpdate", RollingUpdateDeployment(1, 0)),
        DeploymentStrategy("Recreate"),
    ]
)


def let(made: LaggingCluster, events: list[tuple[int, int, int]], most: int) -> None:
    for who, what, way in events:
        controller = made.controllers[who]
        if what < 3:
            made.learn(controller, KINDS[what])
        elif what == 3:
            made.run_pods()
            made.remember()
        else:
            made.work(controller, way)
        assert len(made.pods()) <= most


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(1, 3), st.integers(0, 3), STRATEGIES, EVENTS, EVENTS)
def test_lag_delays_but_neither_misleads_nor_multiplies(
    first: int,
    second: int,
    strategy: DeploymentStrategy,
    before: list[tuple[int, int, int]],
    after: list[tuple[int, int, int]],
) -> None:
    """However informers lag, no more pods run than the strategy allows, and the spec is reached."""
    made = LaggingCluster(deployment.controller(), replicaset.controller())
    made.add(
        Deployment(
            ObjectMeta(name="web", namespace="default"),
            DeploymentSpec(
                replicas=first,
                selector=LabelSelector(LABELS),
                template=template("v1"),
                strategy=strategy,
                progress_deadline_seconds=600,
            ),
        )
    )
    made.remember()
    let(made, before, first + 1)
    made.change(Deployment, "web", replicas=second, template=template("v2"))
    made.remember()
    let(made, after, first + second + 2)
    made.catch_up()
    assert [pod.spec.containers[0].image for pod in made.pods()] == ["v2"] * second
    status = made.get(Deployment, "web").status
    assert (status.replicas, status.updated_replicas, status.available_replicas) == (second,) * 3
