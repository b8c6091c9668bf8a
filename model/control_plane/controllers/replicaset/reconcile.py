"""The ReplicaSet controller: keeps the number of active pods that each ReplicaSet asks for.

It owns: what it has done and not seen yet, per ReplicaSet (``Memory``); lost when its process dies.
It may: create and delete pods, adopt and release them, and write the status of ReplicaSets.

Source: pkg/controller/replicaset/replica_set.go.
Simplifies: a status update that conflicts is computed again from the next view instead of being sent again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial

from kythera.model.api.apps import ReplicaSet
from kythera.model.api.core.container import Container, ContainerStatus
from kythera.model.api.core.pod import Pod, PodSpec, PodStatus
from kythera.model.api.labels import matches
from kythera.model.api.meta import Condition, ObjectMeta, deletion_mark, identity
from kythera.model.api.ownership import claim, is_claimed, owner_reference
from kythera.model.api.pods import condition, controller_of, is_active, is_ready, is_terminal, is_terminating
from kythera.model.control_plane.controllers.replicaset.expectations import (
    Local,
    caught_up,
    observed,
    recall,
    remember,
    shown,
)
from kythera.model.control_plane.controllers.replicaset.ranking import DELETION_COST, choices, ready_age
from kythera.model.control_plane.controllers.replicaset.status import REPLICA_FAILURE, calculate_status
from kythera.model.controller import Controller, Reply, Step
from kythera.model.record import Map, Record, replace
from kythera.model.request import Create, Delete, Ref, Request, Update, ref_of
from kythera.model.view import View

BURST_REPLICAS = 500


def keys(view: View) -> Iterable[Ref]:
    """Every ReplicaSet that is seen."""
    return [ref_of(each) for each in view.list(ReplicaSet)]


def reconcile(local: Local, view: View, key: Ref) -> Iterator[Step]:
    """Bring one ReplicaSet nearer to its number of pods and report on it.

    There is one step for each choice of pods to delete.
    Source: pkg/controller/replicaset/replica_set.go syncReplicaSet.
    """
    replica_set = view.find(ReplicaSet, key)
    if replica_set is None or replica_set.metadata.uid is None:
        yield Step(local)
        return
    pods = view.list(Pod, replica_set.metadata.namespace)
    selector = replica_set.spec.selector
    claims = claim(replica_set, selector, (pod for pod in pods if is_active(pod)))
    active = claims.claimed
    memory = shown(recall(local, replica_set.metadata.uid), pods)
    owners = {pod.metadata.uid: pod.metadata.owner_references for pod in pods}
    claiming = tuple(
        Update(each, "ownerReferences", unconditional=True, expected_owners=owners[each.metadata.uid])
        for each in (*claims.adopted, *claims.released)
    )
    terminating = sum(
        is_terminating(pod) and not is_terminal(pod) and is_claimed(replica_set, selector, pod) for pod in pods
    )
    missing = desired_replicas(replica_set) - len(active)
    manages = replica_set.metadata.deletion_timestamp is None and memory.satisfied
    unreported = memory.failure and condition(replica_set.status.conditions, REPLICA_FAILURE) is None
    if not unreported and (not manages or missing == 0):
        memory = replace(memory, failure="", message="")

    status = calculate_status(replica_set, active, terminating, memory.failure, memory.message)
    reporting: tuple[Request, ...] = ()
    if status != replica_set.status:
        reporting = (Update(replace(replica_set, status=status), subresource="status"),)
    wait = _until_next_available(replica_set, active)
    counts = f"{len(active)} of {desired_replicas(replica_set)} pods"

    if not manages or missing == 0 or unreported:
        # A failure is reported before it is tried again, as the last thing of the attempt that failed.
        yield Step(remember(local, memory), (*claiming, *reporting), wait, counts)
    elif missing > 0:
        number = min(missing, BURST_REPLICAS)
        creating = (Create(new_pod(replica_set)),) * number
        why = f"{counts}: create {number}"
        together = (*(1 for _ in claiming), *slow_start_batches(number))
        yield Step(remember(local, memory), (*claiming, *creating, *reporting), wait, why, together=together)
    else:
        number = min(-missing, BURST_REPLICAS)
        ways = list(choices(active, related_pods(view, replica_set), number))
        for chosen in ways:
            deleting = tuple(Delete(ref_of(pod)) for pod in chosen)
            choice = (("pods", tuple(pod.metadata.uid for pod in chosen)),) if len(ways) > 1 else ()
            why = f"{counts}: delete {len(chosen)}"
            together = (*(1 for _ in claiming), len(deleting))
            yield Step(remember(local, memory), (*claiming, *deleting, *reporting), wait, why, choice, together)


def creating_nothing(local: Local, view: View, key: Ref) -> Iterator[Step]:
    """A variant that never creates a pod: what depends on pods that are replaced must fail under it."""
    for step in reconcile(local, view, key):
        yield replace(step, requests=tuple(each for each in step.requests if not isinstance(each, Create)))


def desired_replicas(replica_set: ReplicaSet) -> int:
    """How many pods the ReplicaSet asks for; 1 where it doesn't say."""
    return 1 if replica_set.spec.replicas is None else replica_set.spec.replicas


