"""Clients: who connects to Services while the cluster runs, each time that a scenario says once.

They own: which connections have been made (among ``events``), and what kube-proxy remembers of them where a Service has
session affinity (in its table).
They may: open a connection to a Service from a node, from a pod, or from outside by way of a node.  The kube-proxy of
that node sends it to any endpoint that its table allows, and it is answered iff a process listens there at that moment
and the network lies whole in between.

Source: https://kubernetes.io/docs/reference/networking/virtual-ips/;
https://kubernetes.io/docs/concepts/services-networking/service/.
Simplifies: a connection is one moment: none lasts, and none is tried again.  What is answered by a pod that has been
given the address of another one counts as answered, and so does what is sent out of the cluster.  A load balancer sends
traffic to any node, with externalTrafficPolicy Local only to those with a ready endpoint of their own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from kythera.model.api.core.pod import Pod
from kythera.model.api.labels import matches_map
from kythera.model.environment.users import Events
from kythera.model.feed import Objects
from kythera.model.host import GONE, UP
from kythera.model.node.kube_proxy import Backend, Client, Rules, Table, connected, denial, forgotten, pick
from kythera.model.node.kubelet.state import NodeState
from kythera.model.node.runtime.runtime import RUNNING, RuntimeState, containers_of, listens
from kythera.model.record import NodeName, Uid
from kythera.model.request import Ref
from kythera.model.rule import USER, Outcome, Process, Wake, Yields, rule
from kythera.model.scenarios.scenario import Event

ANSWERS = "answers"


@dataclass(frozen=True, slots=True)
class Place:
    """The node of some clients, its zone, all nodes (as their kubelets and links are given), and what may happen."""

    node: NodeName
    zone: str
    nodes: tuple[NodeName, ...]
    connects: tuple[Event, ...]


@rule("a client on {client} connects to {service}: {pod} on {node} {answer}", USER)
def connect(
    events: Events, proxy: Table, kubelets: tuple[NodeState, ...], links: tuple[str, ...], pods: Objects, place: Place
) -> Yields:
    """A client connects to a Service, and kube-proxy sends it to one of the endpoints that its table allows.

    Source: pkg/proxy/iptables/proxier.go syncProxyRules.
    """
    for event, client, rules in _attempts(events, proxy, kubelets, links, pods, place):
        if rules is None:
            continue
        for backend in pick(rules, proxy.sticky, place.node, place.zone, client):
            holder, answer = answer_of(backend, rules.protocol, kubelets, links, place)
            table = connected(proxy, rules, client, backend)
            if not _comes_again(event, events, place):
                table = forgotten(table, rules, client)
            reached = (("pod", _target(backend, holder, rules)), ("node", backend.node or "no node"))
            parameters = (*_who(event, client, place), *reached, ("answer", answer))
            yield Outcome(parameters, {"events": _done(events, event), "proxy": table}, f"at {backend.address}")
        for each in proxy.sticky:
            if each.is_of(rules) and each.last < rules.affinity:
                yield Wake(rules.affinity - each.last)


@rule("a client on {client} connects to {service}: {answer}", USER)
def fail(
    events: Events, proxy: Table, kubelets: tuple[NodeState, ...], links: tuple[str, ...], pods: Objects, place: Place
) -> Yields:
    """A client connects to a Service that kube-proxy has no endpoint for on this node.

    Source: pkg/proxy/iptables/proxier.go syncProxyRules.
    """
    for event, client, rules in _attempts(events, proxy, kubelets, links, pods, place):
        if not pick(rules, proxy.sticky, place.node, place.zone, client):
            parameters = (*_who(event, client, place), ("answer", denial(rules)))
            yield Outcome(parameters, {"events": _done(events, event)})


def _attempts(
    events: Events, proxy: Table, kubelets: Sequence[NodeState], links: Sequence[str], pods: Objects, place: Place
) -> Iterator[tuple[Event, Client, Rules | None]]:
    """The connections that may be made from this node now: the event, the client, and the rules that it meets."""
    if links and links[place.nodes.index(place.node)] == GONE:
        return
    for event in place.connects:
        if event.name in events.done or not set(event.after) <= set(events.done):
            continue
        rules = proxy.of(event.namespace, event.target.partition("/")[2], event.port)
        if event.outside:
            if rules is None or not rules.balanced or _has_ready(rules, place.node):
                yield event, Client("outside", outside=True), rules
        elif event.clients:
            runtime = kubelets[place.nodes.index(place.node)].runtime
            yield from ((event, Client("pod", uid), rules) for uid in _running(event, pods, runtime))
        else:
            yield event, Client(), rules


def _has_ready(rules: Rules, node: NodeName) -> bool:
    """Whether kube-proxy tells a load balancer that its node has endpoints.

    Source: pkg/proxy/healthcheck/service_health.go; pkg/proxy/endpointschangetracker.go LocalReadyEndpoints.
    """
    return any(each.ready and each.node == node for each in rules.backends)


def _running(event: Event, pods: Objects, runtime: RuntimeState) -> Iterator[Uid]:
    """The pods that an event's clients are in, and that run on this node."""
    for pod in pods:
        if isinstance(pod, Pod) and pod.metadata.uid is not None and pod.metadata.namespace == event.namespace:
            runs = any(each.state == RUNNING for each in containers_of(runtime, pod.metadata.uid))
            if runs and matches_map(event.clients, pod.metadata.labels):
                yield pod.metadata.uid


