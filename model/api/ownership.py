"""Who owns what: how a controller claims, adopts and releases objects by its selector.

Source: pkg/controller/controller_ref_manager.go.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Generic, TypeVar, cast

from kythera.model.api.labels import matches
from kythera.model.api.meta import LabelSelector, ObjectMeta, OwnerReference
from kythera.model.api.pods import controller_of
from kythera.model.record import Record, record, replace

O = TypeVar("O", bound=Record)  # noqa: E741


@record
class Claim(Record, Generic[O]):
    """What a controller holds on to, with the adopted among them, and the objects that it lets go of.

    ``adopted`` and ``released`` are the new values, to be written.
    """

    claimed: tuple[O, ...] = ()
    adopted: tuple[O, ...] = ()
    released: tuple[O, ...] = ()


def owner_reference(owner: Record) -> OwnerReference:
    """The reference that makes ``owner`` the controller of an object.

    Source: staging/src/k8s.io/apimachinery/pkg/apis/meta/v1/controller_ref.go NewControllerRef.
    """
    kind = cast(Any, type(owner))
    metadata: ObjectMeta = cast(Any, owner).metadata
    return OwnerReference(kind.api_version, kind.kind, metadata.name, metadata.uid, True, True)


def claim(owner: Record, selector: LabelSelector | None, objects: Iterable[O]) -> Claim[O]:
    """Which of the objects (all of the owner's namespace) belong to ``owner`` from now on.

    An object that the owner controls is kept if the selector matches it and released if not; one that nobody
    controls and that the selector matches is adopted, unless it or the owner is being deleted.
    Source: pkg/controller/controller_ref_manager.go ClaimObject.
    Simplifies: that the owner is read afresh before an adoption is the API server's to do (``update`` in writing.py).
    """
    metadata: ObjectMeta = cast(Any, owner).metadata
    claimed: list[O] = []
    adopted: list[O] = []
    released: list[O] = []
    for obj in objects:
        theirs: ObjectMeta = cast(Any, obj).metadata
        if theirs.namespace != metadata.namespace:
            continue
        matched = matches(selector, theirs.labels)
        controlling = controller_of(obj)
        if controlling is not None:
            if controlling.uid != metadata.uid:
                continue
            if matched:
                claimed.append(obj)
            elif metadata.deletion_timestamp is None:
                others = tuple(each for each in theirs.owner_references if each.uid != metadata.uid)
                released.append(_with_owners(obj, others))
        elif matched and metadata.deletion_timestamp is None and theirs.deletion_timestamp is None:
            owned = _with_owners(obj, (*theirs.owner_references, owner_reference(owner)))
            claimed.append(owned)
            adopted.append(owned)
    return Claim(tuple(claimed), tuple(adopted), tuple(released))


def is_claimed(owner: Record, selector: LabelSelector | None, obj: Record) -> bool:
    """Whether ``owner`` controls the object and its selector matches it.

    Source: pkg/controller/controller_utils.go FilterClaimedPods.
    """
    controlling = controller_of(obj)
    uid = cast(Any, owner).metadata.uid
    return controlling is not None and controlling.uid == uid and matches(selector, cast(Any, obj).metadata.labels)


def _with_owners(obj: O, owners: tuple[OwnerReference, ...]) -> O:
    metadata = replace(cast(Any, obj).metadata, owner_references=owners)
    return cast(O, replace(cast(Any, obj), metadata=metadata))
