"""Startup, readiness and liveness probes: what the kubelet concludes from a container's answers, and when.

What a container answers is up to the environment (``RuntimeContainer.answers_ready``, ``answers_live``), and
it answers nothing for the ``startup`` seconds of its pod's workload.  Where time counts, an answer that differs
from the conclusion has to last for the probe's threshold times its period; otherwise it counts at once.

Source: pkg/kubelet/prober/worker.go, prober_manager.go;
https://kubernetes.io/docs/concepts/configuration/liveness-readiness-startup-probes/.
Simplifies: the startup probe and the liveness probe ask the same question; probes run exactly on time.
"""

from __future__ import annotations

from kythera.model.api.core.container import Container, Probe
from kythera.model.node.kubelet.state import (
    LIVENESS,
    READINESS,
    STARTUP,
    NodeState,
    Timer,
    timer_of,
    with_timer,
    without_timer,
)
from kythera.model.node.runtime.runtime import RuntimeContainer, answers, updated
from kythera.model.record import Age, replace

DEFAULT_PERIOD = 10
DEFAULT_FAILURES = 3


def seconds_to_conclude(probe: Probe, running_for: int, success: bool) -> int:
    """Seconds until an answer that starts now, and lasts, changes what the kubelet thinks.

    The first probe is sent ``initial_delay_seconds`` after the container's start, then one in each period.
    Source: pkg/kubelet/prober/worker.go doProbe.
    """
    times = (probe.success_threshold or 1) if success else (probe.failure_threshold or DEFAULT_FAILURES)
    return max(probe.initial_delay_seconds - running_for, 0) + (times - 1) * (probe.period_seconds or DEFAULT_PERIOD)


def probed(state: NodeState, spec: Container, found: RuntimeContainer, timed: bool) -> tuple[NodeState, str]:
    """What the kubelet makes of a running container's answers now, and why it must be killed ("" if not).

    A container without a startup probe is started as soon as it runs, one without a readiness probe ready as
    soon as it is started.  Until the startup probe has succeeded the other two aren't asked.
    """
    startup, readiness, liveness = spec.startup_probe, spec.readiness_probe, spec.liveness_probe
    up = answers(found)
    wait = not timed and not up
    if not found.started:
        healthy = up and found.answers_live
        if startup is not None and not healthy:
            if wait:
                return state, ""
            state, failed = _lasts(state, found, STARTUP, _seconds(startup, found, False, timed))
            return state, "the startup probe fails" if failed else ""
        state = without_timer(state, found.pod, found.name, STARTUP)
        found = replace(found, started=True)
        state = replace(state, runtime=updated(state.runtime, found))
    if liveness is not None and not wait:
        if up and found.answers_live:
            state = without_timer(state, found.pod, found.name, LIVENESS)
        else:
            state, failed = _lasts(state, found, LIVENESS, _seconds(liveness, found, False, timed))
            if failed:
                return state, "the liveness probe fails"
    ready = readiness is None or (up and found.answers_ready)
    if ready == found.ready:
        return without_timer(state, found.pod, found.name, READINESS), ""
    concluded = readiness is None
    if readiness is not None:
        state, concluded = _lasts(state, found, READINESS, _seconds(readiness, found, ready, timed))
    if concluded:
        state = without_timer(state, found.pod, found.name, READINESS)
        state = replace(state, runtime=updated(state.runtime, replace(found, ready=ready)))
    return state, ""


def _seconds(probe: Probe, found: RuntimeContainer, success: bool, timed: bool) -> int:
    return seconds_to_conclude(probe, found.running_for, success) if timed else 0


def _lasts(state: NodeState, found: RuntimeContainer, what: str, seconds: int) -> tuple[NodeState, bool]:
    """Whether an answer has lasted for ``seconds``; if not, the state in which its time is running."""
    timer = timer_of(state, found.pod, found.name, what)
    if timer is not None:
        return state, timer.due is not None and timer.due >= 0
    if seconds == 0:
        return state, True
    return with_timer(state, Timer(found.pod, found.name, what, Age(-seconds))), False
