"""The trace file: what is written is read again, and what is no trace is refused in one sentence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.systems import node, replica_set, system
from tests.traces.small import walk

from kythera.model.scenarios.scenario import Faults, Rung
from kythera.traces.format import NotATrace, Trace, TraceStep, action_text, fingerprints, load, readable, save, steps_of

RUNG = Rung("fine", Faults(crash=2, staleness="timeTravel"), "adversarial")
STEPS = [TraceStep('["a", "work", [["key", "Pod//x"]]]', {"objects/Pod": "00ff"})]
TRACE = Trace("0.1.0", [{"kind": "Pod"}], RUNG, "p", "p holds", "broken", {"objects/Pod": "ff00"}, STEPS, 0)


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    save(TRACE, tmp_path / "t.json")
    assert load(tmp_path / "t.json") == TRACE


def test_the_same_run_is_always_the_same_file() -> None:
    made = [system([node("n1"), node("n2"), replica_set(2)]) for _ in range(2)]
    first, second = (steps_of(each, walk(each, 20, 3)) for each in made)
    assert first == second


def test_a_step_holds_the_slots_that_it_changed_and_no_others() -> None:
    made = system([node("n1"), replica_set(1)])
    moves = walk(made, 20, 1)
    initial, steps = steps_of(made, moves)
    known = dict(initial)
    for move, step in zip(moves, steps, strict=True):
        after = fingerprints(made, move.row)
        assert all(known[name] != value for name, value in step.slots.items())
        known.update(step.slots)
        assert known == after


def test_actions_tell_the_moves_out_of_a_state_apart() -> None:
    made = system([node("n1"), node("n2"), replica_set(2)])
    for move in walk(made, 15, 2):
        texts = [action_text(each) for each in made.moves(move.row)]
        rows = [each.row for each in made.moves(move.row)]
        assert len({*zip(texts, rows, strict=True)}) == len(texts)


def test_an_action_reads_as_people_write_it() -> None:
    assert readable('["kube-scheduler", "work", [["key", "Pod/default/web"], ["node", "n1"]]]') == (
        "kube-scheduler.work(key=Pod/default/web, node=n1)"
    )
    assert readable("anything") == "anything"


def damaged(change: Any, tmp_path: Path) -> Path:
    save(TRACE, tmp_path / "t.json")
    data = json.loads((tmp_path / "t.json").read_text())
    change(data)
    (tmp_path / "t.json").write_text(json.dumps(data))
    return tmp_path / "t.json"


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda data: data.pop("format"), "format: found null, expected 'kythera-trace/1'"),
        (lambda data: data.update(format="kythera-trace/9"), "found 'kythera-trace/9'"),
        (lambda data: data.pop("steps"), "it has no steps"),
        (lambda data: data.update(steps=3), "steps: found 3, expected a list"),
        (lambda data: data["steps"].append(3), r"steps\[1\]: found 3, expected an object"),
        (lambda data: data["steps"][0].update(slots=["a"]), r"steps\[0\].slots: found a list, expected an object"),
        (lambda data: data["steps"][0]["slots"].update(a=1), r"steps\[0\].slots.a: found 1, expected text"),
        (lambda data: data.update(property=["p"]), "property: found a list, expected text"),
        (lambda data: data.update(message=None), "message: found null, expected text"),
        (
            lambda data: data.update(loop_from="x"),
            "loop_from: found 'x', expected null or the number of a step, from 0 to 1",
        ),
        (lambda data: data.update(loop_from=999), "found 999"),
        (lambda data: data.update(loop_from=-3), "found -3"),
        (lambda data: data.update(loop_from=True), "found True"),
        (lambda data: data.update(steps=[], loop_from=1), "from 0 to 0"),
        (lambda data: data["rung"]["faults"].update(crash="many"), "rung.faults.crash: found 'many', expected a whole"),
        (lambda data: data["rung"]["faults"].update(staleness=[]), "rung.faults.staleness: found a list"),
        (lambda data: data["rung"].update(granularity="medium"), "medium"),
        (lambda data: data["rung"]["faults"].update(flood=1), "flood: this version knows no such fault"),
    ],
)
def test_what_is_wrong_with_a_trace_is_said(change: Any, text: str, tmp_path: Path) -> None:
    with pytest.raises(NotATrace, match=text):
        load(damaged(change, tmp_path))


def test_what_is_no_trace_at_all_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("[1]")
    (tmp_path / "b.json").write_text("kind: Pod")
    (tmp_path / "c.json").write_bytes(b"\xff\xfe\x00")
    for name, text in (("a", "expected 'kythera-trace/1'"), ("b", "not JSON"), ("c", "cannot be read"), ("d", "read")):
        with pytest.raises(NotATrace, match=text):
            load(tmp_path / f"{name}.json")
    with pytest.raises(NotATrace, match="cannot be read"):
        load(tmp_path)
