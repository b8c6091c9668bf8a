"""What the plugins that score by resources share: how much a node has, and how much is asked of it.

Scores count a container that requests no CPU or no memory as if it requested a little, so that such pods
spread too.

Source: pkg/scheduler/framework/plugins/noderesources/resource_allocation.go;
pkg/scheduler/util/pod_resources.go.
"""

from __future__ import annotations

from functools import lru_cache

from kythera.model.api.core.pod import Pod
from kythera.model.api.quantity import Quantity
from kythera.model.api.requests import pod_requests
from kythera.model.control_plane.scheduler.node_info import CPU, MEMORY, NodeInfo, requested_by, units
from kythera.model.record import Map, Record, record

DEFAULT_REQUESTS = Map({CPU: Quantity(100_000_000), MEMORY: Quantity(200 * 1024 * 1024 * 10**9)})
"""What a container without requests counts for: 0.1 CPU and 200 MiB."""


@record
class ResourceSpec(Record):
    """A resource that is scored, and its weight."""

    name: str = ""
    weight: int = 1


DEFAULT_RESOURCES = (ResourceSpec(CPU, 1), ResourceSpec(MEMORY, 1))


def requested(pod: Pod, name: str, non_zero: bool) -> int:
    """How much of a resource a pod asks for; ``non_zero``: with the defaults for CPU and memory.

    Source: pkg/scheduler/framework/plugins/noderesources/resource_allocation.go calculatePodResourceRequest.
    """
    asked = units(pod_requests(pod, DEFAULT_REQUESTS)) if non_zero else requested_by(pod)
    return asked.get(name, 0)


def is_scalar(name: str) -> bool:
    """Whether a resource is scored only if the pod asks for it: extended, huge pages, attachable volumes.

    Source: pkg/scheduler/util/utils.go IsScalarResourceName; pkg/apis/core/v1/helper/helpers.go.
    """
    if name.startswith(("hugepages-", "attachable-volumes-")):
        return True
    return "/" in name and not name.startswith("requests.")


@lru_cache(maxsize=100_000)
def allocation(pod: Pod, info: NodeInfo, name: str, non_zero: bool) -> tuple[int, int, int]:
    """Of one resource on one node: allocatable, requested with the pod, requested without it.

    All are 0 for a resource that the node doesn't have, and for a scalar one that the pod doesn't ask for.
    Source: pkg/scheduler/framework/plugins/noderesources/resource_allocation.go
    calculateResourceAllocatableRequest.
    Simplifies: devices of dynamic resource allocation are not counted.
    """
    own = requested(pod, name, non_zero)
    if own == 0 and is_scalar(name):
        return 0, 0, 0
    allocatable = info.allocatable.get(name, 0)
    if allocatable == 0:
        return 0, 0, 0
    others = sum(requested(each, name, non_zero) for each in info.pods)
    return allocatable, others + own, others
