"""The answers of the API server, with the codes, reasons and messages of Kubernetes.

Source: staging/src/k8s.io/apimachinery/pkg/api/errors/errors.go; the messages were compared with a real API
server.
"""

from __future__ import annotations

from collections.abc import Sequence

from kythera.model.api.meta import ObjectMeta
from kythera.model.control_plane.apiserver.resources import RESOURCES, Resource
from kythera.model.controller import Reply
from kythera.model.record import Record, Uid
from kythera.model.request import Ref

MODIFIED = "the object has been modified; please apply your changes to the latest version and try again"

STORED_AS = {"nodes": "minions", "services": "services/specs"}
"""Resources whose keys in the store are called otherwise, for historical reasons."""


class Refusal(Exception):
    """Raised inside the API server where a request is refused; ``reply`` is the answer."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.message)
        self.reply = reply


def resource_of(kind: str) -> Resource:
    """The resource of a kind; a kind that isn't served is refused with 404."""
    try:
        return RESOURCES[kind]
    except KeyError:
        raise Refusal(Reply(404, "NotFound", "the server could not find the requested resource")) from None


def shown(named: ObjectMeta | Ref) -> str:
    """The name of an object for people; one whose name is generated is shown with its uid behind it."""
    if named.name:
        return named.name
    return f"{getattr(named, 'generate_name', '')}{'' if named.uid is None else named.uid}"


def ok(obj: Record | None = None, code: int = 200) -> Reply:
    """Carried out."""
    return Reply(code, "", "", obj)


def not_found(resource: Resource, name: str) -> Refusal:
    """404: there is no such object."""
    return Refusal(Reply(404, "NotFound", f'{resource.name} "{name}" not found'))


def already_exists(resource: Resource, name: str, terminating: bool) -> Refusal:
    """409: the name is taken, perhaps by an object that is on its way out."""
    before = "object is being deleted: " if terminating else ""
    return Refusal(Reply(409, "AlreadyExists", f'{before}{resource.name} "{name}" already exists'))


def conflict(what: str, name: str, why: str = MODIFIED) -> Refusal:
    """409: the object isn't (any more) what the sender took it for."""
    return Refusal(Reply(409, "Conflict", f'Operation cannot be fulfilled on {what} "{name}": {why}'))


def other_incarnation(obj: Record, uid: Uid) -> Refusal:
    """409: the sender means an earlier (or later) object of the same name.

    Source: staging/src/k8s.io/apiserver/pkg/storage/errors.go NewInvalidObjError.
    """
    metadata: ObjectMeta = obj.metadata  # type: ignore[attr-defined]
    resource = resource_of(type(obj).__name__)
    name = shown(metadata)
    plural: str = resource.kind.plural  # type: ignore[attr-defined]
    key = "/".join(part for part in (STORED_AS.get(plural, plural), metadata.namespace, name) if part)
    return conflict(
        resource.name,
        name,
        f"StorageError: invalid object, Code: 4, Key: /registry/{key}, ResourceVersion: 0, "
        f"AdditionalErrorMsg: "
        f"Precondition failed: UID in precondition: {uid}, UID in object meta: {metadata.uid}",
    )


def forbidden(resource: Resource, name: str, why: str) -> Refusal:
    """403: admission says no."""
    return Refusal(Reply(403, "Forbidden", f'{resource.name} "{name}" is forbidden: {why}'))


def bad_request(message: str) -> Refusal:
    """400: the request contradicts itself."""
    return Refusal(Reply(400, "BadRequest", message))


def invalid(resource: Resource, name: str, errors: Sequence[object]) -> Refusal:
    """422: validation found something; one error stands alone, several stand in brackets."""
    texts = list(dict.fromkeys(str(error) for error in errors))
    listed = texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
    return Refusal(Reply(422, "Invalid", f'{resource.group_kind} "{name}" is invalid: {listed}'))


def invalid_options(field: str, value: str, supported: Sequence[str]) -> Refusal:
    """422: an option of a deletion has a value that there is not."""
    known = ", ".join(f'"{each}"' for each in supported)
    problem = f'{field}: Unsupported value: "{value}": supported values: {known}'
    return Refusal(Reply(422, "Invalid", f'DeleteOptions.meta.k8s.io "" is invalid: {problem}'))


def too_many_requests() -> Refusal:
    """429: a disruption budget doesn't allow the eviction (now)."""
    return Refusal(Reply(429, "TooManyRequests", "Cannot evict pod as it would violate the pod's disruption budget."))


def internal(message: str) -> Refusal:
    """500: Kubernetes itself answers so, without a reason."""
    return Refusal(Reply(500, "", message))
