"""The catalogue as a whole: every property is documented, and what breaks it exists."""

from __future__ import annotations

import pytest
from tests.systems import node, objects, pod, system

from kythera.model.scenarios.scenario import NO_FAULTS, Rung, Scenario
from kythera.model.scenarios.variants import VARIANTS
from kythera.properties.catalogue import CATALOGUE, applicable, names
from kythera.properties.statement import Statement


@pytest.mark.parametrize("statement", CATALOGUE, ids=names())
def test_what_breaks_a_property_is_a_variant_or_something_that_a_scenario_can_say(statement: Statement) -> None:
    name, _, value = statement.breaks.partition("=")
    known = {each.name: each.values for each in VARIANTS}
    assert value in known.get(name, ()) or statement.breaks.startswith(("scenario: ", "faults."))


@pytest.mark.parametrize("statement", CATALOGUE, ids=names())
def test_a_property_says_what_it_is_and_who_promises_it(statement: Statement) -> None:
    assert statement.says.endswith(".")
    assert statement.kind in ("invariant", "step invariant", "convergence", "recoverable")
    assert statement.source
    assert statement.regime


def test_names_are_unique() -> None:
    assert len(set(names())) == len(CATALOGUE)


def test_a_scenario_may_name_its_properties() -> None:
    documents = [node("n1"), pod("a")]
    rung = Rung("coarse", NO_FAULTS)
    asked = Scenario(properties=("bind-once",))
    found = applicable(system(documents), objects(documents), asked, rung)
    assert {each.name for each in found} == {"bind-once"}
