"""NodeResourcesFit: keeps pods off nodes that have too little left of what they request.

Source: pkg/scheduler/framework/plugins/noderesources/fit.go.
"""

from __future__ import annotations

from collections.abc import Iterator

from kythera.model.api.core.pod import Pod
from kythera.model.control_plane.scheduler.filters.verdict import (
    FIT,
    UNRESOLVABLE,
    UNSCHEDULABLE,
    Insufficient,
    Verdict,
)
from kythera.model.control_plane.scheduler.node_info import (
    CPU,
    EPHEMERAL_STORAGE,
    MEMORY,
    PODS,
    NodeInfo,
    Snapshot,
    requested_by,
)

NATIVE = (CPU, MEMORY, EPHEMERAL_STORAGE)


def filter_node_resources_fit(
    pod: Pod,
    node_info: NodeInfo,
    snapshot: Snapshot,
    ignored_resources: frozenset[str] = frozenset(),
    ignored_resource_groups: frozenset[str] = frozenset(),
) -> Verdict:
    """Whether enough is left of everything that the pod requests; no if it is more than the whole node has.

    ``ignored_resources`` and ``ignored_resource_groups`` (what stands before the slash) are extended
    resources that somebody else looks after.
    Source: pkg/scheduler/framework/plugins/noderesources/fit.go Filter.
    """
    lacking = tuple(
        each
        for each in insufficient(pod, node_info)
        if not is_extended(each.resource)
        or (each.resource not in ignored_resources and each.resource.split("/")[0] not in ignored_resource_groups)
    )
    if not lacking:
        return FIT
    code = UNRESOLVABLE if any(each.unresolvable for each in lacking) else UNSCHEDULABLE
    return Verdict(code, tuple(each.reason for each in lacking), insufficient=lacking)


def insufficient(pod: Pod, node_info: NodeInfo) -> Iterator[Insufficient]:
    """Each resource of which too little is left: pods first, then CPU, memory, ephemeral storage, the rest.

    Source: pkg/scheduler/framework/plugins/noderesources/fit.go fitsRequest.
    """
    allocatable, used = node_info.allocatable, node_info.requested
    room = allocatable.get(PODS, 0)
    if used[PODS] + 1 > room:
        yield Insufficient(PODS, "Too many pods", 1, used[PODS], room)
    wanted = requested_by(pod)
    for name in (*NATIVE, *(each for each in wanted if is_scalar(each))):
        amount = wanted.get(name, 0)
        if amount > allocatable.get(name, 0) - used.get(name, 0) and amount > 0:
            yield Insufficient(name, f"Insufficient {name}", amount, used.get(name, 0), allocatable.get(name, 0))


def is_scalar(name: str) -> bool:
    """Whether the scheduler counts a resource beyond the native ones; others are not looked at.

    Source: pkg/scheduler/util/utils.go IsScalarResourceName; pkg/apis/core/v1/helper/helpers.go.
    """
    if name.startswith(("hugepages-", "attachable-volumes-")):
        return True
    return is_extended(name) or "kubernetes.io/" in name


def is_extended(name: str) -> bool:
    """Whether a resource is an extended one: with a domain of its own.

    Source: pkg/apis/core/v1/helper/helpers.go IsExtendedResourceName.
    """
    return "/" in name and "kubernetes.io/" not in name and not name.startswith("requests.")
