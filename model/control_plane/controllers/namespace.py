"""The namespace controller: empties a namespace that is being deleted, and then lets it go.

It owns: nothing.
It may: delete every object in a namespace that is being deleted, and take the finalizer ``kubernetes`` away from it.

Pods go first, and nothing else goes before the last of them is gone (KEP-5080).  Meanwhile nobody can create anything
in the namespace: the API server refuses it.

Source: pkg/controller/namespace/deletion/namespaced_resources_deleter.go; KEP-5080;
https://kubernetes.io/docs/tasks/administer-cluster/namespaces/#deleting-a-namespace.
Simplifies: it lists what is left from the API server, as upstream does, but all kinds at one moment; the conditions
that tell of its progress are not written.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any, cast

from kythera.model.api.core.cluster import Namespace
from kythera.model.api.core.pod import Pod
from kythera.model.controller import Controller, Step
from kythera.model.record import Record, replace
from kythera.model.request import Delete, Ref, Update, ref_of
from kythera.model.view import View

FINALIZER = "kubernetes"


def keys(view: View) -> Iterable[Ref]:
    """Every namespace that is being deleted."""
    return [ref_of(each) for each in view.list(Namespace) if each.metadata.deletion_timestamp is not None]


def reconcile(local: None, view: View, key: Ref, *, kinds: tuple[type[Record], ...]) -> Iterator[Step]:
    """Delete what is left in one namespace; once nothing is, give up the hold on it.

    Source: pkg/controller/namespace/deletion/namespaced_resources_deleter.go Delete, deleteAllContent.
    """
    namespace = view.find(Namespace, key)
    if namespace is None or namespace.metadata.deletion_timestamp is None:
        yield Step(local)
        return
    name = namespace.metadata.name
    left: list[Record] = list(view.list(Pod, name))
    if not left:
        left = [obj for kind in kinds for obj in view.list(kind, name)]
    if left:
        going = tuple(
            Delete(Ref(*_place(obj)), propagation_policy="Background") for obj in left if not _terminating(obj)
        )
        yield Step(local, going, why=f"{_number(len(left))} left in namespace {name}")
    elif FINALIZER in namespace.spec.finalizers:
        finalizers = tuple(each for each in namespace.spec.finalizers if each != FINALIZER)
        final = replace(namespace, spec=replace(namespace.spec, finalizers=finalizers))
        yield Step(local, (Update(final, "finalize", unconditional=True),), why=f"namespace {name} is empty")
    else:
        yield Step(local)


def _place(obj: Record) -> tuple[Any, ...]:
    """What a deletion is addressed to: the name, or the uid where the name is generated."""
    ref = ref_of(obj)
    return ref.kind, ref.namespace, ref.name, None if ref.name else ref.uid


def _number(count: int) -> str:
    return "1 object is" if count == 1 else f"{count} objects are"


def _terminating(obj: Record) -> bool:
    return cast(Any, obj).metadata.deletion_timestamp is not None


def controller(kinds: tuple[type[Record], ...] = (Pod,)) -> Controller:
    """The namespace controller; ``kinds`` are all that objects in a namespace can be of."""
    return Controller(
        name="namespace",
        watches=tuple(dict.fromkeys((Namespace, Pod, *kinds))),
        writes=tuple(dict.fromkeys((Namespace, Pod, *kinds))),
        initial=None,
        keys=keys,
        reconcile=partial(reconcile, kinds=kinds),
        says="empties namespaces that are being deleted",
    )
