"""Stabilisation windows, rates, minimum and maximum."""

from __future__ import annotations

from hypothesis import assume, given
from hypothesis import strategies as st

from kythera.model.api.autoscaling import HorizontalPodAutoscalerBehavior, HPAScalingPolicy, HPAScalingRules
from kythera.model.control_plane.controllers.horizontal_pod_autoscaler.behavior import (
    Limited,
    Recommendation,
    Rules,
    ScaleEvent,
    limited_by_rates,
    limited_without_behavior,
    scale_down_rules,
    scale_up_rules,
    stabilized,
    stabilized_downwards,
    worth_keeping,
)
from kythera.model.record import Age

replicas = st.integers(0, 20)
ages = st.integers(0, 400)
recommendations = st.lists(st.builds(Recommendation, replicas, ages.map(Age)), max_size=8)
events = st.lists(st.builds(ScaleEvent, st.integers(-5, 5), ages.map(Age)), max_size=5)
policies = st.lists(
    st.builds(HPAScalingPolicy, st.sampled_from(["Pods", "Percent"]), st.integers(1, 200), st.integers(1, 300)),
    min_size=1,
    max_size=3,
)
rules = st.builds(Rules, st.integers(0, 300), st.sampled_from(["Max", "Min", "Disabled"]), policies.map(tuple))


def test_the_defaults_allow_doubling_or_four_pods() -> None:
    up, down = (
        scale_up_rules(HorizontalPodAutoscalerBehavior()),
        scale_down_rules(HorizontalPodAutoscalerBehavior(), 300),
    )
    assert (up.window, down.window) == (0, 300)
    assert limited_by_rates(1, 99, minimum=1, maximum=50, events=(), up=up, down=down) == Limited(5, "ScaleUpLimit")
    assert limited_by_rates(10, 99, minimum=1, maximum=50, events=(), up=up, down=down).replicas == 20
    assert limited_by_rates(30, 99, minimum=1, maximum=50, events=(), up=up, down=down) == Limited(
        50, "TooManyReplicas"
    )
    assert limited_by_rates(30, 0, minimum=1, maximum=50, events=(), up=up, down=down) == Limited(1, "TooFewReplicas")


def test_what_is_left_open_is_filled_in() -> None:
    behavior = HorizontalPodAutoscalerBehavior(scale_down=HPAScalingRules(select_policy="Min"))
    assert scale_down_rules(behavior, 60) == Rules(60, "Min", scale_down_rules(behavior, 60).policies)


def test_what_was_changed_in_the_period_counts_against_the_rate() -> None:
    up = Rules(0, "Max", (HPAScalingPolicy("Pods", 3, 60),))
    down = Rules(0, "Max", (HPAScalingPolicy("Pods", 1, 60),))
    recent = (ScaleEvent(2, Age(30)),)
    assert limited_by_rates(5, 9, minimum=1, maximum=50, events=recent, up=up, down=down).replicas == 6
    past = (ScaleEvent(2, Age(60)),)
    assert limited_by_rates(5, 9, minimum=1, maximum=50, events=past, up=up, down=down).replicas == 8
    fallen = (ScaleEvent(-1, Age(30)),)
    assert limited_by_rates(5, 1, minimum=1, maximum=50, events=fallen, up=up, down=down) == Limited(
        5, "ScaleDownLimit"
    )


def test_a_disabled_direction_stands_still() -> None:
    off, on = Rules(0, "Disabled", ()), Rules(0, "Max", (HPAScalingPolicy("Percent", 100, 15),))
    assert limited_by_rates(5, 9, minimum=1, maximum=50, events=(), up=off, down=on).replicas == 5
    assert limited_by_rates(5, 1, minimum=1, maximum=50, events=(), up=on, down=off).replicas == 5


def test_without_a_behavior_at_most_double() -> None:
    assert limited_without_behavior(3, 99, 1, 50) == Limited(6, "ScaleUpLimit")
    assert limited_without_behavior(1, 99, 1, 50) == Limited(4, "ScaleUpLimit")
    assert limited_without_behavior(3, 5, 1, 50) == Limited(5, "DesiredWithinRange")


@given(replicas, st.integers(0, 300), recommendations)
def test_the_window_is_never_scaled_below(desired: int, window: int, past: list[Recommendation]) -> None:
    found = stabilized_downwards(desired, past, window)
    assert found >= desired
    assert all(found >= each.replicas for each in past if each.age <= window)


@given(replicas, replicas, recommendations, st.integers(0, 300), st.integers(0, 300))
def test_the_windows_hold_in_both_directions(
    current: int, desired: int, past: list[Recommendation], up: int, down: int
) -> None:
    found = stabilized(current, desired, past, up, down)
    if found < current:
        assert all(found >= each.replicas for each in past if each.age < down)
        assert found >= desired
    if found > current:
        assert all(found <= each.replicas for each in past if each.age < up)
        assert found <= desired


@given(replicas, replicas, st.tuples(st.integers(0, 5), st.integers(5, 20)), events, st.tuples(rules, rules))
def test_the_result_is_within_minimum_and_maximum(
    current: int,
    desired: int,
    bounds: tuple[int, int],
    past: list[ScaleEvent],
    both: tuple[Rules, Rules],
) -> None:
    (minimum, maximum), (up, down) = bounds, both
    assume(minimum <= current <= maximum)
    desired = min(max(desired, minimum), maximum)
    found = limited_by_rates(current, desired, minimum=minimum, maximum=maximum, events=past, up=up, down=down)
    assert minimum <= found.replicas <= maximum
    assert min(current, desired) <= found.replicas <= max(current, desired)
    assert (found.reason == "DesiredWithinRange") == (found.replicas == desired)
    plain = limited_without_behavior(current, desired, minimum, maximum)
    assert minimum <= plain.replicas <= maximum


@given(
    st.tuples(replicas, replicas),
    recommendations,
    st.tuples(st.integers(0, 300), st.integers(0, 300)),
    st.one_of(st.none(), replicas),
    st.integers(0, 300),
)
def test_what_is_forgotten_makes_no_difference_ever(
    numbers: tuple[int, int],
    past: list[Recommendation],
    windows: tuple[int, int],
    standing: int | None,
    later: int,
) -> None:
    (current, desired), (up, down) = numbers, windows
    kept = worth_keeping(past, standing, up, down)

    def seen(all_of_them: list[Recommendation] | tuple[Recommendation, ...]) -> list[Recommendation]:
        older = [Recommendation(each.replicas, Age(each.age + later)) for each in all_of_them]
        newest = [] if standing is None else [Recommendation(standing, Age(0))]
        return older + newest

    assert stabilized(current, desired, seen(past), up, down) == stabilized(current, desired, seen(kept), up, down)
    assert worth_keeping(kept, standing, up, down) == kept
