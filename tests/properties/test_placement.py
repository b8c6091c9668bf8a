"""The bounded search for a placement."""

from __future__ import annotations

from typing import Any

from tests.systems import node, objects, pod

from kythera.model.api.core.node import Node
from kythera.model.api.core.pod import Pod
from kythera.properties.liveness.placement import Situation, could_be_placed, fits_now


def situation(documents: list[dict[str, Any]], gone: tuple[str, ...] = ()) -> Situation:
    found = objects(documents)
    pods = tuple(each for each in found if isinstance(each, Pod))
    nodes = tuple(each for each in found if isinstance(each, Node))
    return Situation(pods, nodes, frozenset(gone))


def waiting(now: Situation) -> Pod:
    return next(each for each in now.pods if each.spec.node_name is None)


def test_a_pod_fits_a_node_with_room() -> None:
    now = situation([node("n1"), node("n2"), pod("a", "800m", nodeName="n1"), pod("b", "800m")])
    assert fits_now(waiting(now), now) == "n2"


def test_room_that_is_in_pieces_can_be_put_together() -> None:
    bound = [pod("a", "500m", nodeName="n1"), pod("b", "500m", nodeName="n2")]
    now = situation([node("n1"), node("n2"), *bound, pod("c", "1")])
    assert fits_now(waiting(now), now) is None
    assert could_be_placed(waiting(now), now)


def test_pods_on_a_closed_node_stay_there() -> None:
    bound = [pod("a", "500m", nodeName="n1"), pod("b", "500m", nodeName="n2")]
    now = situation([node("n1", unschedulable=True), node("n2"), *bound, pod("c", "1")])
    assert not could_be_placed(waiting(now), now)


def test_a_node_that_is_lost_does_not_count() -> None:
    now = situation([node("n1"), node("n2"), pod("a", "1", nodeName="n1"), pod("b", "1")], gone=("n2",))
    assert fits_now(waiting(now), now) is None
    assert not could_be_placed(waiting(now), now)


def test_no_placement_holds_more_than_there_is() -> None:
    now = situation([node("n1"), pod("a", "600m", nodeName="n1"), pod("b", "600m")])
    assert not could_be_placed(waiting(now), now)


def test_the_order_of_affine_pods_does_not_matter() -> None:
    near = {"labelSelector": {"matchLabels": {"app": "a"}}, "topologyKey": "kubernetes.io/hostname"}
    affinity = {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [near]}}
    bound = [pod("a", "500m", nodeName="n1"), pod("b", "500m", nodeName="n1")]
    now = situation([node("n1"), node("n2"), *bound, pod("c", "500m", affinity=affinity)])
    assert fits_now(waiting(now), now) is None
    assert could_be_placed(waiting(now), now)
