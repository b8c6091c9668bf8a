"""Taints and tolerations."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kythera.model.api.core.scheduling import Taint, Toleration
from kythera.model.api.taints import find_untolerated, is_tolerated, tolerates

names = st.sampled_from(["", "a", "b"])
effects = st.sampled_from(["NoSchedule", "PreferNoSchedule", "NoExecute"])
taints = st.builds(Taint, key=st.sampled_from(["a", "b"]), value=names, effect=effects)
tolerations = st.builds(
    Toleration,
    key=names,
    operator=st.sampled_from(["", "Equal", "Exists"]),
    value=names,
    effect=st.one_of(st.just(""), effects),
)

GPU = Taint("gpu", "true", "NoSchedule")


def test_an_empty_operator_means_equal() -> None:
    assert tolerates(Toleration("gpu", "", "true", "NoSchedule"), GPU)
    assert not tolerates(Toleration("gpu", "", "false", "NoSchedule"), GPU)


def test_exists_bears_every_value() -> None:
    assert tolerates(Toleration("gpu", "Exists"), GPU)


def test_another_key_or_effect_is_not_borne() -> None:
    assert not tolerates(Toleration("cpu", "Exists"), GPU)
    assert not tolerates(Toleration("gpu", "Exists", effect="NoExecute"), GPU)


def test_comparison_needs_its_feature_gate() -> None:
    sla = Taint("sla", "950", "NoSchedule")
    assert not tolerates(Toleration("sla", "Gt", "750"), sla)
    assert tolerates(Toleration("sla", "Gt", "750"), sla, comparison_operators=True)
    assert not tolerates(Toleration("sla", "Lt", "750"), sla, comparison_operators=True)
    assert not tolerates(Toleration("sla", "Gt", "much"), sla, comparison_operators=True)


def test_only_numbers_that_are_written_plainly_are_compared() -> None:
    def above(bound: str, value: str) -> bool:
        return tolerates(Toleration("sla", "Gt", bound), Taint("sla", value), comparison_operators=True)

    assert above("-3", "0")
    assert not any((above("+1", "5"), above("01", "5"), above("-0", "5"), above("1", "05"), above("1", "5.0")))


def test_an_unknown_operator_bears_nothing() -> None:
    assert not tolerates(Toleration("gpu", "Like", "true"), GPU)


def test_the_first_taint_of_the_effects_that_is_not_borne_is_found() -> None:
    soft = Taint("soft", "", "PreferNoSchedule")
    out = Taint("out", "", "NoExecute")
    assert find_untolerated((soft, out, GPU), ()) == out
    assert find_untolerated((soft, out, GPU), (), ("NoSchedule",)) == GPU
    assert find_untolerated((soft,), ()) is None


@given(st.lists(taints))
def test_exists_without_a_key_bears_everything(them: list[Taint]) -> None:
    assert find_untolerated(them, [Toleration(operator="Exists")]) is None


@given(taints, st.lists(tolerations), tolerations)
def test_another_toleration_never_hurts(taint: Taint, some: list[Toleration], more: Toleration) -> None:
    assert is_tolerated(taint, [*some, more]) or not is_tolerated(taint, some)
