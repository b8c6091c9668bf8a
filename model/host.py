"""Hosting: how a controller (``model/controller.py``) runs as a process among others.

What it owns: its private state, and an outbox of requests that it has decided on but not sent yet.
What it may do:

    learn   its informers receive an event (fine), or everything up to the present (coarse)
    work    it looks after one key; its requests go to the outbox (fine), or are all carried out at once (coarse)
    send    the first request of the outbox reaches the API server, and the answer comes back (fine)

An informer stands still while requests are under way: what it would learn meanwhile could only be used by the next
look at a key, and that comes after.  So an update conflicts iff its object changed since the position that the
informer stands at (``changed_since``): exact, and without version numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from kythera.model.controller import Controller, Reply, Step
from kythera.model.history import History, Shape, changed_since, position, push, shaped, trim
from kythera.model.record import Map, Record, record
from kythera.model.request import Ref, Request, Update, ref_of
from kythera.model.rule import Outcome, Process, Wake, Yields, rule
from kythera.model.view import View

COARSE = "coarse"
FINE = "fine"

UP = "up"
CUT = "cut"
GONE = "gone"

PROVISIONAL = 1_000_000
"""Uids of objects just made start here, until normalising gives them the smallest free number."""

Handle = Callable[..., tuple[View, Reply]]


@record
class Outbox(Record):
    """Requests that are decided on but not sent, the first one next, and the key that they are for."""

    key: Ref = Ref()
    requests: tuple[Request, ...] = ()
    made: int = 0


@dataclass(frozen=True, slots=True)
class Informer:
    """One component's watch on one kind: the counter slot of its lag, and what it sees."""

    lag: str
    shape: Shape | None = None


@dataclass(frozen=True, slots=True)
class Wiring:
    """Who watches what: per kind, the informers that may be behind the present; and the API server's function."""

    informers: Mapping[str, tuple[Informer, ...]]
    handle: Handle

    def commit(
        self, kinds: tuple[str, ...], histories: tuple[History, ...], after: View, adds: dict[str, int]
    ) -> tuple[History, ...]:
        """The histories after a write, and (into ``adds``) which informers have one event more to see."""
        made = []
        for kind, history in zip(kinds, histories, strict=True):
            objects = after.objects.get(kind, ())
            if objects is history.present or objects == history.present:
                made.append(history)
                continue
            watching = self.informers.get(kind, ())
            for informer in watching:
                if shaped(history.present, informer.shape) != shaped(objects, informer.shape):
                    adds[informer.lag] = adds.get(informer.lag, 0) + 1
            made.append(push(history, objects, bool(watching)))
        return tuple(made)


def present(kinds: tuple[str, ...], histories: tuple[History, ...]) -> View:
    """The stored objects of these kinds as they are now."""
    return View(Map({kind: history.present for kind, history in zip(kinds, histories, strict=True)}))


Virtual = Callable[[View, tuple[Any, ...]], Mapping[str, tuple[Record, ...]]]


