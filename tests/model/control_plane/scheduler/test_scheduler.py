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
from kythera.model.control_plane.scheduler.queue import Queued
from kythera.model.control_plane.scheduler.scheduler import (
    NOTHING,
    Assumed,
    SchedulerState,
    controller,
    snapshot_of,
)
from kythera.model.controller import Reply, Step
from kythera.model.host import TIMEOUT
from kythera.model.normalise import older
from kythera.model.record import Age, Map, NodeName, Record, Uid, replace
from kythera.model.request import Bind, Update, ref_of
from kythera.model.view import View, view

SCHEDULER = controller()


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
    assert steps[0].local.queue == ()


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


def test_a_pod_that_was_rejected_holds_nobody_up() -> None:
    big = pod(2, 9, priority=5)
    seen = view(Pod=(pod(1), big), Node=(node("n1"),))
    (step,) = look(seen, big)
    assert step.local == SchedulerState((), (Queued(Uid(2), Age(-1), ("NodeResourcesFit",)),))
    assert bound_to(look(seen, pod(1), step.local)) == {"n1"}
    after = view(Pod=(pod(1), reported(step)), Node=(node("n1"),))
    assert SCHEDULER.observe(step.local, seen, after) == step.local
    assert bound_to(look(after, pod(1), step.local)) == {"n1"}


NODES = (node("n1"), node("n2", 4, Taint("gpu", "yes", "NoSchedule")), node("n3"))


def test_a_failed_try_is_reported_once_in_the_words_of_kubernetes() -> None:
    (step,) = look(view(Pod=(pod(1, 9),), Node=NODES), pod(1, 9))
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
    assert step.local.queue[0].plugins == ("NodeResourcesFit", "TaintToleration")
    assert look(view(Pod=(found,), Node=NODES), found, step.local) == [Step(step.local, why="no event may help")]
    (again,) = look(view(Pod=(found,), Node=NODES), found)
    assert again.requests == ()
    assert again.local == step.local


def test_a_try_that_fails_for_other_reasons_is_reported_anew() -> None:
    (step,) = look(view(Pod=(pod(1, 9),), Node=NODES), pod(1, 9))
    found = reported(step)
    (again,) = look(view(Pod=(found,), Node=NODES[:1]), found)
    assert reported(again).status.conditions[0].message == "0/1 nodes are available: 1 Insufficient cpu."


def test_without_nodes_that_is_what_is_reported_once_and_no_plugin_has_rejected_the_pod() -> None:
    (step,) = look(view(Pod=(pod(1),)), pod(1))
    assert reported(step).status.conditions[0].message == "no nodes available to schedule pods"
    assert step.local.queue == (Queued(Uid(1), Age(-1), delay=1),)
    assert look(view(Pod=(reported(step),)), reported(step), step.local) == []


def test_after_an_error_a_pod_is_tried_when_its_back_off_is_over() -> None:
    (step,) = look(view(Pod=(pod(1),)), pod(1))
    waiting = reported(step)
    seen = view(Pod=(waiting,), Node=(node("n1"),))
    (early,) = look(seen, waiting, step.local)
    assert (early.local, early.requests, early.requeue_after) == (step.local, (), 1)
    assert bound_to(look(seen, waiting, older(step.local, 1, {}))) == {"n1"}


def uncordoned(local: SchedulerState) -> tuple[View, SchedulerState]:
    """What follows for a pod that was tried when the only node was cordoned, after the cordon has ended."""
    before = view(Pod=(pod(1),), Node=(node("n1", unschedulable=True),))
    after = view(Pod=(pod(1),), Node=(node("n1"),))
    return after, SCHEDULER.observe(local, before, after)


def test_an_event_that_may_help_brings_a_rejected_pod_back_without_waiting_for_its_back_off() -> None:
    (step,) = look(view(Pod=(pod(1),), Node=(node("n1", unschedulable=True),)), pod(1))
    seen, local = uncordoned(step.local)
    assert local.queue == (Queued(Uid(1), Age(-1)),)
    bound = look(seen, pod(1), local)
    assert bound_to(bound) == {"n1"}
    assert bound[0].local == SchedulerState((Assumed(Uid(1), NodeName("n1")),))


