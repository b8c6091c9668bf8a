"""The garbage collector, one look at a time, and what becomes of whole clusters."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.scenarios import LAG
from tests.systems import deployment, event, node, pod, question, replica_set

from kythera.model.api.apps import Deployment, ReplicaSet
from kythera.model.api.core.cluster import ConfigMap
from kythera.model.api.core.pod import Pod
from kythera.model.api.meta import ObjectMeta, OwnerReference
from kythera.model.control_plane.apiserver.handler import handle
from kythera.model.control_plane.controllers.garbage_collector import LATEST, Absent, controller, looked_up, shape
from kythera.model.controller import Step
from kythera.model.record import Age, Map, Record, Uid, replace
from kythera.model.request import Delete, Patch, Update, ref_of
from kythera.model.scenarios.compile import compile_system
from kythera.model.scenarios.loader import load_documents
from kythera.model.scenarios.scenario import NO_FAULTS, Rung
from kythera.model.system import System
from kythera.model.view import View, view

KINDS: tuple[type[Record], ...] = (Deployment, Pod, ReplicaSet)


def reference(owner: Any, block: bool = True) -> OwnerReference:
    """A reference to an owner."""
    kind = type(owner)
    return OwnerReference(kind.api_version, kind.kind, owner.metadata.name, owner.metadata.uid, True, block)


def made(kind: Any, name: str, uid: int, *owners: Any, namespace: str = "default", **metadata: Any) -> Any:
    """An object of a kind, with its owners; one without a name is named by its uid."""
    references = tuple(each if isinstance(each, OwnerReference) else reference(each) for each in owners)
    return kind(ObjectMeta(name, namespace=namespace, uid=Uid(uid), owner_references=references, **metadata))


def ending(obj: Any, finalizer: str) -> Any:
    """The object, being deleted with a finalizer."""
    meta = replace(obj.metadata, deletion_timestamp=Age(0), finalizers=(finalizer,))
    return replace(obj, metadata=meta)


def view_of(now: tuple[Any, ...], seen: tuple[Any, ...] | None = None) -> View:
    """What the collector sees: what is stored, and what its informers show (the same unless they lag)."""
    shown: dict[str, Any] = {}
    for kind in KINDS:
        shown[LATEST + kind.__name__] = looked_up(tuple(obj for obj in now if type(obj) is kind))
        objects = now if seen is None else seen
        shown[kind.__name__] = tuple(s for obj in objects if type(obj) is kind and (s := shape(obj)) is not None)
    return View(Map(shown))


def look(obj: Any, *now: Any, seen: tuple[Any, ...] | None = None, **settings: str) -> Step:
    """What the collector does about an object."""
    chosen = {f"garbage-collector.{name}": value for name, value in settings.items()}
    (step,) = controller(chosen, KINDS).reconcile(Absent(), view_of(now, seen), ref_of(obj))
    return step


WEB = made(Deployment, "web", 1)
SET = made(ReplicaSet, "web-1", 2, WEB)
POD = made(Pod, "", 3, SET)


def test_what_has_an_owner_stays() -> None:
    assert look(SET, WEB, SET).requests == ()


def test_what_has_lost_its_owner_goes_and_only_while_it_has_no_other() -> None:
    (request,) = look(SET, SET).requests
    assert request == Delete(
        ref_of(SET), propagation_policy="Background", expected_owners=SET.metadata.owner_references
    )


def test_an_owner_of_the_same_name_is_another_one() -> None:
    assert look(SET, made(Deployment, "web", 7), SET).requests != ()


def test_an_owner_in_another_namespace_is_none() -> None:
    far = made(ReplicaSet, "web-1", 2, WEB, namespace="other")
    assert isinstance(look(far, WEB, far).requests[0], Delete)


def test_an_owner_of_an_unknown_kind_or_outside_of_the_input_is_taken_to_exist() -> None:
    unknown = OwnerReference("example.com/v1", "Gadget", "g", Uid(50), True, True)
    assert look(made(Pod, "a", 3, unknown), made(Pod, "a", 3, unknown)).requests == ()
    collector = controller({}, KINDS, outside=frozenset({("Deployment", "default", "web")}))
    (step,) = collector.reconcile(Absent(), view_of((SET,)), ref_of(SET))
    assert step.requests == ()


def test_one_that_is_left_keeps_an_object_and_the_others_are_taken_away() -> None:
    other = made(Deployment, "other", 9)
    both = made(ReplicaSet, "web-1", 2, WEB, other)
    (request,) = look(both, other, both).requests
    assert isinstance(request, Update)
    assert request.object.metadata.owner_references == (reference(other),)  # type: ignore[attr-defined]
    assert (request.subresource, request.expected_owners) == ("ownerReferences", both.metadata.owner_references)


def test_it_looks_owners_up_before_it_deletes() -> None:
    assert look(SET, WEB, SET, seen=(SET,)).requests == ()
    assert look(SET, WEB, SET, seen=(SET,), owner_lookup="cached").requests != ()


def test_an_object_that_is_gone_or_is_another_one_is_left_alone() -> None:
    assert look(SET, seen=(SET,)).requests == ()
    assert look(SET, made(ReplicaSet, "web-1", 8, WEB), seen=(SET,)).requests == ()


def test_what_is_being_deleted_anyway_is_not_deleted_again() -> None:
    gone = replace(POD, metadata=replace(POD.metadata, deletion_timestamp=Age(0)))
    assert look(gone, gone).requests == ()


def test_dependents_of_a_foreground_deletion_go_in_the_foreground_if_they_have_some_themselves() -> None:
    waiting = ending(WEB, "foregroundDeletion")
    (request,) = look(SET, waiting, SET, POD).requests
    assert isinstance(request, Delete)
    assert request.propagation_policy == "Foreground"
    (request,) = look(SET, waiting, SET).requests
    assert isinstance(request, Delete)
    assert request.propagation_policy == "Background"


def test_a_foreground_deletion_waits_for_the_dependents_that_block_it() -> None:
    waiting = ending(WEB, "foregroundDeletion")
    assert look(waiting, waiting, SET).requests == ()
    free = made(ReplicaSet, "web-1", 2, reference(WEB, block=False))
    for now in ((waiting,), (waiting, free)):
        (request,) = look(waiting, *now).requests
        assert isinstance(request, Patch)
        assert json.loads(request.body) == {"metadata": {"$deleteFromPrimitiveList/finalizers": ["foregroundDeletion"]}}


def test_a_foreground_deletion_ends_too_early_where_a_dependent_is_not_seen_yet() -> None:
    waiting = ending(WEB, "foregroundDeletion")
    assert look(waiting, waiting, SET, seen=(waiting,)).requests != ()


def test_a_circle_of_foreground_deletions_is_broken() -> None:
    first = ending(made(ReplicaSet, "a", 2, reference(made(ReplicaSet, "b", 3))), "foregroundDeletion")
    second = made(ReplicaSet, "b", 3, reference(first))
    unblock, delete = look(second, first, second).requests
    assert isinstance(unblock, Update)
    assert not any(each.block_owner_deletion for each in unblock.object.metadata.owner_references)  # type: ignore[attr-defined]
    assert isinstance(delete, Delete)
    assert delete.propagation_policy == "Foreground"


def test_an_orphaning_deletion_frees_the_dependents_and_then_ends() -> None:
    leaving = ending(WEB, "orphan")
    free, end = look(leaving, leaving, SET).requests
    assert isinstance(free, Update)
    assert free.object.metadata.owner_references == ()  # type: ignore[attr-defined]
    assert isinstance(end, Patch)
    assert "orphan" in end.body


def test_the_finalizer_of_an_object_decides_how_its_own_dependents_go() -> None:
    for finalizer, policy in (("orphan", "Orphan"), ("foregroundDeletion", "Foreground")):
        kept = replace(SET, metadata=replace(SET.metadata, finalizers=(finalizer,)))
        (request,) = look(kept, kept).requests
        assert isinstance(request, Delete)
        assert request.propagation_policy == policy


def test_an_absent_owner_remembered_by_uid_alone_is_absent_everywhere() -> None:
    far = made(ReplicaSet, "copy", 5, WEB, namespace="other")
    step = look(far, WEB, SET, far, absent_owner_cache="uid")
    assert step.local == Absent((Uid(1),))
    collector = controller({"garbage-collector.absent_owner_cache": "uid"}, KINDS)
    (step,) = collector.reconcile(step.local, view_of((WEB, SET, far)), ref_of(SET))
    assert isinstance(step.requests[0], Delete)
    assert look(far, WEB, SET, far).local == Absent()


# A law


@st.composite
def ownerships(draw: st.DrawFn) -> tuple[tuple[Any, ...], int, str]:
    """Objects of which each is owned by some of those before it, one that is deleted, and how."""
    objects: list[Any] = []
    for number in range(draw(st.integers(1, 6))):
        owners = draw(st.lists(st.sampled_from(objects), unique=True, max_size=3)) if objects else []
        references = [reference(each, block=draw(st.booleans())) for each in owners]
        references = [replace(each, controller=False) for each in references]
        objects.append(made(ConfigMap, f"o{number}", number, *references))
    deleted = draw(st.integers(0, len(objects) - 1))
    return tuple(objects), deleted, draw(st.sampled_from(["Background", "Foreground", "Orphan"]))


def expected(objects: tuple[Any, ...], deleted: int, policy: str) -> set[int]:
    """Who is left: all but the deleted one and, unless they are orphaned, those that have no other owner."""
    gone = {deleted}
    while policy != "Orphan":
        owned = {
            each.metadata.uid
            for each in objects
            if each.metadata.owner_references and {ref.uid for ref in each.metadata.owner_references} <= gone
        }
        if owned <= gone:
            break
        gone |= owned
    return {each.metadata.uid for each in objects} - gone


@given(ownerships(), st.randoms(use_true_random=False))
def test_whoever_loses_all_owners_goes_and_nobody_else(case: tuple[tuple[Any, ...], int, str], order: Any) -> None:
    objects, deleted, policy = case
    collector = controller({}, (ConfigMap,))
    store, reply = handle(view(ConfigMap=objects), Delete(ref_of(objects[deleted]), propagation_policy=policy))
    assert reply.ok
    busy = True
    while busy:
        now = store.objects["ConfigMap"]
        seen = View(Map({"ConfigMap": now, LATEST + "ConfigMap": looked_up(now)}))
        keys = list(collector.keys(seen))
        order.shuffle(keys)
        busy = False
        for key in keys:
            for step in collector.reconcile(Absent(), seen, key):
                for request in step.requests:
                    before, (store, reply) = store, handle(store, request)
                    assert reply.ok or reply.code in (404, 409)
                    busy = busy or store is not before
    left = {each.metadata.uid: each for each in store.list(ConfigMap)}
    assert set(left) == expected(objects, deleted, policy)
    for each in left.values():
        assert all(ref.uid in left for ref in each.metadata.owner_references)
        assert each.metadata.deletion_timestamp is None


# Whole clusters


def last_states(system: System, most: int = 2_000) -> Iterator[dict[str, tuple[Any, ...]]]:
    """The objects of every state in which nobody can do anything and every event has happened."""
    seen, ahead = {system.initial}, [system.initial]
    while ahead:
        row = ahead.pop()
        moves = list(system.moves(row))
        if not moves and row[system.index["events"]].done:
            yield {s.kind: row[i] for i, s in enumerate(system.slots) if s.kind}
        for move in moves:
            if move.row not in seen:
                seen.add(move.row)
                ahead.append(move.row)
        assert len(seen) <= most


def deletion(cascade: str, **more: Any) -> System:
    """A Deployment of one pod that is deleted at some time."""
    bye = event("bye", "delete", "deployment/web", cascade=cascade)
    return question([node("n1"), deployment(1)], events=(bye,), **more).system


def runs(system: System) -> bool:
    """Whether the garbage collector is part of a system."""
    return any(process.name == "garbage-collector" for process in system.processes)


@pytest.mark.parametrize("cascade", ["background", "foreground"])
def test_a_deleted_deployment_leaves_nothing_behind(cascade: str) -> None:
    ends = list(last_states(deletion(cascade)))
    assert ends
    for end in ends:
        assert (end["Deployment"], end["ReplicaSet"], end["Pod"]) == ((), (), ())


def test_an_orphaned_replica_set_goes_on() -> None:
    ends = list(last_states(deletion("orphan")))
    kept = [end for end in ends if end["ReplicaSet"]]
    assert kept
    for end in kept:
        (left,), pods = end["ReplicaSet"], end["Pod"]
        assert left.metadata.owner_references == ()
        assert [each.status.phase for each in pods] == ["Running"]


def test_it_is_there_only_where_something_could_be_left_or_waits_for_it() -> None:
    alone = [node("n1"), pod("a")]
    assert not runs(question([node("n1"), deployment(1)]).system)
    assert not runs(question(alone, events=(event("bye", "delete", "pod/a"),)).system)
    assert not runs(question([node("n1"), replica_set(1)], events=(event("s", "scale", "replicaset/web"),)).system)
    assert runs(question(alone, events=(event("bye", "delete", "pod/a", cascade="foreground"),)).system)
    assert runs(question([node("n1"), replica_set(1)], events=(event("bye", "delete", "rs/web"),)).system)
    leaving = replica_set(1)
    leaving["metadata"].update(deletionTimestamp="2024-01-01T00:00:00Z", finalizers=["orphan"])
    assert runs(question([node("n1"), leaving]).system)


def test_its_informers_cost_nothing_where_only_owners_that_are_gone_matter() -> None:
    def lagging(system: System) -> list[str]:
        return [slot.name for slot in system.slots if slot.name.startswith("seen/garbage-collector")]

    assert lagging(deletion("background", faults=LAG)) == []
    assert lagging(deletion("orphan", faults=LAG)) != []
    assert lagging(deletion("orphan", faults=NO_FAULTS)) == []


def test_an_owner_that_the_input_only_refers_to_is_taken_to_exist() -> None:
    part, sets = pod("a", "10m"), replica_set(0)
    scenario: dict[str, Any]
    owner = {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "name": "elsewhere",
        "uid": "of-another",
        "controller": True,
    }
    part["metadata"]["ownerReferences"] = [owner]
    scenario = {"kind": "Scenario", "metadata": {"name": "s"}, "spec": {"events": [{"delete": "replicaset/web"}]}}
    versions = {"Pod": "v1", "ReplicaSet": "apps/v1", "Scenario": "kythera/v1alpha1"}
    documents = [{"apiVersion": versions[each["kind"]], **each} for each in (part, sets, scenario)]
    loaded = load_documents(documents)
    system = compile_system(loaded.objects, loaded.scenario, Rung("coarse", NO_FAULTS))
    assert runs(system)
    ends = list(last_states(system))
    assert ends
    for end in ends:
        assert [each.metadata.name for each in end["Pod"]] == ["a"]
