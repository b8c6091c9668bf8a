"""Changes of load, as people read them."""

from __future__ import annotations

from kythera.model.api.quantity import quantity
from kythera.model.environment.workload import Usage, change, processes
from kythera.model.record import EMPTY, Map
from kythera.model.rule import Outcome
from kythera.model.scenarios.scenario import Workload

LEVELS = (quantity("100m"), quantity("300m"), quantity("1"))


def names(*groups: Workload) -> list[str]:
    return [process.name for process in processes(groups)]


def load(changes: int = 1, **labels: str) -> Workload:
    return Workload(Map(labels), cpu=LEVELS, changes=changes)


def test_a_load_is_named_by_the_pods_that_it_is_on() -> None:
    assert names(load(app="web"), load(tier="db", app="shop")) == ["workload/app=web", "workload/app=shop,tier=db"]


def test_loads_on_the_same_pods_have_names_of_their_own() -> None:
    assert names(load(app="web"), load(app="web")) == ["workload/app=web", "workload/app=web#2"]


def test_a_load_that_never_changes_does_nothing() -> None:
    assert names(load(0, app="api"), load(app="web")) == ["workload/app=web"]
    (process,) = processes((load(0, app="api"), load(app="web")))
    assert process.slots == {"usage": "usage/1"}


def test_a_change_says_from_which_level_to_which() -> None:
    (process,) = processes((load(app="web"),))
    outcomes = change.function(Usage(1, 2), **process.constants)
    found = [dict(each.parameters) for each in outcomes if isinstance(each, Outcome)]
    about = {"pods": "the pods with app=web", "from": "300m"}
    assert found == [{**about, "to": "100m"}, {**about, "to": "1"}]
    assert change.says.format(**found[0]) == "the load on the pods with app=web changes: cpu from 300m to 100m"


def test_a_load_changes_only_so_often() -> None:
    (first, *_) = change.function(Usage(0, 1), ("100m", "300m"), "all pods")
    assert isinstance(first, Outcome)
    assert first.writes == {"usage": Usage(1, 0)}
    assert list(change.function(Usage(1, 0), ("100m", "300m"), "all pods")) == []


def test_a_load_on_all_pods_says_so() -> None:
    (process,) = processes((Workload(EMPTY, cpu=LEVELS, changes=1),))
    assert process.constants["pods"] == "all pods"
