"""Older versions that Kubernetes still serves, turned into the one that the model has.

Source: pkg/apis/autoscaling/v1/conversion.go.
"""

from __future__ import annotations

from typing import Any

from kythera.model.scenarios.objects import Ignored
from kythera.model.scenarios.source import Document, Path_

CPU = "targetCPUUtilizationPercentage"
CURRENT = "currentCPUUtilizationPercentage"


def from_version_1(document: Document, ignored: list[Ignored]) -> Document:
    """A HorizontalPodAutoscaler of ``autoscaling/v1`` as one of ``autoscaling/v2``; any other document as it is."""
    data = document.data
    if data.get("apiVersion") != "autoscaling/v1" or data.get("kind") != "HorizontalPodAutoscaler":
        return document
    spec, status = data.get("spec"), data.get("status")
    new: dict[str, Any] = {**data, "apiVersion": "autoscaling/v2"}
    lines = dict(document.lines)
    if isinstance(spec, dict) and CPU in spec:
        target = {"type": "Utilization", "averageUtilization": spec[CPU]}
        metrics = [{"type": "Resource", "resource": {"name": "cpu", "target": target}}]
        new["spec"] = {**{k: v for k, v in spec.items() if k != CPU}, "metrics": metrics}
        lines["spec", "metrics"] = document.line(("spec", CPU))
    if isinstance(status, dict) and CURRENT in status:
        path: Path_ = ("status", CURRENT)
        new["status"] = {k: v for k, v in status.items() if k != CURRENT}
        ignored.append(
            Ignored(document.file, document.line(path), document.name, ".".join(map(str, path)), "a report for people")
        )
    return Document(document.file, new, lines)
