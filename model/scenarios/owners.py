"""Owners that a dump leaves out: ReplicaSets of Deployments, made up again from their pods.

Without them a Deployment's controller would make a second set of pods beside those that run.

Source: https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#pod-template-hash-label.
"""

from __future__ import annotations

from collections.abc import Sequence

from kythera.model.api.apps import Deployment, ReplicaSet, ReplicaSetSpec
from kythera.model.api.core.container import Container
from kythera.model.api.core.pod import Pod, PodTemplateSpec
from kythera.model.api.labels import matches
from kythera.model.api.meta import LabelSelector, ObjectMeta, OwnerReference
from kythera.model.api.ownership import owner_reference
from kythera.model.api.pods import controller_of, is_active, is_terminating
from kythera.model.control_plane.controllers.deployment.revisions import (
    POD_TEMPLATE_HASH,
    REVISION,
    with_revision_annotations,
    with_size_annotations,
)
from kythera.model.control_plane.controllers.replicaset.status import calculate_status
from kythera.model.record import Age, Map, replace
from kythera.model.scenarios.objects import Item


def restored(items: Sequence[Item], assumptions: list[str]) -> list[Item]:
    """The ReplicaSets that pods belong to and no document holds, where their Deployment is there.

    Every object has its uid already.
    """
    uids = {item.meta.uid for item in items}
    deployments = [item for item in items if isinstance(item.obj, Deployment)]
    orphans: dict[tuple[str, OwnerReference], list[Item]] = {}
    for item in items:
        owner = controller_of(item.obj)
        if owner is not None and owner.uid not in uids:
            orphans.setdefault((item.meta.namespace, owner), []).append(item)
    made: list[Item] = []
    for (namespace, owner), owned in orphans.items():
        pods = [item.obj for item in owned if isinstance(item.obj, Pod)]
        deployment = next((each for each in deployments if _is_of(each, namespace, owner, pods)), None)
        where = "" if namespace in ("default", "") else f" in namespace {namespace}"
        many = f"{len(owned)} object{'s' if len(owned) > 1 else ''}"
        if deployment is not None:
            made.append(Item(deployment.document, _replica_set(deployment.obj, owner, pods)))
            assumptions.append(
                f"ReplicaSet {owner.name}{where} is not in the input: it was made up again from Deployment "
                f"{deployment.meta.name} and its {many}"
            )
        elif owner.kind != "Node":
            assumptions.append(
                f"{owner.kind} {owner.name}{where} is not in the input: the {many} that it owns were kept as they are"
            )
    return made


def _is_of(item: Item, namespace: str, owner: OwnerReference, pods: Sequence[Pod]) -> bool:
    """Whether a Deployment is the owner of a missing owner of pods."""
    deployment: Deployment = item.obj
    return (
        owner.kind == "ReplicaSet"
        and deployment.metadata.namespace == namespace
        and bool(pods)
        and owner.name.rpartition("-")[0] == deployment.metadata.name
        and all(matches(deployment.spec.selector, pod.metadata.labels) for pod in pods)
        and all(POD_TEMPLATE_HASH in pod.metadata.labels for pod in pods)
    )


def _replica_set(deployment: Deployment, owner: OwnerReference, pods: Sequence[Pod]) -> ReplicaSet:
    """The ReplicaSet of the pods: of the Deployment's template if they look like it, else of an older one."""
    spec = deployment.spec
    code = pods[0].metadata.labels[POD_TEMPLATE_HASH]
    template = spec.template if _has_template(pods[0], spec.template) else _former(pods[0], spec.template)
    labels = template.metadata.labels.set(POD_TEMPLATE_HASH, code)
    selector = spec.selector or LabelSelector()
    revision = _number(deployment.metadata.annotations.get(REVISION, "1"))
    if template is not spec.template:
        revision = max(revision - 1, 1)
    annotations = with_revision_annotations(Map(), deployment, revision)
    active = [pod for pod in pods if is_active(pod)]
    made = ReplicaSet(
        ObjectMeta(
            name=owner.name,
            namespace=deployment.metadata.namespace,
            uid=owner.uid,
            generation=1,
            labels=labels,
            annotations=with_size_annotations(annotations, deployment),
            creation_timestamp=Age(max((pod.metadata.creation_timestamp or Age(0) for pod in pods), default=Age(0))),
            owner_references=(owner_reference(deployment),),
        ),
        ReplicaSetSpec(
            replicas=len(active),
            min_ready_seconds=spec.min_ready_seconds,
            selector=replace(selector, match_labels=selector.match_labels.set(POD_TEMPLATE_HASH, code)),
            template=replace(template, metadata=replace(template.metadata, labels=labels)),
        ),
    )
    return replace(made, status=calculate_status(made, active, sum(is_terminating(pod) for pod in pods)))


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 10 else 1


def _has_template(pod: Pod, template: PodTemplateSpec) -> bool:
    """Whether a pod runs the images that a template names, with the resources that it asks for."""

    def looks(containers: tuple[Container, ...]) -> list[object]:
        return [(each.name, each.image, each.resources.limits) for each in containers]

    return looks(pod.spec.containers) == looks(template.spec.containers)


def _former(pod: Pod, template: PodTemplateSpec) -> PodTemplateSpec:
    """The template of a pod that is not of the Deployment's present one, as far as the pod tells it."""
    spec = replace(
        template.spec, containers=tuple(replace(c, opaque="") for c in pod.spec.containers),
        init_containers=tuple(replace(c, opaque="") for c in pod.spec.init_containers),
    )  # fmt: skip
    return replace(template, spec=spec)
