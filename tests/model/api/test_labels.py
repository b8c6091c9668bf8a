"""Label selectors as objects."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kythera.model.api.label_parsing import selector_matches, selector_of, selector_of_map
from kythera.model.api.labels import matches, matches_map, requirement_matches
from kythera.model.api.meta import LabelSelector, LabelSelectorRequirement
from kythera.model.record import Map

KEYS = st.sampled_from(["app", "tier", "example.com/zone"])
VALUES = st.sampled_from(["", "a", "b", "1"])
LABELS = st.dictionaries(KEYS, VALUES, max_size=3)
REQUIREMENTS = st.one_of(
    st.builds(
        LabelSelectorRequirement,
        KEYS,
        st.sampled_from(["In", "NotIn"]),
        st.lists(VALUES, min_size=1, max_size=3).map(tuple),
    ),
    st.builds(LabelSelectorRequirement, KEYS, st.sampled_from(["Exists", "DoesNotExist"])),
)
SELECTORS = st.builds(
    LabelSelector,
    st.dictionaries(KEYS, VALUES, max_size=2).map(Map),
    st.lists(REQUIREMENTS, max_size=3).map(tuple),
)


def requirement(operator: str, *values: str) -> LabelSelectorRequirement:
    return LabelSelectorRequirement("tier", operator, values)


def test_no_selector_selects_nothing_and_an_empty_one_everything() -> None:
    assert not matches(None, {"app": "web"})
    assert matches(LabelSelector(), {"app": "web"})
    assert matches(LabelSelector(), {})


def test_all_pairs_and_all_expressions_must_hold() -> None:
    selector = LabelSelector(Map({"app": "web"}), (requirement("In", "a", "b"),))
    assert matches(selector, {"app": "web", "tier": "a", "more": "x"})
    assert not matches(selector, {"app": "web"})
    assert not matches(selector, {"app": "db", "tier": "a"})


@pytest.mark.parametrize(
    ("operator", "values", "absent", "other", "same"),
    [
        ("In", ("a",), False, False, True),
        ("NotIn", ("a",), True, True, False),
        ("Exists", (), False, True, True),
        ("DoesNotExist", (), True, False, False),
    ],
)
def test_an_operator_on_a_label_that_is_absent_other_or_the_same(
    operator: str, values: tuple[str, ...], absent: bool, other: bool, same: bool
) -> None:
    asked = requirement(operator, *values)
    assert requirement_matches(asked, {}) == absent
    assert requirement_matches(asked, {"tier": "b"}) == other
    assert requirement_matches(asked, {"tier": "a"}) == same


@pytest.mark.parametrize(
    "wrong",
    [
        requirement("In"),
        requirement("NotIn"),
        requirement("Exists", "a"),
        requirement("DoesNotExist", "a"),
        requirement("Gt", "1"),
    ],
)
def test_an_invalid_requirement_is_fulfilled_by_nothing(wrong: LabelSelectorRequirement) -> None:
    assert not any(requirement_matches(wrong, labels) for labels in ({}, {"tier": "a"}, {"tier": "2"}))
    with pytest.raises(ValueError):
        selector_of(LabelSelector(match_expressions=(wrong,)))


def test_an_empty_value_is_not_a_missing_label() -> None:
    assert not matches_map({"tier": ""}, {})
    assert matches_map({"tier": ""}, {"tier": ""})


@given(LABELS, LABELS)
def test_a_map_selects_exactly_the_labels_that_contain_it(selector: dict[str, str], labels: dict[str, str]) -> None:
    assert matches_map(selector, labels) == (selector.items() <= labels.items())
    assert selector_matches(selector_of_map(selector), labels) == matches_map(selector, labels)
    assert matches(LabelSelector(Map(selector)), labels) == matches_map(selector, labels)


@given(SELECTORS, LABELS)
def test_the_object_selects_what_its_requirements_select(selector: LabelSelector, labels: dict[str, str]) -> None:
    assert matches(selector, labels) == selector_matches(selector_of(selector), labels)


@given(SELECTORS, REQUIREMENTS, LABELS)
def test_one_more_requirement_never_selects_more(
    selector: LabelSelector, more: LabelSelectorRequirement, labels: dict[str, str]
) -> None:
    narrower = LabelSelector(selector.match_labels, (*selector.match_expressions, more))
    assert matches(narrower, labels) == (matches(selector, labels) and requirement_matches(more, labels))


@given(KEYS, st.lists(VALUES, min_size=1, max_size=3).map(tuple), LABELS)
def test_opposite_operators_disagree_on_all_labels(key: str, values: tuple[str, ...], labels: dict[str, str]) -> None:
    def holds(operator: str, *of: str) -> bool:
        return requirement_matches(LabelSelectorRequirement(key, operator, of), labels)

    assert holds("In", *values) != holds("NotIn", *values)
    assert holds("Exists") != holds("DoesNotExist")
