"""The container runtime of a node: sandboxes, containers, images, and the kubelet's checkpoint on the disk.

It owns what survives a crash of the kubelet.  The kubelet creates sandboxes, starts and stops containers by
the functions below; the environment lets containers exit (``exited``).  Nothing here acts by itself.

Source: the Container Runtime Interface, staging/src/k8s.io/cri-api/pkg/apis/runtime/v1/api.proto.
Simplifies: a container that is started again takes the place of its predecessor, of which only the exit code
is kept.
"""

from __future__ import annotations

from typing import Final

from kythera.model.api.labels import matches_map
from kythera.model.record import EMPTY, Age, Map, Record, Uid, record, replace

RUNNING: Final = "running"
EXITED: Final = "exited"

RESTARTS_COUNTED: Final = 3
"""Restarts are counted up to here, or a container that fails for ever would never repeat a state."""

STEADY_SECONDS: Final = 600
"""A container that ran for longer than this starts again without delay, whatever the longest back-off is."""


@record
class RuntimeContainer(Record):
    """The newest instance of a container of a pod.

    ``started`` and ``ready`` are what the probes last concluded.  A restarted kubelet takes them over from
    the pod's status in the API (as it does since Kubernetes 1.35), so the model keeps them here.
    ``answers_ready`` and ``answers_live`` are what the process answers to probes once it answers at all,
    which is when ``answers_in`` has reached 0.  ``exits_in`` is the time until a process that was asked to
    stop does so; ``ends_in`` that until it has done its work (``None``: it goes on for ever) and ``may_exit``
    the exit codes with which it may end before.
    """

    pod: Uid
    name: str
    state: str = RUNNING
    exit_code: int = 0
    previous_exit_code: int | None = None
    restarts: int = 0
    ports: tuple[tuple[int, str], ...] = ()
    started: bool = False
    ready: bool = False
    answers_ready: bool = True
    answers_live: bool = True
    answers_in: Age | None = None
    exits_in: Age | None = None
    ends_in: Age | None = None
    may_exit: tuple[int, ...] = ()
    running_for: Age = Age(0)
    ran_steadily: bool = False


@record
class Sandbox(Record):
    """What the containers of a pod share: one address (``ip`` is its index on this node) and one range of
    ports.
    """

    pod: Uid
    ip: int = 0


@record
class Behaviour(Record):
    """What the processes in the pods do that ``selector`` selects, as far as no manifest tells.

    ``startup`` is the time in seconds until a process answers, ``drain`` that until it has ended after SIGTERM, and
    ``drain_code`` what it then exits with.  ``may_exit`` are the exit codes with which a main container may end
    by itself, at any time or never; after ``lasts`` seconds it has done its work (``None``: it goes on for ever).
    """

    selector: Map[str] = EMPTY
    startup: int = 0
    drain: int = 0
    drain_code: int = 0
    may_exit: tuple[int, ...] = ()
    lasts: int | None = None


UNKNOWN: Final = Behaviour()


@record
class RuntimeState(Record):
    """Everything on a node that a crash of the kubelet leaves alone.

    Everything is in the order of the pods' uids, and containers of a pod in that of their names: which came
    first makes no difference.  ``admitted`` is the kubelet's checkpoint of the pods it let in.

    The rest is how the node is made: ``images`` are those that it holds, ``unavailable`` those that no
    registry hands out, ``remembered`` those whose pull makes a difference to another container,
    ``behaviours`` what processes do.  Restarts beyond ``restarts_counted`` are not told
    apart.
    """

    sandboxes: tuple[Sandbox, ...] = ()
    containers: tuple[RuntimeContainer, ...] = ()
    admitted: tuple[Uid, ...] = ()
    images: tuple[str, ...] = ()
    unavailable: tuple[str, ...] = ()
    remembered: tuple[str, ...] = ()
    behaviours: tuple[Behaviour, ...] = ()
    restarts_counted: int = RESTARTS_COUNTED


def behaviour_of(runtime: RuntimeState, labels: Map[str]) -> Behaviour:
    """What the processes of a pod with these labels do: each thing as the first behaviour has it that speaks of it."""
    merged = UNKNOWN
    for each in reversed(runtime.behaviours):
        if matches_map(each.selector, labels):
            ends = each.may_exit or each.lasts is not None
            merged = Behaviour(
                EMPTY,
                each.startup or merged.startup,
                each.drain or merged.drain,
                each.drain_code or merged.drain_code,
                each.may_exit if ends else merged.may_exit,
                each.lasts if ends else merged.lasts,
            )
    return merged


def container(runtime: RuntimeState, pod: Uid, name: str) -> RuntimeContainer | None:
    """The container of that name, if it was ever started."""
    for each in runtime.containers:
        if each.pod == pod and each.name == name:
            return each
    return None


def containers_of(runtime: RuntimeState, pod: Uid) -> tuple[RuntimeContainer, ...]:
    """The containers of a pod, running or not, by name."""
    return tuple(each for each in runtime.containers if each.pod == pod)


def sandbox(runtime: RuntimeState, pod: Uid) -> Sandbox | None:
    """The sandbox of a pod, if it has one."""
    for each in runtime.sandboxes:
        if each.pod == pod:
            return each
    return None


def pods_in(runtime: RuntimeState) -> tuple[Uid, ...]:
    """The pods that the runtime holds anything of."""
    held = [each.pod for each in runtime.sandboxes] + [each.pod for each in runtime.containers]
    return tuple(dict.fromkeys(held))


