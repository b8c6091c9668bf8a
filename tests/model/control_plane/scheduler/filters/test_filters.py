"""Filter plugins on small clusters."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kythera.model.api.core.container import Container, ContainerPort, ResourceRequirements
from kythera.model.api.core.node import Node, NodeSpec, NodeStatus
from kythera.model.api.core.pod import Pod, PodSpec
from kythera.model.api.core.scheduling import (
    Affinity,
    NodeAffinity,
    NodeSelector,
    NodeSelectorRequirement,
    NodeSelectorTerm,
    Taint,
    Toleration,
)
from kythera.model.api.meta import ObjectMeta
from kythera.model.api.quantity import Quantity
from kythera.model.control_plane.scheduler.filters import FILTERS, Insufficient, Verdict, run_filters
from kythera.model.control_plane.scheduler.filters.node_affinity import filter_node_affinity, node_names
from kythera.model.control_plane.scheduler.filters.node_resources_fit import filter_node_resources_fit
from kythera.model.control_plane.scheduler.node_info import NodeInfo, Snapshot
from kythera.model.record import Map, NodeName


def amounts(each: dict[str, int]) -> Map[Quantity]:
    return Map({name: Quantity(number * 10**9) for name, number in each.items()})


def node(name: str = "n", room: dict[str, int] | None = None, **spec: object) -> Node:
    status = NodeStatus(allocatable=amounts({"cpu": 4, "memory": 8, "pods": 3} if room is None else room))
    return Node(ObjectMeta(name=name), NodeSpec(**spec), status)  # type: ignore[arg-type]


def pod(name: str = "p", wants: dict[str, int] | None = None, **spec: object) -> Pod:
    container = Container(resources=ResourceRequirements(requests=amounts(wants or {})))
    return Pod(ObjectMeta(name=name), PodSpec(containers=(container,), **spec))  # type: ignore[arg-type]


def ask(plugin: str, incoming: Pod, it: Node, *existing: Pod) -> Verdict:
    info = NodeInfo(it, existing)
    return dict(FILTERS)[plugin](incoming, info, Snapshot(nodes=(info,)))


def named(*values: str) -> NodeSelectorRequirement:
    return NodeSelectorRequirement("metadata.name", "In", values)


def requiring(*terms: NodeSelectorTerm) -> Pod:
    return pod(affinity=Affinity(node_affinity=NodeAffinity(NodeSelector(terms))))


def test_the_plugins_are_asked_in_the_order_of_the_default_profile() -> None:
    assert [name for name, _ in FILTERS] == [
        "NodeUnschedulable",
        "NodeName",
        "TaintToleration",
        "NodeAffinity",
        "NodePorts",
        "NodeResourcesFit",
        "PodTopologySpread",
        "InterPodAffinity",
    ]


def test_the_first_plugin_that_says_no_gives_the_verdict() -> None:
    info = NodeInfo(node(room={}, unschedulable=True))
    verdict = run_filters(pod(), info, Snapshot(nodes=(info,)))
    assert (verdict.plugin, verdict.reasons) == ("NodeUnschedulable", ("node(s) were unschedulable",))
    assert run_filters(pod(), NodeInfo(node()), Snapshot()).fits


def test_a_cordoned_node_takes_pods_that_tolerate_it() -> None:
    assert not ask("NodeUnschedulable", pod(), node(unschedulable=True)).resolvable
    bears = pod(tolerations=(Toleration("node.kubernetes.io/unschedulable", "Exists"),))
    assert ask("NodeUnschedulable", bears, node(unschedulable=True)).fits


def test_a_pod_that_names_its_node_goes_nowhere_else() -> None:
    assert ask("NodeName", pod(node_name=NodeName("n")), node("n")).fits
    assert not ask("NodeName", pod(node_name=NodeName("m")), node("n")).resolvable


def test_a_taint_keeps_pods_off_unless_it_is_only_a_preference() -> None:
    tainted = node(taints=(Taint("gpu", "yes", "NoSchedule"),))
    assert ask("TaintToleration", pod(), tainted) == Verdict(
        "unresolvable", ("node(s) had untolerated taint(s)",), "{gpu: yes}"
    )
    assert ask("TaintToleration", pod(), node(taints=(Taint("gpu", "yes", "PreferNoSchedule"),))).fits


def test_node_affinity_of_the_profile_comes_before_the_pods_own() -> None:
    added = NodeSelector((NodeSelectorTerm(match_fields=(named("m"),)),))
    verdict = filter_node_affinity(pod(node_selector=Map({"x": "1"})), NodeInfo(node()), Snapshot(), added)
    assert verdict.reasons == ("node(s) didn't match scheduler-enforced node affinity",)
    assert ask("NodeAffinity", pod(node_selector=Map({"x": "1"})), node()).reasons == (
        "node(s) didn't match Pod's node affinity/selector",
    )


def test_terms_that_name_different_nodes_at_once_conflict() -> None:
    torn = requiring(NodeSelectorTerm(match_fields=(named("a"), named("b"))))
    assert ask("NodeAffinity", torn, node("a")).reasons == ("pod affinity terms conflict",)


def test_the_nodes_that_affinity_names_are_known_if_every_term_names_some() -> None:
    other = NodeSelectorTerm(match_expressions=(NodeSelectorRequirement("x", "Exists"),))
    assert node_names(requiring(NodeSelectorTerm(match_fields=(named("a"),)), other)) is None
    both = requiring(NodeSelectorTerm(match_fields=(named("a"),)), NodeSelectorTerm(match_fields=(named("b"),)))
    assert node_names(both) == {"a", "b"}
    assert node_names(pod()) is None


def test_a_taken_host_port_is_free_again_when_the_other_pod_goes() -> None:
    def on_port(name: str, port: int) -> Pod:
        return Pod(ObjectMeta(name=name), PodSpec(containers=(Container(ports=(ContainerPort(host_port=port),)),)))

    verdict = ask("NodePorts", on_port("a", 80), node(), on_port("b", 80))
    assert not verdict.fits
    assert verdict.resolvable
    assert ask("NodePorts", on_port("a", 80), node(), on_port("b", 81)).fits


def test_what_is_lacking_is_listed_with_its_numbers() -> None:
    existing = pod("e", {"cpu": 3, "memory": 2})
    assert ask("NodeResourcesFit", pod(wants={"cpu": 2, "memory": 1}), node(), existing) == Verdict(
        "unschedulable",
        ("Insufficient cpu",),
        insufficient=(Insufficient("cpu", "Insufficient cpu", 2000, 3000, 4000),),
    )


def test_a_pod_that_is_greater_than_the_node_is_unresolvable() -> None:
    assert not ask("NodeResourcesFit", pod(wants={"cpu": 5}), node()).resolvable


def test_the_number_of_pods_is_limited_and_a_full_node_is_never_unresolvable() -> None:
    verdict = ask("NodeResourcesFit", pod(), node(), pod("a"), pod("b"), pod("c"))
    assert verdict.reasons == ("Too many pods",)
    assert verdict.resolvable
    assert ask("NodeResourcesFit", pod(), node(room={"pods": 0})).resolvable


def test_a_request_of_zero_fits_a_node_that_is_over_full() -> None:
    assert ask("NodeResourcesFit", pod(wants={"cpu": 0}), node(), pod("e", {"cpu": 9})).fits


def test_extended_resources_can_be_left_to_somebody_else() -> None:
    info, wants = NodeInfo(node()), pod(wants={"example.com/gpu": 1})
    assert not filter_node_resources_fit(wants, info, Snapshot()).fits
    assert filter_node_resources_fit(wants, info, Snapshot(), ignored_resources=frozenset({"example.com/gpu"})).fits
    assert filter_node_resources_fit(wants, info, Snapshot(), ignored_resource_groups=frozenset({"example.com"})).fits
    native = pod(wants={"cpu": 9})
    assert not filter_node_resources_fit(native, info, Snapshot(), ignored_resources=frozenset({"cpu"})).fits


@given(
    st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), max_size=4),
    st.integers(0, 6),
    st.integers(0, 6),
)
def test_a_pod_fits_exactly_if_the_sums_do(others: list[tuple[int, int]], cpu: int, memory: int) -> None:
    existing = [pod(f"e{i}", {"cpu": c, "memory": m}) for i, (c, m) in enumerate(others)]
    verdict = ask("NodeResourcesFit", pod(wants={"cpu": cpu, "memory": memory}), node(), *existing)
    assert verdict.fits == (
        len(others) < 3
        and (cpu == 0 or cpu + sum(c for c, _ in others) <= 4)
        and (memory == 0 or memory + sum(m for _, m in others) <= 8)
    )
    assert verdict.resolvable == (cpu <= 4 and memory <= 8)
