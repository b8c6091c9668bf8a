"""Controllers: what every control loop is written as, the built-in ones and a user's own alike.

A controller owns a private state (its memory: it is lost when its process dies), sees a ``View`` that may be behind
the present, and answers a key (the object to look after) with a new private state and the requests that it sends.
It is a pure function: whatever it decides, it decides from these three.

    def reconcile(local, view, key):
        ...
        yield Step(local, requests, requeue_after=30, why="2 of 3 pods exist")

The requests of a step are sent one after the other; a crash, a lost reply, a conflict or another component may come
between any two.  After a refusal the rest of them is dropped and the key is looked at again; but those that are sent
``together`` do not wait for each other's answers, so the others of the same group are sent all the same.

What is simplified: there is no work queue.  Any key may be looked at at any time, and looking is an action only if it
changes something, so every order that a queue allows is allowed; what an edge-triggered handler could *miss* is
written as private state of the controller concerned.
Source: the controller pattern of client-go (workqueue, informers), staging/src/k8s.io/client-go/tools/cache.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from kythera.model.record import Record
from kythera.model.request import Ref, Request
from kythera.model.view import View


@dataclass(frozen=True, slots=True)
class Reply:
    """The API server's answer: an HTTP status code, the machine-readable reason, and the message for people."""

    code: int
    reason: str = ""
    message: str = ""
    object: Record | None = None

    @property
    def ok(self) -> bool:
        """Whether the request was carried out."""
        return self.code < 400


@dataclass(frozen=True, slots=True)
class Step:
    """One way that looking at a key can go.

    ``requeue_after``: seconds after which the key is worth another look although nothing else changed.
    ``choice``: what tells this way from the others where there are several (nondeterminism).
    ``together``: the sizes of the groups that the requests are sent in, from the first request on; those beyond are
    sent one at a time.
    """

    local: Any
    requests: tuple[Request, ...] = ()
    requeue_after: int | None = None
    why: str = ""
    choice: tuple[tuple[str, Any], ...] = ()
    together: tuple[int, ...] = ()


def _same(local: Any) -> Any:
    return local


def _unchanged(local: Any, before: View, after: View) -> Any:
    return local


def _ignores_reply(local: Any, key: Ref, request: Request, reply: Reply) -> Any:
    return local


@dataclass(frozen=True, slots=True)
class Controller:
    """A control loop as a value.

    ``watches`` are the kinds that its informers list and watch, ``writes`` those that its requests may change (the
    kinds whose current state the API server needs to answer it).  ``shapes`` reduces an object of a watched kind to
    what the controller reads of it (``None``: it is not selected): a change that the shape does not show wakes
    nobody.  Kinds that the controller updates conditionally must not be shaped.

    ``reconcile(local, view, key)`` yields each way it can go; most controllers yield one.
    ``observe(local, before, after)`` is what the informers' event handlers do when the view moves forward.
    ``caught_up(local)`` is what follows from the view showing the present (coarse granularity, where events may have
    been passed over).
    ``replied(local, key, request, reply)`` is what the controller does with an answer.
    ``edges``: the handlers act on changes, not only on what is there, so they run although no informer is ever behind.
    ``horizons``: for ``"Class.field"`` of each age that is read, the number of seconds beyond which its exact value
    makes no difference any more; ages that nobody reads do not grow.
    """

    name: str
    watches: tuple[type[Record], ...]
    writes: tuple[type[Record], ...]
    initial: Any
    keys: Callable[[View], Iterable[Ref]]
    reconcile: Callable[[Any, View, Ref], Iterable[Step]]
    observe: Callable[[Any, View, View], Any] = _unchanged
    caught_up: Callable[[Any], Any] = _same
    replied: Callable[[Any, Ref, Request, Reply], Any] = _ignores_reply
    shapes: Mapping[type[Record], Callable[[Any], Record | None]] = field(default_factory=dict)
    horizons: Mapping[str, int] = field(default_factory=dict)
    edges: bool = False
    says: str = ""
