"""When a Deployment is looked at again for the sake of its progress deadline: once, and only if that can matter."""

from __future__ import annotations

import pytest

from kythera.model.api.apps import Deployment, DeploymentSpec, DeploymentStatus
from kythera.model.api.meta import Condition
from kythera.model.control_plane.controllers.deployment.progress import (
    NEW_REPLICA_SET_AVAILABLE,
    PROGRESS_DEADLINE_EXCEEDED,
    PROGRESSING,
    REPLICA_SET_UPDATED,
    has_timed_out,
    until_deadline,
)
from kythera.model.record import Age


def deployment(reason: str, ago: int, deadline: int | None = 600) -> Deployment:
    """One that lacks a pod, and has made some progress so many seconds ago."""
    progress = Condition(PROGRESSING, "True", reason, last_update_time=Age(ago))
    status = DeploymentStatus(conditions=(progress,))
    return Deployment(spec=DeploymentSpec(replicas=1, progress_deadline_seconds=deadline), status=status)


@pytest.mark.parametrize(("ago", "wait"), [(0, 601), (599, 2), (600, 1), (601, None), (1000, None)])
def test_it_looks_again_just_after_the_deadline(ago: int, wait: int | None) -> None:
    found = deployment(REPLICA_SET_UPDATED, ago)
    assert until_deadline(found, found.status) == wait
    assert has_timed_out(found, found.status) == (wait is None), "what was not waited for has come"


@pytest.mark.parametrize("ago", [0, 600, 601])
@pytest.mark.parametrize("reason", [NEW_REPLICA_SET_AVAILABLE, PROGRESS_DEADLINE_EXCEEDED])
def test_a_deadline_that_cannot_be_missed_any_more_is_not_waited_for(reason: str, ago: int) -> None:
    found = deployment(reason, ago)
    assert until_deadline(found, found.status) is None


def test_without_a_deadline_nothing_is_waited_for() -> None:
    found = deployment(REPLICA_SET_UPDATED, 0, None)
    assert until_deadline(found, found.status) is None
