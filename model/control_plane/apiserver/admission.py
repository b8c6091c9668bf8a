"""Admission: what the API server adds to an object or holds against it, between defaulting and validation.

The plugins that Kubernetes enables by default and that the modelled kinds meet: Priority,
DefaultTolerationSeconds, TaintNodesByCondition.  (NamespaceLifecycle stands with creation and deletion.)

Source: plugin/pkg/admission and pkg/kubeapiserver/options/plugins.go.
Simplifies: ServiceAccount, LimitRanger, ResourceQuota, PodSecurity and webhooks are not modelled.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar, cast

from kythera.model.api.core.node import Node
from kythera.model.api.core.pod import Pod
from kythera.model.api.core.scheduling import Taint, Toleration
from kythera.model.api.scheduling import PriorityClass
from kythera.model.record import Record, replace

R = TypeVar("R", bound=Record)
PriorityClasses = tuple[PriorityClass, ...]
Refuse = Callable[[str], Exception]

NOT_READY = "node.kubernetes.io/not-ready"
UNREACHABLE = "node.kubernetes.io/unreachable"
NO_SCHEDULE, NO_EXECUTE = "NoSchedule", "NoExecute"

SYSTEM_PRIORITIES = {"system-node-critical": 2_000_001_000, "system-cluster-critical": 2_000_000_000}
HIGHEST_USER_DEFINABLE_PRIORITY = 1_000_000_000
PREEMPT_LOWER_PRIORITY = "PreemptLowerPriority"


def admit(obj: R, old: Record | None, classes: PriorityClasses | None, refuse: Refuse) -> R:
    """The object as the plugins leave it; ``old`` is what it replaces, ``None`` when it is created.

    ``classes`` are the stored priority classes (``None``: the cluster's store holds no such kind).
    Raises ``refuse(why)`` where a plugin forbids the request.
    Source: staging/src/k8s.io/apiserver/pkg/admission/chain.go.
    """
    if isinstance(obj, Pod):
        pod = resolve_priority(obj, cast("Pod | None", old), classes, refuse)
        return cast(R, add_default_tolerations(pod))
    if isinstance(obj, Node) and old is None:
        return cast(R, taint_new_node(obj))
    if isinstance(obj, PriorityClass):
        check_priority_class(obj, old is None, classes or (), refuse)
    return obj


def add_default_tolerations(pod: Pod, not_ready_seconds: int = 300, unreachable_seconds: int = 300) -> Pod:
    """The pod, bearing a node that is not ready or unreachable for so many seconds, unless it says itself.

    Source: plugin/pkg/admission/defaulttolerationseconds/admission.go Plugin.Admit.
    """
    added = tuple(
        Toleration(key, "Exists", effect=NO_EXECUTE, toleration_seconds=seconds)
        for key, seconds in ((NOT_READY, not_ready_seconds), (UNREACHABLE, unreachable_seconds))
        if not _speaks_of(pod.spec.tolerations, key)
    )
    if not added:
        return pod
    return replace(pod, spec=replace(pod.spec, tolerations=pod.spec.tolerations + added))


def _speaks_of(tolerations: Iterable[Toleration], key: str) -> bool:
    return any(each.key in (key, "") and each.effect in (NO_EXECUTE, "") for each in tolerations)


def taint_new_node(node: Node) -> Node:
    """The node, tainted as not ready until its controller finds it ready.

    Source: plugin/pkg/admission/nodetaint/admission.go Plugin.Admit.
    """
    if any(taint.key == NOT_READY and taint.effect == NO_SCHEDULE for taint in node.spec.taints):
        return node
    taints = (*node.spec.taints, Taint(NOT_READY, effect=NO_SCHEDULE))
    return replace(node, spec=replace(node.spec, taints=taints))


def default_class(classes: Iterable[PriorityClass]) -> PriorityClass | None:
    """The class of pods that name none; should several claim to be that, the one of lowest value.

    Source: plugin/pkg/admission/priority/admission.go getDefaultPriorityClass.
    """
    return min((each for each in classes if each.global_default), key=lambda c: c.value, default=None)


def resolve_priority(pod: Pod, old: Pod | None, classes: PriorityClasses | None, refuse: Refuse) -> Pod:
    """The pod with the priority and preemption policy of its class; an update without them keeps them.

    Forbidden: a class that doesn't exist, a priority or policy that isn't the class's.
    Source: plugin/pkg/admission/priority/admission.go admitPod.
    Simplifies: without PriorityClass objects in the store a class other than the system's isn't looked up.
    """
    spec = pod.spec
    if old is not None:
        return replace(
            pod,
            spec=replace(
                spec,
                priority=old.spec.priority if spec.priority is None else spec.priority,
                preemption_policy=spec.preemption_policy or old.spec.preemption_policy,
            ),
        )
    name, value, policy = spec.priority_class_name, 0, PREEMPT_LOWER_PRIORITY
    if not name:
        found = default_class(classes or ())
        if found is not None:
            name, value = found.metadata.name, found.value
            policy = found.preemption_policy or policy
    elif name in SYSTEM_PRIORITIES:
        value = SYSTEM_PRIORITIES[name]
    elif classes is None:
        return pod
    else:
        named = [each for each in classes if each.metadata.name == name]
        if not named:
            raise refuse(f"no PriorityClass with name {name} was found")
        value = named[0].value
        policy = named[0].preemption_policy or policy
    if spec.priority is not None and spec.priority != value:
        raise refuse(
            f"the integer value of priority ({spec.priority}) must not be provided in pod spec; priority "
            f"admission "
            f"controller computed {value} from the given PriorityClass name"
        )
    if spec.preemption_policy is not None and spec.preemption_policy != policy:
        raise refuse(
            f"the string value of PreemptionPolicy ({spec.preemption_policy}) must not be provided in pod "
            f"spec; "
            f"priority admission controller computed {policy} from the given PriorityClass name"
        )
    spec = replace(spec, priority_class_name=name, priority=value, preemption_policy=policy)
    return replace(pod, spec=spec)


def check_priority_class(new: PriorityClass, creating: bool, classes: PriorityClasses, refuse: Refuse) -> None:
    """Raise ``refuse(why)`` for a second default class.

    Source: plugin/pkg/admission/priority/admission.go validatePriorityClass.
    """
    there = default_class(classes) if new.global_default else None
    if there is not None and (creating or there.metadata.name != new.metadata.name):
        name = there.metadata.name
        raise refuse(f"PriorityClass {name} is already marked as default. Only one default can exist")