def updated(runtime: RuntimeState, new: RuntimeContainer) -> RuntimeState:
    """The runtime with ``new`` in place of the container of the same pod and name, or added."""
    if container(runtime, new.pod, new.name) is None:
        made = sorted((*runtime.containers, new), key=lambda each: (each.pod, each.name))
        return replace(runtime, containers=tuple(made))
    kept = tuple(new if (each.pod, each.name) == (new.pod, new.name) else each for each in runtime.containers)
    return replace(runtime, containers=kept)


def sandbox_created(runtime: RuntimeState, pod: Uid, host_network: bool, counts: bool = False) -> RuntimeState:
    """A sandbox for the pod with the smallest address that is free on this node (0: the node's own).

    ``counts``: a variant that takes the number of sandboxes for the address, without a look at which are free.
    """
    taken = {each.ip for each in runtime.sandboxes}
    free = len(taken) + 1 if counts else next(n for n in range(1, len(taken) + 2) if n not in taken)
    ip = 0 if host_network else free
    made = sorted((*runtime.sandboxes, Sandbox(pod, ip)), key=lambda each: (each.pod, each.ip))
    return replace(runtime, sandboxes=tuple(made))


def let_in(runtime: RuntimeState, pod: Uid) -> RuntimeState:
    """The runtime with the pod in the kubelet's checkpoint."""
    return replace(runtime, admitted=tuple(sorted({*runtime.admitted, pod})))


def sandbox_removed(runtime: RuntimeState, pod: Uid) -> RuntimeState:
    """Gives the pod's address back; its stopped containers stay on record."""
    return replace(runtime, sandboxes=tuple(each for each in runtime.sandboxes if each.pod != pod))


def forgotten(runtime: RuntimeState, pod: Uid) -> RuntimeState:
    """The runtime without anything of the pod (garbage collection, and the end of its checkpoint)."""
    return replace(
        runtime,
        sandboxes=tuple(each for each in runtime.sandboxes if each.pod != pod),
        containers=tuple(each for each in runtime.containers if each.pod != pod),
        admitted=tuple(uid for uid in runtime.admitted if uid != pod),
    )


def started(
    runtime: RuntimeState,
    pod: Uid,
    name: str,
    ports: tuple[tuple[int, str], ...] = (),
    behaviour: Behaviour = UNKNOWN,
) -> RuntimeState:
    """A new instance of a container, running; it exits with code 1 at once if one of its ports is taken.

    Containers of a pod share its ports, so the second one to listen on a port fails.  A process is taken to
    listen on the ports that its container declares.
    Source: https://kubernetes.io/docs/concepts/workloads/pods/#pod-networking.
    """
    old = container(runtime, pod, name)
    new = RuntimeContainer(
        pod,
        name,
        previous_exit_code=old.exit_code if old else None,
        restarts=min(old.restarts + 1, runtime.restarts_counted) if old else 0,
        ports=ports,
        answers_in=Age(-behaviour.startup) if behaviour.startup else None,
        ends_in=None if behaviour.lasts is None else Age(-behaviour.lasts),
        may_exit=behaviour.may_exit,
    )
    taken = {
        port
        for each in containers_of(runtime, pod)
        for port in each.ports
        if each.name != name and each.state == RUNNING
    }
    if taken.intersection(ports):
        return exited(updated(runtime, new), pod, name, 1)
    return updated(runtime, new)


def listens(runtime: RuntimeState, pod: Uid, port: int, protocol: str = "TCP") -> bool:
    """Whether a process of the pod takes a new connection to a port now.

    It runs, is up, and has not been sent SIGTERM: then a process stops listening, although it may finish what it is
    at; while a hook before stop runs, it goes on.  A port that no container of the pod declares is taken to be that
    of a container that declares none, since declaring ports is optional.
    Source: https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-termination-flow;
    https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/#ports.
    Simplifies: the time between SIGTERM and the end is that of the slowest process.
    """
    found = containers_of(runtime, pod)
    declared = any((port, protocol) in each.ports for each in found)
    longest = max((each.drain for each in runtime.behaviours), default=0)
    return any(
        each.state == RUNNING
        and ((port, protocol) in each.ports if declared else not each.ports)
        and answers(each)
        and (each.exits_in is None or each.exits_in < -longest)
        for each in found
    )


def answers(found: RuntimeContainer) -> bool:
    """Whether the process of a running container is up and answers anything at all."""
    return found.answers_in is None or found.answers_in >= 0


def exited(runtime: RuntimeState, pod: Uid, name: str, exit_code: int) -> RuntimeState:
    """A running container ends: by itself, by a fault, or killed (137).  Nothing happens to one that doesn't
    run.
    """
    old = container(runtime, pod, name)
    if old is None or old.state != RUNNING:
        return runtime
    return updated(
        runtime,
        replace(
            old,
            state=EXITED,
            exit_code=exit_code,
            started=False,
            ready=False,
            answers_ready=True,
            answers_live=True,
            answers_in=None,
            exits_in=None,
            ends_in=None,
            may_exit=(),
            running_for=Age(0),
            ran_steadily=old.running_for > STEADY_SECONDS,
        ),
    )


def terminated_gently(runtime: RuntimeState, pod: Uid, name: str, exits_in: int) -> RuntimeState:
    """SIGTERM is on its way to a running container, which ends in ``exits_in`` seconds if left alone."""
    old = container(runtime, pod, name)
    if old is None or old.state != RUNNING or old.exits_in is not None:
        return runtime
    return updated(runtime, replace(old, exits_in=Age(-exits_in)))
