"""Conformance of the scheduler's filter plugins and of the helpers that they are built on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeVar

from kythera.model.api.apps import ReplicaSet
from kythera.model.api.core.cluster import Namespace
from kythera.model.api.core.node import Node
from kythera.model.api.core.pod import Pod
from kythera.model.api.core.scheduling import (
    NodeAffinity,
    NodeSelector,
    PreferredSchedulingTerm,
    Taint,
    Toleration,
    TopologySpreadConstraint,
)
from kythera.model.api.core.service import Service
from kythera.model.api.decode import Context, decode
from kythera.model.api.node_affinity import (
    node_selector_errors,
    node_selector_matches,
    preferred_node_affinity_score,
    preferred_term_errors,
    required_node_affinity_matches,
)
from kythera.model.api.quantity import Quantity, parse_quantity
from kythera.model.api.requests import (
    Resources,
    container_limits,
    container_requests,
    oom_score_adj,
    pod_limits,
    pod_requests,
    qos_class,
)
from kythera.model.api.taints import is_tolerated
from kythera.model.control_plane.scheduler.filters import FILTERS, FITS, UNSCHEDULABLE, Filter, Verdict
from kythera.model.control_plane.scheduler.filters.node_affinity import filter_node_affinity
from kythera.model.control_plane.scheduler.filters.node_resources_fit import filter_node_resources_fit
from kythera.model.control_plane.scheduler.filters.pod_topology_spread import (
    filter_pod_topology_spread,
    hard_constraints,
    match_counts,
)
from kythera.model.control_plane.scheduler.node_info import Snapshot, node_infos
from kythera.model.record import EMPTY, Map, Record

Case = dict[str, Any]
R = TypeVar("R", bound=Record)


def _read(cls: type[R], data: Any) -> R:
    return decode(cls, data or {}, Context())


def _all(cls: type[R], data: Any) -> tuple[R, ...]:
    return tuple(_read(cls, each) for each in data or ())


def _difference(expected: Any, got: Any) -> str | None:
    return None if expected == got else f"expected {expected}, got {got}"


def snapshot_of(case: Case) -> Snapshot:
    """All nodes of a case with their pods, and its other objects."""
    context = Context()

    def objects(cls: type[R]) -> tuple[R, ...]:
        listed = case.get("objects") or ()
        return tuple(decode(cls, each, context) for each in listed if each.get("kind") == cls.__name__)

    nodes = [*(case.get("nodes") or ()), *(case.get("filtered_out_nodes") or ())]
    pods = [decode(Pod, each, context) for each in case.get("existing_pods") or ()]
    return Snapshot(
        nodes=node_infos(_all(Node, nodes), pods),
        namespaces=objects(Namespace),
        services=objects(Service),
        replica_sets=objects(ReplicaSet),
    )


def _plugin(name: str, args: Mapping[str, Any]) -> Filter:
    """A filter plugin with the arguments that a profile gives it."""
    if name == "NodeAffinity":
        added = _read(NodeAffinity, args.get("addedAffinity"))
        return partial(filter_node_affinity, added=added.required_during_scheduling_ignored_during_execution)
    if name == "NodeResourcesFit":
        return partial(
            filter_node_resources_fit,
            ignored_resources=frozenset(args.get("ignoredResources") or ()),
            ignored_resource_groups=frozenset(args.get("ignoredResourceGroups") or ()),
        )
    if name == "PodTopologySpread":
        defaults = _all(TopologySpreadConstraint, args.get("defaultConstraints"))
        return partial(filter_pod_topology_spread, default_constraints=defaults)
    return dict(FILTERS)[name]


def _texts(verdict: Verdict) -> list[list[str]]:
    """A verdict's reasons as this release words them, and as releases did that put the detail in them."""
    reasons = list(verdict.reasons)
    return [reasons, [f"{each.removesuffix('(s)')} {verdict.detail}" for each in reasons]]


def _codes(verdict: Verdict) -> tuple[str, ...]:
    """A verdict's code in this release and in older ones.

    Up to 1.33 a node that is too small for the pod even when empty was reported as unschedulable, like one
    that is full (kubernetes/kubernetes#131345); the numbers are compared all the same.
    """
    too_small = any(each.unresolvable for each in verdict.insufficient)
    return (verdict.code, UNSCHEDULABLE) if too_small else (verdict.code,)


