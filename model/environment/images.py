"""Images: which ones a node holds at the start, as far as it makes a difference.

Every image can be pulled, so what a node holds matters only for containers that may not pull theirs
(``imagePullPolicy: Never``).  A node holds what its status lists; an image that is pulled for one container is there
for the others.

Source: https://kubernetes.io/docs/concepts/containers/images/#image-pull-policy.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence

from kythera.model.api.core.container import Container
from kythera.model.api.core.node import Node
from kythera.model.node.runtime.runtime import RuntimeState
from kythera.model.record import Record, replace, within
from kythera.model.scenarios.scenario import Scenario

NEVER = "Never"


def not_pulled(objects: Sequence[Record], scenario: Scenario) -> frozenset[str]:
    """The images of containers that may not pull them, in objects and in manifests that are applied later."""
    later = [json.loads(text) for event in scenario.events for text in event.manifests]
    return frozenset(name for part in within((*objects, *later)) for name in _not_pulled(part))


def with_images(runtime: RuntimeState, node: Node, wanted: frozenset[str]) -> RuntimeState:
    """The runtime of a node with the images that it holds, of those ``wanted`` that some container may not pull."""
    if not wanted:
        return runtime
    held = wanted.intersection(_names(node))
    return replace(runtime, images=tuple(sorted(held)), remembered=tuple(sorted(wanted)))


def _names(node: Node) -> Iterator[str]:
    for image in node.status.images:
        for name in image.names:
            yield name
            yield name.removeprefix("docker.io/").removeprefix("library/")


def _not_pulled(part: object) -> Iterator[str]:
    if isinstance(part, Container) and part.image_pull_policy == NEVER:
        yield part.image
    elif isinstance(part, Mapping) and part.get("imagePullPolicy") == NEVER:
        yield str(part.get("image", ""))
