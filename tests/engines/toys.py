"""Small models with known answers, for every engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from kythera.model.api.core.pod import Pod
from kythera.model.api.meta import ObjectMeta
from kythera.model.host import PROVISIONAL
from kythera.model.record import Map, NodeName, Uid
from kythera.model.request import Ref
from kythera.model.rule import COMPONENT, Outcome, Process, Rule, Yields, outcome, rule
from kythera.model.slot import Slot
from kythera.model.symmetry import Symmetry
from kythera.model.system import System


@rule("the manager receives prepared from {participant}")
def receive_prepared(manager: str, prepared: frozenset[int], messages: frozenset[Any], participants: int) -> Yields:
    """The transaction manager notes that a participant is prepared."""
    for participant in range(participants):
        if manager == "init" and ("prepared", participant) in messages:
            yield outcome({"prepared": prepared | {participant}}, participant=participant)


@rule("the manager commits")
def commit(manager: str, prepared: frozenset[int], messages: frozenset[Any], participants: int) -> Yields:
    """All participants are prepared: commit."""
    if manager == "init" and len(prepared) == participants:
        yield outcome({"manager": "committed", "messages": messages | {"commit"}})


@rule("the manager aborts")
def abort(manager: str, messages: frozenset[Any]) -> Yields:
    """The manager gives up at any time before it commits."""
    if manager == "init":
        yield outcome({"manager": "aborted", "messages": messages | {"abort"}})


@rule("{process} prepares")
def prepare(state: str, messages: frozenset[Any], number: int) -> Yields:
    """A participant gets ready and says so."""
    if state == "working":
        yield outcome({"state": "prepared", "messages": messages | {("prepared", number)}})


@rule("{process} gives up")
def give_up(state: str) -> Yields:
    """A participant aborts by itself."""
    if state == "working":
        yield outcome({"state": "aborted"})


@rule("{process} obeys")
def obey(state: str, messages: frozenset[Any]) -> Yields:
    """A participant receives the decision."""
    if "commit" in messages and state != "committed":
        yield outcome({"state": "committed"}, decision="commit")
    if "abort" in messages and state != "aborted":
        yield outcome({"state": "aborted"}, decision="abort")


def two_phase_commit(participants: int) -> System:
    """Gray and Lamport's two-phase commit: a manager, ``participants`` resource managers, a growing set of messages.

    Steps that change nothing are none; the published transition counts include them.
    """
    slots = (
        Slot("manager", "init"),
        Slot("prepared", frozenset()),
        Slot("messages", frozenset()),
        *(Slot(f"participant/{i}", "working") for i in range(participants)),
    )
    manager = Process(
        "manager",
        (receive_prepared, commit, abort),
        {"manager": "manager", "prepared": "prepared", "messages": "messages"},
        {"participants": participants},
    )
    others = tuple(
        Process(
            f"participant/{i}",
            (prepare, give_up, obey),
            {"state": f"participant/{i}", "messages": "messages"},
            {"number": i},
        )
        for i in range(participants)
    )
    return System("two-phase commit", slots, (manager, *others))


def ring(places: int, fair: bool = True) -> System:
    """A token that goes round for ever, and a door that only a fair (or unfair) step opens."""

    @rule("the token moves")
    def move(token: int) -> Yields:
        """Round and round."""
        yield outcome({"token": (token + 1) % places})

    @rule("the door opens", COMPONENT if fair else "user")
    def open_door(door: str) -> Yields:
        """Once."""
        if door == "shut":
            yield outcome({"door": "open"})

    return System(
        "ring",
        (Slot("token", 0), Slot("door", "shut")),
        (Process("token", (move,), {"token": "token"}), Process("door", (open_door,), {"door": "door"})),
    )


@rule("{process} enters")
def enter(me: str, other: str) -> Yields:
    """The section is free."""
    if me == "waiting" and other != "inside":
        yield outcome({"me": "inside"})


@rule("{process} leaves")
def leave(me: str, afterwards: str) -> Yields:
    """Out of the section, to wait once more or for good."""
    if me == "inside":
        yield outcome({"me": afterwards})


def mutual_exclusion() -> System:
    """Two processes and one place: ``patient`` wants to enter once, ``greedy`` again and again (5 states).

    Weak fairness lets the patient one starve, since the place is taken again and again; strong fairness would not.
    """
    return System(
        "mutual exclusion",
        (Slot("patient", "waiting"), Slot("greedy", "waiting")),
        (
            Process("patient", (enter, leave), {"me": "patient", "other": "greedy"}, {"afterwards": "gone"}),
            Process("greedy", (enter, leave), {"me": "greedy", "other": "patient"}, {"afterwards": "waiting"}),
        ),
    )


def retries(patience: int) -> System:
    """A client that is served or refused, and asks again after ``patience`` steps of waiting (4 + patience states)."""

    @rule("the client asks")
    def ask(client: Any) -> Yields:
        """Whoever waits, waits until it is time."""
        if client == "idle":
            yield outcome({"client": "asking"})
        if isinstance(client, int):
            yield outcome({"client": client - 1 if client > 1 else "idle"})

    @rule("the server answers")
    def answer(client: Any) -> Yields:
        """It may say yes or no."""
        if client == "asking":
            yield outcome({"client": "served"}, answer="yes")
            yield outcome({"client": "refused"}, answer="no")
        if client == "refused":
            yield outcome({"client": patience or "idle"})

    return System(
        "retries",
        (Slot("client", "idle"),),
        (Process("client", (ask,), {"client": "client"}), Process("server", (answer,), {"client": "client"})),
    )


def crossed_locks() -> System:
    """Two workers that take two locks, each the other's first one last: 9 states, and one in which nobody can act."""

    @rule("{process} takes a lock")
    def take(mine: int, other: int) -> Yields:
        """The first lock is free for it; the second one is, unless the other has it as its first."""
        if mine == 0 or (mine == 1 and other != 1):
            yield outcome({"mine": mine + 1})

    return System(
        "crossed locks",
        (Slot("one", 0), Slot("two", 0)),
        (
            Process("one", (take,), {"mine": "one", "other": "two"}),
            Process("two", (take,), {"mine": "two", "other": "one"}),
        ),
    )


