"""Which components a scenario needs, and as parts of which processes and units they run."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from typing import Any

from kythera.model.api.apps import Deployment, ReplicaSet
from kythera.model.api.autoscaling import HorizontalPodAutoscaler
from kythera.model.api.core.node import Node
from kythera.model.api.core.pod import Pod
from kythera.model.api.core.service import Service
from kythera.model.api.policy import PodDisruptionBudget
from kythera.model.control_plane.apiserver.resources import RESOURCES
from kythera.model.controller import Controller
from kythera.model.environment import containers, heartbeats, images, workload
from kythera.model.feed import Objects
from kythera.model.host import Virtual
from kythera.model.node.kubelet.adoption import is_running_on, running_on
from kythera.model.record import NodeName, Record, replace
from kythera.model.scenarios.collection import Garbage, deletes_namespace, garbage
from kythera.model.scenarios.scenario import Rung, Scenario
from kythera.model.view import View

MANAGER = "kube-controller-manager"
NO_HORIZONS: Mapping[str, int] = {}


def _same(local: Any) -> Any:
    return local


def _no_horizons(obj: Record) -> Mapping[str, int]:
    return NO_HORIZONS


@dataclass(frozen=True, slots=True)
class Member:
    """A component instance.

    ``name`` is its process here, ``binary`` what dies when it crashes, ``unit`` what is cut off together.
    ``crashed`` and ``lost``: its private state after a crash, and after its machine is gone.  ``extras`` are the slots
    and ``virtual_needs`` the kinds that its ``virtual`` objects are made from; ``live_kinds`` are read from the API
    server and not from an informer.
    """

    name: str
    binary: str
    unit: str
    controller: Controller
    crashed: Callable[[Any], Any]
    lost: Callable[[Any], Any] = _same
    node: NodeName | None = None
    virtual: Virtual | None = None
    virtual_kinds: tuple[str, ...] = ()
    extras: tuple[str, ...] = ()
    horizons_of: Callable[[Any], Mapping[str, int]] = _no_horizons
    virtual_needs: tuple[str, ...] = ()
    live_kinds: tuple[str, ...] = ()
    needs_kinds: tuple[str, ...] = field(default=("Namespace", "PriorityClass"))

    def is_virtual(self, kind: str) -> bool:
        """Whether a kind is made up from other slots instead of stored."""
        return kind in self.virtual_kinds

    def needs(self, kind: str) -> bool:
        """Whether the API server looks at a kind to answer this component's requests."""
        return kind in self.needs_kinds


