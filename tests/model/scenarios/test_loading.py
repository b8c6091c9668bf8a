"""What a usable input means: objects as the API server holds them, nodes, namespaces, events."""
# ruff: noqa: E501

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

import kythera.model
from kythera.model.api.core.node import Node
from kythera.model.api.quantity import canonical
from kythera.model.node.runtime.runtime import Behaviour
from kythera.model.record import Map
from kythera.model.scenarios.components import members
from kythera.model.scenarios.loader import Loaded, load, load_documents
from kythera.model.scenarios.scenario import NO_FAULTS, Event, Faults, Rung, SchedulerSettings
from kythera.model.scenarios.variants import VARIANTS


def deployment(name: str = "web", replicas: int = 2, cpu: str = "100m", **pod: Any) -> dict[str, Any]:
    labels = {"app": name}
    container = {"name": "c", "image": f"{name}:1", "resources": {"requests": {"cpu": cpu}}}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container], **pod}}
    spec = {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": spec}


def scenario(**spec: Any) -> dict[str, Any]:
    return {"apiVersion": "kythera/v1alpha1", "kind": "Scenario", "metadata": {"name": "s"}, "spec": spec}


def of(loaded: Loaded, kind: str) -> list[Any]:
    return [obj for obj in loaded.objects if type(obj).__name__ == kind]


def test_objects_are_as_after_their_creation() -> None:
    (web,) = of(load_documents([deployment()]), "Deployment")
    assert (web.metadata.namespace, web.metadata.generation, web.metadata.creation_timestamp) == ("default", 1, 0)
    assert web.spec.strategy.type == "RollingUpdate"


def test_uids_are_numbers_from_zero() -> None:
    loaded = load_documents([deployment("a"), deployment("b")])
    assert [obj.metadata.uid for obj in loaded.objects] == list(range(5))


def test_the_documents_give_the_same_again(tmp_path: Path) -> None:
    (tmp_path / "v2.yaml").write_text(json.dumps(deployment(cpu="200m")), encoding="utf-8")
    events = [{"apply": "v2.yaml"}, {"scale": "deployment/web", "replicas": 4, "after": "apply v2.yaml"}]
    (tmp_path / "x.json").write_text(json.dumps(deployment()), encoding="utf-8")
    (tmp_path / "s.yaml").write_text(json.dumps(scenario(events=events, properties=["p"])), encoding="utf-8")
    loaded = load([tmp_path / "x.json", tmp_path / "s.yaml"])
    again = load_documents(json.loads(json.dumps(loaded.documents)))
    assert again == loaded


def test_a_question_is_called_after_its_first_file(tmp_path: Path) -> None:
    file = tmp_path / "My Web.yaml"
    file.write_text(json.dumps(deployment()), encoding="utf-8")
    loaded = load([file])
    assert loaded.scenario.name == "my-web"
    assert load_documents(loaded.documents).scenario.name == "my-web"


def test_a_pod_gets_priority_and_tolerations() -> None:
    pod = {
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"},
        "spec": {"containers": [{"name": "c", "image": "i"}], "priorityClassName": "high"},
    }  # fmt: skip
    high = {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": "high"}, "value": 7}
    (made,) = of(load_documents([pod, high]), "Pod")
    assert made.spec.priority == 7
    assert len(made.spec.tolerations) == 2
    assert (made.status.phase, made.status.qos_class) == ("Pending", "BestEffort")


def test_an_autoscaler_of_version_1() -> None:
    hpa = {
        "apiVersion": "autoscaling/v1", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "web"},
        "spec": {
            "maxReplicas": 8, "targetCPUUtilizationPercentage": 70,
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
        },
    }  # fmt: skip
    loaded = load_documents([deployment(), hpa])
    (made,) = of(loaded, "HorizontalPodAutoscaler")
    assert made.spec.metrics[0].resource.target.average_utilization == 70
    alone = load_documents([hpa])
    assert "scales Deployment/web, which is not in the input" in " ".join(alone.assumptions)


def test_what_objects_ask_for_and_the_model_does_not_have_is_said() -> None:
    claim = {"name": "data", "persistentVolumeClaim": {"claimName": "web-data"}}
    target = {"type": "AverageValue", "averageValue": "3"}
    hpa = {
        "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "web"},
        "spec": {
            "maxReplicas": 8, "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
            "metrics": [{"type": "External", "external": {"metric": {"name": "queue"}, "target": target}}],
        },
    }  # fmt: skip
    said = " ".join(load_documents([deployment(volumes=[claim]), hpa]).assumptions)
    assert "Deployment/web uses the PersistentVolumeClaim web-data, and storage is not modelled" in said
    assert "HorizontalPodAutoscaler/web goes by External metrics, which are not modelled" in said


def test_what_an_applied_object_needs_and_nobody_brings_is_said() -> None:
    key = {"name": "C", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "c"}}}
    new = deployment()
    new["spec"]["template"]["spec"]["containers"][0]["env"] = [key]
    asked = scenario(events=[{"apply": [new]}])
    assert "Deployment/web needs the ConfigMap settings" in " ".join(load_documents([deployment(), asked]).assumptions)
    settings = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}, "data": {"c": "1"}}
    assert "needs" not in " ".join(load_documents([deployment(), settings, asked]).assumptions)


