"""The kubelet in a tiny loop: a store of pods, one node, and no API server beyond what it needs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kythera.model.api.core.cluster import ConfigMap
from kythera.model.api.core.container import (
    Container,
    ContainerPort,
    EnvFromSource,
    Lifecycle,
    LifecycleHandler,
    ObjectReference,
    Probe,
    ResourceRequirements,
    SleepAction,
)
from kythera.model.api.core.node import Node, NodeStatus
from kythera.model.api.core.pod import Pod, PodSpec, PodStatus
from kythera.model.api.core.scheduling import Taint
from kythera.model.api.meta import Condition, ObjectMeta
from kythera.model.api.pods import condition, is_ready, is_terminating, set_condition
from kythera.model.api.quantity import Quantity
from kythera.model.controller import Controller, Reply, Step
from kythera.model.node.kubelet.kubelet import crashed, kubelet, node_lost
from kythera.model.node.kubelet.state import NodeState
from kythera.model.node.runtime import runtime as cri
from kythera.model.normalise import Renaming, older, rename
from kythera.model.record import Age, Map, NodeName, Record, Uid, replace
from kythera.model.request import Delete, Ref, Request, Update
from kythera.model.view import View

NODE = NodeName("n1")
CPU = 10**9


@dataclass
class Cluster:
    """One node, its kubelet, and the objects that it can see."""

    controller: Controller
    pods: dict[int, Pod] = field(default_factory=dict)
    others: list[Record] = field(default_factory=list)
    node: Node = field(
        default_factory=lambda: Node(
            ObjectMeta(name=NODE),
            status=NodeStatus(allocatable=Map({"cpu": Quantity(4 * CPU), "pods": Quantity(10 * CPU)})),
        )
    )
    done: list[str] = field(default_factory=list)
    phases: list[str] = field(default_factory=list)
    seconds: int = 0

    def __post_init__(self) -> None:
        self.local: NodeState = self.controller.initial
        self.seen = self.view()

    def view(self) -> View:
        shown: dict[str, tuple[Record, ...]] = {}
        for obj in (*self.pods.values(), self.node, *self.others):
            shape = self.controller.shapes[type(obj)](obj)
            if shape is not None:
                name = type(obj).__name__
                shown[name] = (*shown.get(name, ()), shape)
        return View(Map(shown))

    def watch(self) -> None:
        now = self.view()
        self.local = self.controller.observe(self.local, self.seen, now)
        self.seen = now

    def steps(self) -> list[tuple[Ref, Step]]:
        """Every step that changes or asks for something."""
        found = []
        for key in self.controller.keys(self.seen):
            for step in self.controller.reconcile(self.local, self.seen, key):
                if step.local != self.local or step.requests:
                    found.append((key, step))
        return found

    def take(self, key: Ref, step: Step) -> None:
        self.local = step.local
        self.done += [str(value) for _, value in step.choice]
        for request in step.requests:
            reply = self.answer(request)
            self.local = self.controller.replied(self.local, key, request, reply)

    def answer(self, request: Request) -> Reply:
        if isinstance(request, Update):
            assert isinstance(request.object, Pod)
            assert request.subresource == "status"
            uid = request.object.metadata.uid
            if uid not in self.pods:
                return Reply(404, "NotFound")
            self.pods[uid] = replace(self.pods[uid], status=request.object.status)
            self.phases.append(request.object.status.phase)
        else:
            assert isinstance(request, Delete)
            assert request.grace_period_seconds == 0
            assert request.ref.uid is not None
            running = [c for c in cri.containers_of(self.local.runtime, request.ref.uid) if c.state == "running"]
            assert not running
            self.pods.pop(request.ref.uid, None)
        return Reply(200)

    def settle(self, limit: int = 200) -> Cluster:
        """Until nothing is to be done without waiting."""
        self.watch()
        for _ in range(limit):
            steps = self.steps()
            if not steps:
                return self
            self.take(*steps[0])
            self.watch()
        raise AssertionError(f"no rest: {self.done[-12:]}")

    def wait(self, seconds: int) -> Cluster:
        """Time passes, from one deadline to the next, and what is due is done."""
        left = seconds
        while left > 0:
            dues = [
                step.requeue_after
                for key in self.controller.keys(self.seen)
                for step in self.controller.reconcile(self.local, self.seen, key)
                if step.requeue_after is not None
            ]
            passed = min([left, *dues])
            self.local = older(self.local, passed, self.controller.horizons)
            left -= passed
            self.settle()
        self.seconds += seconds
        return self

    def pod(self, uid: int = 1) -> Pod:
        return self.pods[uid]

    def bind(self, uid: int = 1, **spec: object) -> Cluster:
        self.pods[uid] = make_pod(uid, **spec)
        return self

    def delete(self, uid: int = 1, grace: int = 30) -> Cluster:
        meta = replace(self.pods[uid].metadata, deletion_timestamp=Age(0), deletion_grace_period_seconds=grace)
        self.pods[uid] = replace(self.pods[uid], metadata=meta)
        return self

    def exit(self, name: str = "app", code: int = 1, uid: int = 1) -> Cluster:
        self.local = replace(self.local, runtime=cri.exited(self.local.runtime, Uid(uid), name, code))
        return self

    def answers(self, name: str = "app", *, ready: bool | None = None, live: bool | None = None) -> Cluster:
        found = cri.container(self.local.runtime, Uid(1), name)
        if found is not None and found.state == cri.RUNNING:
            found = replace(
                found,
                answers_ready=found.answers_ready if ready is None else ready,
                answers_live=found.answers_live if live is None else live,
            )
            self.local = replace(self.local, runtime=cri.updated(self.local.runtime, found))
        return self

    def container(self, name: str = "app", uid: int = 1) -> cri.RuntimeContainer:
        found = cri.container(self.local.runtime, Uid(uid), name)
        assert found is not None
        return found


def make_pod(uid: int, **spec: object) -> Pod:
    values: dict[str, object] = {
        "containers": (Container("app", "app:1"),),
        "restart_policy": "Always",
        **spec,
    }
    scheduled = Condition("PodScheduled", "True")
    return Pod(
        ObjectMeta(name=f"web-{uid}", namespace="default", uid=Uid(uid)),
        PodSpec(node_name=NODE, **values),  # type: ignore[arg-type]
        PodStatus(phase="Pending", conditions=(scheduled,), qos_class="BestEffort"),
    )


def cluster(runtime: cri.RuntimeState | None = None, **settings: str) -> Cluster:
    return Cluster(kubelet(NODE, settings, runtime))


def behaving(**behaviour: Any) -> cri.RuntimeState:
    """A node on which all processes behave so."""
    return cri.RuntimeState(behaviours=(cri.Behaviour(**behaviour),))


both_granularities = pytest.mark.parametrize("granularity", ["coarse", "fine"])


@both_granularities
def test_a_bound_pod_starts_and_becomes_ready(granularity: str) -> None:
    pod = cluster(granularity=granularity).bind().settle().pod()
    assert pod.status.phase == "Running"
    assert is_ready(pod)
    assert pod.status.pod_ip == "10.0.0.1"
    assert [c.type for c in pod.status.conditions if c.status == "True"] == [
        "PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled",
    ]  # fmt: skip


def test_in_coarse_granularity_that_is_one_step_and_in_fine_each_thing_is_its_own() -> None:
    assert len(cluster().bind().settle().done) == 1
    done = cluster(granularity="fine").bind().settle().done
    assert [d for d in done if d != "report"] == [
        "admit", "create sandbox", "start container app", "probe container app",
    ]  # fmt: skip


def test_a_pod_of_another_node_is_not_its_business() -> None:
    made = cluster()
    made.pods[1] = replace(make_pod(1), spec=replace(make_pod(1).spec, node_name=NodeName("n2")))
    assert made.settle().done == []


@both_granularities
def test_a_deleted_pod_is_stopped_and_then_removed_from_the_api(granularity: str) -> None:
    made = cluster(granularity=granularity).bind().settle().delete().settle()
    assert made.pods == {}
    assert made.local == NodeState()
    assert made.phases[-1] == "Succeeded"


def test_a_pod_deleted_before_it_ever_started_goes_without_a_container() -> None:
    made = cluster().bind().delete().settle()
    assert made.pods == {}
    assert made.phases == ["Failed"]


def test_a_container_that_fails_is_reported_before_it_starts_again() -> None:
    made = cluster().bind().settle().exit()
    made.watch()
    made.take(*made.steps()[0])
    assert not is_ready(made.pod())
    assert made.pod().status.container_statuses[0].state.terminated is not None
    status = made.settle().pod().status.container_statuses[0]
    assert is_ready(made.pod())
    assert (status.restart_count, status.last_state.terminated is not None) == (1, True)


def test_restarts_are_backed_off_10_20_40_seconds_where_time_counts() -> None:
    made = cluster(timed="yes").bind().settle()
    made.exit().settle()
    assert made.container().state == "running"  # the first restart is at once
    for seconds in (10, 20, 40, 80, 160, 300, 300):
        made.exit().settle()
        waiting = made.pod().status.container_statuses[0].state.waiting
        assert waiting is not None
        assert waiting.reason == "CrashLoopBackOff"
        assert f"back-off {seconds}s" in waiting.message
        assert made.pod().status.phase == "Running"
        assert made.wait(seconds - 1).container().state == "exited"
        assert made.wait(1).container().state == "running"


def test_ten_minutes_of_running_forget_the_back_off() -> None:
    made = cluster(timed="yes").bind().settle().exit().settle()
    made.wait(601).exit().settle()
    assert made.container().state == "running"


def test_a_restart_of_the_kubelet_forgets_the_back_off() -> None:
    made = cluster(timed="yes").bind().settle().exit().settle().exit().settle()
    assert made.container().state == "exited"
    made.local = crashed(made.local)
    assert made.settle().container().state == "running"


@pytest.mark.parametrize(
    ("policy", "code", "phase"),
    [
        ("Never", 0, "Succeeded"),
        ("Never", 1, "Failed"),
        ("OnFailure", 0, "Succeeded"),
        ("OnFailure", 1, "Running"),
    ],
)
def test_restart_policy_decides_what_an_exit_means(policy: str, code: int, phase: str) -> None:
    made = cluster().bind(restart_policy=policy).settle().exit(code=code).settle()
    assert made.pod().status.phase == phase


def test_init_containers_run_one_after_the_other_and_then_the_main_containers() -> None:
    made = cluster().bind(init_containers=(Container("a"), Container("b"))).settle()
    assert made.pod().status.phase == "Pending"
    assert [c.name for c in made.local.runtime.containers] == ["a"]
    made.exit("a", 0).settle()
    assert [c.name for c in made.local.runtime.containers] == ["a", "b"]
    made.exit("b", 0).settle()
    assert is_ready(made.pod())


def test_a_failed_init_container_fails_a_pod_that_is_never_restarted() -> None:
    made = cluster().bind(init_containers=(Container("a"),), restart_policy="Never").settle().exit("a").settle()
    assert made.pod().status.phase == "Failed"
    assert [c.name for c in made.local.runtime.containers] == ["a"]


def sidecar(name: str, startup: bool = False) -> Container:
    return Container(name, restart_policy="Always", startup_probe=Probe() if startup else None)


def test_sidecars_start_in_order_and_stop_last_in_reverse() -> None:
    made = cluster(granularity="fine").bind(init_containers=(sidecar("s1"), sidecar("s2"))).settle()
    made.delete().settle()
    started = [d.split()[-1] for d in made.done if d.startswith("start")]
    stopped = [d.split()[-1] for d in made.done if d.startswith("stop")]
    assert started == ["s1", "s2", "app"]
    assert stopped == ["app", "s2", "s1"]


def test_a_sidecar_has_to_be_started_before_the_next_container() -> None:
    slow = behaving(startup=5)
    made = cluster(slow).bind(init_containers=(sidecar("s", startup=True),)).settle()
    assert [c.name for c in made.local.runtime.containers] == ["s"]
    assert is_ready(made.wait(5).pod())


def test_sidecars_dont_keep_a_finished_pod_running() -> None:
    made = cluster().bind(init_containers=(sidecar("s"),), restart_policy="Never").settle()
    made.exit("app", 0).settle()
    assert made.pod().status.phase == "Succeeded"
    assert made.container("s").state == "exited"


def test_readiness_follows_the_answers_of_the_container() -> None:
    made = cluster().bind(containers=(Container("app", readiness_probe=Probe()),)).settle()
    assert is_ready(made.pod())
    assert not is_ready(made.answers(ready=False).settle().pod())
    assert made.pod().status.phase == "Running"
    assert is_ready(made.answers(ready=True).settle().pod())


def test_a_container_that_fails_its_liveness_probe_is_killed_and_started_again() -> None:
    made = cluster().bind(containers=(Container("app", liveness_probe=Probe()),)).settle()
    made.answers(live=False).settle()
    assert made.container().restarts == 1
    assert made.container().previous_exit_code == 137
    assert is_ready(made.pod())


def test_a_liveness_probe_that_starts_too_early_kills_a_slow_container_for_ever() -> None:
    slow = behaving(startup=60)
    probe = Probe(initial_delay_seconds=5, period_seconds=5, failure_threshold=3)
    made = cluster(slow, timed="yes").bind(containers=(Container("app", "slow", liveness_probe=probe),)).settle()
    assert made.wait(14).container().restarts == 0
    assert made.wait(1).container().restarts == 1
    with_startup = Container("app", "slow", liveness_probe=probe, startup_probe=Probe(failure_threshold=10))
    made = cluster(slow, timed="yes").bind(containers=(with_startup,)).settle().wait(300)
    assert made.container().restarts == 0
    assert is_ready(made.pod())


def test_a_container_that_ignores_sigterm_is_killed_after_the_grace_period() -> None:
    stubborn = behaving(drain=100)
    made = cluster(stubborn, timed="yes").bind().settle().delete(grace=20).settle()
    assert made.wait(19).container().state == "running"
    made.wait(1)
    assert made.pods == {}
    assert made.phases[-1] == "Failed"


def test_the_hook_before_stop_is_part_of_the_grace_period() -> None:
    hook = Lifecycle(pre_stop=LifecycleHandler(sleep=SleepAction(15)))
    made = cluster(timed="yes").bind(containers=(Container("app", lifecycle=hook),)).settle().delete().settle()
    assert made.wait(14).container().state == "running"
    assert made.wait(1).pods == {}
    assert made.phases[-1] == "Succeeded"


def test_a_restarted_kubelet_finds_its_containers_and_writes_nothing_new() -> None:
    made = cluster().bind().settle()
    before = made.pod()
    made.local = crashed(made.local)
    assert made.settle().pod() == before
    assert made.container().restarts == 0


def test_a_pod_that_vanished_while_the_kubelet_was_away_is_stopped() -> None:
    made = cluster().bind().settle()
    made.local = crashed(made.local)
    del made.pods[1]
    assert made.settle().local == NodeState()


def test_a_pod_of_the_same_name_is_another_pod() -> None:
    made = cluster().bind().settle()
    old = made.pods.pop(1)
    made.pods[2] = replace(make_pod(2), metadata=replace(old.metadata, uid=Uid(2)))
    made.settle()
    assert is_ready(made.pod(2))
    assert [c.pod for c in made.local.runtime.containers] == [2]


def test_a_node_that_lost_power_starts_its_pods_again() -> None:
    made = cluster().bind().settle()
    made.local = node_lost(made.local)
    assert is_ready(made.settle().pod())


def test_a_pod_that_ended_is_not_started_again_after_a_restart_of_the_kubelet() -> None:
    made = cluster().bind(restart_policy="Never").settle().exit(code=0).settle()
    made.local = node_lost(made.local)
    made.done.clear()
    assert made.settle().done == []


def cpu(amount: int, name: str = "app") -> Container:
    return Container(name, resources=ResourceRequirements(requests=Map({"cpu": Quantity(amount * CPU)})))


def test_a_pod_that_doesnt_fit_any_more_is_refused_and_fails() -> None:
    made = cluster().bind(1, containers=(cpu(3),)).settle().bind(2, containers=(cpu(2),)).settle()
    status = made.pod(2).status
    assert (status.phase, status.reason) == ("Failed", "OutOfcpu")
    assert status.message == (
        "Pod was rejected: Node didn't have enough resource: cpu, requested: 2000, used: 3000, capacity: 4000"
    )
    assert made.pod(1).status.phase == "Running"
    assert list(made.delete(2).settle().pods) == [1]


def test_a_taint_with_no_execute_refuses_new_pods_but_not_those_admitted_before() -> None:
    made = cluster().bind(1).settle()
    made.node = replace(made.node, spec=replace(made.node.spec, taints=(Taint("k", effect="NoExecute"),)))
    made.local = crashed(made.local)
    made.bind(2).settle()
    assert made.pod(1).status.phase == "Running"
    assert made.pod(2).status.reason == "TaintToleration"


def test_a_host_port_is_given_once() -> None:
    container = Container("app", ports=(ContainerPort(container_port=80, host_port=80),))
    made = cluster().bind(1, containers=(container,)).settle().bind(2, containers=(container,)).settle()
    assert made.pod(2).status.reason == "NodePorts"


def test_containers_of_a_pod_share_its_ports_and_so_the_second_one_fails() -> None:
    ports = (ContainerPort(container_port=80),)
    made = cluster().bind(containers=(Container("a", ports=ports), Container("b", ports=ports))).settle()
    assert made.container("a").state == "running"
    assert made.container("b").state == "exited"
    assert not is_ready(made.pod())


def test_pods_get_the_smallest_free_address() -> None:
    made = cluster().bind(1).bind(2).settle().delete(1).settle().bind(3).settle()
    assert (made.pod(2).status.pod_ip, made.pod(3).status.pod_ip) == ("10.0.0.2", "10.0.0.1")


def test_a_missing_config_map_holds_the_container_back_until_it_exists() -> None:
    source = EnvFromSource(config_map_ref=ObjectReference("settings"))
    made = cluster().bind(containers=(Container("app", env_from=(source,)),)).settle()
    waiting = made.pod().status.container_statuses[0].state.waiting
    assert waiting is not None
    assert (waiting.reason, waiting.message) == (
        "CreateContainerConfigError", 'configmap "settings" not found',
    )  # fmt: skip
    assert made.pod().status.phase == "Pending"
    made.others.append(ConfigMap(ObjectMeta(name="settings", namespace="default")))
    assert is_ready(made.settle().pod())


@pytest.mark.parametrize(
    ("policy", "present", "reason"),
    [
        ("Never", False, "ErrImageNeverPull"),
        ("Never", True, ""),
        ("IfNotPresent", False, "ImagePullBackOff"),
        ("IfNotPresent", True, ""),
        ("Always", True, "ImagePullBackOff"),
    ],
)
def test_an_unavailable_image_matters_by_pull_policy(policy: str, present: bool, reason: str) -> None:
    runtime = cri.RuntimeState(images=("app:1",) if present else (), unavailable=("app:1",))
    made = cluster(runtime).bind(containers=(Container("app", "app:1", policy),)).settle()
    waiting = made.pod().status.container_statuses[0].state.waiting
    assert (waiting.reason if waiting else "") == reason


def test_a_status_that_somebody_else_wrote_is_set_right() -> None:
    made = cluster().bind().settle()
    pod = made.pod()
    wrong = replace(pod.status, conditions=set_condition(pod.status.conditions, Condition("Ready", "False")))
    made.pods[1] = replace(pod, status=wrong)
    assert is_ready(made.settle().pod())


def test_a_report_speaks_of_the_kubelets_own_conditions_only() -> None:
    made = cluster().bind(restart_policy="Never").settle()
    target = Condition("DisruptionTarget", "True")
    status = made.pod().status
    made.pods[1] = replace(made.pod(), status=replace(status, conditions=(target, *status.conditions)))
    status = made.exit().settle().pod().status
    assert status.phase == "Failed"
    assert condition(status.conditions, "DisruptionTarget") is None  # the API server keeps what a patch leaves out


def test_a_pod_past_its_deadline_is_stopped_and_fails() -> None:
    made = cluster(timed="yes").bind(active_deadline_seconds=50).settle()
    assert made.wait(49).pod().status.phase == "Running"
    status = made.wait(1).pod().status
    assert (status.phase, status.reason) == ("Failed", "DeadlineExceeded")
    assert made.container().state == "exited"


def test_a_pod_that_ended_before_its_node_lost_power_is_deleted_as_it_was() -> None:
    made = cluster().bind(restart_policy="Never").settle().exit(code=0).settle()
    made.local = node_lost(made.local)
    writes = len(made.phases)
    assert made.delete().settle().pods == {}
    assert made.phases[writes:] in ([], ["Succeeded"])


def test_a_pod_failed_by_somebody_else_is_stopped() -> None:
    made = cluster().bind().settle()
    pod = made.pod()
    made.pods[1] = replace(pod, status=replace(pod.status, phase="Failed", reason="Evicted"))
    made.settle()
    assert made.container().state == "exited"
    assert (made.pod().status.phase, made.pod().status.reason) == ("Failed", "Evicted")


def test_the_time_since_which_a_pod_is_ready_survives_other_reports() -> None:
    made = cluster().bind(containers=(Container("app"), Container("b", readiness_probe=Probe()))).settle()
    aged = tuple(replace(c, last_transition_time=Age(7)) for c in made.pod().status.conditions)
    made.pods[1] = replace(made.pod(), status=replace(made.pod().status, conditions=aged))
    made.watch()
    made.local = crashed(made.local)
    ready = condition(made.settle().pod().status.conditions, "Ready")
    assert ready is not None
    assert ready.last_transition_time == 7


def test_a_refused_status_is_sent_again_and_one_for_a_pod_that_is_gone_is_not() -> None:
    made = cluster().bind()
    made.watch()
    key, step = made.steps()[0]
    again = made.controller.replied(step.local, key, step.requests[0], Reply(503))
    assert again != step.local
    assert made.controller.replied(step.local, key, step.requests[0], Reply(404)) == step.local


ORDER = {"Pending": 0, "Running": 1, "Succeeded": 2, "Failed": 2}
EVENTS = st.sampled_from(
    ["step", "step", "step", "exit0", "exit1", "unready", "ready", "crash", "lose", "delete", "dead"]
)


@given(
    st.lists(EVENTS, max_size=30),
    st.sampled_from(["Always", "OnFailure", "Never"]),
    st.fixed_dictionaries(
        {"granularity": st.sampled_from(["coarse", "fine"]), "timed": st.sampled_from(["yes", "no"])}
    ),
    st.booleans(),
    st.data(),
)
def test_a_phase_never_goes_back_and_a_pod_is_removed_only_when_it_is_stopped(
    events: list[str], policy: str, settings: dict[str, str], has_sidecar: bool, data: st.DataObject
) -> None:
    app = Container("app", readiness_probe=Probe(), liveness_probe=Probe())
    inits = (Container("init"), sidecar("side")) if has_sidecar else ()
    made = cluster(**settings)
    made.bind(restart_policy=policy, containers=(app,), init_containers=inits)
    names = [each.name for each in (*inits, app)]
    for event in events:
        made.watch()
        if event == "step" and (steps := made.steps()):
            made.take(*data.draw(st.sampled_from(steps)))
        elif event in ("exit0", "exit1"):
            made.exit(data.draw(st.sampled_from(names)), int(event[-1]))
        elif event in ("unready", "ready", "dead"):
            made.answers(ready=event == "ready", live=event != "dead")
        elif event == "crash":
            made.local = crashed(made.local)
        elif event == "lose":
            made.local = node_lost(made.local)
        elif event == "delete" and 1 in made.pods and not is_terminating(made.pod()):
            made.delete()
    final = [phase for phase in made.phases if phase in ("Succeeded", "Failed")]
    assert len(set(final)) <= 1
    assert made.phases[len(made.phases) - len(final) :] == final
    if "lose" not in events:  # a machine that lost power begins again, and says so
        assert [ORDER[phase] for phase in made.phases] == sorted(ORDER[phase] for phase in made.phases)
    made.settle()
    if 1 in made.pods and is_terminating(made.pod()):
        made.wait(60)
    assert not (1 in made.pods and is_terminating(made.pod()))


def in_order(state: NodeState) -> bool:
    """Whether everything that is kept of pods is in the order of their uids."""
    runtime, memory = state.runtime, state.kubelet
    lists = (runtime.sandboxes, runtime.containers, memory.workers, memory.timers)
    uids = [runtime.admitted, *(tuple(each.pod for each in some) for some in lists)]
    return all(list(each) == sorted(each) for each in uids)


@given(
    st.lists(st.tuples(st.sampled_from([0, 1]), st.sampled_from(["bind", "step", "exit", "delete", "crash"]))),
    st.fixed_dictionaries(
        {"granularity": st.sampled_from(["coarse", "fine"]), "timed": st.sampled_from(["yes", "no"])}
    ),
)
def test_nothing_depends_on_which_uid_is_the_smaller(events: list[tuple[int, str]], settings: dict[str, str]) -> None:
    """What happens to two pods is the same with their uids exchanged, up to the names."""

    def run(uids: tuple[int, int]) -> NodeState:
        made = cluster(**settings)
        for which, event in events:
            uid = uids[which]
            made.watch()
            if event == "bind" and uid not in made.pods:
                made.bind(uid, containers=(Container("a", readiness_probe=Probe()), Container("b")))
            elif event == "step":
                mine = [(key, step) for key, step in made.steps() if key.uid == uid]
                if mine:
                    made.take(*mine[0])
            elif event == "exit":
                made.exit("a", uid=uid)
            elif event == "delete" and uid in made.pods and not is_terminating(made.pods[uid]):
                made.delete(uid)
            elif event == "crash":
                made.local = crashed(made.local)
            assert in_order(made.local)
        return made.local

    exchanged = Renaming(Map({"1": 2, "2": 1}))
    assert rename(run((1, 2)), exchanged) == run((2, 1))


def test_a_pod_that_does_not_want_this_node_is_refused() -> None:
    made = cluster().bind(node_selector=Map({"disk": "ssd"})).settle()
    assert (made.pod().status.phase, made.pod().status.reason) == ("Failed", "NodeAffinity")


def test_pods_on_the_hosts_network_share_its_ports() -> None:
    container = Container("app", ports=(ContainerPort(container_port=80, host_port=80),))
    made = cluster().bind(1, containers=(container,), host_network=True).settle()
    assert made.pod(1).status.pod_ip == "10.0.0.0"
    made.bind(2, containers=(container,)).settle()
    assert made.pod(2).status.reason == "NodePorts"


def test_probes_of_a_container_that_has_ended_are_not_waited_for() -> None:
    made = cluster(timed="yes").bind(containers=(Container("app", readiness_probe=Probe()),)).settle()
    made.answers(ready=False).settle()
    assert [timer.what for timer in made.local.kubelet.timers] == ["readiness probe"]
    made.exit().settle()
    assert "readiness probe" not in [timer.what for timer in made.local.kubelet.timers]


def test_an_init_container_is_to_do_its_work_and_a_sidecar_to_go_on() -> None:
    made = cluster(behaving(may_exit=(0, 1), lasts=30)).bind(init_containers=(sidecar("s"), Container("i"))).settle()
    made.exit("i", 0).settle()
    found = {name: made.container(name) for name in ("s", "app")}
    assert (found["s"].ends_in, found["s"].may_exit) == (None, ())
    assert (found["app"].ends_in, found["app"].may_exit) == (-30, (0, 1))
    again = cluster().bind(init_containers=(Container("i"),)).settle()
    assert (again.container("i").ends_in, again.container("i").may_exit) == (0, ())
