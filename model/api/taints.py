"""Taints and tolerations.

Source: staging/src/k8s.io/api/core/v1/toleration.go;
staging/src/k8s.io/component-helpers/scheduling/corev1/helpers.go.
"""

from __future__ import annotations

from collections.abc import Container, Iterable

from kythera.model.api.core.scheduling import Taint, Toleration
from kythera.model.api.numbers import parse_int64

NO_SCHEDULE = "NoSchedule"
PREFER_NO_SCHEDULE = "PreferNoSchedule"
NO_EXECUTE = "NoExecute"

KEEPS_OFF = (NO_SCHEDULE, NO_EXECUTE)
"""The effects of taints that keep a pod from being scheduled to a node."""


def tolerates(toleration: Toleration, taint: Taint, comparison_operators: bool = False) -> bool:
    """Whether a toleration covers a taint.

    An empty key or effect covers every key or effect, an empty operator means Equal.  Lt and Gt compare the
    taint's value with the toleration's as numbers, if both are written plainly; they need the feature gate
    ``TaintTolerationComparisonOperators`` (``comparison_operators``), which is off by default, and cover
    nothing without it.
    Source: staging/src/k8s.io/api/core/v1/toleration.go ToleratesTaint; KEP-5471.
    """
    if toleration.effect not in ("", taint.effect) or toleration.key not in ("", taint.key):
        return False
    if toleration.operator in ("", "Equal"):
        return toleration.value == taint.value
    if toleration.operator == "Exists":
        return True
    if toleration.operator in ("Lt", "Gt") and comparison_operators:
        bound, value = _plain_number(toleration.value), _plain_number(taint.value)
        if bound is None or value is None:
            return False
        return value < bound if toleration.operator == "Lt" else value > bound
    return False


def _plain_number(text: str) -> int | None:
    """The number of 64 bits that a text denotes without a plus sign, leading zeros or a negative zero.

    Source: staging/src/k8s.io/apimachinery/pkg/api/validate/content/decimal_int.go IsDecimalInteger.
    """
    number = parse_int64(text)
    return number if str(number) == text else None


def is_tolerated(taint: Taint, tolerations: Iterable[Toleration], comparison_operators: bool = False) -> bool:
    """Whether any of the tolerations covers a taint.

    Source: staging/src/k8s.io/component-helpers/scheduling/corev1/helpers.go TolerationsTolerateTaint.
    """
    return any(tolerates(toleration, taint, comparison_operators) for toleration in tolerations)


def find_untolerated(
    taints: Iterable[Taint],
    tolerations: Iterable[Toleration],
    effects: Container[str] = KEEPS_OFF,
    comparison_operators: bool = False,
) -> Taint | None:
    """The first taint of one of these effects that no toleration covers, or ``None`` if all are covered.

    Source: staging/src/k8s.io/component-helpers/scheduling/corev1/helpers.go FindMatchingUntoleratedTaint.
    """
    borne = tuple(tolerations)
    for taint in taints:
        if taint.effect in effects and not is_tolerated(taint, borne, comparison_operators):
            return taint
    return None
