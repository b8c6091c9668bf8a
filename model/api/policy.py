"""``policy/v1``: PodDisruptionBudgets.

Source: staging/src/k8s.io/api/policy/v1/types.go.
"""

from __future__ import annotations

from typing import ClassVar

from kythera.model.api.meta import Condition, IntOrString, LabelSelector, ObjectMeta
from kythera.model.record import EMPTY, Age, Map, Record, Uid, record


@record
class PodDisruptionBudgetSpec(Record):
    """How many of the selected pods must stay, or may be missing."""

    min_available: IntOrString | None = None
    max_unavailable: IntOrString | None = None
    selector: LabelSelector | None = None
    unhealthy_pod_eviction_policy: str | None = None


@record
class PodDisruptionBudgetStatus(Record):
    """The budget as last computed; ``disrupted_pods``: pods whose eviction was granted, by name.

    ``disrupted_uids`` is the part of ``disrupted_pods`` that speaks of pods whose name is generated: by uid,
    in ascending order.  It is no field of the API.
    """

    observed_generation: int = 0
    disrupted_pods: Map[Age] = EMPTY
    disrupted_uids: tuple[tuple[Uid, Age], ...] = ()
    disruptions_allowed: int = 0
    current_healthy: int = 0
    desired_healthy: int = 0
    expected_pods: int = 0
    conditions: tuple[Condition, ...] = ()

    internal: ClassVar[frozenset[str]] = frozenset({"disrupted_uids"})


@record
class PodDisruptionBudget(Record):
    """A limit on voluntary disruptions."""

    metadata: ObjectMeta = ObjectMeta()
    spec: PodDisruptionBudgetSpec = PodDisruptionBudgetSpec()
    status: PodDisruptionBudgetStatus = PodDisruptionBudgetStatus()

    api_version: ClassVar[str] = "policy/v1"
    kind: ClassVar[str] = "PodDisruptionBudget"
    plural: ClassVar[str] = "poddisruptionbudgets"
