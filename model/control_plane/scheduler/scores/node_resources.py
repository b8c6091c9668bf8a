"""What the two plugins that score by resources share: how much of a node is allocatable and how much is asked for.

Scores count a container that requests no CPU or no memory as if it requested a little, so that such pods spread too.

Source: pkg/scheduler/framework/plugins/noderesources/resource_allocation.go; pkg/scheduler/util/pod_resources.go.
"""

from __future__ import annotations

from functools import lru_cache

from kythera.model.api.core.container import Container
from kythera.model.api.core.pod import Pod
from kythera.model.api.quantity import Quantity, milli_value, value
from kythera.model.api.requests import pod_requests
from kythera.model.control_plane.scheduler.node_info import NodeInfo
from kythera.model.record import Map, Record, record, replace

CPU, MEMORY, EPHEMERAL_STORAGE = "cpu", "memory", "ephemeral-storage"

DEFAULT_REQUESTS = {CPU: Quantity(100_000_000), MEMORY: Quantity(200 * 1024 * 1024 * 10**9)}
"""What a container without requests counts for: 0.1 CPU and 200 MiB."""


@record
class ResourceSpec(Record):
    """A resource that is scored, and its weight."""

    name: str = ""
    weight: int = 1


DEFAULT_RESOURCES = (ResourceSpec(CPU, 1), ResourceSpec(MEMORY, 1))


@lru_cache(maxsize=100_000)
def non_zero_requests(pod: Pod) -> Map[Quantity]:
    """The pod's requests, each container counted with the default where it names no CPU or no memory.

    Source: staging/src/k8s.io/component-helpers/resource/helpers.go PodRequests (NonMissingContainerRequests).
    """
    spec = replace(
        pod.spec,
        containers=tuple(map(_with_defaults, pod.spec.containers)),
        init_containers=tuple(map(_with_defaults, pod.spec.init_containers)),
    )
    return pod_requests(replace(pod, spec=spec))


def _with_defaults(container: Container) -> Container:
    resources = container.resources
    return replace(
        container, resources=replace(resources, requests=Map({**DEFAULT_REQUESTS, **resources.requests}))
    )


def units(name: str, quantity: Quantity | None) -> int:
    """A quantity in the units in which it is scored: thousandths of a CPU, and whole numbers of anything else."""
    if quantity is None:
        return 0
    return milli_value(quantity) if name == CPU else value(quantity)


def requested(pod: Pod, name: str, non_zero: bool) -> int:
    """How much of a resource a pod asks for; ``non_zero``: with the defaults for CPU and memory.

    Source: pkg/scheduler/framework/plugins/noderesources/resource_allocation.go calculatePodResourceRequest.
    """
    return units(name, (non_zero_requests(pod) if non_zero else pod_requests(pod)).get(name))


def is_scalar(name: str) -> bool:
    """Whether a resource is an extended one, huge pages, or attachable volumes: scored only if the pod asks for it.

    Source: pkg/scheduler/util/utils.go IsScalarResourceName; pkg/apis/core/v1/helper/helpers.go.
    """
    if name.startswith(("hugepages-", "attachable-volumes-")):
        return True
    return "/" in name and not name.startswith("requests.")


@lru_cache(maxsize=100_000)
def allocation(pod: Pod, info: NodeInfo, name: str, non_zero: bool) -> tuple[int, int, int]:
    """Of one resource on one node: allocatable, requested with the pod, requested without it.

    All are 0 for a resource that the node doesn't have, and for a scalar one that the pod doesn't ask for.
    Source: pkg/scheduler/framework/plugins/noderesources/resource_allocation.go calculateResourceAllocatableRequest.
    Simplifies: devices of dynamic resource allocation are not counted.
    """
    own = requested(pod, name, non_zero)
    if own == 0 and is_scalar(name):
        return 0, 0, 0
    allocatable = units(name, info.node.status.allocatable.get(name))
    if allocatable == 0:
        return 0, 0, 0
    others = sum(requested(each, name, non_zero) for each in info.pods)
    return allocatable, others + own, others
