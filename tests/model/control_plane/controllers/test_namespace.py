"""The namespace controller: pods go first, then the rest, then the namespace."""

from __future__ import annotations

from typing import Any

from tests.systems import deployment, event, node, question

from kythera.model.api.core.cluster import ConfigMap, Namespace, NamespaceSpec
from kythera.model.api.core.pod import Pod
from kythera.model.api.meta import ObjectMeta
from kythera.model.control_plane.controllers.namespace import controller
from kythera.model.controller import Step
from kythera.model.record import Age, Uid
from kythera.model.request import Delete, Update, ref_of
from kythera.model.view import view

TEAM = Namespace(ObjectMeta("team", uid=Uid(1), deletion_timestamp=Age(0)), NamespaceSpec(("kubernetes",)))
MAP = ConfigMap(ObjectMeta("settings", namespace="team", uid=Uid(2)))
ELSEWHERE = ConfigMap(ObjectMeta("settings", namespace="default", uid=Uid(3)))
POD = Pod(ObjectMeta("", generate_name="web-", namespace="team", uid=Uid(4)))


def look(*objects: Any, namespace: Namespace = TEAM) -> Step:
    """What it does about the namespace."""
    pods = tuple(obj for obj in objects if isinstance(obj, Pod))
    maps = tuple(obj for obj in objects if isinstance(obj, ConfigMap))
    seen = view(Namespace=(namespace,), Pod=pods, ConfigMap=maps)
    (step,) = controller((ConfigMap, Pod)).reconcile(None, seen, ref_of(namespace))
    return step


def test_pods_go_first() -> None:
    (request,) = look(MAP, POD, ELSEWHERE).requests
    assert request == Delete(ref_of(POD), propagation_policy="Background")


def test_nothing_else_goes_while_a_pod_is_left() -> None:
    leaving = Pod(ObjectMeta("a", namespace="team", uid=Uid(5), deletion_timestamp=Age(-30)))
    assert look(MAP, leaving).requests == ()


def test_then_all_the_rest_goes_but_nothing_of_other_namespaces() -> None:
    (request,) = look(MAP, ELSEWHERE).requests
    assert isinstance(request, Delete)
    assert (request.ref.namespace, request.ref.name) == ("team", "settings")


def test_an_empty_namespace_is_let_go() -> None:
    (request,) = look(ELSEWHERE).requests
    assert isinstance(request, Update)
    assert request.subresource == "finalize"
    assert request.object.spec.finalizers == ()  # type: ignore[attr-defined]


def test_a_namespace_that_nobody_deletes_is_left_alone() -> None:
    alive = Namespace(ObjectMeta("team", uid=Uid(1)), NamespaceSpec(("kubernetes",)))
    assert look(MAP, namespace=alive).requests == ()
    assert list(controller().keys(view(Namespace=(alive,)))) == []


def test_a_deleted_namespace_goes_with_all_that_is_in_it() -> None:
    team: dict[str, Any] = {"kind": "Namespace", "metadata": {"name": "team"}, "spec": {"finalizers": ["kubernetes"]}}
    web = deployment(1)
    web["metadata"]["namespace"] = "team"
    bye = event("bye", "delete", "namespace/team")
    system = question([node("n1"), team, web], events=(bye,)).system
    seen, ahead, ends = {system.initial}, [system.initial], 0
    while ahead:
        row = ahead.pop()
        moves = list(system.moves(row))
        if not moves:
            ends += 1
            left = [row[i] for i, slot in enumerate(system.slots) if slot.kind not in ("", "Node")]
            assert set(left) == {()}
        fresh = {move.row for move in moves} - seen
        seen |= fresh
        ahead += fresh
    assert ends
    assert len(seen) < 500


def test_it_is_there_only_where_a_namespace_is_deleted() -> None:
    bye = event("bye", "delete", "deployment/web")
    system = question([node("n1"), deployment(1)], events=(bye,)).system
    assert all(process.name != "namespace" for process in system.processes)
