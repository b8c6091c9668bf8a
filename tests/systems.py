"""Systems from plain data: what many tests begin with."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from kythera.model.api.apps import Deployment, ReplicaSet
from kythera.model.api.autoscaling import HorizontalPodAutoscaler
from kythera.model.api.core.cluster import Namespace
from kythera.model.api.core.node import Node
from kythera.model.api.core.pod import Pod
from kythera.model.api.core.service import Service
from kythera.model.api.decode import Context, decode
from kythera.model.api.policy import PodDisruptionBudget
from kythera.model.control_plane.apiserver.defaulting import default
from kythera.model.record import Record, Uid, replace
from kythera.model.scenarios.compile import compile_system
from kythera.model.scenarios.scenario import NO_FAULTS, Event, Faults, Rung, Scenario
from kythera.model.system import System
from kythera.properties.statement import Question

KINDS: dict[str, Any] = {
    cls.__name__: cls
    for cls in (Node, Pod, ReplicaSet, Deployment, Service, Namespace, PodDisruptionBudget, HorizontalPodAutoscaler)
}


def node(name: str, cpu: str = "1", **spec: Any) -> dict[str, Any]:
    """A node with so much CPU."""
    amounts = {"cpu": cpu, "memory": "2Gi", "pods": "110"}
    ready = [{"type": "Ready", "status": "True"}]
    return {
        "kind": "Node",
        "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name}},
        "spec": spec,
        "status": {"capacity": amounts, "allocatable": amounts, "conditions": ready},
    }


def template(cpu: str = "500m", image: str = "web:1", app: str = "web", **spec: Any) -> dict[str, Any]:
    """A pod template of one container."""
    container = {"name": "main", "image": image, "resources": {"requests": {"cpu": cpu}}}
    return {"metadata": {"labels": {"app": app}}, "spec": {"containers": [container], **spec}}


def pod(name: str, cpu: str = "500m", **spec: Any) -> dict[str, Any]:
    """A pod that nobody owns."""
    made = template(cpu, app=name, **spec)
    return {"kind": "Pod", "metadata": {"name": name, "namespace": "default", **made["metadata"]}, "spec": made["spec"]}


def replica_set(replicas: int, name: str = "web", cpu: str = "500m", **spec: Any) -> dict[str, Any]:
    """A ReplicaSet; ``spec`` is added to that of its pods."""
    selector = {"matchLabels": {"app": name}}
    made = {"replicas": replicas, "selector": selector, "template": template(cpu, app=name, **spec)}
    return {"kind": "ReplicaSet", "metadata": {"name": name, "namespace": "default", "generation": 1}, "spec": made}


def deployment(
    replicas: int, name: str = "web", cpu: str = "500m", image: str = "web:1", **spec: Any
) -> dict[str, Any]:
    """A Deployment; ``spec`` is added to its own."""
    made = replica_set(replicas, name, cpu)
    made["spec"]["template"] = template(cpu, image, name)
    return {**made, "kind": "Deployment", "spec": {**made["spec"], **spec}}


def budget(name: str = "web", **spec: Any) -> dict[str, Any]:
    """A PodDisruptionBudget over the pods of an app."""
    made = {"selector": {"matchLabels": {"app": name}}, **spec}
    return {
        "kind": "PodDisruptionBudget",
        "metadata": {"name": name, "namespace": "default", "generation": 1},
        "spec": made,
    }


def service(name: str = "web", **spec: Any) -> dict[str, Any]:
    """A Service over the pods of an app."""
    made = {"selector": {"app": name}, "ports": [{"port": 80}], "clusterIP": "10.96.0.1", **spec}
    return {"kind": "Service", "metadata": {"name": name, "namespace": "default"}, "spec": made}


def autoscaler(name: str, low: int, high: int, target: str = "ReplicaSet/web") -> dict[str, Any]:
    """A HorizontalPodAutoscaler for 50% of the requested CPU."""
    kind, _, of = target.partition("/")
    cpu = {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50}}}
    ref = {"apiVersion": "apps/v1", "kind": kind, "name": of}
    spec = {"scaleTargetRef": ref, "minReplicas": low, "maxReplicas": high, "metrics": [cpu]}
    return {"kind": "HorizontalPodAutoscaler", "metadata": {"name": name, "namespace": "default"}, "spec": spec}


def event(name: str, verb: str, target: str = "", manifest: dict[str, Any] | None = None, **more: Any) -> Event:
    """Something that a user does."""
    manifests = () if manifest is None else (json.dumps(manifest),)
    return Event(name, verb, target, manifests=manifests, **more)


def connect(to: str, name: str = "connect", **more: Any) -> Event:
    """Somebody connects to a Service."""
    return Event(name, "connect", f"Service/{to}", **more)


def objects(documents: Sequence[dict[str, Any]]) -> tuple[Record, ...]:
    """Documents as stored objects with defaults and uids."""
    found = []
    for uid, document in enumerate(documents):
        context = Context()
        made = decode(KINDS[document["kind"]], document, context)
        assert not context.errors, context.errors
        made = default(made)
        found.append(replace(made, metadata=replace(made.metadata, uid=Uid(uid))))
    return tuple(found)


def question(
    documents: Sequence[dict[str, Any]],
    faults: Faults = NO_FAULTS,
    granularity: str = "coarse",
    time: str = "prompt",
    **scenario: Any,
) -> Question:
    """The system of some documents at one rung, with what it was compiled from."""
    asked = Scenario(faults=faults, time=time, **scenario)
    rung, stored = Rung(granularity, faults, time), objects(documents)
    return Question(compile_system(stored, asked, rung), stored, asked, rung)


def system(documents: Sequence[dict[str, Any]], **scenario: Any) -> System:
    """The system of some documents; the arguments are those of ``question``."""
    return question(documents, **scenario).system
