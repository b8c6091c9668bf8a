"""The loop of the descheduler: when it runs, which strategies, and the evictions one after the other.

Settings: ``strategies`` (names with commas between them; all of them if none is given), ``interval`` (a duration; 0:
once), ``nodeFit`` (true or false), ``thresholds`` and ``targetThresholds`` of LowNodeUtilization (``cpu=20,pods=20``,
in per cent).

Variant ``descheduler.node_fit``: ``off``, as upstream's ``nodeFit`` is unless it is set, or ``on``.

Source: sigs.k8s.io/descheduler pkg/descheduler/descheduler.go, pkg/framework/profile/profile.go.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial

from kythera.model.api.core.container import Container
from kythera.model.api.core.node import Node, NodeSpec, NodeStatus
from kythera.model.api.core.pod import Pod, PodStatus
from kythera.model.api.duration import parse_duration
from kythera.model.api.meta import Condition, ObjectMeta, deletion_mark, identity
from kythera.model.api.pods import condition, is_terminal, is_terminating
from kythera.model.control_plane.controllers.descheduler.low_node_utilization import (
    HIGH,
    LOW,
    Thresholds,
    low_node_utilization,
)
from kythera.model.control_plane.controllers.descheduler.remove_duplicates import remove_duplicates
from kythera.model.control_plane.controllers.descheduler.situation import Situation, situation
from kythera.model.control_plane.controllers.descheduler.topology_spread import (
    remove_pods_violating_topology_spread_constraint,
)
from kythera.model.control_plane.controllers.descheduler.violations import (
    remove_pods_violating_inter_pod_anti_affinity,
    remove_pods_violating_node_affinity,
    remove_pods_violating_node_taints,
)
from kythera.model.controller import Controller, Step
from kythera.model.record import Age, Map, Record, Uid, record, replace
from kythera.model.request import Evict, Ref, ref_of
from kythera.model.view import View

RUN = Ref("Pod")
"""The only key: the cluster is looked at as a whole."""

Strategy = Callable[[Situation], tuple[Pod, ...]]

STRATEGIES: Mapping[str, Strategy] = {
    "RemovePodsViolatingNodeTaints": remove_pods_violating_node_taints,
    "RemovePodsViolatingNodeAffinity": remove_pods_violating_node_affinity,
    "RemovePodsViolatingInterPodAntiAffinity": remove_pods_violating_inter_pod_anti_affinity,
    "RemoveDuplicates": remove_duplicates,
    "RemovePodsViolatingTopologySpreadConstraint": remove_pods_violating_topology_spread_constraint,
    "LowNodeUtilization": low_node_utilization,
}
"""All strategies, in the order in which they run: first those that remove violations, then those that balance."""

LOW_NODE_UTILIZATION = "LowNodeUtilization"

DEFAULT_INTERVAL = 300


@record
class Runs(Record):
    """How long ago the last run that evicted began, and whom it still has to evict; ``None``: no run is to come."""

    since: Age | None = None
    left: tuple[Uid, ...] = ()


@record
class Options(Record):
    """The settings; ``interval`` in seconds."""

    strategies: tuple[str, ...] = tuple(STRATEGIES)
    interval: int = DEFAULT_INTERVAL
    node_fit: bool = False
    low: Thresholds = LOW
    high: Thresholds = HIGH


DEFAULTS = Options()


def options(settings: Mapping[str, str]) -> Options:
    """The options that settings say."""
    asked = re.findall(r"\w+", settings.get("strategies", ""))
    fit = settings.get("nodeFit", settings.get("descheduler.node_fit", "off"))
    return Options(
        tuple(name for name in STRATEGIES if not asked or name in asked),
        parse_duration(settings.get("interval", f"{DEFAULT_INTERVAL}s")),
        fit.lower() in ("on", "true", "yes"),
        _thresholds(settings.get("thresholds"), LOW),
        _thresholds(settings.get("targetThresholds"), HIGH),
    )


def _thresholds(text: str | None, default: Thresholds) -> Thresholds:
    if text is None:
        return default
    return Map({name: float(number) for name, number in re.findall(r"([\w./-]+)\W*[=:]\s*([0-9.]+)", text)})


def to_evict(now: Situation, options: Options = DEFAULTS) -> tuple[Pod, ...]:
    """The pods that a run evicts, in this order; none where fewer than two nodes are ready.

    Source: sigs.k8s.io/descheduler pkg/framework/profile/profile.go RunDeschedulePlugins, RunBalancePlugins;
    pkg/descheduler/descheduler.go runDeschedulerLoop.
    """
    if len(now.nodes) < 2:
        return ()
    chosen: list[Pod] = []
    for name in options.strategies:
        strategy = STRATEGIES[name]
        if name == LOW_NODE_UTILIZATION:
            strategy = partial(low_node_utilization, low=options.low, high=options.high)
        found = strategy(now)
        chosen += found
        now = now.without(found)
    return tuple(chosen)


def keys(view: View) -> Iterable[Ref]:
    """The cluster as a whole."""
    return (RUN,)


def reconcile(local: Runs, view: View, key: Ref, *, options: Options = DEFAULTS) -> Iterator[Step]:
    """Evict the next pod of a run, or begin a run if one is due and there is something to evict.

    A pod that cannot be evicted now is left to the next run.
    Source: sigs.k8s.io/descheduler pkg/descheduler/descheduler.go RunDeschedulerStrategies.
    """
    if local.left:
        yield _evict(local, view)
        return
    if local.since is None:
        yield Step(local)
        return
    chosen = to_evict(situation(view.list(Node), view.list(Pod), options.node_fit), options)
    if not chosen:
        yield Step(local)
    elif local.since < options.interval:
        yield Step(local, requeue_after=options.interval - local.since)
    else:
        again = Age(0) if options.interval > 0 else None
        uids = tuple(pod.metadata.uid for pod in chosen if pod.metadata.uid is not None)
        yield _evict(Runs(again, uids), view)


def _evict(run: Runs, view: View) -> Step:
    """The eviction of the first pod that is left and still there."""
    for at, uid in enumerate(run.left):
        pod = view.find(Pod, uid)
        if pod is not None and not is_terminating(pod):
            after = replace(run, left=run.left[at + 1 :])
            return Step(after, (Evict(ref_of(pod)),), why=f"it would better run elsewhere than on {pod.spec.node_name}")
    return Step(replace(run, left=()), why="the other pods of the run are gone")


def pod_shape(pod: Pod) -> Pod | None:
    """What the descheduler reads of a pod that has a node and has not ended."""
    if not pod.spec.node_name or is_terminal(pod):
        return None
    old = pod.metadata
    meta = replace(
        identity(old),
        labels=old.labels,
        annotations=old.annotations,
        owner_references=old.owner_references,
        deletion_timestamp=deletion_mark(old),
    )
    containers = tuple(map(_container_shape, pod.spec.containers))
    init_containers = tuple(map(_container_shape, pod.spec.init_containers))
    spec = replace(pod.spec, containers=containers, init_containers=init_containers)
    return Pod(meta, spec, PodStatus())


def _container_shape(container: Container) -> Container:
    return Container(
        name=container.name,
        image=container.image,
        resources=container.resources,
        restart_policy=container.restart_policy,
    )


def node_shape(node: Node) -> Node:
    """What the descheduler reads of a node: labels, taints, room, and whether it is ready."""
    old = node.metadata
    meta = ObjectMeta(name=old.name, uid=old.uid, labels=old.labels)
    taints = tuple(replace(taint, time_added=None) for taint in node.spec.taints)
    ready = condition(node.status.conditions, "Ready")
    told = () if ready is None else (Condition("Ready", ready.status),)
    status = NodeStatus(node.status.capacity, node.status.allocatable, told)
    return Node(meta, NodeSpec(node.spec.unschedulable, taints), status)


def controller(settings: Mapping[str, str] = {}) -> Controller:
    """The descheduler; the settings are those that this module names."""
    chosen = options(settings)
    return Controller(
        name="descheduler",
        watches=(Pod, Node),
        writes=(Pod,),
        initial=Runs(Age(chosen.interval)),
        keys=keys,
        reconcile=partial(reconcile, options=chosen),
        shapes={Pod: pod_shape, Node: node_shape},
        horizons={"Runs.since": chosen.interval},
        says="evicts pods that would better run elsewhere",
    )


def horizons_of(obj: Record) -> Mapping[str, int]:
    """No object makes ages matter longer than the interval does."""
    return {}
