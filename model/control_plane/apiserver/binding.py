"""Binding: a pod is assigned to a node, once.

Source: pkg/registry/core/pod/storage/storage.go BindingREST, setPodNodeAndMetadata.
"""

from __future__ import annotations

from kythera.model.api.core.pod import Pod
from kythera.model.api.meta import Condition
from kythera.model.api.pods import condition, set_condition
from kythera.model.control_plane.apiserver.objects import get, put
from kythera.model.control_plane.apiserver.replies import (
    conflict,
    not_found,
    ok,
    other_incarnation,
    resource_of,
    shown,
)
from kythera.model.controller import Reply
from kythera.model.record import Age, replace
from kythera.model.request import Bind
from kythera.model.view import View


def bind(store: View, request: Bind) -> tuple[View, Reply]:
    """The store with the pod on its node and its condition PodScheduled True.

    Whether the node exists, or has room, is not asked.
    Errors: 404; 409 if the pod is another incarnation, has a node already, is being deleted, or is gated.
    Source: pkg/registry/core/pod/storage/storage.go setPodNodeAndMetadata.
    """
    resource = resource_of("Pod")
    name = shown(request.ref)
    pod = get(store, request.ref)
    if not isinstance(pod, Pod):
        raise not_found(resource, name)
    name = shown(pod.metadata)
    if request.ref.uid is not None and request.ref.uid != pod.metadata.uid:
        raise other_incarnation(pod, request.ref.uid)
    if pod.metadata.deletion_timestamp is not None:
        raise conflict("pods/binding", name, f"pod {name} is being deleted, cannot be assigned to a host")
    if pod.spec.node_name:
        why = f'pod {name} is already assigned to node "{pod.spec.node_name}"'
        raise conflict("pods/binding", name, why)
    if pod.spec.scheduling_gates:
        raise conflict("pods/binding", name, f"pod {name} has non-empty .spec.schedulingGates")
    before = condition(pod.status.conditions, "PodScheduled")
    scheduled = Condition("PodScheduled", "True", last_transition_time=Age(0))
    if before is not None and before.status == "True":
        scheduled = replace(scheduled, last_transition_time=before.last_transition_time)
    status = replace(
        pod.status,
        conditions=set_condition(pod.status.conditions, scheduled),
        nominated_node_name=None,
    )
    bound = replace(pod, spec=replace(pod.spec, node_name=request.node), status=status)
    return put(store, bound, pod), ok(bound, 201)
