"""The catalogue: every property, and which of them apply to a question."""

from __future__ import annotations

from collections.abc import Sequence

from kythera.model.record import Record
from kythera.model.scenarios.scenario import Rung, Scenario
from kythera.model.system import System
from kythera.properties.liveness.replicas_converge import REPLICAS_CONVERGE
from kythera.properties.property import AnyProperty
from kythera.properties.safety.resource_fit import RESOURCE_FIT
from kythera.properties.statement import Question, Statement

CATALOGUE: tuple[Statement, ...] = (RESOURCE_FIT, REPLICAS_CONVERGE)


def names() -> tuple[str, ...]:
    """The names of all properties."""
    return tuple(each.name for each in CATALOGUE)


def applicable(
    system: System, objects: Sequence[Record], scenario: Scenario, rung: Rung
) -> list[AnyProperty]:
    """The properties of a question: those that it asks for, or all that something in it could break."""
    question = Question(system, tuple(objects), scenario, rung)
    wanted = [each for each in CATALOGUE if scenario.properties is None or each.name in scenario.properties]
    return [part for each in wanted for part in each.bind(each, question)]
