"""kube-proxy: the table follows the slices, and a connection picks among what the table shows."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kythera.model.api.core.service import Service
from kythera.model.api.decode import Context, decode
from kythera.model.api.discovery import EndpointSlice
from kythera.model.node.kube_proxy import Backend, Table, connected, controller, desired_rules, hinted, pick, usable
from kythera.model.record import NodeName
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


def places(backends: tuple[Backend, ...]) -> list[str | None]:
    return [each.node for each in backends]


def test_connections_go_to_ready_endpoints_only() -> None:
    made = table(service(), endpoint("n1", ready=True), endpoint("n2", ready=False, serving=True, terminating=True))
    assert places(pick(made, "default", "web", "", "n3")) == ["n1"]


def test_without_a_ready_endpoint_those_that_serve_while_terminating_are_used() -> None:
    made = table(
        service(),
        endpoint("n1", ready=False, serving=False),
        endpoint("n2", ready=False, serving=True, terminating=True),
    )
    assert places(pick(made, "default", "web", "", "n3")) == ["n2"]


def test_a_service_without_endpoints_refuses_connections() -> None:
    assert pick(table(service()), "default", "web", "", "n1") == ()
    assert pick(table(service()), "default", "other", "", "n1") == ()


def test_an_internal_traffic_policy_of_local_stays_on_the_node() -> None:
    made = table(service(internalTrafficPolicy="Local"), endpoint("n1", ready=True), endpoint("n2", ready=True))
    assert places(pick(made, "default", "web", "", "n2")) == ["n2"]
    assert pick(made, "default", "web", "", "n3") == ()


def test_a_client_stays_with_its_endpoint_under_session_affinity() -> None:
    made = table(service(sessionAffinity="ClientIP"), endpoint("n1", ready=True), endpoint("n2", ready=True))
    second = pick(made, "default", "web", "", "n3", client="c")[1]
    bound = connected(made, "default", "web", "", "c", second)
    assert pick(bound, "default", "web", "", "n3", client="c") == (second,)
    assert len(pick(bound, "default", "web", "", "n3", client="d")) == 2


def test_a_client_is_freed_when_its_endpoint_goes() -> None:
    svc = service(sessionAffinity="ClientIP")
    made = table(svc, endpoint("n1", ready=True), endpoint("n2", ready=True))
    bound = connected(made, "default", "web", "", "c", made.rules[0].backends[1])
    proxy = controller()
    now = view(Service=(svc,), EndpointSlice=(slices(endpoint("n1", ready=True)),))
    assert proxy.observe(bound, View(now.objects), now).sticky == ()


def test_hints_keep_traffic_near_and_are_ignored_where_incomplete() -> None:
    near = Backend(NodeName("n1"), "a", zone="z1", zones=("z1",))
    far = Backend(NodeName("n2"), "b", zone="z2", zones=("z2",))
    assert hinted((near, far), "n1", "z1") == (near,)
    assert hinted((near, Backend(NodeName("n3"), "c")), "n1", "z1") == (near, Backend(NodeName("n3"), "c"))


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
