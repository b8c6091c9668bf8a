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
_NUMBER = re.compile(r"([+-]?)([0-9]*)(?:\.([0-9]*))?(.*)", re.ASCII | re.DOTALL)
_EXPONENT = re.compile(r"[eE]([+-]?[0-9]{1,9})", re.ASCII)
_LARGEST_EXPONENT = 400

WRONG_FORMAT = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
WRONG_SUFFIX = "unable to parse quantity's suffix"
EMPTY = "quantity is empty"


@record
class Quantity(Record):
    """An exact number in units of 10**-9, and the notation that it was written in."""

    nano: int = 0
    format: str = DECIMAL_SI


@lru_cache(maxsize=100_000)
def parse_quantity(text: str) -> Quantity:
    """The quantity that ``text`` denotes; ``ValueError`` with Kubernetes' own message when it denotes none.

    Source: quantity.go ParseQuantity.
    Simplifies: magnitudes beyond 2**63-1 are kept exact instead of being capped.
    """
    if not text:
        raise ValueError(EMPTY)
    found = _NUMBER.fullmatch(text)
    assert found is not None  # the last group takes whatever is left
    sign, whole, fraction, suffix = found[1], found[2], found[3] or "", found[4]
    if not whole and not fraction:
        raise ValueError(WRONG_FORMAT)
    if not re.fullmatch(r"[eEinumkKMGTP]*[-+]?[0-9]*", suffix, re.ASCII):
        raise ValueError(WRONG_FORMAT)
    base, exponent, form = _suffix(suffix)
    value = Fraction(int((whole or "0") + fraction), 10 ** len(fraction)) * Fraction(base) ** exponent
    nano = _away_from_zero(value * NANO)
    if form == BINARY_SI and 0 < nano < 1024 * NANO and nano % NANO:
        form = DECIMAL_SI  # fractions cannot be written with a binary suffix
    return Quantity(-nano if sign == "-" else nano, form)


def _suffix(text: str) -> tuple[int, int, str]:
    """A suffix as base, exponent and notation."""
    if text in _DECIMAL:
        return 10, _DECIMAL[text], DECIMAL_SI
    if text in _BINARY:
        return 2, _BINARY[text], BINARY_SI
    exponent = _EXPONENT.fullmatch(text)
    if exponent is None or abs(int(exponent[1])) > _LARGEST_EXPONENT:
        raise ValueError(WRONG_SUFFIX)
    return 10, int(exponent[1]), DECIMAL_EXPONENT


def _away_from_zero(value: Fraction) -> int:
    whole = -(-abs(value.numerator) // value.denominator)
    return whole if value >= 0 else -whole


def quantity(text: str | int) -> Quantity:
    """``parse_quantity``, for numbers too."""
    return parse_quantity(str(text))


def scaled_value(q: Quantity, power_of_ten: int) -> int:
    """The quantity in units of 10**``power_of_ten``, rounded up.

    Source: quantity.go ScaledValue.
    """
    return -(-q.nano // 10 ** (9 + power_of_ten)) if power_of_ten > -9 else q.nano * 10 ** (-9 - power_of_ten)


def value(q: Quantity) -> int:
    """The quantity in whole units, rounded up.  Source: quantity.go Value."""
    return scaled_value(q, 0)


def milli_value(q: Quantity) -> int:
    """The quantity in thousandths, rounded up.  Source: quantity.go MilliValue."""
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
