"""Which pods go first."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kythera.model.api.core.container import ContainerStatus
from kythera.model.api.core.pod import Pod, PodSpec, PodStatus
from kythera.model.api.meta import Condition, ObjectMeta
from kythera.model.control_plane.controllers.replicaset.ranking import (
    choices,
    deletion_cost,
    deletion_key,
    ranks,
)
from kythera.model.record import Age, Map, NodeName, Uid

PODS = st.builds(
    lambda uid, node, phase, ready, age, restarts: Pod(
        ObjectMeta(uid=Uid(uid), creation_timestamp=Age(age)),
        PodSpec(node_name=NodeName(node) if node else None),
        PodStatus(
            phase=phase,
            conditions=(Condition("Ready", ready, last_transition_time=Age(age)),),
            container_statuses=(ContainerStatus(restart_count=restarts),),
        ),
    ),
    st.integers(0, 10**6),
    st.sampled_from(["", "a", "b"]),
    st.sampled_from(["Pending", "Running"]),
    st.sampled_from(["True", "False"]),
    st.integers(0, 40),
    st.integers(0, 2),
)


@given(st.lists(PODS, max_size=6, unique_by=lambda pod: pod.metadata.uid), st.integers(0, 7))
def test_every_choice_has_the_right_size_and_spares_no_pod_that_ranks_lower(pods: list[Pod], count: int) -> None:
    rank = dict(zip((pod.metadata.uid for pod in pods), ranks(pods, pods), strict=True))
    found = list(choices(pods, pods, count))
    assert found
    for chosen in found:
        assert len(chosen) == min(count, len(pods))
        taken = {pod.metadata.uid for pod in chosen}
        spared = [deletion_key(p, rank[p.metadata.uid])[0] for p in pods if p.metadata.uid not in taken]
        gone = [deletion_key(p, rank[p.metadata.uid])[0] for p in chosen]
        assert not spared or not gone or max(gone) <= min(spared)


def test_of_two_ready_pods_the_one_on_the_crowded_node_goes() -> None:
    ready = PodStatus(phase="Running", conditions=(Condition("Ready", "True"),))
    alone, crowded, third = (
        Pod(ObjectMeta(uid=Uid(uid)), PodSpec(node_name=NodeName(node)), ready)
        for uid, node in ((1, "a"), (2, "b"), (3, "b"))
    )
    assert list(choices([alone, crowded], [alone, crowded, third], 1)) == [(crowded,)]


@pytest.mark.parametrize(
    ("text", "cost"),
    [("10", 10), ("-7", -7), ("0", 0), ("007", 0), ("+3", 0), ("much", 0), ("", 0), ("2147483648", 0)],
)
def test_deletion_cost_is_a_plain_number_of_32_bits(text: str, cost: int) -> None:
    key = "controller.kubernetes.io/pod-deletion-cost"
    assert deletion_cost(Pod(ObjectMeta(annotations=Map({key: text})))) == cost
