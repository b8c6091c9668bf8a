"""The adapters take cases that say little, and compare what is said."""

from __future__ import annotations

from typing import Any

import pytest

from kythera.traces.conformance.runner import all_adapters

Case = dict[str, Any]

NODE = {"metadata": {"name": "n", "labels": {"zone": "a"}}, "status": {"allocatable": {"cpu": "4", "memory": "8Gi"}}}
POD = {"metadata": {"namespace": "default", "labels": {"app": "web"}}}


def outcome(kind: str, **case: object) -> str | None:
    return all_adapters()[kind](case)


def affinity(**kind: object) -> Case:
    return {**POD, "spec": {"affinity": kind}}


def named(*names: str) -> Case:
    terms = [{"key": "metadata.name", "operator": "In", "values": [each]} for each in names]
    required = {"nodeSelectorTerms": [{"matchFields": terms}]}
    return affinity(nodeAffinity={"requiredDuringSchedulingIgnoredDuringExecution": required})


@pytest.mark.parametrize(
    "kind", ["InterPodAffinity", "NodeAffinity", "NodePorts", "PodTopologySpread", "TaintToleration"]
)
def test_a_pod_that_asks_for_nothing_fits_a_node_about_which_nothing_else_is_said(kind: str) -> None:
    assert outcome(f"filter/{kind}", nodes=[NODE], expected={"verdicts": {"n": "fits"}}) is None
    assert outcome(f"filter/{kind}", nodes=[NODE], expected={"verdicts": {"n": "unresolvable"}}) is not None


def test_a_verdict_of_prefilter_is_one_on_every_node() -> None:
    conflict = {"pod": named("n", "m"), "nodes": [NODE], "args": None}
    assert outcome("filter/NodeAffinity", **conflict, expected={"prefilter": "unresolvable"}) is None
    assert outcome("filter/NodeAffinity", **conflict, expected={"prefilter": "unschedulable"}) is not None


def test_a_reason_may_be_a_part_of_the_one_that_is_given() -> None:
    term = {"topologyKey": "zone", "labelSelector": {"matchLabels": {"app": "??"}}}
    pod = affinity(podAntiAffinity={"requiredDuringSchedulingIgnoredDuringExecution": [term]})

    def says(*reasons: str) -> bool:
        expected = {"verdicts": {"n": "unresolvable"}, "reasons": {"n": list(reasons)}}
        return outcome("filter/InterPodAffinity", pod=pod, nodes=[NODE], expected=expected) is None

    assert says('Invalid value: "??"')
    assert not says('Invalid value: "!!"')
    assert not says()


def test_no_resources_score_nothing_and_resources_that_are_not_named_are_the_default_ones() -> None:
    def fits(scores: dict[str, int], **strategy: object) -> bool:
        args = {"scoringStrategy": {"type": "LeastAllocated", **strategy}}
        case = {"pod": POD, "nodes": [NODE], "args": args, "expected": {"scores": scores}}
        return outcome("score/NodeResourcesFit", **case) is None

    assert fits({"n": 0}, resources=[])
    assert fits({"n": 100})


def test_default_constraints_are_a_list_where_no_type_is_named() -> None:
    service = {"kind": "Service", "metadata": {"namespace": "default"}, "spec": {"selector": {"app": "web"}}}
    constraint = {"maxSkew": 1, "topologyKey": "rack", "whenUnsatisfiable": "ScheduleAnyway"}
    case = {"pod": POD, "nodes": [NODE], "objects": [service]}
    listed = {"defaultConstraints": [constraint]}
    assert outcome("score/PodTopologySpread", **case, args=listed, expected={"scores": {"n": 0}}) is None
    assert outcome("score/PodTopologySpread", **case, args=None, expected={"scores": {"n": 100}}) is None


def test_what_is_left_out_of_an_input_is_nothing() -> None:
    bare = {"requirements": [{"key": "app", "operator": "exists"}], "labels": None}
    assert outcome("labels/match-requirements", input=bare, expected={"match": False}) is None
    assert outcome("intstr/scaled", input={"intOrString": 3}, expected={"ok": True, "value": 3}) is None
    assert outcome("quantity/from-json", input={"json": "null"}, expected={"string": "0"}) is None
    assert outcome("nodeselector/match", input={}, expected={"match": False}) is None
    assert outcome("taints/tolerated", input={}, expected={"all_considered_taints_tolerated": True}) is None
    assert outcome("queue/less", input={"p1": {"priority": 1}}, expected={"p1_before_p2": True}) is None
