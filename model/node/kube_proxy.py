"""kube-proxy of one node: which endpoints a connection through a Service may reach, as this node knows them.

It owns: the rule table of its node (``Table``), which lags behind the EndpointSlices.
It may: bring the table up to what its informers show.  Nothing is written to the API server.
How a connection goes is a pure function of the table: ``pick``.

Source: pkg/proxy/topology.go CategorizeEndpoints, pkg/proxy/endpointslicecache.go,
https://kubernetes.io/docs/reference/networking/virtual-ips/.
Simplifies: the whole table is written in one step; NAT, node ports and source ranges are not modelled; the table does
not say which node it is on, callers do, so that equal nodes have equal tables.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from kythera.model.api.core.service import Service
from kythera.model.api.discovery import Endpoint, EndpointSlice
from kythera.model.controller import Controller, Step
from kythera.model.record import Age, NodeName, Record, Uid, record, replace
from kythera.model.request import Ref
from kythera.model.view import View

SERVICE_NAME = "kubernetes.io/service-name"
AFFINITY_SECONDS = 10800
"""``sessionAffinityConfig.clientIP.timeoutSeconds`` where a Service doesn't say."""


WATCHES: tuple[type[Record], ...] = (Service, EndpointSlice)


@record
class Backend(Record):
    """One endpoint as a rule: where it is, whose pod it is, and how it is."""

    node: NodeName | None = None
    address: str = ""
    port: int | None = None
    zone: str = ""
    ready: bool = True
    serving: bool = True
    terminating: bool = False
    zones: tuple[str, ...] = ()
    nodes: tuple[NodeName, ...] = ()
    pod: Uid | None = None


@record
class Rules(Record):
    """The rules for one port of one Service; ``affinity`` is the ClientIP timeout in seconds, 0 without affinity."""

    namespace: str
    service: str
    port: str
    local_only: bool = False
    affinity: int = 0
    backends: tuple[Backend, ...] = ()


@record
class Stickiness(Record):
    """A client that is bound to an endpoint by session affinity, and how long ago it last connected."""

    namespace: str
    service: str
    port: str
    client: str
    node: NodeName | None
    address: str
    last: Age = Age(0)


@record
class Table(Record):
    """What kube-proxy has programmed on its node."""

    rules: tuple[Rules, ...] = ()
    sticky: tuple[Stickiness, ...] = ()

    def of(self, namespace: str, service: str, port: str) -> Rules | None:
        """The rules for one port of one Service, if it has any."""
        for each in self.rules:
            if (each.namespace, each.service, each.port) == (namespace, service, port):
                return each
        return None


def keys(view: View) -> Iterable[Ref]:
    """The table as a whole."""
    return (Ref("Table", "", "iptables"),)


def reconcile(local: Table, view: View, key: Ref) -> Iterator[Step]:
    """Program what the informers show.

    Source: pkg/proxy/iptables/proxier.go syncProxyRules.
    """
    table = programmed(local, view)
    yield Step(table, why=f"{sum(len(each.backends) for each in table.rules)} endpoints")


def observe(local: Table, before: View, after: View) -> Table:
    """The table follows an event at once: a table that is programmed late is like an event that comes late.

    Where one of the kinds never changes, and so comes with no events, ``reconcile`` programs the table.
    """
    if any(kind.__name__ not in after.objects for kind in WATCHES):
        return local
    return programmed(local, after)


def programmed(local: Table, view: View) -> Table:
    """The table for what is seen; clients stay bound to endpoints that are still there."""
    rules = desired_rules(view)
    return Table(rules, tuple(each for each in local.sticky if _still_there(each, rules)))


def affinity_of(service: Service) -> int:
    """For how many seconds a client stays with its endpoint; 0 without session affinity.

    Source: pkg/apis/core/v1/defaults.go SetDefaults_Service.
    """
    if service.spec.session_affinity != "ClientIP":
        return 0
    config = service.spec.session_affinity_config
    timeout = config.client_ip.timeout_seconds if config is not None and config.client_ip is not None else None
    return timeout or AFFINITY_SECONDS


def desired_rules(view: View) -> tuple[Rules, ...]:
    """The rules that Services and EndpointSlices ask for, in the order of names."""
    found = []
    for service in view.list(Service):
        spec = service.spec
        if spec.type == "ExternalName" or spec.cluster_ip in ("", "None"):
            continue
        for port in spec.ports:
            backends = {
                (backend.node or "", backend.address): backend
                for each in view.list(EndpointSlice, service.metadata.namespace)
                if each.metadata.labels.get(SERVICE_NAME) == service.metadata.name
                for backend in _backends(each, port.name)
            }
            found.append(
                Rules(
                    service.metadata.namespace,
                    service.metadata.name,
                    port.name,
                    spec.internal_traffic_policy == "Local",
                    affinity_of(service),
                    tuple(backends[place] for place in sorted(backends)),
                )
            )
    return tuple(sorted(found, key=lambda each: (each.namespace, each.service, each.port)))


