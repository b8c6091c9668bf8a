"""What a Deployment's controller reports: numbers of pods, and whether the rollout progresses.

Source: pkg/controller/deployment/progress.go, pkg/controller/deployment/sync.go and
pkg/controller/deployment/util/deployment_util.go.
"""

from __future__ import annotations

from collections.abc import Sequence

from kythera.model.api.apps import Deployment, DeploymentStatus, ReplicaSet
from kythera.model.api.meta import Condition
from kythera.model.api.pods import condition
from kythera.model.control_plane.controllers.deployment.revisions import NO_LIMIT, total_replicas
from kythera.model.control_plane.controllers.deployment.rolling import desired_replicas, max_unavailable
from kythera.model.record import Age, replace

AVAILABLE = "Available"
PROGRESSING = "Progressing"
REPLICA_FAILURE = "ReplicaFailure"

REPLICA_SET_UPDATED = "ReplicaSetUpdated"
REPLICA_SET_CREATE_ERROR = "ReplicaSetCreateError"
NEW_REPLICA_SET_CREATED = "NewReplicaSetCreated"
FOUND_NEW_REPLICA_SET = "FoundNewReplicaSet"
NEW_REPLICA_SET_AVAILABLE = "NewReplicaSetAvailable"
PROGRESS_DEADLINE_EXCEEDED = "ProgressDeadlineExceeded"
DEPLOYMENT_PAUSED = "DeploymentPaused"
DEPLOYMENT_RESUMED = "DeploymentResumed"


def has_progress_deadline(deployment: Deployment) -> bool:
    """Whether a lack of progress is to be reported at all."""
    return deployment.spec.progress_deadline_seconds not in (None, NO_LIMIT)


def is_complete(deployment: Deployment, status: DeploymentStatus) -> bool:
    """Whether all desired pods are of the new template and available, and there are no others.

    Source: pkg/controller/deployment/util/deployment_util.go DeploymentComplete.
    """
    desired = desired_replicas(deployment)
    return (
        status.updated_replicas == status.replicas == status.available_replicas == desired
        and status.observed_generation >= deployment.metadata.generation
    )


def is_progressing(before: DeploymentStatus, after: DeploymentStatus) -> bool:
    """Whether there are more updated, ready or available pods than before, or fewer old ones.

    Source: pkg/controller/deployment/util/deployment_util.go DeploymentProgressing.
    """
    return (
        after.updated_replicas > before.updated_replicas
        or after.replicas - after.updated_replicas < before.replicas - before.updated_replicas
        or after.ready_replicas > before.ready_replicas
        or after.available_replicas > before.available_replicas
    )


def has_timed_out(deployment: Deployment, status: DeploymentStatus) -> bool:
    """Whether the last progress is more than ``progressDeadlineSeconds`` ago.

    Source: pkg/controller/deployment/util/deployment_util.go DeploymentTimedOut.
    """
    deadline = deployment.spec.progress_deadline_seconds
    current = condition(status.conditions, PROGRESSING)
    if deadline is None or deadline == NO_LIMIT or current is None:
        return False
    if current.reason in (NEW_REPLICA_SET_AVAILABLE, PROGRESS_DEADLINE_EXCEEDED):
        return current.reason == PROGRESS_DEADLINE_EXCEEDED
    return current.last_update_time is None or current.last_update_time > deadline


def set_deployment_condition(conditions: tuple[Condition, ...], new: Condition) -> tuple[Condition, ...]:
    """The conditions with ``new`` as the last one, unless one of its type has its status and reason already.

    The transition time is kept while the status stays the same.
    Source: pkg/controller/deployment/util/deployment_util.go SetDeploymentCondition.
    """
    current = condition(conditions, new.type)
    if current is not None and current.status == new.status:
        if current.reason == new.reason:
            return conditions
        new = replace(new, last_transition_time=current.last_transition_time)
    return (*without(conditions, new.type), new)


def without(conditions: tuple[Condition, ...], type: str) -> tuple[Condition, ...]:
    """The conditions without those of a type."""
    return tuple(each for each in conditions if each.type != type)


def new_condition(type: str, status: str, reason: str, message: str) -> Condition:
    """A condition that holds from now on."""
    return Condition(type, status, reason, message, last_transition_time=Age(0), last_update_time=Age(0))


def calculate_status(
    deployment: Deployment, replica_sets: Sequence[ReplicaSet], new: ReplicaSet | None
) -> DeploymentStatus:
    """The status that follows from the ReplicaSets' own, with the Available condition brought up to date.

    Source: pkg/controller/deployment/sync.go calculateStatus.
    """
    available = sum(each.status.available_replicas for each in replica_sets)
    terminating = [each.status.terminating_replicas for each in replica_sets]
    known = [each for each in terminating if each is not None]
    if available >= desired_replicas(deployment) - max_unavailable(deployment):
        message = "Deployment has minimum availability."
        now = new_condition(AVAILABLE, "True", "MinimumReplicasAvailable", message)
    else:
        message = "Deployment does not have minimum availability."
        now = new_condition(AVAILABLE, "False", "MinimumReplicasUnavailable", message)
    return DeploymentStatus(
        observed_generation=deployment.metadata.generation,
        replicas=sum(each.status.replicas for each in replica_sets),
        updated_replicas=0 if new is None else new.status.replicas,
        ready_replicas=sum(each.status.ready_replicas for each in replica_sets),
        available_replicas=available,
        unavailable_replicas=max(0, total_replicas(replica_sets) - available),
        terminating_replicas=sum(known) if len(known) == len(terminating) else None,
        conditions=set_deployment_condition(deployment.status.conditions, now),
        collision_count=deployment.status.collision_count,
    )


