"""The container runtime of a node: sandboxes, containers, images, and the kubelet's checkpoint on the disk.

It owns what survives a crash of the kubelet.  The kubelet creates sandboxes, starts and stops containers by
the functions below; the environment lets containers exit and decides what they answer to probes (``exited``,
``answering``).  Nothing here acts by itself.

Source: the Container Runtime Interface, staging/src/k8s.io/cri-api/pkg/apis/runtime/v1/api.proto.
Simplifies: a container that is started again takes the place of its predecessor, of which only the exit code
is kept.
"""

from __future__ import annotations

from typing import Final

from kythera.model.record import EMPTY, Age, Map, Record, Uid, record, replace

RUNNING: Final = "running"
EXITED: Final = "exited"

RESTARTS_COUNTED: Final = 3
"""Restarts are counted up to here, or a container that fails for ever would never repeat a state."""

STEADY_SECONDS: Final = 600
"""A container that ran for longer than this starts again without delay (twice the longest back-off)."""


@record
class RuntimeContainer(Record):
    """The newest instance of a container of a pod.

    ``started`` and ``ready`` are what the probes last concluded.  A restarted kubelet takes them over from
    the pod's status in the API (as it does since Kubernetes 1.35), so the model keeps them here.
    ``answers_ready`` and ``answers_live`` are what the process answers to probes once it answers at all,
    which is when ``answers_in`` has reached 0.  ``exits_in`` is the time until a process that was asked to
    stop does so.
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
class RuntimeState(Record):
    """Everything on a node that a crash of the kubelet leaves alone.

    Sandboxes are in the order of their addresses and containers in that of their names: which came first
    makes no difference.  ``admitted`` is the kubelet's checkpoint of the pods it let in.

    The rest is how the node is made: ``images`` are those that it holds, ``unavailable`` those that no
    registry hands out.  ``startup`` and ``drain`` say, by image, how many seconds a process needs until it
    answers, and until it has ended after SIGTERM (0 if not said); ``exit_codes`` say what it then exits with
    (0 if not said).  Restarts beyond ``restarts_counted`` are not told apart.
    """

    sandboxes: tuple[Sandbox, ...] = ()
    containers: tuple[RuntimeContainer, ...] = ()
    admitted: tuple[Uid, ...] = ()
    images: tuple[str, ...] = ()
    unavailable: tuple[str, ...] = ()
    startup: Map[int] = EMPTY
    drain: Map[int] = EMPTY
    exit_codes: Map[int] = EMPTY
    restarts_counted: int = RESTARTS_COUNTED


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
        return replace(runtime, containers=tuple(sorted((*runtime.containers, new), key=lambda each: each.name)))
    kept = tuple(new if (each.pod, each.name) == (new.pod, new.name) else each for each in runtime.containers)
    return replace(runtime, containers=kept)


def sandbox_created(runtime: RuntimeState, pod: Uid, host_network: bool, counts: bool = False) -> RuntimeState:
    """A sandbox for the pod with the smallest address that is free on this node (0: the node's own).

    ``counts``: a variant that takes the number of sandboxes for the address, without a look at which are free.
    """
    taken = {each.ip for each in runtime.sandboxes}
    free = len(taken) + 1 if counts else next(n for n in range(1, len(taken) + 2) if n not in taken)
    ip = 0 if host_network else free
    return replace(runtime, sandboxes=tuple(sorted((*runtime.sandboxes, Sandbox(pod, ip)), key=lambda each: each.ip)))


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


def started(runtime: RuntimeState, pod: Uid, name: str, image: str, ports: tuple[tuple[int, str], ...]) -> RuntimeState:
    """A new instance of a container, running; it exits with code 1 at once if one of its ports is taken.

    Containers of a pod share its ports, so the second one to listen on a port fails.  A process is taken to
    listen on the ports that its container declares.
    Source: https://kubernetes.io/docs/concepts/workloads/pods/#pod-networking.
    """
    old = container(runtime, pod, name)
    startup = runtime.startup.get(image, 0)
    new = RuntimeContainer(
        pod,
        name,
        previous_exit_code=old.exit_code if old else None,
        restarts=min(old.restarts + 1, runtime.restarts_counted) if old else 0,
        ports=ports,
        answers_in=Age(-startup) if startup else None,
    )
    taken = {
        port
        for each in containers_of(runtime, pod)
        for port in each.ports
        if each.name != name and each.state == RUNNING
    }
    if taken.intersection(ports):
        new = replace(new, state=EXITED, exit_code=1, answers_in=None)
    return updated(runtime, new)


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
            running_for=Age(0),
            ran_steadily=old.running_for > STEADY_SECONDS,
        ),
    )


def answering(
    runtime: RuntimeState, pod: Uid, name: str, ready: bool | None = None, live: bool | None = None
) -> RuntimeState:
    """The process of a running container answers its readiness or liveness probe differently from now on."""
    old = container(runtime, pod, name)
    if old is None or old.state != RUNNING:
        return runtime
    return updated(
        runtime,
        replace(
            old,
            answers_ready=old.answers_ready if ready is None else ready,
            answers_live=old.answers_live if live is None else live,
        ),
    )


def terminated_gently(runtime: RuntimeState, pod: Uid, name: str, exits_in: int) -> RuntimeState:
    """SIGTERM is on its way to a running container, which ends in ``exits_in`` seconds if left alone."""
    old = container(runtime, pod, name)
    if old is None or old.state != RUNNING or old.exits_in is not None:
        return runtime
    return updated(runtime, replace(old, exits_in=Age(-exits_in)))
