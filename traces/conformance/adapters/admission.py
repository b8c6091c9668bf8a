"""Cases of the API server's admission plugins (``admission/*``)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kythera.model.api.core.pod import Pod
from kythera.model.api.decode import Context, decode
from kythera.model.api.encode import encode
from kythera.model.control_plane.apiserver.admission import add_default_tolerations

Case = dict[str, Any]


def default_tolerations(case: Case) -> str | None:
    """The tolerations of a pod after admission, in their order."""
    pod = decode(Pod, case["pod"], Context())
    arguments = case.get("args") or {}
    admitted = add_default_tolerations(
        pod,
        arguments.get("not_ready_toleration_seconds", 300),
        arguments.get("unreachable_toleration_seconds", 300),
    )
    found = [encode(toleration) for toleration in admitted.spec.tolerations]
    wanted = case["expected"]["tolerations"]
    return None if found == wanted else f"expected {wanted}, got {found}"


ADAPTERS: dict[str, Callable[[Case], str | None]] = {
    "admission/default-tolerations": default_tolerations,
}
