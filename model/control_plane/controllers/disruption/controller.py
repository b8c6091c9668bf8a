"""The control loop: a look at one budget (``budgets.py``), or at one pod that is said to be disrupted (``targets.py``).

Source: pkg/controller/disruption/disruption.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import partial

from kythera.model.api.apps import Deployment, ReplicaSet
from kythera.model.api.core.pod import Pod
from kythera.model.api.policy import PodDisruptionBudget
from kythera.model.control_plane.controllers.disruption.budgets import (
    DELETION_TIMEOUT,
    SyncError,
    budget_status,
    disrupted_pods,
    failed_status,
    pods_of,
    scale_of_owner,
)
from kythera.model.control_plane.controllers.disruption.targets import (
    STALE_CONDITION_TIMEOUT,
    Local,
    is_targeted,
    look_at_pod,
    still_targeted,
)
from kythera.model.controller import Controller, Step
from kythera.model.record import Record, replace
from kythera.model.request import Ref, Update, ref_of
from kythera.model.view import View

RECOMPUTE = "recompute"
OVERWRITE_WITH_OLD = "overwrite_with_old"


def keys(view: View) -> Iterable[Ref]:
    """Every budget, and every pod that bears a DisruptionTarget condition and isn't being deleted."""
    yield from (ref_of(each) for each in view.list(PodDisruptionBudget))
    yield from (ref_of(pod) for pod in view.list(Pod) if is_targeted(pod))


def reconcile(local: Local, view: View, key: Ref, *, on_conflict: str = RECOMPUTE) -> Iterator[Step]:
    """Bring one budget's status up to date, or take back one pod's stale DisruptionTarget condition.

    ``on_conflict``: what happens if the budget has changed since it was looked at.  ``recompute``: the write
    is refused, and the budget looked at again.  ``overwrite_with_old``: the status is written all the same.
    Source: pkg/controller/disruption/disruption.go sync, syncStalePodDisruption.
    """
    local = still_targeted(local, view)
    if key.kind == "Pod":
        pod = view.find(Pod, key)
        yield Step(local) if pod is None else look_at_pod(local, pod)
        return
    budget = view.find(PodDisruptionBudget, key)
    if budget is None:
        yield Step(local)
        return
    recheck = None
    try:
        pods = pods_of(budget, view.list(Pod, budget.metadata.namespace))
        status = budget_status(budget, pods, partial(scale_of_owner, view))
        recheck = disrupted_pods(budget, pods).recheck
        why = f"{status.current_healthy} healthy, {status.disruptions_allowed} may go"
    except SyncError as error:
        status = failed_status(budget, str(error))
        why = str(error)
    if status == budget.status:
        yield Step(local, requeue_after=recheck, why=why)
        return
    overwrites = on_conflict == OVERWRITE_WITH_OLD
    request = Update(replace(budget, status=status), subresource="status", unconditional=overwrites)
    yield Step(local, (request,), recheck, why)


def observe(local: Local, before: View, after: View) -> Local:
    """What the informers' event handlers do: forget announced disruptions that came, or were taken back."""
    return still_targeted(local, after)


def controller(settings: Mapping[str, str] = {}) -> Controller:
    """The disruption controller.

    ``settings``: ``disruption.on_conflict=overwrite_with_old`` brings back an old defect: a status that was
    worked out before an eviction is written over it, and the budget is spent twice.
    """
    return Controller(
        name="disruption",
        watches=(PodDisruptionBudget, Pod, ReplicaSet, Deployment),
        writes=(PodDisruptionBudget, Pod),
        initial=(),
        keys=keys,
        reconcile=partial(reconcile, on_conflict=settings.get("disruption.on_conflict", RECOMPUTE)),
        observe=observe,
        horizons={
            "Targeted.since": STALE_CONDITION_TIMEOUT,
            "PodDisruptionBudgetStatus.disrupted_pods": DELETION_TIMEOUT,
            "PodDisruptionBudgetStatus.disrupted_uids": DELETION_TIMEOUT,
        },
        says="works out how many more pods each PodDisruptionBudget lets go",
    )


def horizons_of(obj: Record) -> Mapping[str, int]:
    """No object makes ages matter longer than they do anyway."""
    return {}
