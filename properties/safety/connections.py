"""connections-answered: who connects to a Service that has an endpoint reaches a process that listens.

Kubernetes does not promise it: when a pod is deleted, the kubelet stops its processes, and the EndpointSlice controller
and each kube-proxy take it out of the rules, and neither waits for the other.  So it is judged only where somebody asks
for it by name.  What helps is a hook before stop that sleeps for longer than the news takes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from kythera.model.api.discovery import EndpointSlice
from kythera.model.environment.clients import ANSWERS, Place, answer_of
from kythera.model.feed import Objects
from kythera.model.node.kube_proxy import Backend, Rules, Table, candidates, slice_backends
from kythera.model.request import Ref
from kythera.model.rule import Action
from kythera.properties.property import AnyProperty, StepInvariant
from kythera.properties.statement import Question, Statement, among

Broken = Callable[[tuple[Any, ...], tuple[Any, ...], Action], str | None]


def _bind(statement: Statement, question: Question) -> Sequence[AnyProperty]:
    if statement.name not in (question.scenario.properties or ()):
        return []
    found: list[AnyProperty] = []
    for process in question.system.processes:
        place = process.constants.get("place")
        if not isinstance(place, Place):
            continue
        bound = process.slots
        found.append(
            StepInvariant(
                **statement.words(),
                slots=(str(bound["proxy"]), "objects/EndpointSlice", *bound["kubelets"], *bound.get("links", ())),
                broken=_broken(place),
                applies=lambda table, slices, *others: any(each.backends for each in table.rules),
                by=frozenset({process.name}),
            )
        )
    return found


def _broken(place: Place) -> Broken:
    def broken(before: tuple[Any, ...], after: tuple[Any, ...], action: Action) -> str | None:
        step = dict(action.parameters)
        if "pod" not in step or step["answer"] == ANSWERS:
            return None
        table, slices = before[:2]
        kubelets, links = before[2 : 2 + len(place.nodes)], before[2 + len(place.nodes) :]
        outside = any(event.outside for event in place.connects)
        for other, rules in endpoints(table, slices, step["service"], place.node, outside):
            if answer_of(other, rules.protocol, kubelets, links, place)[1] == ANSWERS:
                return (
                    f"a connection from {place.node} to Service {step['service'].name} is sent to a pod on "
                    f"{step['node']} that {step['answer']}; another one is ready and listens on {other.node}"
                )
        return None

    return broken


def endpoints(table: Table, slices: Objects, service: Ref, node: str, outside: bool) -> Iterator[tuple[Backend, Rules]]:
    """The endpoints that are ready by the EndpointSlices as they are now, and that the traffic policy allows there."""
    for rules in table.rules:
        if (rules.namespace, rules.service) == (service.namespace, service.name):
            now = frozenset(slice_backends(among(slices, EndpointSlice), rules))
            for each in candidates(rules, now, node, outside):
                if each.ready:
                    yield each, rules


CONNECTIONS_ANSWERED = Statement(
    "connections-answered",
    "step invariant",
    "A new connection to a Service that kube-proxy sends to an endpoint reaches a process that listens, as long as "
    "some endpoint of the Service is ready and listens.",
    "not promised: kubernetes/kubernetes#43576; "
    "https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-termination; KEP-3960",
    "asked for by name; connections that kube-proxy refuses, since it knows of no endpoint, are outside",
    "scenario: pods are deleted, and have no hook before stop that sleeps",
    _bind,
)
