"""What is asked: nodes, components, behaviour of containers, users' events and faults beside the manifests.

The fields are those of ``kind: Scenario`` (``apiVersion: kythera/v1alpha1``), described in docs/scenario.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kythera.model.api.quantity import Quantity
from kythera.model.record import EMPTY, Map, Record, record

CONNECT = "connect"


@record
class Workload(Record):
    """How the containers of the pods behave that ``selector`` selects.

    ``startup`` seconds until a container answers; ``cpu``: the usage levels of a pod; ``changes``: how often the level
    may change in one run; ``exits``: whether containers may end by themselves at any time: never, success (code 0),
    failure (code 1) or any; ``lasts``: the seconds after which they end with success (``None``: they do not).
    """

    selector: Map[str] = EMPTY
    startup: int = 0
    cpu: tuple[Quantity, ...] = ()
    changes: int = 0
    exits: str = "never"
    lasts: int | None = None

    @property
    def ends(self) -> bool:
        """Whether containers may end by themselves."""
        return self.exits != "never" or self.lasts is not None


@record
class Event(Record):
    """Something that a user does, once, at any time after the events that it waits for.

    ``verb`` is apply, scale, drain, delete, cordon, uncordon or connect; ``target`` "kind/name" or a node; ``replicas``
    for scale; ``manifests`` (JSON texts) for apply.
    For connect: the ``port`` of the Service by its name, and where the client is: on a ``source`` node (empty: on any),
    ``outside`` of the cluster, or in a pod that ``clients`` selects.
    For delete: ``cascade`` (background, foreground or orphan), ``grace_period`` (seconds; ``None``: the object's own).
    """

    name: str = ""
    verb: str = ""
    target: str = ""
    namespace: str = "default"
    replicas: int = 0
    manifests: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    port: str = ""
    source: str = ""
    outside: bool = False
    clients: Map[str] = EMPTY
    cascade: str = "background"
    grace_period: int | None = None


@record
class Faults(Record):
    """How often each fault may happen in one run; ``staleness`` is none, lag or timeTravel."""

    crash: int = 1
    partition: int = 0
    node_failure: int = 0
    lost_reply: int = 0
    container_crash: int = 0
    disk_loss: int = 0
    staleness: str = "lag"


DEFAULT_FAULTS = Faults()
NO_FAULTS = Faults(crash=0, staleness="none")


@record
class SchedulerSettings(Record):
    """One scheduler by its name, and how many replicas of it there are."""

    name: str = "default-scheduler"
    replicas: int = 1


@dataclass(frozen=True, slots=True)
class Scenario:
    """A whole question, apart from the objects that the manifests describe."""

    name: str = "scenario"
    schedulers: tuple[SchedulerSettings, ...] = (SchedulerSettings(),)
    api_servers: int = 1
    etcd_members: int = 1
    controller_managers: int = 1
    components: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    variants: Mapping[str, str] = field(default_factory=dict)
    workload: tuple[Workload, ...] = ()
    events: tuple[Event, ...] = ()
    faults: Faults = DEFAULT_FAULTS
    time: str = "prompt"
    granularity: str = "ladder"
    properties: tuple[str, ...] | None = None
    symmetry: bool = True

    @property
    def writes(self) -> tuple[Event, ...]:
        """The events that ask something of the API server."""
        return tuple(event for event in self.events if event.verb != CONNECT)

    @property
    def connects(self) -> tuple[Event, ...]:
        """The events by which somebody connects to a Service."""
        return tuple(event for event in self.events if event.verb == CONNECT)


@dataclass(frozen=True, slots=True)
class Rung:
    """One way to explore a scenario: how fine, with which faults, under which regime of time."""

    granularity: str
    faults: Faults
    time: str = "prompt"


def ladder(scenario: Scenario) -> tuple[Rung, ...]:
    """The rungs of a scenario, easiest first: coarse without faults, coarse with faults, fine with faults."""
    if scenario.granularity != "ladder":
        return (Rung(scenario.granularity, scenario.faults, scenario.time),)
    rungs = [Rung("coarse", NO_FAULTS, scenario.time)]
    if scenario.faults != NO_FAULTS:
        rungs.append(Rung("coarse", scenario.faults, scenario.time))
    rungs.append(Rung("fine", scenario.faults, scenario.time))
    return tuple(rungs)
