"""Merging plain data: RFC 7386, strategic merge, three-way apply."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kythera.model.control_plane.apiserver.merging import BadPatch, json_merge, strategic_merge, three_way

RFC_7386 = [
    ({"a": "b"}, {"a": "c"}, {"a": "c"}),
    ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
    ({"a": "b"}, {"a": None}, {}),
    ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
    ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
    ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
    ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
    ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
    (["a", "b"], ["c", "d"], ["c", "d"]),
    ({"a": "b"}, ["c"], ["c"]),
    ({"a": "foo"}, "bar", "bar"),
    ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
    ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
    ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
]


@pytest.mark.parametrize(("target", "patch", "merged"), RFC_7386)
def test_the_examples_of_the_rfc(target: Any, patch: Any, merged: Any) -> None:
    assert json_merge(target, patch) == merged


DATA = st.recursive(
    st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=2), inner, max_size=3),
    max_leaves=8,
)
MAPPINGS = st.dictionaries(st.text(max_size=2), DATA, max_size=3)


@given(MAPPINGS, MAPPINGS)
def test_merging_twice_is_merging_once(target: Any, patch: Any) -> None:
    once = json_merge(target, patch)
    assert json_merge(once, patch) == once


@given(MAPPINGS, MAPPINGS)
def test_applying_what_was_applied_changes_nothing(live: Any, new: Any) -> None:
    once = three_way({}, new, live)
    assert three_way(new, new, once) == once


@given(MAPPINGS, MAPPINGS)
def test_applying_nothing_takes_back_what_was_applied(live: Any, new: Any) -> None:
    assert set(three_way(new, {}, three_way({}, new, live))) == set(live) - set(new)


def test_containers_merge_by_name_and_new_ones_follow_the_patch() -> None:
    live = {"containers": [{"name": "c", "image": "i"}, {"name": "d"}]}
    patch = {"containers": [{"name": "c", "image": "j"}, {"name": "s"}]}
    assert strategic_merge(live, patch)["containers"] == [
        {"name": "c", "image": "j"},
        {"name": "s"},
        {"name": "d"},
    ]


def test_an_element_unknown_to_the_list_comes_before_those_that_the_patch_does_not_name() -> None:
    live = {"conditions": [{"type": "PodScheduled"}]}
    merged = strategic_merge(live, {"conditions": [{"type": "Ready"}]})
    assert [each["type"] for each in merged["conditions"]] == ["Ready", "PodScheduled"]


def test_directives_delete_replace_retain_and_order() -> None:
    live = {
        "containers": [{"name": "a"}, {"name": "b"}],
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {}},
    }
    assert strategic_merge(live, {"containers": [{"name": "a", "$patch": "delete"}]})["containers"] == [{"name": "b"}]
    assert strategic_merge(live, {"containers": [{"$patch": "replace"}, {"name": "z"}]})["containers"] == [
        {"name": "z"}
    ]
    retained = strategic_merge(live, {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}})
    assert retained["strategy"] == {"type": "Recreate"}
    ordered = strategic_merge(live, {"$setElementOrder/containers": [{"name": "b"}, {"name": "a"}]})
    assert [each["name"] for each in ordered["containers"]] == ["b", "a"]
    assert strategic_merge(live, {"strategy": {"$patch": "replace", "type": "Recreate"}})["strategy"] == {
        "type": "Recreate"
    }
    assert strategic_merge({"a": {"b": 1}}, {"a": {"$patch": "delete"}}) == {"a": {}}


def test_patches_that_contradict_themselves_are_refused() -> None:
    live = {"containers": [{"name": "a"}], "strategy": {"type": "Recreate"}, "finalizers": ["x"]}
    for patch in (
        {"strategy": {"$patch": "merge"}},
        {"containers": [{"name": "a", "$patch": "remove"}]},
        {"containers": [{"$patch": "delete"}]},
        {"containers": [{"image": "i"}]},
        {"strategy": {"$retainKeys": ["type"], "rollingUpdate": {}}},
        {"$setElementOrder/containers": [{"name": "a"}], "containers": [{"name": "b"}]},
        {"$setElementOrder/finalizers": ["x"], "finalizers": ["y"]},
        {"$deleteFromPrimitiveList/finalizers": "x"},
    ):
        with pytest.raises(BadPatch):
            strategic_merge(live, patch)


def test_an_order_of_elements_holds_for_those_that_it_names_and_the_others_stay_where_they_were() -> None:
    live = {"env": [{"name": "a"}, {"name": "x"}, {"name": "b"}]}
    order = [{"name": "b"}, {"name": "c"}, {"name": "a"}]
    merged = strategic_merge(live, {"$setElementOrder/env": order, "env": [{"name": "c", "value": "1"}]})
    assert [each["name"] for each in merged["env"]] == ["x", "b", "c", "a"]


NAMES = st.sampled_from(["containers", "name", "ports", "containerPort", "port", "finalizers", "strategy", "env", "x"])
SPECIAL = st.sampled_from(["$patch", "$retainKeys", "$setElementOrder/env", "$deleteFromPrimitiveList/finalizers"])
ODD = st.recursive(
    st.none() | st.integers(0, 2) | st.sampled_from(["a", "b", "replace", "delete"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES | SPECIAL, inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(NAMES, ODD, max_size=4), st.dictionaries(NAMES | SPECIAL, ODD, max_size=4))
def test_whatever_a_patch_looks_like_it_is_merged_or_refused(target: Any, patch: Any) -> None:
    json_merge(target, patch)
    three_way(patch, target, patch)
    with contextlib.suppress(BadPatch):
        strategic_merge(target, patch)


def test_two_ports_of_one_number_stay_two_when_they_are_applied_again() -> None:
    ports = [{"containerPort": 53, "protocol": "UDP"}, {"containerPort": 53, "protocol": "TCP"}]
    assert three_way({"ports": ports}, {"ports": ports}, {"ports": ports}) == {"ports": ports}
    assert three_way({"ports": ports}, {"ports": ports[:1]}, {"ports": ports}) == {"ports": ports[:1]}


def test_finalizers_merge_as_a_set() -> None:
    assert strategic_merge({"finalizers": ["a", "b"]}, {"finalizers": ["c"]})["finalizers"] == ["c", "a", "b"]
    removed = strategic_merge({"finalizers": ["a", "b"]}, {"$deleteFromPrimitiveList/finalizers": ["a"]})
    assert removed["finalizers"] == ["b"]


def test_ports_merge_by_the_number_that_they_have() -> None:
    live = {"ports": [{"containerPort": 80, "name": "x"}, {"containerPort": 81}]}
    merged = strategic_merge(live, {"ports": [{"containerPort": 80, "name": "y"}]})
    assert merged["ports"] == [{"containerPort": 80, "name": "y"}, {"containerPort": 81}]
    live = {"ports": [{"port": 80, "nodePort": 30000}]}
    assert strategic_merge(live, {"ports": [{"port": 80, "name": "y"}]})["ports"] == [
        {"port": 80, "nodePort": 30000, "name": "y"}
    ]


def test_tolerations_are_replaced_whole() -> None:
    live = {"tolerations": [{"key": "a"}]}
    assert strategic_merge(live, {"tolerations": [{"key": "b"}]})["tolerations"] == [{"key": "b"}]


def test_apply_keeps_what_others_set_and_removes_what_is_not_said_any_more() -> None:
    last = {"a": 1, "gone": 2, "containers": [{"name": "old"}, {"name": "c", "image": "i"}]}
    new = {"a": 3, "containers": [{"name": "c", "image": "j"}]}
    live = {
        "a": 1,
        "gone": 2,
        "theirs": 4,
        "containers": [{"name": "old"}, {"name": "injected"}, {"name": "c", "image": "i", "pull": "Always"}],
    }
    assert three_way(last, new, live) == {
        "a": 3,
        "theirs": 4,
        "containers": [{"name": "injected"}, {"name": "c", "image": "j", "pull": "Always"}],
    }


def test_apply_drops_the_members_of_a_union_that_the_manifest_does_not_name() -> None:
    live = {"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%"}}}
    new = {"strategy": {"type": "Recreate"}}
    assert three_way({}, new, live) == new
    assert three_way({}, {"strategy": {"type": "RollingUpdate"}}, live) == live