def line(length: int) -> System:
    """A counter that is counted up to ``length`` (length + 1 states)."""

    @rule("count")
    def count(number: int) -> Yields:
        """One more."""
        if number < length:
            yield outcome({"number": number + 1})

    return System("line", (Slot("number", 0),), (Process("counter", (count,), {"number": "number"}),))


Turn = tuple[int, ...]
"""What becomes of each value."""


def nursery(
    values: tuple[int, ...],
    turns: tuple[Turn, ...],
    wanted: frozenset[int],
    symmetry: bool,
    does: str = "attend",
    sent: Mapping[int, int] = MappingProxyType({}),
) -> System:
    """Each node has a value; a robot turns all values at once, one way or the other; a nurse on each node acts.

    It acts once, while its node has a wanted value.  ``does``: what that is called, ``learn`` or ``decide``, which are
    owed more than other things are.  Where its node has one of the values ``sent`` it sends, and gives it another.
    """
    nodes = tuple(NodeName(f"n{i}") for i in range(1, len(values) + 1))

    @rule("the robot turns all values")
    def work(values: tuple[int, ...]) -> Yields:
        """Again and again."""
        for number, turn in enumerate(turns):
            yield outcome({"values": tuple(turn[value] for value in values)}, turn=number)

    @rule("{process} has done its duty")
    def attend(value: int, done: bool) -> Yields:
        """Once is enough."""
        if value in wanted and not done:
            yield outcome({"done": True})

    @rule("{process} sends")
    def send(value: int) -> Yields:
        """A nurse who sends looks at nothing."""
        if value in sent:
            yield outcome({"value": sent[value]})

    attend = replace(attend, name=does)
    slots = (
        *(Slot(f"value/{node}", value, node=node) for node, value in zip(nodes, values, strict=True)),
        Slot("done", False),
    )
    nurses = tuple(Process(f"nurse/{n}", (attend, send), {"value": f"value/{n}", "done": "done"}) for n in nodes)
    robot = Process("robot", (work,), {"values": tuple(f"value/{node}" for node in nodes)})
    exchanged = Symmetry(slots, (nodes,)) if symmetry else None
    return System("nursery", slots, (robot, *nurses), symmetry=exchanged)


def rotor(nodes: int, wanted: frozenset[int], symmetry: bool = True, does: str = "attend") -> System:
    """Equal nodes with values 0, 1, ..., which go round: one state (and one with the duty done), if nodes are equal.

    The nurse of some node can always act, but each single one only now and then, unless all values are wanted.
    """
    turn = tuple((value + 1) % nodes for value in range(nodes))
    return nursery(tuple(range(nodes)), (turn,), wanted, symmetry, does)


def sickbed(others: int, symmetry: bool = True) -> System:
    """Two equal nodes: one is ill for ever, the other goes through ``others`` values, ordered before and after it.

    The nurse of the ill one can always act, under one name or the other.
    """
    turn = (0, *(value % others + 1 for value in range(1, others + 1)))
    return nursery((0, 1), (turn,), frozenset({0}), symmetry)


