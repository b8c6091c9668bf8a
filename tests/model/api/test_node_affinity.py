"""Node selectors and node affinity."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kythera.model.api.core.node import Node
from kythera.model.api.core.pod import Pod, PodSpec
from kythera.model.api.core.scheduling import (
    Affinity,
    NodeAffinity,
    NodeSelector,
    NodeSelectorRequirement,
    NodeSelectorTerm,
    PreferredSchedulingTerm,
)
from kythera.model.api.meta import ObjectMeta
from kythera.model.api.node_affinity import (
    node_selector_errors,
    node_selector_matches,
    preferred_node_affinity_score,
    preferred_term_errors,
    required_node_affinity_matches,
    term_matches,
)
from kythera.model.record import Map

Requirement = NodeSelectorRequirement


def node(name: str = "n", **labels: str) -> Node:
    return Node(ObjectMeta(name=name, labels=Map(labels)))


def labels_term(*requirements: NodeSelectorRequirement) -> NodeSelectorTerm:
    return NodeSelectorTerm(match_expressions=requirements)


def name_term(*requirements: NodeSelectorRequirement) -> NodeSelectorTerm:
    return NodeSelectorTerm(match_fields=requirements)


@pytest.mark.parametrize(
    ("operator", "values", "matches"),
    [
        ("In", ("a", "4"), True),
        ("In", ("a",), False),
        ("NotIn", ("a",), True),
        ("NotIn", ("4",), False),
        ("Exists", (), True),
        ("DoesNotExist", (), False),
        ("Gt", ("3",), True),
        ("Gt", ("4",), False),
        ("Lt", ("5",), True),
        ("Lt", ("4",), False),
    ],
)
def test_operators_on_a_label(operator: str, values: tuple[str, ...], matches: bool) -> None:
    assert term_matches(labels_term(Requirement("x", operator, values)), node(x="4")) is matches


@pytest.mark.parametrize(
    ("operator", "values", "matches"),
    [("In", ("a",), False), ("NotIn", ("a",), True), ("DoesNotExist", (), True), ("Gt", ("3",), False)],
)
def test_operators_on_a_missing_label(operator: str, values: tuple[str, ...], matches: bool) -> None:
    assert term_matches(labels_term(Requirement("x", operator, values)), node()) is matches


def test_a_label_that_is_no_number_is_neither_greater_nor_less() -> None:
    assert not term_matches(labels_term(Requirement("x", "Gt", ("3",))), node(x="four"))
    assert not term_matches(labels_term(Requirement("x", "Lt", ("3",))), node(x="four"))


def test_all_requirements_of_a_term_and_any_term_of_a_selector() -> None:
    both = labels_term(Requirement("x", "Exists"), Requirement("y", "Exists"))
    assert not term_matches(both, node(x="1"))
    assert node_selector_matches(NodeSelector((both, labels_term(Requirement("x", "Exists")))), node(x="1"))


def test_a_selector_or_term_without_requirements_matches_nothing() -> None:
    assert not node_selector_matches(NodeSelector(), node())
    assert not node_selector_matches(NodeSelector((NodeSelectorTerm(),)), node())


def test_fields_match_the_name_of_the_node() -> None:
    assert term_matches(name_term(Requirement("metadata.name", "In", ("n",))), node("n"))
    assert not term_matches(name_term(Requirement("metadata.name", "NotIn", ("n",))), node("n"))
    assert not term_matches(name_term(Requirement("metadata.uid", "In", ("n",))), node("n"))


@pytest.mark.parametrize(
    "term",
    [
        labels_term(Requirement("bad key", "Exists")),
        labels_term(Requirement("x", "In")),
        labels_term(Requirement("x", "Exists", ("a",))),
        labels_term(Requirement("x", "Gt", ("much",))),
        labels_term(Requirement("x", "NotIn", ("no label!",))),
        labels_term(Requirement("x", "Like", ("a",))),
        name_term(Requirement("metadata.name", "In", ("n", "m"))),
        name_term(Requirement("metadata.name", "Exists")),
    ],
)
def test_a_term_with_an_error_matches_nothing_but_others_still_count(term: NodeSelectorTerm) -> None:
    assert not node_selector_matches(NodeSelector((term,)), node("n", x="1"))
    assert len(node_selector_errors(NodeSelector((term,)))) == 1
    good = labels_term(Requirement("x", "Exists"))
    assert node_selector_matches(NodeSelector((term, good)), node("n", x="1"))


def test_label_keys_may_have_a_domain() -> None:
    good = labels_term(Requirement("topology.kubernetes.io/zone", "DoesNotExist"))
    assert node_selector_errors(NodeSelector((good,))) == ()
    assert node_selector_errors(NodeSelector((labels_term(Requirement("UP.io/x", "Exists")),)))
    assert node_selector_errors(NodeSelector((labels_term(Requirement("a" * 64, "Exists")),)))


def test_a_pod_needs_the_labels_of_its_node_selector_and_its_affinity() -> None:
    required = NodeSelector((labels_term(Requirement("x", "Exists")),))
    pod = Pod(
        spec=PodSpec(
            node_selector=Map({"disk": "ssd"}),
            affinity=Affinity(node_affinity=NodeAffinity(required)),
        )
    )
    assert required_node_affinity_matches(pod, node(disk="ssd", x="1"))
    assert not required_node_affinity_matches(pod, node(disk="ssd"))
    assert not required_node_affinity_matches(pod, node(disk="hdd", x="1"))
    assert required_node_affinity_matches(Pod(), node())


def test_preferred_terms_add_up_their_weights() -> None:
    terms = (
        PreferredSchedulingTerm(5, labels_term(Requirement("x", "Exists"))),
        PreferredSchedulingTerm(2, labels_term(Requirement("y", "Exists"))),
        PreferredSchedulingTerm(9, NodeSelectorTerm()),
        PreferredSchedulingTerm(0, labels_term(Requirement("x", "Like"))),
    )
    assert preferred_node_affinity_score(terms, node(x="1")) == 5
    assert preferred_node_affinity_score(terms, node(x="1", y="1")) == 7
    assert preferred_term_errors(terms) == ()


@given(st.sampled_from(["a", "b", "c"]), st.lists(st.sampled_from(["a", "b", "c"]), min_size=1), st.booleans())
def test_not_in_is_the_opposite_of_in(label: str, values: list[str], missing: bool) -> None:
    it = node() if missing else node(x=label)
    is_in = term_matches(labels_term(Requirement("x", "In", tuple(values))), it)
    assert term_matches(labels_term(Requirement("x", "NotIn", tuple(values))), it) is not is_in
