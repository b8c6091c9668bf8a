"""What survives a crash of the kubelet."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kythera.model.node.kubelet.state import KubeletState, NodeState, Timer, Worker, crashed, node_lost
from kythera.model.node.runtime.runtime import (
    Behaviour,
    RuntimeState,
    behaviour_of,
    container,
    exited,
    forgotten,
    listens,
    pods_in,
    sandbox,
    sandbox_created,
    sandbox_removed,
    started,
)
from kythera.model.normalise import uids_in
from kythera.model.record import Age, Map, Uid, replace

A, B = Uid(1), Uid(2)


def test_a_container_that_starts_again_counts_and_remembers_how_it_ended() -> None:
    state = started(exited(started(RuntimeState(), A, "c", ()), A, "c", 3), A, "c", ())
    found = container(state, A, "c")
    assert found is not None
    assert (found.restarts, found.previous_exit_code, found.state) == (1, 3, "running")


def test_failing_for_ever_comes_back_to_the_same_state() -> None:
    state, seen = started(RuntimeState(), A, "c", ()), []
    for _ in range(6):
        state = started(exited(state, A, "c", 1), A, "c", ())
        seen.append(state)
    assert seen[-1] == seen[-2]


def test_a_port_of_a_pod_can_be_taken_once_at_a_time() -> None:
    port = ((80, "TCP"),)
    state = started(started(RuntimeState(), A, "c", port), A, "d", port)
    state = started(started(state, B, "c", port), A, "e", ((80, "UDP"),))
    assert [(c.pod, c.name, c.state) for c in state.containers] == [
        (A, "c", "running"), (A, "d", "exited"), (A, "e", "running"), (B, "c", "running"),
    ]  # fmt: skip


WEB = Map({"app": "web"})


def test_a_process_answers_and_ends_when_its_behaviour_says_so() -> None:
    found = container(started(RuntimeState(), A, "c", (), Behaviour(startup=7, lasts=30, may_exit=(1,))), A, "c")
    assert found is not None
    assert (found.answers_in, found.ends_in, found.may_exit) == (-7, -30, (1,))


def test_each_thing_is_as_the_first_behaviour_says_that_speaks_of_it() -> None:
    state = RuntimeState(
        behaviours=(
            Behaviour(WEB, startup=5),
            Behaviour(Map({"app": "job"}), startup=9),
            Behaviour(WEB, startup=7, may_exit=(1,)),
            Behaviour(WEB, lasts=30),
        )
    )
    assert behaviour_of(state, WEB) == Behaviour(startup=5, may_exit=(1,))
    assert behaviour_of(state, Map({"app": "job"})) == Behaviour(startup=9)
    assert behaviour_of(state, Map()) == Behaviour()


def test_only_a_running_container_exits() -> None:
    state = exited(started(RuntimeState(), A, "c"), A, "c", 0)
    assert exited(state, A, "c", 1) == state
    assert exited(state, B, "c", 1) == state


def test_a_pod_listens_on_the_ports_of_its_running_containers_once_they_answer() -> None:
    port = ((80, "TCP"),)
    state = started(RuntimeState(), A, "c", port)
    assert listens(state, A, 80)
    assert not listens(state, A, 80, "UDP")
    assert not listens(state, B, 80)
    assert not listens(exited(state, A, "c", 0), A, 80)
    assert not listens(started(RuntimeState(), A, "c", port, Behaviour(startup=5)), A, 80)


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 4)), max_size=20))
def test_addresses_are_unique_and_as_small_as_possible(events: list[tuple[bool, int]]) -> None:
    state = RuntimeState()
    for create, pod in events:
        if create and sandbox(state, Uid(pod)) is None:
            state = sandbox_created(state, Uid(pod), host_network=False)
        elif not create:
            state = sandbox_removed(state, Uid(pod))
        ips = [each.ip for each in state.sandboxes]
        assert len(set(ips)) == len(ips)
        assert all(1 <= ip <= 5 for ip in ips)


def test_the_hosts_network_takes_no_address() -> None:
    state = sandbox_created(sandbox_created(RuntimeState(), A, host_network=True), B, host_network=False)
    assert [each.ip for each in state.sandboxes] == [0, 1]


def test_a_crash_forgets_the_kubelets_memory_and_a_power_loss_everything_but_the_images() -> None:
    runtime = started(sandbox_created(RuntimeState(images=("i",), admitted=(A,)), A, False), A, "c", ())
    state = NodeState(KubeletState(workers=(Worker(A),)), runtime)
    assert crashed(state) == NodeState(runtime=runtime)
    assert node_lost(state) == NodeState(runtime=RuntimeState(images=("i",)))


def test_forgetting_a_pod_leaves_no_trace_of_it() -> None:
    runtime = started(sandbox_created(RuntimeState(admitted=(A,)), A, False), A, "c", ())
    assert forgotten(runtime, A) == RuntimeState()
    assert pods_in(runtime) == (A,)


def test_the_normaliser_sees_every_uid_of_the_nodes_state() -> None:
    runtime = started(sandbox_created(RuntimeState(admitted=(A,)), A, False), A, "c", ())
    for state in (
        NodeState(runtime=replace(runtime, sandboxes=(), containers=())),
        NodeState(runtime=replace(runtime, sandboxes=(), admitted=())),
        NodeState(runtime=replace(runtime, containers=(), admitted=())),
        NodeState(KubeletState(workers=(Worker(A),))),
        NodeState(KubeletState(timers=(Timer(A, "c", "x", Age(-1)),))),
    ):
        assert set(uids_in(state)) == {A}
