"""What a reader should know: objects that others speak of and that the input does not hold."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from kythera.model.api.autoscaling import HorizontalPodAutoscaler
from kythera.model.api.core.container import Container
from kythera.model.api.core.pod import Pod, PodSpec
from kythera.model.api.pods import controller_of
from kythera.model.scenarios.objects import Item
from kythera.model.scenarios.scenario import SchedulerSettings


def missing(items: Sequence[Item], later: Sequence[Item], schedulers: Sequence[SchedulerSettings]) -> Iterator[str]:
    """A sentence for each reference that leads nowhere, and what follows from it.

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
        for kind, name in dict.fromkeys(_needs(spec)):
            if (kind, obj.metadata.namespace, name) not in there:
                need = f"{item.label} needs the {kind} {name}, which is not in the input"
                yield f"{need}: containers that need it do not start"


def _pods(obj: Any) -> tuple[PodSpec | None, bool]:
    """The pods that an object is or makes, and whether any may still have to start."""
    if isinstance(obj, Pod):
        return obj.spec, obj.status.phase == "Pending"
    template = getattr(getattr(obj, "spec", None), "template", None)
    return (None, False) if template is None else (template.spec, True)


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
