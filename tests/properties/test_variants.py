"""Each property fails under the variant that it names, and holds in the default model where it could fail."""

from __future__ import annotations

from typing import Any

import pytest
from tests.properties import test_liveness, test_ownership, test_safety
from tests.properties.judging import assert_it_fails_under_its_variant, assert_it_holds_where_it_could_fail

from kythera.properties.statement import Statement

CASES: list[tuple[Statement, Any, int]] = [*test_safety.CASES, *test_liveness.CASES, *test_ownership.CASES]
"""A property, how a question is asked in which it could fail, and how many steps a trace of the variant has at most."""
NAMES = [statement.name for statement, _, _ in CASES]


@pytest.mark.parametrize(("statement", "ask", "steps"), CASES, ids=NAMES)
def test_it_fails_under_the_variant_that_it_names(statement: Statement, ask: Any, steps: int) -> None:
    assert_it_fails_under_its_variant(statement, ask, steps)


@pytest.mark.parametrize(("statement", "ask", "steps"), CASES, ids=NAMES)
def test_it_holds_where_it_could_fail(statement: Statement, ask: Any, steps: int) -> None:
    assert_it_holds_where_it_could_fail(statement, ask)
