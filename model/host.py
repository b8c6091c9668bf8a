"""Hosting: how a controller (``model/controller.py``) runs as a process among others.

What it owns: its private state, what its informers have seen and have not seen yet (``model/feed.py``), and an outbox
of requests that it has decided on but not sent.
What it may do:

    learn   an informer receives its next event (fine), or all informers everything up to the present (coarse)
    work    it looks after one key; its requests go to the outbox (fine), or are all carried out at once (coarse)
    send    the first request of the outbox reaches the API server, and the answer comes back (fine)
    lose    the same, but the answer is lost on the way (a fault with a budget)

An informer stands still while requests are under way: what it would learn meanwhile could only be used by the next
look at a key, and that comes after.  So an update conflicts iff its object changed after what the informer has seen:
exact, and without version numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from kythera.model.controller import Controller, Reply, Step
from kythera.model.feed import Objects, Pending, Shape, changed_since, shaped
from kythera.model.record import Map, Record, record
from kythera.model.request import Ref, Request, Update, ref_of
from kythera.model.rule import FAULT, Outcome, Process, Rule, Wake, Yields, rule
from kythera.model.view import View

COARSE = "coarse"
FINE = "fine"

UP = "up"
CUT = "cut"
GONE = "gone"

PROVISIONAL = 1_000_000
"""Uids of objects just made start here, until normalising gives them the smallest free number."""

REMEMBERED = 2
"""How many older states of a kind another API server's cache may still answer with (staleness timeTravel)."""

TIMEOUT = Reply(504, "Timeout", "the server was unable to return a response in the time allotted")

Handle = Callable[..., tuple[View, Reply]]
Virtual = Callable[[View, tuple[Any, ...]], Mapping[str, Objects]]


@record
class Outbox(Record):
    """Requests that are decided on but not sent, the first one next, and the key that they are for.

    ``together``: the sizes of the groups that they are sent in, as in ``Step``; empty where each is alone.
    """

    key: Ref = Ref()
    requests: tuple[Request, ...] = ()
    together: tuple[int, ...] = ()


def outbox_of(key: Ref, requests: tuple[Request, ...], together: tuple[int, ...]) -> Outbox:
    """An outbox in its one form: what is sent alone is not mentioned at the end, and an empty one has no key."""
    while together and together[-1] == 1:
        together = together[:-1]
    return Outbox(key, requests, together) if requests else Outbox()


def answered(outbox: Outbox, accepted: bool) -> Outbox:
    """What is left to send after the first request: all, or if it was refused, what was sent together with it."""
    first, *others = outbox.together or (1,)
    rest = outbox.requests[1:]
    beside = (first - 1,) if first > 1 else ()
    if accepted:
        return outbox_of(outbox.key, rest, (*beside, *others))
    return outbox_of(outbox.key, rest[: first - 1], beside)


