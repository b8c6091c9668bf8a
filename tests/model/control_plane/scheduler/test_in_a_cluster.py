"""The scheduler among the other components: what becomes of pods that have to wait, and of bindings that fail."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from tests.properties.judging import judge
from tests.scenarios import LAG, TABLE
from tests.systems import event, node, pod, question

from kythera.model.api.core.pod import Pod
from kythera.model.control_plane.scheduler.queue import ERROR_BACKOFF
from kythera.model.scenarios.scenario import NO_FAULTS, Faults, SchedulerSettings
from kythera.properties.engines.core import Core
from kythera.properties.liveness.pods_schedulable import PODS_SCHEDULABLE
from kythera.properties.safety.resource_fit import RESOURCE_FIT
from kythera.properties.statement import Question

NEVER = {"scheduler.retry": "never"}
NO_HINTS = {"scheduler.queueing_hints": "none"}
NO_FLUSH = {"scheduler.flush": "never"}
BOTH = (SchedulerSettings(), SchedulerSettings("second-scheduler"))
WAITING = [name for name in TABLE if name.startswith("pod waits for")]
BY_EVENTS = [name for name in WAITING if "flush" not in name]
SCHEDULER = "local/kube-scheduler"


def states(asked: Question) -> Iterator[dict[str, Any]]:
    """Every reachable state, slot by slot."""
    core = Core(asked.system, [])
    assert core.run(max_states=20_000).complete
    names = [slot.name for slot in asked.system.slots]
    for level in core.levels:
        for state in level:
            yield dict(zip(names, core.tables.codec.decode(state), strict=True))


def bound(state: dict[str, Any]) -> list[Pod]:
    return [each for each in state["objects/Pod"] if each.spec.node_name]


@pytest.mark.parametrize("name", WAITING)
def test_a_pod_that_has_to_wait_is_scheduled_in_the_end(name: str) -> None:
    answer = judge(PODS_SCHEDULABLE, TABLE[name]())
    assert answer.message is None
    assert answer.applied


@pytest.mark.parametrize("name", BY_EVENTS)
def test_hints_alone_are_enough_for_it_and_so_is_the_flush(name: str) -> None:
    assert judge(PODS_SCHEDULABLE, TABLE[name](variants=NO_FLUSH)).message is None
    assert judge(PODS_SCHEDULABLE, TABLE[name](variants=NO_HINTS)).message is None


@pytest.mark.parametrize("name", WAITING)
def test_with_neither_it_waits_for_ever(name: str) -> None:
    assert judge(PODS_SCHEDULABLE, TABLE[name](variants=NEVER)).message is not None
    assert judge(PODS_SCHEDULABLE, TABLE[name](variants={**NO_HINTS, **NO_FLUSH})).message is not None


def test_a_pod_that_needs_its_like_depends_on_the_flush() -> None:
    """Kubernetes issue 141354, open in v1.37."""
    answer = judge(PODS_SCHEDULABLE, TABLE["pod waits for the flush"](variants=NO_FLUSH))
    assert answer.message == "pod web-3 has no node although it fits n2"


def test_time_passes_only_where_the_flush_is_needed() -> None:
    for name, waits in (("pod waits for the flush", True), ("pod waits for a label", False)):
        flushes = {each.flush for state in states(TABLE[name]()) for each in state[SCHEDULER].queue}
        assert (flushes != {None}) == waits


def test_where_every_pod_is_scheduled_at_once_there_is_nothing_to_remember() -> None:
    for faults in (NO_FAULTS, LAG):
        asked = question([node("n1"), node("n2"), pod("a"), pod("b")], faults)
        assert {state[SCHEDULER].queue for state in states(asked)} == {()}
    asked = question([node("n1"), node("n2"), pod("a"), pod("b")])
    assert {state["before/kube-scheduler/Pod"] for state in states(asked)} == {()}


@pytest.mark.parametrize("faults", [NO_FAULTS, LAG])
def test_a_pod_that_nobody_can_help_does_not_make_states_without_end(faults: Faults) -> None:
    asked = question([node("n1"), pod("a", "400m"), pod("b", "2")], faults)
    queues = {state[SCHEDULER].queue for state in states(asked)}
    assert {len(queue) for queue in queues} == {0, 1}
    assert all(each.delay <= 10 for queue in queues for each in queue)


def test_the_condition_is_written_once_for_each_message() -> None:
    asked = question([node("n1"), pod("b", "2")], LAG)
    messages = {each.status.conditions for state in states(asked) for each in state["objects/Pod"]}
    assert len(messages) == 2  # none, and the one


def test_after_a_lost_answer_the_pod_is_neither_assumed_nor_active_until_the_informer_shows_it() -> None:
    asked = question([node("n1"), pod("a")], Faults(crash=0, lost_reply=1), "fine")
    seen = 0
    for state in states(asked):
        local = state[SCHEDULER]
        if bound(state) and local.queue:
            (entry,) = local.queue
            assert entry.place == ERROR_BACKOFF
            assert local.assumed == ()
            seen += 1
    assert seen
    assert judge(PODS_SCHEDULABLE, asked).message is None


def test_two_schedulers_bind_to_the_same_room_and_the_kubelet_refuses_one() -> None:
    asked = TABLE["two schedulers for one room"]()
    ends = set()
    for state in states(asked):
        if len(bound(state)) == 2:
            ends.add(frozenset((each.status.phase, each.status.reason) for each in bound(state)))
    assert frozenset({("Running", ""), ("Failed", "OutOfcpu")}) in ends
    assert not any(frozenset({("Running", "")}) == each for each in ends)
    assert judge(RESOURCE_FIT, asked).message is None


def test_one_scheduler_never_binds_two_pods_to_the_room_of_one() -> None:
    asked = question([node("n1", "500m"), pod("a"), pod("b")], LAG)
    assert max(len(bound(state)) for state in states(asked)) == 1
    lost = question([node("n1", "500m"), pod("a"), pod("b")], Faults(crash=0, lost_reply=1), "fine")
    assert (
        max(len(bound(state)) for state in states(lost)) == 2
    )  # what was forgotten after a lost answer is not counted


def test_a_binding_to_a_node_that_has_gone_is_not_refused_by_the_api_server() -> None:
    """Nobody checks that the node exists; what becomes of the pod is up to the garbage collector of pods."""
    asked = question([node("n1"), node("n2", "100m"), pod("a")], LAG, events=(event("gone", "delete", "node/n1"),))
    assert any(
        bound(state) and "n1" not in [each.metadata.name for each in state["objects/Node"]] for state in states(asked)
    )
