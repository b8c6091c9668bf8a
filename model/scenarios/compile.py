"""From objects and a scenario to a ``System``: which components run, which slots there are, who watches what.

A component runs if the scenario gives it something to do.  Each controller of kube-controller-manager is a process of
its own here, and they crash and lose their network together, as parts of one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from kythera.model.api.core.cluster import ConfigMap, Namespace, Secret
from kythera.model.api.core.node import Node
from kythera.model.api.core.pod import Pod
from kythera.model.control_plane.apiserver.variants import handle_of
from kythera.model.environment import clients, containers, crashes, heartbeats, network, users, workload
from kythera.model.feed import Objects, Shape, shaped, told
from kythera.model.host import COARSE, FINE, UP, Hosted, Outbox, process
from kythera.model.normalise import HOSTNAME
from kythera.model.record import Map, NodeName, Record, Uid, replace, within
from kythera.model.rule import Process
from kythera.model.scenarios import generations
from kythera.model.scenarios.components import Member, lists_from_any_cache, members, watches_nodes
from kythera.model.scenarios.edges import edges
from kythera.model.scenarios.scenario import Rung, Scenario
from kythera.model.scenarios.settings import heartbeat_interval
from kythera.model.slot import Slot
from kythera.model.symmetry import Symmetry
from kythera.model.system import PROMPT, Clock, Stage, System
from kythera.model.view import View

ZONE = "topology.kubernetes.io/zone"


def compile_system(objects: Sequence[Record], scenario: Scenario, rung: Rung) -> System:
    """The system of a scenario at one rung of the ladder; ``objects`` are admitted and have their uids."""
    return _Compiler(tuple(objects), scenario, rung).system()


def kind_of(obj: Record | type[Record]) -> str:
    """The name of an object's kind."""
    return obj.__name__ if isinstance(obj, type) else type(obj).__name__


