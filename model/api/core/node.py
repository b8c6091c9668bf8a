"""Nodes.

Source: staging/src/k8s.io/api/core/v1/types.go.
"""

from __future__ import annotations

from typing import ClassVar

from kythera.model.api.core.scheduling import Taint
from kythera.model.api.meta import Condition, ObjectMeta
from kythera.model.api.quantity import Quantity
from kythera.model.record import EMPTY, Map, Record, record


@record
class NodeSpec(Record):
    """Whether new pods may come, and what keeps them off."""

    unschedulable: bool = False
    taints: tuple[Taint, ...] = ()

    ignored: ClassVar[dict[str, str]] = {
        **dict.fromkeys(("podCIDR", "podCIDRs"), "address ranges of nodes are not modelled yet"),
        **dict.fromkeys(("providerID", "externalID", "configSource"), "cloud providers are not modelled"),
    }


@record
class ContainerImage(Record):
    """An image that a node holds."""

    names: tuple[str, ...] = ()
    size_bytes: int = 0


@record
class NodeStatus(Record):
    """What a node has, and how it is."""

    capacity: Map[Quantity] = EMPTY
    allocatable: Map[Quantity] = EMPTY
    conditions: tuple[Condition, ...] = ()
    images: tuple[ContainerImage, ...] = ()

    ignored: ClassVar[dict[str, str]] = {
        **dict.fromkeys(("addresses", "daemonEndpoints"), "addresses of nodes are not modelled"),
        **dict.fromkeys(("nodeInfo", "runtimeHandlers", "features", "config", "declaredFeatures"),
                        "versions of a node's software are not modelled"),
        **dict.fromkeys(("volumesInUse", "volumesAttached"), "storage is not modelled yet"),
        "phase": "deprecated by Kubernetes",
    }  # fmt: skip


@record
class Node(Record):
    """A machine."""

    metadata: ObjectMeta = ObjectMeta()
    spec: NodeSpec = NodeSpec()
    status: NodeStatus = NodeStatus()

    api_version: ClassVar[str] = "v1"
    kind: ClassVar[str] = "Node"
    plural: ClassVar[str] = "nodes"
