"""Whole numbers in texts."""

from __future__ import annotations

import pytest

from kythera.model.api.numbers import parse_int64


@pytest.mark.parametrize(("text", "number"), [("0", 0), ("+5", 5), ("-07", -7), ("9223372036854775807", 2**63 - 1)])
def test_a_decimal_number_is_read(text: str, number: int) -> None:
    assert parse_int64(text) == number


@pytest.mark.parametrize("text", ["", "1.0", "1_000", " 1", "٣", "0x10", "9223372036854775808", "+"])
def test_anything_else_is_not_a_number(text: str) -> None:
    assert parse_int64(text) is None
