"""What the kubelet concludes from a container's answers."""

from __future__ import annotations

import pytest

from kythera.model.api.core.container import Container, Probe
from kythera.model.node.kubelet.probes import probed, seconds_to_conclude
from kythera.model.node.kubelet.state import NodeState
from kythera.model.node.runtime.runtime import RuntimeContainer, RuntimeState, container
from kythera.model.normalise import older
from kythera.model.record import Age, Uid

POD = Uid(1)


def look(state: NodeState, spec: Container, timed: bool = True) -> tuple[NodeState, str]:
    found = container(state.runtime, POD, spec.name)
    assert found is not None
    return probed(state, spec, found, timed)


def node(**fields: object) -> NodeState:
    return NodeState(runtime=RuntimeState(containers=(RuntimeContainer(POD, "a", **fields),)))  # type: ignore[arg-type]


def later(state: NodeState, seconds: int) -> NodeState:
    return older(state, seconds, {"RuntimeContainer.running_for": 600})  # type: ignore[no-any-return]


def is_(state: NodeState) -> tuple[bool, bool]:
    found = state.runtime.containers[0]
    return found.started, found.ready


@pytest.mark.parametrize(
    ("probe", "running_for", "success", "seconds"),
    [
        (Probe(), 0, False, 20),
        (Probe(), 0, True, 0),
        (Probe(period_seconds=5, failure_threshold=1), 0, False, 0),
        (Probe(initial_delay_seconds=30, period_seconds=5, failure_threshold=2), 10, False, 25),
        (Probe(initial_delay_seconds=30, period_seconds=5, success_threshold=3), 60, True, 10),
    ],
)
def test_a_conclusion_takes_the_initial_delay_and_then_the_threshold(
    probe: Probe, running_for: int, success: bool, seconds: int
) -> None:
    assert seconds_to_conclude(probe, running_for, success) == seconds


def test_without_probes_a_running_container_is_started_and_ready() -> None:
    state, failure = look(node(), Container("a"))
    assert (is_(state), failure) == ((True, True), "")


def test_nothing_else_is_asked_before_the_startup_probe_succeeds() -> None:
    spec = Container("a", startup_probe=Probe(), liveness_probe=Probe(failure_threshold=1))
    state, failure = look(node(answers_in=Age(-15)), spec)
    assert (is_(state), failure) == ((False, False), "")
    state, failure = look(later(state, 15), spec)
    assert (is_(state), failure) == ((True, True), "")


def test_a_startup_probe_that_fails_for_too_long_kills() -> None:
    spec = Container("a", startup_probe=Probe(period_seconds=1, failure_threshold=6))
    state, _ = look(node(answers_in=Age(-60)), spec)
    assert look(later(state, 4), spec)[1] == ""
    assert look(later(state, 5), spec)[1] == "the startup probe fails"


def test_an_answer_that_comes_back_in_time_changes_nothing() -> None:
    spec = Container("a", readiness_probe=Probe())
    ready = node(started=True, ready=True, answers_ready=False)
    waiting, _ = look(ready, spec)
    assert waiting.kubelet.timers[0].due == -20
    back = NodeState(waiting.kubelet, node(started=True, ready=True).runtime)
    state, _ = look(later(back, 19), spec)
    assert (is_(state), state.kubelet.timers) == ((True, True), ())
    state, _ = look(later(waiting, 20), spec)
    assert (is_(state), state.kubelet.timers) == ((True, False), ())


def test_where_time_doesnt_count_an_answer_counts_at_once() -> None:
    spec = Container("a", liveness_probe=Probe(), readiness_probe=Probe())
    state, failure = look(node(started=True, ready=True, answers_ready=False), spec, timed=False)
    assert (is_(state), failure) == ((True, False), "")
    assert look(node(started=True, ready=True, answers_live=False), spec, timed=False)[1] == "the liveness probe fails"
    assert look(node(answers_in=Age(-9)), spec, timed=False)[1] == ""  # it will answer: nobody is impatient
