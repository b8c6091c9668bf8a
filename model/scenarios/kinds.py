"""Which kinds the model has, which can't change what it does, and which it would need but does not have.

Source: https://kubernetes.io/docs/reference/kubernetes-api/;
https://kubernetes.io/docs/reference/using-api/deprecation-guide/.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any

from kythera.model.control_plane.apiserver.resources import RESOURCES
from kythera.model.record import Record
from kythera.model.scenarios.source import Document, Problem

SCENARIO = "Scenario"
SCENARIO_VERSION = "kythera/v1alpha1"

MODELLED: dict[str, type[Record]] = {name: each.kind for name, each in RESOURCES.items() if name != "PodMetrics"}

_ACCESS = "authentication and authorization are not modelled"
_OUTSIDE = "traffic from outside the cluster is not modelled"
_STORAGE = "storage is not modelled"
_EVENTS = "a report for people"
_METRICS = "monitoring is not modelled"

IGNORED: dict[str, str] = {
    **dict.fromkeys(
        ("ServiceAccount", "Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding", "CertificateSigningRequest",
         "ClusterTrustBundle", "PodCertificateRequest"),
        _ACCESS,
    ),
    **dict.fromkeys(("Ingress", "IngressClass", "Gateway", "GatewayClass", "HTTPRoute", "GRPCRoute"), _OUTSIDE),
    **dict.fromkeys(("StorageClass", "CSIDriver", "CSINode", "CSIStorageCapacity", "VolumeAttachment",
                     "VolumeAttributesClass"), _STORAGE),
    **dict.fromkeys(("ServiceMonitor", "PodMonitor", "PrometheusRule", "PodMetrics", "NodeMetrics"), _METRICS),
    **dict.fromkeys(("FlowSchema", "PriorityLevelConfiguration"), "the API server never turns a request away for load"),
    "NetworkPolicy": "connections between pods are not modelled",
    "CustomResourceDefinition": "objects of other kinds are not modelled",
    "APIService": "other API servers are not modelled",
    "Event": _EVENTS,
    "ComponentStatus": _EVENTS,
    "Endpoints": "traffic follows EndpointSlices",
    "ControllerRevision": "only StatefulSets and DaemonSets keep their history so",
    "PodTemplate": "nothing makes pods from it",
    "RuntimeClass": "container runtimes are all equal in the model",
    "IPAddress": "the addresses of Services are opaque",
    "ServiceCIDR": "the addresses of Services are opaque",
}  # fmt: skip
"""Kinds that can't change what the model does, and why."""

_PODS = "write a Deployment, a ReplicaSet or Pods instead"
_HOOKS = "write the objects as they are after it instead, and leave it out"

REFUSED: dict[str, str] = {
    **dict.fromkeys(("StatefulSet", "DaemonSet", "Job", "CronJob", "ReplicationController"), _PODS),
    **dict.fromkeys(("PersistentVolume", "PersistentVolumeClaim"), "leave it out together with the pods that use it"),
    **dict.fromkeys(("ResourceQuota", "LimitRange"), "write what it sets into the pods' resources and leave it out"),
    **dict.fromkeys(
        ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration", "ValidatingAdmissionPolicy",
         "ValidatingAdmissionPolicyBinding", "MutatingAdmissionPolicy", "MutatingAdmissionPolicyBinding"),
        _HOOKS,
    ),
    **dict.fromkeys(("ResourceClaim", "ResourceClaimTemplate", "ResourceSlice", "DeviceClass"),
                    "ask for an extended resource such as example.com/gpu instead"),
    "VerticalPodAutoscaler": "write the resources that it would set instead",
    "Binding": "set spec.nodeName of the Pod instead",
    "Eviction": "write a drain or a delete event in a Scenario instead",
    "Workload": "write the pods without it",
    "PodSecurityPolicy": "Kubernetes has none since 1.25",
    "Kustomization": "render it first with `kubectl kustomize`, and give what comes out",
    "HelmChart": "render it first with `helm template`, and give what comes out",
}  # fmt: skip
"""Kinds that would change what happens, and what to do instead."""

_FORMER_GROUPS = {
    "Deployment": ("extensions",), "ReplicaSet": ("extensions",), "PodDisruptionBudget": ("extensions",),
}  # fmt: skip


def kind_problem(document: Document) -> Problem | None:
    """Why an object is of a kind or version that can't be read; ``None`` for modelled and ignored ones."""
    kind, version = document.data.get("kind"), document.data.get("apiVersion")
    if not isinstance(kind, str) or not kind:
        what = "there is none" if kind is None else f"found {kind!r}"
        text = f"{what}; expected the kind of a Kubernetes object, such as Deployment"
        return document.problem(("kind",), text)
    if not isinstance(version, str) or not version:
        what = "there is none" if version is None else f"found {version!r}"
        return document.problem(("apiVersion",), f"{what}; expected {_version_of(kind)}")
    if kind in MODELLED:
        return _version_problem(document, kind, version)
    if kind == SCENARIO:
        if version == SCENARIO_VERSION:
            return None
        return document.problem(("apiVersion",), f"found {version!r}; expected {SCENARIO_VERSION}")
    if kind == "RuntimeClass" and (document.data.get("overhead") or document.data.get("scheduling")):
        text = "a RuntimeClass with overhead or scheduling is not modelled yet; write both into the pods instead"
        return document.problem(("kind",), text)
    if kind in IGNORED:
        return None
    if kind in REFUSED:
        return document.problem(("kind",), f"{kind} is not modelled yet; {REFUSED[kind]}")
    near = get_close_matches(kind, (*MODELLED, SCENARIO), 1)
    hint = f"did you mean {near[0]}? " if near else ""
    known = ", ".join(sorted(MODELLED))
    return document.problem(("kind",), f"unknown kind {kind!r} of {version}; {hint}modelled are {known}")


def _version_of(kind: str) -> str:
    if kind == SCENARIO:
        return SCENARIO_VERSION
    cls: Any = MODELLED.get(kind)
    return "a version such as apps/v1" if cls is None else str(cls.api_version)


def _version_problem(document: Document, kind: str, version: str) -> Problem | None:
    wanted = _version_of(kind)
    if version == wanted or (kind == "HorizontalPodAutoscaler" and version == "autoscaling/v1"):
        return None
    group = version.rpartition("/")[0]
    if group == wanted.rpartition("/")[0] or group in _FORMER_GROUPS.get(kind, ()):
        return document.problem(("apiVersion",), f"Kubernetes 1.37 serves no {kind} of {version}; use {wanted}")
    return document.problem(("apiVersion",), f"a {kind} of {version} is not modelled, only that of {wanted}")
