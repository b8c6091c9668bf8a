"""A cluster in the middle of its life: what runs goes on running, and owners that a dump lacks are made up again."""
# ruff: noqa: E501

from __future__ import annotations

from typing import Any

from kythera.model.scenarios.compile import compile_system
from kythera.model.scenarios.loader import Loaded, load_documents
from kythera.model.scenarios.scenario import NO_FAULTS, Rung
from kythera.model.system import Move, System

LABELS = {"app": "web"}
OWNER = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web-5d9f", "uid": "rs", "controller": True}
CONTAINER = {
    "name": "c",
    "image": "web:1",
    "resources": {"requests": {"cpu": "100m"}},
    "ports": [{"containerPort": 80}],
}


def stamp(second: int) -> str:
    return f"2023-07-02T01:00:{second:02}Z"


def web() -> dict[str, Any]:
    return {
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "web", "uid": "d", "generation": 1, "resourceVersion": "7", "creationTimestamp": stamp(0),
                     "annotations": {"deployment.kubernetes.io/revision": "1"}},
        "spec": {"replicas": 2, "selector": {"matchLabels": LABELS},
                 "template": {"metadata": {"labels": LABELS}, "spec": {"containers": [CONTAINER]}}},
        "status": {"observedGeneration": 1, "replicas": 2, "updatedReplicas": 2, "readyReplicas": 2, "availableReplicas": 2},
    }  # fmt: skip


def pod(
    name: str, node: str | None, image: str = "web:1", code: str = "5d9f", owner: dict[str, Any] | None = OWNER
) -> dict[str, Any]:
    owners = [] if owner is None else [owner]
    return {
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": name, "uid": name, "labels": {**LABELS, "pod-template-hash": code}, "ownerReferences": owners,
                     "creationTimestamp": stamp(1), "resourceVersion": "8"},
        "spec": {"nodeName": node, "containers": [{**CONTAINER, "image": image}], "priority": 0},
        "status": {
            "phase": "Running", "podIP": "10.244.1.2", "startTime": stamp(2),
            "conditions": [{"type": t, "status": "True", "lastTransitionTime": stamp(5)} for t in ("Initialized", "Ready", "ContainersReady", "PodScheduled")],
            "containerStatuses": [
                {"name": "c", "image": image, "imageID": "x", "ready": True, "started": True, "restartCount": 1,
                 "state": {"running": {"startedAt": stamp(4)}}, "lastState": {"terminated": {"exitCode": 3}}}
            ],
        },
    }  # fmt: skip


def node(name: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "uid": name},
        "status": {"capacity": {"cpu": "4", "memory": "8Gi", "pods": "110"},
                   "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": stamp(0)}]},
    }  # fmt: skip


def dump() -> list[dict[str, Any]]:
    return [node("a"), node("b"), web(), pod("p", "a"), pod("q", "b")]


def of(loaded: Loaded, kind: str) -> list[Any]:
    return [obj for obj in loaded.objects if type(obj).__name__ == kind]


def compiled(loaded: Loaded) -> System:
    return compile_system(loaded.objects, loaded.scenario, Rung("coarse", NO_FAULTS))


def run(system: System) -> list[Move]:
    """The moves until nobody has anything to do."""
    row, taken = system.initial, []
    for _ in range(50):
        moves = list(system.moves(row))
        if not moves:
            return taken
        taken.append(moves[0])
        row = moves[0].row
    raise AssertionError("it does not come to rest")


def test_a_missing_replica_set_is_made_up_again() -> None:
    loaded = load_documents(dump())
    (made,) = of(loaded, "ReplicaSet")
    assert (made.metadata.name, made.spec.replicas, made.status.ready_replicas) == ("web-5d9f", 2, 2)
    assert made.spec.template.metadata.labels["pod-template-hash"] == "5d9f"
    assert {p.metadata.owner_references[0].uid for p in of(loaded, "Pod")} == {made.metadata.uid}
    assert made.metadata.owner_references[0].uid == of(loaded, "Deployment")[0].metadata.uid
    assert any("made up again from Deployment web and its 2 objects" in text for text in loaded.assumptions)


def test_uids_are_small_and_owners_follow() -> None:
    loaded = load_documents(dump())
    assert [obj.metadata.uid for obj in loaded.objects] == list(range(len(loaded.objects)))


def test_a_running_cluster_has_next_to_nothing_to_do() -> None:
    taken = run(compiled(load_documents(dump())))
    assert {move.action.process for move in taken} <= {"deployment"}
    assert len(taken) <= 1


def test_an_older_replica_set_has_the_template_of_its_pods() -> None:
    older = {**OWNER, "name": "web-77aa", "uid": "old"}
    loaded = load_documents([*dump(), pod("r", "a", image="web:0", code="77aa", owner=older)])
    images = {r.metadata.name: r.spec.template.spec.containers[0].image for r in of(loaded, "ReplicaSet")}
    assert images == {"web-5d9f": "web:1", "web-77aa": "web:0"}


def test_pods_of_an_owner_that_is_not_modelled_are_kept() -> None:
    owner = {"apiVersion": "apps/v1", "kind": "DaemonSet", "name": "agent", "uid": "ds", "controller": True}
    loaded = load_documents([node("a"), pod("p", "a", owner=owner)])
    assert [p.metadata.name for p in of(loaded, "Pod")] == ["p"]
    assert any("DaemonSet agent is not in the input" in text for text in loaded.assumptions)
    assert run(compiled(loaded)) == []


def test_kubelets_know_what_runs() -> None:
    system = compiled(load_documents(dump()))
    local = system.initial[system.index["local/kubelet/a"]]
    (container,) = local.runtime.containers
    assert (container.state, container.ready, container.started, container.restarts) == ("running", True, True, 1)
    assert (container.previous_exit_code, container.ports) == (3, ((80, "TCP"),))
    assert local.runtime.admitted == (container.pod,)
    assert [worker.pod for worker in local.kubelet.workers] == [container.pod]


def test_nodes_that_pods_are_bound_to_are_assumed_by_their_names() -> None:
    loaded = load_documents([web(), pod("p", "a"), pod("q", "b")])
    assert [n.metadata.name for n in of(loaded, "Node")] == ["a", "b", "n1"]


def test_a_pod_on_a_node_that_is_not_there_is_mentioned() -> None:
    loaded = load_documents([node("a"), pod("p", "z", owner=None)])
    assert "Pod/p is bound to node z, which is not in the input" in loaded.assumptions


def test_ages_count_from_the_last_instant_of_the_dump() -> None:
    (deployment,) = of(load_documents(dump()), "Deployment")
    assert deployment.metadata.creation_timestamp == 5


def test_versions_are_forgotten_and_listed() -> None:
    loaded = load_documents(dump())
    assert {obj.metadata.resource_version for obj in of(loaded, "Pod")} == {0}
    assert "metadata.resourceVersion" in {each.field for each in loaded.ignored}
