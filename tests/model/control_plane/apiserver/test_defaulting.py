"""What an object means where it says nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kythera.model.api.apps import Deployment, DeploymentStrategy, ReplicaSet
from kythera.model.api.autoscaling import (
    HorizontalPodAutoscaler,
    HorizontalPodAutoscalerBehavior,
    HorizontalPodAutoscalerSpec,
    HPAScalingRules,
)
from kythera.model.api.core.cluster import ConfigMap, Namespace, Secret
from kythera.model.api.core.container import Container, ContainerPort, Probe, ResourceRequirements
from kythera.model.api.core.node import Node, NodeStatus
from kythera.model.api.core.pod import Pod, PodResources, PodSpec
from kythera.model.api.core.service import Service, ServicePort, ServiceSpec
from kythera.model.api.discovery import EndpointPort, EndpointSlice
from kythera.model.api.meta import ObjectMeta
from kythera.model.api.quantity import Quantity
from kythera.model.api.scheduling import PriorityClass
from kythera.model.control_plane.apiserver.defaulting import SCALE_DOWN, SCALE_UP, default, image_tag
from kythera.model.record import Map, Record, replace

CPU = Quantity(10**9)


@pytest.mark.parametrize(
    ("image", "tag"),
    [
        ("i", "latest"),
        ("i:latest", "latest"),
        ("i:1", "1"),
        ("host:5000/i", "latest"),
        ("host:5000/i:1", "1"),
        ("i@sha256:0", ""),
        ("i:1@sha256:0", "1"),
    ],
)
def test_the_tag_of_an_image(image: str, tag: str) -> None:
    assert image_tag(image) == tag


def test_a_pod() -> None:
    container = Container(
        "c",
        "i:1",
        ports=(ContainerPort(container_port=80),),
        resources=ResourceRequirements(limits=Map({"cpu": CPU})),
        readiness_probe=Probe(),
    )
    pod = default(Pod(spec=PodSpec((container,), host_network=True)))
    spec, made = pod.spec, pod.spec.containers[0]
    assert (spec.restart_policy, spec.scheduler_name) == ("Always", "default-scheduler")
    assert spec.termination_grace_period_seconds == 30
    assert made.image_pull_policy == "IfNotPresent"
    assert made.ports == (ContainerPort(container_port=80, host_port=80, protocol="TCP"),)
    assert made.resources.requests == Map({"cpu": CPU})
    assert made.readiness_probe == Probe(period_seconds=10, timeout_seconds=1, success_threshold=1, failure_threshold=3)


def test_a_template_gets_no_requests_from_its_limits() -> None:
    container = Container("c", "i", resources=ResourceRequirements(limits=Map({"cpu": CPU})))
    made = Deployment()
    made = replace(made, spec=replace(made.spec, template=replace(made.spec.template, spec=PodSpec((container,)))))
    assert default(made).spec.template.spec.containers[0].resources.requests == Map()


def test_a_pod_with_limits_of_its_own() -> None:
    container = Container("c", "i", resources=ResourceRequirements(requests=Map({"cpu": CPU})))
    limits = Map({"cpu": Quantity(4 * 10**9), "memory": CPU})
    pod = default(Pod(spec=PodSpec((container,), resources=PodResources(limits=limits))))
    assert pod.spec.resources is not None
    assert pod.spec.resources.requests == Map({"cpu": CPU, "memory": CPU})


def test_resources_are_rounded_up_to_milli_units() -> None:
    node = default(Node(status=NodeStatus(capacity=Map({"cpu": Quantity(1)}))))
    assert node.status.allocatable == Map({"cpu": Quantity(10**6)})


def test_a_deployment_and_a_replica_set() -> None:
    spec = default(Deployment()).spec
    assert (spec.replicas, spec.revision_history_limit, spec.progress_deadline_seconds) == (1, 10, 600)
    assert spec.strategy.type == "RollingUpdate"
    rolling = spec.strategy.rolling_update
    assert rolling is not None
    assert (rolling.max_unavailable, rolling.max_surge) == ("25%", "25%")
    given = replace(Deployment().spec, replicas=0, strategy=DeploymentStrategy("Recreate"))
    spec = default(Deployment(spec=given)).spec
    assert (spec.replicas, spec.strategy.rolling_update) == (0, None)
    assert default(ReplicaSet()).spec.replicas == 1


def test_an_autoscaler() -> None:
    spec = default(HorizontalPodAutoscaler()).spec
    assert (spec.min_replicas, spec.behavior) == (1, None)
    assert spec.metrics[0].resource is not None
    assert spec.metrics[0].resource.target.average_utilization == 80
    given = HorizontalPodAutoscalerSpec(
        behavior=HorizontalPodAutoscalerBehavior(scale_down=HPAScalingRules(stabilization_window_seconds=0))
    )
    behavior = default(HorizontalPodAutoscaler(spec=given)).spec.behavior
    assert behavior is not None
    assert behavior.scale_up == SCALE_UP
    assert behavior.scale_down == replace(SCALE_DOWN, stabilization_window_seconds=0)


def test_services_and_slices() -> None:
    spec = default(Service(spec=ServiceSpec((ServicePort(port=80),)))).spec
    assert (spec.type, spec.session_affinity, spec.internal_traffic_policy) == (
        "ClusterIP",
        "None",
        "Cluster",
    )
    assert spec.ports == (ServicePort(protocol="TCP", port=80, target_port=80),)
    spec = default(Service(spec=ServiceSpec(type="NodePort", session_affinity="ClientIP"))).spec
    assert spec.external_traffic_policy == "Cluster"
    assert spec.session_affinity_config is not None
    assert spec.session_affinity_config.client_ip is not None
    assert spec.session_affinity_config.client_ip.timeout_seconds == 10800
    assert default(EndpointSlice(ports=(EndpointPort(port=80),))).ports == (EndpointPort("", "TCP", 80),)


def test_the_rest() -> None:
    assert default(Namespace(ObjectMeta("n"))).metadata.labels == Map({"kubernetes.io/metadata.name": "n"})
    assert default(PriorityClass()).preemption_policy == "PreemptLowerPriority"
    assert default(Secret()).type == "Opaque"


KINDS = [
    Pod(),
    Deployment(),
    ReplicaSet(),
    HorizontalPodAutoscaler(),
    Service(),
    Node(),
    Namespace(),
    ConfigMap(),
]


@given(st.sampled_from(KINDS))
def test_defaults_are_filled_in_once(obj: Record) -> None:
    assert default(default(obj)) is default(obj)
