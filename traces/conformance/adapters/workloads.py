"""Cases of ReplicaSets, Deployments and the availability of pods.

Each adapter answers ``None`` if the model does what upstream's test expects, or says what it does instead.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from kythera.model.api.apps import (
    Deployment,
    DeploymentSpec,
    DeploymentStatus,
    DeploymentStrategy,
    ReplicaSet,
    ReplicaSetSpec,
    ReplicaSetStatus,
    RollingUpdateDeployment,
)
from kythera.model.api.core.pod import Pod, PodTemplateSpec
from kythera.model.api.decode import Context, decode
from kythera.model.api.meta import ObjectMeta
from kythera.model.api.pods import is_available
from kythera.model.control_plane.controllers.deployment import progress, revisions, rolling, scaling
from kythera.model.control_plane.controllers.replicaset import ranking, status
from kythera.model.record import Age, Map, Uid

Case = dict[str, Any]


def _context(given: Mapping[str, Any]) -> Context:
    now = given.get("now")
    return Context(now=datetime.fromisoformat(now).astimezone(UTC)) if now else Context()


def _number(given: Mapping[str, Any], key: str) -> int:
    """A number of the case; 0 where it is left out, as it is upstream."""
    return given.get(key) or 0


def _compare(expected: Any, got: Any) -> str | None:
    return None if expected == got else f"expected {expected}, got {got}"


def _selected(expected: Mapping[str, Any], got: Mapping[str, Any]) -> str | None:
    """Compare what is expected with so much of the answer as upstream asserts."""
    return _compare(dict(expected), {key: got.get(key) for key in expected})


def pod_available(case: Case) -> str | None:
    """Whether a pod has been ready for long enough."""
    given = case["input"]
    pod = decode(Pod, given["pod"], _context(given))
    return _selected(case["expected"], {"available": is_available(pod, _number(given, "min_ready_seconds"))})


def replica_set_status(case: Case) -> str | None:
    """The numbers of a ReplicaSet's status."""
    given = case["input"]
    context = _context(given)
    replica_set = decode(ReplicaSet, given["replicaset"], context)
    pods = [decode(Pod, each, context) for each in given.get("owned_pods") or ()]
    found = status.calculate_status(replica_set, pods, 0)
    got = {
        "replicas": found.replicas,
        "fullyLabeledReplicas": found.fully_labeled_replicas,
        "readyReplicas": found.ready_replicas,
        "availableReplicas": found.available_replicas,
    }
    return _selected(case["expected"], got)


def pods_to_delete(case: Case) -> str | None:
    """Which pods go when there are too many: upstream's choice has to be among the model's."""
    given = case["input"]
    pods = [decode(Pod, each, _context(given)) for each in given.get("pods") or ()]
    others = given.get("related_pods")
    related = pods if others is None else [decode(Pod, each, _context(given)) for each in others]
    found = [{pod.metadata.name for pod in way} for way in ranking.choices(pods, related, _number(given, "count"))]
    wanted = set(case["expected"]["deleted_set"])
    return None if wanted in found else f"expected {sorted(wanted)}, got one of {[sorted(way) for way in found]}"


def deletion_order_pair(case: Case) -> str | None:
    """Which of two pods goes first."""
    given = case["input"]
    keys = []
    for side in ("a", "b"):
        pod = decode(Pod, given[side]["pod"], _context(given))
        keys.append((ranking.deletion_key(pod, _number(given[side], "rank")), ranking.ready_age(pod)))
    (a, a_ready), (b, b_ready) = keys
    if a[0] == b[0] and a_ready != b_ready:
        order = "equal"  # ready since different times of the same power of two: nothing further is compared
    else:
        order = "a_first" if a < b else "b_first" if b < a else "equal"
    return _selected(case["expected"], {"order": order})


def deletion_order_list(case: Case) -> str | None:
    """The order of many pods, by upstream's plain comparison."""
    given = case["input"]
    pods = [decode(Pod, each, _context(given)) for each in given.get("pods") or ()]
    pods.sort(key=lambda pod: ranking.deletion_key(pod, logarithmic=False))
    return _selected(case["expected"], {"order": [pod.metadata.name for pod in pods]})


