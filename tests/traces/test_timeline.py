"""Timelines: names stay what they are through every renaming, and the sentences say who did what and why."""

from __future__ import annotations

import io
import re

import pytest
from rich.console import Console
from tests.systems import autoscaler, budget, deployment, event, node, pod, replica_set, system
from tests.traces.small import walk

from kythera.model.api.quantity import parse_quantity
from kythera.model.normalise import Renaming
from kythera.model.record import Map, Uid, replace
from kythera.model.rule import Action
from kythera.model.scenarios.scenario import Workload
from kythera.model.system import CLOCK, Move
from kythera.traces.addresses import with_addresses
from kythera.traces.changes import CREATED, GONE, differences
from kythera.traces.render.terminal import print_entries
from kythera.traces.timeline import Again, Entry, Names, Timeline, agreeing, folded, timeline, without_pauses

SEEDS = range(6)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_pod_is_called_the_same_from_its_making_to_its_end(seed: int) -> None:
    scale = event("up", "scale", "rs/web", replicas=3)
    made = system([node("n1"), node("n2"), node("n3"), replica_set(2)], events=(scale,))
    living: set[str] = set()
    places: dict[str, str] = {}
    for entry in timeline(made, walk(made, 40, seed)):
        for change in entry.changes:
            if not change.object.startswith("Pod/"):
                continue
            if change.what == CREATED:
                assert change.object not in living
                living.add(change.object)
            assert change.object in living, "nobody speaks of a pod that was not made"
            if change.what == GONE:
                living.remove(change.object)
            for field in change.fields:
                if found := re.fullmatch(r"spec.nodeName: none -> (\w+)", field):
                    places[change.object] = found[1]
            if entry.component.startswith("kubelet/") and change.what != GONE:
                assert entry.component == f"kubelet/{places[change.object]}", "nodes keep their names as well"


@pytest.mark.parametrize("seed", SEEDS)
def test_a_sentence_about_a_state_uses_the_names_of_the_timeline(seed: int) -> None:
    made = system([node("n1"), node("n2"), replica_set(3)])
    told = Timeline(made, walk(made, 25, seed))
    known = {change.object for entry in told.entries for change in entry.changes if change.what == CREATED}
    for after, row in enumerate(told.rows):
        for obj in row[made.index["objects/Pod"]]:
            text = f"pod {obj.metadata.generate_name}{obj.metadata.uid} waits"
            name = told.say(text, after).split()[1]
            assert f"Pod/{name}" in known
            assert f"Pod/{name}" == told.names[after].of(obj)


def test_names_follow_uids_and_nodes_that_change_places() -> None:
    names = Names({0: "web-1", 1: "web-2"}, {})
    move = Move(Action("x", "y"), "component", (), (), Renaming(Map({"0": 1, "1": 0}), Map({"n1": "n2", "n2": "n1"})))
    names.follow(move)
    assert names.objects == {1: "web-1", 0: "web-2"}
    assert names.node("n2") == "n1"
    assert names.process("kubelet/n1") == "kubelet/n2"
    assert names.text("web-0 is on n1, web-1 on n2.", {0: "web-", 1: "web-"}) == "web-2 is on n2, web-1 on n1."


def test_a_name_within_a_longer_name_is_left_alone() -> None:
    names = Names({1: "web-7"}, {"n1": "n2"})
    assert names.text("web-12 and my-web-1 on n10 and in-n1", {1: "web-"}) == "web-12 and my-web-1 on n10 and in-n1"


def test_each_entry_says_when_who_what_and_why() -> None:
    made = system([node("n1"), deployment(1)])
    first = next(move for move in made.moves(made.initial) if move.action.process == "deployment")
    (entry,) = timeline(made, [first])
    assert (entry.n, entry.at, entry.component) == (1, 0, "deployment")
    assert entry.does == "looks after Deployment/web"
    assert entry.says == "deployment looks after Deployment/web"
    assert entry.action == "deployment.work(key=Deployment/web)"
    assert "create" in entry.why
    assert [change.object.split("-")[0] for change in entry.changes if change.what == CREATED] == ["ReplicaSet/web"]