def _comes_again(event: Event, events: Events, place: Place) -> bool:
    """Whether the same client may still connect to the same Service: else nobody asks what is remembered of it."""
    return any(
        other.name != event.name
        and other.name not in events.done
        and (other.target, other.namespace, other.port) == (event.target, event.namespace, event.port)
        and (other.outside, bool(other.clients)) == (event.outside, bool(event.clients))
        for other in place.connects
    )


def _done(events: Events, event: Event) -> Events:
    return Events(tuple(sorted((*events.done, event.name))), events.draining)


def _who(event: Event, client: Client, place: Place) -> tuple[tuple[str, Any], ...]:
    told: Any = place.node if client.pod is None else (Ref("Pod", event.namespace, "", client.pod), place.node)
    service = Ref("Service", event.namespace, event.target.partition("/")[2])
    which = (("event", event.name),) if len(place.connects) > 1 else ()
    return (*which, ("client", told), ("service", service))


def _target(backend: Backend, holder: Uid | None, rules: Rules) -> Ref | str:
    """The pod that is reached, or that was meant if there is none; an address where no pod is behind the endpoint."""
    if backend.pod is None and holder is None:
        return backend.address
    other = holder is not None and holder != backend.pod
    return Ref("Pod", rules.namespace, "" if other else backend.name, holder if other else backend.pod)


def answer_of(
    backend: Backend, protocol: str, kubelets: Sequence[NodeState], links: Sequence[str], place: Place
) -> tuple[Uid | None, str]:
    """Which pod has the address of an endpoint now, and what comes of a connection to it from a node."""
    if backend.node is None:
        return None, ANSWERS
    if backend.node not in place.nodes:
        return None, "cannot be reached: there is no such node"
    at = place.nodes.index(backend.node)
    if links and GONE in (links[at], links[place.nodes.index(place.node)]):
        return None, "cannot be reached: its node is gone"
    if links and backend.node != place.node and not links[at] == links[place.nodes.index(place.node)] == UP:
        return None, "cannot be reached: the network is cut"
    runtime = kubelets[at].runtime
    holders = [each.pod for each in runtime.sandboxes if f"10.0.0.{each.ip}" == backend.address]
    for uid in holders:
        if listens(runtime, uid, backend.port or 0, protocol):
            return uid, ANSWERS
    if not holders:
        return None, "is gone, and its address is nobody's"
    containers = [each for uid in holders for each in containers_of(runtime, uid)]
    return holders[0], _why_not(containers)


def _why_not(containers: Iterable[Any]) -> str:
    """Why no process of a pod takes a connection."""
    found = list(containers)
    if any(each.exits_in is not None for each in found):
        return "refuses: it is shutting down"
    if not any(each.state == RUNNING for each in found):
        return "refuses: its containers do not run"
    if any(each.answers_in is not None and each.answers_in < 0 for each in found):
        return "refuses: it is still starting"
    return "refuses: nothing listens on the port"


def processes(place: Place, linked: bool) -> Iterator[Process]:
    """The clients that may connect by way of one node: those in the cluster, and those outside."""
    slots: dict[str, str | tuple[str, ...]] = {
        "events": "events",
        "proxy": f"local/kube-proxy/{place.node}",
        "kubelets": tuple(f"local/kubelet/{node}" for node in place.nodes),
    }
    if linked:
        slots["links"] = tuple(f"link/node/{node}" for node in place.nodes)
    for outside, name in ((False, "clients"), (True, "outside")):
        connects = tuple(event for event in place.connects if event.outside == outside)
        if not connects:
            continue
        constants: dict[str, Any] = {"place": replace(place, connects=connects)}
        constants |= {} if linked else {"links": ()}
        bound = dict(slots)
        if any(event.clients for event in connects):
            bound["pods"] = "objects/Pod"
        else:
            constants["pods"] = ()
        rules = tuple(replace(each, says=_told_outside(each.says)) if outside else each for each in (connect, fail))
        yield Process(f"{name}/{place.node}", rules, bound, constants)


def _told_outside(says: str) -> str:
    """The sentence of a rule, where the client is outside of the cluster."""
    return says.replace("on {client} connects to {service}", "outside connects to {service} by way of {client}")
