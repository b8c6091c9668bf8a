"""What the API server has against objects, in Kubernetes' own words."""

from __future__ import annotations

from typing import Any

import pytest

from kythera.model.api.decode import decode
from kythera.model.api.encode import context
from kythera.model.control_plane.apiserver.defaulting import default
from kythera.model.control_plane.apiserver.resources import RESOURCES
from kythera.model.control_plane.apiserver.validation import validate, validate_update
from kythera.model.record import Record

CONTAINER = {"name": "c", "image": "i"}
LABELS = {"app": "w"}
TEMPLATE = {"metadata": {"labels": LABELS}, "spec": {"containers": [CONTAINER]}}
WORKLOAD = {"selector": {"matchLabels": LABELS}, "template": TEMPLATE}
TARGET = {"kind": "Deployment", "name": "d"}
CPU = {
    "type": "Resource",
    "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}},
}


def made(kind: str, **fields: Any) -> Record:
    """An object from plain data, with its defaults."""
    resource = RESOURCES[kind]
    metadata = {"name": "x", **({"namespace": "default"} if resource.namespaced else {})}
    known = context()
    obj = decode(resource.kind, {"metadata": {**metadata, **fields.pop("metadata", {})}, **fields}, known)
    assert known.errors == []
    return default(obj)


def said(kind: str, **fields: Any) -> list[str]:
    """The errors of a new object as texts."""
    return [str(error) for error in validate(made(kind, **fields))]


def pod_said(**spec: Any) -> list[str]:
    return said("Pod", spec={"containers": [CONTAINER], **spec})


def container_said(**container: Any) -> list[str]:
    return pod_said(containers=[{**CONTAINER, **container}])


FINE: list[tuple[str, dict[str, Any]]] = [
    ("Pod", {"spec": {"containers": [CONTAINER]}}),
    ("Namespace", {}),
    ("Node", {"spec": {"taints": [{"key": "k", "effect": "NoSchedule"}]}}),
    ("Deployment", {"spec": WORKLOAD}),
    ("ReplicaSet", {"spec": WORKLOAD}),
    ("HorizontalPodAutoscaler", {"spec": {"maxReplicas": 3, "scaleTargetRef": TARGET}}),
    ("Service", {"spec": {"ports": [{"port": 80}]}}),
    (
        "EndpointSlice",
        {"addressType": "IPv4", "endpoints": [{"addresses": ["10.0.0.1"]}], "ports": [{"port": 1}]},
    ),
    ("PodDisruptionBudget", {"spec": {"minAvailable": "50%", "selector": {"matchLabels": LABELS}}}),
    ("PriorityClass", {"value": 5}),
    ("Lease", {"spec": {"leaseDurationSeconds": 15}}),
    ("ConfigMap", {"data": {"a.b": "c"}}),
    ("Secret", {"data": {"a": "Yg=="}}),
]


@pytest.mark.parametrize(("kind", "fields"), FINE, ids=[kind for kind, _ in FINE])
def test_nothing_is_said_against_an_ordinary_object(kind: str, fields: dict[str, Any]) -> None:
    assert said(kind, **fields) == []
    obj = made(kind, **fields)
    assert validate_update(obj, obj) == ()
    assert validate_update(obj, obj, "status") == ()


def test_metadata() -> None:
    assert said("ConfigMap", metadata={"name": ""}) == [
        "metadata.name: Required value: name or generateName is required"
    ]
    assert said("ConfigMap", metadata={"name": "", "generateName": "gn-"}) == []
    (wrong,) = said("ConfigMap", metadata={"name": "Bad_Name"})
    assert wrong.startswith('metadata.name: Invalid value: "Bad_Name": a lowercase RFC 1123 subdomain must')
    assert said("Namespace", metadata={"name": "a.b"})
    assert said("Namespace", metadata={"namespace": "x"}) == ["metadata.namespace: Forbidden: not allowed on this type"]
    assert said("ConfigMap", metadata={"labels": {"-": "a b"}, "annotations": {"a/b/c": ""}})
    assert said("ConfigMap", metadata={"finalizers": ["plain"]}) == [
        'metadata.finalizers: Invalid value: "plain": name is neither a standard finalizer name nor is '
        "it fully "
        "qualified"
    ]
    owner = {"apiVersion": "v1", "kind": "Pod", "name": "p", "uid": "1", "controller": True}
    assert said("ConfigMap", metadata={"ownerReferences": [owner]}) == []
    (wrong,) = said("ConfigMap", metadata={"ownerReferences": [owner, owner]})
    assert 'Found "true" in references for Pod/p and Pod/p' in wrong
    assert len(said("ConfigMap", metadata={"ownerReferences": [{}]})) == 4


