"""The loop of the node lifecycle controller: what is done for one node at a time.

Settings: ``node-monitor-grace-period`` (a duration), ``node-eviction-rate``, ``secondary-node-eviction-rate`` (nodes
per second), ``unhealthy-zone-threshold`` (a part of 1) and ``large-cluster-size-threshold`` (nodes).

Variant ``nodectl.mark_pods``: with ``edge``, as in Kubernetes 1.37, the pods of a node are marked as not ready in the
look that finds the node silent, and again if that failed, as long as the process remembers; with ``level`` whenever a
node isn't ready and a pod of it still says that it is.
Variant ``nodectl.eviction_policy``: what it changes that many nodes are in trouble (``zones.Rates``).

Source: pkg/controller/nodelifecycle/node_lifecycle_controller.go monitorNodeHealth.
Simplifies:

* The kubelet doesn't report on its node in the model.  This controller does it in the kubelet's place, as soon as
  heartbeats arrive again from a node that it had given up.
* A node is silent when its Lease is old.  Upstream counts from when it saw the Lease change last, so that a controller
  which has just started gives every node a whole grace period; a new node has a longer one of its own.
* The rate at which nodes of a zone are tainted is a least time between two of them, without regard for the rate that
  held before.  While no node at all is ready, taints are taken back whenever they are there, and not only once; leaving
  that state does not begin grace periods anew.
* Pods are marked by patches, which do not conflict: upstream's updates do when somebody else has written the pod, and
  are then repeated by the next pass from memory, which here only happens after answers that are lost and pods that are
  gone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from functools import partial

from kythera.model.api.coordination import Lease
from kythera.model.api.core.node import Node
from kythera.model.api.core.pod import Pod, PodSpec, PodStatus
from kythera.model.api.duration import parse_duration
from kythera.model.api.meta import Condition, identity
from kythera.model.api.pods import condition
from kythera.model.control_plane.controllers.node_lifecycle.health import (
    FALSE,
    NOT_READY,
    READY,
    TRUE,
    UNKNOWN,
    UNREACHABLE,
    gave_up,
    has_eviction_taint,
    ready_status,
    reported,
    silent,
    to_mark,
    with_condition_taints,
    with_eviction_taint,
)
from kythera.model.control_plane.controllers.node_lifecycle.zones import (
    Rates,
    all_disrupted,
    seconds_between,
    zone_of,
)
from kythera.model.controller import Controller, Reply, Step
from kythera.model.record import Age, NodeName, Record, record, replace
from kythera.model.request import Ref, Request, Update, ref_of
from kythera.model.view import View

LEASES = "kube-node-lease"

GRACE = "node-monitor-grace-period"

EDGE, LEVEL = "edge", "level"

ZONES = Ref("Node")
"""The key under which it is forgotten that a node was tainted, once that makes no difference any more."""


@record
class Tainted(Record):
    """A zone where a node was tainted; ``next`` is when the next one may be, an age: negative until then."""

    zone: str = ""
    next: Age = Age(0)


@record
class Monitor(Record):
    """What the controller remembers.

    ``tainted``: the zones where it added a NoExecute taint a short while ago.  ``retry``: the nodes whose pods it could
    not all mark.
    """

    tainted: tuple[Tainted, ...] = ()
    retry: frozenset[NodeName] = frozenset()


@record
class Options(Record):
    """The settings; ``grace`` in seconds.

    Source: pkg/controller/nodelifecycle/config/v1alpha1/defaults.go (50 s since v1.32, 40 s before).
    """

    grace: int = 50
    rates: Rates = Rates()
    mark_pods: str = EDGE


DEFAULTS = Options()


def options(settings: Mapping[str, str]) -> Options:
    """The options that flags of kube-controller-manager and variants set."""
    usual = DEFAULTS

    def number(flag: str, default: Fraction) -> Fraction:
        return Fraction(settings[flag]) if flag in settings else default

    return Options(
        parse_duration(settings[GRACE]) if GRACE in settings else usual.grace,
        Rates(
            number("node-eviction-rate", usual.rates.usual),
            number("secondary-node-eviction-rate", usual.rates.reduced),
            number("unhealthy-zone-threshold", usual.rates.unhealthy_zone_threshold),
            int(settings.get("large-cluster-size-threshold", usual.rates.large_cluster_size)),
            settings.get("nodectl.eviction_policy", usual.rates.policy),
        ),
        settings.get("nodectl.mark_pods", EDGE),
    )


def keys(view: View) -> Iterable[Ref]:
    """Every node, and the zones."""
    yield ZONES
    for node in view.list(Node):
        yield ref_of(node)


def reconcile(local: Monitor, view: View, key: Ref, *, options: Options = DEFAULTS) -> Iterator[Step]:
    """Do the next thing that a node needs: its conditions, its pods, its taints, in this order.

    Source: pkg/controller/nodelifecycle/node_lifecycle_controller.go monitorNodeHealth.
    """
    if key == ZONES:
        yield Step(_without_old_taints(local))
        return
    node = view.find(Node, key)
    if node is None:
        yield Step(local)
        return
    yield (
        _look_at_health(local, view, node, options)
        or _mark_again(local, view, node, options)
        or _look_at_conditions(local, node)
        or _look_at_eviction_taints(local, view, node, options)
        or Step(local, requeue_after=_grace_left(view, node, options))
    )


def silence(view: View, node: Node) -> int:
    """Seconds since the node's Lease was renewed; 0 if it has none.

    Source: pkg/controller/nodelifecycle/node_lifecycle_controller.go tryUpdateNodeHealth (probeTimestamp).
    """
    lease = view.get(Lease, LEASES, node.metadata.name)
    return 0 if lease is None else lease.spec.renew_time or 0


def judged(view: View, options: Options) -> tuple[Node, ...]:
    """All nodes as they are once each has been looked at: a pass over them comes before any conclusion about zones."""
    return tuple(silent(node) if silence(view, node) >= options.grace else node for node in view.list(Node))


def _grace_left(view: View, node: Node, options: Options) -> int | None:
    """Seconds until the node counts as silent, if it doesn't already.

    A Lease without a time of renewal is that of a kubelet whose heartbeats are never late: nobody waits for these.
    """
    lease = view.get(Lease, LEASES, node.metadata.name)
    if lease is None or lease.spec.renew_time is None:
        return None
    left = options.grace - silence(view, node)
    return left if left > 0 and ready_status(node) != UNKNOWN else None


def _look_at_health(local: Monitor, view: View, node: Node, options: Options) -> Step | None:
    """A kubelet that is silent for too long: say so of the node, and take back that its pods are ready.  Or it is back.

    The pods are marked only in the look that finds a node silent that was ready; whoever comes later sees a node that
    isn't ready, and nothing to do about its pods.
    """
    quiet, name = silence(view, node), node.metadata.name
    if quiet < options.grace:
        if not gave_up(node):
            return None
        return Step(local, (Update(reported(node), subresource="status"),), why=f"{name} is heard of again")
    if ready_status(node) == UNKNOWN:
        return None
    update = Update(silent(node), subresource="status")
    pods = to_mark(node, view.list(Pod)) if ready_status(node) == TRUE else ()
    return Step(local, (update, *_marking(pods)), why=f"{name} has not been heard of for {quiet} s")


def _marking(pods: Iterable[Pod]) -> tuple[Request, ...]:
    return tuple(Update(pod, subresource="conditions", unconditional=True) for pod in pods)


def _mark_again(local: Monitor, view: View, node: Node, options: Options) -> Step | None:
    """Pods of a node that isn't ready which could not be marked, or (``level``) were not."""
    name = NodeName(node.metadata.name)
    remembered = name in local.retry
    if not remembered and options.mark_pods != LEVEL:
        return None
    is_down = ready_status(node) in (FALSE, UNKNOWN)
    pods = to_mark(node, view.list(Pod)) if is_down else ()
    if not pods and not remembered:
        return None
    why = f"the pods of {name} are not ready" if pods else f"no pod of {name} is left to be marked"
    return Step(replace(local, retry=local.retry - {name}), _marking(pods), why=why)


