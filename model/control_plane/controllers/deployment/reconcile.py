"""The Deployment controller: replaces pods of an old template by pods of the new one, by way of ReplicaSets.

It owns: what became of the last creation of a ReplicaSet, per Deployment (``Attempt``); lost when its
process dies. It may: create, scale, annotate, adopt, release and delete ReplicaSets, and write the status
(with the revision annotation) of Deployments.

Source: pkg/controller/deployment/deployment_controller.go.
Simplifies: the annotation for rolling back that apps/v1 no longer offers is ignored; events are not recorded.  A look
whose later requests were refused after it has created a ReplicaSet is repeated when something new is seen; upstream
repeats it up to 15 times before (``maxRetries``), with growing delays, from the view that it has then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from kythera.model.api.apps import Deployment, ReplicaSet, RollingUpdateDeployment
from kythera.model.api.core.pod import Pod, PodStatus
from kythera.model.api.meta import LabelSelector, ObjectMeta
from kythera.model.api.ownership import claim
from kythera.model.api.pods import controller_of, is_terminal
from kythera.model.control_plane.controllers.deployment.progress import (
    PROGRESSING,
    REPLICA_SET_CREATE_ERROR,
    has_progress_deadline,
    new_condition,
    set_deployment_condition,
)
from kythera.model.control_plane.controllers.deployment.revisions import NO_LIMIT, equal_ignoring_hash
from kythera.model.control_plane.controllers.deployment.sync import Sync
from kythera.model.controller import Controller, Reply, Step
from kythera.model.record import Record, Uid, record, replace
from kythera.model.request import Create, Ref, Request, Update, ref_of
from kythera.model.view import View

ALREADY_EXISTS = "AlreadyExists"
CREATED = "Created"


@record
class Attempt(Record):
    """What became of the last creation of a ReplicaSet of a Deployment.

    ``outcome``: Created, as long as nothing has been seen of the Deployment since; or why it was refused, AlreadyExists
    or ReplicaSetCreateError, with the API server's ``message``.

    A ReplicaSet that was just created is not created once more from the same view, even if it is gone by then: nothing
    puts the Deployment's key into the work queue again before an informer shows something of it.  Else a controller
    whose cache still shows a Deployment that is gone would make a ReplicaSet each time that one has been collected.
    """

    deployment: Uid
    outcome: str
    message: str = ""


Local = tuple[Attempt, ...]


def keys(view: View) -> Iterable[Ref]:
    """Every Deployment that is seen."""
    return [ref_of(each) for each in view.list(Deployment)]


def reconcile(local: Local, view: View, key: Ref) -> Iterator[Step]:
    """Bring one Deployment a step nearer to its template and its number of pods, and report on it.

    Source: pkg/controller/deployment/deployment_controller.go syncDeployment.
    """
    deployment = view.find(Deployment, key)
    if deployment is None or deployment.metadata.uid is None:
        yield Step(local)
        return
    if deployment.spec.selector in (None, LabelSelector()):
        yield _selects_all(local, deployment)
        return
    namespace = deployment.metadata.namespace
    claims = claim(deployment, deployment.spec.selector, view.list(ReplicaSet, namespace))
    sync = Sync(deployment, claims, view.list(Pod, namespace))
    sync.run()
    last = next((each for each in local if each.deployment == deployment.metadata.uid), None)
    if last is None:
        yield Step(local, sync.requests(), sync.wait, sync.why)
    elif last.outcome == CREATED:
        yield Step(local)
    elif sync.created is None:
        yield Step(_forget(local, last.deployment), sync.requests(), sync.wait, sync.why)
    elif last.outcome == ALREADY_EXISTS:
        yield _collided(local, view, sync, sync.created)
    else:
        yield _reported(local, sync, sync.created, last)


def unbounded(local: Local, view: View, key: Ref) -> Iterator[Step]:
    """A variant that rolls out as if maxSurge and maxUnavailable were 100%."""
    anything = RollingUpdateDeployment("100%", "100%")
    seen = tuple(
        replace(each, spec=replace(each.spec, strategy=replace(each.spec.strategy, rolling_update=anything)))
        for each in view.list(Deployment)
    )
    return reconcile(local, View(view.objects.set("Deployment", seen)), key)


def _selects_all(local: Local, deployment: Deployment) -> Step:
    """A Deployment that would select every pod is left alone."""
    if deployment.status.observed_generation >= deployment.metadata.generation:
        return Step(local)
    status = replace(deployment.status, observed_generation=deployment.metadata.generation)
    return Step(local, (Update(replace(deployment, status=status), subresource="status"),), why="selects all pods")


def _collided(local: Local, view: View, sync: Sync, wanted: ReplicaSet) -> Step:
    """A ReplicaSet of the wanted name exists: if it is not the wanted one, the next name is tried.

    Source: pkg/controller/deployment/sync.go getNewReplicaSet.
    """
    deployment = sync.before
    existing = view.get(ReplicaSet, wanted.metadata.namespace, wanted.metadata.name)
    if existing is None:
        return Step(local, sync.requests(), why="a ReplicaSet of that name exists, but isn't seen yet")
    owner = controller_of(existing)
    ours = owner is not None and owner.uid == deployment.metadata.uid
    forgotten = _forget(local, deployment.metadata.uid)
    if ours and equal_ignoring_hash(existing.spec.template, deployment.spec.template):
        return Step(forgotten, sync.requests(), why="the ReplicaSet exists")
    count = (deployment.status.collision_count or 0) + 1
    changed = replace(deployment, status=replace(deployment.status, collision_count=count))
    return Step(forgotten, (Update(changed, subresource="status"),), why=f"{wanted.metadata.name} is taken")


def _reported(local: Local, sync: Sync, wanted: ReplicaSet, refused: Attempt) -> Step:
    """Report that a ReplicaSet could not be created, as the last thing of the attempt, before another."""
    deployment = sync.before
    message = f'Failed to create new replica set "{wanted.metadata.name}": {refused.message}'
    failed = new_condition(PROGRESSING, "False", REPLICA_SET_CREATE_ERROR, message)
    conditions = set_deployment_condition(deployment.status.conditions, failed)
    if not has_progress_deadline(deployment) or conditions == deployment.status.conditions:
        return Step(local, sync.requests(), why=sync.why)
    changed = replace(deployment, status=replace(deployment.status, conditions=conditions))
    return Step(local, (Update(changed, subresource="status"),), why=message)


def _forget(local: Local, deployment: Uid | None) -> Local:
    return tuple(each for each in local if each.deployment != deployment)


def observe(local: Local, before: View, after: View) -> Local:
    """Forget Deployments that are gone, and creations of those that something is seen of.

    Source: pkg/controller/deployment/deployment_controller.go updateDeployment, addReplicaSet, updateReplicaSet,
    deleteReplicaSet.
    """
    if not local:
        return local
    existing = {each.metadata.uid for each in after.list(Deployment)}
    return tuple(
        each
        for each in local
        if each.deployment in existing
        and (each.outcome != CREATED or _about(before, each.deployment) == _about(after, each.deployment))
    )


def _about(view: View, deployment: Uid) -> tuple[Record, ...]:
    """What is seen of a Deployment: itself, and ReplicaSets that are its or nobody's."""
    owners = ((each, controller_of(each)) for each in view.list(ReplicaSet))
    return (
        *(each for each in view.list(Deployment) if each.metadata.uid == deployment),
        *(each for each, owner in owners if owner is None or owner.uid == deployment),
    )


