"""Cluster addresses and node ports of Services: opaque, and the same in every run.

Kubernetes picks them at random from its ranges.  Here they follow from the Service's name, so that two
orders of creation lead to the same state; a collision is resolved by taking the next free one.

Source: pkg/registry/core/service/storage/alloc.go.
"""

from __future__ import annotations

import zlib
from collections.abc import Collection, Iterable

from kythera.model.api.core.service import Service, ServicePort
from kythera.model.record import replace

CLUSTER_RANGE = 2**16 - 2
NODE_PORTS = range(30_000, 32_768)


def allocate(service: Service, others: Iterable[Service]) -> Service:
    """The Service with a cluster address and (for types that have them) node ports, where it asks for none.

    Source: pkg/registry/core/service/storage/alloc.go allocateCreate.
    Simplifies: one IPv4 address per Service; addresses that a user asks for are taken without a check.
    """
    spec = service.spec
    if spec.type == "ExternalName":
        return service
    others = tuple(others)
    text = f"{service.metadata.namespace}/{service.metadata.name}/{service.metadata.uid or ''}"
    if service.metadata.name:
        text = f"{service.metadata.namespace}/{service.metadata.name}"
    address = spec.cluster_ip or _address(text, {other.spec.cluster_ip for other in others})
    spec = replace(
        spec,
        cluster_ip=address,
        cluster_ips=spec.cluster_ips or (address,),
        ip_families=spec.ip_families or ("IPv4",),
        ip_family_policy=spec.ip_family_policy or "SingleStack",
    )
    if spec.type in ("NodePort", "LoadBalancer"):
        used = {port.node_port for other in others for port in other.spec.ports}
        used |= {port.node_port for port in spec.ports}
        ports: list[ServicePort] = []
        for port in spec.ports:
            if not port.node_port:
                port = replace(port, node_port=_node_port(f"{text}/{port.name}/{port.port}", used))
                used.add(port.node_port)
            ports.append(port)
        spec = replace(spec, ports=tuple(ports))
    return replace(service, spec=spec)


def keep_allocated(new: Service, old: Service) -> Service:
    """An update that leaves the address or a node port out keeps it.

    Source: pkg/registry/core/service/strategy.go patchAllocatedValues.
    """
    spec = new.spec
    if "ExternalName" not in (spec.type, old.spec.type):
        spec = replace(
            spec,
            cluster_ip=spec.cluster_ip or old.spec.cluster_ip,
            cluster_ips=spec.cluster_ips or old.spec.cluster_ips,
            ip_families=spec.ip_families or old.spec.ip_families,
            ip_family_policy=spec.ip_family_policy or old.spec.ip_family_policy,
        )
    if spec.type == old.spec.type and spec.type in ("NodePort", "LoadBalancer"):
        known = {(port.protocol or "TCP", port.port): port.node_port for port in old.spec.ports}
        spec = replace(
            spec,
            ports=tuple(
                replace(p, node_port=p.node_port or known.get((p.protocol or "TCP", p.port), 0)) for p in spec.ports
            ),
        )
    return replace(new, spec=spec)


def _address(text: str, used: Collection[str]) -> str:
    at = zlib.crc32(text.encode()) % CLUSTER_RANGE
    while True:
        address = f"10.96.{(at + 1) // 256}.{(at + 1) % 256}"
        if address not in used:
            return address
        at = (at + 1) % CLUSTER_RANGE


def _node_port(text: str, used: Collection[int]) -> int:
    at = zlib.crc32(text.encode()) % len(NODE_PORTS)
    while NODE_PORTS[at] in used:
        at = (at + 1) % len(NODE_PORTS)
    return NODE_PORTS[at]