def test_containers() -> None:
    assert pod_said(containers=[]) == ["spec.containers: Required value"]
    assert pod_said(containers=[CONTAINER, CONTAINER]) == ['spec.containers[1].name: Duplicate value: "c"']
    assert container_said(name="", image="") == [
        "spec.containers[0].name: Required value",
        "spec.containers[0].image: Required value",
    ]
    assert container_said(imagePullPolicy="Maybe") == [
        'spec.containers[0].imagePullPolicy: Unsupported value: "Maybe": supported values: "Always", '
        '"IfNotPresent", '
        '"Never"'
    ]
    assert container_said(env=[{"name": ""}]) == ["spec.containers[0].env[0].name: Required value"]
    assert container_said(env=[{"name": "a", "valueFrom": {"configMapKeyRef": {"name": "m"}}}]) == [
        "spec.containers[0].env[0].valueFrom.configMapKeyRef.key: Required value"
    ]


def test_ports() -> None:
    assert container_said(ports=[{}]) == ["spec.containers[0].ports[0].containerPort: Required value"]
    assert container_said(ports=[{"containerPort": 70000, "protocol": "FTP"}]) == [
        "spec.containers[0].ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive",
        'spec.containers[0].ports[0].protocol: Unsupported value: "FTP": supported values: "SCTP", "TCP", "UDP"',
    ]
    twice = [{"containerPort": 80, "hostPort": 80}, {"containerPort": 81, "hostPort": 80}]
    assert container_said(ports=twice) == ['spec.containers[0].ports[1].hostPort: Duplicate value: "TCP//80"']


def test_resources() -> None:
    assert container_said(resources={"requests": {"cpu": "2"}, "limits": {"cpu": "1"}}) == [
        'spec.containers[0].resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1'
    ]
    assert container_said(resources={"requests": {"a.b/gpu": "1"}}) == [
        "spec.containers[0].resources.limits: Required value: Limit must be set for non overcommitable resources"
    ]
    assert container_said(resources={"requests": {"a.b/gpu": "1"}, "limits": {"a.b/gpu": "2"}}) == [
        'spec.containers[0].resources.requests: Invalid value: "1": must be equal to a.b/gpu limit of 2'
    ]
    assert container_said(resources={"requests": {"cpu": "-1"}}) == [
        'spec.containers[0].resources.requests[cpu]: Invalid value: "-1": must be greater than or equal to 0'
    ]


def test_probes_and_hooks() -> None:
    web = {"httpGet": {"port": 80}}
    assert container_said(livenessProbe=web) == []
    assert container_said(readinessProbe={}) == [
        "spec.containers[0].readinessProbe: Required value: must specify a handler type"
    ]
    assert container_said(livenessProbe={**web, "successThreshold": 2}) == [
        "spec.containers[0].livenessProbe.successThreshold: Invalid value: 2: must be 1"
    ]
    assert container_said(readinessProbe={**web, "periodSeconds": -1}) == [
        "spec.containers[0].readinessProbe.periodSeconds: Invalid value: -1: must be greater than or equal to 0"
    ]
    init = {**CONTAINER, "name": "i", "livenessProbe": web}
    assert pod_said(initContainers=[init]) == [
        "spec.initContainers[0].livenessProbe: Forbidden: may not be set for init containers without "
        "restartPolicy=Always"
    ]
    assert pod_said(initContainers=[{**init, "restartPolicy": "Always"}]) == []
    assert container_said(lifecycle={"preStop": {}})


