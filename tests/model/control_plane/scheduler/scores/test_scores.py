"""Score plugins on small clusters."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kythera.model.api.apps import ReplicaSet, ReplicaSetSpec
from kythera.model.api.core.container import Container, ResourceRequirements
from kythera.model.api.core.node import ContainerImage, Node, NodeSpec, NodeStatus
from kythera.model.api.core.pod import Pod, PodSpec
from kythera.model.api.core.scheduling import (
    Affinity,
    NodeAffinity,
    NodeSelectorRequirement,
    NodeSelectorTerm,
    PodAffinity,
    PodAffinityTerm,
    PodAntiAffinity,
    PreferredSchedulingTerm,
    Taint,
    Toleration,
    TopologySpreadConstraint,
    WeightedPodAffinityTerm,
)
from kythera.model.api.core.service import Service, ServiceSpec
from kythera.model.api.meta import LabelSelector, ObjectMeta, OwnerReference
from kythera.model.api.quantity import Quantity
from kythera.model.control_plane.scheduler.node_info import Snapshot, node_infos
from kythera.model.control_plane.scheduler.scores import SCORES, total_scores
from kythera.model.control_plane.scheduler.scores.image_locality import image_score, normalised_image_name
from kythera.model.control_plane.scheduler.scores.node_resources_balanced_allocation import (
    balance,
    balance_change_score,
)
from kythera.model.control_plane.scheduler.scores.node_resources_fit import (
    LEAST_ALLOCATED,
    MOST_ALLOCATED,
    REQUESTED_TO_CAPACITY_RATIO,
    ScoringStrategy,
    UtilizationShapePoint,
    shape_score,
    strategy_score,
)
from kythera.model.control_plane.scheduler.scores.normalise import proportional
from kythera.model.control_plane.scheduler.topology_spread import default_selector
from kythera.model.record import EMPTY, Map, NodeName, Uid, replace

GIB = 1024**3


def quantity(number: int) -> Quantity:
    return Quantity(number * 10**9)


def node(name: str, cpu: int = 4, memory: int = 8 * GIB, **labels: str) -> Node:
    room = Map({"cpu": quantity(cpu), "memory": quantity(memory), "pods": quantity(110)})
    return Node(
        ObjectMeta(name=name, labels=Map({"kubernetes.io/hostname": name, **labels})),
        status=NodeStatus(allocatable=room),
    )


def pod(name: str, on: str = "", cpu: int = 0, memory: int = 0, labels: Map[str] = EMPTY, **spec: object) -> Pod:
    wanted = {key: quantity(n) for key, n in (("cpu", cpu), ("memory", memory)) if n}
    return Pod(
        ObjectMeta(name=name, namespace="default", uid=Uid(sum(map(ord, name))), labels=labels),
        PodSpec(
            containers=(Container(name="c", resources=ResourceRequirements(Map(wanted))),),
            node_name=NodeName(on) if on else None,
            **spec,
        ),
    )


def score(plugin: str, incoming: Pod, nodes: tuple[Node, ...], *existing: Pod, **more: object) -> dict[str, int]:
    snapshot = Snapshot(nodes=node_infos(nodes, existing), **more)
    function = {each.name: each.function for each in SCORES}[plugin]
    return function(incoming, snapshot.nodes, snapshot)


def test_the_weights_are_those_of_the_default_profile() -> None:
    assert {each.name: each.weight for each in SCORES} == {
        "TaintToleration": 3,
        "NodeAffinity": 2,
        "NodeResourcesFit": 1,
        "PodTopologySpread": 2,
        "InterPodAffinity": 2,
        "NodeResourcesBalancedAllocation": 1,
        "ImageLocality": 1,
    }


def test_untolerated_soft_taints_cost_points() -> None:
    soft = NodeSpec(taints=(Taint("a", "", "PreferNoSchedule"), Taint("b", "", "PreferNoSchedule")))
    nodes = (replace(node("n1"), spec=soft), node("n2"))
    assert score("TaintToleration", pod("p"), nodes) == {"n1": 0, "n2": 100}
    tolerant = pod("p", tolerations=(Toleration("a", "Exists"), Toleration("b", "Exists")))
    assert score("TaintToleration", tolerant, nodes) == {"n1": 100, "n2": 100}


def test_preferred_node_affinity_counts_by_weight() -> None:
    def term(weight: int, value: str) -> PreferredSchedulingTerm:
        needs = NodeSelectorRequirement("disk", "In", (value,))
        return PreferredSchedulingTerm(weight, NodeSelectorTerm((needs,)))

    affinity = Affinity(NodeAffinity(None, (term(40, "ssd"), term(10, "hdd"))))
    nodes = (node("n1", disk="ssd"), node("n2", disk="hdd"), node("n3"))
    assert score("NodeAffinity", pod("p", affinity=affinity), nodes) == {"n1": 100, "n2": 25, "n3": 0}


def test_an_emptier_node_is_preferred_by_default() -> None:
    nodes = (node("n1"), node("n2"))
    found = score("NodeResourcesFit", pod("p", cpu=1, memory=2 * GIB), nodes, pod("q", "n1", 2, 4 * GIB))
    assert found == {"n1": 25, "n2": 75}


def test_a_container_without_requests_counts_a_little() -> None:
    nodes = (node("n1"), node("n2"))
    found = score("NodeResourcesFit", pod("p"), nodes, pod("q", "n1"))
    assert found["n1"] < found["n2"] < 100


def test_most_allocated_is_the_mirror_image_of_least_allocated() -> None:
    info = node_infos((node("n1"),), (pod("q", "n1", 1, 2 * GIB),))[0]
    least = strategy_score(pod("p", cpu=1, memory=2 * GIB), info, ScoringStrategy(LEAST_ALLOCATED))
    most = strategy_score(pod("p", cpu=1, memory=2 * GIB), info, ScoringStrategy(MOST_ALLOCATED))
    assert (least, most) == (50, 50)


def test_a_shape_is_read_along_straight_lines() -> None:
    shape = (UtilizationShapePoint(0, 10), UtilizationShapePoint(50, 5), UtilizationShapePoint(100, 0))
    assert [shape_score(shape, used, 100) for used in (0, 25, 50, 75, 100, 150)] == [100, 75, 50, 25, 0, 0]
    info = node_infos((node("n1"),), ())[0]
    strategy = ScoringStrategy(REQUESTED_TO_CAPACITY_RATIO, shape=shape)
    assert strategy_score(pod("p", cpu=1, memory=2 * GIB), info, strategy) == 75


def test_balance_is_full_when_all_fractions_are_equal() -> None:
    assert balance([(1, 2), (2, 4), (4, 8)]) == 100
    assert balance([(0, 4), (4, 4)]) == 50
    assert balance([(3, 0), (1, 4)]) == 100


def test_the_change_of_balance_counts() -> None:
    assert balance_change_score(80, 80) == 75
    assert balance_change_score(100, 50) == 100
    assert balance_change_score(50, 100) == 50


def test_a_pod_without_requests_is_not_scored_for_balance() -> None:
    found = score("NodeResourcesBalancedAllocation", pod("p"), (node("n1"), node("n2")), pod("q", "n1", 3))
    assert found == {"n1": 0, "n2": 0}


def test_image_locality_needs_a_big_image_on_few_nodes() -> None:
    big = NodeStatus(images=(ContainerImage(("reg/app:v1",), 1000 * 1024 * 1024),))
    nodes = (replace(node("n1"), status=big), node("n2"))
    incoming = Pod(spec=PodSpec(containers=(Container(image="reg/app:v1"),)))
    assert score("ImageLocality", incoming, nodes) == {"n1": 48, "n2": 0}
    assert image_score(0, 0) == 0
    assert normalised_image_name("host:5000/app") == "host:5000/app:latest"


def test_soft_affinity_attracts_and_soft_anti_affinity_repels() -> None:
    web = Map({"app": "web"})
    term = WeightedPodAffinityTerm(10, PodAffinityTerm(LabelSelector(web), topology_key="zone"))
    nodes = (node("n1", zone="a"), node("n2", zone="b"))
    existing = pod("q", "n1", labels=web)
    near = pod("p", affinity=Affinity(None, PodAffinity((), (term,))))
    away = pod("p", affinity=Affinity(None, None, PodAntiAffinity((), (term,))))
    assert score("InterPodAffinity", near, nodes, existing) == {"n1": 100, "n2": 0}
    assert score("InterPodAffinity", away, nodes, existing) == {"n1": 0, "n2": 100}


def test_required_affinity_of_an_existing_pod_attracts_its_match() -> None:
    term = PodAffinityTerm(LabelSelector(Map({"app": "db"})), topology_key="zone")
    nodes = (node("n1", zone="a"), node("n2", zone="b"))
    existing = pod("q", "n1", affinity=Affinity(None, PodAffinity((term,))))
    found = score("InterPodAffinity", pod("p", labels=Map({"app": "db"})), nodes, existing)
    assert found == {"n1": 100, "n2": 0}


def test_soft_spread_prefers_the_emptier_domain() -> None:
    web = Map({"app": "web"})
    constraint = TopologySpreadConstraint(1, "zone", "ScheduleAnyway", LabelSelector(web))
    nodes = (node("n1", zone="a"), node("n2", zone="b"), node("n3"))
    incoming = pod("p", labels=web, topology_spread_constraints=(constraint,))
    found = score("PodTopologySpread", incoming, nodes, pod("q", "n1", labels=web), pod("r", "n1", labels=web))
    assert found == {"n1": 0, "n2": 100, "n3": 0}


def test_pods_of_one_replica_set_are_spread_by_default() -> None:
    web = Map({"app": "web"})
    owner = ReplicaSet(
        ObjectMeta(name="web", namespace="default", uid=Uid(9)), ReplicaSetSpec(selector=LabelSelector(web))
    )
    reference = OwnerReference("apps/v1", "ReplicaSet", "web", Uid(9), controller=True)
    incoming = pod("p", labels=web)
    incoming = replace(incoming, metadata=replace(incoming.metadata, owner_references=(reference,)))
    nodes = (node("n1"), node("n2"))
    found = score("PodTopologySpread", incoming, nodes, pod("q", "n1", labels=web), replica_sets=(owner,))
    assert found["n2"] > found["n1"]


def test_the_default_selector_is_that_of_services_and_owner() -> None:
    service = Service(ObjectMeta(name="s", namespace="default"), ServiceSpec(selector=Map({"app": "web"})))
    labels = Map({"app": "web", "tier": "front"})
    assert default_selector(pod("p", labels=labels), Snapshot(services=(service,))) == LabelSelector(
        Map({"app": "web"})
    )
    assert default_selector(pod("p"), Snapshot(services=(service,))) == LabelSelector()


@given(st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 10**6)), st.booleans())
def test_proportional_scores_lie_between_0_and_100(points: dict[str, int], reverse: bool) -> None:
    found = proportional(points, reverse)
    assert found.keys() == points.keys()
    assert all(0 <= value <= 100 for value in found.values())


CLUSTERS = st.lists(st.tuples(st.integers(1, 2), st.integers(0, 4), st.integers(0, 8)), max_size=5)


@given(CLUSTERS, st.integers(0, 4), st.integers(0, 8))
def test_every_plugin_scores_every_node_between_0_and_100(
    existing: list[tuple[int, int, int]], cpu: int, memory: int
) -> None:
    nodes = (node("n1", zone="a"), node("n2", zone="b"))
    pods = tuple(pod(f"e{i}", f"n{on}", c, m * GIB) for i, (on, c, m) in enumerate(existing))
    snapshot = Snapshot(nodes=node_infos(nodes, pods))
    incoming = pod("p", cpu=cpu, memory=memory * GIB)
    total = dict.fromkeys(("n1", "n2"), 0)
    for each in SCORES:
        found = each.function(incoming, snapshot.nodes, snapshot)
        assert found.keys() == total.keys()
        assert all(0 <= value <= 100 for value in found.values())
        total = {name: value + each.weight * found[name] for name, value in total.items()}
    assert total_scores(incoming, snapshot.nodes, snapshot) == total
