"""Which components a scenario needs, and as parts of which processes and units they run."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from typing import Any

from kythera.model.api.apps import Deployment, ReplicaSet
from kythera.model.api.autoscaling import HorizontalPodAutoscaler
from kythera.model.api.core.node import Node
from kythera.model.api.core.pod import Pod, PodSpec
from kythera.model.api.core.service import Service
from kythera.model.api.labels import matches_map
from kythera.model.api.policy import PodDisruptionBudget
from kythera.model.controller import Controller
from kythera.model.environment import heartbeats, workload
from kythera.model.host import Virtual
from kythera.model.node.kubelet.adoption import is_running_on, running_on
from kythera.model.record import Map, NodeName, Record, replace
from kythera.model.scenarios.scenario import Rung, Scenario

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
    if watches_nodes(scenario, rung) or any(isinstance(o, Node) and _evicts(o) for o in objects):
        found.append(_taint_eviction(manager))
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
    for node in nodes:
        found.extend(_on_node(node, kinds, objects, scenario, rung))
    return tuple(found)


def _recreates(obj: Record, scenario: Scenario) -> bool:
    """Whether a Deployment deletes all old pods before it makes new ones, now or after an event."""
    later = any("Recreate" in text for event in scenario.events for text in event.manifests)
    return later or (isinstance(obj, Deployment) and obj.spec.strategy.type == "Recreate")


def watches_nodes(scenario: Scenario, rung: Rung) -> bool:
    """Whether a node can seem to be dead, so that its heartbeats matter."""
    return rung.faults.node_failure > 0 or rung.faults.partition > 0 or rung.time == "adversarial"


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
    node: NodeName, kinds: set[str], objects: Sequence[Record], scenario: Scenario, rung: Rung
) -> list[Member]:
    kubelet = import_module("kythera.model.node.kubelet.kubelet")
    settings = {**_settings(scenario, "kubelet"), "granularity": rung.granularity}
    agent = kubelet.kubelet(node, settings)
    agent = replace(agent, initial=_with_workload(agent.initial, node, objects, scenario))
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
                f"kube-proxy/{node}", f"kube-proxy/{node}", f"node/{node}", proxy, partial(_initial, proxy),
                partial(_initial, proxy), node, horizons_of=_horizons(kube_proxy), needs_kinds=(),
            )
        )  # fmt: skip
    return found


def _with_workload(initial: Any, node: NodeName, objects: Sequence[Record], scenario: Scenario) -> Any:
    """A node's first state: how its processes will behave, and the pods that run there already."""
    startup = Map(_startup(objects, scenario))
    runtime = replace(initial.runtime, startup=startup) if startup else initial.runtime
    pods = [obj for obj in objects if isinstance(obj, Pod) and is_running_on(obj, node)]
    return running_on(node, pods, runtime) if pods else replace(initial, runtime=runtime)


def _startup(objects: Sequence[Record], scenario: Scenario) -> dict[str, int]:
    """How long the processes of each image need until they answer: by the first workload that selects their pods."""
    slow = [each for each in scenario.workload if each.startup]
    manifests = [json.loads(text) for event in scenario.events for text in event.manifests] if slow else []
    pods = [(obj.metadata.labels, _images(obj.spec)) for obj in objects if isinstance(obj, Pod)]
    for obj in objects:
        if isinstance(obj, (Deployment, ReplicaSet)):
            pods.append((obj.spec.template.metadata.labels, _images(obj.spec.template.spec)))
    for manifest in manifests:
        pod = (manifest.get("spec") or {}).get("template") or manifest
        containers = (pod.get("spec") or {}).get("containers") or ()
        pods.append((Map((pod.get("metadata") or {}).get("labels") or {}), [c.get("image", "") for c in containers]))
    found: dict[str, int] = {}
    for each in slow:
        for labels, images in pods:
            if matches_map(each.selector, labels):
                for image in images:
                    found.setdefault(image, each.startup)
    return found


def _images(spec: PodSpec) -> list[str]:
    return [container.image for container in spec.containers]


def _settings(scenario: Scenario, component: str) -> dict[str, str]:
    """A component's settings, with the variants that are named for it or its parts."""
    given = {key: str(value) for key, value in scenario.components.get(component, {}).items()}
    return {**given, **scenario.variants}


def _applied_kinds(manifests: tuple[str, ...]) -> set[str]:
    return {json.loads(text)["kind"] for text in manifests}
