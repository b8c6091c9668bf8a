"""kube-proxy of one node: which endpoints a connection through a Service may reach, as this node knows them.

It owns: the rule table of its node (``Table``), which lags behind the EndpointSlices.
It may: bring the table up to what its informers show.  Nothing is written to the API server.
How a connection goes is a pure function of the table: ``pick``; who connects is no affair of kube-proxy's.

Source: pkg/proxy/topology.go CategorizeEndpoints, pkg/proxy/endpointslicecache.go,
https://kubernetes.io/docs/reference/networking/virtual-ips/.
Simplifies: the whole table is written in one step; NAT and source ranges are not modelled; connections that are open
already are not followed; the table does not say which node it is on, callers do, so that equal nodes have equal tables.
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
    name: str = ""


@record
class Rules(Record):
    """The rules for one port of one Service; ``affinity`` is the ClientIP timeout in seconds, 0 without affinity.

    ``local_only`` is for clients in the cluster, ``external_local_only`` for those outside; ``balanced``: a load
    balancer asks this node whether it has endpoints of its own.
    """

    namespace: str
    service: str
    port: str
    local_only: bool = False
    affinity: int = 0
    backends: frozenset[Backend] = frozenset()
    external_local_only: bool = False
    balanced: bool = False
    protocol: str = "TCP"


@record
class Stickiness(Record):
    """A client that is bound to an endpoint by session affinity, and how long ago it last connected.

    ``client`` says where it is, if not in a ``pod``.
    """

    namespace: str
    service: str
    port: str
    client: str
    node: NodeName | None
    address: str
    last: Age = Age(0)
    pod: Uid | None = None

    def is_of(self, rules: Rules) -> bool:
        """Whether it is about the same port of the same Service."""
        return (self.namespace, self.service, self.port) == (rules.namespace, rules.service, rules.port)


@record
class Client(Record):
    """Who connects: somebody on the node itself, in a pod on it, or from outside by way of the node."""

    name: str = "node"
    pod: Uid | None = None
    outside: bool = False


ANYBODY = Client("")
"""A client that no endpoint is remembered for."""


@record
class Table(Record):
    """What kube-proxy has programmed on its node."""

    rules: tuple[Rules, ...] = ()
    sticky: frozenset[Stickiness] = frozenset()

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
    return Table(rules, frozenset(each for each in local.sticky if _still_there(each, rules)))


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
            rules = Rules(
                service.metadata.namespace,
                service.metadata.name,
                port.name,
                spec.internal_traffic_policy == "Local",
                affinity_of(service),
                external_local_only=spec.external_traffic_policy == "Local",
                balanced=spec.external_traffic_policy == "Local" and spec.type == "LoadBalancer",
                protocol=port.protocol or "TCP",
            )
            backends = slice_backends(view.list(EndpointSlice), rules)
            found.append(replace(rules, backends=frozenset(backends)))
    return tuple(sorted(found, key=lambda each: (each.namespace, each.service, each.port)))


def slice_backends(slices: Iterable[EndpointSlice], rules: Rules) -> Iterable[Backend]:
    """What the EndpointSlices list behind one port of one Service; what is in two slices counts once.

    Source: pkg/proxy/endpointslicecache.go getEndpointsMap.
    """
    found: dict[tuple[str | None, str, int | None], Backend] = {}
    for each in slices:
        meta = each.metadata
        if (meta.namespace, meta.labels.get(SERVICE_NAME)) == (rules.namespace, rules.service):
            for backend in _backends(each, rules.port, rules.protocol):
                found.setdefault((backend.node, backend.address, backend.port), backend)
    return found.values()


def _backends(endpoints: EndpointSlice, name: str, protocol: str) -> Iterator[Backend]:
    """The endpoints of a slice that has a port of that name and protocol; of each, the first address counts.

    Source: pkg/proxy/endpointslicecache.go endpointInfoByServicePort, addEndpoints.
    """
    for port in endpoints.ports:
        if port.name == name and (port.protocol or "TCP") == protocol and port.port:
            yield from (_backend(each, each.addresses[0], port.port) for each in endpoints.endpoints if each.addresses)


def _backend(endpoint: Endpoint, address: str, port: int) -> Backend:
    """An endpoint as a rule; conditions that are not said count as ready, serving and not terminating.

    Source: pkg/proxy/endpointslicecache.go newEndpointSliceInfo.
    """
    conditions, hints, target = endpoint.conditions, endpoint.hints, endpoint.target_ref
    return Backend(
        endpoint.node_name,
        address,
        port,
        endpoint.zone or "",
        conditions.ready is not False,
        conditions.serving is not False,
        conditions.terminating is True,
        () if hints is None else tuple(each.name for each in hints.for_zones),
        () if hints is None else tuple(each.name for each in hints.for_nodes),
        None if target is None else target.uid,
        "" if target is None else target.name,
    )


def _still_there(sticky: Stickiness, rules: Iterable[Rules]) -> bool:
    for each in rules:
        if sticky.is_of(each):
            places = {(backend.node, backend.address) for backend in each.backends if is_usable(backend)}
            return sticky.last < each.affinity and (sticky.node, sticky.address) in places
    return False


def is_usable(backend: Backend) -> bool:
    """Whether anybody might be sent there: it is ready, or serves on while it terminates."""
    return backend.ready or (backend.serving and backend.terminating)


def usable(backends: Iterable[Backend]) -> tuple[Backend, ...]:
    """The ready endpoints; where there is none, those that still serve while they terminate.

    Source: pkg/proxy/topology.go CategorizeEndpoints; KEP-1669.
    """
    known = tuple(backends)
    ready = tuple(each for each in known if each.ready)
    return ready or tuple(each for each in known if each.serving and each.terminating)


def hinted(backends: tuple[Backend, ...], node: str, zone: str) -> tuple[Backend, ...]:
    """Those that hints mean for this node or zone; all of them where hints are incomplete or mean nobody here.

    Endpoints that are used only because none is ready have no hints to look at.
    Source: pkg/proxy/topology.go topologyModeFromHints; KEP-4444, KEP-3015.
    """
    if not all(each.ready for each in backends):
        return backends
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
    rules: Rules | None, sticky: Iterable[Stickiness], node: str, zone: str = "", client: Client = ANYBODY
) -> tuple[Backend, ...]:
    """The endpoints that a new connection from ``node`` may reach; one of them is taken at random; none: ``denial``.

    Source: pkg/proxy/topology.go CategorizeEndpoints; pkg/proxy/iptables/proxier.go writeServiceToEndpointRules.
    """
    if rules is None:
        return ()
    found = usable(candidates(rules, rules.backends, node, client.outside))
    if not is_local_only(rules, client.outside):
        found = hinted(found, node, zone)
    for each in sticky:
        if each.is_of(rules) and (each.client, each.pod) == (client.name, client.pod) and each.last < rules.affinity:
            bound = tuple(b for b in found if (b.node, b.address) == (each.node, each.address))
            if bound:
                return bound
    return tuple(sorted(found, key=lambda each: (each.node or "", each.address, each.port or 0)))


def is_local_only(rules: Rules, outside: bool) -> bool:
    """Whether the traffic policy for such a client keeps to endpoints of the node."""
    return rules.external_local_only if outside else rules.local_only


def candidates(rules: Rules, backends: Iterable[Backend], node: str, outside: bool) -> Iterable[Backend]:
    """The endpoints that the traffic policy for such a client lets it use, whatever state they are in."""
    local = is_local_only(rules, outside)
    return (each for each in backends if each.node == node or not local)


def denial(rules: Rules | None) -> str:
    """What becomes of a connection that no endpoint can be picked for: it is refused, or nothing answers it.

    It is dropped where only the traffic policy stands between it and an endpoint.
    Source: pkg/proxy/iptables/proxier.go syncProxyRules (internalTrafficFilterTarget, externalTrafficFilterTarget).
    """
    if rules is not None and any(map(is_usable, rules.backends)):
        return "it is dropped: the traffic policy is Local, and the node has no endpoint"
    return "it is refused: the node knows of no endpoint"


def connected(table: Table, rules: Rules, client: Client, backend: Backend) -> Table:
    """The table after a client was sent to an endpoint: with session affinity it will be sent there again.

    That the endpoint does not answer makes no difference: the rule matched.
    Source: pkg/proxy/iptables/proxier.go writeServiceToEndpointRules (the recent module, set by the endpoint's chain).
    """
    if not rules.affinity or not client.name:
        return table
    mine = Stickiness(rules.namespace, rules.service, rules.port, client.name, backend.node, backend.address,
                      pod=client.pod)  # fmt: skip
    return replace(table, sticky=forgotten(table, rules, client).sticky | {mine})


def forgotten(table: Table, rules: Rules, client: Client) -> Table:
    """The table without what it remembers of a client."""
    kept = frozenset(
        each
        for each in table.sticky
        if not (each.is_of(rules) and (each.client, each.pod) == (client.name, client.pod))
    )
    return table if kept == table.sticky else replace(table, sticky=kept)


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
