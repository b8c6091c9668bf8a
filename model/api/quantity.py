"""Quantities: exact decimal numbers with a unit, as in ``100m`` or ``1.5Gi``.

A quantity is held in units of 10**-9, the smallest that Kubernetes tells apart; what is smaller is rounded away from
zero.  Source: staging/src/k8s.io/apimachinery/pkg/api/resource/quantity.go and suffix.go.
"""

from __future__ import annotations

import re
from fractions import Fraction
from functools import lru_cache

from kythera.model.record import Record, record

DECIMAL_SI = "DecimalSI"
BINARY_SI = "BinarySI"
DECIMAL_EXPONENT = "DecimalExponent"

NANO = 10**9

_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}
_QUANTITY = re.compile(r"([+-]?)([0-9]*)(?:\.([0-9]*))?([eEinumkKMGTP]*[-+]?[0-9]*)", re.ASCII)
_EXPONENT = re.compile(r"[eE]([+-]?[0-9]{1,9})", re.ASCII)
_LARGEST_EXPONENT = 400

WRONG_FORMAT = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
WRONG_NUMBER = "unable to parse numeric part of quantity"
WRONG_SUFFIX = "unable to parse quantity's suffix"

_MOST = 2**63 - 1

@record
class Quantity(Record):
    """An exact number in units of 10**-9, and the notation that it was written in."""

    nano: int = 0
    format: str = DECIMAL_SI


@lru_cache(maxsize=100_000)
def parse_quantity(text: str) -> Quantity:
    """The quantity that ``text`` denotes; ``ValueError`` with Kubernetes' own message when it denotes none.

    With a binary suffix, nothing is larger than 2**63-1, and what is less than 1 becomes decimal.  A number without
    any digit is 0, as it is upstream (``m`` is accepted, and so is ``.``).

    Source: quantity.go ParseQuantity, parseQuantityString.
    Simplifies: exponents above 400 are refused.
    """
    found = _QUANTITY.fullmatch(text)
    if not text or found is None:
        raise ValueError(WRONG_FORMAT)
    sign, whole, fraction, suffix = found[1], found[2], found[3] or "", found[4]
    base, exponent, form = _suffix(suffix)
    if not (whole or fraction) and base == 2 and exponent > 40:
        raise ValueError(WRONG_NUMBER)  # only upstream's way for large numbers insists on digits
    nano = _away_from_zero(_scaled(int((whole or "0") + fraction) * NANO, base, exponent, len(fraction)))
    if form == BINARY_SI:
        nano = min(nano, _MOST * NANO)
        if 0 < nano < NANO:
            form = DECIMAL_SI
    return Quantity(-nano if sign == "-" else nano, form)


def _suffix(text: str) -> tuple[int, int, str]:
    """A suffix as base, exponent and notation.

    Source: suffix.go interpret.
    """
    if text in _DECIMAL:
        return 10, _DECIMAL[text], DECIMAL_SI
    if text in _BINARY:
        return 2, _BINARY[text], BINARY_SI
    exponent = _EXPONENT.fullmatch(text)
    if exponent is None or int(exponent[1]) > _LARGEST_EXPONENT:
        raise ValueError(WRONG_SUFFIX)
    return 10, int(exponent[1]), DECIMAL_EXPONENT


def _scaled(digits: int, base: int, exponent: int, places: int) -> Fraction:
    """The number ``digits`` * base**exponent / 10**places."""
    if exponent < -_LARGEST_EXPONENT:  # all that's left of so small a number is whether it is 0
        return Fraction(digits and 1, NANO)
    return Fraction(digits, 10**places) * Fraction(base) ** exponent


def _away_from_zero(number: Fraction) -> int:
    whole = -(-abs(number.numerator) // number.denominator)
    return whole if number >= 0 else -whole


def quantity(text: str | int) -> Quantity:
    """``parse_quantity``, for numbers too."""
    return parse_quantity(str(text))


def scaled_value(q: Quantity, power_of_ten: int) -> int:
    """The quantity in units of 10**``power_of_ten``, rounded away from zero, and within 64 bits.

    Source: quantity.go ScaledValue, amount.go AsScaledInt64.
    """
    size, power = abs(q.nano), 9 + power_of_ten
    size = -(-size // 10**power) if power > 0 else size * 10**-power
    return max(-_MOST - 1, -size) if q.nano < 0 else min(size, _MOST)


def value(q: Quantity) -> int:
    """The quantity in whole units, rounded away from zero.  Source: quantity.go Value."""
    return scaled_value(q, 0)


def milli_value(q: Quantity) -> int:
    """The quantity in thousandths, rounded away from zero.  Source: quantity.go MilliValue."""
    return scaled_value(q, -3)


def round_up(q: Quantity, power_of_ten: int) -> tuple[Quantity, bool]:
    """The quantity rounded away from zero to a multiple of 10**``power_of_ten``, and whether it was one already.

    Source: quantity.go RoundUp.
    """
    unit = 10 ** max(9 + power_of_ten, 0)
    rounded = _away_from_zero(Fraction(q.nano, unit)) * unit
    return Quantity(rounded, q.format), rounded == q.nano


def add(a: Quantity, b: Quantity) -> Quantity:
    """The sum, in the notation of ``a`` (of ``b`` where ``a`` is 0).  Source: quantity.go Add."""
    return Quantity(a.nano + b.nano, a.format if a.nano else b.format)


def subtract(a: Quantity, b: Quantity) -> Quantity:
    """The difference, in the notation of ``a`` (of ``b`` where ``a`` is 0).  Source: quantity.go Sub."""
    return Quantity(a.nano - b.nano, a.format if a.nano else b.format)


def multiply(q: Quantity, factor: int) -> Quantity:
    """The quantity so many times.  Source: quantity.go Mul."""
    return Quantity(q.nano * factor, q.format)


def negate(q: Quantity) -> Quantity:
    """The quantity with the other sign.  Source: quantity.go Neg."""
    return Quantity(-q.nano, q.format)


def compare(a: Quantity, b: Quantity) -> int:
    """-1, 0 or 1, as ``a`` is less than, equal to or more than ``b``.  Source: quantity.go Cmp."""
    return (a.nano > b.nano) - (a.nano < b.nano)


def as_float(q: Quantity) -> float:
    """The nearest floating-point number.  Source: quantity.go AsApproximateFloat64."""
    return q.nano / NANO


@lru_cache(maxsize=100_000)
def canonical(q: Quantity) -> str:
    """The quantity as Kubernetes writes it: no fraction, and the largest suffix that allows this.

    Source: quantity.go CanonicalizeBytes.
    """
    if q.nano == 0:
        return "0"
    sign, nano = ("-", -q.nano) if q.nano < 0 else ("", q.nano)
    if q.format == BINARY_SI and nano >= 1024 * NANO and nano % NANO == 0:
        whole, power = nano // NANO, 0
        while whole % 1024 == 0 and power < 60:
            whole, power = whole // 1024, power + 10
        return f"{sign}{whole}{'' if power == 0 else next(s for s, p in _BINARY.items() if p == power)}"
    power = -9
    while nano % 1000 == 0 and (power < 18 or q.format == DECIMAL_EXPONENT):
        nano, power = nano // 1000, power + 3
    if q.format == DECIMAL_EXPONENT:
        return f"{sign}{nano}{f'e{power}' if power else ''}"
    return f"{sign}{nano}{next(s for s, p in _DECIMAL.items() if p == power)}"
