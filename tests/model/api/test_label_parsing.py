"""Label selectors as text."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kythera.model.api.label_parsing import (
    DOES_NOT_EXIST,
    EQUALS,
    EXISTS,
    GREATER_THAN,
    IN,
    LESS_THAN,
    NOT_IN,
    Requirement,
    RequirementError,
    parse_selector,
    required_value,
    requirement_errors,
    selector_matches,
    selector_of,
    selector_of_map,
    selector_text,
)
from kythera.model.api.meta import LabelSelector, LabelSelectorRequirement
from kythera.model.record import Map

KEYS = st.sampled_from(["app", "example.com/tier", "in", "notin", "x-1"])
VALUES = st.sampled_from(["", "a", "B_2", "in", "notin", "10", "2.5"])
SETS = st.sets(VALUES, min_size=1, max_size=3).map(lambda values: tuple(sorted(values)))
NUMBERS = st.integers(0, 2**63 - 1).map(lambda number: (str(number),))
REQUIREMENTS = st.one_of(
    st.builds(Requirement, KEYS, st.sampled_from([IN, NOT_IN]), SETS),
    st.builds(Requirement, KEYS, st.sampled_from([EQUALS, "==", "!="]), VALUES.map(lambda value: (value,))),
    st.builds(Requirement, KEYS, st.sampled_from([GREATER_THAN, LESS_THAN]), NUMBERS),
    st.builds(Requirement, KEYS, st.sampled_from([EXISTS, DOES_NOT_EXIST])),
)
SELECTORS = st.lists(REQUIREMENTS, max_size=4).map(
    lambda found: tuple(sorted(found, key=lambda requirement: requirement.key))
)
LABELS = st.dictionaries(KEYS, VALUES, max_size=4)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", ()),
        ("  ", ()),
        ("x", (Requirement("x", EXISTS),)),
        ("!x", (Requirement("x", DOES_NOT_EXIST),)),
        ("x=", (Requirement("x", EQUALS, ("",)),)),
        ("x in (b, a ,b)", (Requirement("x", IN, ("a", "b")),)),
        ("x notin ()", (Requirement("x", NOT_IN, ("",)),)),
        ("x in (,a)", (Requirement("x", IN, ("", "a")),)),
        ("z>3,a<7", (Requirement("a", LESS_THAN, ("7",)), Requirement("z", GREATER_THAN, ("3",)))),
        ("in in (in)", (Requirement("in", IN, ("in",)),)),
    ],
)
def test_a_text_is_read_as_requirements_in_the_order_of_their_keys(text: str, wanted: tuple[Requirement, ...]) -> None:
    assert parse_selector(text) == wanted


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (",x", "found ',', expected: !, identifier, or 'end of string'"),
        ("x,", "found '', expected: identifier after ','"),
        ("x,,y", "found ',', expected: identifier after ','"),
        ("!x=a", "found '=', expected: ',' or 'end of string'"),
        ("x==a==b", "found '==', expected: ',' or 'end of string'"),
        ("x y", "found 'y', expected: in, notin, =, ==, !=, gt, lt"),
        ("x in a", r"unable to parse requirement: found 'a' expected: '\('"),
        ("x in (a", "unable to parse requirement: found '', expected: ',' or '\\)'"),
        ("x<a", "the value must be an integer"),
        ("x=a b", "found 'b', expected: ',' or 'end of string'"),
        ("x=a||y", "a valid label must be"),
        ("-x", "name part must consist of"),
        ("!", "found '', expected: identifier"),
    ],
)
def test_what_is_no_selector_is_refused_with_the_reason(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_selector(text)


@pytest.mark.parametrize(
    ("requirement", "fields"),
    [
        (Requirement("x", IN, ("a",)), []),
        (Requirement("x", IN), ["values"]),
        (Requirement("x", EQUALS, ("a", "b")), ["values"]),
        (Requirement("x", EXISTS, ("a",)), ["values"]),
        (Requirement("x", GREATER_THAN, ("a",)), ["values[0]"]),
        (Requirement("x", GREATER_THAN), ["values"]),
        (Requirement("x y", EXISTS), ["key"]),
        (Requirement("x", "=?", ("a",)), ["operator"]),
        (Requirement("x", NOT_IN, ("a", "b c")), ["values[1][x]"]),
    ],
)
def test_what_is_wrong_with_a_requirement_is_told_by_field(requirement: Requirement, fields: list[str]) -> None:
    errors = requirement_errors(requirement)
    assert [error.field for error in errors] == fields
    assert all(isinstance(error, RequirementError) and error.message for error in errors)


@pytest.mark.parametrize(
    ("requirement", "text"),
    [
        (Requirement("x", IN, ("-",)), 'values[0][x]: Invalid value: "-": a valid label must be'),
        (Requirement("x", EXISTS, ("a", "b")), 'values: Invalid value: []string{"a", "b"}: values set must be empty'),
        (Requirement("x", "~"), 'operator: Unsupported value: "~": supported values: "!", "!=", "=",'),
    ],
)
def test_an_error_shows_what_stands_there(requirement: Requirement, text: str) -> None:
    (error,) = requirement_errors(requirement)
    assert str(error).startswith(text)


def test_only_numbers_are_less_or_greater() -> None:
    assert selector_matches(parse_selector("x>1"), {"x": "2"})
    assert not selector_matches(parse_selector("x>1"), {"x": "v2"})
    assert not selector_matches(parse_selector("x<1"), {})
    assert not selector_matches((Requirement("x", GREATER_THAN, ("1", "2")),), {"x": "3"})


def test_the_one_value_that_is_left_to_a_label() -> None:
    assert required_value(parse_selector("x=a,y in (b),z in (c,d)"), "x") == "a"
    assert required_value(parse_selector("x=a,y in (b),z in (c,d)"), "y") == "b"
    assert required_value(parse_selector("x=a,y in (b),z in (c,d)"), "z") is None
    assert required_value(parse_selector("x!=a"), "x") is None
    assert required_value((), "x") is None


def test_an_object_becomes_requirements_and_text() -> None:
    expression = LabelSelectorRequirement("baz", "In", ("qux", "norf"))
    selector = LabelSelector(Map({"foo": "bar"}), (expression,))
    assert selector_text(selector_of(selector)) == "baz in (norf,qux),foo=bar"
    assert selector_text(selector_of_map({"b": "2", "a": "1"})) == "a=1,b=2"


@given(SELECTORS)
def test_reading_what_was_written_gives_the_same_selector(selector: tuple[Requirement, ...]) -> None:
    assert parse_selector(selector_text(selector)) == selector


@given(SELECTORS, LABELS)
def test_labels_are_selected_when_they_fulfil_every_requirement(
    selector: tuple[Requirement, ...], labels: dict[str, str]
) -> None:
    assert selector_matches(selector, labels) == all(each.matches(labels) for each in selector)
    assert selector_matches(parse_selector(selector_text(selector)), labels) == selector_matches(selector, labels)


@given(st.text(alphabet="xy01=!<>(), innot", max_size=20))
def test_any_text_is_refused_or_read_as_it_is_written_again(text: str) -> None:
    with suppress(ValueError):
        selector = parse_selector(text)
        assert parse_selector(selector_text(selector)) == selector
