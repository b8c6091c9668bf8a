"""``scheduling.k8s.io/v1``: PriorityClasses.

Source: staging/src/k8s.io/api/scheduling/v1/types.go.
"""

from __future__ import annotations

from typing import ClassVar

from kythera.model.api.meta import ObjectMeta
from kythera.model.record import Record, record


@record
class PriorityClass(Record):
    """A name for a priority."""

    metadata: ObjectMeta = ObjectMeta()
    value: int = 0
    global_default: bool = False
    description: str = ""
    preemption_policy: str | None = None

    api_version: ClassVar[str] = "scheduling.k8s.io/v1"
    kind: ClassVar[str] = "PriorityClass"
    plural: ClassVar[str] = "priorityclasses"
