"""Every sort of bad input is said at its line, with what was found and what would be accepted."""

from __future__ import annotations

from pathlib import Path

import pytest

from kythera.model.scenarios.loader import Problem, Unusable, load

WEB = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 2
  selector:
    matchLabels: {app: web}
  template:
    metadata:
      labels: {app: web}
    spec:
      containers:
        - name: web
          image: web:1
          resources:
            requests: {cpu: 100m}
"""  # 17 lines

SCENARIO = """\
---
apiVersion: kythera/v1alpha1
kind: Scenario
metadata: {name: s}
spec:
"""  # lines 18 to 22, so that the first field of spec stands in line 23


def found(tmp_path: Path, text: str) -> list[Problem]:
    file = tmp_path / "x.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(Unusable) as refused:
        load([file], ("resource-fit", "replicas-converge"))
    assert all(str(problem).count("\n") == 0 for problem in refused.value.problems)
    return list(refused.value.problems)


def only(tmp_path: Path, text: str) -> Problem:
    problems = found(tmp_path, text)
    assert len(problems) == 1, problems
    return problems[0]


OBJECTS = [
    ("kind: Deployment", "kind: Deploiment", 2, "kind", "did you mean Deployment"),
    ("kind: Deployment", "kind: StatefulSet", 2, "kind", "StatefulSet is not modelled yet"),
    ("kind: Deployment", "kind: 7", 2, "kind", "expected the kind of a Kubernetes object"),
    ("kind: Deployment", "kin: Deployment", 1, "kind", "there is none"),
    ("apps/v1", "apps/v1beta2", 1, "apiVersion", "serves no Deployment of apps/v1beta2; use apps/v1"),
    ("apps/v1", "extensions/v1beta1", 1, "apiVersion", "use apps/v1"),
    ("apps/v1", "example.com/v1", 1, "apiVersion", "only that of apps/v1"),
    ("apiVersion: apps/v1", "# nothing", 2, "apiVersion", "there is none; expected apps/v1"),
    ("replicas: 2", "replica: 2", 6, "spec.replica", "did you mean replicas?"),
    ("replicas: 2", "xyzzy: 2", 6, "spec.xyzzy", "known here are minReadySeconds"),
    ("replicas: 2", 'replicas: "2"', 6, "spec.replicas", "expected a whole number"),
    ("replicas: 2", "replicas: -2", 6, "spec.replicas", "must be greater than or equal to 0"),
    ("replicas: 2", "replicas: 99999999999999999999", 6, "spec.replicas", "at most 64 bits"),
    ("replicas: 2", "replicas: .inf", 6, "spec.replicas", "finite number"),
    ("cpu: 100m", "cpu: 100q", 17, "spec.template.spec.containers[0].resources.requests.cpu", "found text ('100q')"),
    ("cpu: 100m", "cpu: 1mm", 17, "spec.template.spec.containers[0].resources.requests.cpu", "a quantity such as 100m"),
    ("cpu: 100m", "cpu: [1]", 17, "spec.template.spec.containers[0].resources.requests.cpu", "found a list"),
    ("labels: {app: web}", "labels: {app: api}", 11, "spec.template.metadata.labels", "selector"),
    ("labels: {app: web}", "labels: {app: 12}", 11, "spec.template.metadata.labels.app", "expected text"),
    ("name: web\nspec", "name: Web\nspec", 4, "metadata.name", "RFC 1123"),
    (
        "image: web:1",
        "priorityClassName: high",
        15,
        "spec.template.spec.containers[0].priorityClassName",
        "unknown field",
    ),
    ("    spec:\n", "    spec:\n      priorityClassName: high\n", 13, "spec.template.spec.priorityClassName", "high"),
    ("- name: web\n", "- name: web\n          name: web\n", 15, "spec.template.spec.containers[0].name", "twice"),
]


@pytest.mark.parametrize(("old", "new", "line", "field", "said"), OBJECTS, ids=[new[:40] for _, new, *_ in OBJECTS])
def test_an_object_that_is_wrong(tmp_path: Path, old: str, new: str, line: int, field: str, said: str) -> None:
    problems = found(tmp_path, WEB.replace(old, new, 1))
    assert [p for p in problems if (p.line, p.field) == (line, field) and said in p.text], problems


SCENARIOS = [
    ("  node: []", 23, "spec.node", "did you mean nodes?"),
    ("  nodes: [{cuont: 3}]", 23, "spec.nodes[0].cuont", "did you mean count?"),
    ("  nodes: [{count: 0}]", 23, "spec.nodes[0].count", "from 1 to 5000, found 0"),
    ("  nodes: [{capacity: {cpu: many}}]", 23, "spec.nodes[0].capacity.cpu", "found text ('many')"),
    ("  nodes: [{capacity: {memory: -1Gi}}]", 23, "spec.nodes[0].capacity.memory", "greater than or equal to 0"),
    ("  nodes: [{count: 1}, {namePrefix: m, labels: {a b: c}}]", 23, "spec.nodes[1].labels", "a b"),
    ("  nodes: [{count: 1}, {count: 1}]", 23, "spec.nodes[1].namePrefix", "a second Node/n1"),
    ("  nodes:\n  - {count: 1,\n     taints: [{key: a, effect: Bad}]}", 25, "spec.nodes[0].taints[0].effect", "Bad"),
    ("  controlPlane: {apiServers: 2}", 23, "spec.controlPlane.apiServers", "found 2; expected 1: several API"),
    ("  controlPlane: {etcdMembers: 3}", 23, "spec.controlPlane.etcdMembers", "found 3; expected 1: the members"),
    ("  controlPlane: {controllerManagers: 0}", 23, "spec.controlPlane.controllerManagers", "a whole number from 1"),
    ("  controlPlane: {schedulers: [{replicas: 0}]}", 23, "spec.controlPlane.schedulers[0].replicas", "from 1"),
    ("  controlPlane: {schedulers: [{name: a}, {name: a}]}", 23, "spec.controlPlane.schedulers[1].name", "a second"),
    ("  components: {kube-schedular: {}}", 23, "spec.components.kube-schedular", "did you mean kube-scheduler?"),
    ("  components: {kubelet: {x: 1}}", 23, "spec.components.kubelet.x", "known here are crashLoopBackOff, longest"),
    ("  components: {kubelet: {maxPods: 20}}", 23, "spec.components.kubelet.maxPods", "not accepted: say it as pods"),
    ("  components: {kubelet: {nodeLeaseDurationSeconds: 400}}", 23,
     "spec.components.kubelet.nodeLeaseDurationSeconds", "every 100 s, which is not within node-monitor-grace-period"),
    ("  components: {kubelet: {crashLoopBackOff: {maxContainerRestartPeriod: 10m}}}", 23,
     "spec.components.kubelet.crashLoopBackOff", "from 1s to 300s"),
    ("  components: {kube-scheduler: {profiles: []}}", 23, "spec.components.kube-scheduler.profiles", "only the"),
    ("  components: {kube-scheduler: {podInitialBackoffSeconds: 60}}", 23,
     "spec.components.kube-scheduler.podInitialBackoffSeconds", "longer than the longest (10 s)"),
    ("  components: {kube-controller-manager: {concurrent-deployment-syncs: 5}}", 23,
     "spec.components.kube-controller-manager.concurrent-deployment-syncs", "one object at a time"),
    ("  components: {kube-controller-manager: {node-monitor-grace-period: 0s}}", 23,
     "spec.components.kube-controller-manager.node-monitor-grace-period", "a duration of 1s or more"),
    ("  components: {kube-controller-manager: {unhealthy-zone-threshold: 55}}", 23,
     "spec.components.kube-controller-manager.unhealthy-zone-threshold", "a number from 0 to 1"),
    ("  components: {descheduler: {thresholds: {cpu: 200}}}", 23, "spec.components.descheduler.thresholds", "from 0"),
    (
        "  components:\n    kube-controller-manager:\n      horizontal-pod-autoscaler-sync-period: 15x", 25,
        "spec.components.kube-controller-manager.horizontal-pod-autoscaler-sync-period", "a duration such as 40s",
    ),
    ("  variants: [kubelet.magic=on]", 23, "spec.variants[0]", "known are apiserver."),
    ("  variants: [hpa.base=none]", 23, "spec.variants[0]", "one of observed_pods_incl_surge, spec_replicas"),
    ("  variants: [hpa.base]", 23, "spec.variants[0]", "expected component.setting=value"),
    ("  workload: [{cpu: [1]}]", 23, "spec.workload[0].selector", "labels of pods"),
    ("  workload: [{selector: {app: web}, cpu: [x]}]", 23, "spec.workload[0].cpu[0]", "a quantity such as 100m"),
    ("  workload: [{selector: {app: web}, startup: soon}]", 23, "spec.workload[0].startup", "a duration such as 40s"),
    ("  workload: [{selector: {app: web}, changes: 1}]", 23, "spec.workload[0].changes", "two levels of cpu"),
    ("  workload: [{selector: {app: web}, exits: 1}]", 23, "spec.workload[0].exits", "success, failure, any, or"),
    ("  workload: [{selector: {app: web}, exits: [any]}]", 23, "spec.workload[0].exits", "found a list"),
    ("  workload: [{selector: {app: web}, exits: often}]", 23, "spec.workload[0].exits", "a duration such as 30s"),
    ("  events: [{}]", 23, "spec.events[0]", "exactly one of apply, scale"),
    ("  events: [{drain: n1, delete: pod/a}]", 23, "spec.events[0]", "found drain and delete"),
    ("  events: [{drain: n9}]", 23, "spec.events[0].drain", "there is no node"),
    ("  events: [{scale: deployment/api, replicas: 1}]", 23, "spec.events[0].scale", "there are: web"),
    ("  events: [{scale: pod/web, replicas: 1}]", 23, "spec.events[0].scale", "deployment/name or replicaset/name"),
    ("  events: [{scale: web, replicas: 1}]", 23, "spec.events[0].scale", "expected kind/name"),
    ("  events: [{scale: deployment/web}]", 23, "spec.events[0]", "no replicas"),
    ("  events: [{scale: deployment/web, replicas: -1}]", 23, "spec.events[0].replicas", "from 0, found -1"),
    ("  events: [{delete: deployment/web, after: never}]", 23, "spec.events[0].after", "there is no event"),
    ("  events: [{name: a, delete: deployment/web, after: a}]", 23, "spec.events[0].after", "waits for itself"),
    ("  events:\n  - {name: a, cordon: n1}\n  - {name: a, drain: n1}", 25, "spec.events[1].name", "a second event"),
    ("  events: [{apply: nowhere.yaml}]", 23, "spec.events[0].apply", "no such file"),
    ("  events: [{apply: 3}]", 23, "spec.events[0].apply", "a file's name"),
    ("  events: [{apply: [{apiVersion: v1, kind: Pod}]}]", 23, "metadata", "no name"),
    ("  faults: {crash: -1}", 23, "spec.faults.crash", "from 0 to 1000, found -1"),
    ("  faults: {cosmicRays: 1}", 23, "spec.faults.cosmicRays", "unknown field"),
    ("  faults: {diskLoss: 1}", 23, "spec.faults.diskLoss", "not modelled yet"),
    ("  faults: {staleness: some}", 23, "spec.faults.staleness", "one of none, lag, timeTravel"),
    ("  time: slow", 23, "spec.time", "one of prompt, adversarial"),
    ("  granularity: gritty", 23, "spec.granularity", "one of ladder, coarse, fine"),
    ("  properties: [resource-fits]", 23, "spec.properties[0]", "did you mean resource-fit?"),
    ("  properties: []", 23, "spec.properties", "an empty list"),
    ("  properties: 5", 23, "spec.properties", "expected a list, found 5"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("spec", "line", "field", "said"), SCENARIOS, ids=[spec.strip()[:50] for spec, *_ in SCENARIOS]
)
def test_a_scenario_that_is_wrong(tmp_path: Path, spec: str, line: int, field: str, said: str) -> None:
    problems = found(tmp_path, WEB + SCENARIO + spec + "\n")
    assert [p for p in problems if (p.line, p.field) == (line, field) and said in p.text], problems


def test_everything_that_is_wrong_is_said_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = WEB.replace("100m", "100q").replace("replicas: 2", "replica: 2") + SCENARIO + "  time: slow\n  nodes: 3\n"
    assert [p.line for p in found(tmp_path, text)] == [6, 17, 23, 24]


def test_an_object_that_cannot_be_read_is_still_there_for_events(tmp_path: Path) -> None:
    text = WEB.replace("100m", "100q") + SCENARIO + "  events: [{scale: deployment/web, replicas: 1}]\n"
    assert only(tmp_path, text).line == 17


def test_two_objects_of_one_name(tmp_path: Path) -> None:
    problem = only(tmp_path, WEB + "---\n" + WEB)
    assert (problem.line, problem.field) == (22, "metadata.name")
    assert f"the first is in {tmp_path}/x.yaml:4" in problem.text


def test_two_objects_of_one_uid(tmp_path: Path) -> None:
    maps = "".join(f"---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {n}, uid: u}}\n" for n in "ab")
    problem = only(tmp_path, maps)
    assert (problem.line, problem.field) == (8, "metadata.uid")


def test_two_scenarios(tmp_path: Path) -> None:
    again = SCENARIO.replace("spec:\n", "")
    problem = only(tmp_path, WEB + again + again)
    assert problem.line == 23
    assert "expected one at most" in problem.text


def test_two_default_priority_classes(tmp_path: Path) -> None:
    classes = "".join(
        f"---\napiVersion: scheduling.k8s.io/v1\nkind: PriorityClass\nmetadata: {{name: {n}}}\nvalue: 1\n"
        "globalDefault: true\n"
        for n in "ab"
    )
    assert only(tmp_path, classes).line == 12


def test_what_an_event_applies_is_judged_in_its_own_file(tmp_path: Path) -> None:
    (tmp_path / "v2.yml").write_text(WEB.replace("replicas: 2", "replica: 2"), encoding="utf-8")
    problem = only(tmp_path, WEB + SCENARIO + "  events: [{apply: v2.yml}]\n")
    assert (problem.file, problem.line, problem.field) == (str(tmp_path / "v2.yml"), 6, "spec.replica")


@pytest.mark.parametrize("text", ["", "---\n", "# nothing\n", "[]", "text", "a: 1"])
def test_an_input_without_an_object(tmp_path: Path, text: str) -> None:
    assert found(tmp_path, text)


def test_a_folder_without_manifests(tmp_path: Path) -> None:
    with pytest.raises(Unusable, match="holds no file that ends with"):
        load([tmp_path])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: &a [*a, *a]\n", "nested deeper"),
        ("[" * 3000, "nest"),
        ("a: [1,\n", "not YAML"),
        ("a: \x00\n", "not YAML"),
        ("a: !!python/object:os.system x\n", "could not determine a constructor"),
        ("? [a]\n: b\n", "a key must be text"),
    ],
)
def test_yaml_that_means_harm_or_nothing(tmp_path: Path, text: str, said: str) -> None:
    assert any(said in problem.text for problem in found(tmp_path, text))


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    file = tmp_path / "x.yaml"
    file.write_bytes(b"\xff\xfe\x00a")
    with pytest.raises(Unusable, match="cannot be read as text"):
        load([file])


def test_a_target_that_is_not_there_is_told_beside_other_problems(tmp_path: Path) -> None:
    events = "  events: [{scale: deployment/api, replicas: 1}]\n"
    fields = [p.field for p in found(tmp_path, WEB.replace("replicas: 2", "replica: 2") + SCENARIO + events)]
    assert fields == ["spec.replica", "spec.events[0].scale"]


def test_a_node_that_would_be_assumed_is_not_missed_beside_other_problems(tmp_path: Path) -> None:
    text = WEB.replace("replicas: 2", "replica: 2") + SCENARIO + "  events: [{drain: n1}]\n"
    assert only(tmp_path, text).field == "spec.replica"


def test_an_applied_file_that_cannot_be_read_is_told_once(tmp_path: Path) -> None:
    (tmp_path / "v2.yml").write_text("a: [1,\n", encoding="utf-8")
    assert only(tmp_path, WEB + SCENARIO + "  events: [{apply: v2.yml}]\n").file == str(tmp_path / "v2.yml")


def test_a_template_that_is_not_rendered_and_tabs_are_told_as_such(tmp_path: Path) -> None:
    text = WEB.replace("replicas: 2", "replicas: {{ .Values.replicas }}\n  {{- if .Values.x }}")
    problem = only(tmp_path, text)
    assert problem.line == 6
    assert "helm template" in problem.text
    assert "tabs" in only(tmp_path, WEB.replace("  replicas: 2", "\treplicas: 2")).text
