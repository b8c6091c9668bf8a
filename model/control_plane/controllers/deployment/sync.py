"""One look at a Deployment: the strategies, and what they want to have written.

Source: pkg/controller/deployment/sync.go, rolling.go and recreate.go.
Simplifies: what upstream writes to one object by several requests of the same look is one request here; the
Deployment's own revision annotation, which only people read, is written along with its status, never alone.
"""

from __future__ import annotations

from collections.abc import Sequence

from kythera.model.api.apps import Deployment, ReplicaSet
from kythera.model.api.core.pod import Pod
from kythera.model.api.ownership import Claim
from kythera.model.api.pods import condition, controller_of, is_terminal
from kythera.model.control_plane.controllers.deployment.progress import (
    FOUND_NEW_REPLICA_SET,
    NEW_REPLICA_SET_CREATED,
    PROGRESSING,
    calculate_status,
    has_progress_deadline,
    is_complete,
    new_condition,
    paused_status,
    rollout_status,
    set_deployment_condition,
    until_deadline,
)
from kythera.model.control_plane.controllers.deployment.revisions import (
    REVISION,
    forgotten,
    is_in_use,
    new_replica_set,
    next_revision,
    oldest_first,
    replica_set_for,
    replicas_of,
    total_replicas,
    with_revision_annotations,
    with_size_annotations,
)
from kythera.model.control_plane.controllers.deployment.rolling import (
    Size,
    desired_replicas,
    is_rolling_update,
    new_replica_set_size,
    reconciled_new_size,
    reconciled_old_sizes,
)
from kythera.model.control_plane.controllers.deployment.scaling import is_scaling_event, scaled_sizes
from kythera.model.record import Uid, replace
from kythera.model.request import Create, Delete, Ref, Request, Update