def test_what_a_user_does_is_told_as_a_command() -> None:
    documents = [node("n1"), replica_set(1)]
    events = (event("up", "scale", "rs/web", replicas=3), event("drain n1", "drain", "n1"))
    made = system(documents, events=events)
    users = [move for move in made.moves(made.initial) if move.action.process == "users"]
    assert [timeline(made, [move])[0].does for move in users] == ["up (kubectl scale rs/web to 3 replicas)", "drain n1"]


def test_what_is_tried_in_vain_at_the_end_is_told() -> None:
    made = system([node("n1"), replica_set(1), budget(minAvailable=1)], events=(event("d", "drain", "n1"),))
    run = walk(made, 100, 1)
    assert not list(made.moves(run[-1].row)), "the run has an end"
    told = Timeline(made, run).in_vain()
    if any(entry.why.startswith("no pod is left") for entry in timeline(made, run)):
        assert not any("evicts" in text for text in told)
    else:
        assert any("disruption budget" in text and "kubectl drain evicts" in text for text in told)


def test_a_pod_without_a_node_is_told_with_the_reason() -> None:
    made = system([node("n1", cpu="1"), pod("large", cpu="2")])
    (text,) = Timeline(made, walk(made, 50, 1)).in_vain()
    assert text.startswith("Pod/large waits for a node: 0/1 nodes are available")


def entry(n: int, at: int, component: str = CLOCK) -> Entry:
    return Entry(n, at, component, "", "", f"{at} s pass")


def test_pauses_are_told_as_one() -> None:
    run = [entry(1, 0, "a"), entry(2, 10), entry(3, 11), entry(4, 12), entry(5, 12, "b"), entry(6, 13)]
    shown = without_pauses(run)
    assert [(each.n, each.at) for each in shown] == [(1, 0), (4, 12), (5, 12), (6, 13)]
    assert shown[1].does.startswith("12 s pass")


def test_a_pause_does_not_swallow_where_a_loop_begins() -> None:
    run = [entry(1, 10), entry(2, 20), entry(3, 30)]
    assert [each.n for each in without_pauses(run, loop_from=1)] == [1, 3]


