"""The pod garbage collector: removes pods that no kubelet will ever remove.

It owns: since when nodes that pods refer to have been missing; lost when its process dies.
It may: mark pods as failed, and delete them without grace.

Four kinds of pods go: of nodes that are gone (40 s after that is seen), never scheduled and being deleted,
being deleted on a node that is out of service, and ended ones above a number.

Source: pkg/controller/podgc/gc_controller.go;
https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-garbage-collection.

Simplifies:

* Upstream passes over all pods every 20 s; here each pod is looked at by itself, at any time.
* Before an orphaned pod goes, upstream asks the API server whether the node really is gone.  Here the
  informers' view answers, so it has to be let see the present for that (or a node that joined more than 40 s
  ago and isn't seen yet would lose its pods).
* The status is written whole, without a condition on what it was, where upstream patches the phase and a
  condition: what another wrote at that moment is lost with a pod that is deleted next.
* Ended pods that were created at the same time go in the order of their names.  Ages of pods are not kept for
  it, so the order by age is that of the manifests.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial

from kythera.model.api.core.node import Node
from kythera.model.api.core.pod import Pod
from kythera.model.api.meta import Condition
from kythera.model.api.pods import condition, is_terminal, is_terminating, set_condition
from kythera.model.controller import Controller, Step
from kythera.model.record import Age, NodeName, Record, record, replace
from kythera.model.request import Delete, Ref, Request, Update
from kythera.model.view import View

QUARANTINE = 40
"""For so many seconds a node has to be missing before its pods go."""

OUT_OF_SERVICE = "node.kubernetes.io/out-of-service"

DEFAULT_THRESHOLD = 12500

NODES = Ref("Node")
"""The key under which missing nodes are looked after, all at once."""

ORPHANED = Condition("DisruptionTarget", "True", "DeletionByPodGC", "the pod's node no longer exists")


@record
class Missing(Record):
    """A node that pods refer to and that isn't seen, and since when."""

    node: NodeName = NodeName("")
    since: Age = Age(0)


Local = frozenset[Missing]


def keys(view: View) -> Iterable[Ref]:
    """The missing nodes as a whole, and every pod."""
    yield NODES
    for pod in view.list(Pod):
        yield Ref("Pod", pod.metadata.namespace, pod.metadata.name, pod.metadata.uid)


def reconcile(local: Local, view: View, key: Ref, *, threshold: int = DEFAULT_THRESHOLD) -> Iterator[Step]:
    """Remove one pod if nobody else will, or take note of nodes that have come or gone.

    ``threshold``: how many ended pods are left alone; 0: all of them.
    Source: pkg/controller/podgc/gc_controller.go gc.
    """
    if key == NODES:
        missing = _missing(local, view)
        ages = [each.since for each in missing if each.since < QUARANTINE]
        wait = QUARANTINE - max(ages) if ages else None
        yield Step(missing, requeue_after=wait, why=f"{len(missing)} nodes are missing")
        return
    pod = view.find(Pod, key)
    if pod is None or _is_forced(pod):
        yield Step(local)
        return
    gone = {each.node for each in local if each.since >= QUARANTINE} - {node.metadata.name for node in view.list(Node)}
    if pod.spec.node_name in gone:
        yield Step(local, remove(pod, ORPHANED), why="its node is gone")
    elif is_unscheduled(pod):
        yield Step(local, remove(pod), why="it is being deleted and was never scheduled")
    elif is_out_of_service(pod, view.list(Node)):
        yield Step(local, remove(pod), why="its node is out of service")
    elif is_ended(pod) and pod in surplus(view.list(Pod), threshold):
        yield Step(local, remove(pod), why=f"more than {threshold} pods have ended")
    else:
        yield Step(local)


def is_unscheduled(pod: Pod) -> bool:
    """Whether a pod is being deleted and no node has it.

    Source: pkg/controller/podgc/gc_controller.go gcUnscheduledTerminating.
    """
    return is_terminating(pod) and not pod.spec.node_name