def caught_up(local: Local) -> Local:
    """Forget creations once the informers show the present: what was created has shown, if only by being gone."""
    return tuple(each for each in local if each.outcome != CREATED)


def replied(local: Local, key: Ref, request: Request, reply: Reply) -> Local:
    """Remember what became of the creation of a ReplicaSet, unless it failed since its namespace is being deleted.

    Source: pkg/controller/deployment/sync.go getNewReplicaSet.
    """
    if key.uid is None or not isinstance(request, Create):
        return local
    others = _forget(local, key.uid)
    if reply.ok:
        new = Attempt(key.uid, CREATED)
    elif "being terminated" in reply.message:
        return others
    elif reply.code == 409 and reply.reason in ("", ALREADY_EXISTS):
        new = Attempt(key.uid, ALREADY_EXISTS)
    else:
        new = Attempt(key.uid, REPLICA_SET_CREATE_ERROR, reply.message)
    return tuple(sorted((*others, new), key=lambda each: each.deployment))


def pod_shape(pod: Pod) -> Pod | None:
    """What the controller reads of a pod, for Recreate: whose it is and whether it has ended."""
    if controller_of(pod) is None:
        return None
    metadata = pod.metadata
    return Pod(
        metadata=ObjectMeta(
            name=metadata.name,
            namespace=metadata.namespace,
            uid=metadata.uid,
            owner_references=metadata.owner_references,
        ),
        status=PodStatus(phase=pod.status.phase if is_terminal(pod) else ""),
    )


def horizons_of(obj: Record) -> Mapping[str, int]:
    """The ages that matter because of an object, and until when, in seconds.

    A Deployment waits for progress, and its ReplicaSets for pods to be ready for ``minReadySeconds``.
    """
    if not isinstance(obj, Deployment):
        return {}
    found = {}
    deadline = obj.spec.progress_deadline_seconds
    if deadline is not None and deadline != NO_LIMIT:
        found["Condition.last_update_time"] = deadline + 1
    if obj.spec.min_ready_seconds > 0:
        found["Condition.last_transition_time"] = obj.spec.min_ready_seconds
    return found


def controller(settings: Mapping[str, str] = {}) -> Controller:
    """The Deployment controller.

    ``settings``: ``recreate=false`` says that no Deployment is ever of type Recreate, so that pods need not
    be seen.  ``deployment.bounds=ignore`` is a variant that keeps neither to maxSurge nor to maxUnavailable.
    """
    bounded = settings.get("deployment.bounds") != "ignore"
    recreate = settings.get("recreate", "true") != "false"
    watches: tuple[type[Record], ...] = (Deployment, ReplicaSet, Pod) if recreate else (Deployment, ReplicaSet)
    shapes: dict[type[Record], Callable[[Pod], Record | None]] = {Pod: pod_shape} if recreate else {}
    return Controller(
        name="deployment",
        watches=watches,
        writes=(Deployment, ReplicaSet),
        initial=(),
        keys=keys,
        reconcile=reconcile if bounded else unbounded,
        observe=observe,
        replied=replied,
        shapes=shapes,
        caught_up=caught_up,
        says="replaces pods of an old template by pods of the new one",
    )
