"""The HorizontalPodAutoscaler controller: keeps the number of replicas in proportion to a load.

It owns: what the metrics asked for and how the scale was changed of late, per HorizontalPodAutoscaler
(``memory.Autoscaling``); lost when its process dies.
It may: set the number of replicas of Deployments and ReplicaSets (their scale), and write the status of
HorizontalPodAutoscalers.

Source: pkg/controller/podautoscaler/horizontal.go;
https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/.

Simplifies:

* Upstream syncs every 15 s, whatever happens.  Here a look that had an effect is followed by no other for
  that long, and one that had none leaves no trace, so that a cluster at rest is at rest.  A look right after
  a change is one that upstream makes too if its timer happens to tick then.
* The scale is read from the informers' view and not by a live GET before the update.  The update is
  conditional, so what was decided on an old scale is refused, and tried again a sync period later.
* A change of a pod's readiness is dated for a minute only (``DATED``), or all conditions in the cluster would
  have to grow older for as long as pods do.  A pod that was ready once and then stays unready for more than
  that is taken for one that was never ready: its usage counts as 0 when scaling up, instead of as it is.
* ``status.currentMetrics`` and events are reports for people and left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import partial

from kythera.model.api.apps import Deployment, ReplicaSet
from kythera.model.api.autoscaling import HorizontalPodAutoscaler, HorizontalPodAutoscalerStatus
from kythera.model.api.core.container import Container
from kythera.model.api.core.pod import Pod, PodSpec, PodStatus
from kythera.model.api.meta import Condition, ObjectMeta, deletion_mark
from kythera.model.api.metrics import PodMetrics
from kythera.model.api.pods import condition, set_condition
from kythera.model.control_plane.controllers.horizontal_pod_autoscaler.behavior import (
    Limited,
    limited_by_rates,
    limited_without_behavior,
    stabilized,
    stabilized_downwards,
)
from kythera.model.control_plane.controllers.horizontal_pod_autoscaler.measure import (
    NotActiveError,
    Scalable,
    find_target,
    measure,
    replicas_of,
    wait_for_metrics,
)
from kythera.model.control_plane.controllers.horizontal_pod_autoscaler.memory import (
    Autoscaling,
    Local,
    begun,
    changed,
    heard,
    pruned,
    recall,
    remember,
)
from kythera.model.control_plane.controllers.horizontal_pod_autoscaler.options import (
    DEFAULTS,
    Limits,
    Options,
    limits_of,
    options,
)
from kythera.model.controller import Controller, Reply, Step
from kythera.model.record import Age, Record, record, replace
from kythera.model.request import Ref, Request, Update, ref_of
from kythera.model.view import View

ABLE = "AbleToScale"
ACTIVE = "ScalingActive"
LIMITED = "ScalingLimited"

DATED = 60
"""For so many seconds it is known when a pod's readiness changed; no metric is measured for longer."""

_WHY_LIMITED = {
    "DesiredWithinRange": "the recommendation is within the limits",
    "TooFewReplicas": "the recommendation is below minReplicas",
    "TooManyReplicas": "the recommendation is above maxReplicas",
    "ScaleUpLimit": "the recommendation rises faster than allowed",
    "ScaleDownLimit": "the recommendation falls faster than allowed",
}


@record
class Decision(Record):
    """What a look at one HorizontalPodAutoscaler comes to.

    ``replicas``: the scale that it wants (``None``: left alone, as it can't tell); ``conditions``: what it
    will report; ``wait``: seconds after which the passing of time alone may change it; ``why``: for people.
    """

    replicas: int | None = None
    conditions: tuple[Condition, ...] = ()
    memory: Autoscaling = Autoscaling()
    wait: int | None = None
    why: str = ""


def keys(view: View) -> Iterable[Ref]:
    """Every HorizontalPodAutoscaler that is seen."""
    return [ref_of(each) for each in view.list(HorizontalPodAutoscaler)]


