"""Terms of pod affinity and anti-affinity: of which pods they speak.

Where one selector of a pod's terms of a sort is invalid, the scheduler reads none of them.

Source: staging/src/k8s.io/kube-scheduler/framework/types.go AffinityTerm; pkg/registry/core/pod/strategy.go
for the keys that are written into a term's selector.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from kythera.model.api.core.pod import Pod
from kythera.model.api.core.scheduling import (
    Affinity,
    PodAffinity,
    PodAffinityTerm,
    PodAntiAffinity,
    WeightedPodAffinityTerm,
)
from kythera.model.api.label_parsing import selector_of
from kythera.model.api.labels import matches
from kythera.model.api.meta import LabelSelector, LabelSelectorRequirement
from kythera.model.record import EMPTY, Map, replace


def required_affinity_terms(pod: Pod) -> tuple[PodAffinityTerm, ...]:
    """The terms that say which pods a pod must be near to; none if one of them can't be read."""
    affinity = pod.spec.affinity.pod_affinity if pod.spec.affinity is not None else None
    return _readable(affinity.required_during_scheduling_ignored_during_execution) if affinity is not None else ()


def required_anti_affinity_terms(pod: Pod) -> tuple[PodAffinityTerm, ...]:
    """The terms that say which pods a pod must not be near to; none if one of them can't be read."""
    affinity = pod.spec.affinity.pod_anti_affinity if pod.spec.affinity is not None else None
    return _readable(affinity.required_during_scheduling_ignored_during_execution) if affinity is not None else ()


def preferred_affinity_terms(pod: Pod) -> tuple[WeightedPodAffinityTerm, ...]:
    """The terms that say which pods a pod had rather be near to; none if one of them can't be read."""
    affinity = pod.spec.affinity.pod_affinity if pod.spec.affinity is not None else None
    terms = affinity.preferred_during_scheduling_ignored_during_execution if affinity is not None else ()
    return () if terms_error(_without_weights(terms)) else terms


def preferred_anti_affinity_terms(pod: Pod) -> tuple[WeightedPodAffinityTerm, ...]:
    """The terms that say which pods a pod had rather not be near to; none if one of them can't be read."""
    affinity = pod.spec.affinity.pod_anti_affinity if pod.spec.affinity is not None else None
    terms = affinity.preferred_during_scheduling_ignored_during_execution if affinity is not None else ()
    return () if terms_error(_without_weights(terms)) else terms


def _without_weights(terms: tuple[WeightedPodAffinityTerm, ...]) -> tuple[PodAffinityTerm, ...]:
    return tuple(each.pod_affinity_term for each in terms)


def _readable(terms: tuple[PodAffinityTerm, ...]) -> tuple[PodAffinityTerm, ...]:
    return () if terms_error(terms) else terms


@lru_cache(maxsize=10_000)
def terms_error(terms: tuple[PodAffinityTerm, ...]) -> str:
    """Why a list of terms can't be read: what is wrong with the first invalid selector in it, if there is one.

    The API server lets such selectors pass only in pods that had them already.
    Source: pkg/scheduler/framework/types.go GetAffinityTerms, newAffinityTerm.
    """
    for term in terms:
        for selector in (term.label_selector, term.namespace_selector):
            try:
                selector_of(selector or LabelSelector())
            except ValueError as error:
                return str(error)
    return ""


@lru_cache(maxsize=10_000)
def affinity_errors(affinity: Affinity) -> tuple[str, ...]:
    """What can't be read of an affinity to pods: up to one text each for required and preferred terms of either sort.

    Source: pkg/scheduler/framework/types.go PodInfo.Update.
    """
    near, away = affinity.pod_affinity or PodAffinity(), affinity.pod_anti_affinity or PodAntiAffinity()
    found = {
        "requiredAffinityTerms": terms_error(near.required_during_scheduling_ignored_during_execution),
        "requiredAntiAffinityTerms": terms_error(away.required_during_scheduling_ignored_during_execution),
        "preferredAffinityTerms": terms_error(
            _without_weights(near.preferred_during_scheduling_ignored_during_execution)
        ),
        "preferredAntiAffinityTerms": terms_error(
            _without_weights(away.preferred_during_scheduling_ignored_during_execution)
        ),
    }
    return tuple(f"{where}: {error}" for where, error in found.items() if error)


def term_matches(term: PodAffinityTerm, owner: Pod, other: Pod, namespace_labels: Mapping[str, Map[str]]) -> bool:
    """Whether ``other`` is one of the pods that a term of ``owner`` speaks of.

    They are pods of the namespaces that are named or that the namespace selector selects by its labels; of
    the owner's namespace where there is neither.
    Source: staging/src/k8s.io/kube-scheduler/framework/types.go AffinityTerm.Matches;
    pkg/scheduler/framework/types.go getNamespacesFromPodAffinityTerm.
    """
    theirs = other.metadata.namespace
    if not term.namespaces and term.namespace_selector is None:
        in_namespace = theirs == owner.metadata.namespace
    else:
        in_namespace = theirs in term.namespaces or matches(
            term.namespace_selector, namespace_labels.get(theirs, EMPTY)
        )
    return in_namespace and matches(full_selector(term, owner.metadata.labels), other.metadata.labels)


@lru_cache(maxsize=10_000)
def full_selector(term: PodAffinityTerm, labels: Map[str]) -> LabelSelector | None:
    """A term's selector with what ``matchLabelKeys`` and ``mismatchLabelKeys`` say about its owner's labels.

    Keys that the owner has no label for say nothing.  The API server writes the same into the selector when a
    pod is created; doing it again changes nothing.
    Source: pkg/registry/core/pod/strategy.go applyLabelKeysToLabelSelector; KEP-3633.
    """
    if term.label_selector is None:
        return None
    more = [LabelSelectorRequirement(key, "In", (labels[key],)) for key in term.match_label_keys if key in labels]
    more += [
        LabelSelectorRequirement(key, "NotIn", (labels[key],)) for key in term.mismatch_label_keys if key in labels
    ]
    expressions = term.label_selector.match_expressions
    return replace(term.label_selector, match_expressions=(*expressions, *more))
