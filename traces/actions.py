"""The catalogue of actions: what can happen in the model, by component, from the rules' own docstrings.

The rules of the environment are listed one by one; a hosted controller's actions are to learn, work and send, and what
it does when it works is told by its module.
"""

from __future__ import annotations

import importlib
import inspect
from typing import Any

from kythera.model import host
from kythera.model.rule import CLOCK, Rule

ENVIRONMENT = ("containers", "crashes", "heartbeats", "network", "users", "workload")
CONTROLLERS = {
    "deployment": "kythera.model.control_plane.controllers.deployment.reconcile",
    "replicaset": "kythera.model.control_plane.controllers.replicaset.reconcile",
    "horizontal-pod-autoscaler": "kythera.model.control_plane.controllers.horizontal_pod_autoscaler.controller",
    "disruption": "kythera.model.control_plane.controllers.disruption",
    "endpointslice": "kythera.model.control_plane.controllers.endpointslice",
    "pod-gc": "kythera.model.control_plane.controllers.pod_gc",
    "kube-scheduler": "kythera.model.control_plane.scheduler.scheduler",
    "kubelet": "kythera.model.node.kubelet.kubelet",
    "kube-proxy": "kythera.model.node.kube_proxy",
}


def catalogue() -> list[dict[str, str]]:
    """Every action: component, name, actor, and its text (when, then, source, simplifications)."""
    rows = [_row("every component", rule) for rule in (host.learn, host.work, host.decide, host.send, host.lose)]
    for name in ENVIRONMENT:
        module = importlib.import_module(f"kythera.model.environment.{name}")
        rows += [_row(name, rule) for rule in _rules(module)]
    for name, path in CONTROLLERS.items():
        text = inspect.getdoc(importlib.import_module(path)) or ""
        rows.append({"component": name, "action": "work", "actor": "component", "says": "", "text": text})
    text = "Time passes until somebody waits for nothing more; in the prompt regime only when nobody else can act."
    rows.append({"component": CLOCK, "action": "advance", "actor": CLOCK, "says": "{seconds} s pass", "text": text})
    return rows


def _rules(module: Any) -> list[Rule]:
    return [value for value in vars(module).values() if isinstance(value, Rule)]


def _row(component: str, rule: Rule) -> dict[str, str]:
    return {"component": component, "action": rule.name, "actor": rule.actor, "says": rule.says, "text": rule.doc}
