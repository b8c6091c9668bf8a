"""Metadata of objects of every kind.

Source: staging/src/k8s.io/apimachinery/pkg/api/validation/objectmeta.go.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from kythera.model.api import names
from kythera.model.api.core.cluster import Namespace
from kythera.model.api.core.service import Service
from kythera.model.api.meta import ObjectMeta, OwnerReference
from kythera.model.control_plane.apiserver.objects import meta
from kythera.model.control_plane.apiserver.resources import RESOURCES
from kythera.model.control_plane.apiserver.validation.fields import (
    Errors,
    forbidden,
    immutable,
    invalid,
    labels,
    messages,
    required,
    too_long,
)
from kythera.model.record import Record

ANNOTATIONS_BYTES = 256 * 1024
STANDARD_FINALIZERS = ("kubernetes", "orphan", "foregroundDeletion")


def name_rule(kind: type[Record]) -> Callable[[str], Sequence[str]]:
    """What names of a kind must look like: a DNS label for namespaces and services, else a DNS subdomain.

    Source: pkg/apis/core/validation/validation.go ValidateNamespaceName, ValidateServiceName (relaxed by
    KEP-5311).
    """
    return names.is_dns1123_label if kind in (Namespace, Service) else names.is_dns1123_subdomain


def validate_metadata(obj: Record) -> Errors:
    """The metadata of a new object; a name that is to be generated is judged by its prefix.

    Source: staging/src/k8s.io/apimachinery/pkg/api/validation/objectmeta.go ValidateObjectMetaAccessor.
    Simplifies: an object of a namespaced kind without a namespace passes (the URL of the request would name
    one).
    """
    metadata = meta(obj)
    resource = RESOURCES[type(obj).__name__]
    rule = name_rule(type(obj))
    if metadata.generate_name:
        prefix = metadata.generate_name
        masked = f"{prefix[:-1]}a" if prefix.endswith("-") and len(prefix) > 1 else prefix
        yield from messages("metadata.generateName", prefix, rule(masked))
    if metadata.name:
        yield from messages("metadata.name", metadata.name, rule(metadata.name))
    elif not metadata.generate_name:
        yield required("metadata.name", "name or generateName is required")
    if not resource.namespaced:
        if metadata.namespace:
            yield forbidden("metadata.namespace", "not allowed on this type")
    elif metadata.namespace:
        problems = names.is_dns1123_label(metadata.namespace)
        yield from messages("metadata.namespace", metadata.namespace, problems)
    yield from _common(metadata)


def validate_metadata_update(old: Record, new: Record) -> Errors:
    """The metadata of a changed object: who it is stays, and no finalizer comes while it is being deleted.

    Source: staging/src/k8s.io/apimachinery/pkg/api/validation/objectmeta.go ValidateObjectMetaAccessorUpdate.
    """
    before, after = meta(old), meta(new)
    if before.deletion_timestamp is not None:
        extra = sorted(set(after.finalizers) - set(before.finalizers))
        if extra:
            found = ", ".join(f'"{each}"' for each in extra)
            yield forbidden(
                "metadata.finalizers",
                "no new finalizers can be added if the object is being deleted, "
                f"found new finalizers []string{{{found}}}",
            )
    yield from immutable("metadata.name", after.name, before.name)
    yield from immutable("metadata.namespace", after.namespace, before.namespace)
    yield from _common(after)


def _common(metadata: ObjectMeta) -> Errors:
    yield from labels("metadata.labels", metadata.labels)
    for key in metadata.annotations:
        yield from messages("metadata.annotations", key, names.is_qualified_name(key.lower()))
    size = sum(len(k.encode()) + len(v.encode()) for k, v in metadata.annotations.items())
    if size > ANNOTATIONS_BYTES:
        yield too_long("metadata.annotations", ANNOTATIONS_BYTES)
    yield from _owners(metadata.owner_references)
    for finalizer in metadata.finalizers:
        yield from messages("metadata.finalizers", finalizer, names.is_qualified_name(finalizer))
        if "/" not in finalizer and finalizer not in STANDARD_FINALIZERS:
            detail = "name is neither a standard finalizer name nor is it fully qualified"
            yield invalid("metadata.finalizers", finalizer, detail)
    if {"orphan", "foregroundDeletion"} <= set(metadata.finalizers):
        detail = "finalizer orphan and foregroundDeletion cannot be both set"
        yield invalid("metadata.finalizers", metadata.finalizers, detail)


def _owners(owners: tuple[OwnerReference, ...]) -> Errors:
    at = "metadata.ownerReferences"
    controller = ""
    for owner in owners:
        if not owner.api_version:
            yield invalid(f"{at}.apiVersion", owner.api_version, "version must not be empty")
        for field, value in (("kind", owner.kind), ("name", owner.name)):
            if not value:
                yield invalid(f"{at}.{field}", value, "must not be empty")
        if owner.uid is None:
            yield invalid(f"{at}.uid", "", "must not be empty")
        if owner.controller:
            this = f"{owner.kind}/{owner.name}"
            if controller:
                detail = (
                    'Only one reference can have Controller set to true. Found "true" in references for '
                    f"{controller} and {this}"
                )
                yield invalid(at, owners, detail)
            else:
                controller = this
