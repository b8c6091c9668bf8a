"""The EndpointSlice controller: slices follow the pods, and then rest."""

from __future__ import annotations

from typing import Any

from kythera.model.api.core.node import Node
from kythera.model.api.core.pod import Pod
from kythera.model.api.core.service import Service
from kythera.model.api.decode import Context, decode
from kythera.model.api.discovery import EndpointSlice
from kythera.model.control_plane.controllers.endpointslice import controller, desired_slices
from kythera.model.controller import Step
from kythera.model.record import Age, Uid, replace
from kythera.model.request import Create, Delete, Ref, Update
from kythera.model.view import View, view

CONTROLLER = controller()
KEY = Ref("Service", "default", "web")


def service(**spec: Any) -> Service:
    base = {"selector": {"app": "web"}, "clusterIP": "10.0.0.1", "ports": [{"port": 80, "targetPort": 8080}]}
    return decode(Service, {"metadata": {"name": "web", "namespace": "default"}, "spec": {**base, **spec}}, Context())


def pod(uid: int, ready: bool = True, **metadata: Any) -> Pod:
    data = {
        "metadata": {"generateName": "web-", "namespace": "default", "labels": {"app": "web"}, **metadata},
        "spec": {"nodeName": f"n{uid}", "containers": [{"name": "c", "image": "x"}]},
        "status": {"podIP": "10.0.0.1", "phase": "Running", "conditions": [{"type": "Ready", "status": str(ready)}]},
    }
    made = decode(Pod, data, Context())
    return replace(made, metadata=replace(made.metadata, uid=Uid(uid)))


NODES = tuple(decode(Node, {"metadata": {"name": name}}, Context()) for name in ("n1", "n2"))
BY_NAME = {node.metadata.name: node for node in NODES}


def look(seen: View) -> Step:
    """What the controller does; all nodes that pods are on are seen."""
    (step,) = CONTROLLER.reconcile(None, View(seen.objects.set("Node", NODES)), KEY)
    return step


def test_a_slice_is_made_for_the_ready_pods() -> None:
    (request,) = look(view(Service=(service(),), Pod=(pod(1), pod(2, ready=False)))).requests
    assert isinstance(request, Create)
    made = request.object
    assert isinstance(made, EndpointSlice)
    assert [each.conditions.ready for each in made.endpoints] == [True, False]
    assert [each.port for each in made.ports] == [8080]


def test_nothing_is_written_when_nothing_has_changed() -> None:
    (made,) = desired_slices(service(), [pod(1)], BY_NAME)
    assert look(view(Service=(service(),), Pod=(pod(1),), EndpointSlice=(made,))).requests == ()


def test_a_terminating_pod_stays_listed_but_is_not_ready() -> None:
    (made,) = desired_slices(service(), [pod(1)], BY_NAME)
    going = pod(1)
    going = replace(going, metadata=replace(going.metadata, deletion_timestamp=Age(-30)))
    (request,) = look(view(Service=(service(),), Pod=(going,), EndpointSlice=(made,))).requests
    assert isinstance(request, Update)
    assert isinstance(request.object, EndpointSlice)
    conditions = request.object.endpoints[0].conditions
    assert (conditions.ready, conditions.serving, conditions.terminating) == (False, True, True)


def test_the_slices_of_a_service_that_is_gone_are_deleted() -> None:
    (made,) = desired_slices(service(), [pod(1)], BY_NAME)
    seen = view(Service=(), EndpointSlice=(made,))
    assert [key.name for key in CONTROLLER.keys(seen)] == ["web"]
    assert all(isinstance(request, Delete) for request in look(seen).requests)
    assert len(look(seen).requests) == 1


def test_a_service_without_selector_is_left_alone() -> None:
    assert look(view(Service=(service(selector={}),), Pod=(pod(1),))).requests == ()


def test_the_order_of_endpoints_does_not_depend_on_uids() -> None:
    one, two = pod(1), pod(2)
    (forward,) = desired_slices(service(), [one, two], BY_NAME)
    (backward,) = desired_slices(service(), [two, one], BY_NAME)
    assert forward == backward
