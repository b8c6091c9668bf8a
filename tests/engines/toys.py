"""Small models with known answers, for every engine."""

from __future__ import annotations

from typing import Any

from kythera.model.rule import COMPONENT, Process, Yields, outcome, rule
from kythera.model.slot import Slot
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
