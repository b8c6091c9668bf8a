"""The network between a component or node and the API server, and nodes that are lost.

It owns: the state of each link (``link/<unit>``: up, cut, gone), and how often it may still be cut or a node be lost.
It may: cut a link (its processes go on with what they have seen), heal it, or lose a node for good.

A cut link heals some day, but nothing hurries it: as much time may pass before as anybody waits for.  Where heartbeats
are never late (``lease``), the age of a node's last one counts from the step that cuts its link.

Source: https://kubernetes.io/docs/concepts/architecture/nodes/#node-controller.
Simplifies: a request that is under way when a link is cut waits for the link to heal; so does a watch.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kythera.model.environment.heartbeats import Heartbeat, back, cut_off
from kythera.model.host import CUT, GONE, UP
from kythera.model.rule import FAULT, REPAIR, Process, Yields, outcome, rule


@rule("{process}: the network to the API server is cut", FAULT)
def cut(link: str, partitions: int, lease: Heartbeat | None) -> Yields:
    """Nothing passes between the component and the API server any more; its processes go on."""
    if link == UP and partitions > 0:
        yield outcome({"link": CUT, "partitions": partitions - 1, **_silent(lease)})


@rule("{process}: the network is whole again", REPAIR)
def heal(link: str, lease: Heartbeat | None, interval: int) -> Yields:
    """The component reaches the API server again; a cut lasts any time, but not for ever."""
    if link == CUT:
        yield outcome({"link": UP, **({} if lease is None else {"lease": back(lease, interval)})})


@rule("{process}: the node is gone for good", FAULT)
def lose(
    link: str, failures: int, lease: Heartbeat | None, locals: tuple[Any, ...],
    lost: tuple[Callable[[Any], Any], ...],
) -> Yields:  # fmt: skip
    """A machine fails and does not come back: its processes and containers are gone, its objects stay."""
    if link != GONE and failures > 0:
        gone = tuple(forget(local) for forget, local in zip(lost, locals, strict=True))
        yield outcome({"link": GONE, "failures": failures - 1, "locals": gone, **_silent(lease)})


def _silent(lease: Heartbeat | None) -> dict[str, Heartbeat]:
    return {} if lease is None else {"lease": cut_off(lease)}


def process(
    unit: str,
    partitions: bool,
    failures: bool,
    locals: tuple[str, ...] = (),
    lost: tuple[Callable[[Any], Any], ...] = (),
    lease: str | None = None,
    interval: int = 10,
) -> Process:
    """What may happen to the link of one unit (a component, or all that is on a node).

    ``lease``: the slot of the node's heartbeat, where heartbeats are never late and so only the link can stop them;
    ``interval``: seconds between two.
    """
    rules = (*((cut, heal) if partitions else ()), *((lose,) if failures else ()))
    slots: dict[str, str | tuple[str, ...]] = {"link": f"link/{unit}"}
    constants: dict[str, Any] = {"lost": lost, "interval": interval}
    if partitions:
        slots["partitions"] = "budget/partition"
    if failures:
        slots |= {"failures": "budget/nodeFailure", "locals": locals}
    if lease is None:
        constants["lease"] = None
    else:
        slots["lease"] = lease
    return Process(f"network/{unit}", rules, slots, constants)
