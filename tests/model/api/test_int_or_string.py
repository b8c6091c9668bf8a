"""Numbers that may be percentages."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kythera.model.api.int_or_string import parse, percentage, scaled_value

PERCENT = st.integers(0, 100)
TOTAL = st.integers(0, 10_000)


def test_a_number_is_taken_as_it_is() -> None:
    assert scaled_value(3, 100, round_up=True) == 3
    assert percentage(3) == (3, False)


@pytest.mark.parametrize(
    ("value", "total", "up", "down"),
    [("25%", 10, 3, 2), ("90%", 95, 86, 85), ("100%", 7, 7, 7), ("0%", 7, 0, 0), ("1%", 0, 0, 0), ("150%", 4, 6, 6)],
)  # fmt: skip
def test_a_percentage_is_rounded_as_asked(value: str, total: int, up: int, down: int) -> None:
    assert scaled_value(value, total, round_up=True) == up
    assert scaled_value(value, total, round_up=False) == down


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("25", "invalid value for IntOrString: invalid type: string is not a percentage"),
        ("%", 'invalid value for IntOrString: invalid value "%": strconv.Atoi: parsing "": invalid syntax'),
        ("a%", 'invalid value for IntOrString: invalid value "a%": strconv.Atoi: parsing "a": invalid syntax'),
        ("4%%", 'invalid value for IntOrString: invalid value "4%%": strconv.Atoi: parsing "4%": invalid syntax'),
        (None, "nil value for IntOrString"),
    ],
)  # fmt: skip
def test_another_text_is_refused_in_upstreams_words(value: str | None, message: str) -> None:
    with pytest.raises(ValueError) as caught:
        scaled_value(value, 10, round_up=True)
    assert str(caught.value) == message


def test_a_text_is_a_number_if_32_bits_hold_it() -> None:
    assert parse("0") == 0
    assert parse("-2147483648") == -(2**31)
    assert parse("2147483648") == "2147483648"
    assert parse("25%") == "25%"
    assert parse("http") == "http"


@given(PERCENT, TOTAL)
def test_both_ways_of_rounding_enclose_the_exact_part(percent: int, total: int) -> None:
    up, down = (scaled_value(f"{percent}%", total, round_up=each) for each in (True, False))
    exact = percent * total / 100
    assert (math.floor(exact), math.ceil(exact)) == (down, up)


@given(PERCENT, TOTAL)
def test_a_part_rounded_down_and_the_rest_rounded_up_are_the_whole(percent: int, total: int) -> None:
    part = scaled_value(f"{percent}%", total, round_up=False)
    assert part + scaled_value(f"{100 - percent}%", total, round_up=True) == total


@given(st.integers(-(2**31), 2**31 - 1))
def test_each_number_of_32_bits_is_read_back(number: int) -> None:
    assert parse(str(number)) == number
