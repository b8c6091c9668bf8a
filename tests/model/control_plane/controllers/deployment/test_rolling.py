"""Laws of the rolling-update arithmetic."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kythera.model.api.apps import (
    Deployment,
    DeploymentSpec,
    DeploymentStrategy,
    ReplicaSet,
    RollingUpdateDeployment,
)
from kythera.model.api.meta import ObjectMeta
from kythera.model.control_plane.controllers.deployment.rolling import (
    Size,
    max_surge,
    max_unavailable,
    reconciled_new_size,
    reconciled_old_sizes,
    resolve_fenceposts,
)
from kythera.model.control_plane.controllers.deployment.scaling import annotated
from kythera.model.record import Map

AMOUNTS = st.one_of(st.integers(0, 12), st.integers(0, 100).map(lambda n: f"{n}%"))
DEPLOYMENTS = st.builds(
    lambda replicas, surge, unavailable: Deployment(
        spec=DeploymentSpec(
            replicas=replicas,
            strategy=DeploymentStrategy("RollingUpdate", RollingUpdateDeployment(unavailable, surge)),
        )
    ),
    st.integers(0, 12),
    AMOUNTS,
    AMOUNTS,
)
SIZES = st.integers(0, 12).flatmap(lambda n: st.integers(0, n).map(lambda available: Size(n, available)))


@given(AMOUNTS, AMOUNTS, st.integers(0, 100))
def test_surge_and_unavailability_are_never_both_zero(surge: int | str, unavailable: int | str, desired: int) -> None:
    assert sum(resolve_fenceposts(surge, unavailable, desired)) > 0


def test_surge_is_rounded_up_and_unavailability_down() -> None:
    assert resolve_fenceposts("25%", "25%", 5) == (2, 1)


def test_nonsense_is_an_error() -> None:
    with pytest.raises(ValueError):
        resolve_fenceposts("some", 1, 5)


@given(DEPLOYMENTS, st.integers(0, 12), st.integers(0, 12))
def test_scaling_up_stays_within_the_surge(deployment: Deployment, new: int, old: int) -> None:
    desired = deployment.spec.replicas or 0
    size = reconciled_new_size(deployment, new, new + old)
    assert size <= max(desired, new)
    if size > new:
        assert size + old <= desired + max_surge(deployment)


@given(DEPLOYMENTS, st.lists(SIZES, max_size=3), SIZES)
def test_scaling_down_keeps_enough_pods_available(deployment: Deployment, old: list[Size], new: Size) -> None:
    total = sum(each.replicas for each in old) + new.replicas
    sizes = reconciled_old_sizes(deployment, old, new, total)
    least = (deployment.spec.replicas or 0) - max_unavailable(deployment)
    before = sum(each.available for each in old) + new.available
    assert all(0 <= size <= each.replicas for size, each in zip(sizes, old, strict=True))
    # Pods that are not available go first, so this many are still there afterwards:
    after = sum(min(size, each.available) for size, each in zip(sizes, old, strict=True)) + new.available
    assert after >= min(before, least)


def test_nothing_is_scaled_down_by_a_status_that_is_behind() -> None:
    strategy = DeploymentStrategy("RollingUpdate", RollingUpdateDeployment(2, 0))
    deployment = Deployment(spec=DeploymentSpec(replicas=6, strategy=strategy))
    just_scaled = Size(replicas=4, available=6)
    assert reconciled_old_sizes(deployment, [just_scaled], Size(2, 2), 6) == (4,)


@given(DEPLOYMENTS, SIZES)
def test_a_rollout_of_healthy_pods_always_moves(deployment: Deployment, old: Size) -> None:
    """With all pods available, either the new ReplicaSet grows or an old one shrinks."""
    desired = deployment.spec.replicas or 0
    old = Size(old.replicas, old.replicas)
    new = Size(max(0, desired - old.replicas), max(0, desired - old.replicas))
    if old.replicas == 0:
        return
    total = old.replicas + new.replicas
    grown = reconciled_new_size(deployment, new.replicas, total)
    (shrunk,) = reconciled_old_sizes(deployment, [old], new, total)
    assert grown > new.replicas or shrunk < old.replicas


@pytest.mark.parametrize(
    ("text", "number"),
    [("0", 0), ("12", 12), (str(2**31 - 1), 2**31 - 1), (str(2**31), None), ("-1", None), ("1_0", None), ("", None)],
)
def test_an_annotation_that_does_not_count_pods_is_as_good_as_none(text: str, number: int | None) -> None:
    replica_set = ReplicaSet(ObjectMeta("web-1", annotations=Map({"size": text})))
    assert annotated(replica_set, "size") == number
    assert annotated(replica_set, "other") is None