def members(
    objects: Sequence[Record], scenario: Scenario, rung: Rung, nodes: tuple[NodeName, ...]
) -> tuple[Member, ...]:
    """The components that run: those that the objects and faults of a scenario give something to do."""
    later = {kind for event in scenario.events for kind in _applied_kinds(event.manifests)}
    kinds = {type(obj).__name__ for obj in objects} | later
    manager = _settings(scenario, MANAGER)
    found: list[Member] = []

    def managed(name: str, **more: Any) -> None:
        module = import_module(f"kythera.model.control_plane.controllers.{name}")
        controller = module.controller(manager)
        found.append(
            Member(
                controller.name, MANAGER, MANAGER, controller, lambda _: controller.initial,
                horizons_of=getattr(module, "horizons_of", _no_horizons), **more,
            )
        )  # fmt: skip

    if Deployment.__name__ in kinds:
        # Only the Recreate strategy looks at pods; without it the controller need not watch them.
        manager["recreate"] = str(any(_recreates(obj, scenario) for obj in objects)).lower()
        managed("deployment")
    if {Deployment.__name__, ReplicaSet.__name__} & kinds:
        managed("replicaset")
    if HorizontalPodAutoscaler.__name__ in kinds:
        managed(
            "horizontal_pod_autoscaler",
            virtual=partial(workload.metrics, tuple(w for w in scenario.workload if w.cpu)),
            virtual_kinds=("PodMetrics",),
            virtual_needs=("Pod",),
            live_kinds=("Deployment", "ReplicaSet"),
            extras=tuple(f"usage/{n}" for n, _ in enumerate(w for w in scenario.workload if w.cpu)),
        )
    if PodDisruptionBudget.__name__ in kinds:
        managed("disruption")
    if Service.__name__ in kinds:
        managed("endpointslice")
    if watches_nodes(scenario, rung):
        managed(
            "node_lifecycle",
            virtual=partial(heartbeats.leases, nodes),
            virtual_kinds=("Lease",),
            extras=tuple(f"lease/{node}" for node in nodes),
        )
    evicts = watches_nodes(scenario, rung) or any(isinstance(o, Node) and _evicts(o) for o in objects)
    if evicts:
        found.append(_taint_eviction(manager))
    if evicts or "terminated-pod-gc-threshold" in manager:
        managed("pod_gc", live_kinds=("Node",))
    for settings in scenario.schedulers:
        scheduler = import_module("kythera.model.control_plane.scheduler.scheduler")
        controller = scheduler.controller(_settings(scenario, "kube-scheduler"), name=settings.name)
        binary = "kube-scheduler" if settings.name == "default-scheduler" else settings.name
        found.append(
            Member(binary, binary, binary, controller, partial(_initial, controller), horizons_of=_horizons(scheduler))
        )
    if "descheduler" in scenario.components:
        descheduler = import_module("kythera.model.control_plane.controllers.descheduler")
        controller = descheduler.controller(_settings(scenario, "descheduler"))
        found.append(
            Member(
                "descheduler", "descheduler", "descheduler", controller, partial(_initial, controller),
                horizons_of=_horizons(descheduler), needs_kinds=("PodDisruptionBudget",),
            )
        )  # fmt: skip
    wanted = images.not_pulled(objects, scenario)
    machines = {obj.metadata.name: obj for obj in objects if isinstance(obj, Node)}
    for node in nodes:
        found.extend(_on_node(machines[node], wanted, kinds, objects, scenario, rung))
    remains = garbage(objects, scenario, kinds)
    if remains is not None:
        found.append(_garbage_collector(manager, remains))
    if deletes_namespace(scenario, objects):
        found.append(_namespace_controller(found, kinds))
    return tuple(found)


def _garbage_collector(settings: Mapping[str, str], remains: Garbage) -> Member:
    """The garbage collector, which asks the API server before it deletes anything."""
    module = import_module("kythera.model.control_plane.controllers.garbage_collector")
    controller = module.controller(settings, remains.kinds, remains.cluster_scoped, remains.outside)
    names = tuple(kind.__name__ for kind in remains.kinds)
    return Member(
        controller.name, MANAGER, MANAGER, controller, partial(_initial, controller),
        virtual=partial(_looked_up, module, names), virtual_needs=names, live_kinds=() if remains.lags else names,
    )  # fmt: skip


def _looked_up(module: Any, kinds: tuple[str, ...], live: View, extras: tuple[Any, ...]) -> dict[str, Objects]:
    """The answers to the garbage collector's questions."""
    return {module.LATEST + kind: module.looked_up(live.objects[kind]) for kind in kinds}


def _namespace_controller(found: Iterable[Member], kinds: Iterable[str]) -> Member:
    """The namespace controller, which looks at all that the others work on."""
    worked_on = {
        cls.__name__
        for member in found
        for cls in (*member.controller.watches, *member.controller.writes)
        if not member.is_virtual(cls.__name__)
    }
    in_namespaces = sorted(k for k in {*kinds, *worked_on} if k in RESOURCES and RESOURCES[k].namespaced)
    module = import_module("kythera.model.control_plane.controllers.namespace")
    controller = module.controller(tuple(RESOURCES[kind].kind for kind in in_namespaces))
    live = tuple(cls.__name__ for cls in controller.watches)
    return Member(controller.name, MANAGER, MANAGER, controller, partial(_initial, controller), live_kinds=live)


def _recreates(obj: Record, scenario: Scenario) -> bool:
    """Whether a Deployment deletes all old pods before it makes new ones, now or after an event."""
    later = any("Recreate" in text for event in scenario.events for text in event.manifests)
    return later or (isinstance(obj, Deployment) and obj.spec.strategy.type == "Recreate")


