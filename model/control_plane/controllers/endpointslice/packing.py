"""Packing: into which EndpointSlices the endpoints of a Service go, with as few changes as possible.

Endpoints stay in the slice that they are in.  What is new goes into slices that change anyway, then into one that has
room for all of it, and else into new slices; a slice that would be empty goes, unless it is the only one.

Source: staging/src/k8s.io/endpointslice/reconciler.go reconcileByAddressType, reconcileByPortMapping, finalize.
Simplifies: a new slice gets the first free of the names that are made from the Service's (upstream generates names),
and new endpoints are placed in a fixed order (upstream in any).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from kythera.model.api.core.service import Service
from kythera.model.api.discovery import Endpoint, EndpointPort, EndpointSlice
from kythera.model.api.meta import ObjectMeta
from kythera.model.api.ownership import owner_reference
from kythera.model.control_plane.controllers.endpointslice.endpoints import Ports, is_headless, place
from kythera.model.record import Map, replace

SERVICE_NAME = "kubernetes.io/service-name"
MANAGED_BY = "endpointslice.kubernetes.io/managed-by"
HEADLESS = "service.kubernetes.io/headless"
CONTROLLER = "endpointslice-controller.k8s.io"

MOST = 100
"""Endpoints in a slice, where kube-controller-manager is not told otherwise (max-endpoints-per-slice)."""


@dataclass(slots=True)
class Plan:
    """What is to be written: slices to create (without names), to update, and to delete."""

    create: list[EndpointSlice] = field(default_factory=list)
    update: list[EndpointSlice] = field(default_factory=list)
    delete: list[EndpointSlice] = field(default_factory=list)


def plan(
    service: Service,
    address_type: str,
    existing: Iterable[EndpointSlice],
    desired: Mapping[Ports, list[Endpoint]],
    most: int = MOST,
) -> Plan:
    """What is to be done about the slices of a Service of one address type; ``existing`` are those of its name.

    Slices that another Service of the same name has left are deleted, and not filled.
    """
    made, total = Plan(), 0
    by_ports: dict[Ports, list[EndpointSlice]] = {}
    for each in existing:
        total += 1
        if is_owned(each, service):
            by_ports.setdefault(_key(each.ports), []).append(each)
        else:
            made.delete.append(each)
    wanted = {_key(ports): (ports, endpoints) for ports, endpoints in desired.items()}
    for key, (ports, endpoints) in wanted.items():
        _pack(made, service, address_type, ports, by_ports.get(key, ()), endpoints, most)
    made.delete += [each for key, slices in by_ports.items() if key not in wanted for each in slices]
    if total == len(made.delete) and not made.create:
        empty = new_slice(service, address_type, ())
        if [(each.metadata.labels, each.ports, each.endpoints) for each in made.delete] == [
            (empty.metadata.labels, (), ())
        ]:
            made.delete = []
        else:
            made.create.append(empty)
    return _reused(made, service)


def _pack(
    made: Plan,
    service: Service,
    address_type: str,
    ports: Ports,
    existing: Iterable[EndpointSlice],
    desired: Iterable[Endpoint],
    most: int,
) -> None:
    """What is to be done about the slices with one set of ports."""
    missing = {_identity(each): each for each in desired}
    changed: list[EndpointSlice] = []
    kept: list[EndpointSlice] = []
    for old in existing:
        stay = [missing.pop(key) for key in map(_identity, old.endpoints) if key in missing]
        labels = slice_labels(service)
        if tuple(stay) != old.endpoints and not stay:
            made.delete.append(old)
        elif tuple(stay) != old.endpoints or labels != old.metadata.labels:
            meta = replace(old.metadata, labels=labels)
            changed.append(replace(old, metadata=meta, endpoints=tuple(stay)))
        else:
            kept.append(old)
    left = list(missing.values())
    changed.sort(key=lambda each: (-len(each.endpoints), each.metadata.name))
    for each in changed:
        room = max(most - len(each.endpoints), 0)
        made.update.append(_filled(each, left[:room]))
        left = left[room:]
    while left:
        fits = [each for each in kept if len(left) + len(each.endpoints) <= most] if len(left) < most else []
        if fits:
            fullest = max(fits, key=lambda each: len(each.endpoints))
            kept.remove(fullest)
            made.update.append(_filled(fullest, left))
            return
        made.create.append(_filled(new_slice(service, address_type, ports), left[:most]))
        left = left[most:]


def _filled(old: EndpointSlice, more: Iterable[Endpoint]) -> EndpointSlice:
    return replace(old, endpoints=tuple(sorted((*old.endpoints, *more), key=place)))


def _reused(made: Plan, service: Service) -> Plan:
    """The same with slices changed, that would be deleted while others are created."""
    for old in tuple(made.delete):
        if made.create and is_owned(old, service):
            new = made.create.pop()
            made.update.append(replace(new, metadata=replace(old.metadata, labels=new.metadata.labels)))
            made.delete.remove(old)
    if service.metadata.deletion_timestamp is not None:
        made.create = []
    return made


def new_slice(service: Service, address_type: str, ports: Ports) -> EndpointSlice:
    """An empty slice of a Service, without a name yet.

    Source: staging/src/k8s.io/endpointslice/utils.go newEndpointSlice.
    """
    meta = ObjectMeta(
        namespace=service.metadata.namespace,
        labels=slice_labels(service),
        owner_references=(owner_reference(service),),
    )
    return EndpointSlice(meta, address_type, (), ports)


def named(slices: Iterable[EndpointSlice], service: Service, taken: Iterable[str]) -> list[EndpointSlice]:
    """New slices with names that are free: ``web-ipv4``, ``web-ipv4-2``, ..."""
    used, found = set(taken), []
    for each in slices:
        stem, number = f"{service.metadata.name}-{each.address_type.lower()}", 1
        while (name := stem if number == 1 else f"{stem}-{number}") in used:
            number += 1
        used.add(name)
        found.append(replace(each, metadata=replace(each.metadata, name=name)))
    return found


def is_owned(found: EndpointSlice, service: Service) -> bool:
    """Whether a slice belongs to this very Service, and not to one of the same name that was there before.

    Source: staging/src/k8s.io/endpointslice/utils.go ownedBy.
    """
    return any(each.kind == "Service" and each.uid == service.metadata.uid for each in found.metadata.owner_references)


def _identity(endpoint: Endpoint) -> tuple[object, ...]:
    """What makes an endpoint the same one: addresses (here with their node), hostname, and the pod's name.

    Source: staging/src/k8s.io/endpointslice/util/endpointset.go hashEndpoint.
    """
    target = endpoint.target_ref
    pod = None if target is None else (target.namespace, target.name, None if target.name else target.uid)
    return (*place(endpoint), endpoint.hostname, pod)


def _key(ports: Ports) -> Ports:
    """The ports in an order of their own: that of the Service says nothing."""
    return tuple(sorted(ports, key=_port))


def _port(port: EndpointPort) -> tuple[str, str, int, str]:
    return port.name or "", port.protocol or "", port.port or 0, port.app_protocol or ""


def slice_labels(service: Service) -> Map[str]:
    """The labels of a Service's slices: the Service's own, and those that the controller reserves.

    Source: staging/src/k8s.io/endpointslice/utils.go setEndpointSliceLabels.
    """
    labels = {k: v for k, v in service.metadata.labels.items() if k not in (SERVICE_NAME, MANAGED_BY, HEADLESS)}
    if is_headless(service):
        labels[HEADLESS] = ""
    return Map({**labels, SERVICE_NAME: service.metadata.name, MANAGED_BY: CONTROLLER})
