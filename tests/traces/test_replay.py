"""Replay: a trace leads to the same states again, or it is told at which step and in which slot it does not."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.traces.small import DRAIN

from kythera.model.scenarios.loader import load
from kythera.traces.check import check
from kythera.traces.cli import main
from kythera.traces.commands import write_traces
from kythera.traces.format import Trace, TraceStep, save
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


def places(data: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of every value of a piece of plain data."""
    inner = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    return [path, *(place for key, value in inner for place in places(value, (*path, key)))]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just("\ud800"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_whatever_a_trace_holds_there_is_a_verdict_or_one_line_for_each_mistake(
    recorded: Trace, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """Any JSON value at any place of a trace: exit code 0, 1 or 2, and never a traceback."""
    file = tmp_path_factory.getbasetemp() / "fuzzed.json"
    save(recorded, file)
    content = [copy.deepcopy(json.loads(file.read_text()))]
    *around, last = (0, *data.draw(st.sampled_from(places(content[0]))))
    inside: Any = content
    for key in around:
        inside = inside[key]
    inside[last] = data.draw(JSON)
    file.write_text(json.dumps(content[0]))
    found = CliRunner().invoke(main, ["replay", str(file)])
    assert found.exception is None or isinstance(found.exception, SystemExit), found.exception
    assert found.exit_code in (0, 1, 2)
    assert (found.exit_code == 2) == bool(found.stderr)
    assert found.exit_code != 2 or all(line.startswith(str(file)) for line in found.stderr.splitlines())
