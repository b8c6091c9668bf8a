"""The autoscaler's settings: flags of kube-controller-manager, and what an object says in their place.

Source: pkg/controller/podautoscaler/config/v1alpha1/defaults.go; pkg/apis/autoscaling/v2/defaults.go.
"""

from __future__ import annotations

from collections.abc import Mapping

from kythera.model.api.autoscaling import (
    HorizontalPodAutoscaler,
    HPAScalingRules,
    MetricSpec,
    MetricTarget,
    ResourceMetricSource,
)
from kythera.model.api.duration import parse_duration
from kythera.model.control_plane.controllers.horizontal_pod_autoscaler.behavior import (
    Rules,
    scale_down_rules,
    scale_up_rules,
)
from kythera.model.control_plane.controllers.horizontal_pod_autoscaler.replica_calculator import (
    Readiness,
    Tolerances,
)
from kythera.model.record import Record, record

OBSERVED_PODS = "observed_pods_incl_surge"
SPEC_REPLICAS = "spec_replicas"

DEFAULT_METRICS = (
    MetricSpec("Resource", ResourceMetricSource("cpu", MetricTarget("Utilization", average_utilization=80))),
)


@record
class Options(Record):
    """Durations in seconds.  ``base``: what ratios multiply, the measured pods or the target's replicas."""

    sync_period: int = 15
    downscale_window: int = 300
    tolerance: float = 0.1
    readiness: Readiness = Readiness()
    base: str = OBSERVED_PODS


DEFAULTS = Options()


def options(settings: Mapping[str, str]) -> Options:
    """The options that flags of kube-controller-manager set.

    ``hpa.base=spec_replicas`` is a variant: ratios are multiplied by the target's number of replicas, so that
    surge pods of a rollout don't count.
    """

    def seconds(flag: str, default: int) -> int:
        text = settings.get(f"horizontal-pod-autoscaler-{flag}")
        return default if text is None else parse_duration(text)

    return Options(
        max(1, seconds("sync-period", 15)),
        seconds("downscale-stabilization", 300),
        float(settings.get("horizontal-pod-autoscaler-tolerance", "0.1")),
        Readiness(seconds("cpu-initialization-period", 300), seconds("initial-readiness-delay", 30)),
        settings.get("hpa.base", OBSERVED_PODS),
    )


@record
class Limits(Record):
    """How one HorizontalPodAutoscaler may scale; ``up`` and ``down`` are ``None`` where it has no
    ``behavior``.

    ``sees_up`` and ``sees_down`` are how long a recommendation makes a difference, ``sees_changes`` how long
    a change of the scale does, in seconds.
    """

    up: Rules | None = None
    down: Rules | None = None
    sees_up: int = 0
    sees_down: int = 0
    sees_changes: int = 0


def limits_of(hpa: HorizontalPodAutoscaler, window: int) -> Limits:
    """The limits of an object; ``window`` is the controller's own window for scaling down, in seconds."""
    if hpa.spec.behavior is None:
        return Limits(sees_down=window + 1)
    up, down = scale_up_rules(hpa.spec.behavior), scale_down_rules(hpa.spec.behavior, window)
    return Limits(up, down, up.window, down.window, max(up.longest_period, down.longest_period))


def tolerances_of(hpa: HorizontalPodAutoscaler, default: float) -> Tolerances:
    """The tolerances of an object, each the ``default`` where it has none of its own.

    Source: pkg/controller/podautoscaler/horizontal.go tolerancesForHpa; KEP-4951.
    """

    def tolerance(rules: HPAScalingRules | None) -> float:
        own = None if rules is None else rules.tolerance
        return default if own is None else own.nano / 10**9

    behavior = hpa.spec.behavior
    if behavior is None:
        return Tolerances(default, default)
    return Tolerances(tolerance(behavior.scale_down), tolerance(behavior.scale_up))