def _look_at_conditions(local: Monitor, node: Node) -> Step | None:
    """The NoSchedule taints that follow from the node's conditions."""
    wanted = with_condition_taints(node)
    if wanted == node:
        return None
    return Step(local, (Update(wanted),), why=f"the taints of {node.metadata.name} follow its conditions")


def _look_at_eviction_taints(local: Monitor, view: View, node: Node, options: Options) -> Step | None:
    """The NoExecute taints not-ready and unreachable: gone at once, exchanged at once, but added at a limited rate.

    Source: pkg/controller/nodelifecycle/node_lifecycle_controller.go processTaintBaseEviction, doNoExecuteTaintingPass.
    """
    ready, name = ready_status(node), node.metadata.name
    if ready is None:
        return None
    nodes = judged(view, options)
    if ready == TRUE or all_disrupted(nodes, options.rates):
        wanted = with_eviction_taint(node, None)
        why = f"{name} is ready" if ready == TRUE else "no node at all is ready"
        return None if wanted == node else Step(local, (Update(wanted),), why=why)
    key, other = (NOT_READY, UNREACHABLE) if ready == FALSE else (UNREACHABLE, NOT_READY)
    wanted, why = with_eviction_taint(node, key), f"Ready of {name} is {ready}"
    if wanted == node:
        return None
    if has_eviction_taint(node, other):
        return Step(local, (Update(wanted),), why=why)
    zone = zone_of(node)
    wait = seconds_between(zone, nodes, options.rates)
    if wait is None:
        left = _grace_left(view, node, options)
        return Step(local, requeue_after=left, why="too many nodes of the zone are in trouble")
    due = next((each.next for each in local.tainted if each.zone == zone), 0)
    if due < 0:
        left = _grace_left(view, node, options)
        soonest = -due if left is None else min(left, -due)
        return Step(local, requeue_after=soonest, why="another node was tainted just now")
    others = (each for each in local.tainted if each.zone != zone)
    tainted = tuple(sorted((*others, Tainted(zone, Age(-wait))), key=lambda each: each.zone))
    return Step(replace(local, tainted=tainted), (Update(wanted),), why=why)


