"""Quantities: reading, writing and arithmetic."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kythera.model.api.quantity import (
    BINARY_SI,
    DECIMAL_EXPONENT,
    DECIMAL_SI,
    NANO,
    Quantity,
    add,
    as_float,
    canonical,
    compare,
    milli_value,
    multiply,
    negate,
    parse_quantity,
    quantity,
    round_up,
    scaled_value,
    subtract,
    value,
)

FORMATS = st.sampled_from([DECIMAL_SI, BINARY_SI, DECIMAL_EXPONENT])
QUANTITIES = st.builds(Quantity, st.integers(-(10**28), 10**28), FORMATS)
SUFFIXES = st.sampled_from(["", *"numkMGTPE", *(f"{letter}i" for letter in "KMGTPE"), "e3", "E-6", "e+12", "e-400"])
TEXTS = st.builds(
    lambda sign, whole, fraction, suffix: f"{sign}{whole}{fraction}{suffix}",
    st.sampled_from(["", "+", "-"]),
    st.integers(0, 10**20).map(str),
    st.one_of(st.just(""), st.integers(0, 10**12).map(lambda digits: f".{digits}")),
    SUFFIXES,
)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("100m", "100m"),
        ("0.1", "100m"),
        ("1000m", "1"),
        ("1500Mi", "1500Mi"),
        ("1.5Gi", "1536Mi"),
        ("1024Ki", "1Mi"),
        ("512", "512"),
        ("0.5Ki", "512"),
        ("1e3", "1e3"),
        ("12e4", "120e3"),
        ("-2000k", "-2M"),
        ("0Gi", "0"),
    ],
)
def test_a_quantity_is_written_without_fraction_and_with_the_largest_suffix(text: str, written: str) -> None:
    assert canonical(parse_quantity(text)) == written


@pytest.mark.parametrize("text", ["", " 1", "1 ", "1.1.M", "1+1.0M", "0.1mi", ".5i", "-3.01e-", "abc", "1١"])
def test_what_is_no_quantity_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="quantit"):
        parse_quantity(text)


def test_a_value_of_a_manifest_may_be_a_number_or_have_blanks_around_it() -> None:
    assert quantity(2) == parse_quantity("2")
    assert quantity(0.5).nano == parse_quantity("500m").nano
    assert quantity(" 1Gi ") == parse_quantity("1Gi")


def test_no_value_is_zero() -> None:
    assert quantity(None) == Quantity()


def test_a_notation_that_does_not_exist_is_written_with_exponents() -> None:
    assert canonical(Quantity(7_000 * NANO, "RomanNumerals")) == "7e3"
    assert canonical(Quantity(7_000 * NANO, "DecimalSI")) == "7k"


def test_what_is_finer_than_a_nano_is_rounded_away_from_zero() -> None:
    assert parse_quantity("0.1n").nano == 1
    assert parse_quantity("-0.1n").nano == -1
    assert parse_quantity("1e-999999999").nano == 1
    assert parse_quantity("0e-999999999").nano == 0


def test_with_a_binary_suffix_nothing_is_above_64_bits() -> None:
    assert parse_quantity("9Ei").nano == (2**63 - 1) * NANO
    assert parse_quantity("12E").nano == 12 * 10**18 * NANO


def test_a_binary_fraction_below_one_becomes_decimal() -> None:
    assert parse_quantity("0.0001Ki").format == DECIMAL_SI
    assert parse_quantity("0.001Ki").format == BINARY_SI


def test_values_are_rounded_away_from_zero() -> None:
    assert value(parse_quantity("1m")) == 1
    assert value(parse_quantity("-1500m")) == -2
    assert milli_value(parse_quantity("1u")) == 1
    assert milli_value(parse_quantity("2")) == 2000


def test_values_stay_within_64_bits() -> None:
    assert milli_value(parse_quantity("9Ei")) == 2**63 - 1
    assert scaled_value(parse_quantity("-12E"), 0) == -(2**63)


def test_the_notation_of_a_sum_is_that_of_the_first_unless_it_is_zero() -> None:
    assert add(parse_quantity("1Gi"), parse_quantity("1G")).format == BINARY_SI
    assert add(parse_quantity("0"), parse_quantity("1Gi")).format == BINARY_SI
    assert canonical(subtract(parse_quantity("0"), parse_quantity("100m"))) == "-100m"


@given(TEXTS)
def test_writing_and_reading_again_changes_no_value(text: str) -> None:
    read = parse_quantity(text)
    assert parse_quantity(canonical(read)).nano == read.nano


@given(QUANTITIES)
def test_what_is_written_is_written_the_same_way_again(q: Quantity) -> None:
    written = canonical(q)
    assert canonical(parse_quantity(written)) == written or parse_quantity(written).format == BINARY_SI


@given(QUANTITIES)
def test_what_is_written_has_no_fraction_and_no_needless_sign(q: Quantity) -> None:
    written = canonical(q)
    assert "." not in written
    assert "+" not in written
    assert written.startswith("-") == (q.nano < 0)


@given(QUANTITIES, QUANTITIES)
def test_subtracting_undoes_adding(a: Quantity, b: Quantity) -> None:
    assert subtract(add(a, b), b).nano == a.nano
    assert add(a, b).nano == add(b, a).nano
    assert subtract(a, b).nano == add(a, negate(b)).nano


@given(QUANTITIES, st.integers(0, 20))
def test_multiplying_is_adding_many_times(q: Quantity, factor: int) -> None:
    total = Quantity(0, q.format)
    for _ in range(factor):
        total = add(total, q)
    assert multiply(q, factor).nano == total.nano


@given(QUANTITIES, QUANTITIES)
def test_comparing_agrees_with_subtracting(a: Quantity, b: Quantity) -> None:
    difference = subtract(a, b).nano
    assert compare(a, b) == (difference > 0) - (difference < 0) == -compare(b, a)


@given(QUANTITIES, st.integers(-9, 12))
def test_rounding_goes_away_from_zero_by_less_than_a_unit(q: Quantity, power: int) -> None:
    rounded, exact = round_up(q, power)
    unit = 10 ** (9 + power)
    assert rounded.nano % unit == 0
    assert 0 <= abs(rounded.nano) - abs(q.nano) < unit
    assert exact == (rounded.nano == q.nano)
    assert round_up(rounded, power) == (rounded, True)


@given(st.integers(-(10**24), 10**24), st.integers(-12, 3))
def test_a_scaled_value_is_the_number_in_that_unit_rounded_away_from_zero(nano: int, power: int) -> None:
    exact = Fraction(nano, NANO) / Fraction(10) ** power
    size = -(-abs(exact.numerator) // exact.denominator)
    wanted = size if exact >= 0 else -size
    assert scaled_value(Quantity(nano), power) == max(-(2**63), min(wanted, 2**63 - 1))


@given(QUANTITIES)
def test_the_float_is_the_nearest(q: Quantity) -> None:
    assert as_float(q) == float(Fraction(q.nano, NANO))
