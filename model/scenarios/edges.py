"""Edges: event handlers that have to see each change, where an informer is never behind.

A late informer has slots of its own for what it has seen, and its component's handlers run when it learns.  Where none
is late there is no learning: handlers then run as a stage of whatever step makes the change.  What the component saw
before is kept only as long as its memory is not the initial one, so that nothing is kept of components that have
nothing to remember.

Source: client-go tools/cache, sharedIndexInformer.HandleDeltas.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kythera.model.feed import shaped
from kythera.model.host import Hosted
from kythera.model.record import Map, NodeName
from kythera.model.slot import Slot
from kythera.model.system import Stage
from kythera.model.view import View


def edges(name: str, kinds: Sequence[str], host: Hosted, node: NodeName | None) -> tuple[tuple[Slot, ...], Stage]:
    """The slots for what a component saw of each kind before a step, and the stage that tells it of the difference.

    A component whose memory becomes other than the initial one in the very step is told of nothing that the step did.
    """
    controller = host.controller
    local = f"local/{name}"
    before = tuple(f"before/{name}/{kind}" for kind in kinds)
    objects = tuple(f"objects/{kind}" for kind in kinds)
    shapes = tuple(map(host.shape, kinds))
    unknown = ((),) * len(kinds)

    def function(values: tuple[Any, ...]) -> tuple[Any, ...]:
        memory, stored, known = values[0], values[1 : 1 + len(kinds)], values[1 + len(kinds) :]
        if memory == controller.initial:
            return (memory, *stored, *unknown)
        now = tuple(shaped(each, shape) for each, shape in zip(stored, shapes, strict=True))
        then = now if known == unknown else known
        told = controller.observe(memory, _view(kinds, then), _view(kinds, now))
        return (told, *stored, *(unknown if told == controller.initial else now))

    stage = Stage(f"tell {name}", (local, *objects, *before), frozenset({local, *objects}), function)
    return tuple(Slot(each, (), node) for each in before), stage


def _view(kinds: Sequence[str], objects: Sequence[Any]) -> View:
    return View(Map(dict(zip(kinds, objects, strict=True))))
