"""The catalogue: every property, and which of them apply to a question."""

from __future__ import annotations

from collections.abc import Sequence

from kythera.model.record import Record
from kythera.model.scenarios.scenario import Rung, Scenario
from kythera.model.system import ADVERSARIAL, System
from kythera.properties.liveness.deployment_converges import DEPLOYMENT_CONVERGES
from kythera.properties.liveness.drains_complete import DRAINS_COMPLETE
from kythera.properties.liveness.endpoints_converge import ENDPOINTS_CONVERGE
from kythera.properties.liveness.livelocks import NO_EVICTION_LIVELOCK, NO_SCALING_OSCILLATION
from kythera.properties.liveness.node_failure_heals import NODE_FAILURE_HEALS
from kythera.properties.liveness.owners_gone import OWNERS_GONE_DEPENDENTS_GONE
from kythera.properties.liveness.pods_schedulable import PODS_SCHEDULABLE
from kythera.properties.liveness.replicas_converge import REPLICAS_CONVERGE
from kythera.properties.property import AnyProperty, Convergence
from kythera.properties.safety.bind_once import BIND_ONCE
from kythera.properties.safety.connections import CONNECTIONS_ANSWERED
from kythera.properties.safety.disruption_budget import PDB_HONOURED_BY_EVICTION
from kythera.properties.safety.live_owners import NO_LIVE_OWNER_COLLECTED
from kythera.properties.safety.minimum_replicas import REPLICAS_NEVER_BELOW_MIN
from kythera.properties.safety.monotonic_views import RESOURCE_VERSION_MONOTONIC
from kythera.properties.safety.no_lost_update import NO_LOST_UPDATE
from kythera.properties.safety.one_container_set import AT_MOST_ONE, POD_IP_UNIQUENESS
from kythera.properties.safety.resource_fit import RESOURCE_FIT
from kythera.properties.safety.rollout_bounds import ROLLOUT_BOUNDS
from kythera.properties.safety.uid_uniqueness import UID_UNIQUENESS
from kythera.properties.statement import Question, Statement

CATALOGUE: tuple[Statement, ...] = (
    RESOURCE_FIT,
    BIND_ONCE,
    AT_MOST_ONE,
    NO_LOST_UPDATE,
    UID_UNIQUENESS,
    PDB_HONOURED_BY_EVICTION,
    ROLLOUT_BOUNDS,
    REPLICAS_NEVER_BELOW_MIN,
    RESOURCE_VERSION_MONOTONIC,
    POD_IP_UNIQUENESS,
    CONNECTIONS_ANSWERED,
    NO_LIVE_OWNER_COLLECTED,
    REPLICAS_CONVERGE,
    DEPLOYMENT_CONVERGES,
    PODS_SCHEDULABLE,
    ENDPOINTS_CONVERGE,
    NO_EVICTION_LIVELOCK,
    NO_SCALING_OSCILLATION,
    NODE_FAILURE_HEALS,
    DRAINS_COMPLETE,
    OWNERS_GONE_DEPENDENTS_GONE,
)


def names() -> tuple[str, ...]:
    """The names of all properties."""
    return tuple(each.name for each in CATALOGUE)


def applicable(system: System, objects: Sequence[Record], scenario: Scenario, rung: Rung) -> list[AnyProperty]:
    """The properties of a question: those that it asks for, or all that something in it could break.

    In adversarial time a failure detector may be wrong again and again, and then nothing need ever settle: what
    converges is claimed only where somebody asks for it by name.
    """
    question = Question(system, tuple(objects), scenario, rung)
    wanted = [each for each in CATALOGUE if scenario.properties is None or each.name in scenario.properties]
    parts = [part for each in wanted for part in each.bind(each, question)]
    if rung.time == ADVERSARIAL and scenario.properties is None:
        return [part for part in parts if not isinstance(part, Convergence)]
    return parts
