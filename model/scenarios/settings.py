"""The settings of components that a scenario may give: upstream's flags and configuration names.

A setting is here iff a component acts on it, so that none is accepted and then forgotten.

Source: https://kubernetes.io/docs/reference/command-line-tools-reference/kube-controller-manager/;
https://kubernetes.io/docs/reference/config-api/kubelet-config.v1beta1/.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from kythera.model.api.duration import parse_duration

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
        "node-monitor-grace-period": duration,
        "terminated-pod-gc-threshold": whole_number,
    },
    "kube-scheduler": {
        "profile": one_of("default"),
        "podInitialBackoffSeconds": within(1, 3600),
        "podMaxBackoffSeconds": within(1, 3600),
        "pod-max-in-unschedulable-pods-duration": duration,
    },
    "kubelet": {"timed": one_of("no", "yes"), "longest_back_off": seconds},
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
    },
}
"""Component -> setting -> what it accepts."""
