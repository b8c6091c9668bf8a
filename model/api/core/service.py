"""Services.

Source: staging/src/k8s.io/api/core/v1/types.go.
"""

from __future__ import annotations

from typing import ClassVar

from kythera.model.api.meta import IntOrString, ObjectMeta
from kythera.model.record import EMPTY, Map, Record, record


@record
class ServicePort(Record):
    """A port of a Service and the port of its pods that it leads to."""

    name: str = ""
    protocol: str = ""
    app_protocol: str | None = None
    port: int = 0
    target_port: IntOrString = 0
    node_port: int = 0


@record
class ClientIPConfig(Record):
    """How long a client stays with its endpoint."""

    timeout_seconds: int | None = None


@record
class SessionAffinityConfig(Record):
    """Settings of session affinity."""

    client_ip: ClientIPConfig | None = None


@record
class ServiceSpec(Record):
    """Which pods a Service leads to, and how."""

    ports: tuple[ServicePort, ...] = ()
    selector: Map[str] = EMPTY
    cluster_ip: str = ""
    cluster_ips: tuple[str, ...] = ()
    type: str = ""
    session_affinity: str = ""
    session_affinity_config: SessionAffinityConfig | None = None
    publish_not_ready_addresses: bool = False
    internal_traffic_policy: str | None = None
    external_traffic_policy: str = ""
    traffic_distribution: str | None = None
    ip_families: tuple[str, ...] = ()
    ip_family_policy: str | None = None
    external_name: str = ""

    json_names: ClassVar[dict[str, str]] = {"cluster_ip": "clusterIP", "cluster_ips": "clusterIPs"}
    ignored: ClassVar[dict[str, str]] = dict.fromkeys(
        ("externalIPs", "loadBalancerIP", "loadBalancerSourceRanges", "loadBalancerClass",
         "allocateLoadBalancerNodePorts", "healthCheckNodePort"),
        "traffic from outside the cluster is not modelled",
    )  # fmt: skip


@record
class Service(Record):
    """A name and address in front of the pods that a selector selects."""

    metadata: ObjectMeta = ObjectMeta()
    spec: ServiceSpec = ServiceSpec()

    api_version: ClassVar[str] = "v1"
    kind: ClassVar[str] = "Service"
    plural: ClassVar[str] = "services"
    ignored: ClassVar[dict[str, str]] = {"status": "load balancers are not modelled"}