class Sync:
    """The objects as they are after what has been decided so far, and what has to be requested for that.

    ``created`` is the ReplicaSet that is asked for, if any.  ``wait`` is after how many seconds to look
    again.
    """

    def __init__(self, deployment: Deployment, claims: Claim[ReplicaSet], pods: Sequence[Pod]) -> None:
        self.before = deployment
        self.deployment = deployment
        self.replica_sets = list(claims.claimed)
        self.pods = pods
        self.changed: dict[Uid | None, ReplicaSet] = {
            each.metadata.uid: each for each in (*claims.adopted, *claims.released)
        }
        self.created: ReplicaSet | None = None
        self.deleted: tuple[ReplicaSet, ...] = ()
        self.wait: int | None = None
        self._scaled: list[str] = []

    @property
    def why(self) -> str:
        """What is done to ReplicaSets, in words."""
        return "; ".join(self._scaled)

    def requests(self) -> tuple[Request, ...]:
        """What has to be requested, in order."""
        found: list[Request] = [] if self.created is None else [Create(self.created)]
        found += [Update(each) for each in self.changed.values()]
        found += [Delete(Ref("ReplicaSet", r.metadata.namespace, r.metadata.name)) for r in self.deleted]
        if self.deployment.status != self.before.status:
            found.append(Update(self.deployment, subresource="status"))
        return tuple(found)

    def run(self) -> None:
        """Look after the Deployment.

        Source: pkg/controller/deployment/deployment_controller.go syncDeployment.
        """
        if self.before.metadata.deletion_timestamp is not None:
            self._sync_status(*self._revisions(create=False))
            return
        self.deployment = replace(self.deployment, status=paused_status(self.deployment))
        if self.before.spec.paused:
            self._sync_scale()
            return
        new, old = self._revisions(create=False)
        if is_scaling_event(self.deployment, old if new is None else [*old, new]):
            self._sync_scale()
        elif is_rolling_update(self.deployment):
            self._roll()
        else:
            self._recreate()

    def _sync_scale(self) -> None:
        """Share a changed number of replicas among the ReplicaSets, without going on with a rollout.

        Source: pkg/controller/deployment/sync.go sync.
        """
        new, old = self._revisions(create=False)
        for each, size in scaled_sizes(self.deployment, new, old):
            self._scale(each, size, always=True)
        if self.before.spec.paused:
            self.deleted = forgotten(self.deployment, old)
        self._sync_status(new, old)

    def _sync_status(self, new: ReplicaSet | None, old: list[ReplicaSet]) -> None:
        everything = old if new is None else [*old, new]
        self.deployment = replace(self.deployment, status=calculate_status(self.deployment, everything, new))

    def _roll(self) -> None:
        """Scale the new ReplicaSet up if it may be, or else the old ones down if they may be.

        Source: pkg/controller/deployment/rolling.go rolloutRolling.
        """
        new, old = self._revisions(create=True)
        assert new is not None
        total = total_replicas([*old, new])
        size = reconciled_new_size(self.deployment, replicas_of(new), total)
        if not self._scale(new, size):
            active = oldest_first(each for each in old if is_in_use(each))
            sizes = reconciled_old_sizes(
                self.deployment,
                [Size(replicas_of(each), each.status.available_replicas) for each in active],
                Size(replicas_of(new), new.status.available_replicas),
                total,
            )
            scaled = [self._scale(each, to) for each, to in zip(active, sizes, strict=True)]
            if not any(scaled) and is_complete(self.deployment, self.deployment.status):
                self.deleted = forgotten(self.deployment, old)
        self._sync_rollout_status(new, old)

    def _recreate(self) -> None:
        """Scale the old ReplicaSets to 0, wait until their pods are gone, then scale up the new one.

        Source: pkg/controller/deployment/recreate.go rolloutRecreate.
        """
        new, old = self._revisions(create=False)
        scaled = [self._scale(each, 0) for each in old if is_in_use(each)]
        if not any(scaled) and not old_pods_running(new, old, self.pods):
            new, old = self._revisions(create=True)
            assert new is not None
            self._scale(new, desired_replicas(self.deployment))
            if is_complete(self.deployment, self.deployment.status):
                self.deleted = forgotten(self.deployment, old)
        self._sync_rollout_status(new, old)

    def _sync_rollout_status(self, new: ReplicaSet | None, old: list[ReplicaSet]) -> None:
        status = rollout_status(self.deployment, old if new is None else [*old, new], new)
        self.deployment = replace(self.deployment, status=status)
        if status == self.before.status:
            self.wait = until_deadline(self.deployment, status)

    def _scale(self, replica_set: ReplicaSet, size: int, always: bool = False) -> bool:
        """Give a ReplicaSet another size, and note what for; ``always``: note it even if the size is right.

        True if the size changes.
        Source: pkg/controller/deployment/sync.go scaleReplicaSet, scaleReplicaSetAndRecordEvent.
        """
        before = replicas_of(replica_set)
        if size == before and not always:
            return False
        annotations = with_size_annotations(replica_set.metadata.annotations, self.deployment)
        scaled = replace(
            replica_set,
            metadata=replace(replica_set.metadata, annotations=annotations),
            spec=replace(replica_set.spec, replicas=size),
        )
        if scaled != replica_set:
            self._change(scaled)
        if size != before:
            self._scaled.append(f"scale ReplicaSet {replica_set.metadata.name} from {before} to {size}")
        return size != before

    def _change(self, replica_set: ReplicaSet) -> None:
        if self.created is not None and replica_set.metadata.name == self.created.metadata.name:
            self.created = replica_set
        else:
            self.changed[replica_set.metadata.uid] = replica_set

    def _revisions(self, create: bool) -> tuple[ReplicaSet | None, list[ReplicaSet]]:
        """The new ReplicaSet, made up to date (or asked for, if it may be), and the old ones.

        Source: pkg/controller/deployment/sync.go getAllReplicaSetsAndSyncRevision, getNewReplicaSet.
        """
        new = new_replica_set(self.deployment, self.replica_sets)
        old = [r for r in self.replica_sets if new is None or r.metadata.uid != new.metadata.uid]
        revision = next_revision(old)
        if new is not None:
            return self._updated(new, revision), old
        if create:
            new = self._create(old, revision)
        return new, old

    def _updated(self, new: ReplicaSet, revision: int) -> ReplicaSet:
        annotations = with_revision_annotations(new.metadata.annotations, self.deployment, revision)
        updated = replace(
            new,
            metadata=replace(new.metadata, annotations=annotations),
            spec=replace(new.spec, min_ready_seconds=self.deployment.spec.min_ready_seconds),
        )
        if updated != new:
            self._change(updated)
            self.replica_sets[self.replica_sets.index(new)] = updated
            return updated
        if new.metadata.uid not in self.changed:
            self._set_revision(new.metadata.annotations.get(REVISION, ""))
            if condition(self.deployment.status.conditions, PROGRESSING) is None:
                message = f'Found new replica set "{new.metadata.name}"'
                self._set_progressing(FOUND_NEW_REPLICA_SET, message)
        return new

    def _create(self, old: list[ReplicaSet], revision: int) -> ReplicaSet:
        size = new_replica_set_size(self.deployment, 0, total_replicas(old))
        new = replica_set_for(self.deployment, size, revision)
        self.created = new
        self._scaled.append(f"create ReplicaSet {new.metadata.name} of {size}")
        self._set_revision(str(revision))
        self._set_progressing(NEW_REPLICA_SET_CREATED, f'Created new replica set "{new.metadata.name}"')
        return new

    def _set_revision(self, revision: str) -> None:
        """Note the revision on the Deployment: an annotation that is written with the status."""
        metadata = self.deployment.metadata
        if metadata.annotations.get(REVISION, "") != revision:
            annotations = metadata.annotations.set(REVISION, revision)
            self.deployment = replace(self.deployment, metadata=replace(metadata, annotations=annotations))

    def _set_progressing(self, reason: str, message: str) -> None:
        if not has_progress_deadline(self.deployment):
            return
        status = self.deployment.status
        new = new_condition(PROGRESSING, "True", reason, message)
        conditions = set_deployment_condition(status.conditions, new)
        self.deployment = replace(self.deployment, status=replace(status, conditions=conditions))


def old_pods_running(new: ReplicaSet | None, old: Sequence[ReplicaSet], pods: Sequence[Pod]) -> bool:
    """Whether any pod of an old ReplicaSet is counted by it, or still exists and hasn't ended.

    Source: pkg/controller/deployment/recreate.go oldPodsRunning.
    """
    if any(each.status.replicas > 0 for each in old):
        return True
    uids = {each.metadata.uid for each in old if new is None or each.metadata.uid != new.metadata.uid}
    for pod in pods:
        owner = controller_of(pod)
        if owner is not None and owner.uid in uids and not is_terminal(pod):
            return True
    return False
