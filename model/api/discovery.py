"""``discovery.k8s.io/v1``: EndpointSlices.

Source: staging/src/k8s.io/api/discovery/v1/types.go.
"""

from __future__ import annotations

from typing import ClassVar

from kythera.model.api.meta import ObjectMeta
from kythera.model.record import EMPTY, Map, NodeName, Record, Uid, record


@record
class EndpointConditions(Record):
    """Whether an endpoint takes traffic; ``None`` means unknown."""

    ready: bool | None = None
    serving: bool | None = None
    terminating: bool | None = None


@record
class TargetReference(Record):
    """The object behind an endpoint."""

    kind: str = ""
    namespace: str = ""
    name: str = ""
    uid: Uid | None = None


@record
class ForZone(Record):
    """A zone that should use an endpoint."""

    name: str = ""


@record
class ForNode(Record):
    """A node that should use an endpoint."""

    name: NodeName = NodeName("")


@record
class EndpointHints(Record):
    """Who should use an endpoint."""

    for_zones: tuple[ForZone, ...] = ()
    for_nodes: tuple[ForNode, ...] = ()


@record
class Endpoint(Record):
    """One address behind a Service."""

    addresses: tuple[str, ...] = ()
    conditions: EndpointConditions = EndpointConditions()
    hostname: str | None = None
    target_ref: TargetReference | None = None
    deprecated_topology: Map[str] = EMPTY
    node_name: NodeName | None = None
    zone: str | None = None
    hints: EndpointHints | None = None


@record
class EndpointPort(Record):
    """A port of all endpoints of a slice."""

    name: str | None = None
    protocol: str | None = None
    port: int | None = None
    app_protocol: str | None = None


@record
class EndpointSlice(Record):
    """Some of the endpoints of a Service."""

    metadata: ObjectMeta = ObjectMeta()
    address_type: str = ""
    endpoints: tuple[Endpoint, ...] = ()
    ports: tuple[EndpointPort, ...] = ()

    api_version: ClassVar[str] = "discovery.k8s.io/v1"
    kind: ClassVar[str] = "EndpointSlice"
    plural: ClassVar[str] = "endpointslices"
