"""A node's Lease is young as long as its kubelet reaches the API server."""

from __future__ import annotations

from kythera.model.environment.heartbeats import Heartbeat, leases, process, prompt, renew
from kythera.model.host import CUT, GONE, UP
from kythera.model.record import Age
from kythera.model.rule import Outcome
from kythera.model.view import view


def renewals(age: int, link: str) -> list[Heartbeat]:
    found = renew.function(Heartbeat(Age(age)), link)
    return [each.writes["lease"] for each in found if isinstance(each, Outcome)]


def test_a_kubelet_that_reaches_the_api_server_renews_its_lease() -> None:
    assert renewals(10, UP) == [Heartbeat()]
    assert renewals(0, UP) == []


def test_a_node_that_is_cut_off_or_lost_does_not() -> None:
    assert renewals(10, CUT) == renewals(10, GONE) == []


def test_where_time_is_prompt_only_the_leases_of_lost_nodes_grow_old() -> None:
    index = {"lease/a": 0, "link/node/a": 1, "lease/b": 2, "link/node/b": 3}
    aged = (Heartbeat(Age(40)), UP, Heartbeat(Age(40)), GONE)
    assert prompt(("a", "b"), True)(index, aged, 40) == (Heartbeat(), UP, Heartbeat(Age(40)), GONE)


def test_observers_read_the_age_off_the_lease() -> None:
    (lease,) = leases(("a",), view(), (Heartbeat(Age(30)),))["Lease"]
    assert (lease.metadata.name, lease.spec.renew_time) == ("a", 30)  # type: ignore[attr-defined]


def test_without_links_a_kubelet_always_reaches_the_api_server() -> None:
    assert process("a", linked=False).constants["link"] == UP
    assert process("a", linked=True).slots["link"] == "link/node/a"
