"""Scaling a Deployment: how a changed number of replicas is shared among its ReplicaSets.

Source: pkg/controller/deployment/sync.go scale and pkg/controller/deployment/util/deployment_util.go.
"""

from __future__ import annotations

from collections.abc import Sequence

from kythera.model.api.apps import Deployment, ReplicaSet
from kythera.model.control_plane.controllers.deployment.revisions import (
    DESIRED_REPLICAS,
    MAX_REPLICAS,
    is_in_use,
    oldest_first,
    replicas_of,
    total_replicas,
)
from kythera.model.control_plane.controllers.deployment.rolling import (
    desired_replicas,
    is_rolling_update,
    max_surge,
)


def is_scaling_event(deployment: Deployment, replica_sets: Sequence[ReplicaSet]) -> bool:
    """Whether a ReplicaSet in use was last scaled for another number of replicas than is now desired.

    Source: pkg/controller/deployment/sync.go isScalingEvent.
    """
    for each in replica_sets:
        recorded = annotated(each, DESIRED_REPLICAS)
        if is_in_use(each) and recorded is not None and recorded != desired_replicas(deployment):
            return True
    return False


def annotated(replica_set: ReplicaSet, key: str) -> int | None:
    """The number that an annotation holds; ``None`` if it holds none that counts pods.

    Source: pkg/controller/deployment/util/deployment_util.go getNonNegativeInt32FromAnnotation.
    """
    text = replica_set.metadata.annotations.get(key, "")
    number = int(text) if text.isascii() and text.isdecimal() else -1
    return number if 0 <= number < 2**31 else None


def active_or_latest(new: ReplicaSet | None, old: Sequence[ReplicaSet]) -> ReplicaSet | None:
    """The only ReplicaSet in use, or if none is, the new one or the youngest; ``None`` if several are in use.

    Source: pkg/controller/deployment/util/deployment_util.go FindActiveOrLatest.
    """
    youngest_first = oldest_first(old)[::-1]
    candidates = youngest_first if new is None else [*youngest_first, new]
    active = [each for each in candidates if is_in_use(each)]
    if len(active) == 1:
        return active[0]
    if active or not candidates:
        return None
    return youngest_first[0] if new is None else new


def is_saturated(deployment: Deployment, new: ReplicaSet | None) -> bool:
    """Whether the new ReplicaSet has all the pods that the Deployment wants, and all are available.

    Source: pkg/controller/deployment/util/deployment_util.go IsSaturated.
    """
    if new is None:
        return False
    desired = desired_replicas(deployment)
    recorded = annotated(new, DESIRED_REPLICAS)
    return recorded == desired == replicas_of(new) == new.status.available_replicas


def scaled_sizes(
    deployment: Deployment, new: ReplicaSet | None, old: Sequence[ReplicaSet]
) -> tuple[tuple[ReplicaSet, int], ...]:
    """The ReplicaSets that are touched by scaling, with their new sizes (some only note what for).

    A single ReplicaSet takes it all; a new one that is complete lets the old ones go; else each gets its
    share, the largest what rounding leaves over.
    Source: pkg/controller/deployment/sync.go scale.
    """
    desired = desired_replicas(deployment)
    only = active_or_latest(new, old)
    if only is not None:
        return () if replicas_of(only) == desired else ((only, desired),)
    active_old = [each for each in old if is_in_use(each)]
    if is_saturated(deployment, new):
        return tuple((each, 0) for each in active_old)
    if not is_rolling_update(deployment):
        return ()
    active = active_old if new is None or not is_in_use(new) else [*active_old, new]
    allowed = desired + max_surge(deployment) if desired > 0 else 0
    to_add = allowed - total_replicas(active)
    ordered = oldest_first(active)
    if to_add > 0:
        ordered.reverse()
    ordered.sort(key=lambda each: -replicas_of(each))
    added = 0
    sizes = []
    for each in ordered:
        share = _share(deployment, each, to_add, added)
        added += share
        sizes.append(replicas_of(each) + share)
    if sizes:
        sizes[0] = max(0, sizes[0] + to_add - added)
    return tuple(zip(ordered, sizes, strict=True))


def _share(deployment: Deployment, replica_set: ReplicaSet, to_add: int, added: int) -> int:
    """How many of the pods to add (negative: to remove) fall to a ReplicaSet, when so many are given out.

    Source: pkg/controller/deployment/util/deployment_util.go GetReplicaSetProportion.
    """
    if replicas_of(replica_set) == 0 or to_add in (0, added):
        return 0
    fraction = _fraction(deployment, replica_set)
    left = to_add - added
    return min(fraction, left) if to_add > 0 else max(fraction, left)


def _fraction(deployment: Deployment, replica_set: ReplicaSet) -> int:
    """How much a ReplicaSet grows if it keeps its proportion of the Deployment.

    Source: pkg/controller/deployment/util/deployment_util.go getReplicaSetFraction.
    """
    size = replicas_of(replica_set)
    desired = desired_replicas(deployment)
    if desired == 0:
        return -size
    before = annotated(replica_set, MAX_REPLICAS) or deployment.status.replicas
    if before == 0:
        return 0  # somebody took the annotation away and the status says nothing yet
    grown = size * (desired + max_surge(deployment))
    return (2 * grown + before) // (2 * before) - size