@dataclass
class _Compiler:
    objects: tuple[Record, ...]
    scenario: Scenario
    rung: Rung
    slots: dict[str, Slot] = field(default_factory=dict)
    processes: list[Process] = field(default_factory=list)
    stages: list[Stage] = field(default_factory=list)

    def system(self) -> System:
        """Put it together."""
        faults = self.rung.faults
        present = {kind_of(obj) for obj in self.objects}
        nodes = tuple(NodeName(obj.metadata.name) for obj in self.objects if isinstance(obj, Node))
        found = members(self.objects, self.scenario, self.rung, nodes)
        kinds = sorted(
            {
                kind_of(cls)
                for m in found
                for cls in (*m.controller.watches, *m.controller.writes)
                if not m.is_virtual(kind_of(cls))
            }
            | (present if self.scenario.writes else set())
            | {"Pod", "Node"}
        )
        admission = tuple(k for k in ("Namespace", "PriorityClass", "PodDisruptionBudget") if k in present)
        for kind in sorted({*kinds, *admission}):
            self.slots[f"objects/{kind}"] = Slot(f"objects/{kind}", self.of(kind), kind=kind)

        linked = faults.partition > 0 or faults.node_failure > 0
        lagging = faults.staleness != "none" or self.rung.granularity == FINE
        if faults.lost_reply and self.rung.granularity == FINE:
            self.slots["budget/lostReply"] = Slot("budget/lostReply", faults.lost_reply)
        for member in found:
            host = self.hosted(member, found, admission, lagging)
            self.add(member, host, linked)
            changing = [kind for kind in host.live if self.may_change(kind, found)]
            if member.controller.edges and changing and not host.late:
                remembered, stage = edges(member.name, changing, host, member.node)
                self.slots.update({slot.name: slot for slot in remembered})
                self.stages.append(stage)
        if linked:
            self.links(found, faults.partition, faults.node_failure)
        self.environment(nodes, linked)
        if faults.crash:
            self.crashes(found, faults.crash, linked)
        self.generations()
        slots = tuple(self.slots.values())
        return System(
            self.scenario.name,
            slots,
            tuple(self.processes),
            tuple(self.stages),
            self.symmetry(slots, nodes),
            Clock(self.rung.time, self.horizons(found)),
            {"granularity": self.rung.granularity, "nodes": nodes},
        )

    def generations(self) -> None:
        """Where specifications may change for ever, their generations are kept small."""
        if "objects/EndpointSlice" in self.slots:
            self.stages.insert(0, generations.unread("EndpointSlice"))
        if "objects/HorizontalPodAutoscaler" in self.slots:
            kinds = [kind for kind in generations.RESIZED if f"objects/{kind}" in self.slots]
            self.stages += [generations.renumbered(kind, self.slots) for kind in kinds]

    def travels(self, member: Member) -> bool:
        """Whether a component that was restarted may read an older cache than before."""
        anyway = self.rung.faults.staleness == "timeTravel"
        return self.rung.faults.crash > 0 and (anyway or lists_from_any_cache(member, self.scenario))

    def of(self, kind: str) -> Objects:
        """The objects of a kind, in the order of a snapshot."""
        found: list[Any] = [obj for obj in self.objects if kind_of(obj) == kind]
        return tuple(sorted(found, key=lambda o: (o.metadata.namespace, o.metadata.name, o.metadata.uid)))

    def may_change(self, kind: str, found: Iterable[Member]) -> bool:
        """Whether anybody writes objects of a kind: what nobody writes, nobody can see late."""
        written = {kind_of(cls) for member in found for cls in member.controller.writes}
        return kind in written or bool(self.scenario.writes)

    def hosted(self, member: Member, found: Sequence[Member], admission: tuple[str, ...], lagging: bool) -> Hosted:
        """How a component is run: which kinds it sees late, and which its requests concern."""
        controller = member.controller
        watched = [kind_of(cls) for cls in controller.watches if not member.is_virtual(kind_of(cls))]
        written = [kind_of(cls) for cls in controller.writes if not member.is_virtual(kind_of(cls))]
        late = tuple(
            kind for kind in watched if lagging and kind not in member.live_kinds and self.may_change(kind, found)
        )
        shapes = {kind_of(cls) for cls in controller.shapes}
        return Hosted(
            controller,
            handle_of(self.scenario.variants),
            tuple(dict.fromkeys((*sorted(written), *(k for k in admission if member.needs(k))))),
            late,
            tuple(kind for kind in late if kind in written and kind not in shapes),
            tuple(dict.fromkeys((*(k for k in watched if k not in late), *member.virtual_needs))),
            self.rung.granularity,
            self.rung.faults.staleness == "none",
            member.virtual,
        )

    def add(self, member: Member, host: Hosted, linked: bool) -> None:
        """The slots and the process of one component."""
        name, node = member.name, member.node
        seen = tuple(shaped(self.of(kind), host.shape(kind)) for kind in host.late)
        nothing = View(Map(dict.fromkeys((kind_of(cls) for cls in member.controller.watches), ())))
        view = View(Map(dict(zip(host.late, seen, strict=True))))
        initial = member.controller.observe(member.controller.initial, nothing, view)
        self.slots[f"local/{name}"] = Slot(f"local/{name}", initial, node)
        for kind, objects in zip(host.late, seen, strict=True):
            self.slots[f"seen/{name}/{kind}"] = Slot(f"seen/{name}/{kind}", objects, node)
            self.slots[f"pending/{name}/{kind}"] = Slot(f"pending/{name}/{kind}", (), node)
            if self.travels(member):
                self.slots[f"past/{name}/{kind}"] = Slot(f"past/{name}/{kind}", (), node)
                self.stages.append(_forget(f"past/{name}/{kind}"))
            newest, travels = self.rung.granularity == COARSE, self.travels(member)
            self.stages.append(_tell(name, kind, host.shape(kind), newest, travels))
        if self.rung.granularity == FINE:
            self.slots[f"outbox/{name}"] = Slot(f"outbox/{name}", Outbox(), node)
        lossy = self.rung.granularity == FINE and self.rung.faults.lost_reply > 0
        link = f"link/{member.unit}" if linked else None
        self.processes.append(process(name, host, link, member.extras, lossy, self.travels(member)))

    def environment(self, nodes: tuple[NodeName, ...], linked: bool) -> None:
        """Users, workload, ends of containers and heartbeats."""
        if self.scenario.events:
            kinds = tuple(slot.kind for slot in self.slots.values() if slot.kind)
            self.slots["events"] = Slot("events", users.Events())
        if self.scenario.writes:
            self.processes.append(users.process(self.scenario.writes, kinds, handle_of(self.scenario.variants)))
        if self.scenario.connects:
            self.clients(nodes, linked)
        loads = [group for group in self.scenario.workload if group.cpu]
        for n, group in enumerate(loads):
            self.slots[f"usage/{n}"] = Slot(f"usage/{n}", workload.Usage(0, group.changes))
        self.processes += workload.processes(loads)
        if self.rung.faults.container_crash:
            self.slots["budget/containerCrash"] = Slot("budget/containerCrash", self.rung.faults.container_crash)
        ends = containers.rules(self.objects, self.scenario, crashes=self.rung.faults.container_crash > 0)
        self.processes += [containers.process(node, ends) for node in nodes if ends]
        if not watches_nodes(self.scenario, self.rung):
            return
        prompt = self.rung.time == PROMPT
        for node in nodes:
            self.slots[f"lease/{node}"] = Slot(f"lease/{node}", heartbeats.first(prompt), node)
            if self.rung.faults.partition or not prompt:
                self.processes.append(heartbeats.process(node, linked, prompt))

    def clients(self, nodes: tuple[NodeName, ...], linked: bool) -> None:
        """The clients of each node that somebody may connect from, where it has a kube-proxy."""
        zones = {obj.metadata.name: obj.metadata.labels.get(ZONE, "") for obj in self.objects if isinstance(obj, Node)}
        for node in nodes:
            connects = tuple(event for event in self.scenario.connects if event.source in ("", node))
            if f"local/kube-proxy/{node}" in self.slots:
                self.processes += clients.processes(clients.Place(node, zones[node], nodes, connects), linked)

    def links(self, found: Iterable[Member], partitions: int, failures: int) -> None:
        """The links of components and nodes, and what may happen to them."""
        if partitions:
            self.slots["budget/partition"] = Slot("budget/partition", partitions)
        if failures:
            self.slots["budget/nodeFailure"] = Slot("budget/nodeFailure", failures)
        for unit, parts in _units(found).items():
            node = parts[0].node
            self.slots[f"link/{unit}"] = Slot(f"link/{unit}", UP, node=node)
            may_fail = failures > 0 and node is not None
            lease = f"lease/{node}" if node is not None and self.rung.time == PROMPT else None
            if partitions or may_fail:
                self.processes.append(
                    network.process(
                        unit, partitions > 0, may_fail,
                        tuple(f"local/{m.name}" for m in parts), tuple(m.lost for m in parts),
                        lease, heartbeat_interval(self.scenario),
                    )
                )  # fmt: skip

    def crashes(self, found: Iterable[Member], budget: int, linked: bool) -> None:
        """The crashes of each operating system process."""
        self.slots["budget/crash"] = Slot("budget/crash", budget)
        by_process: dict[str, list[Member]] = {}
        for member in found:
            by_process.setdefault(member.binary, []).append(member)
        for binary, parts in by_process.items():
            outboxes = tuple(f"outbox/{m.name}" for m in parts) if self.rung.granularity == FINE else ()
            self.processes.append(
                crashes.process(
                    binary,
                    tuple(f"local/{m.name}" for m in parts),
                    outboxes,
                    f"link/{parts[0].unit}" if linked else None,
                    tuple(m.crashed for m in parts),
                    tuple(
                        n.removeprefix("past/") for m in parts for n in self.slots if n.startswith(f"past/{m.name}/")
                    ),
                )
            )

    def horizons(self, found: Iterable[Member]) -> Mapping[str, int]:
        """Until when each age is worth telling apart."""
        combined: dict[str, int] = {}
        for member in found:
            for each in (member.controller.horizons, *(member.horizons_of(obj) for obj in self.objects)):
                for name, seconds in each.items():
                    combined[name] = max(combined.get(name, 0), seconds)
        return combined

    def symmetry(self, slots: tuple[Slot, ...], nodes: tuple[NodeName, ...]) -> Symmetry:
        """Which nodes may be exchanged: equal but for name and hostname, and nobody speaks of one by its name."""
        if not self.scenario.symmetry:
            return Symmetry(slots, (), pods=False)
        classes: dict[Any, list[str]] = {}
        named = self.named()
        for obj in self.objects:
            if isinstance(obj, Node) and obj.metadata.name not in named:
                meta = obj.metadata
                blank = replace(meta, name="", uid=Uid(0), labels=meta.labels.without(HOSTNAME))
                labelled = meta.labels.get(HOSTNAME) in (None, meta.name)
                if labelled:
                    classes.setdefault(replace(obj, metadata=blank), []).append(meta.name)
        return Symmetry(slots, tuple(tuple(sorted(c)) for c in classes.values() if len(c) > 1))

    def named(self) -> frozenset[str]:
        """The names of nodes, among other texts, that anything but the nodes' own objects mentions."""
        told = (name for event in self.scenario.events for name in (event.target.removeprefix("node/"), event.source))
        others = (obj for obj in self.objects if not isinstance(obj, (Node, ConfigMap, Secret, Namespace)))
        return frozenset(chain(told, *map(_texts, others)))