def _deployment(given: Mapping[str, Any]) -> Deployment:
    """The Deployment of a case that gives only numbers."""
    strategy = DeploymentStrategy(
        given.get("strategy", "RollingUpdate"),
        RollingUpdateDeployment(given.get("max_unavailable"), given.get("max_surge")),
    )
    replicas = given.get("deployment_replicas", given.get("replicas"))
    limit = given.get("revision_history_limit")
    spec = DeploymentSpec(replicas=replicas, strategy=strategy, revision_history_limit=limit)
    return Deployment(ObjectMeta(name="d", namespace="default"), spec)


def resolve_fenceposts(case: Case) -> str | None:
    """Surge and unavailability in pods."""
    given = case["input"]
    try:
        surge, unavailable = rolling.resolve_fenceposts(
            given.get("max_surge"), given.get("max_unavailable"), _number(given, "desired")
        )
    except ValueError:
        return _selected(case["expected"], {"error": True, "surge": 0, "unavailable": 0})
    return _selected(case["expected"], {"error": False, "surge": surge, "unavailable": unavailable})


def max_unavailable(case: Case) -> str | None:
    """How many pods of a Deployment may be missing."""
    deployment = decode(Deployment, case["input"]["deployment"], Context())
    return _selected(case["expected"], {"max_unavailable": rolling.max_unavailable(deployment)})


def new_replicas(case: Case) -> str | None:
    """The size of the new ReplicaSet; the other ReplicaSets are all that upstream's test counts."""
    given = case["input"]
    total = sum(given.get("other_rs_spec_replicas") or ())
    size = rolling.new_replica_set_size(_deployment(given), _number(given, "new_rs_spec_replicas"), total)
    return _selected(case["expected"], {"new_rs_spec_replicas": size})


def reconcile_new(case: Case) -> str | None:
    """How far the new ReplicaSet is scaled."""
    given = case["input"]
    before = _number(given, "new_rs_spec_replicas")
    total = before + _number(given, "old_rs_spec_replicas")
    size = rolling.reconciled_new_size(_deployment(given), before, total)
    return _selected(case["expected"], {"scaled": size != before, "new_rs_spec_replicas": size})


def reconcile_old(case: Case) -> str | None:
    """How far the old ReplicaSets are scaled down."""
    given = case["input"]
    old = rolling.Size(_number(given, "old_rs_spec_replicas"), _number(given, "old_rs_available"))
    new = rolling.Size(_number(given, "new_rs_spec_replicas"), _number(given, "new_rs_available"))
    total = old.replicas + new.replicas
    sizes = rolling.reconciled_old_sizes(_deployment(given), [old] if old.replicas else [], new, total)
    size = sizes[0] if sizes else 0
    return _selected(case["expected"], {"scaled": size != old.replicas, "old_rs_spec_replicas": size})


def clean_up_unhealthy(case: Case) -> str | None:
    """How many pods that aren't available are taken from old ReplicaSets."""
    given = case["input"]
    old = rolling.Size(_number(given, "old_rs_spec_replicas"), _number(given, "old_rs_available"))
    left, _ = rolling.clean_up_unhealthy([old], _number(given, "max_cleanup_count"))
    return _selected(case["expected"], {"cleanup_count": old.replicas - sum(left)})


def scale_down_old(case: Case) -> str | None:
    """How many available pods are taken from old ReplicaSets."""
    given = case["input"]
    deployment = _deployment(given)
    old = rolling.Size(_number(given, "old_rs_spec_replicas"), _number(given, "old_rs_available"))
    least = rolling.desired_replicas(deployment) - rolling.max_unavailable(deployment)
    size = rolling.scale_down_old([old], old.available - least)[0]
    return _selected(case["expected"], {"scaled": size != old.replicas, "old_rs_spec_replicas": size})


def complete(case: Case) -> str | None:
    """Whether a Deployment's rollout is complete."""
    deployment = decode(Deployment, case["input"]["deployment"], Context())
    return _selected(case["expected"], {"complete": progress.is_complete(deployment, deployment.status)})


