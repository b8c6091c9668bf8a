"""Services and EndpointSlices.

Source: pkg/apis/core/validation/validation.go ValidateService; pkg/apis/discovery/validation/validation.go.
"""

from __future__ import annotations

import ipaddress

from kythera.model.api import names
from kythera.model.api.core.service import Service, ServicePort
from kythera.model.api.discovery import EndpointSlice
from kythera.model.control_plane.apiserver.validation.fields import (
    Errors,
    duplicate,
    forbidden,
    immutable,
    invalid,
    labels,
    messages,
    one_of,
    port_number,
    required,
    too_many,
    unsupported,
)

PROTOCOLS = ("TCP", "UDP", "SCTP")
TYPES = ("ClusterIP", "NodePort", "LoadBalancer", "ExternalName")
AFFINITIES = ("ClientIP", "None")
POLICIES = ("Cluster", "Local")
DISTRIBUTIONS = ("PreferClose", "PreferSameZone", "PreferSameNode")
ADDRESS_TYPES = ("IPv4", "IPv6", "FQDN")
MOST_ENDPOINTS, MOST_ADDRESSES, MOST_PORTS = 1000, 100, 20_000
MOST_SESSION_SECONDS = 86_400


def validate_service(service: Service) -> Errors:
    """What the API server has against a Service.

    Source: pkg/apis/core/validation/validation.go ValidateService.
    """
    spec = service.spec
    if not spec.ports and spec.cluster_ip != "None" and spec.type != "ExternalName":
        yield required("spec.ports")
    if spec.type == "LoadBalancer" and spec.cluster_ip == "None":
        detail = "may not be set to 'None' for LoadBalancer services"
        yield invalid("spec.clusterIPs[0]", "None", detail)
    if spec.type == "NodePort" and spec.cluster_ip == "None":
        yield invalid("spec.clusterIPs[0]", "None", "may not be set to 'None' for NodePort services")
    if spec.type == "ExternalName":
        if spec.cluster_ip:
            yield forbidden("spec.clusterIPs[0]", "may not be set for ExternalName services")
        target = spec.external_name.removesuffix(".")
        if not target:
            yield required("spec.externalName")
        else:
            yield from messages("spec.externalName", spec.external_name, names.is_dns1123_subdomain(target))
    yield from _ports(service)
    yield from labels("spec.selector", spec.selector)
    yield from one_of("spec.sessionAffinity", spec.session_affinity, AFFINITIES)
    config = spec.session_affinity_config
    seconds = config.client_ip.timeout_seconds if config is not None and config.client_ip is not None else None
    if seconds is not None and not 0 < seconds <= MOST_SESSION_SECONDS:
        detail = f"must be greater than 0 and less than {MOST_SESSION_SECONDS}"
        yield invalid("spec.sessionAffinityConfig.clientIP.timeoutSeconds", seconds, detail)
    yield from one_of("spec.type", spec.type, TYPES)
    if spec.internal_traffic_policy is not None and spec.internal_traffic_policy not in POLICIES:
        yield unsupported("spec.internalTrafficPolicy", spec.internal_traffic_policy, POLICIES)
    if spec.external_traffic_policy:
        if spec.type not in ("NodePort", "LoadBalancer"):
            detail = "may only be set for externally-accessible services"
            yield invalid("spec.externalTrafficPolicy", spec.external_traffic_policy, detail)
        elif spec.external_traffic_policy not in POLICIES:
            yield unsupported("spec.externalTrafficPolicy", spec.external_traffic_policy, POLICIES)
    if spec.traffic_distribution is not None and spec.traffic_distribution not in DISTRIBUTIONS:
        yield unsupported("spec.trafficDistribution", spec.traffic_distribution, DISTRIBUTIONS)


def _ports(service: Service) -> Errors:
    spec = service.spec
    seen_names: set[str] = set()
    seen: set[tuple[str, int]] = set()
    for i, port in enumerate(spec.ports):
        at = f"spec.ports[{i}]"
        if not port.name:
            if len(spec.ports) > 1:
                yield required(f"{at}.name")
        else:
            yield from messages(f"{at}.name", port.name, names.is_dns1123_label(port.name))
            if port.name in seen_names:
                yield duplicate(f"{at}.name", port.name)
            seen_names.add(port.name)
        yield from port_number(f"{at}.port", port.port)
        yield from one_of(f"{at}.protocol", port.protocol, PROTOCOLS)
        if isinstance(port.target_port, int):
            yield from port_number(f"{at}.targetPort", port.target_port)
        else:
            problems = names.is_valid_port_name(port.target_port)
            yield from messages(f"{at}.targetPort", port.target_port, problems)
        if port.app_protocol is not None:
            yield from messages(f"{at}.appProtocol", port.app_protocol, names.is_qualified_name(port.app_protocol))
        if port.node_port and spec.type == "ClusterIP":
            yield forbidden(f"{at}.nodePort", "may not be used when `type` is 'ClusterIP'")
        if (port.protocol, port.port) in seen:
            yield duplicate(at, ServicePort(protocol=port.protocol, port=port.port))
        seen.add((port.protocol, port.port))