def _says(known: list[str], got: list[str]) -> bool:
    """Whether each of the known reasons stands in one that was given, and there are no more of them.

    What PreFilter says begins with where it went wrong, and upstream's tests look for the rest of it.
    """
    return len(known) == len(got) and all(text in other for text, other in zip(sorted(known), sorted(got), strict=True))


def filter_case(name: str, case: Case) -> str | None:
    """Verdict and reasons per node; of NodeResourcesFit also what is insufficient.

    A verdict of PreFilter is one on every node: the model has no step before the nodes.
    """
    pod, snapshot, expected = _read(Pod, case.get("pod")), snapshot_of(case), case["expected"]
    plugin = _plugin(name, case.get("args") or {})
    verdicts = {info.node.metadata.name: plugin(pod, info, snapshot) for info in snapshot.nodes}
    codes = dict(expected.get("verdicts") or {})
    if expected.get("prefilter") not in (None, FITS):
        codes = {**dict.fromkeys(verdicts, expected["prefilter"]), **codes}
    for node, code in codes.items():
        if code not in _codes(verdicts[node]):
            return f"expected {code} for {node}, got {verdicts[node]}"
    others = expected.get("reasons_alternatives") or {}
    for node, reasons in (expected.get("reasons") or {}).items():
        known = [reasons, *others.get(node, ())]
        if not any(_says(text or [], got) for text in known for got in _texts(verdicts[node])):
            return f"expected one of {known} for {node}, got {verdicts[node].reasons}"
    wanted = expected.get("insufficient")
    if wanted is None:
        return None
    keys = ("resource", "reason", "requested", "used", "capacity")
    lacking = [{key: getattr(each, key) for key in keys} for v in verdicts.values() for each in v.insufficient]
    return _difference(*(sorted(each, key=lambda one: str(one["resource"])) for each in (wanted, lacking)))


def spread_state(case: Case) -> str | None:
    """The constraints of a pod, and how many pods they count in each domain."""
    pod, snapshot = _read(Pod, case.get("pod")), snapshot_of(case)
    defaults = _all(TopologySpreadConstraint, (case.get("args") or {}).get("defaultConstraints"))
    constraints = hard_constraints(pod, snapshot, defaults)
    shown = [(each.max_skew, each.topology_key, each.min_domains or 1) for each in constraints]
    expected = case["expected"]
    wanted = [
        (each["maxSkew"], each["topologyKey"], each.get("minDomains") or 1)
        for each in expected.get("constraints") or ()
    ]
    if wrong := _difference(wanted, shown):
        return wrong
    counts: dict[tuple[str, str], list[int]] = {}
    for constraint, found in zip(constraints, match_counts(pod, snapshot, constraints), strict=True):
        for domain, count in found.items():
            counts.setdefault((constraint.topology_key, domain), []).append(count)
    listed: dict[tuple[str, str], list[int]] = {}
    for each in expected.get("match_counts") or ():
        listed.setdefault((each["topologyKey"], each["value"]), []).append(each["count"])
    # Where two constraints have one key, the order of their counts says nothing.
    return _difference(*({domain: sorted(each) for domain, each in some.items()} for some in (listed, counts)))


def node_selector_match(case: Case) -> str | None:
    """Whether a selector is valid, and whether it matches a node."""
    given, expected = case["input"], case["expected"]
    selector = _read(NodeSelector, given.get("nodeSelector"))
    valid = not node_selector_errors(selector)
    if "valid" in expected and (wrong := _difference(expected["valid"], valid)):
        return wrong
    if expected.get("match") is None:
        return None
    node = given.get("node")
    return _difference(expected["match"], node is not None and node_selector_matches(selector, _read(Node, node)))


def preferred_terms_score(case: Case) -> str | None:
    """Whether preferred terms are valid, and what they give a node."""
    given, expected = case["input"], case["expected"]
    terms = _all(PreferredSchedulingTerm, given.get("preferred"))
    valid = not preferred_term_errors(terms)
    if "valid" in expected and (wrong := _difference(expected["valid"], valid)):
        return wrong
    if expected.get("score") is None:
        return None
    return _difference(expected["score"], preferred_node_affinity_score(terms, _read(Node, given.get("node"))))


