"""Conformance of the scheduler's score plugins and of its queue's order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from kythera.model.api.apps import ReplicaSet
from kythera.model.api.core.cluster import Namespace
from kythera.model.api.core.node import Node
from kythera.model.api.core.pod import Pod
from kythera.model.api.core.scheduling import NodeAffinity, TopologySpreadConstraint
from kythera.model.api.core.service import Service
from kythera.model.api.decode import Context, decode
from kythera.model.control_plane.scheduler.node_info import NodeInfo, Snapshot, node_infos
from kythera.model.control_plane.scheduler.queue import less
from kythera.model.control_plane.scheduler.scores.image_locality import score_image_locality
from kythera.model.control_plane.scheduler.scores.inter_pod_affinity import score_inter_pod_affinity
from kythera.model.control_plane.scheduler.scores.node_affinity import score_node_affinity
from kythera.model.control_plane.scheduler.scores.node_resources import DEFAULT_RESOURCES, ResourceSpec
from kythera.model.control_plane.scheduler.scores.node_resources_balanced_allocation import balances
from kythera.model.control_plane.scheduler.scores.node_resources_fit import (
    ScoringStrategy,
    UtilizationShapePoint,
    score_node_resources_fit,
)
from kythera.model.control_plane.scheduler.scores.pod_topology_spread import score_pod_topology_spread
from kythera.model.control_plane.scheduler.scores.taint_toleration import score_taint_toleration
from kythera.model.record import Age

Case = dict[str, Any]
Cluster = tuple[Pod, tuple[NodeInfo, ...], Snapshot]


def cluster(case: Case) -> Cluster:
    """The pod, the nodes to be scored, and the snapshot with all nodes of a case."""
    context = Context()
    scored = tuple(decode(Node, each, context) for each in case.get("nodes") or ())
    filtered_out = tuple(decode(Node, each, context) for each in case.get("filtered_out_nodes") or ())
    pods = tuple(decode(Pod, each, context) for each in case.get("existing_pods") or ())

    def objects(cls: type[Any]) -> tuple[Any, ...]:
        listed = case.get("objects") or ()
        return tuple(decode(cls, each, context) for each in listed if each.get("kind") == cls.__name__)

    infos = node_infos((*scored, *filtered_out), pods)
    names = {node.metadata.name for node in scored}
    snapshot = Snapshot(
        nodes=infos,
        namespaces=objects(Namespace),
        services=objects(Service),
        replica_sets=objects(ReplicaSet),
    )
    pod = decode(Pod, case.get("pod") or {}, context)
    return pod, tuple(info for info in infos if info.node.metadata.name in names), snapshot


def _compare(case: Case, scores: Mapping[str, int]) -> str | None:
    wanted = case["expected"]["scores"]
    return None if dict(scores) == wanted else f"expected {wanted}, got {dict(scores)}"


def _resources(args: Mapping[str, Any]) -> tuple[ResourceSpec, ...]:
    """The resources that arguments name; the default ones if they say nothing of resources."""
    if "resources" not in args:
        return DEFAULT_RESOURCES
    return tuple(ResourceSpec(each["name"], each.get("weight", 1)) for each in args["resources"] or ())


def image_locality(case: Case) -> str | None:
    """The scores of ImageLocality."""
    return _compare(case, score_image_locality(*cluster(case)))


def taint_toleration(case: Case) -> str | None:
    """The scores of TaintToleration."""
    return _compare(case, score_taint_toleration(*cluster(case)))


def node_affinity(case: Case) -> str | None:
    """The scores of NodeAffinity, with the profile's added affinity."""
    args = case.get("args") or {}
    added = decode(NodeAffinity, args.get("addedAffinity") or {}, Context())
    terms = added.preferred_during_scheduling_ignored_during_execution
    return _compare(case, score_node_affinity(*cluster(case), added=terms))


def inter_pod_affinity(case: Case) -> str | None:
    """The scores of InterPodAffinity."""
    args = case.get("args") or {}
    weight = args.get("hardPodAffinityWeight")
    scores = score_inter_pod_affinity(
        *cluster(case),
        hard_pod_affinity_weight=1 if weight is None else weight,
        ignore_preferred_terms_of_existing_pods=bool(args.get("ignorePreferredTermsOfExistingPods")),
    )
    return _compare(case, scores)


def node_resources_fit(case: Case) -> str | None:
    """The scores of NodeResourcesFit under the case's strategy."""
    args = (case.get("args") or {}).get("scoringStrategy") or {}
    shape = (args.get("requestedToCapacityRatio") or {}).get("shape") or ()
    strategy = ScoringStrategy(
        args.get("type") or ScoringStrategy().type,
        _resources(args),
        tuple(UtilizationShapePoint(each.get("utilization", 0), each.get("score", 0)) for each in shape),
    )
    return _compare(case, score_node_resources_fit(*cluster(case), strategy=strategy))


def node_resources_balanced_allocation(case: Case) -> str | None:
    """The balance of each node with the pod.

    That was the whole score up to 1.35, which is what the cases hold; since 1.36 it is one of two terms of
    the score.
    """
    pod, nodes, _ = cluster(case)
    resources = _resources(case.get("args") or {})
    return _compare(case, {info.node.metadata.name: balances(pod, info, resources)[0] for info in nodes})


def pod_topology_spread(case: Case) -> str | None:
    """The scores of PodTopologySpread."""
    args = case.get("args") or {}
    defaults, listed = None, args.get("defaultConstraints") or ()
    if args.get("defaultingType") == "List" or ("defaultingType" not in args and listed):
        defaults = tuple(decode(TopologySpreadConstraint, each, Context()) for each in listed)
    return _compare(case, score_pod_topology_spread(*cluster(case), default_constraints=defaults))


def queue_less(case: Case) -> str | None:
    """The order of two pods in the queue; a pod that was queued earlier has waited longer."""
    pods = (case["input"].get("p1") or {}, case["input"].get("p2") or {})
    (first, first_waited), (second, second_waited) = (
        (each.get("priority") or 0, Age(-(each.get("queued_at_seconds") or 0))) for each in pods
    )
    got = less(first, first_waited, second, second_waited)
    wanted = case["expected"]["p1_before_p2"]
    return None if got == wanted else f"expected {wanted}, got {got}"


ADAPTERS: dict[str, Callable[[Case], str | None]] = {
    "score/ImageLocality": image_locality,
    "score/InterPodAffinity": inter_pod_affinity,
    "score/NodeAffinity": node_affinity,
    "score/NodeResourcesBalancedAllocation": node_resources_balanced_allocation,
    "score/NodeResourcesFit": node_resources_fit,
    "score/PodTopologySpread": pod_topology_spread,
    "score/TaintToleration": taint_toleration,
    "queue/less": queue_less,
}