@dataclass(frozen=True, slots=True)
class Hosted:
    """A controller with how it is run.

    ``kinds``: the kinds of the ``histories`` parameter.  ``lagging``: the kinds of the ``lags`` parameter, in its
    order (none: the present is seen).  ``virtual``: objects that no history holds, made from the present objects and
    the ``extras`` slots (Leases, PodMetrics).  ``fresh``: it reads the present although it is fine-grained.
    """

    controller: Controller
    wiring: Wiring
    kinds: tuple[str, ...]
    lagging: tuple[str, ...]
    granularity: str = COARSE
    fresh: bool = False
    virtual: Virtual | None = None
    views: dict[Any, View] = field(default_factory=dict, compare=False)
    looks: dict[Any, tuple[Step, ...]] = field(default_factory=dict, compare=False)

    def at(self, kind: str, histories: tuple[History, ...], lags: tuple[int, ...]) -> int:
        """The index of the snapshot that its informer of a kind stands at."""
        history = histories[self.kinds.index(kind)]
        if kind not in self.lagging:
            return len(history.snapshots) - 1
        return position(history, lags[self.lagging.index(kind)], self.shape(kind))

    def shape(self, kind: str) -> Shape | None:
        """How its informer of a kind reduces the objects."""
        for cls, shape in self.controller.shapes.items():
            if cls.__name__ == kind:
                return shape
        return None

    def view(self, histories: tuple[History, ...], lags: tuple[int, ...], extras: tuple[Any, ...] = ()) -> View:
        """What it sees."""
        objects: dict[str, tuple[Record, ...]] = {}
        for cls in self.controller.watches:
            kind = cls.__name__
            if kind in self.kinds:
                history = histories[self.kinds.index(kind)]
                objects[kind] = shaped(history.snapshots[self.at(kind, histories, lags)], self.shape(kind))
        key = (*objects.items(), extras)
        found = self.views.get(key)
        if found is None:
            if self.virtual is not None:
                objects.update(self.virtual(present(self.kinds, histories), extras))
            found = self.views[key] = View(Map(objects))
        return found

    def look(self, local: Any, view: View, key: Ref) -> tuple[Step, ...]:
        """The controller's answers; remembered, since the same local situation comes back in many states."""
        found = self.looks.get((local, view, key))
        if found is None:
            found = self.looks[local, view, key] = tuple(self.controller.reconcile(local, view, key))
        return found

    def call(
        self, request: Request, histories: tuple[History, ...], at: int, made: int, adds: dict[str, int]
    ) -> tuple[tuple[History, ...], Reply]:
        """Send one request: the histories afterwards, and the answer."""
        stale = False
        if isinstance(request, Update) and not request.unconditional:
            ref = ref_of(request.object)
            if ref.kind in self.kinds:
                stale = changed_since(histories[self.kinds.index(ref.kind)], at, ref)
        after, reply = self.wiring.handle(
            present(self.kinds, histories), request, stale=stale, fresh=PROVISIONAL + made
        )
        return self.wiring.commit(self.kinds, histories, after, adds), reply

    def stands(self, request: Request, histories: tuple[History, ...], lags: tuple[int, ...]) -> int:
        """The index of the snapshot that an update was computed from."""
        kind = type(request.object).__name__ if isinstance(request, Update) else ""
        return self.at(kind, histories, lags) if kind in self.kinds else 0


@rule("{process} sees {what}")
def learn(
    local: Any, outbox: Outbox, link: str, histories: tuple[History, ...], lags: tuple[int, ...], hosted: Hosted
) -> Yields:
    """An informer receives the next event of its watch, and the component's event handlers run.

    Source: client-go tools/cache, Reflector.watchHandler and sharedIndexInformer.HandleDeltas.
    Simplifies: events that the component's shape does not show are received at once, since nothing can tell.
    """
    if link != UP or outbox.requests or not any(lags):
        return
    before = hosted.view(histories, lags)
    for kind, lag in zip(hosted.lagging, lags, strict=True):
        if lag == 0:
            continue
        if hosted.granularity == COARSE:
            forward, what = (0,) * len(lags), "the present"
        else:
            forward = tuple(n - (name == kind) for name, n in zip(hosted.lagging, lags, strict=True))
            what = kind
        after = hosted.view(histories, forward)
        seen = hosted.controller.observe(local, before, after)
        yield Outcome((("what", what),), {"local": seen, "lags": forward})
        if hosted.granularity == COARSE:
            return


