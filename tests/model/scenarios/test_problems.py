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
    ("cpu: 100m", "cpu: 100q", 17, "spec.template.spec.containers[0].resources.requests.cpu", "quantities must match"),
    ("cpu: 100m", "cpu: [1]", 17, "spec.template.spec.containers[0].resources.requests.cpu", "quantities must match"),
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
    ("  nodes: [{capacity: {cpu: many}}]", 23, "status.capacity.cpu", "quantities must match"),
    ("  nodes: [{count: 1}, {count: 1}]", 23, "metadata.name", "a second Node/n1"),
    ("  nodes:\n  - {count: 1,\n     taints: [{key: a, effect: Never}]}", 25, "spec.taints[0].effect", "Never"),
    ("  controlPlane: {apiServers: 2}", 23, "spec.controlPlane.apiServers", "more than 1 is not modelled yet"),
    ("  controlPlane: {etcdMembers: 3}", 23, "spec.controlPlane.etcdMembers", "not modelled yet"),
    ("  controlPlane: {controllerManagers: 2}", 23, "spec.controlPlane.controllerManagers", "not modelled yet"),
    ("  controlPlane: {schedulers: [{name: a, replicas: 2}]}", 23, "spec.controlPlane.schedulers[0].replicas", "not"),
    ("  controlPlane: {schedulers: [{name: a}, {name: a}]}", 23, "spec.controlPlane.schedulers[1].name", "a second"),
    ("  components: {kube-schedular: {}}", 23, "spec.components.kube-schedular", "did you mean kube-scheduler?"),
    ("  components: {kubelet: {x: 1}}", 23, "spec.components.kubelet.x", "known here are longest_back_off, timed"),
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
