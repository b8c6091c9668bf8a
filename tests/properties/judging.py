"""How the tests of properties ask the core engine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from kythera.properties.engines.core import Core
from kythera.properties.engines.liveness import Liveness
from kythera.properties.engines.path import states_to
from kythera.properties.property import Convergence
from kythera.properties.statement import Question, Statement

MOST_STATES = 20_000


@dataclass(frozen=True)
class Answer:
    """What was found: the message of a violation and the length of its trace, and whether it could have failed."""

    message: str | None
    length: int
    applied: bool
    states: int


def judge(statement: Statement, asked: Question, states: int = MOST_STATES) -> Answer:
    """What a property says of a question."""
    properties = list(statement.bind(statement, asked))
    if not properties:
        raise AssertionError(f"{statement.name} says nothing about this question")
    core = Core(asked.system, properties)
    result = core.run(max_states=states, stop_at_finding=True)
    applied = statement.name in result.applied
    if result.findings:
        finding = result.findings[0]
        steps = len(states_to(core, finding.state)) - 1 + (finding.successor is not None)
        return Answer(finding.message, steps, applied, result.states)
    assert result.complete, f"more than {states} states"
    for each in properties:
        if isinstance(each, Convergence):
            lasso = Liveness(core).convergence(each)
            if lasso is not None:
                steps = len(states_to(core, lasso.entry)) - 1 + len(lasso.cycle)
                return Answer(lasso.message, steps, applied, result.states)
    return Answer(None, 0, applied, result.states)


def variant(statement: Statement) -> dict[str, str]:
    """The variant that breaks a statement."""
    name, _, value = statement.breaks.partition("=")
    return {name: value}


def assert_it_fails_under_its_variant(statement: Statement, ask: Callable[..., Question], steps: int) -> None:
    """A property fails where the variant that it names is in force, by a trace of at most so many steps."""
    answer = judge(statement, ask(variants=variant(statement)))
    assert answer.message is not None
    assert answer.length <= steps


def assert_it_holds_where_it_could_fail(statement: Statement, ask: Callable[..., Question]) -> None:
    """A property holds in the default model, and not for want of a chance to fail."""
    answer = judge(statement, ask())
    assert answer.message is None
    assert answer.applied