def test_priorities_are_no_preemption_and_it_is_said() -> None:
    high = {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": "high"}, "value": 10}
    both = [high, deployment("a", priorityClassName="high"), deployment("b")]
    assert "preemption is not modelled" in " ".join(load_documents(both).assumptions)
    assert "preemption" not in " ".join(load_documents(both[:2]).assumptions)


def test_kinds_that_change_nothing_are_listed(tmp_path: Path) -> None:
    file = tmp_path / "x.yaml"
    file.write_text(
        f"{json.dumps(deployment())}\n---\napiVersion: v1\nkind: ServiceAccount\nmetadata: {{name: a}}\n",
        encoding="utf-8",
    )
    (ignored,) = load([file]).ignored
    assert (ignored.line, ignored.object, ignored.field) == (3, "ServiceAccount/a", "")
    assert ignored.why


def test_ignored_fields_are_listed_with_their_lines(tmp_path: Path) -> None:
    file = tmp_path / "x.yaml"
    text = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  dnsPolicy: Default\n  containers: [{name: c, image: i}]\n"
    file.write_text(text, encoding="utf-8")
    (ignored,) = load([file]).ignored
    assert (ignored.line, ignored.object, ignored.field) == (5, "Pod/a", "spec.dnsPolicy")


# Namespaces


def test_the_default_namespace_is_not_made() -> None:
    assert of(load_documents([deployment()]), "Namespace") == []


def test_another_namespace_is_made_and_said() -> None:
    data = deployment()
    data["metadata"]["namespace"] = "shop"
    loaded = load_documents([data])
    assert [each.metadata.name for each in of(loaded, "Namespace")] == ["default", "shop"]
    assert [text for text in loaded.assumptions if "namespace" in text] == [
        "namespace shop is not in the input: it was made"
    ]


@pytest.mark.parametrize("spec", [{}, {"finalizers": ["kubernetes"]}])
def test_a_namespace_has_the_finalizer_that_keeps_it_until_it_is_empty(spec: dict[str, Any]) -> None:
    written = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}, "spec": spec}
    assert [each.spec.finalizers for each in of(load_documents([written]), "Namespace")] == [("kubernetes",)] * 2


def test_a_namespace_of_a_dump_that_has_lost_its_finalizer_gets_none() -> None:
    seen = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop", "uid": "a1", "resourceVersion": "7"}}
    (shop,) = (each for each in of(load_documents([seen]), "Namespace") if each.metadata.name == "shop")
    assert shop.spec.finalizers == ()


# Nodes


def amounts(node: Node) -> dict[str, str]:
    return {name: canonical(amount) for name, amount in node.status.allocatable.items()}


