"""Heartbeats: how long ago each node's Lease was renewed.

It owns: the age of a node's last heartbeat (``lease/<node>``).
It may: renew it, where the kubelet reaches the API server.  In the prompt regime heartbeats are never late: the Lease
of a node has no age as long as the node reaches the API server, grows old from when its link is cut, and is renewed
by the next heartbeat after the link has healed.  In the adversarial regime a renewal may come at any time, and time may
pass before it: then a failure detector can be wrong.

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
from kythera.model.rule import Process, Wake, Yields, outcome, rule
from kythera.model.view import View


@record
class Heartbeat(Record):
    """Seconds since a node's Lease was renewed; ``None`` where no heartbeat is ever late.

    ``due``: when the next heartbeat comes, an age (negative until then); ``None`` where that is not known.
    """

    age: Age | None = Age(0)
    due: Age | None = None


IN_TIME = Heartbeat(None)
"""The heartbeat of a node that reaches the API server, in the prompt regime."""


def first(prompt: bool) -> Heartbeat:
    """The heartbeat that a node begins with."""
    return IN_TIME if prompt else Heartbeat()


def cut_off(lease: Heartbeat) -> Heartbeat:
    """The heartbeat of a node in the prompt regime that nothing more comes from: its age counts from now on."""
    return Heartbeat() if lease.age is None else Heartbeat(lease.age)


def back(lease: Heartbeat, interval: int) -> Heartbeat:
    """The heartbeat of a node in the prompt regime that can be heard of again: the next one is due.

    ``interval``: seconds between two heartbeats.
    """
    return Heartbeat(lease.age, Age(-interval)) if lease.age else IN_TIME


@rule("{process} renews its node's Lease")
def renew(lease: Heartbeat, link: str, prompt: bool) -> Yields:
    """The kubelet renews the Lease of its node.

    Source: pkg/kubelet/kubelet.go, nodeLeaseController; every 10 s by default.
    """
    if link != UP or not lease.age:
        return
    if lease.due is not None and lease.due < 0:
        yield Wake(-lease.due)
    else:
        yield outcome({"lease": first(prompt)})


def leases(nodes: tuple[str, ...], present: View, heartbeats: tuple[Any, ...]) -> Mapping[str, tuple[Record, ...]]:
    """The Leases of the nodes as objects."""
    return {
        "Lease": tuple(
            Lease(ObjectMeta(name=node, namespace="kube-node-lease"), LeaseSpec(node, 40, renew_time=beat.age))
            for node, beat in zip(nodes, heartbeats, strict=True)
        )
    }


def process(node: str, linked: bool, prompt: bool) -> Process:
    """The renewals of one node, as steps."""
    slots = {"lease": f"lease/{node}", **({"link": f"link/node/{node}"} if linked else {})}
    constants = {"prompt": prompt, **({} if linked else {"link": UP})}
    return Process(f"heartbeat/{node}", (renew,), slots, constants)
