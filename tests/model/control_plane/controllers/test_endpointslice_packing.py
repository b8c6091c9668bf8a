"""Packing of EndpointSlices: what stays where it is, what is filled up, and what goes."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kythera.model.api.core.node import Node
from kythera.model.api.core.pod import Pod
from kythera.model.api.core.service import Service
from kythera.model.api.decode import Context, decode
from kythera.model.api.discovery import EndpointSlice
from kythera.model.control_plane.controllers.endpointslice import controller, desired_slices
from kythera.model.record import Age, Map, Uid, replace
from kythera.model.request import Create, Delete, Ref, Request, Update
from kythera.model.view import view

KEY = Ref("Service", "default", "web")
NODES = (decode(Node, {"metadata": {"name": "n1"}}, Context()),)
Slices = dict[str, EndpointSlice]


def service(uid: int = 1000, **spec: Any) -> Service:
    base = {"selector": {"app": "web"}, "clusterIP": "10.0.0.1", "ports": [{"port": 80, "targetPort": "http"}]}
    made = decode(Service, {"metadata": {"name": "web", "namespace": "default"}, "spec": {**base, **spec}}, Context())
    return replace(made, metadata=replace(made.metadata, uid=Uid(uid)))


def pod(number: int, ready: bool = True, port: int = 8080, address: str = "") -> Pod:
    container = {"name": "c", "image": "x", "ports": [{"name": "http", "containerPort": port}]}
    data = {
        "metadata": {"generateName": "web-", "namespace": "default", "labels": {"app": "web"}},
        "spec": {"nodeName": "n1", "containers": [container]},
        "status": {
            "podIP": address or f"10.0.0.{number}",
            "phase": "Running",
            "conditions": [{"type": "Ready", "status": str(ready)}],
        },
    }
    made = decode(Pod, data, Context())
    return replace(made, metadata=replace(made.metadata, uid=Uid(number)))


def requests(pods: list[Pod], existing: Slices, most: int = 2, of: Service | None = None) -> tuple[Request, ...]:
    """What the controller asks for, with so many endpoints in a slice."""
    reconcile = controller({"max-endpoints-per-slice": str(most)}).reconcile
    seen = view(Service=(of or service(),), Pod=tuple(pods), Node=NODES, EndpointSlice=tuple(existing.values()))
    (step,) = reconcile(None, seen, KEY)
    return step.requests


def after(asked: tuple[Request, ...], existing: Slices) -> Slices:
    """The slices after the requests were carried out."""
    found = dict(existing)
    for each in asked:
        if isinstance(each, Delete):
            del found[each.ref.name]
        else:
            assert isinstance(each, (Create, Update))
            assert isinstance(each.object, EndpointSlice)
            assert (each.object.metadata.name in found) == isinstance(each, Update)
            found[each.object.metadata.name] = each.object
    return found


def reconciled(pods: list[Pod], existing: Slices, most: int = 2, of: Service | None = None) -> Slices:
    """The slices after the controller has looked, which then has nothing more to do."""
    found = after(requests(pods, existing, most, of), existing)
    assert requests(pods, found, most, of) == ()
    return found


def listed(slices: Slices) -> list[list[str]]:
    """The addresses in each slice."""
    return [[each.addresses[0] for each in slices[name].endpoints] for name in sorted(slices)]


def test_a_slice_holds_no_more_than_is_allowed() -> None:
    found = reconciled([pod(n) for n in range(1, 6)], {})
    assert sorted(map(len, listed(found))) == [1, 2, 2]
    assert set(found) == {"web-ipv4", "web-ipv4-2", "web-ipv4-3"}


def test_a_hundred_endpoints_share_a_slice_where_nothing_else_is_said() -> None:
    pods = [pod(n, address=f"10.0.{n // 250}.{n % 250}") for n in range(1, 151)]
    assert sorted(len(each.endpoints) for each in desired_slices(service(), pods, {"n1": NODES[0]})) == [50, 100]


def test_a_new_endpoint_goes_into_the_slice_that_has_room() -> None:
    before = reconciled([pod(1), pod(2), pod(3)], {})
    (update,) = requests([pod(1), pod(2), pod(3), pod(4)], before)
    assert isinstance(update, Update)
    assert [each.addresses for each in update.object.endpoints] == [("10.0.0.3",), ("10.0.0.4",)]  # type: ignore[attr-defined]


def test_a_new_endpoint_goes_into_a_slice_that_changes_anyway() -> None:
    before = reconciled([pod(1), pod(2), pod(3)], {}, most=3)
    assert len(requests([pod(1), pod(3), pod(4)], before, most=3)) == 1
    full = reconciled([pod(n) for n in (1, 2, 3, 4)], {})
    moved = reconciled([pod(n) for n in (1, 3, 4, 5)], full)
    assert listed(moved) == [["10.0.0.1", "10.0.0.5"], ["10.0.0.3", "10.0.0.4"]]


def test_slices_are_not_put_together_when_endpoints_go() -> None:
    before = reconciled([pod(n) for n in (1, 2, 3, 4)], {})
    assert listed(reconciled([pod(1), pod(3)], before)) == [["10.0.0.1"], ["10.0.0.3"]]


def test_a_slice_that_would_be_empty_goes_and_the_last_one_stays_as_a_placeholder() -> None:
    before = reconciled([pod(1), pod(2), pod(3)], {})
    assert listed(reconciled([pod(1), pod(2)], before)) == [["10.0.0.1", "10.0.0.2"]]
    left = reconciled([], before)
    assert listed(left) == [[]]
    assert [each.ports for each in left.values()] == [()]


def test_pods_whose_named_port_differs_have_slices_of_their_own() -> None:
    found = reconciled([pod(1), pod(2, port=9090), pod(3)], {})
    assert {each.ports[0].port: len(each.endpoints) for each in found.values()} == {8080: 2, 9090: 1}


def test_ports_in_another_order_are_the_same_ports() -> None:
    both = [{"name": "a", "port": 1, "targetPort": 1}, {"name": "b", "port": 2, "targetPort": 2}]
    before = reconciled([pod(1)], {}, of=service(ports=both))
    assert requests([pod(1)], before, of=service(ports=both[::-1])) == ()


def test_slices_of_an_earlier_service_of_the_same_name_are_replaced() -> None:
    before = reconciled([pod(1)], {}, of=service(uid=7))
    asked = requests([pod(1)], before)
    assert [type(each) for each in asked] == [Create, Delete]
    found = after(asked, before)
    assert list(found) == ["web-ipv4-2"]
    assert found["web-ipv4-2"].metadata.owner_references[0].uid == 1000


def test_nothing_is_created_for_a_service_that_is_being_deleted() -> None:
    going = service()
    going = replace(going, metadata=replace(going.metadata, deletion_timestamp=Age(0)))
    assert requests([pod(1)], {}, of=going) == ()


def test_labels_of_the_service_are_carried_over() -> None:
    before = reconciled([pod(1)], {})
    labelled = service()
    labelled = replace(labelled, metadata=replace(labelled.metadata, labels=Map({"team": "shop"})))
    (found,) = reconciled([pod(1)], before, of=labelled).values()
    assert found.metadata.labels["team"] == "shop"
    assert found.metadata.labels["kubernetes.io/service-name"] == "web"


def test_slices_of_an_address_family_that_the_service_has_given_up_are_deleted() -> None:
    both = service(ipFamilies=["IPv4", "IPv6"])
    before = reconciled([pod(1)], {}, of=both)
    assert set(before) == {"web-ipv4", "web-ipv6"}
    assert set(reconciled([pod(1)], before, of=service(ipFamilies=["IPv4"]))) == {"web-ipv4"}


@given(st.lists(st.frozensets(st.tuples(st.integers(1, 12), st.booleans()), max_size=8), max_size=5), st.integers(1, 4))
def test_whatever_came_before_each_pod_is_listed_once_and_as_it_is(
    history: list[frozenset[tuple[int, bool]]], most: int
) -> None:
    slices: Slices = {}
    for now in history:
        by_number = dict(sorted(now))
        slices = reconciled([pod(n, ready) for n, ready in by_number.items()], slices, most)
        found = [each for one in slices.values() for each in one.endpoints]
        assert sorted((int(each.addresses[0].rpartition(".")[2]), each.conditions.ready) for each in found) == sorted(
            by_number.items()
        )
        assert all(len(one.endpoints) <= most for one in slices.values())
        assert len(slices) == 1 or all(one.endpoints for one in slices.values())
