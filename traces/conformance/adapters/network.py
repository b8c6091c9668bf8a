"""Cases about EndpointSlices."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kythera.model.api.core.node import Node
from kythera.model.api.core.pod import Pod
from kythera.model.api.core.service import Service, ServicePort
from kythera.model.api.decode import Context, decode
from kythera.model.api.discovery import Endpoint, EndpointHints, EndpointPort, EndpointSlice
from kythera.model.api.encode import encode
from kythera.model.control_plane.controllers import endpointslice
from kythera.model.record import replace


def _differs(expected: object, got: object) -> str | None:
    return None if expected == got else f"expected {expected!r}, got {got!r}"


def _endpoint(endpoint: Endpoint) -> dict[str, Any]:
    data: dict[str, Any] = encode(endpoint)
    data.get("targetRef", {}).pop("uid", None)
    return data


def _slices(data: list[dict[str, Any]] | None) -> list[EndpointSlice]:
    return [decode(EndpointSlice, each, Context()) for each in data or ()]


def _pod_to_endpoint(case: dict[str, Any]) -> str | None:
    given = case["input"]
    node = None if given.get("node") is None else decode(Node, given["node"], Context())
    pod, service = decode(Pod, given["pod"], Context()), decode(Service, given["service"], Context())
    got = endpointslice.endpoint_of(pod, node, service, given["address_type"])
    return _differs(_endpoint(decode(Endpoint, case["expected"]["endpoint"], Context())), _endpoint(got))


def _ports(case: dict[str, Any]) -> str | None:
    given = case["input"]
    got = endpointslice.endpoint_ports(
        decode(Service, given["service"], Context()), decode(Pod, given["pod"], Context())
    )
    return _differs(
        [encode(decode(EndpointPort, p, Context())) for p in case["expected"]["ports"]], [encode(p) for p in got]
    )


def _shown(slices: list[EndpointSlice]) -> list[tuple[str, list[dict[str, Any]]]]:
    """The endpoints by address type: the order of the slices says nothing."""
    return sorted(((s.address_type, [_endpoint(e) for e in s.endpoints]) for s in slices), key=lambda each: each[0])


def _reconcile_one_pod(case: dict[str, Any]) -> str | None:
    given, expected = case["input"], case["expected"]
    nodes = [decode(Node, each, Context()) for each in given.get("nodes") or ()]
    service = decode(Service, given["service"], Context())
    pods = [decode(Pod, each, Context()) for each in given.get("pods") or ()]
    got = endpointslice.desired_slices(service, pods, {node.metadata.name: node for node in nodes})
    wrong = _differs(_shown(_slices(expected["slices"])), _shown(got))
    labels = [dict(s.metadata.labels) for s in got if dict(s.metadata.labels) != expected["labels"]]
    return wrong or (f"expected labels {expected['labels']!r}, got {labels[0]!r}" if labels else None)


def _labels(case: dict[str, Any]) -> str | None:
    got = endpointslice.slice_labels(decode(Service, case["input"]["service"], Context()))
    return _differs(case["expected"]["labels"], dict(got))


def _address_types(case: dict[str, Any]) -> str | None:
    got = endpointslice.address_types(decode(Service, case["input"]["service"], Context()))
    return _differs(sorted(case["expected"]["address_types_set"]), sorted(got))


def _find_port(case: dict[str, Any]) -> str | None:
    given, expected = case["input"], case["expected"]
    port = decode(ServicePort, given["service_port"], Context())
    got = endpointslice.find_port(decode(Pod, given["pod"], Context()), port)
    return _differs(expected["port"] if expected["found"] else None, got)


def _pod_included(case: dict[str, Any]) -> str | None:
    pod = decode(Pod, case["input"]["pod"], Context())
    terminating = case["input"].get("include_terminating", False)
    return _differs(case["expected"]["included"], endpointslice.is_included(pod, terminating))


def _set_hostname(case: dict[str, Any]) -> str | None:
    pod, service = (decode(cls, case["input"][k], Context()) for cls, k in ((Pod, "pod"), (Service, "service")))
    return _differs(case["expected"]["hostname_set"], endpointslice.sets_hostname(pod, service))  # type: ignore[arg-type]


def _hints(case: dict[str, Any]) -> str | None:
    given, expected = case["input"], case["expected"]
    got: dict[str, list[EndpointSlice]] = {"slices_to_create": [], "slices_to_update": [], "slices_unchanged": []}
    for name in got:
        for old in _slices(given.get(name)):
            new = replace(old, endpoints=endpointslice.with_hints(given.get("traffic_distribution"), old.endpoints))
            moved = name == "slices_unchanged" and new != old
            got["slices_to_update" if moved else name].append(new)
    for name, slices in got.items():
        wrong = _differs(
            [[_told(e) for e in s.endpoints] for s in _slices(expected.get(name))],
            [[_told(e) for e in s.endpoints] for s in slices],
        )
        if wrong:
            return f"{name}: {wrong}"
    return None


def _told(endpoint: Endpoint) -> tuple[object, ...]:
    return endpoint.addresses, endpoint.hints or EndpointHints()


ADAPTERS: dict[str, Callable[[dict[str, Any]], str | None]] = {
    "endpointslice/pod-to-endpoint": _pod_to_endpoint,
    "endpointslice/ports": _ports,
    "endpointslice/reconcile-one-pod": _reconcile_one_pod,
    "endpointslice/labels": _labels,
    "endpointslice/address-types": _address_types,
    "endpointslice/find-port": _find_port,
    "endpointslice/pod-included": _pod_included,
    "endpointslice/set-hostname": _set_hostname,
    "endpointslice/traffic-distribution-hints": _hints,
}
