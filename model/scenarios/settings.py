"""The settings of components that a scenario may give: upstream's flags and configuration names.

A setting is accepted iff a component acts on it, so that none is taken and then forgotten.  Those that people are
likely to have and that no component acts on are refused with the reason.

Source: https://kubernetes.io/docs/reference/command-line-tools-reference/kube-controller-manager/;
https://kubernetes.io/docs/reference/config-api/kubelet-config.v1beta1/;
https://kubernetes.io/docs/reference/config-api/kube-scheduler-config.v1/.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from fnmatch import fnmatch

from kythera.model.api.duration import parse_duration
from kythera.model.scenarios.scenario import Scenario

Accepts = Callable[[object], str]
"""From a value of the document to the text that the component gets; ``ValueError`` says what is expected."""


def duration(value: object) -> str:
    """A duration from 0; the text stays as it is."""
    try:
        if isinstance(value, bool) or not isinstance(value, (int, str)) or parse_duration(str(value)) < 0:
            raise ValueError
    except ValueError:
        raise ValueError("a duration such as 40s or 1m30s") from None
    return str(value)


def seconds(value: object) -> str:
    """A duration, which the component gets in whole seconds."""
    return str(parse_duration(duration(value)))


def positive_duration(value: object) -> str:
    """A duration of a second or more."""
    text = duration(value)
    if parse_duration(text) < 1:
        raise ValueError("a duration of 1s or more")
    return text


def whole_number(value: object) -> str:
    """A whole number from 0."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError("a whole number from 0")
    return str(value)


def within(least: int, most: int) -> Accepts:
    """A whole number between two others, or one of them."""

    def accepts(value: object) -> str:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise ValueError(f"a whole number from {least} to {most}")
        return str(value)

    return accepts


