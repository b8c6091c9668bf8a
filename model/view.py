"""Views: what a component knows of the cluster.

A view holds, per kind, the objects as the component's informer last saw them.  It may be behind the present, and the
kinds need not be equally far behind.

Source: client-go tools/cache (shared informers); the contract is stated in docs/architecture.md.
"""

from __future__ import annotations

from typing import Any, TypeVar, cast

from kythera.model.record import Map, Record, Uid, record
from kythera.model.request import Ref

O = TypeVar("O", bound=Record)  # noqa: E741


@record
class View(Record):
    """The objects that a component sees, by the name of their kind (``"Pod"``)."""

    objects: Map[tuple[Record, ...]]

    def list(self, kind: type[O], namespace: str | None = None) -> tuple[O, ...]:
        """All objects of a kind, or those of one namespace; empty for a kind that the component doesn't watch."""
        found = cast(tuple[Any, ...], self.objects.get(kind.__name__, ()))
        return found if namespace is None else tuple(o for o in found if o.metadata.namespace == namespace)

    def get(self, kind: type[O], namespace: str, name: str) -> O | None:
        """The object of that name, if it is seen."""
        for obj in cast(tuple[Any, ...], self.objects.get(kind.__name__, ())):
            if obj.metadata.name == name and obj.metadata.namespace == namespace:
                return cast(O, obj)
        return None

    def find(self, kind: type[O], ref: Ref | Uid) -> O | None:
        """The object that a reference or a uid stands for, if it is seen."""
        if isinstance(ref, Ref):
            if ref.name:
                obj = self.get(kind, ref.namespace, ref.name)
                return obj if obj is None or ref.uid in (None, cast(Any, obj).metadata.uid) else None
            uid = ref.uid
        else:
            uid = ref
        for obj in cast(tuple[Any, ...], self.objects.get(kind.__name__, ())):
            if obj.metadata.uid == uid:
                return cast(O, obj)
        return None


def view(**kinds: tuple[Record, ...]) -> View:
    """A view from keyword arguments named after the kinds: ``view(Pod=pods, Node=nodes)``."""
    return View(Map(kinds))
