"""Keys of a controller have their turn: the work queue is first in, first out."""

from __future__ import annotations

import pytest
from tests.engines.asker import two_keys
from tests.engines.test_liveness import WORDS, ask, gets_to
from tests.engines.toys import Turn, nursery, rotor

from kythera.model.request import Ref
from kythera.properties.property import Convergence


@pytest.mark.parametrize("careful", [False, True])
def test_a_key_has_its_turn_although_requests_of_another_one_are_refused_for_ever(careful: bool) -> None:
    """Between two looks at the one key, the other one could be looked after: the queue is worked off in order."""
    system = two_keys({"a": True, "b": False}, careful)
    served = Convergence(**WORDS, slots=("local/asker",), missing=lambda local: None if "a" in local else "a waits")
    assert ask(system, served) is None
    refused = Convergence(**WORDS, slots=("local/asker",), missing=lambda local: None if "b" in local else "b waits")
    lasso = ask(system, refused)
    assert lasso is not None
    assert lasso.message == "b waits"
    both = ask(two_keys({"a": False, "b": False}, careful), served)
    assert both is not None
    looked_at = {value.name for move in both.moves for _, value in move.action.parameters if isinstance(value, Ref)}
    assert looked_at == {"a", "b"}


@pytest.mark.parametrize("symmetry", [False, True])
def test_a_key_that_is_worth_a_look_only_now_and_then_may_have_its_turn_at_the_wrong_moment(symmetry: bool) -> None:
    assert ask(rotor(3, frozenset({1}), symmetry, "decide"), gets_to("done", True)) is not None


@pytest.mark.parametrize("symmetry", [False, True])
@pytest.mark.parametrize("turn", [(1, 0), (0, 1), (1, 1)])
def test_a_key_that_is_worth_a_look_whenever_nothing_is_sent_has_its_turn(turn: Turn, symmetry: bool) -> None:
    """Value 1 is sent, and becomes 0, which is wanted."""
    system = nursery((0, 1), (turn,), frozenset({0}), symmetry, "decide", {1: 0})
    assert ask(system, gets_to("done", True)) is None
    system = nursery((0, 1), (turn,), frozenset({0}), symmetry, "attend", {1: 0})
    assert (ask(system, gets_to("done", True)) is None) == (turn == (0, 1))