def required_node_affinity(case: Case) -> str | None:
    """Whether a node matches a pod.  Upstream's test drops the error, so that isn't compared."""
    pod, node = _read(Pod, case["input"].get("pod")), _read(Node, case["input"].get("node"))
    return _difference(case["expected"]["match"], required_node_affinity_matches(pod, node))


def taints_tolerated(case: Case) -> str | None:
    """Whether all taints that a caller considers are tolerated."""
    given = case["input"]
    listed = given.get("taints") or ()
    considered = given.get("taint_considered_by_filter") or [True] * len(listed)
    gate = bool((given.get("feature_gates") or {}).get("TaintTolerationComparisonOperators"))
    tolerations = _all(Toleration, given.get("tolerations"))
    taints = [t for t, yes in zip(_all(Taint, listed), considered, strict=True) if yes]
    got = all(is_tolerated(taint, tolerations, comparison_operators=gate) for taint in taints)
    return _difference(case["expected"]["all_considered_taints_tolerated"], got)


def _quantities(listed: Mapping[str, Any] | None) -> dict[str, int]:
    return {name: parse_quantity(str(each)).nano for name, each in (listed or {}).items()}


def _nanos(resources: Resources) -> dict[str, int]:
    return {name: each.nano for name, each in resources.items()}


def resources_case(of_containers: bool, case: Case) -> str | None:
    """What a pod, or its containers, request and may use."""
    pod, args = _read(Pod, case.get("pod")), case.get("args") or {}
    asked = {name for name, value in args.items() if value}
    unknown = asked - {"excludeOverhead", "skipPodLevelResources", "nonMissingContainerRequests"}
    if unknown:
        raise NotImplementedError(f"arguments {sorted(unknown)}")
    missing: Map[Quantity] = Map(
        {name: parse_quantity(str(each)) for name, each in (args.get("nonMissingContainerRequests") or {}).items()}
    )
    overhead, pod_level = not args.get("excludeOverhead"), not args.get("skipPodLevelResources")
    got: dict[str, dict[str, int]] = {}
    for what in case["expected"]:
        if what == "requests":
            found = (
                container_requests(pod, missing)
                if of_containers
                else pod_requests(pod, missing or EMPTY, overhead, pod_level)
            )
        else:
            found = container_limits(pod) if of_containers else pod_limits(pod, overhead, pod_level)
        got[what] = _nanos(found)
    return _difference({what: _quantities(each) for what, each in case["expected"].items()}, got)


def qos(case: Case) -> str | None:
    """The QoS class of a pod."""
    return _difference(case["expected"]["qos_class"], qos_class(_read(Pod, case.get("pod"))))


def oom(case: Case) -> str | None:
    """The OOM score adjustment of a container, between two bounds."""
    pod, args, expected = _read(Pod, case.get("pod")), case["args"], case["expected"]
    containers = (*pod.spec.containers, *pod.spec.init_containers)
    container = next(each for each in containers if each.name == args["container"])
    got = oom_score_adj(pod, container, args["node_memory_capacity_bytes"])
    return None if expected["min"] <= got <= expected["max"] else f"expected {expected}, got {got}"


ADAPTERS: dict[str, Callable[[Case], str | None]] = {
    **{f"filter/{name}": partial(filter_case, name) for name, _ in FILTERS},
    "state/PodTopologySpread.PreFilter": spread_state,
    "nodeselector/match": node_selector_match,
    "preferredterms/raw-score": preferred_terms_score,
    "pod/required-node-affinity": required_node_affinity,
    "taints/tolerated": taints_tolerated,
    "pod/requests": partial(resources_case, False),
    "pod/limits": partial(resources_case, False),
    "pod/requests+limits": partial(resources_case, False),
    "containers/requests": partial(resources_case, True),
    "containers/limits": partial(resources_case, True),
    "containers/requests+limits": partial(resources_case, True),
    "pod/qos-class": qos,
    "pod/oom-score-adj": oom,
}