def _without_old_taints(local: Monitor) -> Monitor:
    """What is remembered of the zones in which the next node has to wait."""
    young = tuple(each for each in local.tainted if each.next < 0)
    return local if young == local.tainted else replace(local, tainted=young)


def replied(local: Monitor, key: Ref, request: Request, reply: Reply) -> Monitor:
    """A pod that could not be marked is one to try again; an attempt to taint a node counts for the rate in any case.

    Source: pkg/controller/nodelifecycle/node_lifecycle_controller.go (nodesToRetry).
    """
    if not reply.ok and isinstance(request, Update) and isinstance(request.object, Pod):
        return replace(local, retry=local.retry | {NodeName(key.name)})
    return local


def pod_shape(pod: Pod) -> Pod | None:
    """What the controller reads of a pod: where it is, as long as it says that it is ready."""
    ready = condition(pod.status.conditions, READY)
    if not pod.spec.node_name or ready is None or ready.status == FALSE:
        return None
    told = Condition(READY, ready.status, ready.reason, ready.message)
    return Pod(identity(pod.metadata), PodSpec(node_name=pod.spec.node_name), PodStatus(conditions=(told,)))


def controller(settings: Mapping[str, str] = {}) -> Controller:
    """The node lifecycle controller; the settings are those that this module names."""
    chosen = options(settings)
    return Controller(
        name="node-lifecycle-controller",
        watches=(Node, Pod, Lease),
        writes=(Node, Pod),
        initial=Monitor(),
        keys=keys,
        reconcile=partial(reconcile, options=chosen),
        replied=replied,
        shapes={Pod: pod_shape},
        horizons={
            "LeaseSpec.renew_time": chosen.grace,
            "Heartbeat.age": chosen.grace,
        },
        says="notices nodes whose kubelets have fallen silent, and keeps pods off nodes in trouble",
    )


def horizons_of(obj: Record) -> Mapping[str, int]:
    """No object makes ages matter longer than the settings do."""
    return {}