def slow_start_batches(number: int) -> tuple[int, ...]:
    """The sizes of the batches in which so many pods are created: each twice as large as the one before.

    If creating fails at all, it then fails for few.  A batch is only begun if none of the one before was refused.
    Source: pkg/controller/replicaset/replica_set.go slowStartBatch, SlowStartInitialBatchSize.
    """
    sizes: list[int] = []
    while number > 0:
        sizes.append(min(2 ** len(sizes), number))
        number -= sizes[-1]
    return tuple(sizes)


def new_pod(replica_set: ReplicaSet) -> Pod:
    """The pod that a ReplicaSet's template describes, owned by it, its name left to the API server.

    Source: pkg/controller/controller_utils.go GetPodFromTemplate.
    """
    template = replica_set.spec.template
    metadata = ObjectMeta(
        generate_name=f"{replica_set.metadata.name}-",
        namespace=replica_set.metadata.namespace,
        labels=template.metadata.labels,
        annotations=template.metadata.annotations,
        finalizers=template.metadata.finalizers,
        owner_references=(owner_reference(replica_set),),
    )
    return Pod(metadata, template.spec)


def related_pods(view: View, replica_set: ReplicaSet) -> tuple[Pod, ...]:
    """The pods that any ReplicaSet of the same controller selects; none if the ReplicaSet has no controller.

    Source: pkg/controller/replicaset/replica_set.go getIndirectlyRelatedPods.
    """
    owner = controller_of(replica_set)
    if owner is None:
        return ()
    siblings = []
    for other in view.list(ReplicaSet, replica_set.metadata.namespace):
        theirs = controller_of(other)
        if theirs is not None and theirs.uid == owner.uid:
            siblings.append(other.spec.selector)
    pods = view.list(Pod, replica_set.metadata.namespace)
    return tuple(pod for pod in pods if any(matches(selector, pod.metadata.labels) for selector in siblings))


def pod_shape(pod: Pod) -> Pod:
    """What the controller reads of a pod: labels and owners, where it is, how far it is, and what ranks it."""
    old, status = pod.metadata, pod.status
    meta = replace(
        identity(old),
        labels=old.labels,
        annotations=Map({k: v for k, v in old.annotations.items() if k == DELETION_COST}),
        creation_timestamp=old.creation_timestamp,
        deletion_timestamp=deletion_mark(old),
        owner_references=old.owner_references,
    )
    sidecars = tuple(
        Container(name=c.name, restart_policy="Always") for c in pod.spec.init_containers if c.restart_policy
    )
    ready = condition(status.conditions, "Ready")
    seen = () if ready is None else (Condition("Ready", ready.status, last_transition_time=ready.last_transition_time),)
    return Pod(
        meta,
        PodSpec(node_name=pod.spec.node_name, init_containers=sidecars),
        PodStatus(
            phase=status.phase,
            conditions=seen,
            init_container_statuses=_restarts(status.init_container_statuses),
            container_statuses=_restarts(status.container_statuses),
        ),
    )


