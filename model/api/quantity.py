"""Quantities: exact decimal numbers with a unit, as in ``100m`` or ``1.5Gi``.

Source: staging/src/k8s.io/apimachinery/pkg/api/resource/quantity.go.
"""

from __future__ import annotations

from kythera.model.record import Record, record

DECIMAL_SI = "DecimalSI"
BINARY_SI = "BinarySI"
DECIMAL_EXPONENT = "DecimalExponent"


@record
class Quantity(Record):
    """An exact number in units of 10**-9, and the notation that it was written in."""

    nano: int = 0
    format: str = DECIMAL_SI


def parse_quantity(text: str) -> Quantity:
    """The quantity that ``text`` denotes; ``ValueError`` with Kubernetes' own message when it denotes none."""
    raise NotImplementedError
