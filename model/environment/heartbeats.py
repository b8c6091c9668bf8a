"""Heartbeats: how long ago each node's Lease was renewed.

It owns: the age of a node's last heartbeat (``lease/<node>``).
It may: renew it, where the kubelet reaches the API server.  In the prompt regime heartbeats are never late: when time
passes, the Leases of all nodes that reach the API server are young again.  In the adversarial regime a renewal is a
step like any other, and time may pass before it: then a failure detector can be wrong.

Source: https://kubernetes.io/docs/concepts/architecture/leases/#node-heart-beats.
Simplifies: the Lease is read as it is now, and not from an informer that lags: an observer that sees it late is, for
what it can conclude, the same as a renewal that comes late.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kythera.model.api.coordination import Lease, LeaseSpec
from kythera.model.api.meta import ObjectMeta
from kythera.model.host import UP
from kythera.model.record import Age, Record, record
from kythera.model.rule import Process, Yields, outcome, rule
from kythera.model.system import BeforeTick
from kythera.model.view import View


@record
class Heartbeat(Record):
    """Seconds since a node's Lease was renewed."""

    age: Age = Age(0)


@rule("{process} renews its node's Lease")
def renew(lease: Heartbeat, link: str) -> Yields:
    """The kubelet renews the Lease of its node.

    Source: pkg/kubelet/kubelet.go, nodeLeaseController; every 10 s by default.
    """
    if link == UP and lease.age > 0:
        yield outcome({"lease": Heartbeat()})


def leases(nodes: tuple[str, ...], present: View, heartbeats: tuple[Any, ...]) -> Mapping[str, tuple[Record, ...]]:
    """The Leases of the nodes as objects."""
    return {
        "Lease": tuple(
            Lease(ObjectMeta(name=node, namespace="kube-node-lease"), LeaseSpec(node, 40, renew_time=beat.age))
            for node, beat in zip(nodes, heartbeats, strict=True)
        )
    }


def prompt(nodes: tuple[str, ...], linked: bool) -> BeforeTick:
    """What the passing of time does to Leases in the prompt regime."""

    def renewed(index: Mapping[str, int], row: tuple[Any, ...], seconds: int) -> tuple[Any, ...]:
        new = list(row)
        for node in nodes:
            if not linked or row[index[f"link/node/{node}"]] == UP:
                new[index[f"lease/{node}"]] = Heartbeat()
        return tuple(new)

    return renewed


def process(node: str, linked: bool) -> Process:
    """The renewals of one node, as steps (for the adversarial regime)."""
    slots = {"lease": f"lease/{node}", **({"link": f"link/node/{node}"} if linked else {})}
    return Process(f"heartbeat/{node}", (renew,), slots, {} if linked else {"link": UP})
