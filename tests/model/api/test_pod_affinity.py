"""Terms of pod affinity."""

from __future__ import annotations

from kythera.model.api.core.pod import Pod, PodSpec
from kythera.model.api.core.scheduling import (
    Affinity,
    PodAffinity,
    PodAffinityTerm,
    PodAntiAffinity,
    WeightedPodAffinityTerm,
)
from kythera.model.api.meta import LabelSelector, LabelSelectorRequirement, ObjectMeta
from kythera.model.api.pod_affinity import (
    affinity_errors,
    full_selector,
    preferred_affinity_terms,
    required_affinity_terms,
    required_anti_affinity_terms,
    term_matches,
)
from kythera.model.record import Map

NAMESPACES = {"a": Map({"team": "one"}), "b": Map({"team": "two"}), "c": Map({"team": "two"})}
ALL = LabelSelector()


def pod(namespace: str = "a", **labels: str) -> Pod:
    return Pod(ObjectMeta(namespace=namespace, labels=Map(labels)))


def selects(term: PodAffinityTerm, other: Pod, **labels: str) -> bool:
    return term_matches(term, pod(**labels), other, NAMESPACES)


def test_a_term_without_namespaces_speaks_of_its_owners_namespace() -> None:
    term = PodAffinityTerm(ALL)
    assert selects(term, pod("a"))
    assert not selects(term, pod("b"))


def test_named_namespaces_replace_the_owners() -> None:
    term = PodAffinityTerm(ALL, namespaces=("b",))
    assert selects(term, pod("b"))
    assert not selects(term, pod("a"))


def test_a_namespace_selector_adds_to_the_named_namespaces() -> None:
    term = PodAffinityTerm(ALL, namespaces=("a",), namespace_selector=LabelSelector(Map({"team": "two"})))
    assert all(selects(term, pod(namespace)) for namespace in "abc")
    alone = PodAffinityTerm(ALL, namespace_selector=LabelSelector(Map({"team": "two"})))
    assert not selects(alone, pod("a"))
    assert selects(PodAffinityTerm(ALL, namespace_selector=ALL), pod("elsewhere"))


def test_no_selector_selects_nothing() -> None:
    assert not selects(PodAffinityTerm(), pod())


def test_match_label_keys_ask_for_the_owners_value() -> None:
    term = PodAffinityTerm(ALL, match_label_keys=("version",))
    assert selects(term, pod(version="1"), version="1")
    assert not selects(term, pod(version="2"), version="1")
    assert selects(term, pod(version="2"))


def test_mismatch_label_keys_ask_for_another_value() -> None:
    term = PodAffinityTerm(ALL, mismatch_label_keys=("tenant",))
    assert not selects(term, pod(tenant="x"), tenant="x")
    assert selects(term, pod(tenant="y"), tenant="x")


def test_writing_the_keys_into_the_selector_twice_selects_the_same() -> None:
    term = PodAffinityTerm(ALL, match_label_keys=("version",))
    once = PodAffinityTerm(full_selector(term, Map({"version": "1"})), match_label_keys=("version",))
    for version in "12":
        assert selects(term, pod(version=version), version="1") == selects(once, pod(version=version), version="1")


GOOD, BAD = PodAffinityTerm(ALL), PodAffinityTerm(LabelSelector(Map({"app": "not a value"})))


def test_one_unreadable_term_takes_those_of_its_sort_with_it() -> None:
    affinity = Affinity(
        pod_affinity=PodAffinity((GOOD, BAD), (WeightedPodAffinityTerm(1, GOOD),)),
        pod_anti_affinity=PodAntiAffinity((GOOD,)),
    )
    owner = Pod(spec=PodSpec(affinity=affinity))
    assert required_affinity_terms(owner) == ()
    assert preferred_affinity_terms(owner) == (WeightedPodAffinityTerm(1, GOOD),)
    assert required_anti_affinity_terms(owner) == (GOOD,)


def test_what_is_unreadable_is_told_for_each_sort_of_terms() -> None:
    unknown = LabelSelector(match_expressions=(LabelSelectorRequirement("app", "Like", ("web",)),))
    (first, second) = affinity_errors(
        Affinity(
            pod_affinity=PodAffinity((BAD,)),
            pod_anti_affinity=PodAntiAffinity(
                (), (WeightedPodAffinityTerm(1, PodAffinityTerm(ALL, namespace_selector=unknown)),)
            ),
        )
    )
    assert first.startswith('requiredAffinityTerms: values[0][app]: Invalid value: "not a value": a valid label must')
    assert second == 'preferredAntiAffinityTerms: "Like" is not a valid label selector operator'
    assert affinity_errors(Affinity(pod_affinity=PodAffinity((GOOD,)))) == ()
