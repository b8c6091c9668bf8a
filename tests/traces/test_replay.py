"""Replay: a trace leads to the same states again, or it is told at which step and in which slot it does not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.traces.small import DRAIN

from kythera.model.scenarios.loader import load
from kythera.traces.check import check
from kythera.traces.commands import write_traces
from kythera.traces.format import Trace, TraceStep
from kythera.traces.format import load as load_trace
from kythera.traces.replay import replay


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Trace:
    """The trace of a drain that never ends."""
    files = write_traces(check(load([DRAIN])), tmp_path_factory.mktemp("traces"))
    return load_trace(files["drains-complete"])


def test_a_trace_leads_to_the_same_states(recorded: Trace) -> None:
    found = replay(recorded)
    assert found.difference == ""
    assert len(found.moves) == len(recorded.steps)


def test_a_trace_needs_no_other_file(recorded: Trace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert replay(recorded).difference == ""


def test_a_changed_state_is_told_with_its_step_and_slot(recorded: Trace) -> None:
    steps = list(recorded.steps)
    slot = next(iter(steps[2].slots))
    steps[2] = TraceStep(steps[2].action, {**steps[2].slots, slot: "0" * 16})
    found = replay(replace(recorded, steps=steps))
    assert found.difference.startswith("at step 3: ")
    assert slot in found.difference
    assert len(found.moves) == 3, "the steps up to there are shown"


def test_a_changed_first_state_is_told(recorded: Trace) -> None:
    slot = "objects/Node"
    found = replay(replace(recorded, initial={**recorded.initial, slot: "0" * 16}))
    assert found.difference == f"in the first state: the model now differs in {slot}"
    assert not found.moves


def test_a_slot_that_is_not_there_any_more_is_told(recorded: Trace) -> None:
    found = replay(replace(recorded, initial={**recorded.initial, "local/weather": "0" * 16}))
    assert "local/weather" in found.difference


def test_an_action_that_is_not_possible_any_more_is_told_with_its_step(recorded: Trace) -> None:
    steps = list(recorded.steps)
    steps[1] = TraceStep('["kube-scheduler", "bind", [["node", "n9"]]]', steps[1].slots)
    found = replay(replace(recorded, steps=steps))
    assert found.difference == ("at step 2: the action is not possible any more: kube-scheduler.bind(node=n9)")
    assert len(found.moves) == 1