def validate_service_update(old: Service, new: Service) -> Errors:
    """What may not change: the cluster address.

    Source: pkg/apis/core/validation/validation.go ValidateServiceUpdate.
    """
    both = ("ExternalName" not in (old.spec.type, new.spec.type)) and bool(old.spec.cluster_ip)
    if both and new.spec.cluster_ip != old.spec.cluster_ip:
        yield invalid("spec.clusterIPs[0]", new.spec.cluster_ips, "may not change once set")


def validate_endpoint_slice(endpoints: EndpointSlice) -> Errors:
    """What the API server has against an EndpointSlice.

    Source: pkg/apis/discovery/validation/validation.go ValidateEndpointSlice.
    """
    if not endpoints.address_type:
        yield required("addressType")
    elif endpoints.address_type not in ADDRESS_TYPES:
        yield unsupported("addressType", endpoints.address_type, ADDRESS_TYPES)
    if len(endpoints.endpoints) > MOST_ENDPOINTS:
        yield too_many("endpoints", len(endpoints.endpoints), MOST_ENDPOINTS)
        return
    for i, endpoint in enumerate(endpoints.endpoints):
        at = f"endpoints[{i}].addresses"
        if not endpoint.addresses:
            yield required(at, "must contain at least 1 address")
        elif len(endpoint.addresses) > MOST_ADDRESSES:
            yield too_many(at, len(endpoint.addresses), MOST_ADDRESSES)
        for j, address in enumerate(endpoint.addresses):
            yield from _address(address, endpoints.address_type, f"{at}[{j}]")
        yield from labels(f"endpoints[{i}].deprecatedTopology", endpoint.deprecated_topology)
        if endpoint.hostname is not None:
            problems = names.is_dns1123_label(endpoint.hostname)
            yield from messages(f"endpoints[{i}].hostname", endpoint.hostname, problems)
        if endpoint.node_name is not None:
            problems = names.is_dns1123_subdomain(endpoint.node_name)
            yield from messages(f"endpoints[{i}].nodeName", endpoint.node_name, problems)
    yield from _endpoint_ports(endpoints)


def _endpoint_ports(endpoints: EndpointSlice) -> Errors:
    if len(endpoints.ports) > MOST_PORTS:
        yield too_many("ports", len(endpoints.ports), MOST_PORTS)
        return
    seen: set[str] = set()
    for i, port in enumerate(endpoints.ports):
        at = f"ports[{i}]"
        name = port.name or ""
        if name:
            yield from messages(f"{at}.name", name, names.is_dns1123_label(name))
        if name in seen:
            yield duplicate(f"{at}.name", name)
        seen.add(name)
        if port.protocol is None:
            yield required(f"{at}.protocol")
        elif port.protocol not in PROTOCOLS:
            yield unsupported(f"{at}.protocol", port.protocol, PROTOCOLS)
        if port.app_protocol is not None:
            yield from messages(f"{at}.appProtocol", port.app_protocol, names.is_qualified_name(port.app_protocol))


def _address(address: str, kind: str, at: str) -> Errors:
    if kind == "FQDN":
        yield from messages(at, address, names.is_dns1123_subdomain(address.removesuffix(".")))
        return
    version = {"IPv4": 4, "IPv6": 6}.get(kind)
    if version is None:
        return
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        parsed = None
    if parsed is None or parsed.version != version:
        yield invalid(at, address, f"must be a valid {kind} address")
        return
    if parsed.is_unspecified:
        yield invalid(at, address, f"may not be unspecified ({parsed})")
    if parsed.is_loopback:
        yield invalid(at, address, "may not be in the loopback range (127.0.0.0/8, ::1/128)")
    if parsed.is_link_local:
        yield invalid(at, address, "may not be in the link-local range (169.254.0.0/16, fe80::/10)")
    if parsed.is_multicast and str(parsed).startswith(("224.0.0.", "ff02:")):
        yield invalid(at, address, "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)")


def validate_endpoint_slice_update(old: EndpointSlice, new: EndpointSlice) -> Errors:
    """What may not change: the type of the addresses.

    Source: pkg/apis/discovery/validation/validation.go ValidateEndpointSliceUpdate.
    """
    yield from immutable("addressType", new.address_type, old.address_type)
