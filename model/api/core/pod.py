"""Pods and pod templates.

Source: staging/src/k8s.io/api/core/v1/types.go.
"""

from __future__ import annotations

from typing import ClassVar

from kythera.model.api.core.container import Container, ContainerStatus
from kythera.model.api.core.scheduling import (
    Affinity,
    PodSchedulingGate,
    Toleration,
    TopologySpreadConstraint,
)
from kythera.model.api.meta import Condition, ObjectMeta
from kythera.model.api.quantity import Quantity
from kythera.model.record import EMPTY, Age, Map, NodeName, Record, record


@record
class ConfigMapVolumeSource(Record):
    """Files from a ConfigMap."""

    name: str = ""
    optional: bool = False
    opaque: str = ""

    ignored: ClassVar[dict[str, str]] = dict.fromkeys(("items", "defaultMode"), "contents of files are not modelled")


@record
class SecretVolumeSource(Record):
    """Files from a Secret."""

    secret_name: str = ""
    optional: bool = False
    opaque: str = ""

    ignored: ClassVar[dict[str, str]] = dict.fromkeys(("items", "defaultMode"), "contents of files are not modelled")


@record
class PersistentVolumeClaimVolumeSource(Record):
    """A claim of the pod's namespace."""

    claim_name: str = ""
    read_only: bool = False


@record
class Volume(Record):
    """A volume of a pod; only references to other objects matter to the model."""

    name: str = ""
    config_map: ConfigMapVolumeSource | None = None
    secret: SecretVolumeSource | None = None
    persistent_volume_claim: PersistentVolumeClaimVolumeSource | None = None
    opaque: str = ""

    ignored: ClassVar[dict[str, str]] = dict.fromkeys(
        (
            "emptyDir", "hostPath", "projected", "downwardAPI", "csi", "ephemeral", "nfs", "iscsi", "fc", "rbd",
            "cephfs", "glusterfs", "flexVolume", "cinder", "flocker", "gitRepo", "image", "gcePersistentDisk",
            "awsElasticBlockStore", "azureFile", "azureDisk", "vsphereVolume", "quobyte", "portworxVolume",
            "scaleIO", "storageos", "photonPersistentDisk",
        ),
        "file systems inside containers are not modelled",
    )  # fmt: skip


@record
class PodResources(Record):
    """Resources of the pod as a whole (``spec.resources``)."""

    requests: Map[Quantity] = EMPTY
    limits: Map[Quantity] = EMPTY

    ignored: ClassVar[dict[str, str]] = {"claims": "dynamic resource allocation is not modelled"}


@record
class PodReadinessGate(Record):
    """A condition that has to be True before the pod counts as ready."""

    condition_type: str = ""


@record
class PodSpec(Record):
    """What a pod asks for."""

    containers: tuple[Container, ...] = ()
    init_containers: tuple[Container, ...] = ()
    restart_policy: str = ""
    termination_grace_period_seconds: int | None = None
    active_deadline_seconds: int | None = None
    node_name: NodeName | None = None
    node_selector: Map[str] = EMPTY
    affinity: Affinity | None = None
    tolerations: tuple[Toleration, ...] = ()
    topology_spread_constraints: tuple[TopologySpreadConstraint, ...] = ()
    scheduler_name: str = ""
    scheduling_gates: tuple[PodSchedulingGate, ...] = ()
    readiness_gates: tuple[PodReadinessGate, ...] = ()
    priority_class_name: str = ""
    priority: int | None = None
    preemption_policy: str | None = None
    overhead: Map[Quantity] = EMPTY
    resources: PodResources | None = None
    host_network: bool = False
    hostname: str = ""
    subdomain: str = ""
    volumes: tuple[Volume, ...] = ()
    opaque: str = ""

    ignored: ClassVar[dict[str, str]] = {
        **dict.fromkeys(
            ("serviceAccountName", "serviceAccount", "automountServiceAccountToken"),
            "authentication and authorization are not modelled",
        ),
        **dict.fromkeys(("securityContext", "hostPID", "hostIPC", "hostUsers", "shareProcessNamespace"),
                        "privileges of processes are not modelled"),
        **dict.fromkeys(("dnsPolicy", "dnsConfig", "hostAliases", "setHostnameAsFQDN", "enableServiceLinks",
                         "hostnameOverride"),
                        "name resolution inside containers is not modelled"),
        "imagePullSecrets": "registries are not modelled",
        "runtimeClassName": "container runtimes are all equal in the model",
        "os": "all nodes run Linux",
        "ephemeralContainers": "debugging containers are not modelled",
        "resourceClaims": "dynamic resource allocation is not modelled",
        "workloadRef": "gang scheduling is not modelled",
        "schedulingGroup": "gang scheduling is not modelled",
    }  # fmt: skip


@record
class PodIP(Record):
    """One address of a pod."""

    ip: str = ""


@record
class PodStatus(Record):
    """What the kubelet (and, before binding, the scheduler) reports of a pod."""

    phase: str = ""
    conditions: tuple[Condition, ...] = ()
    reason: str = ""
    message: str = ""
    nominated_node_name: NodeName | None = None
    pod_ip: str = ""
    pod_ips: tuple[PodIP, ...] = ()
    start_time: Age | None = None
    init_container_statuses: tuple[ContainerStatus, ...] = ()
    container_statuses: tuple[ContainerStatus, ...] = ()
    qos_class: str = ""

    ignored: ClassVar[dict[str, str]] = {
        **dict.fromkeys(("hostIP", "hostIPs"), "addresses of nodes are not modelled"),
        "ephemeralContainerStatuses": "debugging containers are not modelled",
        **dict.fromkeys(("resize", "resources", "allocatedResources"), "in-place resize is not modelled"),
        **dict.fromkeys(("resourceClaimStatuses", "extendedResourceClaimStatus"),
                        "dynamic resource allocation is not modelled"),
        "observedGeneration": "the kubelet's generation is not modelled",
    }  # fmt: skip


@record
class Pod(Record):
    """A group of containers on one node."""

    metadata: ObjectMeta = ObjectMeta()
    spec: PodSpec = PodSpec()
    status: PodStatus = PodStatus()

    api_version: ClassVar[str] = "v1"
    kind: ClassVar[str] = "Pod"
    plural: ClassVar[str] = "pods"


@record
class PodTemplateSpec(Record):
    """What a controller makes pods from."""

    metadata: ObjectMeta = ObjectMeta()
    spec: PodSpec = PodSpec()
