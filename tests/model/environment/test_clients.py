"""Clients: where a connection through a Service leads, in a running cluster."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.systems import event, node, pod, question, service

from kythera.model.scenarios.scenario import Event, Faults
from kythera.model.symmetry import Row
from kythera.model.system import CLOCK, Move, System
from kythera.traces.timeline import timeline

MOST = 20_000
LAG = Faults(crash=0)
ANSWERED = "answers"


def web(name: str, on: str = "", hook: int = 0, app: str = "web", **spec: Any) -> dict[str, Any]:
    """A pod that listens on port 80."""
    made = pod(name, "100m", **({"nodeName": on} if on else {}), **spec)
    made["metadata"]["labels"] = {"app": app}
    container = made["spec"]["containers"][0]
    container["ports"] = [{"containerPort": 80}]
    if hook:
        container["lifecycle"] = {"preStop": {"sleep": {"seconds": hook}}}
    return made


def connect(name: str = "connect", **more: Any) -> Event:
    return event(name, "connect", "Service/web", **more)


def reachable(system: System) -> Iterator[tuple[Row, Move]]:
    """Every step out of every state."""
    seen, ahead = {system.initial}, [system.initial]
    while ahead:
        row = ahead.pop()
        assert len(seen) < MOST
        for move in system.moves(row):
            yield row, move
            if move.row not in seen:
                seen.add(move.row)
                ahead.append(move.row)


def connections(system: System) -> set[tuple[str, str, str]]:
    """What connections there are: by way of which node, to which pod's node, and with what answer."""
    found = set()
    for _, move in reachable(system):
        process, _, place = move.action.process.partition("/")
        if process in ("clients", "outside"):
            given = dict(move.action.parameters)
            found.add((place, given.get("node", ""), given["answer"]))
    return found


def settled(documents: list[dict[str, Any]], events: tuple[Event, ...], **more: Any) -> set[tuple[str, str, str]]:
    """The connections of a system, but for those that come before kube-proxy knows of any endpoint."""
    found = connections(question(documents, events=events, symmetry=False, **more).system)
    return {each for each in found if "knows of no endpoint" not in each[2]}


def test_a_connection_reaches_any_ready_pod_of_the_service() -> None:
    documents = [node("n1"), node("n2"), web("a", "n1"), web("b", "n2"), service()]
    found = settled(documents, (connect(source="n1"),))
    assert found == {("n1", "n1", ANSWERED), ("n1", "n2", ANSWERED)}


def test_before_a_pod_is_ready_connections_are_refused() -> None:
    found = connections(question([node("n1"), web("a", "n1"), service()], events=(connect(),)).system)
    assert found == {("n1", "", "it is refused: the node knows of no endpoint"), ("n1", "n1", ANSWERED)}


def test_a_pod_that_is_gone_may_still_be_in_the_rules() -> None:
    events = (event("bye", "delete", "Pod/a"), connect(after=("bye",)))
    found = settled([node("n1"), web("a", "n1"), service()], events, faults=LAG)
    assert ("n1", "n1", "is gone, and its address is nobody's") in found


def test_a_pause_before_stop_lets_the_news_arrive_first() -> None:
    events = (event("bye", "delete", "Pod/a"), connect(after=("bye",)))
    found = settled([node("n1"), web("a", "n1", hook=5), web("b", "n1"), service()], events)
    assert found == {("n1", "n1", ANSWERED)}


def test_the_last_pod_is_used_until_it_ends_and_refuses_from_its_shutdown_on() -> None:
    events = (event("bye", "delete", "Pod/a"), connect(after=("bye",)))
    found = settled([node("n1"), web("a", "n1", hook=5), service()], events)
    gone = "is gone, and its address is nobody's"
    assert {answer for _, _, answer in found} == {ANSWERED, "refuses: it is shutting down", gone}


def test_nothing_answers_on_a_port_that_no_container_listens_on() -> None:
    found = settled([node("n1"), web("a", "n1"), service(ports=[{"port": 80, "targetPort": 8080}])], (connect(),))
    assert found == {("n1", "n1", "refuses: nothing listens on the port")}


def test_a_container_that_declares_no_port_listens_where_the_service_leads() -> None:
    silent = web("a", "n1")
    del silent["spec"]["containers"][0]["ports"]
    assert settled([node("n1"), silent, service()], (connect(),)) == {("n1", "n1", ANSWERED)}


def test_an_internal_traffic_policy_of_local_keeps_clients_on_their_node() -> None:
    documents = [node("n1"), node("n2"), web("a", "n1"), service(internalTrafficPolicy="Local")]
    found = settled(documents, (connect(),))
    dropped = "it is dropped: the traffic policy is Local, and the node has no endpoint"
    assert found == {("n1", "n1", ANSWERED), ("n2", "", dropped)}


def test_an_external_traffic_policy_of_local_drops_what_comes_to_another_node_port() -> None:
    spec = {"type": "NodePort", "externalTrafficPolicy": "Local"}
    documents = [node("n1"), node("n2"), web("a", "n1"), service(**spec)]
    found = settled(documents, (connect(outside=True),))
    dropped = "it is dropped: the traffic policy is Local, and the node has no endpoint"
    assert found == {("n1", "n1", ANSWERED), ("n2", "", dropped)}