def number(value: object) -> str:
    """A number from 0."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value < 0:
        raise ValueError("a number from 0, such as 0.1")
    return str(value)


def part_of_one(value: object) -> str:
    """A number from 0 to 1."""
    try:
        text = number(value)
    except ValueError:
        text = "2"
    if float(text) > 1:
        raise ValueError("a number from 0 to 1, such as 0.55")
    return text


def percentages(value: object) -> str:
    """A mapping from resources to parts of 100, which the component gets as ``cpu=20,pods=30``."""
    if not isinstance(value, dict) or not value:
        raise ValueError("percentages by resource, such as {cpu: 20, memory: 20, pods: 20}")
    for share in value.values():
        if isinstance(share, bool) or not isinstance(share, (int, float)) or not 0 <= share <= 100:
            raise ValueError("percentages from 0 to 100 by resource, such as {cpu: 20, memory: 20, pods: 20}")
    return ",".join(f"{name}={share}" for name, share in value.items())


def crash_loop_back_off(value: object) -> str:
    """``{maxContainerRestartPeriod: 1m}``: a duration from 1 s to 300 s, which the component gets in whole seconds."""
    what = "{maxContainerRestartPeriod: 1m}, a duration from 1s to 300s"
    if not isinstance(value, dict) or set(value) != {"maxContainerRestartPeriod"}:
        raise ValueError(what)
    try:
        longest = int(seconds(value["maxContainerRestartPeriod"]))
    except ValueError:
        longest = 0
    if not 1 <= longest <= 300:
        raise ValueError(what)
    return str(longest)


def one_of(*values: str) -> Accepts:
    """One of these texts; true and false stand for "yes" and "no"."""

    def accepts(value: object) -> str:
        text = {True: "yes", False: "no"}[value] if isinstance(value, bool) else value
        if text not in values:
            raise ValueError(f"one of {', '.join(values)}")
        return str(text)

    return accepts


def list_of(*values: str) -> Accepts:
    """A list of some of these texts, which the component gets with commas between them."""

    def accepts(value: object) -> str:
        if not isinstance(value, list) or not value or not all(each in values for each in value):
            raise ValueError(f"a list of some of {', '.join(values)}")
        return ",".join(dict.fromkeys(map(str, value)))

    return accepts


SETTINGS: Mapping[str, Mapping[str, Accepts]] = {
    "kube-controller-manager": {
        "horizontal-pod-autoscaler-sync-period": duration,
        "horizontal-pod-autoscaler-downscale-stabilization": duration,
        "horizontal-pod-autoscaler-cpu-initialization-period": duration,
        "horizontal-pod-autoscaler-initial-readiness-delay": duration,
        "horizontal-pod-autoscaler-tolerance": number,
        "max-endpoints-per-slice": within(1, 1000),
        "node-monitor-grace-period": positive_duration,
        "node-eviction-rate": number,
        "secondary-node-eviction-rate": number,
        "unhealthy-zone-threshold": part_of_one,
        "large-cluster-size-threshold": whole_number,
        "terminated-pod-gc-threshold": whole_number,
    },
    "kube-scheduler": {
        "profile": one_of("default"),
        "podInitialBackoffSeconds": within(1, 3600),
        "podMaxBackoffSeconds": within(1, 3600),
        "pod-max-in-unschedulable-pods-duration": duration,
    },
    "kubelet": {
        "timed": one_of("no", "yes"),
        "longest_back_off": seconds,
        "crashLoopBackOff": crash_loop_back_off,
        "nodeLeaseDurationSeconds": within(1, 3600),
    },
    "kube-proxy": {},
    "descheduler": {
        "nodeFit": one_of("on", "off"),
        "strategies": list_of(
            "RemoveDuplicates",
            "LowNodeUtilization",
            "RemovePodsViolatingNodeAffinity",
            "RemovePodsViolatingNodeTaints",
            "RemovePodsViolatingInterPodAntiAffinity",
            "RemovePodsViolatingTopologySpreadConstraint",
        ),
        "interval": duration,
        "thresholds": percentages,
        "targetThresholds": percentages,
    },
}
"""Component -> setting -> what it accepts."""

_STANDBY = "one is active at a time, and how long a handover takes is not modelled; replicas stand in controlPlane"

REFUSED: Mapping[str, Mapping[str, str]] = {
    "kube-controller-manager": {
        "node-monitor-period": "the controller looks whenever there is something to see",
        "node-startup-grace-period": "every node has started already",
        "pod-eviction-timeout": "Kubernetes 1.27 removed it: a pod says itself how long, by tolerationSeconds",
        "enable-taint-manager": "Kubernetes 1.27 removed it: taints always evict",
        "concurrent-*": "each controller looks after one object at a time",
        "kube-api-*": "requests are not limited in rate",
        "leader-elect*": _STANDBY,
        "controllers": "the controllers run that have something to do",
        "horizontal-pod-autoscaler-*scale-delay": "Kubernetes removed it: see behavior of the HorizontalPodAutoscaler",
    },
    "kube-scheduler": {
        "profiles": "only the default profile is modelled; more schedulers stand in controlPlane.schedulers",
        "percentageOfNodesToScore": "every node is looked at, as upstream does with up to 100 nodes",
        "parallelism": "how many nodes are looked at in parallel makes no difference to the choice",
        "extenders": "extenders are not modelled",
        "leaderElection": _STANDBY,
        "leader-elect*": _STANDBY,
        "kube-api-*": "requests are not limited in rate",
    },
    "kubelet": {
        "maxPods": "say it as pods in the capacity of the nodes",
        "max-pods": "say it as pods in the capacity of the nodes",
        "nodeStatusUpdateFrequency": "nodes are judged by their Leases; see nodeLeaseDurationSeconds",
        "node-status-update-frequency": "nodes are judged by their Leases; see nodeLeaseDurationSeconds",
        "nodeStatusReportFrequency": "nodes are judged by their Leases; see nodeLeaseDurationSeconds",
        "eviction*": "resources of a node do not run out",
        "shutdownGracePeriod*": "nodes are not shut down: they are lost, or drained",
        "kubeReserved": "say what is left as allocatable of the nodes",
        "systemReserved": "say what is left as allocatable of the nodes",
        "serializeImagePulls": "to pull an image takes no time",
        "registry*": "to pull an image takes no time",
        "syncFrequency": "the kubelet looks whenever there is something to see",
    },
    "kube-proxy": {
        "mode": "iptables is what is modelled",
        "*syncPeriod": "kube-proxy looks whenever there is something to see",
    },
}
"""Component -> setting, or a pattern of settings -> why it is refused."""

RENEWALS = 4
"""How often a kubelet renews its Lease within its duration (pkg/kubelet/kubelet.go, nodeLeaseRenewIntervalFraction)."""


def why_refused(component: str, setting: str) -> str | None:
    """Why a setting that upstream has is not accepted; ``None`` if nothing is known of it."""
    for pattern, why in REFUSED.get(component, {}).items():
        if fnmatch(setting, pattern):
            return why
    return None


def heartbeat_interval(scenario: Scenario) -> int:
    """Seconds between two renewals of a node's Lease.

    Source: pkg/kubelet/kubelet.go, nodeLeaseRenewIntervalFraction.
    """
    lasts = int(scenario.components.get("kubelet", {}).get("nodeLeaseDurationSeconds", 40))
    return -(-lasts // RENEWALS)


def at_odds(components: Mapping[str, Mapping[str, str]]) -> Iterator[tuple[str, str, str]]:
    """Settings that do not go together: component, setting, what is wrong.

    Source: pkg/scheduler/apis/config/validation/validation.go for the scheduler's.
    """
    scheduler = components.get("kube-scheduler", {})
    initial = int(scheduler.get("podInitialBackoffSeconds", 1))
    longest = int(scheduler.get("podMaxBackoffSeconds", 10))
    if longest < initial:
        which = "podMaxBackoffSeconds" if "podMaxBackoffSeconds" in scheduler else "podInitialBackoffSeconds"
        yield "kube-scheduler", which, f"the first back-off ({initial} s) is longer than the longest ({longest} s)"
    interval = heartbeat_interval(Scenario(components=components))
    grace = parse_duration(components.get("kube-controller-manager", {}).get("node-monitor-grace-period", "50s"))
    if interval >= grace:
        text = f"heartbeats come every {interval} s, which is not within node-monitor-grace-period ({grace} s)"
        if "nodeLeaseDurationSeconds" in components.get("kubelet", {}):
            yield "kubelet", "nodeLeaseDurationSeconds", text
        else:
            yield "kube-controller-manager", "node-monitor-grace-period", text


def idle(scenario: Scenario, kinds: Collection[str]) -> Iterator[str]:
    """A sentence for each setting that is accepted and has no effect, since nobody is there to act on it.

    ``kinds``: the kinds of objects that there are, now or after an event.
    """
    for component, given in scenario.components.items():
        for setting in given:
            why = _why_idle(component, setting, scenario, kinds)
            if why is not None:
                yield f"{setting} of {component} has no effect: {why}"


NODE_SETTINGS = (
    "node-monitor-grace-period", "node-eviction-rate", "secondary-node-eviction-rate", "unhealthy-zone-threshold",
    "large-cluster-size-threshold", "nodeLeaseDurationSeconds",
)  # fmt: skip
"""Settings that only matter where a node can seem to be lost."""


def _why_idle(component: str, setting: str, scenario: Scenario, kinds: Collection[str]) -> str | None:
    """Why a setting has no effect; ``None`` if it has."""
    faults, prompt = scenario.faults, scenario.time == "prompt"
    if component == "kube-scheduler" and not scenario.schedulers:
        return "there is no scheduler"
    if setting.startswith("horizontal-pod-autoscaler-") and "HorizontalPodAutoscaler" not in kinds:
        return "there is no HorizontalPodAutoscaler"
    if setting == "max-endpoints-per-slice" and "Service" not in kinds:
        return "there is no Service"
    if setting in NODE_SETTINGS and prompt and not faults.partition and not faults.node_failure:
        return "no node can seem to be lost (the faults partition and nodeFailure are 0, and time is prompt)"
    if setting == "nodeLeaseDurationSeconds" and not prompt:
        return "in adversarial time a heartbeat comes at any time"
    if setting == "nodeLeaseDurationSeconds" and not faults.partition:
        return "a node that is lost is not heard of again"
    if setting in ("longest_back_off", "crashLoopBackOff"):
        slow = "yes" if scenario.connects or any(each.ends for each in scenario.workload) else "no"
        if scenario.components["kubelet"].get("timed", slow) == "no":
            return "kubelets are not timed, so that no restart is backed off"
    return None


def standbys(scenario: Scenario) -> Iterator[str]:
    """A sentence for each component of which there are several, about what that is taken to mean."""
    several = [(each.name, each.replicas) for each in scenario.schedulers]
    for name, count in (("kube-controller-manager", scenario.controller_managers), *several):
        if count > 1:
            yield (
                f"{count} replicas of {name}: one is active at a time and the others stand by; when it crashes, "
                "another takes over at once, which has seen what the first one had and remembers nothing else; a cut "
                "link is waited for; two that are active at once are not modelled yet"
            )