def test_the_rest_of_a_pod() -> None:
    assert pod_said(restartPolicy="Sometimes") == [
        'spec.restartPolicy: Unsupported value: "Sometimes": supported values: "Always", "Never", "OnFailure"'
    ]
    assert pod_said(activeDeadlineSeconds=0) == [
        "spec.activeDeadlineSeconds: Invalid value: 0: must be between 1 and 2147483647, inclusive"
    ]
    assert pod_said(volumes=[{"name": "v", "configMap": {}}, {"name": "v", "emptyDir": {}}]) == [
        "spec.volumes[0].configMap.name: Required value",
        'spec.volumes[1].name: Duplicate value: "v"',
    ]
    assert pod_said(nodeName="n", schedulingGates=[{"name": "a.b/c"}]) == [
        "spec.nodeName: Forbidden: cannot be set until all schedulingGates have been cleared"
    ]
    limits = {"limits": {"cpu": "1"}}
    assert pod_said(containers=[{**CONTAINER, "resources": limits}], resources={"requests": {"cpu": "500m"}}) == [
        'spec.resources.requests[cpu]: Invalid value: "500m": must be greater than or equal to '
        "aggregate container "
        "requests of 1"
    ]


def test_placement() -> None:
    assert pod_said(tolerations=[{"operator": "Equal"}]) == [
        'spec.tolerations[0].operator: Invalid value: "Equal": operator must be Exists when `key` is '
        "empty, which "
        'means "match all values and all keys"'
    ]
    assert pod_said(tolerations=[{"key": "k", "operator": "Exists", "tolerationSeconds": 5}]) == [
        "spec.tolerations[0].effect: Invalid value: \"\": effect must be 'NoExecute' when `tolerationSeconds` is set"
    ]
    assert pod_said(tolerations=[{"key": "k", "operator": "Near", "effect": "Maybe"}]) == [
        'spec.tolerations[0].operator: Unsupported value: "Near": supported values: "Equal", "Exists", "Gt", "Lt"',
        'spec.tolerations[0].effect: Unsupported value: "Maybe": supported values: "NoExecute", '
        '"NoSchedule", '
        '"PreferNoSchedule"',
    ]
    spread = {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "ScheduleAnyway"}
    assert pod_said(topologySpreadConstraints=[spread]) == []
    assert pod_said(topologySpreadConstraints=[spread, spread]) == [
        'spec.topologySpreadConstraints[1].{topologyKey, whenUnsatisfiable}: Duplicate value: "{zone, ScheduleAnyway}"'
    ]
    assert pod_said(topologySpreadConstraints=[{**spread, "maxSkew": 0, "minDomains": 2}]) == [
        "spec.topologySpreadConstraints[0].maxSkew: Invalid value: 0: must be greater than zero",
        "spec.topologySpreadConstraints[0].minDomains: Invalid value: 2: can only use minDomains if "
        "whenUnsatisfiable=DoNotSchedule, not ScheduleAnyway",
    ]
    required = "requiredDuringSchedulingIgnoredDuringExecution"
    assert pod_said(affinity={"podAntiAffinity": {required: [{"labelSelector": {}}]}})[0] == (
        f"spec.affinity.podAntiAffinity.{required}[0].topologyKey: Required value: can not be empty"
    )
    assert pod_said(affinity={"nodeAffinity": {required: {"nodeSelectorTerms": []}}}) == [
        f"spec.affinity.nodeAffinity.{required}.nodeSelectorTerms: Required value: must have at least one "
        f"node "
        "selector term"
    ]


def test_workloads() -> None:
    assert said("Deployment", spec={**WORKLOAD, "replicas": -1}) == [
        "spec.replicas: Invalid value: -1: must be greater than or equal to 0"
    ]
    assert said("Deployment", spec={**WORKLOAD, "selector": {"matchLabels": {"app": "q"}}}) == [
        'spec.template.metadata.labels: Invalid value: {"app":"w"}: `selector` does not match template `labels`'
    ]
    assert said("ReplicaSet", spec={"template": TEMPLATE}) == ["spec.selector: Required value"]
    assert said("ReplicaSet", spec={**WORKLOAD, "selector": {}}) == [
        "spec.selector: Invalid value: {}: empty selector is invalid for deployment"
    ]
    rolling = {"rollingUpdate": {"maxUnavailable": 0, "maxSurge": "0%"}}
    assert said("Deployment", spec={**WORKLOAD, "strategy": rolling}) == [
        "spec.strategy.rollingUpdate.maxUnavailable: Invalid value: 0: may not be 0 when `maxSurge` is 0"
    ]
    both = {"type": "Recreate", "rollingUpdate": {}}
    assert said("Deployment", spec={**WORKLOAD, "strategy": both}) == [
        "spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate'"
    ]
    assert said("Deployment", spec={**WORKLOAD, "progressDeadlineSeconds": 5, "minReadySeconds": 5}) == [
        "spec.progressDeadlineSeconds: Invalid value: 5: must be greater than minReadySeconds"
    ]
    once = {**TEMPLATE, "spec": {"containers": [CONTAINER], "restartPolicy": "Never"}}
    assert said("Deployment", spec={**WORKLOAD, "template": once}) == [
        'spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"'
    ]


