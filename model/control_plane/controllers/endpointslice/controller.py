"""The EndpointSlice controller: lists the pods behind each Service.

It owns: nothing but what its informers show.
It may: create, update and delete the EndpointSlices that it manages.

How an endpoint tells of a pod is in ``endpoints.py``, into which slices endpoints go in ``packing.py``.

Source: pkg/controller/endpointslice/endpointslice_controller.go, staging/src/k8s.io/endpointslice/reconciler.go.
Simplifies: topology hints by allocation of zones (the annotation) are not modelled, those of trafficDistribution are.
The slices of a Service that is gone are deleted here, by upstream's garbage collector otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from kythera.model.api.core.container import Container
from kythera.model.api.core.node import Node
from kythera.model.api.core.pod import Pod, PodSpec, PodStatus
from kythera.model.api.core.service import Service
from kythera.model.api.discovery import EndpointSlice
from kythera.model.api.labels import matches_map
from kythera.model.api.meta import Condition, ObjectMeta, deletion_mark, identity
from kythera.model.api.pods import condition, is_ready, is_terminal
from kythera.model.control_plane.controllers.endpointslice.endpoints import ZONE, address_types, desired_endpoints
from kythera.model.control_plane.controllers.endpointslice.packing import (
    CONTROLLER,
    MANAGED_BY,
    MOST,
    SERVICE_NAME,
    Plan,
    named,
    plan,
)
from kythera.model.controller import Controller, Step
from kythera.model.record import Map, Record, replace
from kythera.model.request import Create, Delete, Ref, Request, Update, ref_of
from kythera.model.view import View


def keys(view: View) -> Iterable[Ref]:
    """Every Service that is seen, and Services that are gone but have left slices."""
    found = {(ref.namespace, ref.name): ref for ref in (ref_of(each) for each in view.list(Service))}
    for each in view.list(EndpointSlice):
        name = each.metadata.labels.get(SERVICE_NAME, "")
        found.setdefault((each.metadata.namespace, name), Ref("Service", each.metadata.namespace, name))
    return list(found.values())


def reconciling(most: int) -> Callable[[None, View, Ref], Iterator[Step]]:
    """``reconcile`` with so many endpoints in a slice at most."""

    def reconcile(local: None, view: View, key: Ref) -> Iterator[Step]:
        """Make the slices of one Service list the pods that it selects.

        Source: pkg/controller/endpointslice/endpointslice_controller.go syncService.
        """
        existing = [
            each
            for each in view.list(EndpointSlice, key.namespace)
            if each.metadata.labels.get(SERVICE_NAME) == key.name and each.metadata.labels.get(MANAGED_BY) == CONTROLLER
        ]
        service = view.get(Service, key.namespace, key.name)
        if service is None:
            yield Step(local, tuple(Delete(ref_of(each)) for each in existing), why=f"Service {key.name} is gone")
            return
        if not service.spec.selector or service.spec.type == "ExternalName":
            yield Step(local)
            return
        pods = [pod for pod in view.list(Pod, key.namespace) if matches_map(service.spec.selector, pod.metadata.labels)]
        nodes = {node.metadata.name: node for node in view.list(Node)}
        found = whole_plan(service, pods, nodes, existing, most)
        taken = [each.metadata.name for each in view.list(EndpointSlice, key.namespace)]
        requests: tuple[Request, ...] = (
            *(Create(each) for each in named(found.create, service, taken)),
            *(Update(each) for each in found.update),
            *(Delete(ref_of(each)) for each in found.delete),
        )
        ready = sum(is_ready(pod) for pod in pods)
        yield Step(local, requests, why=f"Service {key.name} selects {len(pods)} pods, {ready} of them ready")

    return reconcile


def whole_plan(
    service: Service, pods: Iterable[Pod], nodes: Mapping[str, Node], existing: Iterable[EndpointSlice], most: int
) -> Plan:
    """What is to be done about the slices of a Service, of all address types.

    Source: staging/src/k8s.io/endpointslice/reconciler.go Reconcile.
    """
    whole, pods, existing = Plan(), tuple(pods), tuple(existing)
    types = address_types(service)
    for address_type in types:
        mine = [each for each in existing if each.address_type == address_type]
        part = plan(service, address_type, mine, desired_endpoints(service, pods, nodes, address_type), most)
        whole.create += part.create
        whole.update += part.update
        whole.delete += part.delete
    whole.delete += [each for each in existing if each.address_type not in types]
    return whole


def desired_slices(
    service: Service, pods: Iterable[Pod], nodes: Mapping[str, Node], most: int = MOST
) -> list[EndpointSlice]:
    """The slices that a Service gets that has none yet; an empty one where it has no pods."""
    return named(whole_plan(service, pods, nodes, (), most).create, service, ())


def without_updates(
    reconcile: Callable[[None, View, Ref], Iterator[Step]],
) -> Callable[[None, View, Ref], Iterator[Step]]:
    """A variant that makes slices and then never changes them."""

    def creating_only(local: None, view: View, key: Ref) -> Iterator[Step]:
        for step in reconcile(local, view, key):
            yield replace(step, requests=tuple(each for each in step.requests if not isinstance(each, Update)))

    return creating_only


def pod_shape(pod: Pod) -> Pod:
    """What the controller reads of a pod: labels, place, addresses, named ports, and whether it is ready or going."""
    old, spec, status = pod.metadata, pod.spec, pod.status
    meta = replace(
        identity(old),
        labels=old.labels,
        deletion_timestamp=deletion_mark(old),
    )
    ready = condition(status.conditions, "Ready")
    seen = () if ready is None else (Condition("Ready", ready.status),)
    ended = status.phase if is_terminal(pod) else ""
    return Pod(
        meta,
        PodSpec(
            containers=tuple(map(_ports_of, spec.containers)),
            init_containers=tuple(map(_ports_of, spec.init_containers)),
            node_name=spec.node_name,
            hostname=spec.hostname,
            subdomain=spec.subdomain,
        ),
        PodStatus(phase=ended, conditions=seen, pod_ip=status.pod_ip, pod_ips=status.pod_ips),
    )


def _ports_of(container: Container) -> Container:
    return Container(name=container.name, ports=container.ports, restart_policy=container.restart_policy)


def node_shape(node: Node) -> Node:
    """What the controller reads of a node: its name and zone."""
    labels = Map({k: v for k, v in node.metadata.labels.items() if k == ZONE})
    return Node(ObjectMeta(name=node.metadata.name, uid=node.metadata.uid, labels=labels))


def horizons_of(obj: Record) -> Mapping[str, int]:
    """No age matters to this controller."""
    return {}


def controller(settings: Mapping[str, str] = {}) -> Controller:
    """The EndpointSlice controller.

    Its setting is ``max-endpoints-per-slice``; the variant ``endpointslice.updates=never`` never changes a slice.
    """
    reconcile = reconciling(int(settings.get("max-endpoints-per-slice", MOST)))
    return Controller(
        name="endpointslice",
        watches=(Service, Pod, Node, EndpointSlice),
        writes=(EndpointSlice,),
        initial=None,
        keys=keys,
        reconcile=reconcile if settings.get("endpointslice.updates") != "never" else without_updates(reconcile),
        shapes={Pod: pod_shape, Node: node_shape},
        says="lists the pods behind each Service",
    )
