"""The scheduler as a controller: what it binds, what it reports, what it remembers."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kythera.model.api.core.container import Container, ContainerPort, ResourceRequirements
from kythera.model.api.core.node import Node, NodeSpec, NodeStatus
from kythera.model.api.core.pod import Pod, PodSpec, PodStatus
from kythera.model.api.core.scheduling import Affinity, PodAffinityTerm, PodAntiAffinity, Taint, Toleration
from kythera.model.api.meta import Condition, LabelSelector, ObjectMeta
from kythera.model.api.quantity import Quantity
from kythera.model.control_plane.scheduler.filters import FILTERS
from kythera.model.control_plane.scheduler.scheduler import (
    Assumed,
    SchedulerState,
    controller,
    snapshot_of,
)
from kythera.model.controller import Reply, Step
from kythera.model.record import Age, Map, NodeName, Record, Uid, replace
from kythera.model.request import Bind, Update, ref_of
from kythera.model.view import View, view

SCHEDULER = controller()
NOTHING = SchedulerState()


def quantity(number: int) -> Quantity:
    return Quantity(number * 10**9)


def node(name: str, cpu: int = 4, *taints: Taint, unschedulable: bool = False) -> Node:
    room = Map({"cpu": quantity(cpu), "memory": quantity(1024**3), "pods": quantity(10)})
    return Node(
        ObjectMeta(name=name, labels=Map({"kubernetes.io/hostname": name})),
        NodeSpec(unschedulable, taints),
        NodeStatus(allocatable=room),
    )


def pod(
    uid: int,
    cpu: int = 1,
    on: str = "",
    *,
    priority: int = 0,
    app: str = "",
    port: int = 0,
    **spec: object,
) -> Pod:
    container = Container(
        name="c",
        image="i",
        resources=ResourceRequirements(Map({"cpu": quantity(cpu)})),
        ports=(ContainerPort(host_port=port),) if port else (),
    )
    return Pod(
        ObjectMeta(name=f"p{uid}", namespace="default", uid=Uid(uid), labels=Map({"app": app} if app else {})),
        PodSpec(containers=(container,), node_name=NodeName(on) if on else None, priority=priority, **spec),
    )


def look(seen: View, which: Pod, local: SchedulerState = NOTHING) -> list[Step]:
    return list(SCHEDULER.reconcile(local, seen, ref_of(which)))


def bound_to(steps: list[Step]) -> set[str]:
    return {request.node for step in steps for request in step.requests if isinstance(request, Bind)}


def reported(step: Step) -> Pod:
    (request,) = step.requests
    assert isinstance(request, Update)
    assert request.subresource == "conditions"
    assert request.unconditional
    assert isinstance(request.object, Pod)
    return request.object


def test_equal_nodes_are_a_choice() -> None:
    steps = look(view(Pod=(pod(1),), Node=(node("n1"), node("n2"))), pod(1))
    assert [step.choice for step in steps] == [(("node", "n1"),), (("node", "n2"),)]
    assert steps[0].requests == (Bind(ref_of(pod(1)), NodeName("n1")),)
    assert steps[0].local == SchedulerState((Assumed(Uid(1), NodeName("n1")),))


def test_the_better_node_is_no_choice() -> None:
    assert bound_to(look(view(Pod=(pod(1), pod(2, on="n1")), Node=(node("n1"), node("n2"))), pod(1))) == {"n2"}


def test_assumed_pods_take_room() -> None:
    memory = SchedulerState((Assumed(Uid(2), NodeName("n1")),))
    seen = view(Pod=(pod(1, 3), pod(2, 3)), Node=(node("n1"), node("n2")))
    assert bound_to(look(seen, pod(1, 3), memory)) == {"n2"}
    assert look(seen, pod(2, 3), memory) == [Step(memory)]


def test_only_the_most_important_pod_comes_next() -> None:
    seen = view(Pod=(pod(1), pod(2, priority=5)), Node=(node("n1"),))
    assert look(seen, pod(1))[0].requests == ()
    assert bound_to(look(seen, pod(2, priority=5))) == {"n1"}


def test_a_pod_that_was_tried_holds_nobody_up() -> None:
    big = pod(2, 9, priority=5)
    seen = view(Pod=(pod(1), big), Node=(node("n1"),))
    (step,) = look(seen, big)
    assert step.local == SchedulerState((), (Uid(2),))
    assert bound_to(look(seen, pod(1), step.local)) == {"n1"}
    after = view(Pod=(pod(1), reported(step)), Node=(node("n1"),))
    assert SCHEDULER.observe(step.local, seen, after) == SchedulerState()
    assert bound_to(look(after, pod(1))) == {"n1"}


def test_a_failed_try_is_reported_once_in_the_words_of_kubernetes() -> None:
    nodes = (node("n1"), node("n2", 4, Taint("gpu", "yes", "NoSchedule")), node("n3"))
    (step,) = look(view(Pod=(pod(1, 9),), Node=nodes), pod(1, 9))
    found = reported(step)
    assert found.status.conditions == (
        Condition(
            "PodScheduled",
            "False",
            "Unschedulable",
            "0/3 nodes are available: 1 node(s) had untolerated taint(s), 2 Insufficient cpu.",
            last_transition_time=Age(0),
        ),
    )
    assert look(view(Pod=(found,), Node=nodes), found) == [Step(SchedulerState(), why=step.why)]
    assert look(view(Pod=(pod(1, 9),), Node=nodes), pod(1, 9), step.local)[0].requests == ()


def test_without_nodes_that_is_what_is_reported() -> None:
    (step,) = look(view(Pod=(pod(1),)), pod(1))
    assert reported(step).status.conditions[0].message == "no nodes available to schedule pods"


def test_a_pod_that_was_reported_is_bound_when_a_node_comes() -> None:
    (step,) = look(view(Pod=(pod(1),)), pod(1))
    waiting = reported(step)
    assert bound_to(look(view(Pod=(waiting,), Node=(node("n1"),)), waiting)) == {"n1"}


def test_the_key_of_a_pod_that_is_gone_or_bound_needs_nothing() -> None:
    assert look(view(Node=(node("n1"),)), pod(1)) == [Step(SchedulerState())]
    assert look(view(Pod=(pod(1, on="n1"),), Node=(node("n1"),)), pod(1)) == [Step(SchedulerState())]


def test_keys_are_the_waiting_pods() -> None:
    seen = view(Pod=(pod(1), pod(2, on="n1"), pod(3, scheduler_name="mine")))
    assert list(SCHEDULER.keys(seen)) == [ref_of(pod(1))]
    assert list(controller(name="mine").keys(seen)) == [ref_of(pod(3))]


def test_a_refused_binding_is_forgotten() -> None:
    memory = SchedulerState((Assumed(Uid(1), NodeName("n1")), Assumed(Uid(2), NodeName("n1"))))
    request = Bind(ref_of(pod(1)), NodeName("n1"))
    assert SCHEDULER.replied(memory, ref_of(pod(1)), request, Reply(201)) == memory
    left = SCHEDULER.replied(memory, ref_of(pod(1)), request, Reply(409, "Conflict"))
    assert left == SchedulerState((Assumed(Uid(2), NodeName("n1")),))


def test_after_a_refused_report_the_pod_still_counts_as_tried() -> None:
    memory = SchedulerState((), (Uid(1),))
    request = Update(pod(1), "conditions", True)
    assert SCHEDULER.replied(memory, ref_of(pod(1)), request, Reply(404, "NotFound")) == memory


@pytest.mark.parametrize(
    "after",
    [
        (pod(1, on="n1"),),
        (),
        (replace(pod(1), metadata=replace(pod(1).metadata, deletion_timestamp=Age(0))),),
    ],
)
def test_an_assumption_ends_when_the_view_shows_its_outcome(after: tuple[Pod, ...]) -> None:
    memory = SchedulerState((Assumed(Uid(1), NodeName("n1")),))
    assert SCHEDULER.observe(memory, view(Pod=(pod(1),)), view(Pod=(pod(1),))) == memory
    assert SCHEDULER.observe(memory, view(Pod=(pod(1),)), view(Pod=after)) == SchedulerState()


def test_nothing_is_remembered_once_the_present_is_seen() -> None:
    memory = SchedulerState((Assumed(Uid(1), NodeName("n1")),), (Uid(2),))
    assert SCHEDULER.caught_up(memory) == SchedulerState()


def test_heartbeats_and_container_statuses_wake_nobody() -> None:
    ready = Condition("Ready", "True", last_heartbeat_time=Age(0))
    beating = replace(node("n1"), status=replace(node("n1").status, conditions=(ready,)))
    assert SCHEDULER.shapes[Node](beating) == SCHEDULER.shapes[Node](node("n1"))
    running = replace(pod(1, on="n1"), status=PodStatus(phase="Running", conditions=(ready,)))
    assert SCHEDULER.shapes[Pod](running) == SCHEDULER.shapes[Pod](pod(1, on="n1"))
    assert SCHEDULER.shapes[Pod](replace(running, status=PodStatus(phase="Succeeded"))) is None


def test_other_profiles_are_refused() -> None:
    with pytest.raises(ValueError, match="profile"):
        controller({"profile": "fast"})


TOLERATIONS = st.sampled_from([(), (Toleration(operator="Exists"),)])


def _apart(app: str) -> Affinity:
    term = PodAffinityTerm(LabelSelector(Map({"app": app})), topology_key="kubernetes.io/hostname")
    return Affinity(None, None, PodAntiAffinity((term,)))


@st.composite
def views(draw: st.DrawFn) -> View:
    nodes = tuple(
        node(
            f"n{i}",
            draw(st.integers(0, 4)),
            *draw(st.sampled_from([(), (Taint("t", "", "NoSchedule"),)])),
            unschedulable=draw(st.booleans()),
        )
        for i in range(draw(st.integers(0, 3)))
    )
    pods = tuple(
        pod(
            i,
            draw(st.integers(0, 3)),
            draw(st.sampled_from(["", *(each.metadata.name for each in nodes)])),
            priority=draw(st.integers(0, 1)),
            app=draw(st.sampled_from(["", "web"])),
            port=draw(st.sampled_from([0, 80])),
            tolerations=draw(TOLERATIONS),
            affinity=draw(st.sampled_from([None, _apart("web")])),
        )
        for i in range(draw(st.integers(1, 4)))
    )
    return view(Pod=pods, Node=nodes)


def play(seen: View, step: Step) -> View:
    """The view after a step's requests are carried out."""
    pods = {each.metadata.uid: each for each in seen.list(Pod)}
    for request in step.requests:
        if isinstance(request, Bind):
            old = pods[request.ref.uid]
            pods[request.ref.uid] = replace(old, spec=replace(old.spec, node_name=request.node))
        elif isinstance(request, Update) and isinstance(request.object, Pod):
            pods[request.object.metadata.uid] = request.object
    made: tuple[Record, ...] = tuple(pods.values())
    return view(Pod=made, Node=seen.list(Node))


