"""Small questions and manifests for the tests of what a person runs."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from tests.systems import node, objects, replica_set

from kythera.model.scenarios.scenario import NO_FAULTS, Scenario
from kythera.model.system import Move, System

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
DRAIN = EXAMPLES / "drain-blocked-by-budget.yaml"

POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "web"},
    "spec": {"containers": [{"name": "web", "image": "web:1", "resources": {"requests": {"cpu": "100m"}}}]},
}


def loaded(documents: Sequence[dict[str, Any]], **scenario: Any) -> Any:
    """What the loader makes of some documents, without files."""
    asked = Scenario(**{"name": "small", "faults": NO_FAULTS, "granularity": "coarse", **scenario})
    return SimpleNamespace(scenario=asked, objects=objects(documents), documents=[], assumptions=[], ignored=[])


def one_pod(**scenario: Any) -> Any:
    """One ReplicaSet of one pod on one node: the smallest question that liveness has something to say about."""
    return loaded([node("n1"), replica_set(1)], **scenario)


def scenario(name: str = "small", **spec: Any) -> dict[str, Any]:
    """A Scenario document of one node, without faults."""
    nodes = [{"count": 1, "namePrefix": "n", "capacity": {"cpu": "1", "memory": "1Gi", "pods": "10"}}]
    given = {"nodes": nodes, "faults": {"crash": 0, "staleness": "none"}, "granularity": "coarse", **spec}
    return {"apiVersion": "kythera/v1alpha1", "kind": "Scenario", "metadata": {"name": name}, "spec": given}


def written(folder: Path, *documents: dict[str, Any]) -> Path:
    """A file of documents (JSON is YAML)."""
    path = folder / "input.yaml"
    path.write_text("\n---\n".join(json.dumps(document) for document in documents), encoding="utf-8")
    return path


def walk(system: System, steps: int, seed: int) -> list[Move]:
    """A run of so many random steps, or fewer if it ends before."""
    chosen, row, moves = random.Random(seed), system.initial, []
    for _ in range(steps):
        possible = list(system.moves(row))
        if not possible:
            break
        moves.append(chosen.choice(possible))
        row = moves[-1].row
    return moves
