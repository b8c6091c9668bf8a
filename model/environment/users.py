"""Users: what people do to the cluster while it runs, each event once.

They own: which events have happened, and which drains are under way (``events``).
They may: apply manifests, scale, delete, cordon, uncordon, and drain a node (cordon it, then evict its pods one by
one until none is left, as ``kubectl drain`` does, which asks again as long as a budget forbids).

Source: https://kubernetes.io/docs/reference/kubectl/, https://kubernetes.io/docs/tasks/administer-cluster/safely-drain-node/.
Simplifies: a user reads the present and makes all requests of an event at once; ``kubectl drain`` runs with
--ignore-daemonsets --delete-emptydir-data --force, and has no timeout.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from kythera.model.api.core.pod import Pod
from kythera.model.api.pods import controller_of, is_terminal, is_terminating
from kythera.model.feed import Objects
from kythera.model.host import PROVISIONAL, Handle
from kythera.model.record import Map, NodeName, Record, record
from kythera.model.request import Delete, Evict, Patch, Ref, Request, ref_of
from kythera.model.rule import COMPONENT, USER, Outcome, Process, Yields, rule
from kythera.model.scenarios.scenario import Event
from kythera.model.view import View

KINDS = {
    "deployment": "Deployment", "deploy": "Deployment", "replicaset": "ReplicaSet", "rs": "ReplicaSet",
    "pod": "Pod", "po": "Pod", "node": "Node", "no": "Node", "service": "Service", "svc": "Service",
    "horizontalpodautoscaler": "HorizontalPodAutoscaler", "hpa": "HorizontalPodAutoscaler",
    "poddisruptionbudget": "PodDisruptionBudget", "pdb": "PodDisruptionBudget",
    "configmap": "ConfigMap", "cm": "ConfigMap", "secret": "Secret", "namespace": "Namespace", "ns": "Namespace",
    "priorityclass": "PriorityClass", "lease": "Lease", "endpointslice": "EndpointSlice",
}  # fmt: skip


@record
class Events(Record):
    """What has happened, by the events' names, and the nodes whose drain has begun but not ended."""

    done: tuple[str, ...] = ()
    draining: tuple[tuple[str, NodeName], ...] = ()


def requests_of(event: Event) -> tuple[Request, ...]:
    """What an event asks of the API server."""
    if event.verb == "apply":
        return tuple(
            Patch(_ref_of_manifest(json.loads(text), event.namespace), "apply", text) for text in event.manifests
        )
    if event.verb == "scale":
        body = json.dumps({"spec": {"replicas": event.replicas}})
        return (Patch(_target(event), "merge", body, "scale"),)
    if event.verb == "delete":
        return (Delete(_target(event), event.grace_period, event.cascade.capitalize()),)
    if event.verb in ("drain", "cordon", "uncordon"):
        body = json.dumps({"spec": {"unschedulable": event.verb != "uncordon"}})
        return (Patch(Ref("Node", "", event.target.removeprefix("node/")), "merge", body),)
    raise ValueError(f"no such event: {event.verb}")


def _target(event: Event) -> Ref:
    kind, _, name = event.target.partition("/")
    found = KINDS.get(kind.lower(), kind)
    return Ref(found, "" if found in ("Node", "Namespace", "PriorityClass") else event.namespace, name)


def _ref_of_manifest(manifest: Any, namespace: str) -> Ref:
    kind, meta = manifest["kind"], manifest["metadata"]
    scoped = kind not in ("Node", "Namespace", "PriorityClass")
    return Ref(kind, meta.get("namespace", namespace) if scoped else "", meta["name"])


@rule("a user does: {event}", USER)
def happen(
    events: Events, objects: tuple[Objects, ...], kinds: tuple[str, ...], plan: tuple[Event, ...], handle: Handle
) -> Yields:
    """An event of the scenario happens: its requests are carried out, one after the other."""
    for event in plan:
        begun = event.name in events.done or event.name in (name for name, _ in events.draining)
        if begun or not set(event.after) <= set(events.done):
            continue
        now, refused = _carry_out(requests_of(event), objects, kinds, handle)
        if event.verb == "drain":
            node = NodeName(event.target.removeprefix("node/"))
            after = Events(events.done, tuple(sorted((*events.draining, (event.name, node)))))
        else:
            after = Events(tuple(sorted((*events.done, event.name))), events.draining)
        yield Outcome((("event", event.name),), {"events": after, "objects": now}, refused)


@rule("kubectl drain evicts a pod from {node}", COMPONENT)
def evict(events: Events, objects: tuple[Objects, ...], kinds: tuple[str, ...], handle: Handle) -> Yields:
    """A drain that is under way evicts one more pod, or ends when no pod is left.

    Source: staging/src/k8s.io/kubectl/pkg/drain/drain.go evictPods.
    """
    for name, node in events.draining:
        pods = _to_evict(objects[kinds.index("Pod")], node)
        if not pods:
            left = tuple(each for each in events.draining if each[0] != name)
            done = tuple(sorted((*events.done, name)))
            yield Outcome((("node", node),), {"events": Events(done, left)}, "no pod is left: the drain has ended")
        for pod in pods:
            if is_terminating(pod):
                continue
            now, refused = _carry_out((Evict(ref_of(pod)),), objects, kinds, handle)
            yield Outcome((("node", node), ("pod", pod.metadata.uid)), {"objects": now}, refused)


def _to_evict(pods: Sequence[Record], node: NodeName) -> list[Pod]:
    """The pods of a node that a drain waits for."""
    return [
        pod
        for pod in pods
        if isinstance(pod, Pod) and pod.spec.node_name == node and not is_terminal(pod) and not _stays(pod)
    ]


def _stays(pod: Pod) -> bool:
    owner = controller_of(pod)
    return (owner is not None and owner.kind in ("DaemonSet", "Node")) or (
        "kubernetes.io/config.mirror" in pod.metadata.annotations
    )


def _carry_out(
    requests: Sequence[Request],
    objects: tuple[Objects, ...],
    kinds: tuple[str, ...],
    handle: Handle,
) -> tuple[tuple[Objects, ...], str]:
    for made, request in enumerate(requests):
        store = View(Map(dict(zip(kinds, objects, strict=True))))
        after, reply = handle(store, request, stale=False, fresh=PROVISIONAL + made)
        objects = tuple(after.objects.get(kind, ()) for kind in kinds)
        if not reply.ok:
            return objects, f"refused: {reply.message}"
    return objects, ""


def process(plan: tuple[Event, ...], kinds: tuple[str, ...], handle: Handle) -> Process:
    """The users of a scenario."""
    drains = any(event.verb == "drain" for event in plan)
    return Process(
        "users",
        (happen, *((evict,) if drains else ())),
        {"events": "events", "objects": tuple(f"objects/{kind}" for kind in kinds)},
        {"plan": plan, "kinds": kinds, "handle": handle},
    )
