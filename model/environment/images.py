"""Images: which ones a node holds at the start, as far as it makes a difference.

Every image can be pulled, so what a node holds matters only for containers that may not pull theirs
(``imagePullPolicy: Never``).  A node holds what its status lists; an image that is pulled for one container is there
for the others.

Source: https://kubernetes.io/docs/concepts/containers/images/#image-pull-policy.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence

from kythera.model.api.core.container import Container
from kythera.model.api.core.node import Node
from kythera.model.node.runtime.runtime import RuntimeState
from kythera.model.record import Map, NodeName, Record, replace
from kythera.model.scenarios.scenario import Scenario

NEVER = "Never"


def with_images(runtime: RuntimeState, node: NodeName, objects: Sequence[Record], scenario: Scenario) -> RuntimeState:
    """The runtime of a node with the images that it holds, of those that some container may not pull."""
    later = (json.loads(text) for event in scenario.events for text in event.manifests)
    wanted = {*_not_pulled(objects), *_not_pulled(later)}
    if not wanted:
        return runtime
    held = {name for obj in objects if isinstance(obj, Node) and obj.metadata.name == node for name in _names(obj)}
    return replace(runtime, images=tuple(sorted(held & wanted)), remembered=tuple(sorted(wanted)))


def _names(node: Node) -> Iterator[str]:
    for image in node.status.images:
        for name in image.names:
            yield name
            yield name.removeprefix("docker.io/").removeprefix("library/")


def _not_pulled(value: object) -> Iterator[str]:
    """The images of containers that may not pull them, anywhere in objects or plain manifests."""
    if isinstance(value, Container):
        if value.image_pull_policy == NEVER:
            yield value.image
    elif isinstance(value, Record):
        for name in value.__record_fields__:
            yield from _not_pulled(getattr(value, name))
    elif isinstance(value, (Mapping, Map)):
        if value.get("imagePullPolicy") == NEVER:
            yield str(value.get("image", ""))
        for each in value.values():
            yield from _not_pulled(each)
    elif isinstance(value, Iterable) and not isinstance(value, str):
        for each in value:
            yield from _not_pulled(each)
