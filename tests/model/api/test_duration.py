"""Durations of flags and configuration files."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kythera.model.api.duration import parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("40s", 40),
        ("5m0s", 300),
        ("1h2m3s", 3723),
        ("1.5m", 90),
        ("100ms", 1),
        ("0", 0),
        ("15", 15),
        ("-5s", -5),
    ],
)
def test_units_add_up(text: str, seconds: int) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "s", "5x", "5 s", "5m,3s", "m5"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a duration"):
        parse_duration(text)


@given(st.integers(0, 99), st.integers(0, 59), st.integers(0, 59))
def test_whole_seconds_are_exact(hours: int, minutes: int, seconds: int) -> None:
    assert parse_duration(f"{hours}h{minutes}m{seconds}s") == hours * 3600 + minutes * 60 + seconds
