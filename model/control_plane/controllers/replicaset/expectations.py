"""Expectations: what a ReplicaSet's controller has done and its informer does not show yet.

While they are unmet the controller neither creates nor deletes pods of that ReplicaSet, or it would do so
twice.

Source: pkg/controller/controller_utils.go UIDTrackingControllerExpectations; KEP-5647, which since v1.36
makes the controller wait, however long that takes, until its caches show its own writes.
Simplifies: an expectation begins with the API server's answer (nobody looks at a key while its requests are
under way); it never times out (upstream's count of creations does after five minutes); the controller's own
status updates need not be seen before it goes on.
"""

from __future__ import annotations

from collections.abc import Iterable

from kythera.model.api.core.pod import Pod
from kythera.model.api.pods import is_terminating
from kythera.model.record import Record, Uid, record, replace
from kythera.model.view import View


@record
class Memory(Record):
    """What the controller remembers of one ReplicaSet.

    ``created`` and ``deleted`` are pods of which this has not shown yet.  ``failure`` is why the last attempt
    ended early (FailedCreate or FailedDelete) and ``message`` the API server's words.
    """

    replica_set: Uid
    created: frozenset[Uid] = frozenset()
    deleted: frozenset[Uid] = frozenset()
    failure: str = ""
    message: str = ""

    @property
    def satisfied(self) -> bool:
        """Whether everything that was done has shown."""
        return not self.created and not self.deleted


Local = tuple[Memory, ...]


def recall(local: Local, replica_set: Uid) -> Memory:
    """What is remembered of a ReplicaSet; an empty memory if nothing is."""
    for memory in local:
        if memory.replica_set == replica_set:
            return memory
    return Memory(replica_set)


def remember(local: Local, memory: Memory) -> Local:
    """The memories with this one in its place; an empty one is left out."""
    others = [each for each in local if each.replica_set != memory.replica_set]
    if memory != Memory(memory.replica_set):
        others.append(memory)
    return tuple(sorted(others, key=lambda each: each.replica_set))


def shown(memory: Memory, pods: Iterable[Pod]) -> Memory:
    """The memory without what the pods that are seen show: creations that are there, deletions begun."""
    if memory.satisfied:
        return memory
    seen = {pod.metadata.uid for pod in pods}
    live = {pod.metadata.uid for pod in pods if not is_terminating(pod)}
    return replace(memory, created=memory.created - seen, deleted=memory.deleted & live)


def observed(local: Local, after: View, replica_sets: frozenset[Uid]) -> Local:
    """The memories after the informers moved on by one event.

    What concerns none of ``replica_sets``, the ones that still exist, is forgotten.
    Source: pkg/controller/replicaset/replica_set.go addPod, updatePod, deletePod, deleteRS.
    """
    result: Local = ()
    for memory in local:
        if memory.replica_set in replica_sets:
            result = remember(result, shown(memory, after.list(Pod)))
    return result


def caught_up(local: Local) -> Local:
    """The memories once the informers show the present: whatever was done has shown, if only by being gone again."""
    result: Local = ()
    for memory in local:
        result = remember(result, replace(memory, created=frozenset(), deleted=frozenset()))
    return result
