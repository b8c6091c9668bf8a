"""How fast nodes may be tainted."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kythera.model.api.core.node import Node, NodeStatus
from kythera.model.api.meta import Condition, ObjectMeta
from kythera.model.control_plane.controllers.node_lifecycle.zones import (
    EXCLUDED,
    FULL_DISRUPTION,
    NORMAL,
    PARTIAL_DISRUPTION,
    Rates,
    all_disrupted,
    interval,
    seconds_between,
    zone_of,
    zone_state,
)
from kythera.model.record import Map

THRESHOLD = Rates().unhealthy_zone_threshold


def nodes(ready: int, not_ready: int, **labels: str) -> tuple[Node, ...]:
    return tuple(
        Node(
            ObjectMeta(f"n{n}", labels=Map({f"topology.kubernetes.io/{k}": v for k, v in labels.items()})),
            status=NodeStatus(conditions=(Condition("Ready", "True" if n < ready else "Unknown"),)),
        )
        for n in range(ready + not_ready)
    )


@pytest.mark.parametrize(
    ("ready", "not_ready", "state"),
    [(0, 0, NORMAL), (0, 1, FULL_DISRUPTION), (1, 2, NORMAL), (2, 3, PARTIAL_DISRUPTION), (3, 3, NORMAL)],
)
def test_the_state_of_a_zone_follows_from_how_many_nodes_are_in_trouble(ready: int, not_ready: int, state: str) -> None:
    assert zone_state(ready, not_ready, THRESHOLD) == state


@given(st.integers(0, 200), st.integers(0, 200))
def test_a_zone_is_fully_disrupted_exactly_if_it_has_nodes_and_none_is_ready(ready: int, not_ready: int) -> None:
    assert (zone_state(ready, not_ready, THRESHOLD) == FULL_DISRUPTION) == (ready == 0 < not_ready)


def test_a_small_zone_in_trouble_stops_evictions_and_a_large_one_slows_them_down() -> None:
    assert seconds_between("", nodes(3, 1), Rates()) == 10
    assert seconds_between("", nodes(2, 3), Rates()) is None
    assert seconds_between("", nodes(20, 40), Rates()) == 100
    assert seconds_between("", nodes(0, 2), Rates()) == 10, "as long as another zone has nodes that are ready"


def test_the_region_belongs_to_the_zone_and_nodes_without_either_are_in_one_zone() -> None:
    here, there = nodes(1, 0, zone="a", region="x")[0], nodes(1, 0, zone="a", region="y")[0]
    assert zone_of(here) != zone_of(there)
    assert zone_of(nodes(1, 0)[0]) == ""


def test_excluded_nodes_count_nowhere() -> None:
    (node,) = nodes(0, 1)
    excluded = Node(ObjectMeta("n1", labels=Map({EXCLUDED: ""})), status=node.status)
    assert all_disrupted((node,), Rates())
    assert not all_disrupted((excluded,), Rates())


def test_a_rate_is_a_least_time_between_two() -> None:
    assert interval(Fraction(3, 10)) == 4
    assert interval(Fraction(0)) is None