@dataclass(frozen=True, slots=True)
class Hosted:
    """A controller with how it is run.

    ``kinds``: the kinds whose present objects its requests concern (parameter ``objects``).  ``late``: the kinds that
    its informers may see late (``seen``, ``pending``).  ``conditional``: those of them that it updates conditionally
    (``unseen``: what is pending of these).  ``live``: the kinds that it sees as they are.  ``virtual``: objects that
    no slot holds, made from the live ones and the ``extras`` (Leases, PodMetrics).  ``fresh``: it looks at a key only
    when nothing is pending (``idle``).
    """

    controller: Controller
    handle: Handle
    kinds: tuple[str, ...]
    late: tuple[str, ...]
    conditional: tuple[str, ...] = ()
    live: tuple[str, ...] = ()
    granularity: str = COARSE
    fresh: bool = False
    virtual: Virtual | None = None
    looks: dict[Any, tuple[Step, ...]] = field(default_factory=dict, compare=False)
    views: dict[Any, View] = field(default_factory=dict, compare=False)
    handled: dict[Any, Any] = field(default_factory=dict, compare=False)

    def shape(self, kind: str) -> Shape | None:
        """How its informer of a kind reduces the objects."""
        for cls, shape in self.controller.shapes.items():
            if cls.__name__ == kind:
                return shape
        return None

    def view(self, seen: tuple[Objects, ...], live: tuple[Objects, ...], extras: tuple[Any, ...] = ()) -> View:
        """What it sees."""
        found = self.views.get((seen, live, extras))
        if found is None:
            shown: dict[str, Objects] = {}
            for cls in self.controller.watches:
                kind = cls.__name__
                if kind in self.late:
                    shown[kind] = seen[self.late.index(kind)]
                elif kind in self.live:
                    shown[kind] = shaped(live[self.live.index(kind)], self.shape(kind))
            if self.virtual is not None:
                shown.update(self.virtual(View(Map(dict(zip(self.live, live, strict=True)))), extras))
            found = self.views[seen, live, extras] = View(Map(shown))
        return found

    def look(self, local: Any, view: View, key: Ref) -> tuple[Step, ...]:
        """The controller's answers; remembered, since the same local situation comes back in many states."""
        found = self.looks.get((local, view, key))
        if found is None:
            found = self.looks[local, view, key] = tuple(self.controller.reconcile(local, view, key))
        return found

    def observed(self, local: Any, seen: tuple[Objects, ...], now: tuple[Objects, ...]) -> Any:
        """The private state after its informers' handlers have run; remembered, as ``look`` is."""
        key = (local, seen, now)
        found = self.handled.get(key)
        if found is None:
            before = View(Map(dict(zip(self.late, seen, strict=True))))
            after = View(Map(dict(zip(self.late, now, strict=True))))
            found = self.handled[key] = self.controller.observe(local, before, after)
        return found

    def stale(self, request: Request, seen: tuple[Objects, ...], unseen: tuple[Pending, ...]) -> bool:
        """Whether the object of an update has changed since this component saw it."""
        if not isinstance(request, Update) or request.unconditional:
            return False
        ref = ref_of(request.object)
        if ref.kind not in self.conditional:
            return False
        return changed_since(seen[self.late.index(ref.kind)], unseen[self.conditional.index(ref.kind)], ref)

    def call(
        self, request: Request, objects: tuple[Objects, ...], stale: bool, made: int = 0
    ) -> tuple[tuple[Objects, ...], Reply]:
        """Send one request: the objects afterwards, and the answer."""
        store = View(Map(dict(zip(self.kinds, objects, strict=True))))
        after, reply = self.handle(store, request, stale=stale, fresh=PROVISIONAL + made)
        return tuple(after.objects.get(kind, ()) for kind in self.kinds), reply


@rule("{process} sees {what}")
def learn(
    local: Any, outbox: Outbox, link: str, seen: tuple[Objects, ...], pending: tuple[Pending, ...],
    past: tuple[Pending, ...], hosted: Hosted,
) -> Yields:  # fmt: skip
    """An informer receives the next event of its watch, and the component's event handlers run.

    Source: client-go tools/cache, Reflector.watchHandler and sharedIndexInformer.HandleDeltas.
    Simplifies: events that the component's shape does not show are received at once, since nothing can tell.
    """
    if link != UP or outbox.requests or not any(pending):
        return
    if hosted.granularity == COARSE:
        now, left = seen, pending
        while any(left):
            at = next(i for i, waiting in enumerate(left) if waiting)
            local, now, left = _event(local, now, left, at, hosted)
        local = hosted.controller.caught_up(local)
        writes = {"local": local, "seen": now, "pending": left, "past": _past(past, seen, now)}
        yield Outcome((("what", "the present"),), writes)
        return
    for at, waiting in enumerate(pending):
        if waiting:
            after, now, left = _event(local, seen, pending, at, hosted)
            writes = {"local": after, "seen": now, "pending": left, "past": _past(past, seen, now)}
            yield Outcome((("what", hosted.late[at]),), writes)


