"""What a container needs before it can be created: its image, and the ConfigMaps and Secrets that it refers
to.

Source: pkg/kubelet/images/image_manager.go EnsureImageExists, pkg/kubelet/kubelet_pods.go
makeEnvironmentVariables; https://kubernetes.io/docs/concepts/containers/images/#image-pull-policy.
Simplifies: a pull takes no time, and one that has failed is tried again when the image can be had (no
back-off).
"""

from __future__ import annotations

from collections.abc import Iterator

from kythera.model.api.core.cluster import ConfigMap, Secret
from kythera.model.api.core.container import Container, KeySelector
from kythera.model.api.core.pod import Pod
from kythera.model.node.runtime.runtime import RuntimeState
from kythera.model.view import View

Need = tuple[str, str]


def pull_policy(spec: Container) -> str:
    """The container's image pull policy; without one Always for the tag ``latest`` (or no tag), else
    IfNotPresent.

    Source: pkg/apis/core/v1/defaults.go SetDefaults_Container.
    """
    if spec.image_pull_policy:
        return spec.image_pull_policy
    name, at, _ = spec.image.partition("@")
    tag = name.rpartition("/")[2].partition(":")[2]
    return "Always" if not at and tag in ("", "latest") else "IfNotPresent"


def image_problem(spec: Container, runtime: RuntimeState) -> Need | None:
    """Why the image can't be used here, as reason and message, or ``None``."""
    policy = pull_policy(spec)
    if spec.image in runtime.images and policy != "Always":
        return None
    if policy == "Never":
        return (
            "ErrImageNeverPull",
            f'Container image "{spec.image}" is not present with pull policy of Never',
        )
    if spec.image in runtime.unavailable:
        return "ImagePullBackOff", f'Back-off pulling image "{spec.image}"'
    return None


def pulls(spec: Container, runtime: RuntimeState) -> bool:
    """Whether starting the container begins with a pull that the node will remember.

    An image is remembered only where that can make a difference: if it may become unavailable later, or if some
    container may not pull it.
    """
    return spec.image not in runtime.images and (bool(runtime.unavailable) or spec.image in runtime.remembered)


def configuration_problem(pod: Pod, spec: Container, view: View) -> Need | None:
    """Which ConfigMap, Secret, or key of one, the container's environment lacks, or ``None``."""
    for kind, reference in _environment(spec):
        if reference.optional:
            continue
        found = view.get(kind, pod.metadata.namespace, reference.name)
        noun = "configmap" if kind is ConfigMap else "secret"
        if found is None:
            return "CreateContainerConfigError", f'{noun} "{reference.name}" not found'
        if reference.key and reference.key not in found.data:
            where = f"{pod.metadata.namespace}/{reference.name}"
            return (
                "CreateContainerConfigError",
                f"couldn't find key {reference.key} in {kind.__name__} {where}",
            )
    return None


def _environment(spec: Container) -> Iterator[tuple[type[ConfigMap] | type[Secret], KeySelector]]:
    """Every reference of the container's environment; one to a whole object has no key."""
    for source in spec.env_from:
        for kind, whole in ((ConfigMap, source.config_map_ref), (Secret, source.secret_ref)):
            if whole is not None:
                yield kind, KeySelector(whole.name, "", whole.optional)
    for variable in spec.env:
        if variable.value_from is not None:
            for kind, key in (
                (ConfigMap, variable.value_from.config_map_key_ref),
                (Secret, variable.value_from.secret_key_ref),
            ):
                if key is not None:
                    yield kind, key


def missing_volume(pod: Pod, view: View) -> str:
    """The first volume whose ConfigMap or Secret doesn't exist, without which no container is created ("" if
    none).

    Source: pkg/kubelet/kubelet.go SyncPod (WaitForAttachAndMount).
    """
    for volume in pod.spec.volumes:
        source, secret = volume.config_map, volume.secret
        if source and not source.optional and view.get(ConfigMap, pod.metadata.namespace, source.name) is None:
            return volume.name
        if secret and not secret.optional and view.get(Secret, pod.metadata.namespace, secret.secret_name) is None:
            return volume.name
    return ""
