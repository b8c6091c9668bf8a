"""Numbers that may be percentages: ``2`` or ``"25%"``.

Source: staging/src/k8s.io/apimachinery/pkg/util/intstr/intstr.go.
"""

from __future__ import annotations

import json
import re

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
    if not value.endswith("%"):
        raise ValueError("invalid type: string is not a percentage")
    digits = value.removesuffix("%")
    if not _NUMBER.fullmatch(digits):
        quoted = json.dumps(value, ensure_ascii=False)
        parsed = json.dumps(digits, ensure_ascii=False)
        raise ValueError(f"invalid value {quoted}: strconv.Atoi: parsing {parsed}: invalid syntax")
    return int(digits), True


def scaled_value(value: int | str | None, total: int, round_up: bool) -> int:
    """The number itself, or the percentage of ``total``, rounded up or down.

    ``ValueError`` with Kubernetes' own message for another text, and for ``None``.
    Source: intstr.go GetScaledValueFromIntOrPercent.
    """
    if value is None:
        raise ValueError("nil value for IntOrString")
    try:
        number, is_percentage = percentage(value)
    except ValueError as error:
        raise ValueError(f"invalid value for IntOrString: {error}") from None
    if not is_percentage:
        return number
    return -(-number * total // 100) if round_up else number * total // 100
