"""Terms of pod affinity and anti-affinity: of which pods they speak.

Source: staging/src/k8s.io/kube-scheduler/framework/types.go AffinityTerm; pkg/registry/core/pod/strategy.go
for the keys that are written into a term's selector.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from kythera.model.api.core.pod import Pod
from kythera.model.api.core.scheduling import PodAffinityTerm
from kythera.model.api.labels import matches
from kythera.model.api.meta import LabelSelector, LabelSelectorRequirement
from kythera.model.record import EMPTY, Map, replace


def required_affinity_terms(pod: Pod) -> tuple[PodAffinityTerm, ...]:
    """The terms that say which pods a pod must be near to."""
    affinity = pod.spec.affinity.pod_affinity if pod.spec.affinity is not None else None
    return affinity.required_during_scheduling_ignored_during_execution if affinity is not None else ()


def required_anti_affinity_terms(pod: Pod) -> tuple[PodAffinityTerm, ...]:
    """The terms that say which pods a pod must not be near to."""
    affinity = pod.spec.affinity.pod_anti_affinity if pod.spec.affinity is not None else None
    return affinity.required_during_scheduling_ignored_during_execution if affinity is not None else ()


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
