"""Patches: JSON merge, strategic merge, and ``kubectl apply``.

A patch is merged into the stored object as plain data; what comes out is an update like any other.

Source: staging/src/k8s.io/apiserver/pkg/endpoints/handlers/patch.go;
staging/src/k8s.io/kubectl/pkg/cmd/apply/apply.go and patcher.go.
Simplifies: JSON Patch (RFC 6902) and server-side apply are not modelled; a strategic patch that makes no sense is
always answered by 400.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from kythera.model.api.decode import decode, field_path
from kythera.model.api.encode import context, encode, plain
from kythera.model.control_plane.apiserver.merging import BadPatch, json_merge, strategic_merge, three_way
from kythera.model.control_plane.apiserver.objects import get, meta
from kythera.model.control_plane.apiserver.replies import (
    Refusal,
    bad_request,
    conflict,
    invalid,
    not_found,
    other_incarnation,
    resource_of,
    shown,
)
from kythera.model.control_plane.apiserver.writing import create, replaced
from kythera.model.controller import Reply
from kythera.model.record import Record, Uid
from kythera.model.request import Patch
from kythera.model.view import View

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def patch(store: View, request: Patch, fresh: Uid) -> tuple[View, Reply]:
    """The store with the patch merged into the object; ``apply`` creates it (uid ``fresh``) if it is missing.

    Errors: 404; 400 for a body that is no JSON, has unknown fields or another name; 415 for an unknown type;
    409 if the body names a uid or version that isn't the object's; those of an update.
    Source: staging/src/k8s.io/apiserver/pkg/endpoints/handlers/patch.go.
    """
    resource = resource_of(request.ref.kind)
    if request.type not in ("merge", "strategic", "apply"):
        raise Refusal(Reply(415, "UnsupportedMediaType", "415: Unsupported Media Type"))
    old = get(store, request.ref)
    if old is None:
        if request.type != "apply":
            raise not_found(resource, shown(request.ref))
        manifest = _manifest(request)
        manifest["metadata"]["annotations"] = {
            **manifest["metadata"].get("annotations", {}),
            LAST_APPLIED: last_applied(_manifest(request)),
        }
        return create(store, _decoded(resource.kind, manifest), fresh)
    name = shown(meta(old))
    if request.ref.uid is not None and request.ref.uid != meta(old).uid:
        raise other_incarnation(old, request.ref.uid)
    new = _merged(old, request)
    if meta(new).name != meta(old).name:
        raise bad_request(
            f"the name of the object ({meta(new).name}) does not match the name on the URL ({meta(old).name})"
        )
    if meta(new).uid != meta(old).uid:
        uid = _body(request.body)["metadata"]["uid"]
        raise invalid(resource, name, [f"metadata.uid: Invalid value: {json.dumps(uid)}: field is immutable"])
    if meta(new).resource_version != meta(old).resource_version:
        raise conflict(resource.name, name)
    return replaced(store, old, new, request.subresource)


def last_applied(manifest: Mapping[str, Any]) -> str:
    """The manifest as kubectl writes it down beside the object, for the next apply to compare with.

    Source: staging/src/k8s.io/kubectl/pkg/util/apply.go GetModifiedConfiguration.
    """
    data = plain(manifest)
    annotations = {k: v for k, v in (data["metadata"].get("annotations") or {}).items() if k != LAST_APPLIED}
    data["metadata"]["annotations"] = annotations
    return json.dumps(data, sort_keys=True, separators=(",", ":")) + "\n"


def _body(text: str) -> dict[str, Any]:
    try:
        data = json.loads(text)
    except ValueError as error:
        raise bad_request(f"error decoding patch: {error}") from None
    if not isinstance(data, dict):
        raise bad_request("error decoding patch: the patch is no mapping")
    return data


def _manifest(request: Patch) -> dict[str, Any]:
    data = _body(request.body)
    metadata = dict(data.get("metadata") or {})
    metadata.setdefault("name", request.ref.name)
    if request.ref.namespace:
        metadata.setdefault("namespace", request.ref.namespace)
    return {**data, "metadata": metadata}


@lru_cache(maxsize=20_000)
def _merged(old: Record, request: Patch) -> Record:
    """The stored object with the patch merged in, not yet checked."""
    live = encode(old)
    if request.type == "apply":
        manifest = _manifest(request)
        text = last_applied(manifest)
        before = json.loads(meta(old).annotations.get(LAST_APPLIED, "{}"))
        data = three_way(before, manifest, live)
        data["metadata"]["annotations"] = {**data["metadata"].get("annotations", {}), LAST_APPLIED: text}
    elif request.type == "strategic":
        try:
            data = strategic_merge(live, _body(request.body))
        except BadPatch as error:
            raise bad_request(str(error)) from None
    else:
        data = json_merge(live, _body(request.body))
    return _decoded(type(old), data)


def _decoded(kind: type[Record], data: Mapping[str, Any]) -> Record:
    """The record that the data describes; unknown fields and wrong types are refused."""
    known = context()
    obj = decode(kind, data, known)
    if known.errors:
        version = str(kind.api_version).rpartition("/")[2]  # type: ignore[attr-defined]
        what = f'{kind.__name__} in version "{version}" cannot be handled as a {kind.__name__}'
        texts = [
            e.text if e.text.startswith("unknown field") else f"{field_path(e.path)}: {e.text}" for e in known.errors
        ]
        raise bad_request(f"{what}: strict decoding error: {', '.join(texts)}")
    return obj