def _texts(obj: Record) -> list[str]:
    """The texts in an object (a node that a pod is already bound to is no mention)."""
    value = replace(obj.spec, node_name=None) if isinstance(obj, Pod) else obj
    return [part for part in within(value) if isinstance(part, str)]


def _units(found: Iterable[Member]) -> dict[str, list[Member]]:
    units: dict[str, list[Member]] = {}
    for member in found:
        units.setdefault(member.unit, []).append(member)
    return units


def _forget(past: str) -> Stage:
    """What an older cache shows makes no difference once nothing can crash any more."""

    def function(values: tuple[Any, ...]) -> tuple[Any, ...]:
        older, crashes_left = values
        return (older if crashes_left else (), crashes_left)

    reads = (past, "budget/crash")
    return Stage(f"forget {past}", reads, frozenset(reads), function)


def _tell(name: str, kind: str, shape: Shape | None, newest: bool, travels: bool) -> Stage:
    """An informer is told what has become of the objects of a kind."""
    objects, seen, pending = f"objects/{kind}", f"seen/{name}/{kind}", f"pending/{name}/{kind}"

    def function(values: tuple[Any, ...]) -> tuple[Any, ...]:
        now, known, waiting = values
        return (now, known, told(now, known, waiting, shape, newest))

    def concerns(before: Objects, now: Objects) -> bool:
        return shaped(before, shape) != shaped(now, shape)

    # an informer that has read an older cache has more to see than what is written next
    asked = None if travels else concerns
    return Stage(f"tell {name} of {kind}", (objects, seen, pending), frozenset({objects}), function, asked)
