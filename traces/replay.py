"""Run a trace again: the same states on the same model, or the step and the slot at which a later model differs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from kythera.model.scenarios.compile import compile_system
from kythera.model.scenarios.loader import Loaded, load_documents
from kythera.model.system import Move, System
from kythera.traces.format import Trace, action_text, fingerprints, readable


@dataclass(slots=True)
class Replay:
    """What became of a trace: its moves as far as they go, and the first difference, if there is one."""

    loaded: Loaded
    system: System
    moves: list[Move] = field(default_factory=list)
    difference: str = ""


def replay(trace: Trace) -> Replay:
    """Take the steps of a trace one after the other, comparing every slot."""
    loaded = load_documents(list(trace.documents))
    system = compile_system(loaded.objects, loaded.scenario, trace.rung)
    found = Replay(loaded, system)
    row = system.initial
    expected = dict(trace.initial)
    found.difference = _compare("in the first state", expected, fingerprints(system, row))
    for n, step in enumerate(trace.steps, 1):
        if found.difference:
            break
        expected.update(step.slots)
        possible = [move for move in system.moves(row) if action_text(move) == step.action]
        if not possible:
            found.difference = f"at step {n}: the action is not possible any more: {readable(step.action)}"
            break
        # Several moves may look alike; the one that leads to the recorded state is meant.
        move = next((m for m in possible if fingerprints(system, m.row) == expected), possible[0])
        found.moves.append(move)
        row = move.row
        found.difference = _compare(f"at step {n}", expected, fingerprints(system, row))
    return found


def _compare(where: str, expected: Mapping[str, str], found: Mapping[str, str]) -> str:
    missing = sorted(set(expected) ^ set(found))
    if missing:
        return f"{where}: slots differ: {', '.join(missing)} exist on one side only"
    wrong = sorted(name for name in expected if expected[name] != found[name])
    return f"{where}: the model now differs in {', '.join(wrong)}" if wrong else ""
