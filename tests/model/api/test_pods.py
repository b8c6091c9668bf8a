"""Predicates on pods."""

from __future__ import annotations

import pytest

from kythera.model.api.core.pod import Pod, PodStatus
from kythera.model.api.meta import Condition, ObjectMeta, OwnerReference
from kythera.model.api.pods import (
    condition,
    controller_of,
    is_active,
    is_available,
    is_ready,
    is_terminal,
    is_terminating,
    set_condition,
)
from kythera.model.record import Age, Uid


def ready_pod(age: int | None, status: str = "True") -> Pod:
    since = None if age is None else Age(age)
    return Pod(status=PodStatus(conditions=(Condition("Ready", status, last_transition_time=since),)))


@pytest.mark.parametrize(
    ("age", "minimum", "available"),
    [(0, 0, True), (None, 0, True), (0, 1, False), (9, 10, False), (10, 10, True), (None, 1, False)],
)
def test_available_is_ready_for_long_enough(age: int | None, minimum: int, available: bool) -> None:
    assert is_available(ready_pod(age), minimum) is available
    assert not is_available(ready_pod(age, "False"), minimum)


def test_a_pod_without_conditions_is_not_ready() -> None:
    assert not is_ready(Pod())
    assert not is_available(Pod(), 0)


def test_active_is_neither_ended_nor_being_deleted() -> None:
    ended = Pod(status=PodStatus(phase="Succeeded"))
    deleted = Pod(ObjectMeta(deletion_timestamp=Age(0)))
    assert is_terminal(ended)
    assert is_terminating(deleted)
    assert [is_active(each) for each in (Pod(), ended, deleted)] == [True, False, False]


def test_the_controller_is_the_owner_that_says_so() -> None:
    first, second = OwnerReference(uid=Uid(1)), OwnerReference(uid=Uid(2), controller=True)
    assert controller_of(Pod(ObjectMeta(owner_references=(first, second)))) == second
    assert controller_of(Pod(ObjectMeta(owner_references=(first,)))) is None


def test_a_condition_is_replaced_in_place_or_added() -> None:
    a, b, new = Condition("A", "True"), Condition("B", "True"), Condition("A", "False")
    assert set_condition((a, b), new) == (new, b)
    assert set_condition((b,), new) == (b, new)
    assert condition((a, b), "C") is None
