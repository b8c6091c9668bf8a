"""Images, ConfigMaps and Secrets."""

from __future__ import annotations

import pytest

from kythera.model.api.core.cluster import ConfigMap, Secret
from kythera.model.api.core.container import (
    Container,
    EnvFromSource,
    EnvVar,
    EnvVarSource,
    KeySelector,
    ObjectReference,
)
from kythera.model.api.core.pod import ConfigMapVolumeSource, Pod, PodSpec, SecretVolumeSource, Volume
from kythera.model.api.meta import ObjectMeta
from kythera.model.node.kubelet.needs import configuration_problem, missing_volume, pull_policy
from kythera.model.record import Map
from kythera.model.view import view

HERE = ObjectMeta(namespace="default", name="web")
SEEN = view(
    ConfigMap=(ConfigMap(ObjectMeta(namespace="default", name="settings"), Map({"color": ""})),),
    Secret=(Secret(ObjectMeta(namespace="other", name="password")),),
)


@pytest.mark.parametrize(
    ("image", "policy"),
    [
        ("web", "Always"),
        ("web:latest", "Always"),
        ("web:1", "IfNotPresent"),
        ("localhost:5000/web", "Always"),
        ("localhost:5000/web:1", "IfNotPresent"),
        ("web@sha256:0", "IfNotPresent"),
    ],
)
def test_the_tag_latest_is_always_pulled_unless_something_else_is_said(image: str, policy: str) -> None:
    assert pull_policy(Container(image=image)) == policy
    assert pull_policy(Container(image=image, image_pull_policy="Never")) == "Never"


@pytest.mark.parametrize(
    ("selector", "message"),
    [
        (KeySelector("settings", "color"), ""),
        (KeySelector("settings", "size"), "couldn't find key size in ConfigMap default/settings"),
        (KeySelector("settings", "size", optional=True), ""),
        (KeySelector("missing", "color"), 'configmap "missing" not found'),
        (KeySelector("missing", "color", optional=True), ""),
    ],
)
def test_a_variable_needs_its_key_unless_it_is_optional(selector: KeySelector, message: str) -> None:
    container = Container(env=(EnvVar("x", value_from=EnvVarSource(config_map_key_ref=selector)),))
    found = configuration_problem(Pod(HERE), container, SEEN)
    assert (found[1] if found else "") == message


def test_secrets_of_another_namespace_dont_help() -> None:
    container = Container(env_from=(EnvFromSource(secret_ref=ObjectReference("password")),))
    found = configuration_problem(Pod(HERE), container, SEEN)
    assert found == ("CreateContainerConfigError", 'secret "password" not found')


def test_volumes_need_their_source_unless_it_is_optional() -> None:
    def missing(volume: Volume) -> str:
        return missing_volume(Pod(HERE, PodSpec(volumes=(volume,))), SEEN)

    assert missing(Volume("v", config_map=ConfigMapVolumeSource("settings"))) == ""
    assert missing(Volume("v", config_map=ConfigMapVolumeSource("none"))) == "v"
    assert missing(Volume("v", config_map=ConfigMapVolumeSource("none", optional=True))) == ""
    assert missing(Volume("v", secret=SecretVolumeSource("password"))) == "v"
    assert missing(Volume("v")) == ""
