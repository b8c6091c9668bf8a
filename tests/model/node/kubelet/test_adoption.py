"""A kubelet that is found in the middle of its life knows what runs on its node."""

from __future__ import annotations

from typing import Any

from kythera.model.api.core.pod import Pod
from kythera.model.api.decode import Context, decode
from kythera.model.node.kubelet.adoption import is_running_on, running_on, settled
from kythera.model.node.runtime.runtime import Behaviour, RuntimeState
from kythera.model.record import NodeName, Uid, replace

A = NodeName("a")


def pod(uid: int, containers: dict[str, Any], init: dict[str, Any] | None = None, **status: Any) -> Pod:
    """A pod on node a; for each container the status that is known of it, or None."""
    data = {
        "metadata": {"name": f"p{uid}"},
        "spec": {
            "nodeName": "a",
            "containers": [{"name": name, "image": "i"} for name in containers],
            "initContainers": [{"name": name, "image": "i"} for name in init or {}],
        },
        "status": {
            "phase": "Running",
            "containerStatuses": [{"name": name, **known} for name, known in containers.items() if known],
            "initContainerStatuses": [{"name": name, **known} for name, known in (init or {}).items() if known],
            **status,
        },
    }
    context = Context()
    made = decode(Pod, data, context)
    assert not context.errors
    return replace(made, metadata=replace(made.metadata, uid=Uid(uid)))


RUNNING = {"state": {"running": {}}, "ready": True, "started": True}


def test_only_running_pods_of_the_node_are_there() -> None:
    pods = [pod(1, {"c": RUNNING}), pod(2, {"c": RUNNING}, phase="Pending")]
    assert [is_running_on(each, A) for each in pods] == [True, False]
    assert not is_running_on(pods[0], NodeName("b"))
    assert running_on(A, pods).runtime.admitted == (Uid(1),)


def test_containers_are_as_their_statuses_say() -> None:
    known = {
        "a": {**RUNNING, "ready": False, "restartCount": 9, "lastState": {"terminated": {"exitCode": 2}}},
        "b": {"state": {"terminated": {"exitCode": 5}}},
        "c": {"state": {"waiting": {"reason": "CrashLoopBackOff"}}, "lastState": {"terminated": {"exitCode": 4}}},
        "d": {"state": {"waiting": {"reason": "ContainerCreating"}}},
    }
    found = {each.name: each for each in running_on(A, [pod(1, known)]).runtime.containers}
    assert (found["a"].state, found["a"].ready, found["a"].started, found["a"].previous_exit_code) == (
        "running", False, True, 2,
    )  # fmt: skip
    assert found["a"].restarts == 3  # restarts beyond 3 are not told apart
    assert [(found[n].state, found[n].exit_code) for n in "bc"] == [("exited", 5), ("exited", 4)]
    assert "d" not in found


def test_without_statuses_a_running_pod_runs() -> None:
    state = running_on(A, [pod(1, {"c": None}, {"i": None})])
    assert [(each.name, each.state, each.exit_code) for each in state.runtime.containers] == [
        ("c", "running", 0), ("i", "exited", 0),
    ]  # fmt: skip
    assert [each.phase for each in settled([pod(1, {"c": None}, {"i": None})]).values()] == ["Running"]


def test_what_was_reported_is_what_would_be_reported() -> None:
    pods = [pod(1, {"c": RUNNING}), pod(2, {"c": RUNNING})]
    state = running_on(A, pods)
    assert {worker.pod: worker.reported for worker in state.kubelet.workers} == settled(pods)
    assert [each.pod_ip for each in settled(pods).values()] == ["10.0.0.1", "10.0.0.2"]


def test_processes_that_run_already_behave_like_new_ones() -> None:
    lasting = RuntimeState(behaviours=(Behaviour(lasts=30, may_exit=(1,)),))
    found = {each.name: each for each in running_on(A, [pod(1, {"c": RUNNING, "d": None})], lasting).runtime.containers}
    assert [(found[name].ends_in, found[name].may_exit) for name in "cd"] == [(-30, (1,)), (-30, (1,))]
