"""The scheduling queue: its order, its places, its back-offs, and what brings a pod back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kythera.model.api.core.node import Node, NodeSpec
from kythera.model.api.core.pod import Pod, PodSpec, PodStatus
from kythera.model.api.core.scheduling import PodSchedulingGate
from kythera.model.api.meta import ObjectMeta
from kythera.model.control_plane.scheduler.cluster_events import NODE_LABEL, NODE_TAINT, ClusterEvent
from kythera.model.control_plane.scheduler.queue import (
    ACTIVE,
    BACKOFF,
    ERROR_BACKOFF,
    POOL,
    Queue,
    Queued,
    comes_next,
    delay_after_error,
    failed,
    flush_awaited,
    less,
    place_of,
    recall,
    room_given_back,
    still_waiting,
    waits,
    went_wrong,
    without,
    woken,
)
from kythera.model.normalise import Renaming, older, rename, uids_in
from kythera.model.record import Age, Map, NodeName, Uid, replace

ONE, TWO, THREE = Uid(1), Uid(2), Uid(3)
PLACES = st.tuples(st.integers(-5, 5), st.integers(0, 5).map(Age))
UNCORDONED = ClusterEvent(
    "Node", (NODE_TAINT,), Node(ObjectMeta(name="n"), NodeSpec(unschedulable=True)), Node(ObjectMeta(name="n"))
)


def pod(uid: int = 1, priority: int | None = None, **spec: object) -> Pod:
    return Pod(ObjectMeta(name=f"p{uid}", namespace="default", uid=Uid(uid)), PodSpec(priority=priority, **spec))


def later(queue: Queue, seconds: int) -> Queue:
    found: Queue = older(queue, seconds, {})
    return found


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


def test_a_pod_that_nobody_has_tried_is_active() -> None:
    assert place_of((), ONE) == ACTIVE


def test_a_rejected_pod_is_in_the_pool_whether_or_not_its_back_off_is_over() -> None:
    queue = failed((), ONE, ["NodeAffinity", "NodeUnschedulable", "NodeAffinity"])
    assert recall(queue, ONE) == Queued(ONE, Age(-1), ("NodeAffinity", "NodeUnschedulable"))
    assert place_of(queue, ONE) == place_of(later(queue, 100), ONE) == POOL


def test_an_event_that_may_help_moves_it_to_the_back_off_or_if_that_is_over_to_the_active_ones() -> None:
    queue = failed((), ONE, ["NodeUnschedulable"])
    assert place_of(woken(queue, [UNCORDONED], {ONE: pod()}), ONE) == BACKOFF
    assert place_of(woken(later(queue, 1), [UNCORDONED], {ONE: pod()}), ONE) == ACTIVE
    assert place_of(later(woken(queue, [UNCORDONED], {ONE: pod()}), 1), ONE) == ACTIVE


def test_an_event_that_none_of_the_rejecting_plugins_cares_for_moves_nothing() -> None:
    for plugin in ("NodeResourcesFit", "NodeAffinity"):
        queue = failed((), ONE, [plugin])
        assert woken(queue, [UNCORDONED], {ONE: pod()}) == queue


def test_one_of_the_rejecting_plugins_is_enough() -> None:
    queue = failed((), ONE, ["NodeAffinity", "NodeUnschedulable"])
    assert place_of(woken(queue, [UNCORDONED], {ONE: pod()}), ONE) == BACKOFF


def test_a_plugin_that_has_registered_nothing_cares_for_everything() -> None:
    queue = failed((), ONE, ["SomebodyElse"])
    event = ClusterEvent("ConfigMap", ("Update",))
    assert place_of(woken(queue, [event], {ONE: pod()}), ONE) == BACKOFF


def test_the_update_of_a_waiting_pod_concerns_no_other() -> None:
    queue = failed(failed((), ONE, ["SomebodyElse"]), TWO, ["SomebodyElse"])
    event = ClusterEvent("Pod", ("Update",), pod(1), pod(1), about=ONE)
    after = woken(queue, [event], {ONE: pod(1), TWO: pod(2)})
    assert (place_of(after, ONE), place_of(after, TWO)) == (BACKOFF, POOL)


def test_after_errors_in_a_row_the_back_off_doubles_and_stays_at_ten_seconds() -> None:
    queue: Queue = ()
    delays = []
    for _ in range(7):
        queue = went_wrong(queue, ONE, delay_after_error(queue, ONE))
        delays.append(-queue[0].ready)
        queue = later(queue, 10)
    assert delays == [1, 2, 4, 8, 10, 10, 10]


def test_a_rejection_ends_the_row_of_errors() -> None:
    queue = failed(went_wrong((), ONE, 8), ONE, ["NodeName"])
    assert queue == failed((), ONE, ["NodeName"])
    assert delay_after_error(queue, ONE) == 1


def test_what_tells_nothing_is_not_remembered() -> None:
    queue = later(failed((), ONE, ["NodeUnschedulable"]), 1)
    assert woken(queue, [UNCORDONED], {ONE: pod()}) == ()
    assert (
        still_waiting(later(woken(failed((), ONE, ["NodeUnschedulable"]), [UNCORDONED], {ONE: pod()}), 1), {ONE}) == ()
    )
    assert still_waiting(later(went_wrong((), ONE, 2), 2), {ONE}) != ()
    assert still_waiting(queue, {TWO}) == ()


def test_the_end_of_a_back_off_is_not_followed_any_further() -> None:
    queue = failed((), ONE, ["NodeName"])
    assert later(queue, 1) == later(queue, 1000)


def test_after_an_error_only_time_brings_a_pod_back() -> None:
    queue = went_wrong((), ONE, 4)
    assert place_of(queue, ONE) == place_of(woken(queue, [UNCORDONED], {ONE: pod()}), ONE) == ERROR_BACKOFF
    assert place_of(later(queue, 3), ONE) == ERROR_BACKOFF
    assert place_of(later(queue, 4), ONE) == ACTIVE


def test_the_most_important_active_pod_comes_next_and_equals_are_a_choice() -> None:
    waiting = [pod(1, 5), pod(2, 5), pod(3)]
    assert [comes_next(each, waiting, ()) for each in waiting] == [True, True, False]


def test_a_pod_in_back_off_is_taken_when_nothing_is_active_however_important_it_is() -> None:
    queue = woken(failed((), TWO, ["NodeUnschedulable"]), [UNCORDONED], {TWO: pod(2, 9)})
    waiting = [pod(1), pod(2, 9)]
    assert [comes_next(each, waiting, queue) for each in waiting] == [True, False]
    assert comes_next(pod(2, 9), [pod(2, 9)], queue)
    assert [comes_next(each, waiting, later(queue, 1)) for each in waiting] == [False, True]


def test_of_those_in_back_off_the_one_whose_back_off_ends_first_comes_next_and_then_the_most_important() -> None:
    queue: Queue = (Queued(ONE, Age(-2)), Queued(TWO, Age(-1)), Queued(THREE, Age(-1)))
    waiting = [pod(1, 9), pod(2, 3), pod(3, 5)]
    assert [comes_next(each, waiting, queue) for each in waiting] == [False, False, True]


def test_pods_of_the_pool_and_after_errors_are_not_taken_and_hold_nobody_up() -> None:
    queue = went_wrong(failed((), ONE, ["NodeName"]), TWO, 1)
    waiting = [pod(1, 9), pod(2, 8), pod(3)]
    assert [comes_next(each, waiting, queue) for each in waiting] == [False, False, True]


def test_the_flush_brings_a_pod_of_the_pool_back_without_any_event() -> None:
    queue = flush_awaited(failed((), ONE, ["NodeName"]), ONE)
    assert place_of(later(queue, 299), ONE) == POOL
    assert place_of(later(queue, 300), ONE) == ACTIVE
    assert failed(later(queue, 300), ONE, ["NodeName"])[0].flush is None


def test_a_failed_binding_wakes_those_that_the_room_may_help() -> None:
    queue = failed(failed((), ONE, ["NodeResourcesFit"]), TWO, ["TaintToleration"])
    after = room_given_back(queue)
    assert (place_of(after, ONE), place_of(after, TWO)) == (BACKOFF, POOL)


def test_the_queue_is_kept_in_the_order_of_uids_under_every_renaming() -> None:
    queue = failed(failed((), TWO, ["NodeName"]), ONE, ["NodePorts"])
    assert [each.pod for each in queue] == [1, 2]
    assert uids_in(queue) == {1, 2}
    exchanged = rename(queue, Renaming(Map({"1": 2, "2": 1})))
    assert [(each.pod, each.plugins) for each in exchanged] == [(1, ("NodeName",)), (2, ("NodePorts",))]
    assert without(queue, ONE) == failed((), TWO, ["NodeName"])


STEPS = st.lists(
    st.tuples(st.sampled_from(["fail", "error", "wake", "wait", "flush"]), st.integers(1, 3), st.integers(1, 12))
)


@given(STEPS)
def test_whatever_happens_somebody_comes_next_or_everybody_waits_for_an_event_or_for_time(
    steps: list[tuple[str, int, int]],
) -> None:
    waiting = [pod(1), pod(2, 1), pod(3, 2)]
    queue: Queue = ()
    for what, uid, seconds in steps:
        if what == "fail":
            queue = failed(queue, Uid(uid), ["NodeUnschedulable"])
        elif what == "error":
            queue = went_wrong(queue, Uid(uid), seconds)
        elif what == "wake":
            queue = woken(queue, [UNCORDONED], {Uid(uid): pod(uid)})
        elif what == "wait":
            queue = later(queue, seconds)
        elif place_of(queue, Uid(uid)) == POOL:
            queue = flush_awaited(queue, Uid(uid))
        assert list(queue) == sorted(queue, key=lambda each: each.pod)
        assert len({each.pod for each in queue}) == len(queue) <= 3
        assert all(each.delay <= 12 for each in queue)
        takes = {place_of(queue, Uid(n)) for n in (1, 2, 3)} & {ACTIVE, BACKOFF}
        assert any(comes_next(each, waiting, queue) for each in waiting) == bool(takes)


def test_labels_do_not_move_what_was_cordoned() -> None:
    queue = failed((), ONE, ["NodeUnschedulable"])
    event = ClusterEvent("Node", (NODE_LABEL,), UNCORDONED.new, Node(ObjectMeta(name="n", labels=Map({"a": "b"}))))
    assert woken(queue, [event], {ONE: pod()}) == queue
