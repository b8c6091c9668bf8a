"""Which pods a node lets in."""

from __future__ import annotations

import pytest

from kythera.model.api.core.container import Container, ContainerPort, ResourceRequirements
from kythera.model.api.core.node import Node, NodeSpec, NodeStatus
from kythera.model.api.core.pod import Pod, PodSpec
from kythera.model.api.core.scheduling import Taint, Toleration
from kythera.model.api.meta import ObjectMeta
from kythera.model.api.quantity import parse_quantity
from kythera.model.node.kubelet.admission import Refusal, host_ports, refusal
from kythera.model.record import Map, NodeName


def node(taints: tuple[Taint, ...] = (), labels: dict[str, str] | None = None, **resources: str) -> Node:
    amounts = {"pods": "10", "cpu": "2", "memory": "1Gi", **resources}
    return Node(
        ObjectMeta(name="n1", labels=Map(labels)),
        NodeSpec(taints=taints),
        NodeStatus(allocatable=Map({name: parse_quantity(text) for name, text in amounts.items()})),
    )


def pod(requests: dict[str, str] | None = None, *ports: ContainerPort, **spec: object) -> Pod:
    wanted = Map({name: parse_quantity(text) for name, text in (requests or {}).items()})
    container = Container("c", ports=ports, resources=ResourceRequirements(requests=wanted))
    return Pod(ObjectMeta(), PodSpec((container,), **spec))  # type: ignore[arg-type]


def reason(found: Refusal | None) -> str:
    return "" if found is None else found.reason


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({}, ""),
        ({"cpu": "500m"}, ""),
        ({"cpu": "501m"}, "OutOfcpu"),
        ({"memory": "1Gi"}, "OutOfmemory"),
        ({"cpu": "1", "memory": "1Gi"}, "OutOfcpu"),
        ({"ephemeral-storage": "1"}, "OutOfephemeral-storage"),
        ({"example.com/gpu": "1"}, ""),  # a resource that the node doesn't have is another's affair
        ({"hugepages-2Mi": "2Mi"}, "OutOfhugepages-2Mi"),
    ],
)
def test_resources_are_counted_over_the_pods_admitted(asked: dict[str, str], expected: str) -> None:
    others = (pod({"cpu": "1"}), pod({"cpu": "500m", "memory": "1Mi"}))
    assert reason(refusal(pod(asked), node(), others)) == expected


def test_the_message_gives_the_numbers() -> None:
    found = refusal(pod({"memory": "2Gi"}), node(), ())
    assert found is not None
    assert found.message == (
        "Node didn't have enough resource: memory, requested: 2147483648, used: 0, capacity: 1073741824"
    )


def test_a_node_has_room_for_so_many_pods_and_no_more() -> None:
    assert refusal(pod(), node(pods="2"), (pod(),)) is None
    assert reason(refusal(pod(), node(pods="2"), (pod(), pod()))) == "OutOfpods"


def test_an_extended_resource_that_the_node_has_is_counted() -> None:
    gpu = {"example.com/gpu": "1"}
    assert reason(refusal(pod(gpu), node(**gpu), (pod(gpu),))) == "OutOfexample.com/gpu"


def test_labels_and_taints_count_only_at_the_first_admission() -> None:
    picky = pod(node_selector=Map({"disk": "ssd"}))
    assert reason(refusal(picky, node(), ())) == "NodeAffinity"
    assert refusal(picky, node(labels={"disk": "ssd"}), ()) is None
    assert refusal(picky, node(), (), admitted_before=True) is None
    tainted = node(taints=(Taint("k", effect="NoExecute"), Taint("l", effect="NoSchedule")))
    assert reason(refusal(pod(), tainted, ())) == "TaintToleration"
    assert refusal(pod(), tainted, (), admitted_before=True) is None
    assert refusal(pod(tolerations=(Toleration("k", "Exists"),)), tainted, ()) is None


def test_a_pod_for_another_node_is_refused() -> None:
    assert reason(refusal(pod(node_name=NodeName("n2")), node(), ())) == "NodeName"


@pytest.mark.parametrize(
    ("taken", "wanted", "expected"),
    [
        (ContainerPort(host_port=80), ContainerPort(host_port=80), "NodePorts"),
        (ContainerPort(host_port=80), ContainerPort(host_port=81), ""),
        (ContainerPort(host_port=80), ContainerPort(host_port=80, protocol="UDP"), ""),
        (ContainerPort(host_port=80), ContainerPort(host_port=80, host_ip="10.0.0.1"), "NodePorts"),
        (
            ContainerPort(host_port=80, host_ip="10.0.0.2"),
            ContainerPort(host_port=80, host_ip="10.0.0.1"),
            "",
        ),
        (ContainerPort(container_port=80), ContainerPort(container_port=80), ""),
    ],
)
def test_a_port_of_the_node_is_given_once(taken: ContainerPort, wanted: ContainerPort, expected: str) -> None:
    assert reason(refusal(pod(None, wanted), node(), (pod(None, taken),))) == expected


def test_host_ports_of_sidecars_count_and_those_of_init_containers_dont() -> None:
    port = (ContainerPort(host_port=80),)
    spec = PodSpec(init_containers=(Container("s", ports=port, restart_policy="Always"), Container("i", ports=port)))
    assert host_ports(Pod(spec=spec)) == (("0.0.0.0", "TCP", 80),)
