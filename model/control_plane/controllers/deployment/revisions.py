"""ReplicaSets as revisions of a Deployment: which is the new one, what order they have, which are deleted.

Source: pkg/controller/deployment/util/deployment_util.go and pkg/controller/deployment/sync.go.
Simplifies: ``pod-template-hash`` is a hash of the template's record, not upstream's FNV hash of its Go
value; where two ReplicaSets were created in the same second (or nobody keeps count of seconds), the lower
revision counts as older before the name decides.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from hashlib import blake2b

from kythera.model.api.apps import Deployment, ReplicaSet, ReplicaSetSpec
from kythera.model.api.core.pod import PodTemplateSpec
from kythera.model.api.meta import LabelSelector, ObjectMeta
from kythera.model.api.ownership import owner_reference
from kythera.model.control_plane.controllers.deployment.rolling import desired_replicas, max_surge
from kythera.model.record import Map, replace

POD_TEMPLATE_HASH = "pod-template-hash"
REVISION = "deployment.kubernetes.io/revision"
REVISION_HISTORY = "deployment.kubernetes.io/revision-history"
DESIRED_REPLICAS = "deployment.kubernetes.io/desired-replicas"
MAX_REPLICAS = "deployment.kubernetes.io/max-replicas"
NO_LIMIT = 2**31 - 1

_NOT_COPIED = frozenset(
    {
        "kubectl.kubernetes.io/last-applied-configuration",
        REVISION,
        REVISION_HISTORY,
        DESIRED_REPLICAS,
        MAX_REPLICAS,
        "deprecated.deployment.rollback.to",
    }
)
_LETTERS = "bcdfghjklmnpqrstvwxz2456789"  # no vowels, no digits that look like letters: no words by accident
_LONGEST_NAME = 253
_LONGEST_HISTORY = 2000


def replicas_of(replica_set: ReplicaSet) -> int:
    """How many pods a ReplicaSet asks for; 1 where it doesn't say."""
    return 1 if replica_set.spec.replicas is None else replica_set.spec.replicas


def is_in_use(replica_set: ReplicaSet) -> bool:
    """Whether a ReplicaSet asks for any pods.

    Source: pkg/controller/controller_utils.go FilterActiveReplicaSets.
    """
    return replicas_of(replica_set) > 0


@cache
def template_hash(template: PodTemplateSpec, collision_count: int | None) -> str:
    """The value of the ``pod-template-hash`` label: the same for the same template and number of collisions.

    Source: pkg/controller/controller_utils.go ComputeHash.
    """
    digest = blake2b(repr((template, collision_count)).encode(), digest_size=4).digest()
    return "".join(_LETTERS[ord(digit) % len(_LETTERS)] for digit in str(int.from_bytes(digest, "big")))


def equal_ignoring_hash(first: PodTemplateSpec, second: PodTemplateSpec) -> bool:
    """Whether two templates are the same but for the ``pod-template-hash`` label.

    Source: pkg/controller/deployment/util/deployment_util.go EqualIgnoreHash.
    """
    return _without_hash(first) == _without_hash(second)


def _without_hash(template: PodTemplateSpec) -> PodTemplateSpec:
    metadata = template.metadata
    return replace(template, metadata=replace(metadata, labels=metadata.labels.without(POD_TEMPLATE_HASH)))


def revision_of(replica_set: ReplicaSet) -> int | None:
    """The revision that a ReplicaSet carries: 0 if it has none, ``None`` if it isn't a number.

    Source: pkg/controller/deployment/util/deployment_util.go Revision.
    """
    return _number(replica_set.metadata.annotations.get(REVISION, "0"))


def _number(text: str) -> int | None:
    try:
        return int(text)
    except ValueError:
        return None


def oldest_first(replica_sets: Iterable[ReplicaSet]) -> list[ReplicaSet]:
    """ReplicaSets by age, then name.

    Source: pkg/controller/controller_utils.go ReplicaSetsByCreationTimestamp.
    """

    def key(each: ReplicaSet) -> tuple[float, int, str]:
        age = each.metadata.creation_timestamp
        return float("-inf") if age is None else -age, revision_of(each) or 0, each.metadata.name

    return sorted(replica_sets, key=key)


