"""Containers: what they request, when they count as started, ready and alive, and what was seen of them.

``opaque`` holds, as canonical JSON, what the manifest says in fields that the model ignores: nothing acts on it, but
two pod templates that differ in it differ, and so a Deployment rolls out.

Source: staging/src/k8s.io/api/core/v1/types.go.
"""

from __future__ import annotations

from typing import ClassVar

from kythera.model.api.quantity import Quantity
from kythera.model.record import EMPTY, Age, Map, Record, record

NO_PROCESS = "the model runs no process; how a container behaves is said by the scenario's workload"


@record
class ResourceRequirements(Record):
    """What a container is promised and what it may not exceed."""

    requests: Map[Quantity] = EMPTY
    limits: Map[Quantity] = EMPTY

    ignored: ClassVar[dict[str, str]] = {"claims": "dynamic resource allocation is not modelled"}


@record
class ContainerPort(Record):
    """A port that a container listens on; ``host_port`` takes the port of the node as well."""

    name: str = ""
    container_port: int = 0
    host_port: int = 0
    host_ip: str = ""
    protocol: str = ""


@record
class Probe(Record):
    """How often a container is asked, and how many answers in a row count.  What is asked is opaque."""

    initial_delay_seconds: int = 0
    period_seconds: int = 0
    timeout_seconds: int = 0
    success_threshold: int = 0
    failure_threshold: int = 0
    termination_grace_period_seconds: int | None = None
    opaque: str = ""

    ignored: ClassVar[dict[str, str]] = dict.fromkeys(("exec", "httpGet", "tcpSocket", "grpc"), NO_PROCESS)


@record
class SleepAction(Record):
    """Pause a container for so many seconds."""

    seconds: int = 0


@record
class LifecycleHandler(Record):
    """What runs at a moment of a container's life; only a sleep has an effect in the model."""

    sleep: SleepAction | None = None
    opaque: str = ""

    ignored: ClassVar[dict[str, str]] = dict.fromkeys(("exec", "httpGet", "tcpSocket"), NO_PROCESS)


@record
class Lifecycle(Record):
    """Hooks after start and before stop."""

    post_start: LifecycleHandler | None = None
    pre_stop: LifecycleHandler | None = None
    stop_signal: str | None = None


@record
class KeySelector(Record):
    """A key of a ConfigMap or Secret."""

    name: str = ""
    key: str = ""
    optional: bool = False


@record
class EnvVarSource(Record):
    """Where a variable's value comes from."""

    config_map_key_ref: KeySelector | None = None
    secret_key_ref: KeySelector | None = None
    opaque: str = ""

    ignored: ClassVar[dict[str, str]] = dict.fromkeys(("fieldRef", "resourceFieldRef", "fileKeyRef"), NO_PROCESS)


@record
class EnvVar(Record):
    """An environment variable."""

    name: str = ""
    value: str = ""
    value_from: EnvVarSource | None = None


@record
class ObjectReference(Record):
    """A whole ConfigMap or Secret, by name."""

    name: str = ""
    optional: bool = False


@record
class EnvFromSource(Record):
    """All keys of a ConfigMap or Secret as variables."""

    prefix: str = ""
    config_map_ref: ObjectReference | None = None
    secret_ref: ObjectReference | None = None


@record
class Container(Record):
    """A container, an init container, or (``restart_policy: Always`` among the init containers) a sidecar."""

    name: str = ""
    image: str = ""
    image_pull_policy: str = ""
    ports: tuple[ContainerPort, ...] = ()
    env: tuple[EnvVar, ...] = ()
    env_from: tuple[EnvFromSource, ...] = ()
    resources: ResourceRequirements = ResourceRequirements()
    restart_policy: str | None = None
    startup_probe: Probe | None = None
    readiness_probe: Probe | None = None
    liveness_probe: Probe | None = None
    lifecycle: Lifecycle | None = None
    opaque: str = ""

    ignored: ClassVar[dict[str, str]] = {
        **dict.fromkeys(("command", "args", "workingDir", "stdin", "stdinOnce", "tty"), NO_PROCESS),
        **dict.fromkeys(("terminationMessagePath", "terminationMessagePolicy"), NO_PROCESS),
        **dict.fromkeys(("volumeMounts", "volumeDevices"), "file systems inside containers are not modelled"),
        "securityContext": "privileges of processes are not modelled",
        "resizePolicy": "in-place resize is not modelled",
        "restartPolicyRules": "restart rules by exit code are not modelled",
    }


@record
class ContainerStateWaiting(Record):
    """Not started yet, or to be started again."""

    reason: str = ""
    message: str = ""


@record
class ContainerStateRunning(Record):
    """Running since ``started_at``."""

    started_at: Age | None = None


@record
class ContainerStateTerminated(Record):
    """Ended with ``exit_code``."""

    exit_code: int = 0
    signal: int = 0
    reason: str = ""
    message: str = ""
    started_at: Age | None = None
    finished_at: Age | None = None

    ignored: ClassVar[dict[str, str]] = {"containerID": "names of the container runtime are not modelled"}


@record
class ContainerState(Record):
    """One of three; none of them means waiting."""

    waiting: ContainerStateWaiting | None = None
    running: ContainerStateRunning | None = None
    terminated: ContainerStateTerminated | None = None


@record
class ContainerStatus(Record):
    """What the kubelet reports of one container."""

    name: str = ""
    state: ContainerState = ContainerState()
    last_state: ContainerState = ContainerState()
    ready: bool = False
    started: bool | None = None
    restart_count: int = 0
    image: str = ""

    ignored: ClassVar[dict[str, str]] = {
        **dict.fromkeys(("containerID", "imageID"), "names of the container runtime are not modelled"),
        **dict.fromkeys(("allocatedResources", "resources"), "in-place resize is not modelled"),
        **dict.fromkeys(("volumeMounts", "user", "stopSignal"), NO_PROCESS),
        "allocatedResourcesStatus": "device health is not modelled",
    }