def test_a_load_balancer_avoids_nodes_without_an_endpoint_where_the_policy_is_local() -> None:
    spec = {"type": "LoadBalancer", "externalTrafficPolicy": "Local"}
    documents = [node("n1"), node("n2"), web("a", "n1"), service(**spec)]
    assert settled(documents, (connect(outside=True),)) == {("n1", "n1", ANSWERED)}


def test_clients_in_pods_connect_from_the_node_that_runs_them() -> None:
    from_shop = connect(clients={"app": "shop"})
    documents = [node("n1"), node("n2"), web("a", "n1"), web("shop", "n2", app="shop"), service()]
    assert settled(documents, (from_shop,)) == {("n2", "n1", ANSWERED)}


def test_same_node_distribution_keeps_clients_on_their_node_whatever_it_is_called() -> None:
    documents = [node("n1"), node("n2"), web("a", "n1"), web("b", "n2"), service(trafficDistribution="PreferSameNode")]
    for symmetry in (True, False):
        system = question(documents, events=(connect(),), symmetry=symmetry).system
        found = set()
        for row, move in reachable(system):
            process, _, place = move.action.process.partition("/")
            given = dict(move.action.parameters)
            known = row[system.index[f"local/kube-proxy/{place}"]].rules if process == "clients" else ()
            if known and len(known[0].backends) == 2 and all(each.ready for each in known[0].backends):
                found.add(given["node"] == place)
        assert found == {True}


def affine(seconds: int = 60) -> dict[str, Any]:
    return service(sessionAffinity="ClientIP", sessionAffinityConfig={"clientIP": {"timeoutSeconds": seconds}})


def pairs(timed: bool) -> set[tuple[str, str]]:
    """Where a first and a second connection of one client lead, one right after the other or with time between."""
    events = (connect("first", source="n1"), connect("second", source="n1", after=("first",)))
    documents = [node("n1"), node("n2"), web("a", "n1"), web("b", "n2"), affine()]
    system = question(documents, events=events, symmetry=False).system
    found = set()
    for _, move in reachable(system):
        given = dict(move.action.parameters)
        if given.get("event") != "first" or given["answer"] != ANSWERED:
            continue
        for second in _second(system, move.row, timed):
            found.add((given["node"], second))
    return found


def _second(system: System, row: Row, timed: bool) -> Iterator[str]:
    """Where the second connection leads from here, before or after the clock has moved on."""
    for move in system.moves(row):
        given = dict(move.action.parameters)
        if given.get("event") == "second" and not timed:
            yield given["node"]
        elif move.action.process == CLOCK and timed:
            yield from _second(system, move.row, False)


def test_session_affinity_leads_a_client_to_the_same_pod_again() -> None:
    assert pairs(timed=False) == {("n1", "n1"), ("n2", "n2")}


def test_session_affinity_ends_with_its_timeout() -> None:
    assert pairs(timed=True) == {(first, second) for first in ("n1", "n2") for second in ("n1", "n2")}


def test_what_is_remembered_of_a_client_goes_with_its_last_connection() -> None:
    system = question([node("n1"), web("a", "n1"), affine()], events=(connect(),)).system
    at = system.index["local/kube-proxy/n1"]
    assert all(not move.row[at].sticky for _, move in reachable(system))


def test_a_crash_of_kube_proxy_leaves_the_rules_in_place() -> None:
    system = question([node("n1"), web("a", "n1"), service()], faults=Faults(crash=1, staleness="none")).system
    at = system.index["local/kube-proxy/n1"]
    crashes = [(row, move) for row, move in reachable(system) if move.action.process == "crash/kube-proxy/n1"]
    assert any(row[at].rules for row, _ in crashes)
    assert all(move.row[at] == row[at] for row, move in crashes)


def test_a_cut_network_stands_between_nodes_and_not_within_one() -> None:
    documents = [node("n1"), node("n2"), web("a", "n1"), web("b", "n2"), service()]
    found = settled(documents, (connect(source="n1"),), faults=Faults(crash=0, partition=1, staleness="none"))
    assert ("n1", "n2", "cannot be reached: the network is cut") in found
    assert ("n1", "n1", "cannot be reached: the network is cut") not in found


def test_a_trace_says_what_became_of_a_connection() -> None:
    system = question([node("n1"), web("a", "n1"), service()], events=(connect(),)).system
    moves: list[Move] = []
    row = system.initial
    while not any(move.action.process == "clients/n1" for move in moves):
        ahead = list(system.moves(row))
        answered = [move for move in ahead if dict(move.action.parameters).get("answer") == ANSWERED]
        others = [move for move in ahead if not move.action.process.startswith("clients")]
        moves.append((answered or others)[0])
        row = moves[-1].row
    entry = timeline(system, moves)[-1]
    assert entry.says == "a client on n1 connects to Service/web: Pod/a on n1 answers"
    assert entry.why == "at 10.0.1.1", "with the number of the node"
