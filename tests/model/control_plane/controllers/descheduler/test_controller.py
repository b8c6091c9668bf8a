"""When the descheduler runs, and what it asks for."""

from __future__ import annotations

from kythera.model.api.core.container import Container
from kythera.model.api.core.node import Node
from kythera.model.api.core.pod import Pod, PodSpec, PodStatus
from kythera.model.api.meta import ObjectMeta, OwnerReference
from kythera.model.control_plane.controllers.descheduler import controller, horizons_of
from kythera.model.control_plane.controllers.descheduler.controller import RUN, Runs
from kythera.model.controller import Step
from kythera.model.record import Age, NodeName, Uid
from kythera.model.request import Evict, ref_of
from kythera.model.view import View, view

OWNER = OwnerReference("apps/v1", "ReplicaSet", "web", Uid(1), True)
SETTINGS = {"strategies": "RemoveDuplicates", "interval": "60s"}


def a_pod(uid: int, node: str = "n1") -> Pod:
    meta = ObjectMeta(namespace="default", uid=Uid(uid), owner_references=(OWNER,))
    return Pod(meta, PodSpec((Container("main", "web:1"),), node_name=NodeName(node)), PodStatus("Running"))


def seen(*pods: Pod, nodes: int = 2) -> View:
    return view(Node=tuple(Node(ObjectMeta(f"n{n}")) for n in range(1, nodes + 1)), Pod=pods)


def look(state: View, local: Runs | None = None, **settings: str) -> Step:
    chosen = controller({**SETTINGS, **settings})
    (step,) = chosen.reconcile(chosen.initial if local is None else local, state, RUN)
    return step


def test_the_first_run_is_at_the_start_and_evicts_one_pod_after_the_other() -> None:
    pods = tuple(a_pod(n) for n in range(10, 14))
    first = look(seen(*pods))
    assert first.requests == (Evict(ref_of(pods[2])),)
    second = look(seen(*pods), first.local)
    assert second.requests == (Evict(ref_of(pods[3])),)
    assert second.local == Runs(Age(0))


def test_the_next_run_waits_for_the_interval() -> None:
    state = seen(*(a_pod(n) for n in range(10, 14)))
    waiting = look(state, Runs(Age(20)))
    assert (waiting.requests, waiting.requeue_after) == ((), 40)
    assert look(state, Runs(Age(60))).requests != ()


def test_a_run_that_finds_nothing_leaves_no_trace() -> None:
    step = look(seen(a_pod(10, "n1"), a_pod(11, "n2")), Runs(Age(60)))
    assert step == Step(Runs(Age(60)))


def test_a_pod_that_is_gone_meanwhile_is_passed_over() -> None:
    assert look(seen(a_pod(10)), Runs(Age(0), (Uid(99),))).local == Runs(Age(0))


def test_where_only_one_node_is_ready_nothing_is_evicted() -> None:
    assert look(seen(a_pod(10), a_pod(11), nodes=1)).requests == ()


def test_strategies_may_come_as_a_list_or_as_text() -> None:
    state = seen(*(a_pod(n) for n in range(10, 14)))
    assert look(state, strategies="['RemoveDuplicates', 'LowNodeUtilization']").requests != ()
    assert look(state, strategies="LowNodeUtilization").requests == ()


def test_the_interval_is_how_long_the_age_of_a_run_matters() -> None:
    assert controller(SETTINGS).horizons == {"Runs.since": 60}
    assert horizons_of(a_pod(1)) == {}
