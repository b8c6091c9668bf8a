"""The autoscaler's controller over time: what it sets, remembers, reports, and when it rests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kythera.model.api.apps import Deployment, DeploymentSpec
from kythera.model.api.autoscaling import (
    CrossVersionObjectReference,
    HorizontalPodAutoscaler,
    HorizontalPodAutoscalerBehavior,
    HorizontalPodAutoscalerSpec,
    HPAScalingPolicy,
    HPAScalingRules,
    MetricSpec,
    MetricTarget,
    ResourceMetricSource,
)
from kythera.model.api.core.container import Container, ResourceRequirements
from kythera.model.api.core.pod import Pod, PodSpec, PodStatus
from kythera.model.api.meta import Condition, LabelSelector, ObjectMeta
from kythera.model.api.metrics import ContainerMetrics, PodMetrics
from kythera.model.api.pods import condition
from kythera.model.api.quantity import Quantity
from kythera.model.control_plane.controllers.horizontal_pod_autoscaler import controller, horizons_of
from kythera.model.control_plane.controllers.horizontal_pod_autoscaler.controller import pod_shape
from kythera.model.controller import Reply, Step
from kythera.model.normalise import older
from kythera.model.record import Age, Map, Uid, replace
from kythera.model.request import Update, ref_of
from kythera.model.view import View, view

LABELS = Map({"app": "web"})
SELECTOR = LabelSelector(LABELS)
DONE = Reply(200)


def cores(milli: int) -> Quantity:
    return Quantity(milli * 10**6)


class World:
    """A Deployment whose pods share a load and are ready at once, and its autoscaler."""

    def __init__(
        self,
        replicas: int = 3,
        minimum: int = 1,
        maximum: int = 10,
        behavior: HorizontalPodAutoscalerBehavior | None = None,
        settings: Mapping[str, str] = {},
    ) -> None:
        self.controller = controller(settings)
        self.local = self.controller.initial
        metric = MetricSpec("Resource", ResourceMetricSource("cpu", MetricTarget("Utilization", None, None, 50)))
        self.hpa = HorizontalPodAutoscaler(
            ObjectMeta("web", namespace="default", uid=Uid(1)),
            HorizontalPodAutoscalerSpec(
                CrossVersionObjectReference("apps/v1", "Deployment", "web"),
                minimum,
                maximum,
                (metric,),
                behavior,
            ),
        )
        self.deployment: Deployment | None = Deployment(
            ObjectMeta("web", namespace="default", uid=Uid(2)),
            DeploymentSpec(replicas, SELECTOR),
        )
        self.load = 500 * replicas
        """In thousandths of a core; a pod requests one core, and half of it is the target."""
        self.metered = True
        self.started = 1000
        self.others: tuple[HorizontalPodAutoscaler, ...] = ()

    @property
    def replicas(self) -> int:
        assert self.deployment is not None
        return self.deployment.spec.replicas or 0

    def view(self) -> View:
        number = 0 if self.deployment is None else self.replicas
        requests = ResourceRequirements(Map({"cpu": cores(1000)}))
        ready = Condition("Ready", "True", last_transition_time=Age(self.started))
        metas = [ObjectMeta(namespace="default", uid=Uid(10 + n), labels=LABELS) for n in range(number)]
        spec = PodSpec((Container("app", resources=requests),))
        status = PodStatus("Running", (ready,), start_time=Age(self.started))
        usage = Map({"cpu": cores(self.load // max(number, 1))})
        metrics = (PodMetrics(meta, Age(0), 30, (ContainerMetrics("app", usage),)) for meta in metas if self.metered)
        return view(
            HorizontalPodAutoscaler=(self.hpa, *self.others),
            Deployment=() if self.deployment is None else (self.deployment,),
            ReplicaSet=(),
            Pod=tuple(Pod(meta, spec, status) for meta in metas),
            PodMetrics=tuple(metrics),
        )

    def look(self, reply: Reply = DONE) -> Step:
        """One look at the autoscaler; its requests are carried out, or answered as given."""
        key = ref_of(self.hpa)
        (step,) = self.controller.reconcile(self.local, self.view(), key)
        self.local = step.local
        for request in step.requests:
            assert isinstance(request, Update)
            if reply.ok and isinstance(request.object, Deployment):
                assert request.subresource == "scale"
                self.deployment = request.object
            elif reply.ok and isinstance(request.object, HorizontalPodAutoscaler):
                assert request.subresource == "status"
                self.hpa = request.object
            self.local = self.controller.replied(self.local, key, request, reply)
            if not reply.ok:
                break
        return step

    def wait(self, seconds: int) -> None:
        horizons = {**self.controller.horizons, **horizons_of(self.hpa)}
        self.local = older(self.local, seconds, horizons)
        self.hpa = older(self.hpa, seconds, horizons)

    def settle(self) -> None:
        """Look, and wait for as long as the controller says, until it wants nothing any more."""
        for _ in range(50):
            before = self.local
            step = self.look()
            if step.requests or self.local != before:
                continue
            if step.requeue_after is None:
                return
            self.wait(step.requeue_after)
        raise AssertionError("it never rests")

    def reason(self, type: str) -> str:
        found = condition(self.hpa.status.conditions, type)
        return "" if found is None else found.reason


def test_at_the_target_it_reports_and_rests() -> None:
    world = World()
    world.settle()
    assert world.replicas == 3
    assert (world.hpa.status.current_replicas, world.hpa.status.desired_replicas) == (3, 3)
    assert world.reason("AbleToScale") == "ReadyForNewScale"
    assert world.reason("ScalingActive") == "ValidMetricFound"
    assert world.reason("ScalingLimited") == "DesiredWithinRange"
    before = world.local
    assert world.look() == Step(before, why="3 replicas, 3 wanted: cpu is at 50% of the requests, the target is 50%")


def test_more_load_brings_more_replicas_at_once() -> None:
    world = World()
    world.settle()
    world.load = 2500
    world.look()
    assert world.replicas == 5
    assert world.hpa.status.last_scale_time == 0
    assert world.reason("AbleToScale") == "SucceededRescale"


def test_after_a_look_with_an_effect_it_waits_for_the_sync_period() -> None:
    world = World(settings={"horizontal-pod-autoscaler-sync-period": "20s"})
    world.look()
    world.load = 2500
    assert world.look().requeue_after == 20
    world.wait(19)
    assert world.look().requests == ()
    world.wait(1)
    world.look()
    assert world.replicas == 5


def test_less_load_takes_replicas_only_after_the_window() -> None:
    world = World()
    world.settle()
    world.load = 500
    assert not any(isinstance(r.object, Deployment) for r in world.look().requests)  # type: ignore[union-attr]
    assert world.reason("AbleToScale") == "ScaleDownStabilized"
    passed = 15
    while world.replicas == 3:
        wait = world.look().requeue_after
        if wait is not None:
            world.wait(wait)
            passed += wait
    assert world.replicas == 1
    assert passed == 301


def test_a_dip_shorter_than_the_window_changes_nothing() -> None:
    world = World()
    world.settle()
    rest = world.local
    world.load = 500
    world.look()
    world.wait(60)
    world.look()
    world.load = 1500
    world.look()
    world.settle()
    assert world.replicas == 3
    assert world.local == rest


def test_a_restarted_controller_begins_a_new_window() -> None:
    world = World()
    world.settle()
    world.load = 500
    world.look()
    world.wait(290)
    world.local = world.controller.initial
    world.look()
    world.wait(290)
    world.look()
    assert world.replicas == 3


def test_the_number_is_brought_within_its_bounds_whatever_the_metrics_say() -> None:
    world = World(replicas=12, maximum=8)
    world.look()
    assert world.replicas == 8
    world = World(replicas=1, minimum=2)
    world.look()
    assert world.replicas == 2


def test_a_target_of_zero_replicas_is_left_alone() -> None:
    world = World(replicas=0)
    world.settle()
    assert world.replicas == 0
    assert world.reason("ScalingActive") == "ScalingDisabled"


def test_without_a_target_or_metrics_it_says_so_and_rests() -> None:
    world = World()
    world.metered = False
    world.settle()
    assert world.reason("ScalingActive") == "FailedGetResourceMetric"
    world.deployment = None
    world.settle()
    assert world.reason("AbleToScale") == "FailedGetScale"


def test_two_autoscalers_of_the_same_pods_both_stand_still() -> None:
    world = World()
    world.load = 3000
    world.others = (replace(world.hpa, metadata=ObjectMeta("rival", namespace="default", uid=Uid(3))),)
    world.settle()
    assert world.replicas == 3
    assert world.reason("ScalingActive") == "AmbiguousSelector"


def test_pods_that_have_just_started_are_waited_for() -> None:
    world = World()
    world.started = 10
    world.load = 3000
    world.look()
    assert world.replicas == 3
    assert world.reason("ScalingActive") == "FailedGetResourceMetric"
    world.wait(15)
    assert world.look().requeue_after == 20


def test_a_refused_change_is_reported_and_tried_again() -> None:
    world = World()
    world.load = 3000
    step = world.look(Reply(409, "Conflict", "it has changed"))
    assert isinstance(step.requests[0], Update)
    assert world.replicas == 3
    world.look()
    assert world.reason("AbleToScale") == "FailedUpdateScale"
    assert world.look().requeue_after == 15
    world.wait(15)
    world.look()
    assert world.replicas == 6


def slowly(value: int, period: int, window: int = 0) -> HorizontalPodAutoscalerBehavior:
    policy = (HPAScalingPolicy("Pods", value, period),)
    return HorizontalPodAutoscalerBehavior(HPAScalingRules(window, None, policy), HPAScalingRules(0, None, policy))


def test_policies_spread_a_change_over_time() -> None:
    world = World(behavior=slowly(1, 60))
    world.settle()
    world.load = 2500
    world.look()
    assert world.replicas == 4
    world.wait(15)
    step = world.look()
    assert world.replicas == 4
    assert world.reason("ScalingLimited") == "ScaleUpLimit"
    world.settle()
    assert world.replicas == 5
    assert step.requests


def test_a_refused_change_does_not_count_against_the_rate() -> None:
    world = World(behavior=slowly(1, 600))
    world.load = 2500
    world.look(Reply(409, "Conflict"))
    world.look()
    world.wait(15)
    world.look()
    assert world.replicas == 4


def test_a_window_for_scaling_up_holds_a_peak_back() -> None:
    world = World(behavior=slowly(9, 15, window=120))
    world.settle()
    world.load = 2500
    world.look()
    assert world.replicas == 3
    assert world.reason("AbleToScale") == "ScaleUpStabilized"
    world.settle()
    assert world.replicas == 5


def test_what_the_controller_does_not_read_of_a_pod_is_not_seen() -> None:
    status = PodStatus(
        "Running",
        (Condition("Ready", "False", "x", "y", 1, Age(90)), Condition("PodScheduled", "True")),
        start_time=Age(280),
        pod_ip="10.0.0.1",
    )
    seen = pod_shape(Pod(ObjectMeta(uid=Uid(1), deletion_timestamp=Age(-30)), PodSpec(), status))
    ready = Condition("Ready", "False", last_transition_time=Age(280))
    assert seen.status == PodStatus("Running", (ready,), start_time=Age(280))
    assert seen.metadata.deletion_timestamp == 0


@given(
    st.lists(st.tuples(st.integers(0, 6000), st.sampled_from([5, 15, 40, 301])), min_size=1, max_size=6),
    st.sampled_from([None, slowly(1, 60), slowly(2, 30, 90)]),
)
def test_whatever_the_load_does_the_bounds_hold_and_it_comes_to_rest(
    loads: list[tuple[int, int]], behavior: Any
) -> None:
    world = World(minimum=2, maximum=6, behavior=behavior)
    for load, wait in loads:
        world.load = load
        world.look()
        assert 2 <= world.replicas <= 6
        world.wait(wait)
    world.load = 500 * world.replicas
    world.settle()
    rest = (world.local, world.hpa, world.deployment)
    world.look()
    assert (world.local, world.hpa, world.deployment) == rest
