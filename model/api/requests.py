"""What a pod as a whole requests and may use, and what follows from it: its QoS class, and who dies first.

Source: staging/src/k8s.io/component-helpers/resource/helpers.go; pkg/apis/core/v1/helper/qos/qos.go;
pkg/kubelet/qos/policy.go.
Simplifies: in-place resize (resources in a pod's status) and dynamic resource allocation are not modelled.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache

from kythera.model.api.core.container import Container, ResourceRequirements
from kythera.model.api.core.pod import Pod, PodResources
from kythera.model.api.quantity import Quantity, add, value
from kythera.model.record import EMPTY, Map

Resources = Map[Quantity]

GUARANTEED, BURSTABLE, BEST_EFFORT = "Guaranteed", "Burstable", "BestEffort"

SYSTEM_CRITICAL_PRIORITY = 2_000_000_000
SYSTEM_NODE_CRITICAL = "system-node-critical"

GUARANTEED_SCORE = -997
BEST_EFFORT_SCORE = 1000

_ZERO = Quantity()


def is_sidecar(container: Container) -> bool:
    """Whether an init container keeps running beside the containers.

    Source: staging/src/k8s.io/component-helpers/resource/helpers.go isRestartableInitContainer; KEP-753.
    """
    return container.restart_policy == "Always"


@lru_cache(maxsize=100_000)
def pod_requests(
    pod: Pod, missing: Resources = EMPTY, with_overhead: bool = True, with_pod_level: bool = True
) -> Resources:
    """What a pod requests of its node: pod-level requests before those of its containers, plus its overhead.

    ``missing`` is what a container counts for in a resource that it names no request for.
    Source: staging/src/k8s.io/component-helpers/resource/helpers.go PodRequests.
    """
    total = dict(container_requests(pod, missing))
    if with_pod_level and pod.spec.resources is not None:
        total.update(_at_pod_level(pod.spec.resources.requests))
    return _sum(total, pod.spec.overhead) if with_overhead else Map(total)


@lru_cache(maxsize=100_000)
def pod_limits(pod: Pod, with_overhead: bool = True, with_pod_level: bool = True) -> Resources:
    """What a pod may use at most, in the resources that it has a limit for; overhead comes on top of limits.

    Source: staging/src/k8s.io/component-helpers/resource/helpers.go PodLimits.
    """
    total = dict(container_limits(pod))
    if with_pod_level and pod.spec.resources is not None:
        total.update(_at_pod_level(pod.spec.resources.limits))
    if not with_overhead:
        return Map(total)
    return _sum(total, {name: each for name, each in pod.spec.overhead.items() if total.get(name, _ZERO).nano})


def container_requests(pod: Pod, missing: Resources = EMPTY) -> Resources:
    """What the containers of a pod request at most at any time of its life.

    Source: staging/src/k8s.io/component-helpers/resource/helpers.go AggregateContainerRequests.
    """
    return _at_any_time(pod, lambda container: Map({**missing, **container.resources.requests}))


def container_limits(pod: Pod) -> Resources:
    """What the containers of a pod may use at most at any time of its life.

    Source: staging/src/k8s.io/component-helpers/resource/helpers.go AggregateContainerLimits.
    """
    return _at_any_time(pod, lambda container: container.resources.limits)


def _at_any_time(pod: Pod, of: Callable[[Container], Mapping[str, Quantity]]) -> Resources:
    """The greater of two: all containers with all sidecars, or an init container with the sidecars before it.

    Source: staging/src/k8s.io/component-helpers/resource/helpers.go aggregateContainerResourcesByFn; KEP-753.
    """
    running: Resources = EMPTY
    for container in pod.spec.containers:
        running = _sum(running, of(container))
    sidecars: Resources = EMPTY
    initializing: Resources = EMPTY
    for container in pod.spec.init_containers:
        own = of(container)
        if is_sidecar(container):
            running = _sum(running, own)
            sidecars = _sum(sidecars, own)
            initializing = _greater(initializing, sidecars)
        else:
            initializing = _greater(initializing, _sum(sidecars, own))
    return _greater(running, initializing)


def _sum(a: Mapping[str, Quantity], b: Mapping[str, Quantity]) -> Resources:
    return Map({**a, **{name: add(a[name], each) if name in a else each for name, each in b.items()}})


def _greater(a: Mapping[str, Quantity], b: Mapping[str, Quantity]) -> Resources:
    more = {name: each for name, each in b.items() if name not in a or each.nano > a[name].nano}
    return Map({**a, **more})


def _at_pod_level(resources: Mapping[str, Quantity]) -> dict[str, Quantity]:
    """Those of the resources that may be given for a pod as a whole.

    Source: staging/src/k8s.io/component-helpers/resource/helpers.go IsSupportedPodLevelResource; KEP-2837.
    """
    return {
        name: each for name, each in resources.items() if name in ("cpu", "memory") or name.startswith("hugepages-")
    }


@lru_cache(maxsize=100_000)
def qos_class(pod: Pod) -> str:
    """Guaranteed, Burstable or BestEffort, by CPU and memory of the pod level or else of all containers.

    It is computed anew and not read from ``status.qosClass``, which never changes after the pod's creation.
    Source: pkg/apis/core/v1/helper/qos/qos.go ComputePodQOS; KEP-2837 for the pod level.
    """
    if pod.spec.resources is not None:
        return _qos_of(pod.spec.resources)
    classes = {_qos_of(each.resources) for each in (*pod.spec.containers, *pod.spec.init_containers)}
    if len(classes) > 1:
        return BURSTABLE
    return classes.pop() if classes else BEST_EFFORT


def _qos_of(resources: ResourceRequirements | PodResources) -> str:
    """The class of one set of resources: Guaranteed if CPU and memory have limits equal to the requests.

    Source: pkg/apis/core/v1/helper/qos/qos.go resourceQOS.
    """
    pairs = [
        (resources.requests.get(name, _ZERO).nano, resources.limits.get(name, _ZERO).nano) for name in ("cpu", "memory")
    ]
    if all(pair == (0, 0) for pair in pairs):
        return BEST_EFFORT
    return GUARANTEED if all(request == limit != 0 for request, limit in pairs) else BURSTABLE


def is_critical(pod: Pod) -> bool:
    """Whether a pod's priority is one of those that are reserved for the system.

    Source: pkg/kubelet/types/pod_update.go IsCriticalPod.
    Simplifies: static and mirror pods, which are critical too, are not modelled.
    """
    return (pod.spec.priority or 0) >= SYSTEM_CRITICAL_PRIORITY


def oom_score_adj(pod: Pod, container: Container, memory_capacity: int) -> int:
    """How readily the kernel kills a container when a node with so many bytes runs out of them: -997 to 1000.

    A Burstable container's number falls with its share of the node's memory; memory that is requested for the
    pod and by none of its containers is shared out equally, and a sidecar is never killed more readily than
    what it serves.
    Source: pkg/kubelet/qos/policy.go GetContainerOOMScoreAdjust; pkg/kubelet/qos/helpers.go.
    Simplifies: the feature gate KubeletOOMScoreAdjTieBreak is off.
    """
    if is_critical(pod) and pod.spec.priority_class_name == SYSTEM_NODE_CRITICAL:
        return GUARANTEED_SCORE
    quality = qos_class(pod)
    if quality != BURSTABLE:
        return GUARANTEED_SCORE if quality == GUARANTEED else BEST_EFFORT_SCORE
    share = _unclaimed_memory_per_container(pod)
    score = 1000 - 1000 * (_memory(container) + share) // memory_capacity
    if is_sidecar(container) and container in pod.spec.init_containers:
        least = min(map(_memory, pod.spec.containers), default=0) + share
        score = min(score, 1000 - 1000 * least // memory_capacity)
    return min(max(score, 1000 + GUARANTEED_SCORE), BEST_EFFORT_SCORE - 1)


def _memory(container: Container) -> int:
    return value(container.resources.requests.get("memory", _ZERO))


def _unclaimed_memory_per_container(pod: Pod) -> int:
    """Each container's part of the memory that is requested at the pod level alone, in bytes.

    Source: pkg/kubelet/qos/helpers.go remainingPodMemReqPerContainer.
    """
    whole = value(pod.spec.resources.requests.get("memory", _ZERO)) if pod.spec.resources is not None else 0
    count = len(pod.spec.containers) + len(pod.spec.init_containers)
    if whole == 0 or count == 0:
        return 0
    return (whole - value(container_requests(pod).get("memory", _ZERO))) // count