@rule("{process} looks after {key}")
def work(
    local: Any,
    outbox: Outbox,
    link: str,
    histories: tuple[History, ...],
    lags: tuple[int, ...],
    extras: tuple[Any, ...],
    hosted: Hosted,
) -> Yields:
    """The component reconciles one key from what it sees, and decides on requests.

    Source: https://kubernetes.io/docs/concepts/architecture/controller/.
    Simplifies: one worker per controller; see model/controller.py on the missing work queue.
    """
    if link == GONE or outbox.requests or (hosted.fresh and any(lags)):
        return
    view = hosted.view(histories, lags, extras)
    for key in hosted.controller.keys(view):
        for step in hosted.look(local, view, key):
            parameters = (("key", key), *step.choice)
            if step.requeue_after is not None and not step.requests and step.local == local:
                yield Wake(max(step.requeue_after, 1))
            if not step.requests:
                if step.local != local:
                    yield Outcome(parameters, {"local": step.local}, {}, step.why)
                continue
            if hosted.granularity == FINE:
                yield Outcome(
                    parameters, {"local": step.local, "outbox": Outbox(key, step.requests)}, {}, step.why
                )
            elif link == UP:
                yield _all_at_once(step, key, parameters, histories, lags, hosted)


def _all_at_once(
    step: Step,
    key: Ref,
    parameters: tuple[tuple[str, Any], ...],
    histories: tuple[History, ...],
    lags: tuple[int, ...],
    hosted: Hosted,
) -> Outcome:
    """All requests of a step, one after the other, nobody coming between; the rest is dropped after a refusal."""
    adds: dict[str, int] = {}
    now, local, refused = histories, step.local, ""
    for made, request in enumerate(step.requests):
        at = hosted.stands(request, histories, lags)
        now, reply = hosted.call(request, now, at, made, adds)
        local = hosted.controller.replied(local, key, request, reply)
        if not reply.ok:
            refused = f"; refused: {reply.message}"
            break
    return Outcome(parameters, {"local": local, "histories": now}, adds, step.why + refused)


@rule("{process} sends {request}")
def send(
    local: Any, outbox: Outbox, link: str, histories: tuple[History, ...], lags: tuple[int, ...], hosted: Hosted
) -> Yields:
    """The first request of the outbox reaches the API server, is carried out or refused, and the answer arrives.

    After a refusal the other requests of the same look are dropped, and the key is looked at again.
    Source: https://kubernetes.io/docs/reference/using-api/api-concepts/.
    """
    if link != UP or not outbox.requests:
        return
    request, *rest = outbox.requests
    adds: dict[str, int] = {}
    at = hosted.stands(request, histories, lags)
    now, reply = hosted.call(request, histories, at, outbox.made, adds)
    seen = hosted.controller.replied(local, outbox.key, request, reply)
    left = Outbox(outbox.key, tuple(rest), outbox.made + 1) if rest and reply.ok else Outbox()
    yield Outcome(
        (("request", describe(request)),),
        {"local": seen, "outbox": left, "histories": now},
        adds,
        "" if reply.ok else f"refused: {reply.message}",
    )


def describe(request: Request) -> str:
    """A request in a few words: ``delete Pod``; what it is about is told by the difference that it makes."""
    verb = type(request).__name__.lower()
    if isinstance(request, Update) and request.subresource:
        return f"{verb} {type(request.object).__name__}/{request.subresource}"
    about = getattr(request, "object", None)
    return f"{verb} {type(about).__name__ if about is not None else request.ref.kind}"  # type: ignore[union-attr]


def process(name: str, hosted: Hosted, link: str, extras: tuple[str, ...] = ()) -> Process:
    """The process that runs a controller."""
    rules = (*((learn,) if hosted.lagging else ()), work, *((send,) if hosted.granularity == FINE else ()))
    return Process(
        name,
        rules,
        {
            "local": f"local/{name}",
            **({"outbox": f"outbox/{name}"} if hosted.granularity == FINE else {}),
            "link": link,
            "histories": tuple(f"objects/{kind}" for kind in hosted.kinds),
            "lags": tuple(f"lag/{name}/{kind}" for kind in hosted.lagging),
            "extras": extras,
        },
        {"hosted": hosted, **({} if hosted.granularity == FINE else {"outbox": Outbox()})},
    )


@lru_cache(maxsize=100_000)
def trimmed(history: History, lags: tuple[int, ...], shapes: tuple[Shape | None, ...]) -> History:
    """The history from the slowest of these informers on."""
    return trim(history, [position(history, lag, shape) for lag, shape in zip(lags, shapes, strict=True)])

