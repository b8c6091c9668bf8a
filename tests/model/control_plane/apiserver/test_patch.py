"""Patches of stored objects, kubectl's apply among them."""

from __future__ import annotations

import json
from typing import Any

from tests.model.control_plane.apiserver.small import after, only, pod, stored

from kythera.model.control_plane.apiserver.handler import handle
from kythera.model.control_plane.apiserver.patch import LAST_APPLIED
from kythera.model.record import Map, replace
from kythera.model.request import Create, Patch, Ref, Update
from kythera.model.view import View, view

WEB = Ref("Deployment", "default", "web")


def manifest(**spec: Any) -> str:
    """A Deployment as a user writes it."""
    template = {
        "metadata": {"labels": {"app": "w"}},
        "spec": {"containers": [{"name": "c", "image": "i:1"}]},
    }
    return json.dumps(
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "web"},
            "spec": {"selector": {"matchLabels": {"app": "w"}}, "template": template, **spec},
        }
    )


def applied(store: View, body: str) -> View:
    store, reply = handle(store, Patch(WEB, "apply", body), fresh=1)
    assert reply.ok, reply.message
    return store


def test_apply_creates_what_is_missing_and_writes_down_the_manifest() -> None:
    store, reply = handle(view(Deployment=()), Patch(WEB, "apply", manifest(replicas=2)), fresh=1)
    assert reply.code == 201
    web = only(store, "Deployment")
    assert (web.metadata.uid, web.metadata.namespace, web.spec.replicas) == (1, "default", 2)
    assert json.loads(web.metadata.annotations[LAST_APPLIED])["spec"]["replicas"] == 2


def test_applying_the_same_manifest_again_changes_nothing() -> None:
    store = applied(view(Deployment=()), manifest(replicas=2))
    assert applied(store, manifest(replicas=2)) is store


def test_apply_leaves_alone_what_the_manifest_never_said() -> None:
    store = applied(view(Deployment=()), manifest())
    web = only(store, "Deployment")
    store, _ = handle(store, Update(replace(web, spec=replace(web.spec, replicas=7)), "scale"))
    store = applied(store, manifest(minReadySeconds=5))
    assert (only(store, "Deployment").spec.replicas, only(store, "Deployment").spec.min_ready_seconds) == (
        7,
        5,
    )


def test_apply_takes_back_what_the_manifest_says_no_more() -> None:
    store = applied(view(Deployment=()), manifest(replicas=3, minReadySeconds=5))
    store = applied(store, manifest(replicas=3))
    assert only(store, "Deployment").spec.min_ready_seconds == 0
    store = applied(store, manifest())  # a default comes back, not the last value
    assert only(store, "Deployment").spec.replicas == 1


def test_apply_may_change_the_strategy_to_recreate() -> None:
    store = applied(view(Deployment=()), manifest())
    store = applied(store, manifest(strategy={"type": "Recreate"}))
    strategy = only(store, "Deployment").spec.strategy
    assert (strategy.type, strategy.rolling_update) == ("Recreate", None)


def test_unknown_fields_other_names_and_nonsense_are_refused() -> None:
    store, _ = after(stored(), Create(pod()))
    ref = Ref("Pod", "default", "a")
    for body, message in (
        ('{"spec": {"bogus": 1}}', 'unknown field "spec.bogus"'),
        ('{"metadata": {"name": "b"}}', "the name of the object (b) does not match the name on the URL (a)"),
        ("{bad", "error decoding patch"),
        ("[]", "error decoding patch"),
    ):
        same, reply = handle(store, Patch(ref, "merge", body))
        assert same is store
        assert reply.code == 400
        assert message in reply.message
    assert handle(store, Patch(ref, "foo"))[1].code == 415


def test_a_patch_with_another_uid_or_version_is_refused() -> None:
    store, _ = after(stored(), Create(pod()))
    ref = Ref("Pod", "default", "a")
    _, reply = handle(store, Patch(ref, "merge", '{"metadata": {"uid": "q"}}'))
    assert reply.message == 'Pod "a" is invalid: metadata.uid: Invalid value: "q": field is immutable'
    assert handle(store, Patch(ref, "merge", '{"metadata": {"resourceVersion": "5"}}'))[1].code == 409


def test_a_patched_toleration_list_gets_the_default_ones_again() -> None:
    store, _ = after(stored(), Create(pod()))
    body = '{"spec": {"tolerations": [{"key": "q", "operator": "Exists"}]}}'
    store, reply = handle(store, Patch(Ref("Pod", "default", "a"), "strategic", body))
    assert reply.ok
    assert [t.key.rpartition("/")[2] for t in only(store, "Pod").spec.tolerations] == [
        "q",
        "not-ready",
        "unreachable",
    ]


def test_a_merge_patch_replaces_lists_and_a_strategic_one_merges_them() -> None:
    body = json.dumps({"spec": {"template": {"spec": {"containers": [{"name": "side", "image": "s:1"}]}}}})
    store = applied(view(Deployment=()), manifest())
    replaced, reply = handle(store, Patch(WEB, "merge", body))
    assert reply.ok
    assert [c.name for c in only(replaced, "Deployment").spec.template.spec.containers] == ["side"]
    merged, reply = handle(store, Patch(WEB, "strategic", body))
    assert reply.ok
    assert [c.name for c in only(merged, "Deployment").spec.template.spec.containers] == ["side", "c"]


def test_null_in_a_patch_takes_a_field_away() -> None:
    store = applied(view(Deployment=()), manifest(minReadySeconds=5))
    for kind in ("merge", "strategic"):
        after_it, reply = handle(store, Patch(WEB, kind, '{"spec": {"minReadySeconds": null}}'))
        assert reply.ok
        assert only(after_it, "Deployment").spec.min_ready_seconds == 0


def test_a_strategic_patch_takes_an_element_away_by_its_key() -> None:
    store, _ = after(stored(), Create(pod()))
    gate = {"metadata": {"finalizers": ["x.y/a", "x.y/b"]}}
    ref = Ref("Pod", "default", "a")
    store, _ = handle(store, Patch(ref, "strategic", json.dumps(gate)))
    body = {"metadata": {"$deleteFromPrimitiveList/finalizers": ["x.y/a"]}}
    store, reply = handle(store, Patch(ref, "strategic", json.dumps(body)))
    assert reply.ok
    assert only(store, "Pod").metadata.finalizers == ("x.y/b",)
    bad = {"spec": {"containers": [{"name": "c", "$patch": "forget"}]}}
    same, reply = handle(store, Patch(ref, "strategic", json.dumps(bad)))
    assert (same, reply.code) == (store, 400)
    assert reply.message == "unknown patch type: forget in list containers"


def test_a_patch_may_be_of_a_subresource() -> None:
    store = applied(view(Deployment=()), manifest())
    store, _ = handle(store, Patch(WEB, "merge", '{"spec": {"replicas": 4, "paused": true}}', "scale"))
    web = only(store, "Deployment")
    assert (web.spec.replicas, web.spec.paused) == (4, False)
    store, _ = handle(store, Patch(WEB, "merge", '{"metadata": {"labels": {"x": "y"}}}'))
    assert only(store, "Deployment").metadata.labels == Map({"x": "y"})
