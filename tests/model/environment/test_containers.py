"""Containers that end by themselves, in whole small clusters."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from tests.systems import event, node, pod, question, replica_set

from kythera.model.api.core.container import ContainerStatus
from kythera.model.api.core.pod import Pod
from kythera.model.api.pods import is_ready
from kythera.model.record import Map
from kythera.model.rule import FAIR
from kythera.model.scenarios.scenario import NO_FAULTS, Workload
from kythera.model.symmetry import Row
from kythera.model.system import System
from kythera.properties.engines.core import Core

ONE = node("n1")
WEB = Map({"app": "web"})


def web(exits: str = "never", lasts: int | None = None) -> dict[str, Any]:
    """How the processes of the app behave."""
    return {"workload": (Workload(WEB, exits=exits, lasts=lasts),)}


def system(*documents: dict[str, Any], **more: Any) -> System:
    return question([ONE, *documents], NO_FAULTS, **more).system


def reachable(made: System) -> set[Row]:
    """Every state."""
    found, new = {made.initial}, [made.initial]
    while new:
        row = new.pop()
        for move in made.moves(row):
            if move.row not in found:
                found.add(move.row)
                new.append(move.row)
    return found


def ends(made: System) -> Iterator[Row]:
    """The states in which nothing happens any more, unless somebody wants it to."""
    for row in reachable(made):
        if not any(move.actor in FAIR or move.seconds for move in made.moves(row)):
            yield row


def pods(made: System, row: Row) -> dict[str, Pod]:
    return {each.metadata.name: each for each in row[made.index["objects/Pod"]]}


def phases(made: System) -> set[str]:
    """The phases that the pod may get to from its start on."""
    return {each.status.phase for row in reachable(made) for each in pods(made, row).values()} - {"", "Pending"}


@pytest.mark.parametrize(
    ("policy", "exits", "expected"),
    [
        ("Never", "never", {"Running"}),
        ("Never", "success", {"Running", "Succeeded"}),
        ("Never", "failure", {"Running", "Failed"}),
        ("Never", "any", {"Running", "Succeeded", "Failed"}),
        ("OnFailure", "success", {"Running", "Succeeded"}),
        ("OnFailure", "failure", {"Running"}),
        ("OnFailure", "any", {"Running", "Succeeded"}),
        ("Always", "any", {"Running"}),
    ],
)
def test_what_an_exit_makes_of_a_pod_is_up_to_its_restart_policy(policy: str, exits: str, expected: set[str]) -> None:
    assert phases(system(pod("web", restartPolicy=policy), **web(exits))) == expected


def test_a_container_may_exit_and_need_not() -> None:
    made = system(pod("web", restartPolicy="Never"), **web("success"))
    assert {pods(made, row)["web"].status.phase for row in ends(made)} == {"Running", "Succeeded"}


def test_a_container_that_lasts_some_time_ends_then() -> None:
    made = system(pod("web", restartPolicy="Never"), **web(lasts=30))
    assert {pods(made, row)["web"].status.phase for row in ends(made)} == {"Succeeded"}
    assert {move.seconds for row in reachable(made) for move in made.moves(row)} == {0, 30}


def test_only_pods_that_the_workload_selects_end() -> None:
    made = system(pod("web", restartPolicy="Never"), pod("db", restartPolicy="Never"), **web(lasts=30))
    assert {pods(made, row)["db"].status.phase for row in ends(made)} == {"Running"}


def test_a_restarted_container_counts_its_first_restart_and_no_more() -> None:
    made = system(replica_set(1), **web("failure"))
    counts, numbers = set(), set()
    for row in reachable(made):
        found = row[made.index["objects/Pod"]]
        numbers.add(len(found))
        counts |= {each.restart_count for one in found for each in statuses(one)}
    assert counts == {0, 1}
    assert numbers == {0, 1}  # a pod whose container is restarted is still the same pod


def test_restarts_are_backed_off_longer_and_longer() -> None:
    made = system(replica_set(1), **web(lasts=30))
    waits = {move.seconds for row in reachable(made) for move in made.moves(row)}
    assert {10, 20, 40, 80, 160, 300} <= waits
    assert max(waits) == 300


def test_exits_do_not_pile_up_before_anybody_has_seen_them() -> None:
    core = Core(question([ONE, replica_set(1)], NO_FAULTS, "fine", **web("failure")).system, [], float("inf"))
    assert core.run(max_states=50_000).complete


def statuses(found: Pod) -> tuple[ContainerStatus, ...]:
    return found.status.container_statuses


def test_a_pod_that_has_ended_makes_room_for_another() -> None:
    made = system(pod("web", "600m", restartPolicy="Never"), pod("next", "600m"), **web(lasts=30))
    assert {pods(made, row)["next"].status.phase for row in ends(made)} == {"Running"}


def test_init_containers_do_their_work_and_end_whatever_the_workload_says() -> None:
    inits = [{"name": "first", "image": "init:1"}, {"name": "second", "image": "init:1"}]
    made = system(pod("web", initContainers=inits), **web("failure"))
    last = [pods(made, row)["web"] for row in ends(made)]
    assert last
    for each in last:
        assert is_ready(each)
        codes = [s.state.terminated.exit_code for s in each.status.init_container_statuses if s.state.terminated]
        assert codes == [0, 0]


def test_init_containers_of_pods_that_come_later_end_too() -> None:
    manifest = pod("web", initContainers=[{"name": "first", "image": "init:1"}])
    made = system(events=(event("come", "apply", manifest={"apiVersion": "v1", **manifest}),))
    assert {is_ready(each) for row in ends(made) for each in pods(made, row).values()} == {True}


def test_sidecars_go_on_until_their_pod_has_done_its_work() -> None:
    sidecar = {"name": "side", "image": "side:1", "restartPolicy": "Always"}
    made = system(pod("web", restartPolicy="Never", initContainers=[sidecar]), **web("success"))
    for row in reachable(made):
        for each in row[made.index["local/kubelet/n1"]].runtime.containers:
            if each.name == "side":
                assert each.may_exit == ()
    assert {pods(made, row)["web"].status.phase for row in ends(made)} == {"Running", "Succeeded"}


def test_ended_pods_above_the_threshold_are_collected() -> None:
    threshold = {"kube-controller-manager": {"terminated-pod-gc-threshold": "1"}}
    both = (pod("web", restartPolicy="Never"), {**pod("web", restartPolicy="Never")})
    both[1]["metadata"] = {**both[1]["metadata"], "name": "other"}
    made = system(*both, components=threshold, **web(lasts=30))
    assert {len(pods(made, row)) for row in ends(made)} == {1}


def test_where_nothing_can_end_there_is_nobody_to_end_it() -> None:
    names = [process.name for process in system(replica_set(1)).processes]
    assert "containers/n1" not in names
