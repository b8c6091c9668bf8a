"""Small objects and stores for the tests of the API server."""

from __future__ import annotations

from typing import Any

from kythera.model.api.core.container import Container
from kythera.model.api.core.pod import Pod, PodSpec
from kythera.model.api.meta import Condition, LabelSelector, ObjectMeta
from kythera.model.api.policy import PodDisruptionBudget, PodDisruptionBudgetSpec, PodDisruptionBudgetStatus
from kythera.model.control_plane.apiserver.admission import add_default_tolerations
from kythera.model.control_plane.apiserver.defaulting import default
from kythera.model.control_plane.apiserver.handler import handle
from kythera.model.controller import Reply
from kythera.model.record import Map, NodeName, Record, Uid, replace
from kythera.model.request import Request
from kythera.model.view import View, view

LABELS = Map({"app": "w"})


def pod(name: str = "a", **spec: Any) -> Pod:
    """A pod of one container, as a user would write it."""
    return Pod(ObjectMeta(name, namespace="default", labels=LABELS), PodSpec((Container("c", "i:1"),), **spec))


def running(uid: int, ready: bool = True, node: str = "n1", **metadata: Any) -> Pod:
    """A stored pod with a generated name that runs on a node."""
    meta = ObjectMeta(generate_name="w-", namespace="default", uid=Uid(uid), labels=LABELS, generation=1, **metadata)
    made = replace(pod(), metadata=meta)
    spec = replace(made.spec, node_name=NodeName(node), termination_grace_period_seconds=30)
    conditions = (Condition("Ready", "True" if ready else "False"),)
    made = replace(made, spec=spec, status=replace(made.status, phase="Running", conditions=conditions))
    return add_default_tolerations(default(made))


def budget(name: str = "p", **status: Any) -> PodDisruptionBudget:
    """A stored budget over the pods above."""
    return PodDisruptionBudget(
        ObjectMeta(name, namespace="default", uid=Uid(100), generation=1),
        PodDisruptionBudgetSpec(min_available=1, selector=LabelSelector(LABELS)),
        PodDisruptionBudgetStatus(**{"observed_generation": 1, **status}),
    )


def after(store: View, *requests: Request) -> tuple[View, Reply]:
    """The store and the last answer after some requests; uids count from 1."""
    reply = Reply(0)
    for number, request in enumerate(requests, 1):
        store, reply = handle(store, request, fresh=number)
    return store, reply


def only(store: View, kind: str) -> Any:
    """The only object of a kind."""
    (found,) = store.objects[kind]
    return found


def stored(*objects: Record) -> View:
    """A store that holds some objects of one kind each."""
    kinds: dict[str, tuple[Record, ...]] = {"Pod": (), "PodDisruptionBudget": ()}
    for obj in objects:
        kinds[type(obj).__name__] = (*kinds.get(type(obj).__name__, ()), obj)
    return view(**kinds)
