"""A node's Lease is young as long as its kubelet reaches the API server."""

from __future__ import annotations

from kythera.model.environment.heartbeats import IN_TIME, Heartbeat, back, cut_off, leases, process, renew
from kythera.model.host import CUT, GONE, UP
from kythera.model.record import Age
from kythera.model.rule import Outcome, Wake
from kythera.model.view import view


def renewals(age: int, link: str) -> list[Heartbeat]:
    found = renew.function(Heartbeat(Age(age)), link, False)
    return [each.writes["lease"] for each in found if isinstance(each, Outcome)]


def test_a_kubelet_that_reaches_the_api_server_renews_its_lease() -> None:
    assert renewals(10, UP) == [Heartbeat()]
    assert renewals(0, UP) == []


def test_a_node_that_is_cut_off_or_lost_does_not() -> None:
    assert renewals(10, CUT) == renewals(10, GONE) == []


def test_where_time_is_prompt_the_lease_of_a_node_ages_only_while_its_link_is_cut() -> None:
    assert cut_off(IN_TIME) == Heartbeat(Age(0))
    assert cut_off(back(Heartbeat(Age(40)), 10)) == Heartbeat(Age(40))
    assert back(Heartbeat(Age(0)), 10) == IN_TIME


def test_where_time_is_prompt_a_node_is_heard_of_some_seconds_after_its_link_has_healed() -> None:
    healed = back(Heartbeat(Age(40)), 10)
    assert list(renew.function(healed, UP, True)) == [Wake(10)]
    assert list(renew.function(healed, CUT, True)) == []
    (renewal,) = renew.function(Heartbeat(Age(50), Age(0)), UP, True)
    assert isinstance(renewal, Outcome)
    assert renewal.writes == {"lease": IN_TIME}


def test_observers_read_the_age_off_the_lease() -> None:
    (lease,) = leases(("a",), view(), (Heartbeat(Age(30)),))["Lease"]
    assert (lease.metadata.name, lease.spec.renew_time) == ("a", 30)  # type: ignore[attr-defined]


def test_without_links_a_kubelet_always_reaches_the_api_server() -> None:
    assert process("a", linked=False, prompt=False).constants["link"] == UP
    assert process("a", linked=True, prompt=False).slots["link"] == "link/node/a"
