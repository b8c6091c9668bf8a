"""``coordination.k8s.io/v1``: Leases.

Source: staging/src/k8s.io/api/coordination/v1/types.go.
"""

from __future__ import annotations

from typing import ClassVar

from kythera.model.api.meta import ObjectMeta
from kythera.model.record import Age, Record, record


@record
class LeaseSpec(Record):
    """Who holds a lease, since when, and for how long without renewal."""

    holder_identity: str | None = None
    lease_duration_seconds: int | None = None
    acquire_time: Age | None = None
    renew_time: Age | None = None
    lease_transitions: int | None = None
    strategy: str | None = None
    preferred_holder: str | None = None


@record
class Lease(Record):
    """A heartbeat, or the right to lead."""

    metadata: ObjectMeta = ObjectMeta()
    spec: LeaseSpec = LeaseSpec()

    api_version: ClassVar[str] = "coordination.k8s.io/v1"
    kind: ClassVar[str] = "Lease"
    plural: ClassVar[str] = "leases"
