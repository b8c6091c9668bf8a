"""From metrics to a number of replicas."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kythera.model.api.core.container import Container, ResourceRequirements
from kythera.model.api.core.pod import Pod, PodSpec, PodStatus
from kythera.model.api.meta import Condition, ObjectMeta
from kythera.model.api.metrics import ContainerMetrics, PodMetrics
from kythera.model.api.quantity import Quantity
from kythera.model.control_plane.controllers.horizontal_pod_autoscaler.replica_calculator import (
    Key,
    MetricError,
    PodUsage,
    Proposal,
    Readiness,
    Tolerances,
    average_value_replicas,
    group_pods,
    is_unready,
    requests_of,
    resource_usage,
    seconds_to_regroup,
    utilization_replicas,
    value_per_pod_replicas,
    value_replicas,
)
from kythera.model.record import Age, Map, Uid

LONG = 1000


def cores(milli: int) -> Quantity:
    return Quantity(milli * 10**6)


def a_pod(
    uid: int,
    *,
    phase: str = "Running",
    ready: str = "True",
    started: int = LONG,
    changed: int = LONG,
    request: int = 1000,
    deleted: bool = False,
) -> Pod:
    requests = Map({"cpu": cores(request)}) if request else Map()
    return Pod(
        ObjectMeta(uid=Uid(uid), deletion_timestamp=Age(0) if deleted else None),
        PodSpec((Container("app", resources=ResourceRequirements(requests)),)),
        PodStatus(phase, (Condition("Ready", ready, last_transition_time=Age(changed)),), start_time=Age(started)),
    )


def utilization(current: int, target: int, pods: list[Pod], used: list[int | None]) -> Proposal:
    usages: dict[Key, PodUsage] = {n: PodUsage(value, 0, 30) for n, value in enumerate(used) if value is not None}
    return utilization_replicas(
        current, target, pods, usages, resource="cpu", tolerances=Tolerances(), readiness=Readiness()
    )


def pods_of(number: int, **more: int) -> list[Pod]:
    return [a_pod(n, **more) for n in range(number)]  # type: ignore[arg-type]


def test_twice_the_target_needs_twice_the_replicas() -> None:
    assert utilization(3, 50, pods_of(3), [1000, 1000, 1000]) == Proposal(6, 1000, 100)


def test_within_the_tolerance_nothing_changes() -> None:
    assert utilization(3, 50, pods_of(3), [540, 540, 540]).replicas == 3
    assert utilization(3, 50, pods_of(3), [560, 560, 560]).replicas == 4


def test_each_direction_has_its_own_tolerance() -> None:
    tolerances = Tolerances(down=0.5, up=0.0)
    assert tolerances.allow(0.5)
    assert not tolerances.allow(1.01)


def test_a_pod_without_metrics_counts_as_idle_when_scaling_up() -> None:
    assert utilization(2, 50, pods_of(2), [1000, None]).replicas == 2


def test_a_pod_without_metrics_counts_as_busy_when_scaling_down() -> None:
    assert utilization(3, 50, pods_of(3), [100, 100, None]).replicas == 3


def test_a_pod_that_was_never_ready_counts_as_idle_when_scaling_up() -> None:
    pods = [a_pod(0), a_pod(1), a_pod(2, ready="False", started=100, changed=100)]
    assert utilization(3, 50, pods, [900, 900, 900]).replicas == 4


def test_a_pod_that_was_never_ready_is_left_out_when_scaling_down() -> None:
    pods = [a_pod(0), a_pod(1), a_pod(2, ready="False", started=100, changed=100)]
    assert utilization(3, 50, pods, [200, 200, 5000]).replicas == 1


def test_failed_and_deleted_pods_are_ignored() -> None:
    pods = [a_pod(0), a_pod(1), a_pod(2, phase="Failed"), a_pod(3, deleted=True)]
    assert utilization(2, 50, pods, [1000, 1000, 9000, 9000]).replicas == 4


def test_pods_are_sorted_by_what_their_usage_is_good_for() -> None:
    pods = [
        a_pod(0),
        a_pod(1, phase="Pending"),
        a_pod(2),
        a_pod(3, phase="Failed"),
        a_pod(4, started=20, changed=20),
    ]
    usages: dict[Key, PodUsage] = {n: PodUsage(100, 0, 30) for n in (0, 1, 3, 4)}
    groups = group_pods(pods, usages, "cpu", Readiness())
    assert (groups.ready, groups.unready, groups.missing, groups.ignored) == ((0,), (1, 4), (2,), (3,))
    assert group_pods(pods, usages, "memory", Readiness()).ready == (0, 4)


def test_a_pod_that_was_ready_before_counts_although_it_is_not_now() -> None:
    usage = PodUsage(100, 0, 30)
    assert not is_unready(a_pod(0, ready="False", started=600, changed=50), usage, Readiness())
    assert is_unready(a_pod(0, ready="False", started=600, changed=580), usage, Readiness())


def test_it_is_known_when_time_alone_makes_a_pod_count() -> None:
    usages: dict[Key, PodUsage] = {0: PodUsage(100, 0, 30)}
    assert seconds_to_regroup([a_pod(0, started=25, changed=20)], usages, Readiness()) == 10
    assert seconds_to_regroup([a_pod(0, ready="False", started=100, changed=50)], usages, Readiness()) == 200
    assert seconds_to_regroup([a_pod(0)], usages, Readiness()) is None


def test_nothing_follows_without_pods_metrics_or_requests() -> None:
    with pytest.raises(MetricError, match="no pods"):
        utilization(1, 50, [], [100])
    with pytest.raises(MetricError, match="did not receive metrics"):
        utilization(1, 50, pods_of(1), [None])
    with pytest.raises(MetricError, match="missing request"):
        utilization(1, 50, pods_of(1, request=0), [100])
    with pytest.raises(MetricError, match="matched known pods"):
        utilization(1, 50, pods_of(1), [None, 100])


def test_requests_are_of_one_container_if_it_is_named() -> None:
    requests = ResourceRequirements(Map({"cpu": cores(200)}))
    pod = Pod(
        ObjectMeta(uid=Uid(0)),
        PodSpec(
            (Container("app", resources=requests), Container("proxy", resources=requests)),
            (Container("sidecar", resources=requests, restart_policy="Always"), Container("setup")),
        ),
    )
    assert requests_of([pod], "cpu") == {0: 600}
    assert requests_of([pod], "cpu", "proxy") == {0: 200}
    with pytest.raises(MetricError, match="not found"):
        requests_of([pod], "cpu", "nobody")


def test_usage_is_the_sum_of_the_containers_or_that_of_one() -> None:
    used = Map({"cpu": cores(150)})
    metrics = PodMetrics(
        ObjectMeta(uid=Uid(7)), Age(5), 30, (ContainerMetrics("app", used), ContainerMetrics("proxy", used))
    )
    assert resource_usage([metrics], "cpu") == {7: PodUsage(300, 5, 30)}
    assert resource_usage([metrics], "cpu", "app") == {7: PodUsage(150, 5, 30)}
    assert resource_usage([metrics], "memory") == {}
    with pytest.raises(MetricError, match="not present"):
        resource_usage([metrics], "cpu", "nobody")
    with pytest.raises(MetricError, match="resource cpu: no metrics"):
        resource_usage([], "cpu")


def test_one_value_is_held_by_the_ready_pods_or_divided_among_all() -> None:
    pods = [a_pod(0), a_pod(1), a_pod(2, ready="False")]
    assert value_replicas(3, 10, 30, pods, Tolerances()).replicas == 6
    assert value_replicas(0, 10, 30, [], Tolerances()).replicas == 3
    assert value_per_pod_replicas(4, 10, 60, Tolerances()) == Proposal(6, 15)
    assert value_per_pod_replicas(4, 10, 41, Tolerances()).replicas == 4


def test_surge_pods_do_not_count_if_the_targets_number_is_the_base() -> None:
    usages: dict[Key, PodUsage] = {n: PodUsage(700, 0, 30) for n in range(5)}
    more = {"resource": "cpu", "tolerances": Tolerances(), "readiness": Readiness()}
    assert utilization_replicas(4, 50, pods_of(5), usages, **more).replicas == 7  # type: ignore[arg-type]
    assert utilization_replicas(4, 50, pods_of(5), usages, **more, base=4).replicas == 6  # type: ignore[arg-type]


@given(
    st.integers(1, 8),
    st.integers(1, 200),
    st.lists(st.one_of(st.none(), st.integers(0, 3000)), min_size=1, max_size=6),
)
def test_guesses_never_turn_the_direction_round(current: int, target: int, used: list[int | None]) -> None:
    pods = pods_of(len(used))
    try:
        found = utilization(current, target, pods, used)
    except MetricError:
        return
    if None in used:
        assert found.utilization is not None
        if found.replicas > current:
            assert found.utilization > target
        if found.replicas < current:
            assert found.utilization < target


@given(st.integers(1, 8), st.integers(1, 2000), st.lists(st.integers(0, 3000), min_size=1, max_size=6))
def test_more_load_never_needs_fewer_replicas(target_current: int, target: int, used: list[int]) -> None:
    pods = pods_of(len(used))

    def replicas(values: list[int]) -> int:
        usages: dict[Key, PodUsage] = {n: PodUsage(value) for n, value in enumerate(values)}
        return average_value_replicas(
            len(used), target, pods, usages, tolerances=Tolerances(), readiness=Readiness()
        ).replicas

    assert replicas(used) <= replicas([value + 100 * target_current for value in used])
