"""A real API server (Kubernetes v1.36.2) was sent these requests: the model answers the same.

The file holds one request a line, in the order in which they were sent, with the code, and where they tell
something the reason, message, object and generation of the answer.  Left out are requests that the model has
no notion of (content types, lists, JSON Patch, quotas), apiVersion, kind and uid in the bodies, and fields
that it ignores.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from kythera.model.api.decode import Context, decode
from kythera.model.api.encode import context, encode
from kythera.model.api.meta import ObjectMeta
from kythera.model.control_plane.apiserver.handler import get, handle
from kythera.model.control_plane.apiserver.resources import RESOURCES
from kythera.model.controller import Reply
from kythera.model.record import Map, NodeName, replace
from kythera.model.request import Bind, Create, Delete, Evict, Patch, Ref, Request, Update
from kythera.model.view import View

RECORDED = json.loads(Path(__file__).with_name("recorded_requests.json").read_text())
KINDS: dict[str, Any] = {str(each.kind.plural): each.kind for each in RESOURCES.values()}  # type: ignore[attr-defined]
PATH = re.compile(
    r"/apis?(?:/[a-z0-9.]+)?/v1(?:/namespaces/(?P<namespace>[^/]+)(?=/[a-z]+(?:/|$)))?"
    r"/(?P<plural>[a-z]+)(?:/(?P<name>[^/]+))?(?:/(?P<subresource>[a-z]+))?$"
)


def located(path: str) -> tuple[Ref, str]:
    """The object and subresource that a path names."""
    found = PATH.match(path)
    assert found is not None, path
    kind = KINDS[found["plural"]]
    return Ref(kind.__name__, found["namespace"] or "", found["name"] or ""), found["subresource"] or ""


def request_of(entry: dict[str, Any], store: View, known: Context) -> tuple[Request | None, bool]:
    """The request that an entry stands for (``None``: a GET), and whether its sender was behind."""
    ref, subresource = located(entry["path"])
    body = entry.get("body")
    if entry["method"] == "GET":
        return None, False
    if entry["method"] == "DELETE":
        return Delete(ref, (body or {}).get("gracePeriodSeconds")), False
    if entry["method"] == "PATCH":
        return Patch(ref, entry["patch"], json.dumps(body), subresource), False
    if subresource == "binding":
        return Bind(ref, NodeName(body["target"]["name"])), False
    if subresource == "eviction":
        return Evict(ref), False
    if subresource == "scale":
        there: Any = get(store, ref.kind, ref.namespace, ref.name).object
        scaled = replace(there, spec=replace(there.spec, replicas=body["spec"]["replicas"]))
        return Update(scaled, "scale", unconditional=True), False
    metadata: dict[str, Any] = {"namespace": ref.namespace, **body["metadata"]}
    version = metadata.pop("resourceVersion", None) if entry["method"] == "PUT" else None
    obj: Any = decode(RESOURCES[ref.kind].kind, {**body, "metadata": metadata}, known)
    if entry["method"] == "POST":
        return Create(obj), False
    return Update(obj, subresource, unconditional=version is None), entry["code"] == 409 and version is not None


def shows(wanted: Any, found: Any) -> bool:
    """Whether everything that Kubernetes showed is shown; nothing where it shows a zero or an empty value."""
    if isinstance(wanted, dict) and isinstance(found, dict | None):
        return all(shows(value, (found or {}).get(key)) for key, value in wanted.items())
    if isinstance(wanted, list) and isinstance(found, list):
        return len(wanted) == len(found) and all(map(shows, wanted, found))
    return wanted == found or (not wanted and not found)


def test_the_model_answers_like_a_real_api_server() -> None:
    store = View(Map(dict.fromkeys(RESOURCES, ())))
    known = context()
    for number, entry in enumerate(RECORDED, 1):
        request, stale = request_of(entry, store, known)
        if request is None:
            ref, _ = located(entry["path"])
            reply: Reply = get(store, ref.kind, ref.namespace, ref.name)
        else:
            store, reply = handle(store, request, stale=stale, fresh=number)
        where = f"{number}: {entry['method']} {entry['path']}"
        assert reply.code == entry["code"], (where, reply.message)
        assert reply.reason == entry.get("reason", ""), where
        assert reply.message == entry.get("message", ""), where
        if reply.object is not None:
            metadata: ObjectMeta = reply.object.metadata  # type: ignore[attr-defined]
            if "generation" in entry:
                assert metadata.generation == entry["generation"], where
            if "object" in entry:
                assert shows(entry["object"], encode(reply.object)), (where, encode(reply.object))
    assert len(RECORDED) > 80