def reconcile(local: Local, view: View, key: Ref, *, given: Options = DEFAULTS) -> Iterator[Step]:
    """Set the scale of one HorizontalPodAutoscaler's target to what the load asks for, and report.

    Source: pkg/controller/podautoscaler/horizontal.go reconcileAutoscaler.
    """
    hpa = view.find(HorizontalPodAutoscaler, key)
    if hpa is None or hpa.metadata.uid is None:
        yield Step(local)
        return
    memory = recall(local, hpa.metadata.uid)
    target = find_target(view, hpa.metadata.namespace, hpa.spec.scale_target_ref)
    if memory.refusal:
        yield _report_refusal(local, hpa, target, memory)
        return
    if memory.synced is not None and memory.synced < given.sync_period:
        yield Step(local, requeue_after=given.sync_period - memory.synced, why="looked at already")
        return
    if target is None:
        conditions = _told(hpa.status.conditions, ABLE, "False", "FailedGetScale", "the target was not found")
        lost = heard(memory, None, given.sync_period)
        yield _step(local, hpa, None, Decision(None, conditions, lost), memory)
        return
    yield _step(local, hpa, target, decide(hpa, target, view, memory, given), memory)


def _without_minimum(local: Local, view: View, key: Ref, *, given: Options = DEFAULTS) -> Iterator[Step]:
    seen = tuple(replace(each, spec=replace(each.spec, min_replicas=1)) for each in view.list(HorizontalPodAutoscaler))
    return reconcile(local, View(view.objects.set("HorizontalPodAutoscaler", seen)), key, given=given)


def decide(hpa: HorizontalPodAutoscaler, target: Scalable, view: View, memory: Autoscaling, given: Options) -> Decision:
    """The number of replicas that a target should have.

    Source: pkg/controller/podautoscaler/horizontal.go reconcileAutoscaler.
    """
    current, minimum = replicas_of(target), minimum_of(hpa)
    limits = limits_of(hpa, given.downscale_window)
    found = _told(hpa.status.conditions, ABLE, "True", "SucceededGetScale", "the target's scale was read")
    memory = begun(memory, current)
    silent = _tidy(heard(memory, None, given.sync_period), limits)
    if current == 0 and minimum != 0:
        off = _told(found, ACTIVE, "False", "ScalingDisabled", "the target's number of replicas is 0")
        return Decision(current, off, silent)
    if current > hpa.spec.max_replicas or current < minimum:
        bounds = f"minReplicas is {minimum} and maxReplicas {hpa.spec.max_replicas}"
        return Decision(min(max(current, minimum), hpa.spec.max_replicas), found, silent, why=bounds)
    try:
        measured = measure(hpa, target, view, given)
    except NotActiveError as error:
        failed = _told(found, ACTIVE, "False", error.reason, str(error))
        return Decision(None, failed, silent, wait_for_metrics(hpa, target, view, given), str(error))
    found = _told(found, ACTIVE, "True", "ValidMetricFound", "the metrics give a number of replicas")
    memory = _tidy(heard(memory, measured.replicas, given.sync_period), limits)
    steady, limited = normalize(hpa, current, measured.replicas, memory, limits)
    rising = measured.replicas >= current and limits.up is not None
    if steady != measured.replicas:
        reason = "ScaleUpStabilized" if rising else "ScaleDownStabilized"
        found = _told(found, ABLE, "True", reason, "an earlier recommendation still holds")
    else:
        found = _told(found, ABLE, "True", "ReadyForNewScale", "the recommendation may be followed")
    status = "False" if limited.replicas == steady else "True"
    found = _told(found, LIMITED, status, limited.reason, _WHY_LIMITED[limited.reason])
    waits = (measured.wait, _until_forgotten(memory, limits), _until_rate_allows(memory, limits, limited))
    held = f"; {_WHY_LIMITED[limited.reason]}" if limited.replicas != steady else ""
    why = f"{measured.why}{held}"
    return Decision(limited.replicas, found, memory, min((w for w in waits if w is not None), default=None), why)


