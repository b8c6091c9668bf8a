"""bind-once: a pod that has a node keeps it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kythera.model.api.core.pod import Pod
from kythera.model.rule import Action
from kythera.properties.property import AnyProperty, StepInvariant
from kythera.properties.reading import by_uid, makes_pods, title
from kythera.properties.statement import Question, Statement, among


def _bind(statement: Statement, question: Question) -> Sequence[AnyProperty]:
    if not makes_pods(question):
        return []
    return [StepInvariant(**statement.words(), slots=("objects/Pod",), broken=broken, applies=bool)]


def broken(before: tuple[Any, ...], after: tuple[Any, ...], action: Action) -> str | None:
    """Which pod was on a node, and is on another or on none after a step."""
    if before == after:
        return None
    now = by_uid(among(after[0], Pod))
    for pod in among(before[0], Pod):
        new = now.get(pod.metadata.uid)
        node = pod.spec.node_name
        if node is not None and new is not None and new.spec.node_name != node:
            return f"pod {title(pod)} was bound to {node}, and is now bound to {new.spec.node_name or 'no node'}"
    return None


BIND_ONCE = Statement(
    "bind-once",
    "step invariant",
    "A pod's nodeName is set at most once.",
    "pkg/registry/core/pod/storage/storage.go setPodNodeAndMetadata; pkg/apis/core/validation ValidatePodUpdate",
    "always",
    "apiserver.binding=overwrite",
    _bind,
)