@dataclass(frozen=True)
class Walker:
    """A rule of a process that leads from each place to others; its name, actor and key say what it is owed."""

    rule: str
    actor: str
    ways: tuple[tuple[int, ...], ...]
    process: int = 0
    key: str = ""

    @property
    def about(self) -> str:
        """The key that it is about: to send is about none."""
        return "" if self.rule == "send" else self.key

    @property
    def unit(self) -> tuple[Any, ...]:
        """What it is a unit of fairness by."""
        return self.process, self.rule, self.about


def labyrinth(walkers: Sequence[Walker]) -> System:
    """A token that several processes move, each along ways of its own; whoever can send does not decide."""
    sends = {
        (each.process, place) for each in walkers if each.rule == "send" for place, to in enumerate(each.ways) if to
    }

    def made(walker: Walker) -> Rule:
        def go(place: int) -> Yields:
            """Somewhere."""
            if walker.rule == "decide" and (walker.process, place) in sends:
                return
            for there in walker.ways[place]:
                about = (("key", Ref("Pod", "default", walker.about)),) if walker.about else ()
                yield Outcome((("to", there), *about), {"place": there})

        return Rule(walker.rule, "{process} goes to {to}", go, ("place",), walker.actor)

    numbers = sorted({walker.process for walker in walkers})
    rules = {number: tuple(made(each) for each in walkers if each.process == number) for number in numbers}
    processes = tuple(Process(f"walker{number}", rules[number], {"place": "place"}) for number in numbers)
    return System("labyrinth", (Slot("place", 0),), processes)


def corridor(length: int, window: int) -> System:
    """A walker who goes to and fro between 0 and ``length``, and sees what is to be seen while he is at the window.

    To see is ``learn``, which is owed strong fairness: he sees it unless he can walk for ever without coming there.
    """

    @rule("the walker goes on")
    def walk(place: int) -> Yields:
        """Up or down."""
        for there in (place - 1, place + 1):
            if 0 <= there <= length:
                yield outcome({"place": there}, to=there)

    @rule("the walker looks out")
    def learn(place: int, seen: bool) -> Yields:
        """Only at the window."""
        if place == window and not seen:
            yield outcome({"seen": True})

    slots = (Slot("place", 0), Slot("seen", False))
    return System("corridor", slots, (Process("walker", (walk, learn), {"place": "place", "seen": "seen"}),))


def ward(
    values: tuple[int, ...],
    turns: tuple[Turn, ...],
    wanted: frozenset[int],
    symmetry: bool | None,
    mortal: frozenset[int] = frozenset(),
) -> System:
    """Pods with generated names have values; a robot turns all of them; a nurse looks after one pod at a time.

    She does so while its value is wanted, and each pod is marked when it was looked after.  A pod whose turn comes
    while its value is ``mortal`` is gone, and a new one takes its place, not marked.  ``symmetry``: pods are put in
    order, or (False) their uids are closed up only, or (None) nothing is renamed.
    """
    pods = tuple(patient(uid, value, False) for uid, value in enumerate(values))

    @rule("the robot turns all values")
    def work(pods: tuple[Pod, ...]) -> Yields:
        """Again and again."""
        for number, turn in enumerate(turns):
            yield outcome({"pods": in_order(*(turned(pod, turn, n) for n, pod in enumerate(pods)))}, turn=number)

    def turned(pod: Pod, turn: Turn, number: int) -> Pod:
        value = int(pod.metadata.labels["value"])
        uid = pod.metadata.uid
        assert uid is not None
        if value in mortal:
            return patient(PROVISIONAL + number, turn[value], False)
        return patient(uid, turn[value], pod.metadata.labels["marked"] == "True")

    @rule("{process} looks after {key}")
    def look(pods: tuple[Pod, ...]) -> Yields:
        """One pod at a time."""
        for pod in pods:
            uid, value = pod.metadata.uid, int(pod.metadata.labels["value"])
            if value in wanted and uid is not None and pod.metadata.labels["marked"] == "False":
                others = (each for each in pods if each is not pod)
                yield outcome({"pods": in_order(patient(uid, value, True), *others)}, key=Ref("Pod", "", "", uid))

    slots = (Slot("objects/Pod", in_order(*pods), kind="Pod"),)
    processes = tuple(Process(f"{rule.name}er", (rule,), {"pods": "objects/Pod"}) for rule in (work, look))
    return System("ward", slots, processes, symmetry=None if symmetry is None else Symmetry(slots, (), symmetry))


def patient(uid: int, value: int, marked: bool) -> Pod:
    """A pod of the ward."""
    labels = Map({"value": str(value), "marked": str(marked)})
    return Pod(ObjectMeta(generate_name="patient-", uid=Uid(uid), labels=labels))


def in_order(*pods: Pod) -> tuple[Pod, ...]:
    """Pods in the order of their uids."""
    return tuple(sorted(pods, key=lambda pod: pod.metadata.uid or 0))
