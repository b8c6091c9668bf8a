"""What the scheduler knows of a node."""

from __future__ import annotations

from kythera.model.api.core.container import Container, ContainerPort, ResourceRequirements
from kythera.model.api.core.node import Node, NodeStatus
from kythera.model.api.core.pod import Pod, PodSpec, PodStatus
from kythera.model.api.meta import ObjectMeta
from kythera.model.api.quantity import Quantity
from kythera.model.control_plane.scheduler.node_info import HostPort, NodeInfo, host_ports, node_infos
from kythera.model.record import Map, NodeName


def node(name: str) -> Node:
    room = Map({"cpu": Quantity(4 * 10**9), "memory": Quantity(8 * 10**9), "pods": Quantity(110 * 10**9)})
    return Node(ObjectMeta(name=name), status=NodeStatus(allocatable=room))


def pod(name: str, on: str | None, nano_cpu: int = 0, phase: str = "", *ports: ContainerPort) -> Pod:
    container = Container(resources=ResourceRequirements(requests=Map({"cpu": Quantity(nano_cpu)})), ports=ports)
    spec = PodSpec(containers=(container,), node_name=NodeName(on) if on else None)
    return Pod(ObjectMeta(name=name), spec, PodStatus(phase=phase))


def test_each_node_has_its_pods() -> None:
    a, b, lost, waiting = pod("a", "n1"), pod("b", "n2"), pod("c", "n3"), pod("d", None)
    assert node_infos((node("n1"), node("n2")), (a, b, lost, waiting)) == (
        NodeInfo(node("n1"), (a,)),
        NodeInfo(node("n2"), (b,)),
    )


def test_pods_that_have_ended_count_nowhere() -> None:
    ended = (pod("a", "n1", phase="Succeeded"), pod("b", "n1", phase="Failed"))
    (info,) = node_infos((node("n1"),), ended)
    assert info.pods == ()


def test_requests_are_rounded_up_pod_by_pod() -> None:
    info = NodeInfo(node("n1"), (pod("a", "n1", 100_000), pod("b", "n1", 1_500_000)))
    assert info.requested == Map({"cpu": 1 + 2, "pods": 2})
    assert info.allocatable == Map({"cpu": 4000, "memory": 8, "pods": 110})


def test_host_ports_have_defaults_and_those_of_init_containers_do_not_count() -> None:
    it = pod("a", "n1", 0, "", ContainerPort(host_port=80), ContainerPort(container_port=8080))
    assert host_ports(it) == (HostPort("0.0.0.0", "TCP", 80),)
    init = Container(ports=(ContainerPort(host_port=81),))
    sidecar = Container(ports=(ContainerPort(host_port=82),), restart_policy="Always")
    assert [each.port for each in host_ports(Pod(spec=PodSpec(init_containers=(init, sidecar))))] == [82]


def test_a_port_on_every_address_conflicts_with_that_port_on_any() -> None:
    assert HostPort("0.0.0.0", "TCP", 80).conflicts(HostPort("10.0.0.1", "TCP", 80))
    assert not HostPort("10.0.0.2", "TCP", 80).conflicts(HostPort("10.0.0.1", "TCP", 80))
    assert not HostPort("0.0.0.0", "UDP", 80).conflicts(HostPort("0.0.0.0", "TCP", 80))
