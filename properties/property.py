"""Properties: what must hold, as values.

A property names the slots that it looks at, and nothing else of a state matters to it.  Its sentence (``says``) is
what people read when it fails, ``source`` is who promises it, ``breaks`` is the variant of the model under which it
must fail (a property that nothing can break is not tested), and ``regime`` says under which settings it is claimed.

Four kinds, judged by different means:

* ``Invariant``       of each state that can be reached
* ``StepInvariant``   of each step
* ``Convergence``     every fair run is, from some time on, for ever in the goal; or, with ``forbidden``, takes a
                      forbidden step only finitely often
* ``Recoverable``     from each state, the goal can still be reached
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from kythera.model.rule import Action

HOLDS = "holds"
WITHIN_BOUNDS = "holds-within-bounds"
VACUOUS = "vacuous"
INCONCLUSIVE = "inconclusive"
VIOLATED = "violated"
WORST_FIRST = (VIOLATED, INCONCLUSIVE, VACUOUS, WITHIN_BOUNDS, HOLDS)

FAIRNESS = "weak; strong for informers; keys in turn"
"""What a run is assumed to be fair to, if it is to break a ``Convergence``."""


def worst(verdicts: list[str]) -> str:
    """The worst of some verdicts; ``holds`` if there is none."""
    return min(verdicts, key=WORST_FIRST.index, default=HOLDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Property:
    """What all kinds have in common.

    ``applies`` tells of the values of ``slots`` whether the property had a chance to fail there: if it never is true,
    the verdict is vacuous.
    """

    name: str
    says: str
    source: str
    breaks: str
    slots: tuple[str, ...]
    regime: str = "always"
    applies: Callable[..., bool] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Invariant(Property):
    """``broken(*values)`` says what is wrong with a state, or ``None``."""

    broken: Callable[..., str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class StepInvariant(Property):
    """``broken(before, after, action)`` says what is wrong with a step, or ``None``; values as tuples.

    ``by``: the processes whose steps can break it, if that is known; an engine need not look at the others'.
    """

    broken: Callable[[tuple[Any, ...], tuple[Any, ...], Action], str | None]
    by: frozenset[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Convergence(Property):
    """``missing(*values)`` says what is missing for the goal; ``forbidden(before, after, action)`` is asked of a step.

    Fairness (``FAIRNESS``): what stays possible for a component is done (weak fairness, per process, rule and object);
    an informer that can learn again and again does (strong fairness); a key that is worth a look whenever its
    controller can look at one is looked at, although it is not possible while requests for another key are under way
    (the work queue is first in, first out).  Faults, users and the workload owe nothing; a state in which nobody can
    act lasts for ever.

    ``excuse(*values)`` says of whom nothing is claimed in a state although its goal is missed, and why.
    """

    missing: Callable[..., str | None] | None = None
    excuse: Callable[..., str | None] | None = None
    forbidden: Callable[[tuple[Any, ...], tuple[Any, ...], Action], str | None] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recoverable(Property):
    """``missing(*values)`` says what is missing for the goal, or ``None``."""

    missing: Callable[..., str | None]


AnyProperty = Invariant | StepInvariant | Convergence | Recoverable
