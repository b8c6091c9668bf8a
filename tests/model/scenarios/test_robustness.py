"""Whatever is fed to the loader, it is loaded or refused: no other exception ever comes out."""
# ruff: noqa: E501

from __future__ import annotations

import copy
import json
import time
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kythera.model.scenarios.loader import Loaded, Unusable, load, load_documents

MANIFEST: list[dict[str, Any]] = [
    {
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "labels": {"a": "b"}, "uid": "u"},
        "spec": {
            "replicas": 2, "selector": {"matchLabels": {"app": "web"}},
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": 1}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {
                    "containers": [{
                        "name": "c", "image": "web:1", "ports": [{"containerPort": 80}],
                        "resources": {"requests": {"cpu": "100m", "memory": "1Gi"}},
                        "readinessProbe": {"httpGet": {"path": "/", "port": 80}, "periodSeconds": 3},
                        "env": [{"name": "A", "valueFrom": {"configMapKeyRef": {"name": "m", "key": "k"}}}],
                    }],
                    "affinity": {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [
                        {"topologyKey": "topology.kubernetes.io/zone", "labelSelector": {"matchLabels": {"app": "web"}}}]}},
                    "tolerations": [{"key": "a", "operator": "Exists"}],
                    "topologySpreadConstraints": [{"maxSkew": 1, "topologyKey": "kubernetes.io/hostname",
                                                   "whenUnsatisfiable": "DoNotSchedule"}],
                },
            },
        },
    },
    {
        "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "web"},
        "spec": {"maxReplicas": 4, "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
                 "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50}}}]},
    },
    {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "web"},
     "spec": {"minAvailable": "50%", "selector": {"matchLabels": {"app": "web"}}}},
    {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"},
     "spec": {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 80}]}},
    {
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": "p", "uid": "p", "creationTimestamp": "2024-01-01T00:00:00Z", "labels": {"app": "web", "pod-template-hash": "x"},
                     "ownerReferences": [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web-x", "uid": "r", "controller": True}]},
        "spec": {"nodeName": "n", "containers": [{"name": "c", "image": "web:1"}], "initContainers": [{"name": "i", "image": "i"}]},
        "status": {"phase": "Running", "containerStatuses": [{"name": "c", "state": {"running": {}}, "ready": True, "restartCount": 0}]},
    },
    {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n"}, "status": {"capacity": {"cpu": "4", "pods": "9"}}},
    {
        "apiVersion": "kythera/v1alpha1", "kind": "Scenario", "metadata": {"name": "s"},
        "spec": {
            "nodes": [{"count": 1, "labels": {"a": "b"}, "capacity": {"cpu": "1"}, "taints": [{"key": "a", "effect": "NoSchedule"}]}],
            "controlPlane": {"apiServers": 1, "schedulers": [{"name": "default-scheduler", "replicas": 1}]},
            "components": {"kubelet": {"timed": "no"}}, "variants": ["hpa.base=spec_replicas"],
            "workload": [{"selector": {"app": "web"}, "startup": "1s", "cpu": ["1", "2"], "changes": 1, "exits": "never"}],
            "events": [{"name": "a", "scale": "deployment/web", "replicas": 3}, {"drain": "n", "after": "a"},
                       {"connect": "service/web", "from": "n", "port": 80}, {"connect": "service/web", "from": {"app": "web"}},
                       {"apply": [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "m"}, "data": {"k": "v"}}]}],
            "faults": {"crash": 1, "staleness": "lag"}, "time": "prompt", "granularity": "coarse", "properties": ["x"],
        },
    },
]  # fmt: skip

ODD = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), st.builds(list), st.builds(dict), st.builds(lambda: [None]),
    st.builds(lambda: "9" * 5000),
    st.sampled_from([2**63, -1, "-1", "1e999", "100%", "-5%", "%", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59",
                     "a/b/c", "default", "n", "web", "Pod", "List", ".", "..", "\ud800", "\x00", "12:30"]),
    st.dictionaries(st.text(max_size=4), st.integers(), max_size=2), st.lists(st.text(max_size=4), max_size=2),
)  # fmt: skip
PLAIN = st.recursive(
    ODD, lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=6), inner, max_size=3)),
    max_leaves=12,
)  # fmt: skip


def places(data: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if path else []
    pairs = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in pairs:
        found += places(value, (*path, key))
    return found


PLACES = places(MANIFEST)


def loaded(documents: Any) -> Loaded | None:
    """What comes of the documents, ``None`` if they are refused for at least one reason, each on one line."""
    try:
        return load_documents(documents)
    except Unusable as refused:
        problems = refused.problems
    assert problems
    assert all("\n" not in str(problem) for problem in problems)
    return None


def usable(file: Path) -> bool:
    """Whether a file can be used; a refusal gives a reason."""
    try:
        load([file])
    except Unusable as refused:
        problems = refused.problems
    else:
        return True
    assert problems
    return False


def test_the_manifest_itself_is_usable() -> None:
    assert loaded(MANIFEST) is not None


@settings(max_examples=400, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(PLACES), st.sampled_from(["put", "drop", "add"]), ODD), min_size=1, max_size=3)
)
def test_any_mutation_of_a_manifest(changes: list[tuple[tuple[Any, ...], str, Any]]) -> None:
    data = copy.deepcopy(MANIFEST)
    changes = copy.deepcopy(changes)
    for path, how, value in changes:
        try:
            target: Any = data
            for part in path[:-1]:
                target = target[part]
            if how == "put":
                target[path[-1]] = value
            elif how == "drop":
                del target[path[-1]]
            elif isinstance(target[path[-1]], dict):
                target[path[-1]]["extra"] = value
            elif isinstance(target[path[-1]], list):
                target[path[-1]].append(value)
        except (KeyError, IndexError, TypeError):
            continue
    once = loaded(data)
    if once is not None:
        again = load_documents(once.documents)
        assert (again.objects, again.scenario, again.assumptions) == (once.objects, once.scenario, once.assumptions)


@settings(max_examples=200, deadline=None)
@given(st.lists(PLAIN, max_size=3))
def test_any_plain_data(documents: list[Any]) -> None:
    loaded(documents)


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(["Deployment", "Pod", "Node", "Service", "Scenario", "Namespace", "Lease", "List"]),
    PLAIN,
    PLAIN,
    PLAIN,
)
def test_any_data_in_an_object(kind: str, metadata: Any, spec: Any, status: Any) -> None:
    versions = {"Deployment": "apps/v1", "Scenario": "kythera/v1alpha1", "Lease": "coordination.k8s.io/v1"}
    data = {"apiVersion": versions.get(kind, "v1"), "kind": kind, "metadata": metadata, "spec": spec, "status": status}
    loaded([data, MANIFEST[0]])


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.one_of(st.text(max_size=80), st.text("{}[]:,&*!|>-?%@#'\"\n\t <ab1.~", max_size=80), PLAIN.map(json.dumps)))
def test_any_text(tmp_path: Path, text: str) -> None:
    file = tmp_path / "x.yaml"
    file.write_text(text, encoding="utf-8", errors="replace")
    assert usable(file) in (True, False)


def test_thousands_of_lines_take_a_moment(tmp_path: Path) -> None:
    documents = [{**copy.deepcopy(MANIFEST[0]), "metadata": {"name": f"web-{n}"}} for n in range(100)]
    file = tmp_path / "x.json"
    file.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": documents}, indent=1), encoding="utf-8")
    begun = time.perf_counter()
    assert len(load([file]).objects) == 103
    assert time.perf_counter() - begun < 5  # 6,000 lines; far below a second where nothing else runs
