"""The EndpointSlice controller: lists the pods behind each Service.

It owns: nothing but what its informers show.
It may: create, update and delete the EndpointSlices that it manages.

Source: pkg/controller/endpointslice/endpointslice_controller.go, staging/src/k8s.io/endpointslice/reconciler.go.
Simplifies: a Service has one slice per address type and set of ports, however many endpoints there are, and its name is
made from the Service's (upstream generates it, at most 100 endpoints a slice; nobody asks for either).  Topology hints
by allocation of zones (the annotation) are not modelled, those of trafficDistribution are.  The slices of a Service
that is gone are deleted here, by upstream's garbage collector otherwise.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Mapping

from kythera.model.api.core.container import Container
from kythera.model.api.core.node import Node
from kythera.model.api.core.pod import Pod, PodSpec, PodStatus
from kythera.model.api.core.service import Service, ServicePort
from kythera.model.api.discovery import (
    Endpoint,
    EndpointConditions,
    EndpointHints,
    EndpointPort,
    EndpointSlice,
    ForNode,
    ForZone,
    TargetReference,
)
from kythera.model.api.labels import matches_map
from kythera.model.api.meta import Condition, ObjectMeta, deletion_mark, identity
from kythera.model.api.ownership import owner_reference
from kythera.model.api.pods import condition, is_ready, is_terminal, is_terminating
from kythera.model.controller import Controller, Step
from kythera.model.record import Map, Record, replace
from kythera.model.request import Create, Delete, Ref, Request, Update, ref_of
from kythera.model.view import View

SERVICE_NAME = "kubernetes.io/service-name"
MANAGED_BY = "endpointslice.kubernetes.io/managed-by"
HEADLESS = "service.kubernetes.io/headless"
CONTROLLER = "endpointslice-controller.k8s.io"
ZONE = "topology.kubernetes.io/zone"

IPV4, IPV6 = "IPv4", "IPv6"


def keys(view: View) -> Iterable[Ref]:
    """Every Service that is seen, and Services that are gone but have left slices."""
    found = {(ref.namespace, ref.name): ref for ref in (ref_of(each) for each in view.list(Service))}
    for each in view.list(EndpointSlice):
        name = each.metadata.labels.get(SERVICE_NAME, "")
        found.setdefault((each.metadata.namespace, name), Ref("Service", each.metadata.namespace, name))
    return list(found.values())


def reconcile(local: None, view: View, key: Ref) -> Iterator[Step]:
    """Make the slices of one Service list the pods that it selects.

    Source: pkg/controller/endpointslice/endpointslice_controller.go syncService.
    """
    existing = [
        each
        for each in view.list(EndpointSlice, key.namespace)
        if each.metadata.labels.get(SERVICE_NAME) == key.name and each.metadata.labels.get(MANAGED_BY) == CONTROLLER
    ]
    service = view.get(Service, key.namespace, key.name)
    if service is None:
        yield Step(local, tuple(Delete(ref_of(each)) for each in existing), why=f"Service {key.name} is gone")
        return
    if not service.spec.selector or service.spec.type == "ExternalName":
        yield Step(local)
        return
    pods = [pod for pod in view.list(Pod, key.namespace) if matches_map(service.spec.selector, pod.metadata.labels)]
    nodes = {node.metadata.name: node for node in view.list(Node)}
    wanted = {each.metadata.name: each for each in desired_slices(service, pods, nodes)}
    requests: list[Request] = []
    for old in existing:
        new = wanted.pop(old.metadata.name, None)
        if new is None:
            requests.append(Delete(ref_of(old)))
        elif (new.endpoints, new.ports, new.metadata.labels) != (old.endpoints, old.ports, old.metadata.labels):
            meta = replace(old.metadata, labels=new.metadata.labels)
            requests.append(Update(replace(old, metadata=meta, endpoints=new.endpoints, ports=new.ports)))
    requests += [Create(each) for each in wanted.values()]
    ready = sum(is_ready(pod) for pod in pods)
    yield Step(local, tuple(requests), why=f"Service {key.name} selects {len(pods)} pods, {ready} of them ready")


def creating_only(local: None, view: View, key: Ref) -> Iterator[Step]:
    """A variant that makes slices and then never changes them."""
    for step in reconcile(local, view, key):
        yield replace(step, requests=tuple(each for each in step.requests if not isinstance(each, Update)))


def desired_slices(service: Service, pods: Iterable[Pod], nodes: Mapping[str, Node]) -> list[EndpointSlice]:
    """The slices that a Service should have; an empty one where it has no pods.

    Source: staging/src/k8s.io/endpointslice/reconciler.go reconcileByAddressType.
    """
    found = []
    pods = list(pods)
    for address_type in address_types(service):
        groups: dict[tuple[EndpointPort, ...], list[Endpoint]] = {}
        for pod in pods:
            if not is_included(pod, include_terminating=True):
                continue
            node = nodes.get(pod.spec.node_name or "")
            if node is None and not service.spec.publish_not_ready_addresses:
                continue  # whoever looks after pods of nodes that are gone will remove it
            endpoint = endpoint_of(pod, node, service, address_type)
            if endpoint.addresses:
                groups.setdefault(endpoint_ports(service, pod), []).append(endpoint)
        for number, ports in enumerate(sorted(groups, key=str) or [()]):
            endpoints = with_hints(service.spec.traffic_distribution, groups.get(ports, ()))
            suffix = f"-{number + 1}" if number else ""
            meta = ObjectMeta(
                name=f"{service.metadata.name}-{address_type.lower()}{suffix}",
                namespace=service.metadata.namespace,
                labels=slice_labels(service),
                owner_references=(owner_reference(service),),
            )
            found.append(EndpointSlice(meta, address_type, tuple(sorted(endpoints, key=_place)), ports))
    return found


def _place(endpoint: Endpoint) -> tuple[str, tuple[str, ...]]:
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


def slice_labels(service: Service) -> Map[str]:
    """The labels of a Service's slices: the Service's own, and those that the controller reserves.

    Source: staging/src/k8s.io/endpointslice/utils.go setEndpointSliceLabels.
    """
    labels = {k: v for k, v in service.metadata.labels.items() if k not in (SERVICE_NAME, MANAGED_BY, HEADLESS)}
    if is_headless(service):
        labels[HEADLESS] = ""
    return Map({**labels, SERVICE_NAME: service.metadata.name, MANAGED_BY: CONTROLLER})


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


def pod_shape(pod: Pod) -> Pod:
    """What the controller reads of a pod: labels, place, addresses, named ports, and whether it is ready or going."""
    old, spec, status = pod.metadata, pod.spec, pod.status
    meta = replace(
        identity(old),
        labels=old.labels,
        deletion_timestamp=deletion_mark(old),
    )
    ready = condition(status.conditions, "Ready")
    seen = () if ready is None else (Condition("Ready", ready.status),)
    ended = status.phase if is_terminal(pod) else ""
    return Pod(
        meta,
        PodSpec(
            containers=tuple(map(_ports_of, spec.containers)),
            init_containers=tuple(map(_ports_of, spec.init_containers)),
            node_name=spec.node_name,
            hostname=spec.hostname,
            subdomain=spec.subdomain,
        ),
        PodStatus(phase=ended, conditions=seen, pod_ip=status.pod_ip, pod_ips=status.pod_ips),
    )


def _ports_of(container: Container) -> Container:
    return Container(name=container.name, ports=container.ports, restart_policy=container.restart_policy)


def node_shape(node: Node) -> Node:
    """What the controller reads of a node: its name and zone."""
    labels = Map({k: v for k, v in node.metadata.labels.items() if k == ZONE})
    return Node(ObjectMeta(name=node.metadata.name, uid=node.metadata.uid, labels=labels))


def horizons_of(obj: Record) -> Mapping[str, int]:
    """No age matters to this controller."""
    return {}


def controller(settings: Mapping[str, str] = {}) -> Controller:
    """The EndpointSlice controller; it has no settings but the variant ``endpointslice.updates=never``."""
    return Controller(
        name="endpointslice",
        watches=(Service, Pod, Node, EndpointSlice),
        writes=(EndpointSlice,),
        initial=None,
        keys=keys,
        reconcile=reconcile if settings.get("endpointslice.updates") != "never" else creating_only,
        shapes={Pod: pod_shape, Node: node_shape},
        says="lists the pods behind each Service",
    )