def progressing(case: Case) -> str | None:
    """Whether one status shows progress over another."""
    before = decode(DeploymentStatus, case["input"]["old_status"], Context())
    after = decode(DeploymentStatus, case["input"]["new_status"], Context())
    return _selected(case["expected"], {"progressing": progress.is_progressing(before, after)})


def timed_out(case: Case) -> str | None:
    """Whether the last progress is too long ago."""
    given = case["input"]
    deployment = decode(Deployment, given["deployment"], _context(given))
    return _selected(case["expected"], {"timed_out": progress.has_timed_out(deployment, deployment.status)})


def template_equal(case: Case) -> str | None:
    """Whether two pod templates are the same but for the hash."""
    first = decode(PodTemplateSpec, case["input"]["template_a"], Context())
    second = decode(PodTemplateSpec, case["input"]["template_b"], Context())
    return _selected(case["expected"], {"equal": revisions.equal_ignoring_hash(first, second)})


def _replica_set(given: Mapping[str, Any], number: int, now: datetime) -> ReplicaSet:
    """The ReplicaSet of a case that gives only numbers."""
    created = given.get("created")
    age = None if created is None else Age(int((now - datetime.fromisoformat(created)).total_seconds()))
    metadata = ObjectMeta(
        name=given["name"],
        namespace="default",
        uid=Uid(number),
        annotations=Map(given.get("annotations") or {}),
        creation_timestamp=age,
        deletion_timestamp=Age(0) if given.get("deleting") else None,
    )
    counts = ReplicaSetStatus(
        replicas=_number(given, "status_replicas"), available_replicas=_number(given, "status_available")
    )
    return ReplicaSet(metadata, ReplicaSetSpec(replicas=given.get("spec_replicas")), counts)


def scale_proportional(case: Case) -> str | None:
    """How a number of replicas is shared among ReplicaSets."""
    given = case["input"]
    now = datetime(2024, 1, 1, tzinfo=UTC)
    deployment = _deployment(given["deployment"])
    new, old = None, []
    sizes = {}
    for number, each in enumerate(given.get("replica_sets") or ()):
        sizes[each["name"]] = each.get("spec_replicas")
        if each.get("role") == "new":
            new = _replica_set(each, number, now)
        else:
            old.append(_replica_set(each, number, now))
    for replica_set, size in scaling.scaled_sizes(deployment, new, old):
        sizes[replica_set.metadata.name] = size
    return _compare(case["expected"]["spec_replicas"], sizes)


def clean_up_history(case: Case) -> str | None:
    """How many old ReplicaSets are deleted."""
    given = case["input"]
    now = datetime(2024, 1, 1, tzinfo=UTC)
    old = [_replica_set(each, number, now) for number, each in enumerate(given.get("old_replica_sets") or ())]
    return _selected(case["expected"], {"deletions": len(revisions.forgotten(_deployment(given), old))})


ADAPTERS: dict[str, Callable[[Case], str | None]] = {
    "pod/available": pod_available,
    "replicaset/status": replica_set_status,
    "replicaset/pods-to-delete": pods_to_delete,
    "replicaset/deletion-order-pair": deletion_order_pair,
    "replicaset/deletion-order-list": deletion_order_list,
    "deployment/resolve-fenceposts": resolve_fenceposts,
    "deployment/max-unavailable": max_unavailable,
    "deployment/new-rs-new-replicas": new_replicas,
    "deployment/reconcile-new-replicaset": reconcile_new,
    "deployment/reconcile-old-replicasets": reconcile_old,
    "deployment/cleanup-unhealthy": clean_up_unhealthy,
    "deployment/scale-down-old-for-rolling-update": scale_down_old,
    "deployment/complete": complete,
    "deployment/progressing": progressing,
    "deployment/timed-out": timed_out,
    "deployment/template-equal-ignore-hash": template_equal,
    "deployment/scale-proportional": scale_proportional,
    "deployment/cleanup-revision-history": clean_up_history,
}
