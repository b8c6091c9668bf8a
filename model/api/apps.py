"""``apps/v1``: Deployments and ReplicaSets.

Source: staging/src/k8s.io/api/apps/v1/types.go.
"""

from __future__ import annotations

from typing import ClassVar

from kythera.model.api.core.pod import PodTemplateSpec
from kythera.model.api.meta import Condition, IntOrString, LabelSelector, ObjectMeta
from kythera.model.record import Record, record


@record
class RollingUpdateDeployment(Record):
    """How far a rolling update may leave the desired number of pods, as numbers or percentages."""

    max_unavailable: IntOrString | None = None
    max_surge: IntOrString | None = None


@record
class DeploymentStrategy(Record):
    """RollingUpdate or Recreate."""

    type: str = ""
    rolling_update: RollingUpdateDeployment | None = None


@record
class DeploymentSpec(Record):
    """What a Deployment keeps running."""

    replicas: int | None = None
    selector: LabelSelector | None = None
    template: PodTemplateSpec = PodTemplateSpec()
    strategy: DeploymentStrategy = DeploymentStrategy()
    min_ready_seconds: int = 0
    revision_history_limit: int | None = None
    paused: bool = False
    progress_deadline_seconds: int | None = None


@record
class DeploymentStatus(Record):
    """What a Deployment's controller last saw."""

    observed_generation: int = 0
    replicas: int = 0
    updated_replicas: int = 0
    ready_replicas: int = 0
    available_replicas: int = 0
    unavailable_replicas: int = 0
    terminating_replicas: int | None = None
    conditions: tuple[Condition, ...] = ()
    collision_count: int | None = None


@record
class Deployment(Record):
    """Pods of one template, replaced gradually when the template changes."""

    metadata: ObjectMeta = ObjectMeta()
    spec: DeploymentSpec = DeploymentSpec()
    status: DeploymentStatus = DeploymentStatus()

    api_version: ClassVar[str] = "apps/v1"
    kind: ClassVar[str] = "Deployment"
    plural: ClassVar[str] = "deployments"


@record
class ReplicaSetSpec(Record):
    """How many pods of which template."""

    replicas: int | None = None
    min_ready_seconds: int = 0
    selector: LabelSelector | None = None
    template: PodTemplateSpec = PodTemplateSpec()


@record
class ReplicaSetStatus(Record):
    """What a ReplicaSet's controller last saw."""

    replicas: int = 0
    fully_labeled_replicas: int = 0
    ready_replicas: int = 0
    available_replicas: int = 0
    terminating_replicas: int | None = None
    observed_generation: int = 0
    conditions: tuple[Condition, ...] = ()


@record
class ReplicaSet(Record):
    """A number of equal pods."""

    metadata: ObjectMeta = ObjectMeta()
    spec: ReplicaSetSpec = ReplicaSetSpec()
    status: ReplicaSetStatus = ReplicaSetStatus()

    api_version: ClassVar[str] = "apps/v1"
    kind: ClassVar[str] = "ReplicaSet"
    plural: ClassVar[str] = "replicasets"
