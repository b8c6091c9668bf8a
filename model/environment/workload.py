"""The workload: what the processes inside containers do, which manifests do not tell.

It owns: the usage level of each group of pods, and how often it may still change (``usage/<n>``).
It may: change the level.  The metrics API is the view of it (``metrics``).

Source: https://kubernetes.io/docs/tasks/debug/debug-cluster/resource-metrics-pipeline/.
Simplifies: all pods of a group have the same usage, and the metrics API knows it at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from kythera.model.api.core.pod import Pod
from kythera.model.api.labels import matches_map
from kythera.model.api.meta import ObjectMeta
from kythera.model.api.metrics import ContainerMetrics, PodMetrics
from kythera.model.api.quantity import Quantity, canonical
from kythera.model.record import Age, Map, Record, record
from kythera.model.rule import WORKLOAD, Outcome, Process, Yields, rule
from kythera.model.scenarios.scenario import Workload
from kythera.model.view import View


@record
class Usage(Record):
    """The present level (an index), and how often it may still change."""

    level: int = 0
    changes: int = 0


@rule("the load on {pods} changes: cpu from {from} to {to}", WORKLOAD)
def change(usage: Usage, levels: tuple[str, ...], pods: str) -> Yields:
    """The load on a group of pods changes to another of its levels."""
    if usage.changes > 0:
        for level, shown in enumerate(levels):
            if level != usage.level:
                parameters = (("pods", pods), ("from", levels[usage.level]), ("to", shown))
                yield Outcome(parameters, {"usage": Usage(level, usage.changes - 1)})


def metrics(workload: tuple[Workload, ...], present: View, usages: tuple[Any, ...]) -> Mapping[str, tuple[Record, ...]]:
    """The PodMetrics of all running pods that a workload speaks of."""
    found = []
    for pod in present.list(Pod):
        if pod.status.phase != "Running":
            continue
        for group, usage in zip(workload, usages, strict=True):
            if matches_map(group.selector, pod.metadata.labels):
                found.append(_metrics_of(pod, group.cpu[usage.level]))
                break
    return {"PodMetrics": tuple(found)}


def _metrics_of(pod: Pod, cpu: Quantity) -> PodMetrics:
    """The usage of a pod, divided equally among its containers."""
    share = Quantity(cpu.nano // max(len(pod.spec.containers), 1), cpu.format)
    meta = ObjectMeta(
        name=pod.metadata.name, namespace=pod.metadata.namespace, uid=pod.metadata.uid, labels=pod.metadata.labels
    )
    containers = tuple(ContainerMetrics(c.name, Map({"cpu": share})) for c in pod.spec.containers)
    return PodMetrics(meta, Age(0), 30, containers)


def processes(groups: Sequence[Workload]) -> Iterator[Process]:
    """The load on each group of pods that may change, named by what selects the group; alike ones are numbered."""
    named: dict[str, int] = {}
    for number, group in enumerate(groups):
        if not group.changes:
            continue
        selected = ",".join(f"{key}={value}" for key, value in group.selector.items())
        named[selected] = named.get(selected, 0) + 1
        alike = f"#{named[selected]}" if named[selected] > 1 else ""
        yield Process(
            f"workload/{selected}{alike}",
            (change,),
            {"usage": f"usage/{number}"},
            {
                "levels": tuple(canonical(q) for q in group.cpu),
                "pods": f"the pods with {selected.replace(',', ', ')}" if selected else "all pods",
            },
        )