def _past(past: tuple[Pending, ...], seen: tuple[Objects, ...], now: tuple[Objects, ...]) -> tuple[Pending, ...]:
    """What an older cache may still show, where time travel is possible (else ``past`` is empty and stays so)."""
    return tuple(
        older if before == after else (*older, before)[-REMEMBERED:]
        for older, before, after in zip(past, seen, now, strict=False)
    )


def _event(
    local: Any, seen: tuple[Objects, ...], pending: tuple[Pending, ...], at: int, hosted: Hosted
) -> tuple[Any, tuple[Objects, ...], tuple[Pending, ...]]:
    """One informer moves on by one event."""
    now = (*seen[:at], pending[at][0], *seen[at + 1 :])
    left = (*pending[:at], pending[at][1:], *pending[at + 1 :])
    return hosted.observed(local, seen, now), now, left


def _decide(local: Any, view: View, hosted: Hosted) -> list[tuple[Ref, Step]]:
    """Everything that the component might do next."""
    return [(key, step) for key in hosted.controller.keys(view) for step in hosted.look(local, view, key)]


@rule("{process} looks after {key}")
def work(
    local: Any, link: str, seen: tuple[Objects, ...], unseen: tuple[Pending, ...], idle: tuple[Pending, ...],
    live: tuple[Objects, ...], objects: tuple[Objects, ...], extras: tuple[Any, ...], hosted: Hosted,
) -> Yields:  # fmt: skip
    """The component reconciles one key from what it sees, and all its requests are carried out at once.

    Source: https://kubernetes.io/docs/concepts/architecture/controller/.
    Simplifies: one worker per controller; see model/controller.py on the missing work queue.
    """
    if link == GONE or any(idle):
        return
    view = hosted.view(seen, live, extras)
    for key, step in _decide(local, view, hosted):
        parameters = (("key", key), *step.choice)
        if not step.requests:
            if step.local != local:
                yield Outcome(parameters, {"local": step.local}, step.why)
            elif step.requeue_after is not None:
                yield Wake(max(step.requeue_after, 1))
        elif link == UP:
            now, after, refused, made = objects, step.local, "", 0
            left = outbox_of(key, step.requests, step.together)
            while left.requests:
                request = left.requests[0]
                now, reply = hosted.call(request, now, hosted.stale(request, seen, unseen), made)
                after = hosted.controller.replied(after, key, request, reply)
                if not reply.ok and not refused:
                    refused = f"; refused: {reply.message}"
                left, made = answered(left, reply.ok), made + 1
            if not hosted.late:  # what it did is in sight at once
                after = hosted.controller.caught_up(after)
            yield Outcome(parameters, {"local": after, "objects": now}, step.why + refused)


@rule("{process} looks after {key}")
def decide(
    local: Any, outbox: Outbox, link: str, seen: tuple[Objects, ...], idle: tuple[Pending, ...],
    live: tuple[Objects, ...], extras: tuple[Any, ...], hosted: Hosted,
) -> Yields:  # fmt: skip
    """The component reconciles one key from what it sees, and decides on requests.

    Source: https://kubernetes.io/docs/concepts/architecture/controller/.
    Simplifies: one worker per controller; see model/controller.py on the missing work queue.
    """
    if link == GONE or outbox.requests or any(idle):
        return
    view = hosted.view(seen, live, extras)
    for key, step in _decide(local, view, hosted):
        parameters = (("key", key), *step.choice)
        if step.requests:
            decided = outbox_of(key, step.requests, step.together)
            yield Outcome(parameters, {"local": step.local, "outbox": decided}, step.why)
        elif step.local != local:
            yield Outcome(parameters, {"local": step.local}, step.why)
        elif step.requeue_after is not None:
            yield Wake(max(step.requeue_after, 1))


