"""Which pods go first when there are too many.

Source: pkg/controller/controller_utils.go ActivePodsWithRanks, pkg/controller/replicaset/replica_set.go
getPodsToDelete and getPodsRankedByRelatedPodsOnSameNode.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations, groupby
from math import comb

from kythera.model.api.core.pod import Pod
from kythera.model.api.meta import Condition
from kythera.model.api.pods import condition, is_active, is_ready
from kythera.model.record import Age

DELETION_COST = "controller.kubernetes.io/pod-deletion-cost"

_PHASES = {"Pending": 0, "Unknown": 1, "Running": 2}
_NANOSECONDS = 10**9
_NO_TIME = -2

MOST_CHOICES = 300
"""Ways to choose among tied pods that are all tried: enough for any number of ten."""

Key = tuple[int, ...]


def ranks(pods: Sequence[Pod], related: Sequence[Pod]) -> tuple[int, ...]:
    """For each pod how many active related pods are on its node: pods on crowded nodes go first.

    Source: pkg/controller/replicaset/replica_set.go getPodsRankedByRelatedPodsOnSameNode.
    """
    on_node: dict[str | None, int] = {}
    for pod in related:
        if is_active(pod):
            on_node[pod.spec.node_name] = on_node.get(pod.spec.node_name, 0) + 1
    return tuple(on_node.get(pod.spec.node_name, 0) for pod in pods)


def deletion_cost(pod: Pod) -> int:
    """The pod's own word on how much its deletion would cost; 0 if it says none or nonsense.

    Source: pkg/apis/core/helper/helpers.go GetDeletionCostFromPodAnnotations.
    """
    text = pod.metadata.annotations.get(DELETION_COST, "")
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdecimal()) or (text[0] == "0" and text != "0"):
        return 0
    cost = int(text)
    return cost if -(2**31) <= cost < 2**31 else 0


def deletion_key(pod: Pod, rank: int = 0, logarithmic: bool = True) -> tuple[Key, Key]:
    """Two keys that order pods, the first to be deleted lowest: the second counts where the first is equal.

    In order: not assigned to a node; Pending, then Unknown, then Running; not ready; a lower deletion cost;
    a higher rank; ready for a shorter time; then more restarts of a container, of a sidecar; younger.  With
    ``logarithmic`` times are compared by the power of two that they lie at.
    Source: pkg/controller/controller_utils.go ActivePodsWithRanks.Less, logarithmicRankDiff.
    """
    ready = is_ready(pod)
    first = (
        0 if not pod.spec.node_name else 1,
        _PHASES.get(pod.status.phase, 0),
        1 if ready else 0,
        deletion_cost(pod),
        -rank,
        _time(ready_age(pod), logarithmic) if ready else _NO_TIME,
    )
    sidecars = {c.name for c in pod.spec.init_containers if c.restart_policy == "Always"}
    second = (
        -max((status.restart_count for status in pod.status.container_statuses), default=0),
        -max((s.restart_count for s in pod.status.init_container_statuses if s.name in sidecars), default=0),
        _time(pod.metadata.creation_timestamp, logarithmic),
    )
    return first, second


def ready_age(pod: Pod) -> Age | None:
    """For how many seconds the pod's Ready condition has been what it is, if that is recorded."""
    ready: Condition | None = condition(pod.status.conditions, "Ready")
    return None if ready is None else ready.last_transition_time


def _time(age: Age | None, logarithmic: bool) -> int:
    """A number that grows with the age; an instant that is not recorded counts as the youngest."""
    if age is None:
        return _NO_TIME
    if not logarithmic:
        return max(age, -1)
    return (age * _NANOSECONDS).bit_length() - 1 if age > 0 else -1


def choices(pods: Sequence[Pod], related: Sequence[Pod], count: int) -> Iterator[tuple[Pod, ...]]:
    """Each set of ``count`` pods that may be deleted next, in the order of deletion.

    Where the criteria leave a tie upstream compares uids, which are random: every choice is possible, also among
    pods that look the same here, since they may differ in what the controller does not see (yet).  Choices that lead
    to the same situation become one state by its canonical form, and only there can that be told.  The order is also
    left to chance where ready times differ but lie at the same power of two, whatever the later criteria say.
    Source: pkg/controller/replicaset/replica_set.go getPodsToDelete; ActivePodsWithRanks.Less.
    Simplifies: where there are too many ways (``MOST_CHOICES``), fewer pods go at once and the others at the next
    look, so that something may come between where upstream deletes them together.  Times count only as far as
    anything else reads them (ages that nothing reads do not grow, and then are equal).
    """
    if count >= len(pods):
        yield tuple(pods)
        return
    ranked = sorted(zip(pods, ranks(pods, related), strict=True), key=lambda each: deletion_key(*each))
    taken: list[Pod] = []
    for tied in _ties(ranked):
        if len(taken) + len(tied) <= count:
            taken += tied
            continue
        left = count - len(taken)
        while left > 1 and comb(len(tied), left) > MOST_CHOICES:
            left -= 1
        for some in combinations(tied, left):
            yield (*taken, *some)
        return
    yield tuple(taken)


def _ties(ranked: Sequence[tuple[Pod, int]]) -> Iterator[list[Pod]]:
    """The pods in groups that only chance could order."""
    for _, together in groupby(ranked, key=lambda each: deletion_key(*each)[0]):
        group = list(together)
        if len({ready_age(pod) if is_ready(pod) else None for pod, _ in group}) > 1:
            yield [pod for pod, _ in group]
            continue
        for _, equal in groupby(group, key=lambda each: deletion_key(*each)[1]):
            yield [pod for pod, _ in equal]
