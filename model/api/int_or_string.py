"""Numbers that may be percentages: ``2`` or ``"25%"``.

Source: staging/src/k8s.io/apimachinery/pkg/util/intstr/intstr.go.
"""

from __future__ import annotations

import re

_PERCENT = re.compile(r"([+-]?[0-9]+)%", re.ASCII)
_NUMBER = re.compile(r"[+-]?[0-9]+", re.ASCII)


def parse(text: str) -> int | str:
    """The number that a text denotes if it is one of 32 bits, else the text.  Source: intstr.go Parse."""
    if _NUMBER.fullmatch(text) and -(2**31) <= int(text) < 2**31:
        return int(text)
    return text


def percentage(value: int | str) -> tuple[int, bool]:
    """The number, and whether it is a percentage; ``ValueError`` for a text that is none.

    Source: intstr.go getIntOrPercentValueSafely.
    """
    if isinstance(value, int):
        return value, False
    found = _PERCENT.fullmatch(value)
    if found is None:
        raise ValueError("invalid type: string is not a percentage")
    return int(found[1]), True


def scaled_value(value: int | str, total: int, round_up: bool) -> int:
    """The number itself, or the percentage of ``total``, rounded up or down; ``ValueError`` for another text.

    Source: intstr.go GetScaledValueFromIntOrPercent.
    """
    number, percent = percentage(value)
    if not percent:
        return number
    return -(-number * total // 100) if round_up else number * total // 100
