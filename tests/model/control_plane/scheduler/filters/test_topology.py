"""Filter plugins that look at topology domains."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kythera.model.api.apps import ReplicaSet, ReplicaSetSpec
from kythera.model.api.core.cluster import Namespace
from kythera.model.api.core.node import Node, NodeSpec
from kythera.model.api.core.pod import Pod, PodSpec
from kythera.model.api.core.scheduling import (
    Affinity,
    PodAffinity,
    PodAffinityTerm,
    PodAntiAffinity,
    Taint,
    TopologySpreadConstraint,
)
from kythera.model.api.core.service import Service, ServiceSpec
from kythera.model.api.meta import LabelSelector, ObjectMeta, OwnerReference
from kythera.model.control_plane.scheduler.filters import Verdict
from kythera.model.control_plane.scheduler.filters.inter_pod_affinity import filter_inter_pod_affinity
from kythera.model.control_plane.scheduler.filters.pod_topology_spread import (
    filter_pod_topology_spread,
    hard_constraints,
    match_counts,
)
from kythera.model.control_plane.scheduler.node_info import Snapshot, node_infos
from kythera.model.control_plane.scheduler.topology_spread import default_selector
from kythera.model.record import Age, Map, NodeName, Uid, replace

ZONES = {"n1": "a", "n2": "a", "n3": "b"}
WEB = LabelSelector(Map({"app": "web"}))


def node(name: str, taints: tuple[Taint, ...] = (), **labels: str) -> Node:
    return Node(ObjectMeta(name=name, labels=Map({"host": name, **labels})), NodeSpec(taints=taints))


NODES = tuple(node(name, zone=zone) for name, zone in ZONES.items())


def pod(name: str, on: str = "", app: str = "web", namespace: str = "default", **spec: object) -> Pod:
    return Pod(
        ObjectMeta(name=name, namespace=namespace, labels=Map({"app": app})),
        PodSpec(node_name=NodeName(on) if on else None, **spec),  # type: ignore[arg-type]
    )


def near(selector: LabelSelector = WEB, key: str = "zone") -> Affinity:
    return Affinity(pod_affinity=PodAffinity((PodAffinityTerm(selector, topology_key=key),)))


def away(selector: LabelSelector = WEB, key: str = "zone", **more: object) -> Affinity:
    term = PodAffinityTerm(selector, topology_key=key, **more)  # type: ignore[arg-type]
    return Affinity(pod_anti_affinity=PodAntiAffinity((term,)))


def spread(max_skew: int = 1, key: str = "zone", **more: object) -> TopologySpreadConstraint:
    values: dict[str, object] = {"label_selector": WEB, **more}
    return TopologySpreadConstraint(max_skew, key, "DoNotSchedule", **values)  # type: ignore[arg-type]


def affinity(incoming: Pod, *existing: Pod, nodes: tuple[Node, ...] = NODES, **more: object) -> dict[str, Verdict]:
    snapshot = Snapshot(nodes=node_infos(nodes, existing), **more)  # type: ignore[arg-type]
    return {i.node.metadata.name: filter_inter_pod_affinity(incoming, i, snapshot) for i in snapshot.nodes}


def spreading(incoming: Pod, *existing: Pod, nodes: tuple[Node, ...] = NODES) -> dict[str, Verdict]:
    snapshot = Snapshot(nodes=node_infos(nodes, existing))
    return {i.node.metadata.name: filter_pod_topology_spread(incoming, i, snapshot) for i in snapshot.nodes}


def fitting(verdicts: dict[str, Verdict]) -> set[str]:
    return {name for name, verdict in verdicts.items() if verdict.fits}


def test_affinity_wants_the_domain_of_another_pod() -> None:
    verdicts = affinity(pod("p", app="db", affinity=near()), pod("e", "n1"))
    assert fitting(verdicts) == {"n1", "n2"}
    assert verdicts["n3"] == Verdict("unresolvable", ("node(s) didn't match pod affinity rules",))


def test_the_first_of_pods_that_want_each_other_goes_anywhere_with_the_key() -> None:
    nodes = (*NODES, node("bare"))
    assert fitting(affinity(pod("p", affinity=near()), nodes=nodes)) == {"n1", "n2", "n3"}
    assert fitting(affinity(pod("p", affinity=near()), pod("e", "n3"), nodes=nodes)) == {"n3"}
    assert fitting(affinity(pod("p", app="db", affinity=near()), nodes=nodes)) == set()


def test_anti_affinity_rules_out_the_domain_of_another_pod() -> None:
    verdicts = affinity(pod("p", affinity=away()), pod("e", "n1"))
    assert fitting(verdicts) == {"n3"}
    assert verdicts["n2"].reasons == ("node(s) didn't match pod anti-affinity rules",)
    assert verdicts["n2"].resolvable


def test_anti_affinity_of_a_pod_that_is_there_holds_against_the_newcomer() -> None:
    verdicts = affinity(pod("p"), pod("e", "n1", app="db", affinity=away()))
    assert fitting(verdicts) == {"n3"}
    assert verdicts["n1"].reasons == ("node(s) didn't satisfy existing pods anti-affinity rules",)


def test_anti_affinity_ignores_nodes_without_the_key_and_other_namespaces() -> None:
    assert fitting(affinity(pod("p", affinity=away(key="rack")), pod("e", "n1"))) == set(ZONES)
    assert fitting(affinity(pod("p", affinity=away()), pod("e", "n1", namespace="other"))) == set(ZONES)


def test_a_namespace_selector_reaches_into_other_namespaces() -> None:
    wanted = away(namespace_selector=LabelSelector(Map({"team": "x"})))
    other = Namespace(ObjectMeta(name="other", labels=Map({"team": "x"})))
    incoming, existing = pod("p", affinity=wanted), pod("e", "n1", namespace="other")
    assert fitting(affinity(incoming, existing, namespaces=(other,))) == {"n3"}
    assert fitting(affinity(incoming, existing)) == set(ZONES)


def test_a_pod_with_unreadable_terms_fits_nowhere_and_keeps_nobody_off() -> None:
    unreadable = LabelSelector(Map({"app": "web/front"}))
    verdicts = affinity(pod("p", affinity=away(unreadable)))
    assert {verdict.code for verdict in verdicts.values()} == {"unresolvable"}
    assert 'parsing pod: requiredAntiAffinityTerms: values[0][app]: Invalid value: "web/front"' in str(verdicts["n1"])
    both = PodAntiAffinity(
        (PodAffinityTerm(WEB, topology_key="zone"), PodAffinityTerm(unreadable, topology_key="zone"))
    )
    assert fitting(affinity(pod("p"), pod("e", "n1", affinity=Affinity(pod_anti_affinity=both)))) == set(ZONES)


@given(st.dictionaries(st.sampled_from(["e1", "e2", "e3"]), st.sampled_from(sorted(ZONES))))
def test_anti_affinity_is_the_same_from_either_side(places: dict[str, str]) -> None:
    mine = affinity(pod("p", affinity=away()), *(pod(name, on) for name, on in places.items()))
    theirs = affinity(pod("p"), *(pod(name, on, affinity=away()) for name, on in places.items()))
    assert fitting(mine) == fitting(theirs)


def test_spread_keeps_the_fuller_domain_closed() -> None:
    verdicts = spreading(pod("p", topology_spread_constraints=(spread(),)), pod("e", "n1"))
    assert fitting(verdicts) == {"n3"}
    assert verdicts["n1"].reasons == ("node(s) didn't match pod topology spread constraints",)
    assert verdicts["n1"].resolvable


def test_a_node_without_the_key_is_unresolvable() -> None:
    verdicts = spreading(pod("p", topology_spread_constraints=(spread(),)), nodes=(*NODES, node("bare")))
    assert not verdicts["bare"].resolvable


def test_soft_constraints_keep_nobody_off() -> None:
    soft = replace(spread(), when_unsatisfiable="ScheduleAnyway")
    assert fitting(spreading(pod("p", topology_spread_constraints=(soft,)), pod("e", "n1"))) == set(ZONES)


def test_terminating_pods_and_those_of_other_namespaces_do_not_count() -> None:
    gone = pod("e", "n1")
    gone = replace(gone, metadata=replace(gone.metadata, deletion_timestamp=Age(0)))
    incoming = pod("p", topology_spread_constraints=(spread(),))
    assert fitting(spreading(incoming, gone, pod("f", "n1", namespace="other"))) == set(ZONES)


def test_too_few_domains_make_the_minimum_zero() -> None:
    existing = (pod("e", "n1"), pod("f", "n3"))
    assert fitting(spreading(pod("p", topology_spread_constraints=(spread(min_domains=2),)), *existing)) == (set(ZONES))
    assert fitting(spreading(pod("p", topology_spread_constraints=(spread(min_domains=3),)), *existing)) == set()


def test_policies_say_which_nodes_count() -> None:
    tainted = (*NODES, node("n4", (Taint("x", "", "NoSchedule"),), zone="c"))
    existing = (pod("e", "n1"), pod("f", "n3"))
    ignoring = pod("p", topology_spread_constraints=(spread(),))
    assert fitting(spreading(ignoring, *existing, nodes=tainted)) == {"n4"}
    honoring = pod("p", topology_spread_constraints=(spread(node_taints_policy="Honor"),))
    assert fitting(spreading(honoring, *existing, nodes=tainted)) == {"n1", "n2", "n3", "n4"}
    here = {"node_selector": Map({"zone": "a"})}
    by_default = pod("p", topology_spread_constraints=(spread(),), **here)
    assert "n1" in fitting(spreading(by_default, pod("e", "n1")))
    everywhere = pod("p", topology_spread_constraints=(spread(node_affinity_policy="Ignore"),), **here)
    assert "n1" not in fitting(spreading(everywhere, pod("e", "n1")))


def test_match_label_keys_tell_revisions_apart() -> None:
    everything = spread(label_selector=LabelSelector(), match_label_keys=("app",))
    incoming = pod("p", app="new", topology_spread_constraints=(everything,))
    assert fitting(spreading(incoming, pod("e", "n1", app="old"), pod("f", "n1", app="old"))) == set(ZONES)
    assert fitting(spreading(incoming, pod("e", "n1", app="new"))) == {"n3"}


def test_default_constraints_take_the_selector_of_the_pods_service() -> None:
    service = Service(ObjectMeta(name="s", namespace="default"), ServiceSpec(selector=Map({"app": "web"})))
    nodes = node_infos(NODES, (pod("e", "n1"),))
    default = (replace(spread(), label_selector=None),)
    with_service = Snapshot(nodes=nodes, services=(service,))
    (constraint,) = hard_constraints(pod("p"), with_service, default)
    assert constraint.label_selector == WEB
    assert match_counts(pod("p"), with_service, (constraint,)) == (Map({"a": 1, "b": 0}),)
    assert hard_constraints(pod("p"), Snapshot(nodes=nodes), default) == ()
    assert not filter_pod_topology_spread(pod("p"), nodes[0], with_service, default).fits


def test_the_owners_selector_is_found_by_name_though_the_owner_has_no_uid() -> None:
    owner = OwnerReference("apps/v1", "ReplicaSet", "web", Uid(7), controller=True)
    incoming = Pod(ObjectMeta(name="p", namespace="default", labels=Map({"app": "web"}), owner_references=(owner,)))

    def selector(uid: int | None) -> LabelSelector:
        meta = ObjectMeta(name="web", namespace="default", uid=None if uid is None else Uid(uid))
        return default_selector(incoming, Snapshot(replica_sets=(ReplicaSet(meta, ReplicaSetSpec(selector=WEB)),)))

    assert selector(None) == selector(7) == WEB
    assert selector(8) == LabelSelector()


@given(st.lists(st.integers(0, 10), max_size=8), st.integers(1, 3))
def test_placing_pod_after_pod_never_skews_more_than_allowed(choices: list[int], max_skew: int) -> None:
    placed: list[Pod] = []
    for number, choice in enumerate(choices):
        incoming = pod(f"p{number}", topology_spread_constraints=(spread(max_skew),))
        open_nodes = sorted(fitting(spreading(incoming, *placed)))
        assert open_nodes
        placed.append(pod(f"p{number}", open_nodes[choice % len(open_nodes)]))
        counts = [sum(ZONES[str(p.spec.node_name)] == zone for p in placed) for zone in "ab"]
        assert max(counts) - min(counts) <= max_skew
