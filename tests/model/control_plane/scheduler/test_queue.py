"""The order of the scheduling queue."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kythera.model.api.core.pod import Pod, PodSpec, PodStatus
from kythera.model.api.core.scheduling import PodSchedulingGate
from kythera.model.api.meta import Condition, ObjectMeta
from kythera.model.control_plane.scheduler.queue import is_next, less, waits, was_tried
from kythera.model.record import Age, NodeName, Uid, replace

PLACES = st.tuples(st.integers(-5, 5), st.integers(0, 5).map(Age))


def pod(uid: int = 1, priority: int | None = None, **spec: object) -> Pod:
    return Pod(ObjectMeta(name=f"p{uid}", namespace="default", uid=Uid(uid)), PodSpec(priority=priority, **spec))


def test_higher_priority_comes_first() -> None:
    assert less(100, Age(0), 10, Age(60))


def test_who_has_waited_longer_comes_first_among_equals() -> None:
    assert less(10, Age(60), 10, Age(0))
    assert not less(10, Age(0), 10, Age(0))


@given(PLACES, PLACES, PLACES)
def test_the_order_is_a_strict_weak_order(a: tuple[int, Age], b: tuple[int, Age], c: tuple[int, Age]) -> None:
    assert not less(*a, *a)
    assert not (less(*a, *b) and less(*b, *a))
    if less(*a, *b):
        assert less(*a, *c) or less(*c, *b)


@pytest.mark.parametrize(
    "other",
    [
        pod(node_name=NodeName("n1")),
        pod(scheduling_gates=(PodSchedulingGate("hold"),)),
        pod(scheduler_name="mine"),
        replace(pod(), metadata=ObjectMeta(name="p", uid=Uid(1), deletion_timestamp=Age(0))),
        replace(pod(), status=PodStatus(phase="Failed")),
    ],
)
def test_pods_that_are_not_to_be_scheduled_do_not_wait(other: Pod) -> None:
    assert waits(pod(), "default-scheduler")
    assert not waits(other, "default-scheduler")


def test_the_mark_of_a_gate_is_not_the_mark_of_a_failed_try() -> None:
    gated = PodStatus(conditions=(Condition("PodScheduled", "False", "SchedulingGated"),))
    failed = PodStatus(conditions=(Condition("PodScheduled", "False", "Unschedulable"),))
    assert not was_tried(replace(pod(), status=gated))
    assert was_tried(replace(pod(), status=failed))


def test_a_pod_is_next_unless_an_active_one_is_more_important() -> None:
    assert is_next(pod(1, 5), [pod(1, 5), pod(2, 5), pod(3)])
    assert not is_next(pod(1, 5), [pod(2, 6)])
