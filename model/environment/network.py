"""The network between a component or node and the API server, and nodes that are lost.

It owns: the state of each link (``link/<unit>``: up, cut, gone), and how often it may still be cut or a node be lost.
It may: cut a link (its processes go on with what they have seen), heal it, or lose a node for good.

Source: https://kubernetes.io/docs/concepts/architecture/nodes/#node-controller.
Simplifies: a request that is under way when a link is cut waits for the link to heal; so does a watch.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kythera.model.host import CUT, GONE, UP
from kythera.model.rule import FAULT, REPAIR, Process, Yields, outcome, rule


@rule("{process}: the network to the API server is cut", FAULT)
def cut(link: str, partitions: int) -> Yields:
    """Nothing passes between the component and the API server any more; its processes go on."""
    if link == UP and partitions > 0:
        yield outcome({"link": CUT, "partitions": partitions - 1})


@rule("{process}: the network is whole again", REPAIR)
def heal(link: str) -> Yields:
    """The component reaches the API server again; a cut does not last for ever."""
    if link == CUT:
        yield outcome({"link": UP})


@rule("{process}: the node is gone for good", FAULT)
def lose(link: str, failures: int, locals: tuple[Any, ...], lost: tuple[Callable[[Any], Any], ...]) -> Yields:
    """A machine fails and does not come back: its processes and containers are gone, its objects stay."""
    if link != GONE and failures > 0:
        gone = tuple(forget(local) for forget, local in zip(lost, locals, strict=True))
        yield outcome({"link": GONE, "failures": failures - 1, "locals": gone})


def process(
    unit: str,
    partitions: bool,
    failures: bool,
    locals: tuple[str, ...] = (),
    lost: tuple[Callable[[Any], Any], ...] = (),
) -> Process:
    """What may happen to the link of one unit (a component, or all that is on a node)."""
    rules = (*((cut, heal) if partitions else ()), *((lose,) if failures else ()))
    slots: dict[str, str | tuple[str, ...]] = {"link": f"link/{unit}"}
    if partitions:
        slots["partitions"] = "budget/partition"
    if failures:
        slots |= {"failures": "budget/nodeFailure", "locals": locals}
    return Process(f"network/{unit}", rules, slots, {"lost": lost})
