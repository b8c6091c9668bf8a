"""Encoding reverses decoding: nothing is lost on the way, for objects of every kind."""

from __future__ import annotations

import json
import types
import typing
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kythera.model.api.core.container import Container, Probe
from kythera.model.api.core.pod import Pod, PodSpec
from kythera.model.api.decode import decode, json_names
from kythera.model.api.encode import UidNumbers, context, encode, uid_text
from kythera.model.api.meta import ObjectMeta
from kythera.model.api.quantity import Quantity
from kythera.model.control_plane.apiserver.resources import RESOURCES
from kythera.model.record import Age, Map, NodeName, Record, Uid

TEXTS = st.text(st.characters(codec="ascii", categories=("L", "N", "P")), min_size=1, max_size=5)
DEPTH = 4


def values(hint: Any, depth: int) -> st.SearchStrategy[Any]:
    """Values of an annotation that JSON can express."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (types.UnionType, typing.Union):
        return st.one_of(*(values(a, depth) if a is not type(None) else st.none() for a in arguments))
    if origin is tuple:
        return st.lists(values(arguments[0], depth), max_size=2 if depth else 0).map(tuple)
    if origin is Map:
        return st.dictionaries(TEXTS, values(arguments[0], depth), max_size=2).map(Map)
    if hint is Quantity:
        return st.integers(0, 10**6).map(lambda n: Quantity(n * 10**6))
    if hint is Age:
        return st.integers(-(10**6), 10**6)
    if hint is Uid:
        return st.integers(0, 10**6)
    if hint is bool:
        return st.booleans()
    if hint is int:
        return st.integers(0, 10**9)
    if hint in (str, NodeName):
        return TEXTS
    return records(hint, depth - 1)


def records(cls: Any, depth: int = DEPTH) -> st.SearchStrategy[Any]:
    """Records of a class, a few of their fields set."""
    if depth <= 0:
        return st.just(cls())
    fields = {field: values(hint, depth) for field, hint in json_names(cls).values()}
    if "opaque" in cls.__record_fields__:
        ignored = sorted(cls.ignored)
        dumped = st.dictionaries(st.sampled_from(ignored), st.integers(), min_size=1, max_size=2)
        fields["opaque"] = st.just("") | dumped.map(lambda d: json.dumps(d, sort_keys=True))
    names = st.sets(st.sampled_from(sorted(fields)), max_size=4)
    return names.flatmap(lambda chosen: st.builds(cls, **{name: fields[name] for name in sorted(chosen)}))


@pytest.mark.parametrize("kind", [resource.kind for resource in RESOURCES.values()], ids=lambda k: k.__name__)
@given(data=st.data())
def test_decoding_an_encoded_object_gives_the_object(kind: type[Record], data: st.DataObject) -> None:
    obj = data.draw(records(kind))
    known = context()
    plain = json.loads(json.dumps(encode(obj)))
    assert decode(kind, plain, known) == obj
    assert known.errors == []


def test_an_object_carries_its_kind_and_leaves_out_what_is_empty() -> None:
    pod = Pod(ObjectMeta("a", namespace="default"), PodSpec((Container("c", "i"),)))
    assert encode(pod) == {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "a", "namespace": "default"},
        "spec": {"containers": [{"name": "c", "image": "i"}]},
    }


def test_what_the_model_ignores_is_put_back() -> None:
    probe = Probe(period_seconds=5, opaque='{"httpGet": {"port": 80}}')
    assert encode(probe) == {"periodSeconds": 5, "httpGet": {"port": 80}}


def test_an_age_is_an_instant_and_a_negative_one_lies_in_the_future() -> None:
    pod = Pod(ObjectMeta("a", creation_timestamp=Age(60), deletion_timestamp=Age(-30)))
    assert encode(pod)["metadata"] == {
        "name": "a",
        "creationTimestamp": "2023-12-31T23:59:00Z",
        "deletionTimestamp": "2024-01-01T00:00:30Z",
    }


def test_uids_are_uuids_that_are_read_back_and_strangers_get_free_numbers() -> None:
    numbers = UidNumbers()
    assert numbers.setdefault(uid_text(7)) == 7
    first = numbers.setdefault("51716b35-6af4-46c4-a88b-7ea52f3a0927", 0)
    assert numbers.setdefault("51716b35-6af4-46c4-a88b-7ea52f3a0927", 5) == first
