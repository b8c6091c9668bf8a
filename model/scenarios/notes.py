"""What a reader should know: what objects speak of and the input does not hold, or the model does not have."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from kythera.model.api.autoscaling import HorizontalPodAutoscaler
from kythera.model.api.core.container import Container
from kythera.model.api.core.pod import Pod, PodSpec
from kythera.model.api.pods import controller_of
from kythera.model.scenarios.objects import Item
from kythera.model.scenarios.scenario import SchedulerSettings

MEASURED = frozenset({"Resource", "ContainerResource"})
"""The types of metrics that the model has."""


def missing(items: Sequence[Item], later: Sequence[Item], schedulers: Sequence[SchedulerSettings]) -> Iterator[str]:
    """A sentence for each reference that leads nowhere, or out of the model, and what follows from it.

    ``later`` are the objects that events apply: what they bring is not missing.
    """
    there = {item.key for item in (*items, *later)}
    known = {scheduler.name for scheduler in schedulers}
    for item in items:
        obj: Any = item.obj
        if isinstance(obj, HorizontalPodAutoscaler):
            target = obj.spec.scale_target_ref
            if (target.kind, obj.metadata.namespace, target.name) not in there:
                yield f"{item.label} scales {target.kind}/{target.name}, which is not in the input: it does nothing"
            for kind in sorted({metric.type for metric in obj.spec.metrics} - MEASURED):
                yield f"{item.label} goes by {kind} metrics, which are not modelled: they never have a value"
            continue
        spec, waits = _pods(obj)
        owner = controller_of(obj)
        if spec is None or (owner is not None and (owner.kind, obj.metadata.namespace, owner.name) in there):
            continue  # what is to be said is said of the owner
        node = spec.node_name
        if node is not None and ("Node", "", node) not in there:
            yield f"{item.label} is bound to node {node}, which is not in the input"
        if not waits:
            continue
        if node is None and spec.scheduler_name not in known:
            yield f"{item.label} names the scheduler {spec.scheduler_name}, which does not run: its pods stay pending"
        yield from _not_there(item, spec, there)
    for item in later:
        spec, _ = _pods(item.obj)
        if spec is not None:
            yield from _not_there(item, spec, there)
    yield from _ranks([*items, *later])


def _not_there(item: Item, spec: PodSpec, there: Collection[tuple[str, str, str]]) -> Iterator[str]:
    """What the containers of pods need, or use, and is not there."""
    for kind, name in dict.fromkeys(_needs(spec)):
        if (kind, item.meta.namespace, name) not in there:
            need = f"{item.label} needs the {kind} {name}, which is not in the input"
            yield f"{need}: containers that need it do not start"
    for claim in _claims(spec):
        use = f"{item.label} uses the PersistentVolumeClaim {claim}, and storage is not modelled"
        yield f"{use}: it was taken to be bound, and usable on every node by any number of pods"


def _ranks(items: Sequence[Item]) -> Iterator[str]:
    """Pods of different priorities: Kubernetes would let the one take the place of the other."""
    specs = (spec for spec, waits in map(_pods, (item.obj for item in items)) if spec is not None and waits)
    if len({spec.priority_class_name for spec in specs}) > 1:
        yield (
            "pods are of different priority classes, and preemption is not modelled: those of a higher priority are "
            "scheduled first, and wait where Kubernetes might evict others for them"
        )


def _pods(obj: Any) -> tuple[PodSpec | None, bool]:
    """The pods that an object is or makes, and whether any may still have to start."""
    if isinstance(obj, Pod):
        return obj.spec, obj.status.phase == "Pending"
    template = getattr(getattr(obj, "spec", None), "template", None)
    return (None, False) if template is None else (template.spec, True)


def _claims(spec: PodSpec) -> list[str]:
    """The PersistentVolumeClaims that pods use."""
    claims = (volume.persistent_volume_claim for volume in spec.volumes)
    return list(dict.fromkeys(claim.claim_name for claim in claims if claim is not None))


def _needs(spec: PodSpec) -> Iterator[tuple[str, str]]:
    """The ConfigMaps and Secrets without which containers do not start."""
    for volume in spec.volumes:
        if volume.config_map is not None and not volume.config_map.optional:
            yield "ConfigMap", volume.config_map.name
        if volume.secret is not None and not volume.secret.optional:
            yield "Secret", volume.secret.secret_name
    for container in (*spec.init_containers, *spec.containers):
        yield from _of_environment(container)


def _of_environment(container: Container) -> Iterator[tuple[str, str]]:
    for source in container.env_from:
        for kind, whole in (("ConfigMap", source.config_map_ref), ("Secret", source.secret_ref)):
            if whole is not None and not whole.optional:
                yield kind, whole.name
    for variable in container.env:
        if variable.value_from is not None:
            given = variable.value_from
            for kind, key in (("ConfigMap", given.config_map_key_ref), ("Secret", given.secret_key_ref)):
                if key is not None and not key.optional:
                    yield kind, key.name
