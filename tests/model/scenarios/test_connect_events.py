"""Events by which somebody connects to a Service: how they are read, and what is wrong with some."""

from __future__ import annotations

from typing import Any

import pytest

from kythera.model.record import Map
from kythera.model.scenarios.loader import Unusable, load_documents
from kythera.model.scenarios.scenario import Event, Scenario


def documents(*events: dict[str, Any], **service: Any) -> list[dict[str, Any]]:
    spec = {"selector": {"app": "web"}, "ports": [{"name": "http", "port": 80}], **service}
    return [
        {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n1"}},
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": "shop"}, "spec": spec},
        {
            "apiVersion": "kythera/v1alpha1",
            "kind": "Scenario",
            "metadata": {"name": "s"},
            "spec": {"events": list(events)},
        },
    ]


def asked(*events: dict[str, Any], **service: Any) -> Scenario:
    return load_documents(documents(*events, **service)).scenario


def problem(*events: dict[str, Any], **service: Any) -> str:
    with pytest.raises(Unusable) as refused:
        load_documents(documents(*events, **service))
    (found,) = refused.value.problems
    return str(found)


def test_an_event_gets_the_name_of_the_port_and_the_namespace_of_the_service() -> None:
    (found,) = asked({"connect": "svc/web", "from": "n1"}).events
    assert found == Event("connect svc/web", "connect", "Service/web", "shop", port="http", source="n1")


def test_a_port_may_be_given_by_its_number() -> None:
    ports = [{"name": "http", "port": 80}, {"name": "admin", "port": 81}]
    (found,) = asked({"connect": "service/web", "port": 81}, ports=ports).events
    assert found.port == "admin"


def test_clients_may_be_anywhere_in_pods_or_outside() -> None:
    (anywhere,) = asked({"connect": "service/web"}).connects
    (pods,) = asked({"connect": "service/web", "from": {"app": "shop"}}).connects
    (outside,) = asked({"connect": "service/web", "from": "outside"}, type="NodePort").connects
    assert (anywhere.source, anywhere.outside, anywhere.clients) == ("", False, Map())
    assert pods.clients == Map({"app": "shop"})
    assert outside.outside


def test_it_asks_nothing_of_the_api_server() -> None:
    assert asked({"connect": "service/web"}).writes == ()


PROBLEMS: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    ({"connect": "deployment/web"}, {}, "expected service/name"),
    ({"connect": "service/api"}, {}, "there is no Service"),
    ({"connect": "service/web", "from": "n9"}, {}, "there is no node"),
    ({"connect": "service/web", "from": {}}, {}, "labels of pods"),
    ({"connect": "service/web", "from": 3}, {}, "a node's name, outside, or labels of pods"),
    ({"connect": "service/web", "from": "outside"}, {}, "neither NodePort nor LoadBalancer"),
    ({"connect": "service/web", "port": "https"}, {}, "its ports are 80, http"),
    ({"connect": "service/web", "port": []}, {}, "the name or number of a port"),
    ({"connect": "service/web"}, {"clusterIP": "None"}, "only a Service with an address"),
    ({"connect": "service/web"}, {"ports": [{"name": "a", "port": 1}, {"name": "b", "port": 2}]}, "several ports"),
    ({"drain": "n1", "port": 80}, {}, "unknown field"),
]


@pytest.mark.parametrize(("event", "service", "says"), PROBLEMS)
def test_what_cannot_be_meant_is_said(event: dict[str, Any], service: dict[str, Any], says: str) -> None:
    assert says in problem(event, **service)
