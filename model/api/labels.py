"""Label selectors: which objects they select.

Source: staging/src/k8s.io/apimachinery/pkg/labels/selector.go and apis/meta/v1/helpers.go.
"""

from __future__ import annotations

from collections.abc import Mapping

from kythera.model.api.meta import LabelSelector, LabelSelectorRequirement


def matches(selector: LabelSelector | None, labels: Mapping[str, str]) -> bool:
    """Whether a selector selects these labels; ``None`` selects nothing, an empty one everything.

    Source: apis/meta/v1/helpers.go LabelSelectorAsSelector.
    """
    return (
        selector is not None
        and matches_map(selector.match_labels, labels)
        and all(requirement_matches(each, labels) for each in selector.match_expressions)
    )


def matches_map(selector: Mapping[str, str], labels: Mapping[str, str]) -> bool:
    """Whether all the pairs of ``selector`` are among the labels."""
    return all(labels.get(key) == wanted for key, wanted in selector.items())


def requirement_matches(requirement: LabelSelectorRequirement, labels: Mapping[str, str]) -> bool:
    """Whether the labels fulfil one ``key operator values``; NotIn is fulfilled where the key is missing.

    A requirement with an unknown operator, or without values where some are needed, or with values where none
    are allowed, is fulfilled by nothing: upstream makes no selector of it.
    Source: selector.go NewRequirement, Requirement.Matches.
    """
    found = labels.get(requirement.key)
    match requirement.operator:
        case "In":
            return found is not None and found in requirement.values
        case "NotIn":
            return bool(requirement.values) and (found is None or found not in requirement.values)
        case "Exists":
            return found is not None and not requirement.values
        case "DoesNotExist":
            return found is None and not requirement.values
    return False
