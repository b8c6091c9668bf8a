"""connections-answered: lost by pods that stop at once, kept by a pause before stop, and judged only if asked for."""

from __future__ import annotations

from typing import Any

from tests.properties.judging import judge
from tests.systems import event, node, pod, question, service

from kythera.model.scenarios.scenario import NO_FAULTS, Event, Faults
from kythera.properties.catalogue import applicable
from kythera.properties.safety.connections import CONNECTIONS_ANSWERED
from kythera.properties.statement import Question

ASKED = (CONNECTIONS_ANSWERED.name,)
LAG = Faults(crash=0)
MOST = 100_000


def web(name: str, hook: int = 0) -> dict[str, Any]:
    """A pod of the Service."""
    made = pod(name, "100m", nodeName="n1")
    made["metadata"]["labels"] = {"app": "web"}
    container = made["spec"]["containers"][0]
    container["ports"] = [{"containerPort": 80}]
    if hook:
        container["lifecycle"] = {"preStop": {"sleep": {"seconds": hook}}}
    return made


def going(hook: int = 0, others: tuple[str, ...] = ("b",), **more: Any) -> Question:
    """One of two pods is deleted, and somebody connects at some time afterwards."""
    events = (event("bye", "delete", "Pod/a"), Event("connect", "connect", "Service/web", after=("bye",)))
    documents = [node("n1"), web("a", hook), *(web(each, hook) for each in others), service()]
    return question(documents, **{"events": events, "properties": ASKED, **more})


def test_a_pod_that_stops_at_once_loses_connections() -> None:
    answer = judge(CONNECTIONS_ANSWERED, going())
    assert answer.message is not None
    assert "another one is ready and listens on n1" in answer.message
    assert answer.length <= 12


def test_a_pause_before_stop_keeps_them_where_time_passes_only_when_nobody_can_act() -> None:
    for faults in (NO_FAULTS, LAG):
        answer = judge(CONNECTIONS_ANSWERED, going(hook=5, faults=faults), MOST)
        assert answer.message is None
        assert answer.applied


def test_a_pause_is_no_promise_where_the_news_may_take_longer() -> None:
    answer = judge(CONNECTIONS_ANSWERED, going(hook=5, time="adversarial", granularity="coarse"), MOST)
    assert answer.message is not None
    assert "shutting down" in answer.message


def test_it_is_nobodys_fault_if_no_endpoint_is_left() -> None:
    answer = judge(CONNECTIONS_ANSWERED, going(others=()))
    assert answer.message is None


def test_an_endpoint_that_the_traffic_policy_forbids_is_no_way_out() -> None:
    other = web("b")
    other["spec"]["nodeName"] = "n2"
    documents = [node("n1"), node("n2"), web("a"), other, service(internalTrafficPolicy="Local")]
    events = (event("bye", "delete", "Pod/a"), Event("connect", "connect", "Service/web", source="n1"))
    answer = judge(CONNECTIONS_ANSWERED, question(documents, events=events, properties=ASKED), MOST)
    assert answer.message is None
    assert answer.applied


def test_it_is_judged_only_where_somebody_asks_for_it() -> None:
    for asked, expected in ((going(), True), (going(properties=None), False)):
        found = applicable(asked.system, asked.objects, asked.scenario, asked.rung)
        assert (CONNECTIONS_ANSWERED.name in {each.name for each in found}) == expected
