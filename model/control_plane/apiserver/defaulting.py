"""Defaults: what an object means where it says nothing.

Source: pkg/apis/*/v1/defaults.go, pkg/apis/autoscaling/v2/defaults.go, and the ``+default`` marks of the API
types.
Simplifies: fields that the model ignores get no defaults; nor do pod-level limits from those of the
containers.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, TypeVar, cast

from kythera.model.api.apps import Deployment, ReplicaSet, RollingUpdateDeployment
from kythera.model.api.autoscaling import (
    HorizontalPodAutoscaler,
    HPAScalingPolicy,
    HPAScalingRules,
    MetricSpec,
    MetricTarget,
    ResourceMetricSource,
)
from kythera.model.api.core.cluster import Namespace, Secret
from kythera.model.api.core.container import Container, Probe
from kythera.model.api.core.node import Node
from kythera.model.api.core.pod import Pod, PodSpec, PodTemplateSpec
from kythera.model.api.core.service import ClientIPConfig, Service, ServicePort, SessionAffinityConfig
from kythera.model.api.discovery import EndpointPort, EndpointSlice
from kythera.model.api.quantity import Quantity
from kythera.model.api.requests import container_requests
from kythera.model.api.scheduling import PriorityClass
from kythera.model.record import Map, Record, replace

R = TypeVar("R", bound=Record)

MILLI = 1_000_000
SESSION_SECONDS = 10_800
POD_LEVEL_RESOURCES = ("cpu", "memory")
NAME_LABEL = "kubernetes.io/metadata.name"


@lru_cache(maxsize=50_000)
def default(obj: R) -> R:
    """The object with every default filled in; the same object if there is none to fill in.

    Source: staging/src/k8s.io/apimachinery/pkg/runtime/scheme.go Scheme.Default.
    """
    defaulted = _DEFAULTS.get(type(obj))
    if defaulted is None:
        return obj
    new = defaulted(obj)
    return obj if new == obj else cast(R, new)


def image_tag(image: str) -> str:
    """The tag of an image reference: ``latest`` without tag and digest, empty with a digest alone.

    Source: pkg/util/parsers/parsers.go ParseImageName.
    """
    name, _, digest = image.partition("@")
    last = name.rsplit("/", 1)[-1]
    _, colon, tag = last.partition(":")
    if colon:
        return tag
    return "" if digest else "latest"


def _rounded(resources: Map[Quantity]) -> Map[Quantity]:
    """Resources have milli-units at the finest; what is finer is rounded up."""
    if all(amount.nano % MILLI == 0 for amount in resources.values()):
        return resources
    return Map({name: replace(q, nano=-(-q.nano // MILLI) * MILLI) for name, q in resources.items()})


def _probe(probe: Probe | None) -> Probe | None:
    if probe is None:
        return None
    return replace(
        probe,
        period_seconds=probe.period_seconds or 10,
        timeout_seconds=probe.timeout_seconds or 1,
        success_threshold=probe.success_threshold or 1,
        failure_threshold=probe.failure_threshold or 3,
    )


def _container(container: Container) -> Container:
    policy = "Always" if image_tag(container.image) == "latest" else "IfNotPresent"
    resources = container.resources
    return replace(
        container,
        image_pull_policy=container.image_pull_policy or policy,
        ports=tuple(replace(port, protocol=port.protocol or "TCP") for port in container.ports),
        resources=replace(resources, requests=_rounded(resources.requests), limits=_rounded(resources.limits)),
        startup_probe=_probe(container.startup_probe),
        readiness_probe=_probe(container.readiness_probe),
        liveness_probe=_probe(container.liveness_probe),
    )


def _pod_spec(spec: PodSpec) -> PodSpec:
    """The defaults of pods and of pod templates alike."""
    grace = spec.termination_grace_period_seconds
    return replace(
        spec,
        containers=tuple(map(_container, spec.containers)),
        init_containers=tuple(map(_container, spec.init_containers)),
        restart_policy=spec.restart_policy or "Always",
        termination_grace_period_seconds=30 if grace is None else grace,
        scheduler_name=spec.scheduler_name or "default-scheduler",
        overhead=_rounded(spec.overhead),
    )


def _template(template: PodTemplateSpec) -> PodTemplateSpec:
    return replace(template, spec=_pod_spec(template.spec))


def _own_requests(container: Container, host_network: bool) -> Container:
    """A container of a pod requests what it may use; on the node's network its ports are the node's."""
    resources = container.resources
    missing = {name: q for name, q in resources.limits.items() if name not in resources.requests}
    if missing:
        resources = replace(resources, requests=Map({**resources.requests, **missing}))
        container = replace(container, resources=resources)
    if host_network:
        ports = tuple(replace(port, host_port=port.host_port or port.container_port) for port in container.ports)
        container = replace(container, ports=ports)
    return container


def _pod(pod: Pod) -> Pod:
    spec = _pod_spec(pod.spec)
    host = spec.host_network
    spec = replace(
        spec,
        containers=tuple(_own_requests(c, host) for c in spec.containers),
        init_containers=tuple(_own_requests(c, host) for c in spec.init_containers),
    )
    pod = replace(pod, spec=spec)
    if spec.resources is None or not spec.resources.limits:
        return pod
    of_containers = container_requests(pod)
    wanted = {name: of_containers[name] for name in POD_LEVEL_RESOURCES if name in of_containers}
    limits = {
        name: amount
        for name, amount in spec.resources.limits.items()
        if name in POD_LEVEL_RESOURCES or name.startswith("hugepages-")
    }
    requests = Map({**limits, **wanted, **spec.resources.requests})
    return replace(pod, spec=replace(spec, resources=replace(spec.resources, requests=requests)))


def _deployment(deployment: Deployment) -> Deployment:
    spec = deployment.spec
    strategy = replace(spec.strategy, type=spec.strategy.type or "RollingUpdate")
    if strategy.type == "RollingUpdate":
        rolling = strategy.rolling_update or RollingUpdateDeployment()
        strategy = replace(
            strategy,
            rolling_update=RollingUpdateDeployment(
                "25%" if rolling.max_unavailable is None else rolling.max_unavailable,
                "25%" if rolling.max_surge is None else rolling.max_surge,
            ),
        )
    limit, deadline = spec.revision_history_limit, spec.progress_deadline_seconds
    return replace(
        deployment,
        spec=replace(
            spec,
            replicas=1 if spec.replicas is None else spec.replicas,
            template=_template(spec.template),
            strategy=strategy,
            revision_history_limit=10 if limit is None else limit,
            progress_deadline_seconds=600 if deadline is None else deadline,
        ),
    )


def _replica_set(replica_set: ReplicaSet) -> ReplicaSet:
    spec = replica_set.spec
    replicas = 1 if spec.replicas is None else spec.replicas
    return replace(replica_set, spec=replace(spec, replicas=replicas, template=_template(spec.template)))


SCALE_UP = HPAScalingRules(0, "Max", (HPAScalingPolicy("Pods", 4, 15), HPAScalingPolicy("Percent", 100, 15)))
SCALE_DOWN = HPAScalingRules(None, "Max", (HPAScalingPolicy("Percent", 100, 15),))
CPU_80 = MetricSpec("Resource", ResourceMetricSource("cpu", MetricTarget("Utilization", average_utilization=80)))


def scaling_rules(given: HPAScalingRules | None, fallback: HPAScalingRules) -> HPAScalingRules:
    """The rules of one direction, each field that isn't given taken from ``fallback``.

    Source: pkg/apis/autoscaling/v2/defaults.go copyHPAScalingRules.
    """
    if given is None:
        return fallback
    window = given.stabilization_window_seconds
    return HPAScalingRules(
        fallback.stabilization_window_seconds if window is None else window,
        given.select_policy or fallback.select_policy,
        given.policies or fallback.policies,
        given.tolerance,
    )


def _autoscaler(autoscaler: HorizontalPodAutoscaler) -> HorizontalPodAutoscaler:
    spec = autoscaler.spec
    behavior = spec.behavior
    if behavior is not None:
        behavior = replace(
            behavior,
            scale_up=scaling_rules(behavior.scale_up, SCALE_UP),
            scale_down=scaling_rules(behavior.scale_down, SCALE_DOWN),
        )
    least = 1 if spec.min_replicas is None else spec.min_replicas
    return replace(
        autoscaler,
        spec=replace(spec, min_replicas=least, metrics=spec.metrics or (CPU_80,), behavior=behavior),
    )


def _service_port(port: ServicePort) -> ServicePort:
    target = port.port if port.target_port in (0, "") else port.target_port
    return replace(port, protocol=port.protocol or "TCP", target_port=target)


def _service(service: Service) -> Service:
    spec = service.spec
    kind = spec.type or "ClusterIP"
    affinity, config = spec.session_affinity or "None", spec.session_affinity_config
    if affinity == "None":
        config = None
    elif affinity == "ClientIP" and (
        config is None or config.client_ip is None or config.client_ip.timeout_seconds is None
    ):
        config = SessionAffinityConfig(ClientIPConfig(SESSION_SECONDS))
    external, internal = spec.external_traffic_policy, spec.internal_traffic_policy
    if kind in ("NodePort", "LoadBalancer"):
        external = external or "Cluster"
    if kind != "ExternalName":
        internal = internal or "Cluster"
    return replace(
        service,
        spec=replace(
            spec,
            type=kind,
            ports=tuple(map(_service_port, spec.ports)),
            session_affinity=affinity,
            session_affinity_config=config,
            external_traffic_policy=external,
            internal_traffic_policy=internal,
        ),
    )


def _endpoint_slice(endpoints: EndpointSlice) -> EndpointSlice:
    def port(each: EndpointPort) -> EndpointPort:
        return replace(each, name=each.name or "", protocol=each.protocol or "TCP")

    return replace(endpoints, ports=tuple(map(port, endpoints.ports)))


def _node(node: Node) -> Node:
    status = node.status
    status = replace(
        status,
        capacity=_rounded(status.capacity),
        allocatable=_rounded(status.allocatable or status.capacity),
    )
    return replace(node, status=status)


def _namespace(namespace: Namespace) -> Namespace:
    metadata = namespace.metadata
    if metadata.name:
        metadata = replace(metadata, labels=metadata.labels.set(NAME_LABEL, metadata.name))
    status = replace(namespace.status, phase=namespace.status.phase or "Active")
    return replace(namespace, metadata=metadata, status=status)


def _priority_class(priority_class: PriorityClass) -> PriorityClass:
    policy = priority_class.preemption_policy or "PreemptLowerPriority"
    return replace(priority_class, preemption_policy=policy)


def _secret(secret: Secret) -> Secret:
    return replace(secret, type=secret.type or "Opaque")


_DEFAULTS: dict[type[Record], Callable[[Any], Record]] = {
    Pod: _pod,
    Deployment: _deployment,
    ReplicaSet: _replica_set,
    HorizontalPodAutoscaler: _autoscaler,
    Service: _service,
    EndpointSlice: _endpoint_slice,
    Node: _node,
    Namespace: _namespace,
    PriorityClass: _priority_class,
    Secret: _secret,
}