def normalize(
    hpa: HorizontalPodAutoscaler, current: int, desired: int, memory: Autoscaling, limits: Limits
) -> tuple[int, Limited]:
    """What becomes of ``desired`` replicas: after the stabilisation windows, and after the limits.

    Source: pkg/controller/podautoscaler/horizontal.go normalizeDesiredReplicas,
    normalizeDesiredReplicasWithBehaviors.
    """
    minimum, maximum = minimum_of(hpa), hpa.spec.max_replicas
    if limits.up is None or limits.down is None:
        steady = stabilized_downwards(desired, memory.recommendations, limits.sees_down - 1)
        return steady, limited_without_behavior(current, steady, minimum, maximum)
    steady = stabilized(current, desired, memory.recommendations, limits.up.window, limits.down.window)
    limited = limited_by_rates(
        current,
        steady,
        minimum=minimum,
        maximum=maximum,
        events=memory.events,
        up=limits.up,
        down=limits.down,
    )
    return steady, limited


def minimum_of(hpa: HorizontalPodAutoscaler) -> int:
    """The lowest number of replicas allowed; 1 where the object doesn't say."""
    return 1 if hpa.spec.min_replicas is None else hpa.spec.min_replicas


def _step(
    local: Local,
    hpa: HorizontalPodAutoscaler,
    target: Scalable | None,
    decision: Decision,
    before: Autoscaling,
) -> Step:
    """The requests that a decision leads to, or nothing at all where it changes nothing."""
    memory, conditions, status = decision.memory, decision.conditions, hpa.status
    requests: tuple[Request, ...] = ()
    if target is not None:
        current = replicas_of(target)
        wanted = decision.replicas
        desired = status.desired_replicas if wanted is None else wanted
        scaled_at = status.last_scale_time
        if wanted is not None and wanted != current:
            conditions = _told(conditions, ABLE, "True", "SucceededRescale", f"the scale was set to {wanted}")
            memory = replace(memory, asked=wanted - current if hpa.spec.behavior is not None else 0)
            scaled_at = Age(0)
            scaled = replace(target, spec=replace(target.spec, replicas=wanted))
            requests = (Update(scaled, subresource="scale"),)
        status = HorizontalPodAutoscalerStatus(None, scaled_at, current, desired, conditions)
        why = (
            f"{current} replica{'' if current == 1 else 's'}, {'left alone' if wanted is None else f'{wanted} wanted'}"
        )
        why = f"{why}: {decision.why}" if decision.why else why
    else:
        status = replace(status, conditions=conditions)
        why = "no target"
    if status != hpa.status:
        requests = (*requests, Update(replace(hpa, status=status), subresource="status"))
    effect = requests or before.synced is None or memory.standing != before.standing
    if effect:
        memory = replace(memory, synced=Age(0))
    after = local if memory == before else remember(local, memory)
    return Step(after, requests, decision.wait, why)


def _report_refusal(local: Local, hpa: HorizontalPodAutoscaler, target: Scalable | None, memory: Autoscaling) -> Step:
    """After a refused change of the scale: say so in the status."""
    conditions = _told(hpa.status.conditions, ABLE, "False", "FailedUpdateScale", memory.refusal)
    status = replace(hpa.status, conditions=conditions)
    if target is not None:
        status = replace(status, current_replicas=replicas_of(target))
    requests: tuple[Request, ...] = ()
    if status != hpa.status:
        requests = (Update(replace(hpa, status=status), subresource="status"),)
    return Step(remember(local, replace(memory, refusal="")), requests, why="the change of the scale was refused")


def _told(conditions: tuple[Condition, ...], type: str, status: str, reason: str, text: str) -> tuple[Condition, ...]:
    """The conditions with one of them as given; its transition time changes only with its status.

    Source: pkg/controller/podautoscaler/horizontal.go setConditionInList.
    """
    old = condition(conditions, type)
    since = old.last_transition_time if old is not None and old.status == status else Age(0)
    return set_condition(conditions, Condition(type, status, reason, text, last_transition_time=since))


def _tidy(memory: Autoscaling, limits: Limits) -> Autoscaling:
    return pruned(memory, limits.sees_up, limits.sees_down, limits.sees_changes)


def _until_forgotten(memory: Autoscaling, limits: Limits) -> int | None:
    """Seconds until an earlier recommendation leaves the window in which it makes a difference."""
    standing = memory.standing if memory.standing is not None else 0
    leaves = [
        (limits.sees_down if each.replicas > standing else limits.sees_up) - each.age for each in memory.recommendations
    ]
    return min((wait for wait in leaves if wait > 0), default=None)


