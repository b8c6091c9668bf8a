"""kube-proxy: the table follows the slices, and a connection picks among what the table shows."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kythera.model.api.core.service import Service
from kythera.model.api.decode import Context, decode
from kythera.model.api.discovery import EndpointSlice
from kythera.model.node.kube_proxy import (
    Backend,
    Client,
    Table,
    connected,
    controller,
    crashed,
    denial,
    desired_rules,
    hinted,
    pick,
    usable,
)
from kythera.model.record import Age, NodeName, Uid, replace
from kythera.model.view import View, view


def service(**spec: Any) -> Service:
    data = {
        "metadata": {"name": "web", "namespace": "default"},
        "spec": {"clusterIP": "10.0.0.1", "ports": [{"port": 80}], **spec},
    }
    return decode(Service, data, Context())


def slices(*endpoints: dict[str, Any]) -> EndpointSlice:
    data = {
        "metadata": {"name": "web-ipv4", "namespace": "default", "labels": {"kubernetes.io/service-name": "web"}},
        "addressType": "IPv4",
        "endpoints": list(endpoints),
        "ports": [{"name": "", "port": 8080}],
    }
    return decode(EndpointSlice, data, Context())


def endpoint(node: str, ip: str = "10.0.0.1", **conditions: bool) -> dict[str, Any]:
    return {"addresses": [ip], "nodeName": node, "conditions": conditions}


def table(svc: Service, *endpoints: dict[str, Any]) -> Table:
    return Table(desired_rules(view(Service=(svc,), EndpointSlice=(slices(*endpoints),))))


SOMEBODY = Client()


def places(backends: tuple[Backend, ...]) -> list[str | None]:
    return [each.node for each in backends]


def picked(table: Table, node: str = "n3", client: Client = SOMEBODY) -> list[str | None]:
    """The nodes that a connection through the Service may lead to."""
    return places(pick(table.of("default", "web", ""), table.sticky, node, client=client))


def bound(table: Table, client: Client, node: str) -> Table:
    """The table after the client has connected to the endpoint on a node."""
    rules = table.of("default", "web", "")
    assert rules is not None
    (backend,) = [each for each in rules.backends if each.node == node]
    return connected(table, rules, client, backend)


def test_connections_go_to_ready_endpoints_only() -> None:
    made = table(service(), endpoint("n1", ready=True), endpoint("n2", ready=False, serving=True, terminating=True))
    assert picked(made) == ["n1"]


def test_without_a_ready_endpoint_those_that_serve_while_terminating_are_used() -> None:
    made = table(
        service(),
        endpoint("n1", ready=False, serving=False),
        endpoint("n2", ready=False, serving=True, terminating=True),
    )
    assert picked(made) == ["n2"]


def test_a_service_without_endpoints_refuses_connections() -> None:
    made = table(service())
    assert picked(made) == []
    assert pick(made.of("default", "other", ""), made.sticky, "n1") == ()
    assert "refused" in denial(made.of("default", "web", ""))


def test_an_internal_traffic_policy_of_local_stays_on_the_node() -> None:
    made = table(service(internalTrafficPolicy="Local"), endpoint("n1", ready=True), endpoint("n2", ready=True))
    assert picked(made, "n2") == ["n2"]
    assert picked(made, "n3") == []
    assert "dropped" in denial(made.of("default", "web", ""))
    assert picked(made, "n3", Client("outside", outside=True)) == ["n1", "n2"]


def test_an_external_traffic_policy_of_local_is_for_clients_outside() -> None:
    spec = {"type": "NodePort", "externalTrafficPolicy": "Local"}
    made = table(service(**spec), endpoint("n1", ready=True), endpoint("n2", ready=True))
    assert picked(made, "n2", Client("outside", outside=True)) == ["n2"]
    assert picked(made, "n3", Client("outside", outside=True)) == []
    assert picked(made, "n3") == ["n1", "n2"]


def test_a_client_stays_with_its_endpoint_under_session_affinity() -> None:
    made = table(service(sessionAffinity="ClientIP"), endpoint("n1", ready=True), endpoint("n2", ready=True))
    after = bound(made, Client("pod", Uid(7)), "n2")
    assert picked(after, client=Client("pod", Uid(7))) == ["n2"]
    assert picked(after, client=Client("pod", Uid(8))) == ["n1", "n2"]
    assert picked(after) == ["n1", "n2"]


def test_without_session_affinity_nothing_is_remembered() -> None:
    made = table(service(), endpoint("n1", ready=True))
    assert bound(made, Client(), "n1") == made


def test_a_client_is_freed_after_the_timeout() -> None:
    config = {"sessionAffinity": "ClientIP", "sessionAffinityConfig": {"clientIP": {"timeoutSeconds": 60}}}
    made = table(service(**config), endpoint("n1", ready=True), endpoint("n2", ready=True))
    (sticky,) = bound(made, Client(), "n2").sticky
    assert picked(replace(made, sticky=frozenset({replace(sticky, last=Age(59))}))) == ["n2"]
    assert picked(replace(made, sticky=frozenset({replace(sticky, last=Age(60))}))) == ["n1", "n2"]


def test_a_client_is_freed_when_its_endpoint_goes() -> None:
    svc = service(sessionAffinity="ClientIP")
    made = table(svc, endpoint("n1", ready=True), endpoint("n2", ready=True))
    proxy = controller()
    now = view(Service=(svc,), EndpointSlice=(slices(endpoint("n1", ready=True)),))
    assert proxy.observe(bound(made, Client(), "n2"), View(now.objects), now).sticky == frozenset()


def test_the_rules_outlive_the_process() -> None:
    made = table(service(), endpoint("n1", ready=True))
    assert crashed(made) == made


def test_endpoints_of_a_slice_without_the_port_are_not_used() -> None:
    made = table(service(ports=[{"port": 80, "name": "http"}]), endpoint("n1", ready=True))
    rules = made.of("default", "web", "http")
    assert rules is not None
    assert rules.backends == frozenset()


def test_hints_keep_traffic_near_and_are_ignored_where_incomplete() -> None:
    near = Backend(NodeName("n1"), "a", zone="z1", zones=("z1",))
    far = Backend(NodeName("n2"), "b", zone="z2", zones=("z2",))
    assert hinted((near, far), "n1", "z1") == (near,)
    assert hinted((near, Backend(NodeName("n3"), "c")), "n1", "z1") == (near, Backend(NodeName("n3"), "c"))
    going = Backend(NodeName("n2"), "b", ready=False, terminating=True, zone="z2", zones=("z2",))
    assert hinted((going, replace(near, ready=False, terminating=True)), "n1", "z1")[0] == going


@given(
    st.lists(
        st.builds(
            Backend, address=st.text(max_size=3), ready=st.booleans(), serving=st.booleans(), terminating=st.booleans()
        )
    )
)
def test_an_unready_endpoint_is_never_used_beside_a_ready_one(backends: list[Backend]) -> None:
    found = usable(backends)
    assert all(each.ready for each in found) or not any(each.ready for each in backends)