def test_where_events_move_nothing_the_flush_of_the_pool_does_five_minutes_later() -> None:
    scheduler = controller({"scheduler.queueing_hints": "none"})
    closed, open_ = (view(Pod=(pod(1),), Node=(node("n1", unschedulable=each),)) for each in (True, False))
    (step,) = scheduler.reconcile(NOTHING, closed, ref_of(pod(1)))
    local = scheduler.observe(step.local, closed, open_)
    assert local == step.local
    (awaits,) = scheduler.reconcile(local, open_, ref_of(pod(1)))
    (waits,) = scheduler.reconcile(awaits.local, open_, ref_of(pod(1)))
    assert (waits.local, waits.requeue_after) == (awaits.local, 300)
    assert bound_to(list(scheduler.reconcile(older(awaits.local, 300, {}), open_, ref_of(pod(1))))) == {"n1"}


def test_the_flush_is_not_waited_for_where_no_node_would_take_the_pod() -> None:
    (step,) = look(view(Pod=(pod(1, 9),), Node=(node("n1"),)), pod(1, 9))
    (waits,) = look(view(Pod=(pod(1, 9),), Node=(node("n1"),)), pod(1, 9), step.local)
    assert (waits.local, waits.requeue_after) == (step.local, None)


def test_without_hints_and_flush_a_rejected_pod_is_never_tried_again() -> None:
    for variants in (
        {"scheduler.retry": "never"},
        {"scheduler.queueing_hints": "none", "scheduler.flush": "never"},
    ):
        scheduler = controller(variants)
        closed, open_ = (view(Pod=(pod(1),), Node=(node("n1", unschedulable=each),)) for each in (True, False))
        (step,) = scheduler.reconcile(NOTHING, closed, ref_of(pod(1)))
        local = scheduler.observe(step.local, closed, open_)
        (waits,) = scheduler.reconcile(local, open_, ref_of(pod(1)))
        assert (waits.local, waits.requests, waits.requeue_after) == (step.local, (), None)


def test_a_crash_makes_every_waiting_pod_active_again() -> None:
    (step,) = look(view(Pod=(pod(1, 9),), Node=(node("n1"),)), pod(1, 9))
    seen = view(Pod=(reported(step),), Node=(node("n1"),))
    (again,) = look(seen, reported(step), SCHEDULER.initial)
    assert (again.local, again.requests) == (step.local, ())


def test_settings_change_the_back_offs_and_the_flush() -> None:
    given = {"podInitialBackoffSeconds": "3", "podMaxBackoffSeconds": "4"}
    scheduler = controller({**given, "pod-max-in-unschedulable-pods-duration": "1m"})
    seen = view(Pod=(pod(1, 9),), Node=(node("n1"),))
    (step,) = scheduler.reconcile(NOTHING, seen, ref_of(pod(1)))
    assert step.local.queue[0].ready == -3
    small = view(Pod=(pod(1),), Node=(node("n1"),))
    for delay, next_delay in ((0, 3), (3, 4), (4, 4)):
        memory = SchedulerState((), (Queued(Uid(1), Age(0), delay=delay),))
        (tried,) = scheduler.reconcile(memory, small, ref_of(pod(1)))
        assert tried.local.assumed[0].delay == next_delay
    room = view(Pod=(pod(1, 9),), Node=(node("n1", 9),))
    (awaits,) = scheduler.reconcile(step.local, room, ref_of(pod(1)))
    assert awaits.local.queue[0].flush == -60


def test_the_key_of_a_pod_that_is_gone_or_bound_needs_nothing() -> None:
    assert look(view(Node=(node("n1"),)), pod(1)) == [Step(SchedulerState())]
    assert look(view(Pod=(pod(1, on="n1"),), Node=(node("n1"),)), pod(1)) == [Step(SchedulerState())]


def test_keys_are_the_waiting_pods() -> None:
    seen = view(Pod=(pod(1), pod(2, on="n1"), pod(3, scheduler_name="mine")))
    assert list(SCHEDULER.keys(seen)) == [ref_of(pod(1))]
    assert list(controller(name="mine").keys(seen)) == [ref_of(pod(3))]


def test_a_refused_binding_is_forgotten_and_tried_again_later() -> None:
    memory = SchedulerState((Assumed(Uid(1), NodeName("n1"), 2), Assumed(Uid(2), NodeName("n1"))))
    request = Bind(ref_of(pod(1)), NodeName("n1"))
    assert SCHEDULER.replied(memory, ref_of(pod(1)), request, Reply(201)) == memory
    for refusal in (Reply(409, "Conflict"), TIMEOUT):
        left = SCHEDULER.replied(memory, ref_of(pod(1)), request, refusal)
        assert left.assumed == (Assumed(Uid(2), NodeName("n1")),)
        assert left.queue == (Queued(Uid(1), Age(-2), delay=2),)


