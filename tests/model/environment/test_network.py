"""Cut links, in whole small clusters: they last any time, and heal in the end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.systems import deployment, node, question

from kythera.model.api.core.node import Node
from kythera.model.api.core.pod import Pod
from kythera.model.api.pods import condition, is_ready, is_terminating
from kythera.model.host import UP
from kythera.model.rule import CLOCK, COMPONENT
from kythera.model.scenarios.scenario import Faults
from kythera.model.symmetry import Row
from kythera.model.system import ADVERSARIAL, PROMPT, Move, System

CUT = Faults(crash=0, partition=1, staleness="none")


class Run:
    """One way through a system: the first step of those that are asked for."""

    def __init__(self, system: System) -> None:
        self.system = system
        self.row: Row = system.initial
        self.seconds = 0

    def go(self, wanted: Callable[[Move], bool]) -> bool:
        """Take a step, if there is one."""
        for move in self.system.moves(self.row):
            if wanted(move):
                self.row, self.seconds = move.row, self.seconds + move.seconds
                return True
        return False

    def settle(self) -> None:
        """Let the components do all they can."""
        while self.go(lambda move: move.actor == COMPONENT):
            pass

    def wait(self) -> None:
        """Let all the time pass that anybody waits for."""
        self.settle()
        while self.go(lambda move: move.actor == CLOCK):
            self.settle()

    def take(self, process: str, rule: str) -> None:
        """Take the step of a process."""
        assert self.go(lambda move: (move.action.process, move.action.rule) == (process, rule))

    def running(self, name: str) -> int:
        """How many containers run on a node."""
        containers = self["local/kubelet/" + name].runtime.containers
        return sum(each.state == "running" for each in containers)

    def pods(self) -> tuple[Pod, ...]:
        """The stored pods."""
        found: tuple[Pod, ...] = self["objects/Pod"]
        return found

    def ready(self, name: str) -> str:
        """What is known of a node."""
        nodes: dict[str, Node] = {each.metadata.name: each for each in self["objects/Node"]}
        found = condition(nodes[name].status.conditions, "Ready")
        return found.status if found is not None else ""

    def __getitem__(self, slot: str) -> Any:
        return self.row[self.system.index[slot]]


def cut(**more: Any) -> Run:
    """A Deployment of one pod whose node has just been cut off."""
    run = Run(question([node("n1"), node("n2"), deployment(1)], CUT, symmetry=False, **more).system)
    run.settle()
    (pod,) = run.pods()
    assert pod.spec.node_name == "n1"
    run.take("network/node/n1", "cut")
    return run


def test_in_a_long_partition_the_pods_of_the_node_are_replaced_and_run_on() -> None:
    run = cut()
    run.go(lambda move: move.actor == CLOCK)
    assert run.seconds == 50  # node-monitor-grace-period
    run.settle()
    assert run.ready("n1") == "Unknown"
    assert not any(map(is_ready, run.pods()))
    run.wait()
    assert run.seconds == 350  # and the tolerationSeconds that every pod is given
    assert sorted(is_terminating(each) for each in run.pods()) == [False, True]
    assert (run.running("n1"), run.running("n2")) == (1, 1)


def test_when_the_link_heals_the_old_pod_goes_and_the_node_is_heard_of_again() -> None:
    run = cut()
    run.wait()
    run.take("network/node/n1", "heal")
    run.wait()
    assert run.seconds == 360
    assert (run.running("n1"), run.running("n2"), run.ready("n1")) == (0, 1, "True")


def test_a_short_partition_leaves_no_trace() -> None:
    run = cut()
    run.take("network/node/n1", "heal")
    before = run.row
    run.wait()
    assert (run.row, run.seconds) == (before, 0)


def test_what_the_node_controller_took_back_the_kubelet_reports_again() -> None:
    run = cut()
    run.go(lambda move: move.actor == CLOCK)
    run.settle()
    run.take("network/node/n1", "heal")
    run.wait()
    (pod,) = run.pods()
    assert is_ready(pod)
    assert run.running("n1") == 1


@pytest.mark.parametrize("time", [PROMPT, ADVERSARIAL])
def test_a_cut_link_can_heal_at_any_time_and_does_so_if_nothing_else_happens(time: str) -> None:
    run = cut(time=time)
    for _ in range(3):
        assert any(move.action.rule == "heal" for move in run.system.moves(run.row))
        run.go(lambda move: move.actor == CLOCK)
        run.settle()
    run.take("network/node/n1", "heal")
    assert run["link/node/n1"] == UP