@settings(max_examples=60, deadline=None)
@given(views())
def test_whatever_is_bound_passes_all_filters(seen: View) -> None:
    snapshot = snapshot_of(seen, ())
    infos = {info.node.metadata.name: info for info in snapshot.nodes}
    for key in SCHEDULER.keys(seen):
        incoming = seen.find(Pod, key)
        assert incoming is not None
        for step in SCHEDULER.reconcile(SchedulerState(), seen, key):
            for request in step.requests:
                if isinstance(request, Bind):
                    info = infos[request.node]
                    assert all(passes(incoming, info, snapshot).fits for _, passes in FILTERS)


@settings(max_examples=60, deadline=None)
@given(views(), st.randoms(use_true_random=False))
def test_it_comes_to_rest_and_the_shapes_hide_nothing(seen: View, random: object) -> None:
    local = SCHEDULER.initial
    for _ in range(20):
        shaped = view(
            Pod=tuple(s for each in seen.list(Pod) if (s := SCHEDULER.shapes[Pod](each)) is not None),
            Node=tuple(SCHEDULER.shapes[Node](each) for each in seen.list(Node)),
        )
        moves = []
        for key in SCHEDULER.keys(seen):
            steps = list(SCHEDULER.reconcile(local, seen, key))
            unshaped = [(step.local, step.choice, step.why) for step in steps]
            again = SCHEDULER.reconcile(local, shaped, key)
            assert [(step.local, step.choice, step.why) for step in again] == unshaped
            moves += [step for step in steps if step.requests]
        if not moves:
            break
        step = random.choice(moves)  # type: ignore[attr-defined]
        after = play(seen, step)
        local = SCHEDULER.observe(step.local, seen, after)
        assert local == SchedulerState()
        seen = after
    else:
        pytest.fail("still moving")
    for each in seen.list(Pod):
        assert each.spec.node_name or each.status.conditions
