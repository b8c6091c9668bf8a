"""What several statements read off a question or a state."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from kythera.model.api.apps import Deployment, ReplicaSet
from kythera.model.api.core.pod import Pod
from kythera.model.api.pods import controller_of
from kythera.model.record import Record
from kythera.properties.statement import Question, among


def title(obj: Record) -> str:
    """What an object is called in a failure text: its name, or generateName and uid where that is generated."""
    meta: Any = obj.metadata  # type: ignore[attr-defined]
    return str(meta.name or f"{meta.generate_name}{meta.uid}")


def makes_pods(question: Question) -> bool:
    """Whether there are pods, or somebody might make some."""
    owners: tuple[ReplicaSet | Deployment, ...] = (*question.of(ReplicaSet), *question.of(Deployment))
    later = any(event.verb in ("apply", "scale") for event in question.scenario.events)
    return later or bool(question.of(Pod)) or any(wanted_replicas(each) for each in owners)


def wanted_replicas(owner: ReplicaSet | Deployment) -> int:
    """How many pods it asks for; 1 where it doesn't say."""
    return 1 if owner.spec.replicas is None else owner.spec.replicas


def pods_of(owner: ReplicaSet, pods: Iterable[Pod]) -> list[Pod]:
    """The pods that a ReplicaSet controls."""
    found = []
    for pod in pods:
        controller = controller_of(pod)
        if controller is not None and controller.uid == owner.metadata.uid:
            found.append(pod)
    return found


def sets_of(owner: Deployment, sets: Iterable[Record]) -> list[ReplicaSet]:
    """The ReplicaSets that a Deployment controls, without those on their way out."""
    found = []
    for each in among(sets, ReplicaSet):
        controller = controller_of(each)
        if controller is not None and controller.uid == owner.metadata.uid and each.metadata.deletion_timestamp is None:
            found.append(each)
    return found


def by_uid(objects: Iterable[Any]) -> dict[int | None, Any]:
    """Objects by their uids."""
    return {obj.metadata.uid: obj for obj in objects}


def view_slot(question: Question, process: str, kind: str) -> str:
    """The slot that holds what a process sees of a kind."""
    seen = f"seen/{process}/{kind}"
    return seen if question.has(seen) else f"objects/{kind}"
