"""Durations as components' flags and configuration files write them: ``40s``, ``1m30s``, ``5m0s``.

Source: https://pkg.go.dev/time#ParseDuration.
"""

from __future__ import annotations

import re
from fractions import Fraction

_UNITS = {
    "h": Fraction(3600),
    "m": Fraction(60),
    "s": Fraction(1),
    "ms": Fraction(1, 10**3),
    "us": Fraction(1, 10**6),
    "µs": Fraction(1, 10**6),
    "ns": Fraction(1, 10**9),
}
_PART = re.compile(r"(\d+\.?\d*|\.\d+)(ms|us|µs|ns|h|m|s)")


def parse_duration(text: str) -> int:
    """The duration that ``text`` denotes, in whole seconds, parts of a second rounded up.

    A number without a unit means seconds.  ``ValueError`` where it denotes none.
    Source: https://pkg.go.dev/time#ParseDuration.
    Simplifies: the model's clock counts whole seconds; Go refuses a number (other than 0) that has no unit.
    """
    body = text.strip()
    sign = -1 if body.startswith("-") else 1
    body = body.lstrip("+-")
    if body.isdecimal():
        return sign * int(body)
    total, end = Fraction(0), 0
    for part in _PART.finditer(body):
        if part.start() != end:
            break
        total += Fraction(part.group(1)) * _UNITS[part.group(2)]
        end = part.end()
    if not body or end != len(body):
        raise ValueError(f"{text!r} is not a duration such as 1m30s")
    return sign * -(-total.numerator // total.denominator)
