"""Endpoints: what an EndpointSlice says of one pod, and in which slices it can stand.

Source: staging/src/k8s.io/endpointslice/utils.go, staging/src/k8s.io/endpointslice/util/controller_utils.go.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping

from kythera.model.api.core.node import Node
from kythera.model.api.core.pod import Pod
from kythera.model.api.core.service import Service, ServicePort
from kythera.model.api.discovery import (
    Endpoint,
    EndpointConditions,
    EndpointHints,
    EndpointPort,
    ForNode,
    ForZone,
    TargetReference,
)
from kythera.model.api.pods import is_ready, is_terminal, is_terminating
from kythera.model.record import replace

ZONE = "topology.kubernetes.io/zone"

IPV4, IPV6 = "IPv4", "IPv6"

Ports = tuple[EndpointPort, ...]


def desired_endpoints(
    service: Service, pods: Iterable[Pod], nodes: Mapping[str, Node], address_type: str
) -> dict[Ports, list[Endpoint]]:
    """The endpoints of a Service of one address type, by the ports that they have in common, in a fixed order.

    A pod whose node is gone is left out: whoever looks after such pods will remove it.
    Source: staging/src/k8s.io/endpointslice/reconciler.go reconcileByAddressType.
    """
    found: dict[Ports, list[Endpoint]] = {}
    for pod in pods:
        node = nodes.get(pod.spec.node_name or "")
        if not is_included(pod, include_terminating=True):
            continue
        if node is None and not service.spec.publish_not_ready_addresses:
            continue
        endpoint = endpoint_of(pod, node, service, address_type)
        if endpoint.addresses:
            found.setdefault(endpoint_ports(service, pod), []).append(endpoint)
    return {
        ports: sorted(with_hints(service.spec.traffic_distribution, found[ports]), key=place)
        for ports in sorted(found, key=str)
    }


def place(endpoint: Endpoint) -> tuple[str, tuple[str, ...]]:
    """Where an endpoint is: what its order and its identity hang on, since addresses differ on one node only."""
    return endpoint.node_name or "", endpoint.addresses


def address_types(service: Service) -> tuple[str, ...]:
    """The address families that a Service needs slices of.

    Source: staging/src/k8s.io/endpointslice/utils.go getAddressTypesForService.
    """
    if service.spec.ip_families:
        return service.spec.ip_families
    if is_headless(service):
        return (IPV4, IPV6)
    address = parsed(service.spec.cluster_ip)
    return (IPV6,) if address is not None and address.version == 6 else (IPV4,)


def is_included(pod: Pod, include_terminating: bool) -> bool:
    """Whether a pod is an endpoint at all: it has an address and has not ended.

    Source: staging/src/k8s.io/endpointslice/util/controller_utils.go ShouldPodBeInEndpoints.
    """
    if is_terminal(pod) or not (pod.status.pod_ip or pod.status.pod_ips):
        return False
    return include_terminating or not is_terminating(pod)


def endpoint_of(pod: Pod, node: Node | None, service: Service, address_type: str) -> Endpoint:
    """The endpoint of a pod.

    Source: staging/src/k8s.io/endpointslice/utils.go podToEndpoint.
    """
    serving, terminating = is_ready(pod), is_terminating(pod)
    ready = service.spec.publish_not_ready_addresses or (serving and not terminating)
    return Endpoint(
        addresses=addresses_of(pod, address_type),
        conditions=EndpointConditions(ready, serving, terminating),
        hostname=pod.spec.hostname if sets_hostname(pod, service) else None,
        target_ref=TargetReference("Pod", pod.metadata.namespace, pod.metadata.name, pod.metadata.uid),
        node_name=pod.spec.node_name,
        zone=None if node is None else node.metadata.labels.get(ZONE),
    )


def addresses_of(pod: Pod, address_type: str) -> tuple[str, ...]:
    """The addresses of a pod that are of one family.

    Source: staging/src/k8s.io/endpointslice/utils.go getEndpointAddresses.
    """
    version = 6 if address_type == IPV6 else 4
    found = []
    for text in [each.ip for each in pod.status.pod_ips] or [pod.status.pod_ip]:
        address = parsed(text)
        if address is not None and address.version == version:
            found.append(str(address))
    return tuple(found)


def parsed(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address that a text denotes, ``None`` if it denotes none; zeros in front of decimal numbers mean nothing.

    Source: k8s.io/utils/net ParseIPSloppy.
    """
    if ":" not in text:
        text = ".".join(part.lstrip("0") or "0" if part.isdecimal() else part for part in text.split("."))
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return address if mapped is None else mapped


def sets_hostname(pod: Pod, service: Service) -> bool:
    """Whether the endpoint carries the pod's hostname: its subdomain is the Service.

    Source: staging/src/k8s.io/endpointslice/util/controller_utils.go ShouldSetHostname.
    """
    same = pod.metadata.namespace == service.metadata.namespace
    return bool(pod.spec.hostname) and pod.spec.subdomain == service.metadata.name and same


def endpoint_ports(service: Service, pod: Pod) -> tuple[EndpointPort, ...]:
    """The ports of a Service as they are on one pod; a named port that the pod lacks is left out.

    Source: staging/src/k8s.io/endpointslice/utils.go getEndpointPorts.
    """
    found = []
    for port in service.spec.ports:
        number = find_port(pod, port)
        if number is not None:
            found.append(EndpointPort(port.name, port.protocol or None, number, port.app_protocol))
    return tuple(found)


def find_port(pod: Pod, port: ServicePort) -> int | None:
    """The number of the pod's port that a Service's port leads to, or ``None`` if it has no port of that name.

    Source: staging/src/k8s.io/endpointslice/util/controller_utils.go FindPort.
    """
    if isinstance(port.target_port, int):
        return port.target_port
    sidecars = [each for each in pod.spec.init_containers if each.restart_policy == "Always"]
    for container in (*pod.spec.containers, *sidecars):
        for each in container.ports:
            if each.name == port.target_port and (each.protocol or "TCP") == (port.protocol or "TCP"):
                return each.container_port
    return None


def is_headless(service: Service) -> bool:
    """Whether a Service has no address of its own."""
    return service.spec.cluster_ip in ("", "None")


def with_hints(distribution: str | None, endpoints: Iterable[Endpoint]) -> tuple[Endpoint, ...]:
    """The endpoints with hints of who should use them, as ``trafficDistribution`` asks; without any if it doesn't.

    Source: staging/src/k8s.io/endpointslice/trafficdist/trafficdist.go ReconcileHints.
    """
    return tuple(replace(each, hints=_hints(distribution, each)) for each in endpoints)


def _hints(distribution: str | None, endpoint: Endpoint) -> EndpointHints | None:
    if distribution not in ("PreferClose", "PreferSameZone", "PreferSameNode"):
        return None
    if not endpoint.conditions.ready:
        return endpoint.hints
    zones = (ForZone(endpoint.zone),) if endpoint.zone else ()
    by_node = distribution == "PreferSameNode" and endpoint.node_name is not None
    nodes = (ForNode(endpoint.node_name),) if by_node and endpoint.node_name is not None else ()
    return EndpointHints(zones, nodes) if zones or nodes else None
