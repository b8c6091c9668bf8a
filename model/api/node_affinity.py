"""Node selectors and node affinity: which nodes a pod may run on, and which it prefers.

A term with an error in it (an operator that doesn't exist, a value that isn't a label value) matches no node;
the terms beside it still count.

Source: staging/src/k8s.io/component-helpers/scheduling/corev1/nodeaffinity/nodeaffinity.go;
staging/src/k8s.io/apimachinery/pkg/labels/selector.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache

from kythera.model.api.core.node import Node
from kythera.model.api.core.pod import Pod
from kythera.model.api.core.scheduling import (
    NodeSelector,
    NodeSelectorRequirement,
    NodeSelectorTerm,
    PreferredSchedulingTerm,
)
from kythera.model.api.names import is_qualified_name, is_valid_label_value
from kythera.model.api.numbers import parse_int64

NAME_FIELD = "metadata.name"


@lru_cache(maxsize=100_000)
def required_node_affinity_matches(pod: Pod, node: Node) -> bool:
    """Whether a node has the labels of the pod's ``nodeSelector`` and matches its required node affinity.

    Source: staging/src/k8s.io/component-helpers/scheduling/corev1/nodeaffinity/nodeaffinity.go
    RequiredNodeAffinity.
    """
    labels = node.metadata.labels
    if any(labels.get(key) != wanted for key, wanted in pod.spec.node_selector.items()):
        return False
    selector = required_node_selector(pod)
    return selector is None or node_selector_matches(selector, node)


def required_node_selector(pod: Pod) -> NodeSelector | None:
    """The selector of a pod's required node affinity, if it has one."""
    affinity = pod.spec.affinity.node_affinity if pod.spec.affinity is not None else None
    return affinity.required_during_scheduling_ignored_during_execution if affinity is not None else None


def node_selector_matches(selector: NodeSelector, node: Node) -> bool:
    """Whether any of the selector's terms matches a node; without terms it matches none.

    Source: staging/src/k8s.io/component-helpers/scheduling/corev1/nodeaffinity/nodeaffinity.go
    LazyErrorNodeSelector.Match.
    """
    return any(term_matches(term, node) for term in selector.node_selector_terms)


def term_matches(term: NodeSelectorTerm, node: Node) -> bool:
    """Whether a node meets all requirements of a term that has at least one, and no errors.

    Source: staging/src/k8s.io/component-helpers/scheduling/corev1/nodeaffinity/nodeaffinity.go
    nodeSelectorTerm.match.
    """
    if not (term.match_expressions or term.match_fields) or term_errors(term):
        return False
    if not all(_label_matches(each, node.metadata.labels) for each in term.match_expressions):
        return False
    # A node without a name has no fields to compare, and then upstream skips the fields.
    return not node.metadata.name or all(_name_matches(each, node.metadata.name) for each in term.match_fields)


def preferred_node_affinity_score(terms: Iterable[PreferredSchedulingTerm], node: Node) -> int:
    """The sum of the weights of the preferred terms that match a node.

    Source: staging/src/k8s.io/component-helpers/scheduling/corev1/nodeaffinity/nodeaffinity.go
    PreferredSchedulingTerms.Score.
    """
    return sum(term.weight for term in terms if term.weight != 0 and term_matches(term.preference, node))


def node_selector_errors(selector: NodeSelector) -> tuple[str, ...]:
    """What is wrong with the terms of a selector, as short texts; empty if it is valid.

    Source: staging/src/k8s.io/component-helpers/scheduling/corev1/nodeaffinity/nodeaffinity.go
    NewNodeSelector.
    """
    return tuple(error for term in selector.node_selector_terms for error in term_errors(term))


def preferred_term_errors(terms: Iterable[PreferredSchedulingTerm]) -> tuple[str, ...]:
    """What is wrong with preferred terms; those of weight 0 are not looked at.

    Source: staging/src/k8s.io/component-helpers/scheduling/corev1/nodeaffinity/nodeaffinity.go
    NewPreferredSchedulingTerms.
    """
    return tuple(error for term in terms if term.weight != 0 for error in term_errors(term.preference))


@lru_cache(maxsize=10_000)
def term_errors(term: NodeSelectorTerm) -> tuple[str, ...]:
    """What is wrong with a term, as short texts.

    Source: staging/src/k8s.io/component-helpers/scheduling/corev1/nodeaffinity/nodeaffinity.go
    newNodeSelectorTerm.
    """
    found = [_expression_error(each) for each in term.match_expressions]
    found += [_field_error(each) for each in term.match_fields]
    return tuple(error for error in found if error)


def _expression_error(requirement: NodeSelectorRequirement) -> str:
    """What is wrong with a requirement on labels, or nothing.

    Source: staging/src/k8s.io/apimachinery/pkg/labels/selector.go NewRequirement.
    """
    operator, values = requirement.operator, requirement.values
    if is_qualified_name(requirement.key):
        return f"invalid label key {requirement.key!r}"
    if operator in ("In", "NotIn"):
        if not values:
            return f"operator {operator} needs at least one value"
    elif operator in ("Exists", "DoesNotExist"):
        if values:
            return f"operator {operator} takes no values"
    elif operator in ("Gt", "Lt"):
        if len(values) != 1 or parse_int64(values[0]) is None:
            return f"operator {operator} needs exactly one value, a whole number"
    else:
        return f"unknown operator {operator!r}"
    wrong = [each for each in values if is_valid_label_value(each)]
    return f"invalid label value {wrong[0]!r}" if wrong else ""


def _field_error(requirement: NodeSelectorRequirement) -> str:
    if requirement.operator not in ("In", "NotIn"):
        return f"operator {requirement.operator!r} can't be used on fields"
    return "" if len(requirement.values) == 1 else "a requirement on a field needs exactly one value"


def _label_matches(requirement: NodeSelectorRequirement, labels: Mapping[str, str]) -> bool:
    """Whether labels meet a requirement without errors; NotIn and DoesNotExist are met by a missing label.

    Source: staging/src/k8s.io/apimachinery/pkg/labels/selector.go Requirement.Matches.
    """
    label = labels.get(requirement.key)
    match requirement.operator:
        case "In":
            return label is not None and label in requirement.values
        case "NotIn":
            return label is None or label not in requirement.values
        case "Exists":
            return label is not None
        case "DoesNotExist":
            return label is None
    number, bound = parse_int64(label or ""), parse_int64(requirement.values[0])
    if number is None or bound is None:
        return False
    return number > bound if requirement.operator == "Gt" else number < bound


def _name_matches(requirement: NodeSelectorRequirement, name: str) -> bool:
    """Whether a node's fields, of which there is only the name, meet a requirement that has no errors."""
    equal = requirement.values[0] == (name if requirement.key == NAME_FIELD else "")
    return equal if requirement.operator == "In" else not equal