def watches_nodes(scenario: Scenario, rung: Rung) -> bool:
    """Whether a node can seem to be dead, so that its heartbeats matter."""
    return rung.faults.node_failure > 0 or rung.faults.partition > 0 or rung.time == "adversarial"


def lists_from_any_cache(member: Member, scenario: Scenario) -> bool:
    """Whether the first list of a restarted component may be answered by any API server's watch cache, however old.

    That was so before consistent reads from the cache (KEP-2340) and streaming lists (KEP-3157), and is asked for by
    a variant.  The controllers of kube-controller-manager share their informers.
    Source: kubernetes/kubernetes#59848.
    """
    part = member.binary.partition("/")[0]
    schedulers = {"kube-scheduler", *(each.name for each in scenario.schedulers)}
    return scenario.variants.get(f"{'scheduler' if part in schedulers else part}.initial_list") == "any_cache"


def _initial(controller: Controller, _: Any) -> Any:
    return controller.initial


def _horizons(module: Any) -> Callable[[Any], Mapping[str, int]]:
    found: Callable[[Any], Mapping[str, int]] = getattr(module, "horizons_of", _no_horizons)
    return found


def _taint_eviction(settings: Mapping[str, str]) -> Member:
    module = import_module("kythera.model.control_plane.controllers.node_lifecycle.taint_eviction")
    controller = module.controller(settings)
    return Member(
        controller.name, MANAGER, MANAGER, controller, partial(_initial, controller),
        horizons_of=_horizons(module),
    )  # fmt: skip


def _evicts(node: Node) -> bool:
    return any(taint.effect == "NoExecute" for taint in node.spec.taints)


def _on_node(
    machine: Node, wanted: frozenset[str], kinds: set[str], objects: Sequence[Record], scenario: Scenario, rung: Rung
) -> list[Member]:
    node = NodeName(machine.metadata.name)
    kubelet = import_module("kythera.model.node.kubelet.kubelet")
    # Whether a connection is answered hangs on hooks before stop and grace periods, which need time; so does the
    # back-off without which containers that end again and again would do so faster than anybody can see it.
    timed = {"timed": "yes"} if scenario.connects or any(each.ends for each in scenario.workload) else {}
    live = "yes" if rung.granularity == "coarse" and rung.faults.staleness == "none" else "no"
    settings = {**timed, **_settings(scenario, "kubelet"), "granularity": rung.granularity, "live": live}
    agent = kubelet.kubelet(node, settings)
    runtime = images.with_images(agent.initial.runtime, machine, wanted)
    runtime = containers.with_workload(runtime, scenario.workload)
    pods = [obj for obj in objects if isinstance(obj, Pod) and is_running_on(obj, node)]
    initial = running_on(node, pods, runtime) if pods else replace(agent.initial, runtime=runtime)
    agent = replace(agent, initial=initial)
    found = [
        Member(
            f"kubelet/{node}", f"kubelet/{node}", f"node/{node}", agent, kubelet.crashed, kubelet.node_lost, node,
            horizons_of=_horizons(kubelet), needs_kinds=(),
        )
    ]  # fmt: skip
    if Service.__name__ in kinds:
        kube_proxy = import_module("kythera.model.node.kube_proxy")
        proxy = kube_proxy.controller(_settings(scenario, "kube-proxy"))
        found.append(
            Member(
                f"kube-proxy/{node}", f"kube-proxy/{node}", f"node/{node}", proxy, kube_proxy.crashed,
                partial(_initial, proxy), node, horizons_of=_horizons(kube_proxy), needs_kinds=(),
            )
        )  # fmt: skip
    return found


def _settings(scenario: Scenario, component: str) -> dict[str, str]:
    """A component's settings, with the variants that are named for it or its parts."""
    given = {key: str(value) for key, value in scenario.components.get(component, {}).items()}
    return {**given, **scenario.variants}


def _applied_kinds(manifests: tuple[str, ...]) -> set[str]:
    return {json.loads(text)["kind"] for text in manifests}