def new_replica_set(deployment: Deployment, replica_sets: Iterable[ReplicaSet]) -> ReplicaSet | None:
    """The oldest ReplicaSet that has the Deployment's template.

    Source: pkg/controller/deployment/util/deployment_util.go FindNewReplicaSet.
    """
    template = deployment.spec.template
    return next((r for r in oldest_first(replica_sets) if equal_ignoring_hash(r.spec.template, template)), None)


def next_revision(old: Iterable[ReplicaSet]) -> int:
    """One more than the highest revision of the old ReplicaSets.

    Source: pkg/controller/deployment/util/deployment_util.go MaxRevision.
    """
    return max((revision_of(each) or 0 for each in old), default=0) + 1


def with_size_annotations(annotations: Map[str], deployment: Deployment) -> Map[str]:
    """Annotations that record what the Deployment wanted, and at most allowed, when it was scaled.

    Source: pkg/controller/deployment/util/deployment_util.go SetReplicasAnnotations.
    """
    desired = desired_replicas(deployment)
    sizes = {DESIRED_REPLICAS: str(desired), MAX_REPLICAS: str(desired + max_surge(deployment))}
    return annotations if sizes.items() <= annotations.items() else Map({**annotations, **sizes})


def with_revision_annotations(annotations: Map[str], deployment: Deployment, revision: int) -> Map[str]:
    """A new ReplicaSet's annotations: the Deployment's, and its revision, which never goes down.

    A revision that it had before (a rollback) is kept in its history.
    Source: pkg/controller/deployment/util/deployment_util.go SetNewReplicaSetAnnotations.
    """
    result = dict(annotations)
    result.update((k, v) for k, v in deployment.metadata.annotations.items() if k not in _NOT_COPIED)
    before = annotations.get(REVISION, "")
    number = _number(before) if before else 0
    if number is not None and number < revision:
        result[REVISION] = str(revision)
        if REVISION in annotations:
            history = [each for each in annotations.get(REVISION_HISTORY, "").split(",") if each]
            while history and len(",".join((*history, before))) > _LONGEST_HISTORY:
                history.pop(0)
            result[REVISION_HISTORY] = ",".join((*history, before))
    return Map(result)


def replica_set_for(deployment: Deployment, size: int, revision: int) -> ReplicaSet:
    """The ReplicaSet that the Deployment creates for its template.

    Source: pkg/controller/deployment/sync.go getNewReplicaSet.
    """
    spec = deployment.spec
    code = template_hash(spec.template, deployment.status.collision_count)
    labels = spec.template.metadata.labels.set(POD_TEMPLATE_HASH, code)
    selector = spec.selector or LabelSelector()
    annotations = with_revision_annotations(Map(), deployment, revision)
    return ReplicaSet(
        metadata=ObjectMeta(
            name=f"{deployment.metadata.name[: _LONGEST_NAME - 1 - len(code)]}-{code}",
            namespace=deployment.metadata.namespace,
            labels=labels,
            annotations=with_size_annotations(annotations, deployment),
            owner_references=(owner_reference(deployment),),
        ),
        spec=ReplicaSetSpec(
            replicas=size,
            min_ready_seconds=spec.min_ready_seconds,
            selector=replace(selector, match_labels=selector.match_labels.set(POD_TEMPLATE_HASH, code)),
            template=replace(spec.template, metadata=replace(spec.template.metadata, labels=labels)),
        ),
    )


def forgotten(deployment: Deployment, old: Iterable[ReplicaSet]) -> tuple[ReplicaSet, ...]:
    """The old ReplicaSets to delete: the lowest revisions above ``revisionHistoryLimit`` without pods.

    Source: pkg/controller/deployment/sync.go cleanupDeployment.
    """
    limit = deployment.spec.revision_history_limit
    if limit is None or limit == NO_LIMIT:
        return ()
    alive = [each for each in oldest_first(old) if each.metadata.deletion_timestamp is None]
    alive.sort(key=lambda each: revision_of(each) or 0)
    return tuple(each for each in alive[: max(0, len(alive) - limit)] if _is_idle(each))


def _is_idle(replica_set: ReplicaSet) -> bool:
    status = replica_set.status
    seen = replica_set.metadata.generation <= status.observed_generation
    return status.replicas == 0 and replicas_of(replica_set) == 0 and seen


def total_replicas(replica_sets: Sequence[ReplicaSet]) -> int:
    """How many pods the ReplicaSets ask for together."""
    return sum(replicas_of(each) for each in replica_sets)
