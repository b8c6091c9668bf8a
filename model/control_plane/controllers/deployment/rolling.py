"""The arithmetic of rolling updates: plain numbers in, plain numbers out.

Source: pkg/controller/deployment/rolling.go and pkg/controller/deployment/util/deployment_util.go.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from kythera.model.api.apps import Deployment, RollingUpdateDeployment
from kythera.model.api.int_or_string import scaled_value
from kythera.model.api.meta import IntOrString

RECREATE = "Recreate"

# What the API server fills in where a manifest says nothing.
DEFAULTS = RollingUpdateDeployment("25%", "25%")


class Size(NamedTuple):
    """How many pods a ReplicaSet asks for, and how many of them are available."""

    replicas: int
    available: int = 0


def resolve_fenceposts(
    max_surge: IntOrString | None, max_unavailable: IntOrString | None, desired: int
) -> tuple[int, int]:
    """Surge (rounded up) and unavailability (rounded down) as numbers of pods.

    They are never both 0, or nothing could move.  ``ValueError`` for what is neither a number nor a
    percentage; ``None`` counts as 0.
    Source: pkg/controller/deployment/util/deployment_util.go ResolveFenceposts.
    """
    surge = scaled_value(max_surge or 0, desired, True)
    unavailable = scaled_value(max_unavailable or 0, desired, False)
    if surge == 0 and unavailable == 0:
        return 0, 1
    return surge, unavailable


def desired_replicas(deployment: Deployment) -> int:
    """How many pods the Deployment asks for; 1 where it doesn't say."""
    return 1 if deployment.spec.replicas is None else deployment.spec.replicas


def is_rolling_update(deployment: Deployment) -> bool:
    """Whether pods are replaced gradually (the default)."""
    return deployment.spec.strategy.type != RECREATE


def max_surge(deployment: Deployment) -> int:
    """How many pods there may be above the desired number; 0 unless the strategy is a rolling update.

    Source: pkg/controller/deployment/util/deployment_util.go MaxSurge.
    """
    if not is_rolling_update(deployment):
        return 0
    rolling = deployment.spec.strategy.rolling_update or DEFAULTS
    return resolve_fenceposts(rolling.max_surge, rolling.max_unavailable, desired_replicas(deployment))[0]


def max_unavailable(deployment: Deployment) -> int:
    """How many of the desired pods may be missing; 0 unless the strategy is a rolling update.

    Source: pkg/controller/deployment/util/deployment_util.go MaxUnavailable.
    """
    desired = desired_replicas(deployment)
    if not is_rolling_update(deployment) or desired == 0:
        return 0
    rolling = deployment.spec.strategy.rolling_update or DEFAULTS
    return min(resolve_fenceposts(rolling.max_surge, rolling.max_unavailable, desired)[1], desired)


def new_replica_set_size(deployment: Deployment, new: int, total: int) -> int:
    """The size of the new ReplicaSet, when it asks for ``new`` pods and all together for ``total``.

    Source: pkg/controller/deployment/util/deployment_util.go NewRSNewReplicas.
    """
    desired = desired_replicas(deployment)
    if not is_rolling_update(deployment):
        return desired
    rolling = deployment.spec.strategy.rolling_update or DEFAULTS
    room = desired + scaled_value(rolling.max_surge or 0, desired, True) - total
    return new if room <= 0 else new + min(room, desired - new)


def reconciled_new_size(deployment: Deployment, new: int, total: int) -> int:
    """What the new ReplicaSet is scaled to: down to the desired number, or up as far as the surge allows.

    Source: pkg/controller/deployment/rolling.go reconcileNewReplicaSet.
    """
    desired = desired_replicas(deployment)
    return desired if new >= desired else new_replica_set_size(deployment, new, total)


def reconciled_old_sizes(deployment: Deployment, old: Sequence[Size], new: Size, total: int) -> tuple[int, ...]:
    """What the old ReplicaSets in use, oldest first, are scaled down to; all ask for ``total`` pods.

    First pods that aren't available are taken away, then available ones while enough others are available.
    Source: pkg/controller/deployment/rolling.go reconcileOldReplicaSets.
    """
    min_available = desired_replicas(deployment) - max_unavailable(deployment)
    removable = total - min_available - (new.replicas - new.available)
    if removable <= 0:
        return tuple(each.replicas for each in old)
    cleaned, sound = clean_up_unhealthy(old, removable)
    if not sound:
        return cleaned
    left = [Size(replicas, each.available) for replicas, each in zip(cleaned, old, strict=True)]
    available = sum(each.available for each in old) + new.available
    return scale_down_old(left, available - min_available)


def clean_up_unhealthy(old: Sequence[Size], at_most: int) -> tuple[tuple[int, ...], bool]:
    """The sizes without pods that aren't available; at most so many are taken away, from the first on.

    Also whether the numbers are sound: one that reports more available pods than it asks for has just been
    scaled down, its status is behind, and upstream decides nothing further then.
    Source: pkg/controller/deployment/rolling.go cleanupUnhealthyReplicas.
    """
    sizes = [each.replicas for each in old]
    for index, each in enumerate(old):
        if at_most <= 0:
            break
        if each.replicas == 0:
            continue
        if each.available > each.replicas:
            return tuple(sizes), False
        removed = min(at_most, each.replicas - each.available)
        at_most -= removed
        sizes[index] -= removed
    return tuple(sizes), True


def scale_down_old(old: Sequence[Size], by: int) -> tuple[int, ...]:
    """The sizes with ``by`` pods less in all (none if that is negative), taken from the first on.

    Source: pkg/controller/deployment/rolling.go scaleDownOldReplicaSetsForRollingUpdate.
    """
    sizes = []
    for each in old:
        removed = max(0, min(by, each.replicas))
        by -= removed
        sizes.append(each.replicas - removed)
    return tuple(sizes)