def _sent(
    local: Any, outbox: Outbox, seen: tuple[Objects, ...], unseen: tuple[Pending, ...],
    objects: tuple[Objects, ...], hosted: Hosted, lost: bool,
) -> Outcome:  # fmt: skip
    request = outbox.requests[0]
    now, reply = hosted.call(request, objects, hosted.stale(request, seen, unseen))
    note = "" if reply.ok else f"refused: {reply.message}"
    if lost:
        reply = TIMEOUT
    after = hosted.controller.replied(local, outbox.key, request, reply)
    writes = {"local": after, "outbox": answered(outbox, reply.ok), "objects": now}
    return Outcome((("request", describe(request)),), writes, note)


@rule("{process} sends {request}")
def send(
    local: Any, outbox: Outbox, link: str, seen: tuple[Objects, ...], unseen: tuple[Pending, ...],
    objects: tuple[Objects, ...], hosted: Hosted,
) -> Yields:  # fmt: skip
    """The first request of the outbox reaches the API server, is carried out or refused, and the answer arrives.

    After a refusal the other requests of the same look are dropped, but for those that are sent together with it, and
    the key is looked at again.
    Source: https://kubernetes.io/docs/reference/using-api/api-concepts/.
    """
    if link == UP and outbox.requests:
        yield _sent(local, outbox, seen, unseen, objects, hosted, lost=False)


@rule("{process} sends {request}, and the answer is lost", FAULT)
def lose(
    local: Any, outbox: Outbox, link: str, seen: tuple[Objects, ...], unseen: tuple[Pending, ...],
    objects: tuple[Objects, ...], replies: int, hosted: Hosted,
) -> Yields:  # fmt: skip
    """The first request of the outbox is carried out, but its sender sees a timeout and drops the others.

    Source: https://kubernetes.io/docs/reference/using-api/api-concepts/; a client cannot tell a lost answer from a
    lost request.
    """
    if link == UP and outbox.requests and replies > 0:
        sent = _sent(local, outbox, seen, unseen, objects, hosted, lost=True)
        yield Outcome(sent.parameters, {**sent.writes, "replies": replies - 1}, sent.note)


def describe(request: Request) -> str:
    """A request in a few words: ``delete Pod``; what it is about is told by the difference that it makes."""
    verb = type(request).__name__.lower()
    if isinstance(request, Update):
        return f"{verb} {type(request.object).__name__}{f'/{request.subresource}' if request.subresource else ''}"
    about = getattr(request, "object", None)
    return f"{verb} {type(about).__name__ if about is not None else request.ref.kind}"  # type: ignore[union-attr]


def process(
    name: str,
    hosted: Hosted,
    link: str | None,
    extras: tuple[str, ...] = (),
    lossy: bool = False,
    travels: bool = False,
) -> Process:
    """The process that runs a controller."""
    fine = hosted.granularity == FINE
    moving = (decide, send, *((lose,) if lossy else ())) if fine else (work,)
    rules: tuple[Rule, ...] = (*((learn,) if hosted.late else ()), *moving)
    pending = {kind: f"pending/{name}/{kind}" for kind in hosted.late}
    slots: dict[str, str | tuple[str, ...]] = {
        "local": f"local/{name}",
        "seen": tuple(f"seen/{name}/{kind}" for kind in hosted.late),
        "pending": tuple(pending.values()),
        "past": tuple(f"past/{name}/{kind}" for kind in hosted.late) if travels else (),
        "unseen": tuple(pending[kind] for kind in hosted.conditional),
        "idle": tuple(pending.values()) if hosted.fresh else (),
        "live": tuple(f"objects/{kind}" for kind in hosted.live),
        "objects": tuple(f"objects/{kind}" for kind in hosted.kinds),
        "extras": extras,
    }
    constants: dict[str, Any] = {"hosted": hosted}
    if fine:
        slots["outbox"] = f"outbox/{name}"
    else:
        constants["outbox"] = Outbox()
    if lossy:
        slots["replies"] = "budget/lostReply"
    if link is None:
        constants["link"] = UP
    else:
        slots["link"] = link
    return Process(name, rules, slots, constants)