def test_the_room_of_a_refused_binding_wakes_others() -> None:
    waiting = Queued(Uid(2), Age(-1), ("NodeResourcesFit",))
    memory = SchedulerState((Assumed(Uid(1), NodeName("n1")),), (waiting,))
    left = SCHEDULER.replied(memory, ref_of(pod(1)), Bind(ref_of(pod(1)), NodeName("n1")), Reply(404, "NotFound"))
    assert left.queue[1] == replace(waiting, plugins=())


def test_a_binding_whose_answer_was_lost_is_tried_again_unless_it_shows_in_time() -> None:
    memory = SchedulerState((Assumed(Uid(1), NodeName("n1")),))
    left = SCHEDULER.replied(memory, ref_of(pod(1)), Bind(ref_of(pod(1)), NodeName("n1")), TIMEOUT)
    before, after = view(Pod=(pod(1),), Node=(node("n1"),)), view(Pod=(pod(1, on="n1"),), Node=(node("n1"),))
    assert SCHEDULER.observe(left, before, after) == NOTHING
    assert look(before, pod(1), left)[0].requeue_after == 1
    assert bound_to(look(before, pod(1), older(left, 1, {}))) == {"n1"}


def test_an_assumed_pod_that_is_deleted_gives_its_room_to_others_at_once() -> None:
    waiting = Queued(Uid(2), Age(-1), ("NodeResourcesFit",))
    memory = SchedulerState((Assumed(Uid(1), NodeName("n1")),), (waiting,))
    going = replace(pod(1), metadata=replace(pod(1).metadata, deletion_timestamp=Age(0)))
    before = view(Pod=(pod(1), pod(2, 4)), Node=(node("n1"),))
    for pods in ((going, pod(2, 4)), (pod(2, 4),)):
        after = SCHEDULER.observe(memory, before, view(Pod=pods, Node=(node("n1"),)))
        assert after == SchedulerState((), (replace(waiting, plugins=()),))


def test_a_refused_report_changes_nothing() -> None:
    memory = SchedulerState((), (Queued(Uid(1), Age(-1), ("NodeName",)),))
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


def test_nobody_is_assumed_once_the_present_is_seen_but_the_queue_is_kept() -> None:
    queue = (Queued(Uid(2), Age(-1), ("NodeName",)),)
    assert SCHEDULER.caught_up(SchedulerState((Assumed(Uid(1), NodeName("n1")),), queue)) == SchedulerState((), queue)


def test_pods_that_are_bound_or_gone_leave_the_queue() -> None:
    memory = SchedulerState((), (Queued(Uid(1)), Queued(Uid(2), plugins=("NodeName",))))
    assert SCHEDULER.observe(memory, view(Pod=(pod(1), pod(2))), view(Pod=(pod(1, on="n1"),))) == NOTHING


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
    for _ in range(60):
        shaped = view(
            Pod=tuple(s for each in seen.list(Pod) if (s := SCHEDULER.shapes[Pod](each)) is not None),
            Node=tuple(SCHEDULER.shapes[Node](each) for each in seen.list(Node)),
        )
        moves: list[Step] = []
        for key in SCHEDULER.keys(seen):
            steps = list(SCHEDULER.reconcile(local, seen, key))
            unshaped = [(step.local, step.choice, step.why) for step in steps]
            again = SCHEDULER.reconcile(local, shaped, key)
            assert [(step.local, step.choice, step.why) for step in again] == unshaped
            moves += [step for step in steps if step.requests or step.local != local]
        if not moves:
            break
        step = random.choice(moves)  # type: ignore[attr-defined]
        after = play(seen, step)
        local = SCHEDULER.observe(step.local, seen, after)
        assert not local.assumed
        waiting = {each.metadata.uid for each in after.list(Pod) if not each.spec.node_name}
        assert {each.pod for each in local.queue} <= waiting
        seen = after
    else:
        pytest.fail("still moving")
    for each in seen.list(Pod):
        assert each.spec.node_name or each.status.conditions