def rollout_status(
    deployment: Deployment, replica_sets: Sequence[ReplicaSet], new: ReplicaSet | None
) -> DeploymentStatus:
    """The status during a rollout: also whether it progresses, is complete, or has stopped for too long.

    Source: pkg/controller/deployment/progress.go syncRolloutStatus.
    """
    status = calculate_status(deployment, replica_sets, new)
    conditions = status.conditions
    current = condition(deployment.status.conditions, PROGRESSING)
    done = status.replicas == status.updated_replicas and current is not None
    done = done and current is not None and current.reason == NEW_REPLICA_SET_AVAILABLE
    subject = f'Deployment "{deployment.metadata.name}"' if new is None else f'ReplicaSet "{new.metadata.name}"'
    if not has_progress_deadline(deployment):
        conditions = without(conditions, PROGRESSING)
    elif done:
        pass  # the rollout ended before; what changes now is no matter of progress
    elif is_complete(deployment, status):
        message = f"{subject} has successfully progressed."
        complete = new_condition(PROGRESSING, "True", NEW_REPLICA_SET_AVAILABLE, message)
        conditions = set_deployment_condition(conditions, complete)
    elif is_progressing(deployment.status, status):
        # Progress is noted, with its time, although the reason may be the same as before.
        now = new_condition(PROGRESSING, "True", REPLICA_SET_UPDATED, f"{subject} is progressing.")
        if current is not None and current.status == "True":
            now = replace(now, last_transition_time=current.last_transition_time)
        conditions = (*without(conditions, PROGRESSING), now)
    elif has_timed_out(deployment, status):
        message = f"{subject} has timed out progressing."
        late = new_condition(PROGRESSING, "False", PROGRESS_DEADLINE_EXCEEDED, message)
        conditions = set_deployment_condition(conditions, late)
    failure = replica_failure(replica_sets, new)
    if failure is None:
        conditions = without(conditions, REPLICA_FAILURE)
    else:
        conditions = set_deployment_condition(conditions, failure)
    return replace(status, conditions=conditions)


def replica_failure(replica_sets: Sequence[ReplicaSet], new: ReplicaSet | None) -> Condition | None:
    """The ReplicaFailure condition of the new ReplicaSet, or else of any.

    Source: pkg/controller/deployment/progress.go getReplicaFailures.
    """
    for each in (*(() if new is None else (new,)), *replica_sets):
        found = condition(each.status.conditions, REPLICA_FAILURE)
        if found is not None:
            return replace(found, last_update_time=found.last_transition_time)
    return None


def paused_status(deployment: Deployment) -> DeploymentStatus:
    """The status with a note that progress isn't measured while the Deployment is paused, or is again.

    Source: pkg/controller/deployment/sync.go checkPausedConditions.
    """
    current = condition(deployment.status.conditions, PROGRESSING)
    reason = "" if current is None else current.reason
    if not has_progress_deadline(deployment) or reason == PROGRESS_DEADLINE_EXCEEDED:
        return deployment.status
    if deployment.spec.paused and reason != DEPLOYMENT_PAUSED:
        new = new_condition(PROGRESSING, "Unknown", DEPLOYMENT_PAUSED, "Deployment is paused")
    elif not deployment.spec.paused and reason == DEPLOYMENT_PAUSED:
        new = new_condition(PROGRESSING, "Unknown", DEPLOYMENT_RESUMED, "Deployment is resumed")
    else:
        return deployment.status
    conditions = set_deployment_condition(deployment.status.conditions, new)
    return replace(deployment.status, conditions=conditions)


def until_deadline(deployment: Deployment, status: DeploymentStatus) -> int | None:
    """Seconds until a lack of progress has to be reported; ``None`` if nothing is waited for.

    Source: pkg/controller/deployment/progress.go requeueStuckDeployment.
    Simplifies: upstream looks again, ever less often, after a deadline that cannot be missed any more because the
    rollout has ended before; such a look finds nothing to do whenever it comes.
    """
    deadline = deployment.spec.progress_deadline_seconds
    current = condition(deployment.status.conditions, PROGRESSING)
    if deadline is None or deadline == NO_LIMIT or current is None or current.last_update_time is None:
        return None
    if is_complete(deployment, status) or current.reason in (NEW_REPLICA_SET_AVAILABLE, PROGRESS_DEADLINE_EXCEEDED):
        return None
    left = deadline - current.last_update_time + 1
    return left if left > 0 else None