def _until_rate_allows(memory: Autoscaling, limits: Limits, limited: Limited) -> int | None:
    """Seconds until an earlier change of the scale stops counting against another one."""
    if limited.reason not in ("ScaleUpLimit", "ScaleDownLimit"):
        return None
    rules = limits.up if limited.reason == "ScaleUpLimit" else limits.down
    periods = {policy.period_seconds for policy in rules.policies} if rules is not None else set()
    ends = [period - event.age for period in periods for event in memory.events]
    return min((wait for wait in ends if wait > 0), default=None)


def observe(local: Local, before: View, after: View) -> Local:
    """What the informers' event handlers do: forget what is gone."""
    existing = {each.metadata.uid for each in after.list(HorizontalPodAutoscaler)}
    return tuple(each for each in local if each.uid in existing)


def replied(local: Local, key: Ref, request: Request, reply: Reply) -> Local:
    """What an answer changes: a change of the scale is written down if it was made, reported if refused."""
    known = any(each.uid == key.uid for each in local)
    if key.uid is None or not known or not isinstance(request, Update) or request.subresource != "scale":
        return local
    memory = recall(local, key.uid)
    change = memory.asked
    memory = replace(memory, asked=0)
    if not reply.ok:
        return remember(local, replace(memory, refusal=reply.message or reply.reason or "refused"))
    return remember(local, changed(memory, change) if change else memory)


def pod_shape(pod: Pod) -> Pod:
    """What the controller reads of a pod; a readiness as old as can be told is as old as the pod."""
    metadata, spec, status = pod.metadata, pod.spec, pod.status
    ready = condition(status.conditions, "Ready")
    conditions: tuple[Condition, ...] = ()
    if ready is not None:
        since = ready.last_transition_time
        if since is not None and since >= DATED and status.start_time is not None:
            since = status.start_time
        conditions = (Condition("Ready", ready.status, last_transition_time=since),)
    return Pod(
        ObjectMeta(
            metadata.name,
            namespace=metadata.namespace,
            uid=metadata.uid,
            labels=metadata.labels,
            deletion_timestamp=deletion_mark(metadata),
        ),
        PodSpec(
            tuple(Container(c.name, resources=c.resources) for c in spec.containers),
            tuple(
                Container(c.name, resources=c.resources, restart_policy=c.restart_policy) for c in spec.init_containers
            ),
            resources=spec.resources,
        ),
        PodStatus(status.phase, conditions, start_time=status.start_time),
    )


def horizons_of(obj: Record) -> Mapping[str, int]:
    """How long the past matters because of an object's ``behavior``, in seconds."""
    if not isinstance(obj, HorizontalPodAutoscaler) or obj.spec.behavior is None:
        return {}
    limits = limits_of(obj, 0)
    return {
        "Recommendation.age": max(limits.sees_up, limits.sees_down),
        "ScaleEvent.age": limits.sees_changes,
    }


def controller(settings: Mapping[str, str] = {}) -> Controller:
    """The HorizontalPodAutoscaler controller; ``settings``: see ``options.options``.

    ``hpa.minimum=ignore`` is a variant that takes every ``minReplicas`` for 1.
    """
    given = options(settings)
    return Controller(
        name="horizontal-pod-autoscaler",
        watches=(HorizontalPodAutoscaler, Deployment, ReplicaSet, Pod, PodMetrics),
        writes=(HorizontalPodAutoscaler, Deployment, ReplicaSet),
        initial=(),
        keys=keys,
        reconcile=partial(_without_minimum if settings.get("hpa.minimum") == "ignore" else reconcile, given=given),
        observe=observe,
        replied=replied,
        shapes={Pod: pod_shape},
        horizons={
            "Autoscaling.synced": given.sync_period,
            "Recommendation.age": given.downscale_window + 1,
            "PodStatus.start_time": max(given.readiness.initialization_period, DATED),
            "Condition.last_transition_time": DATED,
        },
        says="keeps the number of replicas in proportion to a load",
    )


__all__ = [
    "Local",
    "controller",
    "decide",
    "horizons_of",
    "keys",
    "normalize",
    "observe",
    "reconcile",
    "replied",
]