def test_differences_tell_what_matters_first_and_leave_out_the_rest() -> None:
    old = {"spec": {"replicas": 1}, "status": {"phase": "Pending", "observedGeneration": 1, "podIPs": []}}
    new = {
        "status": {
            "observedGeneration": 2,
            "phase": "Running",
            "podIPs": [{"ip": "10.0.0.1"}],
            "conditions": [
                {"type": "Ready", "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z"},
                {"type": "ContainersReady", "status": "True"},
                {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/3 nodes"},
            ],
        },
        "spec": {"replicas": 2},
    }
    assert differences(old, new) == [
        "spec.replicas: 1 -> 2",
        "status.phase: Pending -> Running",
        "status.conditions[Ready]: none -> True",
        "status.conditions[PodScheduled]: none -> False (Unschedulable)",
    ]


def test_long_lists_and_texts_are_shortened() -> None:
    (text,) = differences({"spec": {"a": ["1"]}}, {"spec": {"a": [str(n) for n in range(9)]}})
    assert text == "spec.a: [1] -> [0, 1, 2, and 6 more]"
    (text,) = differences({}, {"spec": {"a": "x" * 500}})
    assert len(text) < 90


def test_items_of_lists_are_told_by_their_keys() -> None:
    taint = {"key": "dead", "effect": "NoExecute"}
    assert differences({}, {"spec": {"taints": [taint]}}) == ["spec.taints[dead:NoExecute]: none -> there"]
    image = ({"name": "web", "image": "web:1"}, {"name": "web", "image": "web:2"})
    old, new = ({"spec": {"containers": [each]}} for each in image)
    assert differences(old, new) == ["spec.containers[web].image: web:1 -> web:2"]


def test_objects_of_other_namespaces_are_told_with_them() -> None:
    made = system([node("n1"), pod("web")])
    (found,) = made.initial[made.index["objects/Pod"]]
    names = Names()
    assert names.of(found) == "Pod/web"
    assert names.of(replace(found, metadata=replace(found.metadata, namespace="shop"))) == "Pod/shop/web"
    generated = replace(found, metadata=replace(found.metadata, name="", generate_name="web-", uid=Uid(7)))
    names.meet([generated])
    assert names.of(generated) == "Pod/web-1"


def test_what_goes_round_before_the_loop_is_told_once() -> None:
    def step(n: int, component: str) -> Entry:
        return Entry(n, 10 * n, component, "", "", f"looks after Pod/web-{n}")

    run = [step(1, "x"), *(step(n, "ab"[n % 2]) for n in range(2, 14)), step(14, "loop")]
    shown = folded(run, loop_from=13)
    assert [each.n for each in shown] == [1, 2, 3, 13, 14]
    again = shown[3]
    assert isinstance(again, Again)
    assert (again.period, again.times, again.at) == (2, 5, 130)


def test_a_terminal_that_is_narrow_breaks_no_line_in_its_marks() -> None:
    made = system([node("n1"), deployment(1, name="w" * 60)])
    out = Console(file=io.StringIO(), width=60, force_terminal=True, color_system=None)
    print_entries(out, timeline(made, walk(made, 5, 1)), None, "[it broke]")
    text = out.file.getvalue()  # type: ignore[attr-defined]
    assert "[it broke]" in text
    assert "[/]" not in text


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("it fits beside 1 other pods", "it fits beside 1 other pod"),
        ("1 pods are not there any more", "1 pod is not there any more"),
        ("asks for 1 pods of 2", "asks for 1 pod of 2"),
        ("0/1 nodes are available", "0/1 nodes are available"),
        ("1 of 1 pods: create 11 pods", "1 of 1 pods: create 11 pods"),
        ("web-1 nodes", "web-1 nodes"),
    ],
)
def test_one_of_a_thing_is_no_more_than_one(said: str, told: str) -> None:
    assert agreeing(said) == told


def test_a_change_of_load_says_whose() -> None:
    load = Workload(Map({"app": "web"}), cpu=(parse_quantity("100m"), parse_quantity("300m")), changes=1)
    made = system([node("n1"), replica_set(1), autoscaler("web", 1, 2)], workload=(load,))
    told = [entry.does for move in made.moves(made.initial) for entry in timeline(made, [move])]
    assert "the load on the pods with app=web changes: cpu from 100m to 300m" in told


def test_addresses_are_those_of_the_whole_cluster() -> None:
    data = {"kind": "Pod", "spec": {"nodeName": "n2"}, "status": {"podIP": "10.0.0.1", "podIPs": [{"ip": "10.0.0.1"}]}}
    told = with_addresses(data, {"n1": 1, "n2": 2}.__getitem__)
    assert told["status"] == {"podIP": "10.0.2.1", "podIPs": [{"ip": "10.0.2.1"}]}
    endpoints = [{"addresses": ["10.0.0.1"], "nodeName": node} for node in ("n1", "n2")]
    told = with_addresses({"kind": "EndpointSlice", "endpoints": endpoints}, {"n1": 1, "n2": 2}.__getitem__)
    assert [each["addresses"] for each in told["endpoints"]] == [["10.0.1.1"], ["10.0.2.1"]]


def test_a_bare_pod_that_is_evicted_is_called_by_its_name() -> None:
    made = system([node("n1"), node("n2"), pod("large"), pod("small")], events=(event("drain n1", "drain", "n1"),))
    told = [e.says for seed in SEEDS for e in timeline(made, walk(made, 40, seed)) if "kubectl drain evicts" in e.says]
    assert told
    assert all(not re.search(r"pod \d", text) for text in told)