def is_out_of_service(pod: Pod, nodes: Iterable[Node]) -> bool:
    """Whether a pod is being deleted on a node that isn't ready and has the taint for nodes out of service.

    Source: pkg/controller/podgc/gc_controller.go gcTerminating.
    """
    if not is_terminating(pod):
        return False
    node = next((each for each in nodes if each.metadata.name == pod.spec.node_name), None)
    if node is None:
        return False
    ready = condition(node.status.conditions, "Ready")
    tainted = any(taint.key == OUT_OF_SERVICE for taint in node.spec.taints)
    return tainted and (ready is None or ready.status != "True")


def is_ended(pod: Pod) -> bool:
    """Whether a pod has come to an end, as the garbage collector sees it.

    Source: pkg/controller/podgc/gc_controller.go isPodTerminated.
    """
    return pod.status.phase not in ("Pending", "Running", "Unknown")


def surplus(pods: Iterable[Pod], threshold: int) -> tuple[Pod, ...]:
    """The ended pods above a number (0: there is none): evicted ones first, then the oldest.

    Source: pkg/controller/podgc/gc_controller.go gcTerminated.
    """
    if threshold <= 0:
        return ()
    ended = sorted((pod for pod in pods if is_ended(pod)), key=_order)
    return tuple(ended[: max(0, len(ended) - threshold)])


def _order(pod: Pod) -> tuple[bool, bool, int, str, int]:
    evicted = pod.status.phase == "Failed" and pod.status.reason == "Evicted"
    created = pod.metadata.creation_timestamp
    uid = -1 if pod.metadata.uid is None else pod.metadata.uid
    return not evicted, created is not None, -(created or 0), pod.metadata.name, uid


def remove(pod: Pod, why: Condition | None = None) -> tuple[Request, ...]:
    """The requests that mark a pod as failed, unless it has ended, and delete it without grace.

    The deletion is by name where there is one: whatever pod has it by then goes.
    Source: pkg/controller/podgc/gc_controller.go markFailedAndDeletePodWithCondition.
    """
    name, namespace = pod.metadata.name, pod.metadata.namespace
    delete = Delete(Ref("Pod", namespace, name, None if name else pod.metadata.uid), grace_period_seconds=0)
    if is_terminal(pod):
        return (delete,)
    status = replace(pod.status, phase="Failed")
    if why is not None:
        old = condition(status.conditions, why.type)
        since = old.last_transition_time if old is not None and old.status == why.status else Age(0)
        told = replace(why, last_transition_time=since)
        status = replace(status, conditions=set_condition(status.conditions, told))
    return Update(replace(pod, status=status), subresource="status", unconditional=True), delete


def orphans_of(pods: Iterable[Pod], nodes: Sequence[str]) -> tuple[Pod, ...]:
    """The pods whose node isn't there.

    Source: pkg/controller/podgc/gc_controller.go gcOrphaned.
    """
    return tuple(pod for pod in pods if pod.spec.node_name and pod.spec.node_name not in nodes)


def _missing(local: Local, view: View) -> Local:
    """The nodes that pods refer to and that aren't seen; those already known to be missing keep their age."""
    existing = tuple(node.metadata.name for node in view.list(Node))
    names = {pod.spec.node_name for pod in orphans_of(view.list(Pod), existing)}
    known = {each.node: each for each in local}
    found = (known.get(name, Missing(name)) for name in names if name is not None)
    return frozenset(found)


def _is_forced(pod: Pod) -> bool:
    """Whether a pod is deleted without grace already: finalizers keep it, and asking again does nothing."""
    return is_terminating(pod) and pod.metadata.deletion_grace_period_seconds == 0 and bool(pod.metadata.finalizers)


def controller(settings: Mapping[str, str] = {}) -> Controller:
    """The pod garbage collector; ``settings``: ``terminated-pod-gc-threshold``."""
    threshold = int(settings.get("terminated-pod-gc-threshold", DEFAULT_THRESHOLD))
    return Controller(
        name="pod-garbage-collector",
        watches=(Pod, Node),
        writes=(Pod,),
        initial=frozenset(),
        keys=keys,
        reconcile=partial(reconcile, threshold=threshold),
        horizons={"Missing.since": QUARANTINE},
        says="removes pods that no kubelet will ever remove",
    )


def horizons_of(obj: Record) -> Mapping[str, int]:
    """No object makes ages matter longer than they do anyway."""
    return {}
