"""Quantities: exact decimal numbers with a unit, as in ``100m`` or ``1.5Gi``.

A quantity is held in units of 10**-9, the smallest that Kubernetes tells apart; what is smaller is rounded
away from zero.  Source: staging/src/k8s.io/apimachinery/pkg/api/resource/quantity.go, suffix.go, amount.go.
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
_DECIMAL_SUFFIX = {power: suffix for suffix, power in _DECIMAL.items()}
_BINARY_SUFFIX = {0: "", **{power: suffix for suffix, power in _BINARY.items()}}
_NUMBER = re.compile(r"([+-]?)([0-9]*)(?:\.([0-9]*))?(.*)", re.DOTALL)
_SUFFIX = re.compile(r"[eEinumkKMGTP]*[-+]?[0-9]*")
_EXPONENT = re.compile(r"[eE]([+-]?[0-9]{1,9})")
_LARGEST_EXPONENT = 400
_LARGEST = 2**63 - 1

WRONG_FORMAT = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
WRONG_SUFFIX = "unable to parse quantity's suffix"


@record
class Quantity(Record):
    """An exact number in units of 10**-9, and the notation that it was written in."""

    nano: int = 0
    format: str = DECIMAL_SI


@lru_cache(maxsize=100_000)
def parse_quantity(text: str) -> Quantity:
    """The quantity that ``text`` denotes; ``ValueError`` with Kubernetes' own message when it denotes none.

    What is finer than 10**-9 is rounded away from zero.  With a binary suffix, 2**63 - 1 is the most, and less
    than one is noted as decimal.  A missing number counts as 0, so ``m`` is a quantity.

    Source: quantity.go ParseQuantity, parseQuantityString.
    Simplifies: exponents above 400 are refused; upstream also refuses a missing number before ``Pi`` and ``Ei``.
    """
    found = _NUMBER.fullmatch(text)
    assert found is not None  # the last group takes whatever is left
    sign, whole, fraction, suffix = found[1], found[2], found[3] or "", found[4]
    if not text or not _SUFFIX.fullmatch(suffix):
        raise ValueError(WRONG_FORMAT)
    base, exponent, form = _suffix(suffix)
    nano = _away_from_zero(_scaled(int(f"0{whole}{fraction}"), base, exponent, len(fraction)) * NANO)
    if form == BINARY_SI:
        nano = min(nano, _LARGEST * NANO)
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
    """The number ``digits`` * base**exponent / 10**places, where no exponent is so low that it costs much."""
    lowest = -len(str(digits)) - 9  # less than that is one unit of 10**-9, or 0
    return Fraction(digits, 10**places) * Fraction(base) ** max(exponent, lowest)


def _away_from_zero(number: Fraction) -> int:
    whole = -(-abs(number.numerator) // number.denominator)
    return whole if number >= 0 else -whole


def quantity(value: str | int | float | None) -> Quantity:
    """The quantity that a value of a manifest denotes: a number, or a text with blanks around it or not; no value is 0.

    Raises ``ValueError`` as ``parse_quantity`` does.
    Source: quantity.go UnmarshalJSON.
    """
    return Quantity() if value is None else parse_quantity(str(value).strip())


def scaled_value(q: Quantity, power_of_ten: int) -> int:
    """The quantity in units of 10**``power_of_ten``, rounded away from zero, and at most what 64 bits hold.

    Source: quantity.go ScaledValue, amount.go AsScaledInt64.
    """
    power = 9 + power_of_ten
    unit: int = 10 ** abs(power)
    size = -(-abs(q.nano) // unit) if power > 0 else abs(q.nano) * unit
    return max(-size, -_LARGEST - 1) if q.nano < 0 else min(size, _LARGEST)


def value(q: Quantity) -> int:
    """The quantity in whole units, rounded away from zero.  Source: quantity.go Value."""
    return scaled_value(q, 0)


def milli_value(q: Quantity) -> int:
    """The quantity in thousandths, rounded away from zero.  Source: quantity.go MilliValue."""
    return scaled_value(q, -3)


def round_up(q: Quantity, power_of_ten: int) -> tuple[Quantity, bool]:
    """The quantity rounded away from zero to a multiple of 10**``power_of_ten``; whether it was one already.

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

    A binary suffix is for whole numbers from 1024 on; others are written with a decimal one.  A notation that
    doesn't exist counts as the one with exponents.

    Source: quantity.go CanonicalizeBytes.
    """
    if q.nano == 0:
        return "0"
    sign, number = ("-", -q.nano) if q.nano < 0 else ("", q.nano)
    if q.format == BINARY_SI and number >= 1024 * NANO and number % NANO == 0:
        number, power = number // NANO, 0
        while number % 1024 == 0 and power < 60:
            number, power = number // 1024, power + 10
        return f"{sign}{number}{_BINARY_SUFFIX[power]}"
    power, with_suffix = -9, q.format in (DECIMAL_SI, BINARY_SI)
    while number % 1000 == 0 and (power < 18 or not with_suffix):
        number, power = number // 1000, power + 3
    if not with_suffix:
        return f"{sign}{number}e{power}" if power else f"{sign}{number}"
    return f"{sign}{number}{_DECIMAL_SUFFIX[power]}"
