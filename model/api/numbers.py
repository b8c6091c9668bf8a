"""Whole numbers in texts, as label and taint values hold them.

Source: Go's strconv.ParseInt with base 10 and 64 bits, which the comparison operators of selectors and
tolerations use.
"""

from __future__ import annotations

import re

_DECIMAL = re.compile(r"[+-]?[0-9]+", re.ASCII)


def parse_int64(text: str) -> int | None:
    """The number that a text denotes, or ``None`` if it denotes none or one that 64 bits can't hold."""
    if not _DECIMAL.fullmatch(text):
        return None
    number = int(text)
    return number if -(2**63) <= number < 2**63 else None