def test_any_two_of_the_assumed_nodes_have_room_for_all_pods() -> None:
    loaded = load_documents([deployment(replicas=4, cpu="300m")])  # and one of surge: 5 pods, 3 on a node
    assert [amounts(node)["cpu"] for node in of(loaded, "Node")] == ["900m"] * 3
    assert [amounts(node)["pods"] for node in of(loaded, "Node")] == ["110"] * 3
    assert "three equal nodes of 900m cpu" in loaded.assumptions[0]


def test_assumed_nodes_have_room_for_what_autoscalers_and_users_may_ask() -> None:
    hpa = {
        "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "web"},
        "spec": {"maxReplicas": 8, "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}},
    }  # fmt: skip
    scaled = scenario(events=[{"scale": "deployment/web", "replicas": 16}])
    assert amounts(of(load_documents([deployment(cpu="1"), hpa]), "Node")[0])["cpu"] == "5"
    assert amounts(of(load_documents([deployment(cpu="1"), scaled]), "Node")[0])["cpu"] == "10"


def test_assumed_nodes_are_in_zones_where_pods_speak_of_zones() -> None:
    spread = {
        "maxSkew": 1, "topologyKey": "topology.kubernetes.io/zone", "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": {"matchLabels": {"app": "web"}},
    }  # fmt: skip
    loaded = load_documents([deployment(topologySpreadConstraints=[spread])])
    zones = [node.metadata.labels["topology.kubernetes.io/zone"] for node in of(loaded, "Node")]
    assert len(set(zones)) == 3
    assert "each is in a zone of its own" in loaded.assumptions[0]


def test_assumed_nodes_have_the_labels_that_pods_select() -> None:
    loaded = load_documents([deployment(nodeSelector={"disk": "ssd", "kubernetes.io/os": "linux"})])
    assert {node.metadata.labels["disk"] for node in of(loaded, "Node")} == {"ssd"}
    assert "labels disk=ssd" in loaded.assumptions[0]


def test_nodes_of_a_scenario() -> None:
    entry = {
        "count": 2,
        "namePrefix": "m",
        "labels": {"zone": "a"},
        "capacity": {"cpu": 2, "memory": "1Gi", "pods": "5"},
    }
    loaded = load_documents(
        [deployment(), scenario(nodes=[{**entry, "taints": [{"key": "k", "effect": "NoSchedule"}]}])]
    )
    nodes = of(loaded, "Node")
    assert [node.metadata.name for node in nodes] == ["m1", "m2"]
    assert nodes[1].metadata.labels["kubernetes.io/hostname"] == "m2"
    assert amounts(nodes[0]) == {"cpu": "2", "memory": "1Gi", "pods": "5"}
    assert nodes[0].spec.taints[0].key == "k"
    assert [(c.type, c.status) for c in nodes[0].status.conditions] == [("Ready", "True")]
    assert not loaded.assumptions


def test_a_bare_node_manifest_is_completed() -> None:
    loaded = load_documents([{"apiVersion": "v1", "kind": "Node", "metadata": {"name": "a"}}])
    (node,) = of(loaded, "Node")
    assert amounts(node) == {"cpu": "4", "memory": "8Gi", "pods": "110"}
    assert "node a was assumed to have 4 cpu, 8Gi memory, 110 pods and to be ready" in loaded.assumptions[0]


# The Scenario


def test_without_a_scenario_the_defaults_apply() -> None:
    asked = load_documents([deployment()]).scenario
    assert (asked.faults, asked.time, asked.granularity, asked.properties) == (Faults(), "prompt", "ladder", None)
    assert asked.schedulers == (SchedulerSettings(),)


def test_a_whole_scenario() -> None:
    asked = load_documents(
        [
            deployment(),
            scenario(
                controlPlane={"apiServers": 1, "schedulers": [{"name": "a"}]},
                components={"kube-controller-manager": {"horizontal-pod-autoscaler-sync-period": "30s"}, "kubelet": {"timed": True}},
                variants=["hpa.base=spec_replicas"],
                workload=[{"selector": {"app": "web"}, "startup": "5s", "cpu": ["100m", 0.3], "changes": 1, "exits": "never"}],
                faults={"crash": 2, "lostReply": 1, "containerCrash": 1, "staleness": "timeTravel"},
                granularity="fine",
                properties=["resource-fit"],
            ),
        ]
    ).scenario  # fmt: skip
    assert asked.schedulers == (SchedulerSettings("a"),)
    assert asked.components["kubelet"] == {"timed": "yes"}
    assert asked.variants == {"hpa.base": "spec_replicas"}
    assert (asked.workload[0].startup, [canonical(q) for q in asked.workload[0].cpu]) == (5, ["100m", "300m"])
    assert asked.faults == Faults(crash=2, lost_reply=1, container_crash=1, staleness="timeTravel")
    assert (asked.granularity, asked.properties) == ("fine", ("resource-fit",))


def test_events_get_names_and_full_targets() -> None:
    data = deployment()
    data["metadata"]["namespace"] = "shop"
    events = [
        {"scale": "deploy/web", "replicas": 5},
        {"scale": "deploy/web", "replicas": 5},
        {"cordon": "node/n1", "after": ["scale deploy/web"]},
    ]
    asked = load_documents([data, scenario(events=events)]).scenario
    assert asked.events == (
        Event("scale deploy/web", "scale", "Deployment/web", "shop", 5),
        Event("scale deploy/web (2)", "scale", "Deployment/web", "shop", 5),
        Event("cordon node/n1", "cordon", "n1", after=("scale deploy/web",)),
    )


def test_an_event_may_wait_for_the_object_that_another_applies() -> None:
    events = [{"name": "new", "apply": [deployment("api")]}, {"delete": "deployment/api", "after": "new"}]
    asked = load_documents([deployment(), scenario(events=events)]).scenario
    assert json.loads(asked.events[0].manifests[0])["metadata"] == {"name": "api", "namespace": "default"}
    assert asked.events[1].target == "Deployment/api"


def test_what_will_be_applied_again_remembers_how_it_was_applied() -> None:
    events = [{"apply": [deployment(replicas=3)]}]
    (web,) = of(load_documents([deployment(), scenario(events=events)]), "Deployment")
    noted = web.metadata.annotations["kubectl.kubernetes.io/last-applied-configuration"]
    assert json.loads(noted)["spec"]["replicas"] == 2


@pytest.mark.parametrize(
    ("given", "known"),
    [
        ({"startup": "5s"}, Behaviour(Map({"app": "web"}), startup=5)),
        ({"exits": "success"}, Behaviour(Map({"app": "web"}), may_exit=(0,))),
        ({"exits": "failure"}, Behaviour(Map({"app": "web"}), may_exit=(1,))),
        ({"exits": "any"}, Behaviour(Map({"app": "web"}), may_exit=(0, 1))),
        ({"exits": "1m30s"}, Behaviour(Map({"app": "web"}), lasts=90)),
    ],
)
def test_how_containers_behave_is_known_to_the_nodes(given: dict[str, str], known: Behaviour) -> None:
    loaded = load_documents([deployment(), scenario(workload=[{"selector": {"app": "web"}, **given}])])
    found = members(loaded.objects, loaded.scenario, Rung("coarse", NO_FAULTS), ("n1",))  # type: ignore[arg-type]
    (kubelet,) = [each for each in found if each.name == "kubelet/n1"]
    assert kubelet.controller.initial.runtime.behaviours == (known,)


@pytest.mark.parametrize("fault", ["partition", "nodeFailure"])
def test_a_budget_of_zero_is_no_fault(fault: str) -> None:
    assert load_documents([deployment(), scenario(faults={fault: 0})]).scenario.faults == Faults()


def test_every_variant_that_a_component_reads_can_be_asked_for() -> None:
    model = Path(next(iter(kythera.model.__path__)))
    read: set[str] = set()
    for file in model.rglob("*.py"):
        read |= set(re.findall(r'settings\.get\(\s*"([a-z_]+\.[a-z_]+)"', file.read_text(encoding="utf-8")))
    assert read
    assert read <= {variant.name for variant in VARIANTS}