def test_autoscalers() -> None:
    good = {"maxReplicas": 3, "scaleTargetRef": TARGET, "metrics": [CPU]}
    assert said("HorizontalPodAutoscaler", spec={**good, "maxReplicas": 1, "minReplicas": 2}) == [
        "spec.maxReplicas: Invalid value: 1: must be greater than or equal to `minReplicas`"
    ]
    assert said("HorizontalPodAutoscaler", spec={**good, "scaleTargetRef": {}}) == [
        "spec.scaleTargetRef.kind: Required value",
        "spec.scaleTargetRef.name: Required value",
    ]
    assert said("HorizontalPodAutoscaler", spec={**good, "metrics": [{"type": "Pods"}]}) == [
        "spec.metrics[0].pods: Required value: must populate information for the given metric source"
    ]
    assert said("HorizontalPodAutoscaler", spec={**good, "metrics": [{**CPU, "type": "Pods"}]})
    nothing = {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization"}}}
    assert said("HorizontalPodAutoscaler", spec={**good, "metrics": [nothing]}) == [
        "spec.metrics[0].resource.target.averageUtilization: Required value: must set either a target "
        "raw value or "
        "a target utilization"
    ]
    slow = {"scaleDown": {"stabilizationWindowSeconds": 9999, "selectPolicy": "Any"}}
    assert said("HorizontalPodAutoscaler", spec={**good, "behavior": slow}) == [
        "spec.behavior.scaleDown.stabilizationWindowSeconds: Invalid value: 9999: must be less than or equal to 3600",
        'spec.behavior.scaleDown.selectPolicy: Unsupported value: "Any": supported values: "Disabled", "Max", "Min"',
    ]


def test_services_and_slices() -> None:
    assert said("Service", spec={}) == ["spec.ports: Required value"]
    assert said("Service", spec={"clusterIP": "None"}) == []
    assert said("Service", spec={"type": "ExternalName"}) == ["spec.externalName: Required value"]
    assert said("Service", spec={"ports": [{"port": 80}, {"port": 80}]}) == [
        "spec.ports[0].name: Required value",
        "spec.ports[1].name: Required value",
        'spec.ports[1]: Duplicate value: {"protocol":"TCP","port":80}',
    ]
    assert said("Service", spec={"ports": [{"port": 0}]})[0] == (
        "spec.ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive"
    )
    assert said("EndpointSlice", addressType="IPv4", endpoints=[{}, {"addresses": ["::1"]}]) == [
        "endpoints[0].addresses: Required value: must contain at least 1 address",
        'endpoints[1].addresses[0]: Invalid value: "::1": must be a valid IPv4 address',
    ]
    assert said("EndpointSlice") == ["addressType: Required value"]


def test_policies() -> None:
    assert said("PodDisruptionBudget", spec={"minAvailable": 1, "maxUnavailable": 1}) == [
        'spec: Invalid value: {"minAvailable":1,"maxUnavailable":1}: minAvailable and maxUnavailable cannot be both set'
    ]
    assert said("PodDisruptionBudget", spec={"maxUnavailable": "101%"}) == [
        'spec.maxUnavailable: Invalid value: "101%": must not be greater than 100%'
    ]
    assert said("PodDisruptionBudget", spec={"minAvailable": "half"})[0].startswith(
        'spec.minAvailable: Invalid value: "half": a valid percent string must'
    )
    requirement = {"key": "k", "operator": "In"}
    assert said("PodDisruptionBudget", spec={"selector": {"matchExpressions": [requirement]}}) == [
        "spec.selector.matchExpressions[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn'"
    ]
    assert said("PriorityClass", value=2_000_000_000) == [
        "value: Forbidden: maximum allowed value of a user defined priority is 1000000000"
    ]
    assert said("PriorityClass", metadata={"name": "system-mine"})
    assert said("PriorityClass", metadata={"name": "system-node-critical"}, value=2_000_001_000) == []


def test_the_rest() -> None:
    assert said("Node", spec={"taints": [{"key": "k"}]}) == ["spec.taints[0].effect: Required value"]
    taint = {"key": "k", "effect": "NoSchedule"}
    assert said("Node", spec={"taints": [taint, taint]}) == [
        'spec.taints[1]: Duplicate value: {"key":"k","effect":"NoSchedule"}'
    ]
    assert said("Lease", spec={"leaseDurationSeconds": 0}) == [
        "spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0"
    ]
    assert said("Lease", spec={"preferredHolder": "a"}) == [
        "spec.preferredHolder: Forbidden: may only be specified if `strategy` is defined"
    ]
    assert said("ConfigMap", data={"q/r": ""})[0].startswith('data[q/r]: Invalid value: "q/r": a valid config key')


def changed(kind: str, before: dict[str, Any], after: dict[str, Any], subresource: str = "") -> list[str]:
    """The errors of a change as texts."""
    return [str(e) for e in validate_update(made(kind, **before), made(kind, **after), subresource)]


def pod_changed(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    base = {"containers": [CONTAINER]}
    return changed("Pod", {"spec": {**base, **before}}, {"spec": {**base, **after}})


def test_what_may_not_change() -> None:
    other = {"matchLabels": LABELS, "matchExpressions": [{"key": "app", "operator": "Exists"}]}
    for kind in ("Deployment", "ReplicaSet"):
        (wrong,) = changed(kind, {"spec": WORKLOAD}, {"spec": {**WORKLOAD, "selector": other}})
        assert wrong.startswith('spec.selector: Invalid value: {"matchLabels":{"app":"w"},"matchExpressions":')
        assert wrong.endswith("field is immutable")
    assert changed("PriorityClass", {"value": 1}, {"value": 2}) == [
        "value: Forbidden: may not be changed in an update."
    ]
    assert changed("ConfigMap", {"immutable": True}, {"data": {"a": "b"}}) == [
        "immutable: Forbidden: field is immutable when `immutable` is set",
        "data: Forbidden: field is immutable when `immutable` is set",
    ]
    assert changed("Secret", {"type": "a"}, {"type": "b"}) == ['type: Invalid value: "b": field is immutable']
    assert changed("EndpointSlice", {"addressType": "IPv4"}, {"addressType": "IPv6"}) == [
        'addressType: Invalid value: "IPv6": field is immutable'
    ]
    assert changed("PodDisruptionBudget", {}, {"status": {"expectedPods": -1}}, "status") == [
        "status.expectedPods: Invalid value: -1: must be greater than or equal to 0"
    ]


def test_what_may_change_in_a_pod() -> None:
    assert pod_changed({}, {"containers": [{**CONTAINER, "image": "i:2", "imagePullPolicy": "Always"}]}) == []
    assert pod_changed({}, {"tolerations": [{"key": "k", "operator": "Exists"}]}) == []
    assert pod_changed({"activeDeadlineSeconds": 9}, {"activeDeadlineSeconds": 8}) == []
    assert pod_changed({"schedulingGates": [{"name": "a.b/c"}]}, {"nodeSelector": {"a": "b"}}) == []
    (wrong,) = pod_changed({}, {"nodeName": "n"})
    assert wrong.startswith("spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`")
    assert pod_changed({}, {"containers": [CONTAINER, {**CONTAINER, "name": "d"}]}) == [
        "spec.containers: Forbidden: pod updates may not add or remove containers"
    ]
    assert pod_changed({"activeDeadlineSeconds": 8}, {"activeDeadlineSeconds": 9}) == [
        "spec.activeDeadlineSeconds: Invalid value: 9: must be less than or equal to previous value"
    ]
    assert pod_changed({"activeDeadlineSeconds": 8}, {}) == [
        "spec.activeDeadlineSeconds: Invalid value: null: must not update from a positive integer to nil value"
    ]
    assert pod_changed({"tolerations": [{"key": "k", "operator": "Exists"}]}, {}) == [
        "spec.tolerations: Forbidden: existing toleration can not be modified except its tolerationSeconds"
    ]
    assert pod_changed({}, {"schedulingGates": [{"name": "a.b/c"}]}) == [
        "spec.schedulingGates: Forbidden: only deletion is allowed, but found new scheduling gate 'a.b/c'"
    ]