def _backends(endpoints: EndpointSlice, port: str) -> Iterator[Backend]:
    number = next((each.port for each in endpoints.ports if (each.name or "") == port), None)
    if number is None and endpoints.ports:
        return
    for each in endpoints.endpoints:
        yield from (_backend(each, address, number) for address in each.addresses)


def _backend(endpoint: Endpoint, address: str, port: int | None) -> Backend:
    """An endpoint as a rule; conditions that are not said count as ready, serving and not terminating."""
    conditions, hints = endpoint.conditions, endpoint.hints
    ready = conditions.ready is not False
    return Backend(
        endpoint.node_name,
        address,
        port,
        endpoint.zone or "",
        ready,
        ready if conditions.serving is None else conditions.serving,
        conditions.terminating is True,
        () if hints is None else tuple(each.name for each in hints.for_zones),
        () if hints is None else tuple(NodeName(each.name) for each in hints.for_nodes),
        None if endpoint.target_ref is None else endpoint.target_ref.uid,
    )


def _still_there(sticky: Stickiness, rules: Iterable[Rules]) -> bool:
    for each in rules:
        if (each.namespace, each.service, each.port) == (sticky.namespace, sticky.service, sticky.port):
            places = {(backend.node, backend.address) for backend in usable(each.backends)}
            return each.affinity > 0 and sticky.last < each.affinity and (sticky.node, sticky.address) in places
    return False


def usable(backends: Iterable[Backend]) -> tuple[Backend, ...]:
    """The ready endpoints; where there is none, those that still serve while they terminate.

    Source: pkg/proxy/topology.go CategorizeEndpoints; KEP-1669.
    """
    known = tuple(backends)
    ready = tuple(each for each in known if each.ready)
    return ready or tuple(each for each in known if each.serving and each.terminating)


def hinted(backends: tuple[Backend, ...], node: str, zone: str) -> tuple[Backend, ...]:
    """Those that hints mean for this node or zone; all of them where hints are incomplete or mean nobody here.

    Source: pkg/proxy/topology.go topologyModeFromHints; KEP-4444, KEP-3015.
    """
    if all(each.nodes for each in backends):
        here = tuple(each for each in backends if node in each.nodes)
        if here:
            return here
    if zone and all(each.zones for each in backends):
        near = tuple(each for each in backends if zone in each.zones)
        if near:
            return near
    return backends


def pick(
    table: Table, namespace: str, service: str, port: str, node: str, zone: str = "", client: str = ""
) -> tuple[Backend, ...]:
    """The endpoints that a new connection from ``node`` may reach; one of them is taken at random; none: refused.

    Source: pkg/proxy/topology.go CategorizeEndpoints.
    """
    rules = table.of(namespace, service, port)
    if rules is None:
        return ()
    if rules.local_only:
        candidates = usable(each for each in rules.backends if each.node == node)
    else:
        candidates = hinted(usable(rules.backends), node, zone)
    for each in table.sticky:
        same = (each.namespace, each.service, each.port, each.client) == (namespace, service, port, client)
        if same and client and each.last < rules.affinity:
            bound = tuple(b for b in candidates if (b.node, b.address) == (each.node, each.address))
            if bound:
                return bound
    return candidates


def connected(table: Table, namespace: str, service: str, port: str, client: str, backend: Backend) -> Table:
    """The table after a client has connected to an endpoint, where the Service has session affinity."""
    rules = table.of(namespace, service, port)
    if rules is None or not rules.affinity:
        return table
    mine = Stickiness(namespace, service, port, client, backend.node, backend.address)
    others = (
        each
        for each in table.sticky
        if (each.namespace, each.service, each.port, each.client) != (namespace, service, port, client)
    )
    return replace(
        table, sticky=tuple(sorted((*others, mine), key=lambda each: (each.service, each.port, each.client)))
    )


def horizons_of(obj: Record) -> Mapping[str, int]:
    """Until when a client's last connection matters: the timeout of its Service's session affinity."""
    return {"Stickiness.last": affinity_of(obj)} if isinstance(obj, Service) and affinity_of(obj) else {}


def crashed(local: Table) -> Table:
    """What is left on the node when kube-proxy dies: the kernel keeps the rules until they are programmed anew.

    Source: pkg/proxy/iptables/proxier.go (rules are cleaned up only on request).
    """
    return local


def slice_shape(endpoints: EndpointSlice) -> EndpointSlice:
    """What kube-proxy reads of a slice: everything but its owner."""
    old = endpoints.metadata
    return replace(endpoints, metadata=replace(old, owner_references=(), generation=0))


def controller(settings: Mapping[str, str] = {}) -> Controller:
    """kube-proxy; it has no settings."""
    return Controller(
        name="kube-proxy",
        watches=WATCHES,
        writes=(),
        initial=Table(),
        keys=keys,
        reconcile=reconcile,
        observe=observe,
        shapes={EndpointSlice: slice_shape},
        says="makes its node's rules follow the EndpointSlices",
    )
