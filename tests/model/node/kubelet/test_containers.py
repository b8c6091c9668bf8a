"""Which containers start and stop next."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kythera.model.api.core.container import Container
from kythera.model.api.core.pod import Pod, PodSpec
from kythera.model.api.meta import ObjectMeta
from kythera.model.node.kubelet.containers import (
    is_finished,
    next_back_off,
    restartable,
    should_be_restarted,
    to_start,
    to_stop,
)
from kythera.model.node.runtime.runtime import EXITED, RUNNING, RuntimeContainer, RuntimeState
from kythera.model.record import Age, Uid


def pod(*containers: str, inits: tuple[Container, ...] = (), policy: str = "Always", deleted: bool = False) -> Pod:
    meta = ObjectMeta(uid=Uid(1), deletion_timestamp=Age(0) if deleted else None)
    return Pod(meta, PodSpec(tuple(Container(name) for name in containers), inits, restart_policy=policy))


def runtime(**states: str | int) -> RuntimeState:
    """A container runs ("running", or "started" if its probes say so), or has exited with a code."""
    return RuntimeState(
        containers=tuple(
            RuntimeContainer(Uid(1), name, EXITED, exit_code=state)
            if isinstance(state, int)
            else RuntimeContainer(Uid(1), name, RUNNING, started=state == "started")
            for name, state in states.items()
        )
    )


def names(containers: tuple[Container, ...]) -> list[str]:
    return [each.name for each in containers]


SIDE = Container("side", restart_policy="Always")
INIT = Container("init")


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ({}, ["init"]),
        ({"init": "running"}, []),
        ({"init": 1}, ["init"]),
        ({"init": 0}, ["side"]),
        ({"init": 0, "side": "running"}, []),
        ({"init": 0, "side": "started"}, ["a", "b"]),
        ({"init": 0, "side": "started", "a": "running"}, ["b"]),
        ({"init": 0, "side": 0, "a": "running", "b": 2}, ["side", "b"]),
        ({"side": "started", "a": "running", "b": "running"}, []),
    ],
)
def test_init_containers_come_one_by_one_then_all_main_containers(
    states: dict[str, str | int], expected: list[str]
) -> None:
    assert names(to_start(pod("a", "b", inits=(INIT, SIDE)), runtime(**states))) == expected


def test_an_init_container_that_fails_under_never_is_not_started_again() -> None:
    failed = pod("a", inits=(INIT,), policy="Never")
    assert to_start(failed, runtime(init=1)) == ()
    assert is_finished(failed, runtime(init=1))
    assert not is_finished(failed, runtime(init=0))
    assert not is_finished(pod("a", inits=(INIT,)), runtime(init=1))


@pytest.mark.parametrize(
    ("policy", "code", "expected"),
    [
        ("Always", 0, True),
        ("OnFailure", 0, False),
        ("OnFailure", 1, True),
        ("Never", 1, False),
        ("", 0, True),
    ],
)
def test_restart_policies(policy: str, code: int, expected: bool) -> None:
    assert restartable(Container("a"), policy, code) is expected
    assert is_finished(pod("a", policy=policy), runtime(a=code)) is not expected


def test_a_policy_of_the_container_goes_before_that_of_the_pod() -> None:
    assert restartable(Container("a", restart_policy="Always"), "Never", 0)
    assert not restartable(Container("a", restart_policy="Never"), "Always", 1)


def test_nothing_starts_in_a_pod_that_is_deleted() -> None:
    assert should_be_restarted(Container("a"), pod("a"), None)
    assert not should_be_restarted(Container("a"), pod("a", deleted=True), None)


def test_sidecars_stop_after_all_others_from_last_to_first() -> None:
    second = Container("second", restart_policy="Always")
    spec = pod("a", "b", inits=(SIDE, second))
    assert names(to_stop(spec, runtime(side="started", second="started", a="started", b=0))) == ["a"]
    assert names(to_stop(spec, runtime(side="started", second="started", a=0))) == ["second"]
    assert names(to_stop(spec, runtime(side="started", second=0))) == ["side"]
    assert to_stop(spec, runtime(side=0)) == ()


@given(st.integers(1, 20), st.integers(10, 600))
def test_back_off_doubles_up_to_its_limit(times: int, longest: int) -> None:
    seconds = [0]
    for _ in range(times):
        seconds.append(next_back_off(seconds[-1], longest))
    assert seconds[1] == 10
    assert all(b == min(2 * a, longest) for a, b in pairwise(seconds[1:]))
