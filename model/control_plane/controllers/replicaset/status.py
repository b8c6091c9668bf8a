"""What a ReplicaSet's controller reports of it.

Source: pkg/controller/replicaset/replica_set_utils.go.
"""

from __future__ import annotations

from collections.abc import Sequence

from kythera.model.api.apps import ReplicaSet, ReplicaSetStatus
from kythera.model.api.core.pod import Pod
from kythera.model.api.labels import matches_map
from kythera.model.api.meta import Condition
from kythera.model.api.pods import condition, is_available, is_ready, set_condition
from kythera.model.record import Age

REPLICA_FAILURE = "ReplicaFailure"


def calculate_status(
    replica_set: ReplicaSet, active: Sequence[Pod], terminating: int, failure: str = "", message: str = ""
) -> ReplicaSetStatus:
    """The status of a ReplicaSet with these active pods and so many terminating ones.

    ``failure`` is why pods could not be created or deleted: FailedCreate, FailedDelete, or empty if all
    went well. A ReplicaFailure condition that is there already keeps its reason and message.
    Source: pkg/controller/replicaset/replica_set_utils.go calculateStatus, updateReplicaSetStatus.
    """
    labels = replica_set.spec.template.metadata.labels
    minimum = replica_set.spec.min_ready_seconds
    conditions = replica_set.status.conditions
    if not failure:
        conditions = tuple(each for each in conditions if each.type != REPLICA_FAILURE)
    elif condition(conditions, REPLICA_FAILURE) is None:
        new = Condition(REPLICA_FAILURE, "True", failure, message, last_transition_time=Age(0))
        conditions = set_condition(conditions, new)
    return ReplicaSetStatus(
        replicas=len(active),
        fully_labeled_replicas=sum(matches_map(labels, pod.metadata.labels) for pod in active),
        ready_replicas=sum(is_ready(pod) for pod in active),
        available_replicas=sum(is_available(pod, minimum) for pod in active),
        terminating_replicas=terminating,
        observed_generation=replica_set.metadata.generation,
        conditions=conditions,
    )
