"""What a pod requests, its QoS class, and its OOM score."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kythera.model.api.core.container import Container, ResourceRequirements
from kythera.model.api.core.pod import Pod, PodResources, PodSpec
from kythera.model.api.quantity import Quantity
from kythera.model.api.requests import (
    container_limits,
    container_requests,
    oom_score_adj,
    pod_limits,
    pod_requests,
    qos_class,
)
from kythera.model.record import EMPTY, Map


def amounts(**each: int) -> Map[Quantity]:
    return Map({name: Quantity(number * 10**9) for name, number in each.items()})


def container(limits: Map[Quantity] = EMPTY, restart_policy: str | None = None, **requests: int) -> Container:
    return Container(resources=ResourceRequirements(amounts(**requests), limits), restart_policy=restart_policy)


def sidecar(**requests: int) -> Container:
    return container(restart_policy="Always", **requests)


def pod(*containers: Container, init: tuple[Container, ...] = (), **spec: object) -> Pod:
    return Pod(spec=PodSpec(containers=containers, init_containers=init, **spec))  # type: ignore[arg-type]


sizes = st.integers(0, 9)
containers = st.builds(lambda cpu, memory: container(cpu=cpu, memory=memory), sizes, sizes)


def test_containers_run_together_and_init_containers_one_by_one() -> None:
    assert pod_requests(pod(container(cpu=1), container(cpu=2), init=(container(cpu=2), container(cpu=1)))) == (
        amounts(cpu=3)
    )
    assert pod_requests(pod(container(cpu=1), init=(container(cpu=5),))) == amounts(cpu=5)


def test_a_sidecar_runs_beside_the_init_containers_after_it_and_beside_the_containers() -> None:
    after = pod(container(cpu=1), init=(sidecar(cpu=2), container(cpu=5)))
    before = pod(container(cpu=1), init=(container(cpu=5), sidecar(cpu=2)))
    assert pod_requests(after) == amounts(cpu=7)
    assert pod_requests(before) == amounts(cpu=5)
    assert pod_requests(pod(container(cpu=9), init=(sidecar(cpu=2), container(cpu=5)))) == amounts(cpu=11)


def test_overhead_is_added_to_requests_and_to_limits_that_exist() -> None:
    it = pod(container(limits=amounts(cpu=4), cpu=1), overhead=amounts(cpu=1, memory=2))
    assert pod_requests(it) == amounts(cpu=2, memory=2)
    assert pod_requests(it, with_overhead=False) == amounts(cpu=1)
    assert pod_limits(it) == amounts(cpu=5)
    assert pod_limits(it, with_overhead=False) == amounts(cpu=4)


def test_requests_of_the_pod_level_come_before_those_of_the_containers() -> None:
    whole = PodResources(requests=Map({**amounts(cpu=8), "example.com/gpu": Quantity(10**9)}))
    it = pod(container(cpu=1, memory=3), resources=whole, overhead=amounts(cpu=1))
    assert pod_requests(it) == amounts(cpu=9, memory=3)
    assert pod_requests(it, with_pod_level=False) == amounts(cpu=2, memory=3)
    assert container_requests(it) == amounts(cpu=1, memory=3)


def test_limits_of_the_pod_level_come_before_those_of_the_containers() -> None:
    it = pod(container(limits=amounts(cpu=4)), resources=PodResources(limits=amounts(cpu=2)))
    assert pod_limits(it) == amounts(cpu=2)
    assert container_limits(it) == amounts(cpu=4)


def test_a_missing_request_counts_for_what_the_caller_says_and_a_request_of_zero_for_zero() -> None:
    it = pod(container(cpu=0), container())
    assert pod_requests(it, missing=amounts(cpu=5)) == amounts(cpu=5)


@given(st.lists(containers), st.lists(containers))
def test_the_order_of_init_containers_does_not_matter_without_sidecars(
    some: list[Container], init: list[Container]
) -> None:
    assert pod_requests(pod(*some, init=tuple(init))) == pod_requests(pod(*some, init=tuple(reversed(init))))


@given(st.lists(containers), st.lists(containers), containers)
def test_one_more_container_asks_for_exactly_its_part_if_there_are_no_init_containers(
    some: list[Container], init: list[Container], more: Container
) -> None:
    before, after = pod_requests(pod(*some)), pod_requests(pod(*some, more))
    for name, asked in more.resources.requests.items():
        assert after[name].nano == before.get(name, Quantity()).nano + asked.nano
    with_init = pod_requests(pod(*some, init=tuple(init)))
    assert all(with_init[name].nano >= each.nano for name, each in before.items())


def test_a_pod_without_resources_is_best_effort() -> None:
    assert qos_class(pod(container())) == "BestEffort"
    assert qos_class(pod(container(cpu=0))) == "BestEffort"


def test_a_pod_is_guaranteed_if_limits_equal_requests_in_all_containers() -> None:
    full = amounts(cpu=1, memory=1)
    assert qos_class(pod(container(limits=full, cpu=1, memory=1))) == "Guaranteed"
    assert qos_class(pod(container(limits=full, cpu=1, memory=1), container())) == "Burstable"
    assert qos_class(pod(container(limits=amounts(cpu=1), cpu=1))) == "Burstable"
    assert qos_class(pod(container(limits=full, cpu=1))) == "Burstable"


def test_the_pod_level_decides_the_qos_class_alone() -> None:
    full = PodResources(amounts(cpu=1, memory=1), amounts(cpu=1, memory=1))
    assert qos_class(pod(container(cpu=1), resources=full)) == "Guaranteed"


def test_other_resources_do_not_count_for_the_qos_class() -> None:
    assert qos_class(pod(container(storage=1))) == "BestEffort"


def test_oom_scores_of_the_three_classes() -> None:
    full = container(limits=amounts(cpu=1, memory=1), cpu=1, memory=1)
    assert oom_score_adj(pod(full), full, 1000) == -997
    assert oom_score_adj(pod(container()), container(), 1000) == 1000
    burst = container(memory=100)
    assert oom_score_adj(pod(burst), burst, 1000) == 900


def test_the_oom_score_of_a_burstable_container_stays_between_the_other_two() -> None:
    little, much = container(cpu=1), container(memory=999)
    assert oom_score_adj(pod(little), little, 1000) == 999
    assert oom_score_adj(pod(much), much, 1000) == 3


def test_a_node_critical_pod_dies_last() -> None:
    it = pod(container(), priority=2_000_001_000, priority_class_name="system-node-critical")
    assert oom_score_adj(it, container(), 1000) == -997
    other = pod(container(), priority=2_000_000_000, priority_class_name="system-cluster-critical")
    assert oom_score_adj(other, container(), 1000) == 1000


def test_a_sidecar_dies_no_earlier_than_the_container_with_the_least_memory() -> None:
    side, main = sidecar(memory=10), container(memory=500)
    assert oom_score_adj(pod(main, init=(side,)), side, 1000) == 500


def test_memory_that_only_the_pod_requests_is_shared_out() -> None:
    one, two = container(memory=100), container(memory=200)
    it = pod(one, two, resources=PodResources(requests=amounts(memory=500)))
    assert oom_score_adj(it, one, 1000) == 1000 - (100 + 100)
