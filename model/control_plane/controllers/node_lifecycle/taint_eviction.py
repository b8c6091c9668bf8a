"""The taint eviction controller: removes pods from nodes whose NoExecute taints they do not tolerate.

It owns: which pods it is going to evict and in how many seconds, and which it has evicted and still sees; lost when its
process dies.
It may: mark a pod as the target of a disruption, and delete it.

A pod that tolerates every NoExecute taint of its node is left alone for the shortest ``tolerationSeconds`` of the
tolerations that it needs for it, counted from the moment at which this controller sees taint and pod together (after a
restart, from then); without any it stays for ever.  When all taints go, so does what was planned.

Source: pkg/controller/tainteviction/taint_eviction.go;
https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/#taint-based-evictions.
Simplifies: a pod that is being deleted already is left alone.  The transition time of a condition that was True for
another reason is not kept.

Variant ``taint_eviction.evicts=nothing``: no pod is evicted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import partial

from kythera.model.api.core.node import Node, NodeSpec
from kythera.model.api.core.pod import Pod, PodSpec, PodStatus
from kythera.model.api.core.scheduling import Taint, Toleration
from kythera.model.api.meta import Condition, ObjectMeta, identity
from kythera.model.api.pods import condition, is_terminating
from kythera.model.api.taints import NO_EXECUTE, tolerates
from kythera.model.controller import Controller, Reply, Step
from kythera.model.record import Age, Record, Uid, record, replace
from kythera.model.request import Delete, Ref, Request, Update, ref_of
from kythera.model.view import View

PLAN = Ref("Pod")
"""The key under which pods are forgotten that are gone."""

TARGET = Condition(
    "DisruptionTarget", "True", "DeletionByTaintManager", "Taint manager: deleting due to NoExecute taint"
)


@record
class Planned(Record):
    """A pod to be evicted; ``due`` is an age: negative until then.  ``done``: it has been evicted, and still shows."""

    pod: Uid
    due: Age = Age(0)
    done: bool = False


Local = tuple[Planned, ...]


def no_execute_taints(node: Node) -> tuple[Taint, ...]:
    """The taints of a node that make pods leave."""
    return tuple(taint for taint in node.spec.taints if taint.effect == NO_EXECUTE)


def matching_tolerations(taints: Iterable[Taint], tolerations: Iterable[Toleration]) -> tuple[Toleration, ...] | None:
    """For each taint the first toleration that covers it, or ``None`` if one is not covered.

    Source: pkg/apis/core/v1/helper/helpers.go GetMatchingTolerations.
    """
    borne = tuple(tolerations)
    found = []
    for taint in taints:
        covering = next((each for each in borne if tolerates(each, taint)), None)
        if covering is None:
            return None
        found.append(covering)
    return tuple(found)


def seconds_tolerated(taints: Iterable[Taint], tolerations: Iterable[Toleration]) -> int | None:
    """For how many seconds these taints are tolerated (0: not at all), ``None`` for ever.

    Source: pkg/controller/tainteviction/taint_eviction.go processPodOnNode, getMinTolerationTime.
    """
    known = tuple(taints)
    used = matching_tolerations(known, tolerations)
    if used is None:
        return 0
    limits = [each.toleration_seconds for each in used if each.toleration_seconds is not None]
    return max(0, min(limits)) if limits else None


def keys(view: View) -> Iterable[Ref]:
    """Every pod that has a node, and what is planned."""
    yield PLAN
    for pod in view.list(Pod):
        if pod.spec.node_name:
            yield ref_of(pod)


def reconcile(local: Local, view: View, key: Ref, *, evicts: str = "all") -> Iterator[Step]:
    """Evict a pod, plan to, or give up a plan.

    Source: pkg/controller/tainteviction/taint_eviction.go processPodOnNode, deletePodHandler.
    """
    if key == PLAN:
        yield Step(_of_pods_that_are_there(local, view))
        return
    pod = view.find(Pod, key)
    if pod is None or pod.metadata.uid is None or evicts == "nothing":
        yield Step(local)
        return
    plan = _plan_for(local, pod.metadata.uid)
    if is_terminating(pod):
        yield Step(_without(local, pod.metadata.uid))
    elif plan is not None and plan.done:
        yield Step(local)
    else:
        yield _next(local, plan, pod, view.get(Node, "", pod.spec.node_name or ""))


def _next(local: Local, plan: Planned | None, pod: Pod, node: Node | None) -> Step:
    """What to do about a pod that is not being deleted: a plan once made keeps its time, whatever taints come."""
    uid = pod.metadata.uid
    assert uid is not None
    if node is not None:
        taints = no_execute_taints(node)
        seconds = seconds_tolerated(taints, pod.spec.tolerations) if taints else None
        if seconds is None:
            return Step(_without(local, uid))
        if seconds == 0:
            return _evict(local, pod, "it does not tolerate the taints of its node")
        if plan is None:
            plan = Planned(uid, Age(-seconds))
            return Step(_with(local, plan), requeue_after=seconds, why=f"it has {seconds} s left")
    if plan is None:
        return Step(local)
    if plan.due < 0:
        return Step(local, requeue_after=-plan.due)
    return _evict(local, pod, "it has tolerated the taints of its node for long enough")


def _evict(local: Local, pod: Pod, why: str) -> Step:
    """Mark the pod, then delete it.

    Source: pkg/controller/tainteviction/taint_eviction.go addConditionAndDeletePod.
    """
    delete = Delete(ref_of(pod))
    old = condition(pod.status.conditions, TARGET.type)
    if old == TARGET:
        return Step(local, (delete,), why=why)
    marked = replace(pod, status=PodStatus(conditions=(replace(TARGET, last_transition_time=Age(0)),)))
    mark = Update(marked, subresource="conditions", unconditional=True)
    return Step(local, (mark, delete), why=why)


def _plan_for(local: Local, uid: Uid) -> Planned | None:
    return next((each for each in local if each.pod == uid), None)


def _without(local: Local, uid: Uid) -> Local:
    return tuple(each for each in local if each.pod != uid)


def _with(local: Local, plan: Planned) -> Local:
    return tuple(sorted((*_without(local, plan.pod), plan), key=lambda each: each.pod))


def _of_pods_that_are_there(local: Local, view: View) -> Local:
    there = {pod.metadata.uid for pod in view.list(Pod) if not is_terminating(pod)}
    return tuple(each for each in local if each.pod in there)


def observe(local: Local, before: View, after: View) -> Local:
    """Plans for pods that are gone, or that somebody deletes, are forgotten.

    Source: pkg/controller/tainteviction/taint_eviction.go handlePodUpdate.
    """
    return _of_pods_that_are_there(local, after) if local and "Pod" in after.objects else local


def replied(local: Local, key: Ref, request: Request, reply: Reply) -> Local:
    """A pod that has been deleted, or is not there, is done with."""
    if isinstance(request, Delete) and key.uid is not None and (reply.ok or reply.code == 404):
        return _with(local, Planned(key.uid, done=True))
    return local


def caught_up(local: Local) -> Local:
    """The view shows the present: what was evicted shows as such."""
    return tuple(each for each in local if not each.done)


def pod_shape(pod: Pod) -> Pod | None:
    """What the controller reads of a pod that has a node and is not being deleted: where it is, what it tolerates."""
    if not pod.spec.node_name or is_terminating(pod):
        return None
    target = condition(pod.status.conditions, TARGET.type)
    seen = () if target is None else (replace(target, last_transition_time=None),)
    spec = PodSpec(node_name=pod.spec.node_name, tolerations=pod.spec.tolerations)
    return Pod(identity(pod.metadata), spec, PodStatus(conditions=seen))


def node_shape(node: Node) -> Node:
    """What the controller reads of a node: its name and the taints that make pods leave, whenever they were added."""
    taints = tuple(replace(taint, time_added=None) for taint in no_execute_taints(node))
    meta = ObjectMeta(name=node.metadata.name, uid=node.metadata.uid)
    return Node(meta, NodeSpec(taints=taints))


def controller(settings: Mapping[str, str] = {}) -> Controller:
    """The taint eviction controller; it has no settings but its variant."""
    return Controller(
        name="taint-eviction-controller",
        watches=(Pod, Node),
        writes=(Pod,),
        initial=(),
        keys=keys,
        reconcile=partial(reconcile, evicts=settings.get("taint_eviction.evicts", "all")),
        observe=observe,
        caught_up=caught_up,
        replied=replied,
        shapes={Pod: pod_shape, Node: node_shape},
        says="removes pods from nodes whose NoExecute taints they do not tolerate",
    )


def horizons_of(obj: Record) -> Mapping[str, int]:
    """Plans are kept as time remaining, so no age matters longer than 0."""
    return {}