def _restarts(statuses: Sequence[ContainerStatus]) -> tuple[ContainerStatus, ...]:
    return tuple(ContainerStatus(name=s.name, restart_count=s.restart_count) for s in statuses if s.restart_count)


def _until_next_available(replica_set: ReplicaSet, active: Sequence[Pod]) -> int | None:
    """Seconds until the next ready pod counts as available, or ``None`` if none is waiting for that."""
    minimum = replica_set.spec.min_ready_seconds
    ages = (age for pod in active if is_ready(pod) and (age := ready_age(pod)) is not None)
    return min((minimum - age for age in ages if age < minimum), default=None)


def observe(local: Local, before: View, after: View) -> Local:
    """What the informers' event handlers do at one event: what it shows need not be waited for any more."""
    if not local:
        return local
    uids = (each.metadata.uid for each in after.list(ReplicaSet))
    return observed(local, after, frozenset(uid for uid in uids if uid is not None))


def replied(local: Local, key: Ref, request: Request, reply: Reply, *, expectations: bool = True) -> Local:
    """Expect to see what was carried out; remember why something was not.

    Creating anything in a namespace that is being deleted fails without being counted as a failure; deleting
    what is gone already is none either.
    Source: pkg/controller/replicaset/replica_set.go manageReplicas.
    """
    if key.uid is None or not isinstance(request, (Create, Delete)):
        return local
    memory = recall(local, key.uid)
    if reply.ok:
        memory = replace(memory, failure="", message="")
        if expectations and isinstance(request, Delete) and request.ref.uid is not None:
            memory = replace(memory, deleted=memory.deleted | {request.ref.uid})
        elif expectations and isinstance(reply.object, Pod) and reply.object.metadata.uid is not None:
            memory = replace(memory, created=memory.created | {reply.object.metadata.uid})
    elif isinstance(request, Create) and "being terminated" not in reply.message:
        memory = replace(memory, failure="FailedCreate", message=reply.message)
    elif isinstance(request, Delete) and reply.code != 404:
        memory = replace(memory, failure="FailedDelete", message=reply.message)
    return remember(local, memory)


def horizons_of(obj: Record) -> Mapping[str, int]:
    """The ages of pods that matter because of an object, and until when, in seconds (``minReadySeconds``)."""
    if isinstance(obj, ReplicaSet) and obj.spec.min_ready_seconds > 0:
        return {"Condition.last_transition_time": obj.spec.min_ready_seconds}
    return {}


def controller(settings: Mapping[str, str] = {}) -> Controller:
    """The ReplicaSet controller.

    ``settings``: with ``expectations=false`` it acts on whatever its informer shows.  That is the variant
    that creates too many pods when its informer lags, and all that is needed where informers never do.
    With ``replicaset.creates=nothing`` it creates no pods, and is otherwise as it should be.
    """
    chosen = settings.get("replicaset.expectations", settings.get("expectations", "true"))
    expectations = chosen != "false"
    creates = settings.get("replicaset.creates") != "nothing"
    return Controller(
        name="replicaset",
        watches=(ReplicaSet, Pod),
        writes=(ReplicaSet, Pod),
        initial=(),
        keys=keys,
        reconcile=reconcile if creates else creating_nothing,
        observe=observe,
        replied=partial(replied, expectations=expectations),
        shapes={Pod: pod_shape},
        caught_up=caught_up,
        says="keeps the number of pods that each ReplicaSet asks for",
    )
