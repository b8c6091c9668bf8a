"""Phase, conditions, and container statuses."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kythera.model.api.core.container import (
    Container,
    ContainerState,
    ContainerStateRunning,
    ContainerStateTerminated,
    ContainerStateWaiting,
    ContainerStatus,
)
from kythera.model.api.core.pod import Pod, PodReadinessGate, PodSpec, PodStatus
from kythera.model.api.meta import Condition, ObjectMeta
from kythera.model.node.kubelet.status import (
    container_status,
    containers_ready_condition,
    initialized_condition,
    own_part,
    pod_phase,
    pod_status,
    ready_condition,
)
from kythera.model.node.runtime.runtime import EXITED, RuntimeContainer, RuntimeState
from kythera.model.record import Age, Uid, replace

STATES = {
    "running": ContainerState(running=ContainerStateRunning()),
    "waiting": ContainerState(waiting=ContainerStateWaiting()),
    "done": ContainerState(terminated=ContainerStateTerminated(0)),
    "failed": ContainerState(terminated=ContainerStateTerminated(1)),
}


def status(name: str, state: str, ready: bool = False, started: bool = True) -> ContainerStatus:
    return ContainerStatus(name, STATES[state], ready=ready, started=started)


TWO = PodSpec((Container("a"), Container("b")), restart_policy="Never")


def test_a_pod_is_pending_until_every_container_is_known() -> None:
    assert pod_phase(TWO, (status("a", "running"),), False, False) == "Pending"
    assert pod_phase(TWO, (status("a", "running"), status("b", "waiting")), False, False) == "Pending"
    assert pod_phase(TWO, (status("a", "running"), status("b", "failed")), False, False) == "Running"


def test_one_failure_makes_a_finished_pod_failed() -> None:
    assert pod_phase(TWO, (status("a", "done"), status("b", "done")), False, True) == "Succeeded"
    assert pod_phase(TWO, (status("a", "done"), status("b", "failed")), False, True) == "Failed"


def test_a_pod_that_is_to_end_ends_whatever_its_restart_policy() -> None:
    always = replace(TWO, restart_policy="Always")
    both = (status("a", "done"), status("b", "failed"))
    assert pod_phase(always, both, False, True) == "Running"
    assert pod_phase(always, both, True, True) == "Failed"


def test_a_sidecar_that_starts_again_doesnt_make_the_pod_pending() -> None:
    spec = PodSpec((Container("a"),), (Container("s", restart_policy="Always"),), "Always")
    both = (status("s", "running", started=False), status("a", "running"))
    assert pod_phase(spec, both, False, True) == "Running"
    assert pod_phase(spec, both, False, False) == "Pending"


@given(
    st.lists(st.sampled_from(sorted(STATES)), min_size=2, max_size=2),
    st.sampled_from(["Always", "OnFailure", "Never"]),
    st.booleans(),
)
def test_a_running_container_means_that_the_pod_has_not_ended(states: list[str], policy: str, ends: bool) -> None:
    both = tuple(status(name, state) for name, state in zip("ab", states, strict=True))
    phase = pod_phase(replace(TWO, restart_policy=policy), both, ends, True)
    assert (phase in ("Succeeded", "Failed")) <= all(state in ("done", "failed") for state in states)
    assert (phase == "Succeeded") <= (states == ["done", "done"])


def test_conditions_say_which_containers_they_wait_for() -> None:
    spec = replace(TWO, init_containers=(Container("s", restart_policy="Always"), Container("i")))
    found = (status("s", "running", ready=False, started=False), status("a", "running", ready=True))
    ready = containers_ready_condition(spec, found, "Running")
    assert ready.message == "containers with unknown status: [b], containers with unready status: [s]"
    assert ready_condition(spec, (), found, "Running") == replace(ready, type="Ready")
    waits = initialized_condition(spec, found[:1], "Pending")
    assert waits.message == "containers with unknown status: [i], containers with incomplete status: [s]"
    assert initialized_condition(spec, found, "Running").status == "True"  # a main container has started
    assert initialized_condition(spec, None, "Pending").reason == "UnknownContainerStatuses"


def test_readiness_gates_have_to_be_true_as_well() -> None:
    spec = PodSpec((Container("a"),), readiness_gates=(PodReadinessGate("gate"),))
    found = (status("a", "running", ready=True),)
    assert ready_condition(spec, (), found, "Running").reason == "ReadinessGatesNotReady"
    assert ready_condition(spec, (Condition("gate", "True"),), found, "Running").status == "True"


def test_a_container_between_two_runs_shows_how_the_last_one_ended() -> None:
    ended = RuntimeContainer(Uid(1), "a", EXITED, exit_code=2)
    shown = container_status(Container("a"), ended, ("CrashLoopBackOff", "later"))
    assert shown.state.waiting == ContainerStateWaiting("CrashLoopBackOff", "later")
    assert shown.last_state.terminated == ContainerStateTerminated(2, reason="Error")


def test_an_init_container_that_succeeded_is_ready() -> None:
    ended = RuntimeContainer(Uid(1), "i", EXITED, exit_code=0)
    assert container_status(Container("i"), ended, ("", ""), is_init=True).ready
    assert not container_status(Container("i"), ended, ("", "")).ready


def test_a_final_phase_keeps_its_reason_and_never_changes() -> None:
    pod = Pod(ObjectMeta(uid=Uid(1)), PodSpec((Container("a"),)))
    old = PodStatus(phase="Failed", reason="Evicted", message="m", start_time=Age(9))
    new = pod_status(pod, old, RuntimeState(), {}, is_ending=False)
    assert (new.phase, new.reason, new.message, new.start_time) == ("Failed", "Evicted", "m", 9)


def test_a_transition_time_changes_only_with_the_status_of_its_condition() -> None:
    pod = Pod(ObjectMeta(uid=Uid(1)), PodSpec((Container("a"),)))
    old = PodStatus(conditions=(Condition("PodScheduled", "True", last_transition_time=Age(5)),
                                Condition("Ready", "True", last_transition_time=Age(5))))  # fmt: skip
    new = pod_status(pod, old, RuntimeState(), {}, is_ending=False)
    times = {each.type: each.last_transition_time for each in new.conditions}
    assert (times["PodScheduled"], times["Ready"]) == (5, 0)
    assert own_part(pod_status(pod, new, RuntimeState(), {}, is_ending=False)) == own_part(new)
