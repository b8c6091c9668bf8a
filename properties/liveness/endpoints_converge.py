"""endpoints-converge: Services lead to the pods that are ready, on every node, in the end."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from kythera.model.api.core.pod import Pod
from kythera.model.api.core.service import Service
from kythera.model.api.discovery import EndpointSlice
from kythera.model.api.labels import matches_map
from kythera.model.api.pods import is_active, is_ready
from kythera.model.feed import Objects
from kythera.model.host import GONE
from kythera.properties.property import AnyProperty, Convergence
from kythera.properties.reading import title
from kythera.properties.statement import Question, Statement, among

SERVICE_NAME = "kubernetes.io/service-name"
KINDS = ("Service", "EndpointSlice", "Pod")


def _bind(statement: Statement, question: Question) -> Sequence[AnyProperty]:
    if not question.runs("endpointslice"):
        return []
    nodes = [node for node in question.nodes if question.has(f"local/kube-proxy/{node}")]
    links = [node for node in nodes if question.has(f"link/node/{node}")]
    objects = tuple(f"objects/{kind}" for kind in KINDS)

    def whole(*values: Any) -> str | None:
        tables = dict(zip(nodes, values[len(KINDS) :], strict=False))
        state = dict(zip(links, values[len(KINDS) + len(nodes) :], strict=True))
        living = {node: table for node, table in tables.items() if state.get(node) != GONE}
        return missing(values[0], values[1], values[2], living)

    return [
        Convergence(
            **statement.words(),
            slots=(
                *objects, *(f"local/kube-proxy/{node}" for node in nodes), *(f"link/node/{node}" for node in links),
            ),
            missing=whole,
            applies=lambda services, slices, pods, *others: any(
                ready_pods(each, pods) for each in among(services, Service)
            ),
        )
    ]  # fmt: skip


def ready_pods(service: Service, pods: Objects) -> dict[int | None, Pod]:
    """The pods that a Service is to lead to, by uid: selected, with an address, ready, and not on their way out."""
    return {
        pod.metadata.uid: pod
        for pod in among(pods, Pod)
        if pod.metadata.namespace == service.metadata.namespace
        and matches_map(service.spec.selector, pod.metadata.labels)
        and pod.status.pod_ip
        and is_active(pod)
        and (is_ready(pod) or service.spec.publish_not_ready_addresses)
    }


def missing(services: Objects, slices: Objects, pods: Objects, tables: Mapping[str, Any]) -> str | None:
    """Which Service leads to other pods than the ready ones: in its EndpointSlices, or on which node.

    An endpoint may be in two slices while it is moved; what counts is the set.
    """
    for service in among(services, Service):
        name, spec = service.metadata.name, service.spec
        if not spec.selector or spec.type == "ExternalName":
            continue
        wanted = ready_pods(service, pods)
        listed = {
            None if endpoint.target_ref is None else endpoint.target_ref.uid
            for each in among(slices, EndpointSlice)
            if each.metadata.labels.get(SERVICE_NAME) == name and each.metadata.namespace == service.metadata.namespace
            for endpoint in each.endpoints
            if endpoint.conditions.ready
        }
        if listed != wanted.keys():
            return f"the EndpointSlices of Service {name} {_differ(listed, wanted)}"
        if spec.cluster_ip in ("", "None"):
            continue
        for node, table in tables.items():
            for port in spec.ports:
                rules = table.of(service.metadata.namespace, name, port.name)
                reached = {backend.pod for backend in rules.backends if backend.ready} if rules is not None else set()
                if reached != wanted.keys():
                    return f"the rules of {node} for Service {name} {_differ(reached, wanted)}"
    return None


def _differ(found: Iterable[int | None], wanted: Mapping[int | None, Pod]) -> str:
    lacking = [title(pod) for uid, pod in wanted.items() if uid not in found]
    if lacking:
        return f"lack {', '.join(lacking)}"
    return "lead to a pod that is not ready or not there"


ENDPOINTS_CONVERGE = Statement(
    "endpoints-converge",
    "convergence",
    "Once nothing is changed from outside any more, the EndpointSlices of each Service list exactly the ready pods "
    "that it selects, and the rules of each node's kube-proxy lead to the same pods, for ever.",
    "https://kubernetes.io/docs/concepts/services-networking/endpoint-slices/; "
    "https://kubernetes.io/docs/reference/networking/virtual-ips/",
    "weak fairness; nodes that are lost for good are outside",
    "endpointslice.updates=never",
    _bind,
)
