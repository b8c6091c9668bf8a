"""ImageLocality: prefers nodes that hold the images of the pod's containers already.

Source: pkg/scheduler/framework/plugins/imagelocality/image_locality.go.
"""

from __future__ import annotations

from kythera.model.api.core.pod import Pod
from kythera.model.control_plane.scheduler.node_info import NodeInfo, Snapshot
from kythera.model.control_plane.scheduler.scores.normalise import MAX_NODE_SCORE

MEBIBYTE = 1024 * 1024
LEAST_WORTH = 23 * MEBIBYTE
"""Images that take less than this many bytes altogether are worth nothing."""
MOST_WORTH_PER_CONTAINER = 1000 * MEBIBYTE
"""Bytes beyond this many per container add nothing."""


def score_image_locality(pod: Pod, nodes: tuple[NodeInfo, ...], snapshot: Snapshot) -> dict[str, int]:
    """0 to 100 per node, by the bytes of the pod's images that it holds, scaled by how many nodes hold them.

    The scale keeps pods from piling up on the one node that happens to hold an image.
    Source: pkg/scheduler/framework/plugins/imagelocality/image_locality.go Score, calculatePriority.
    Simplifies: image volumes are not counted.
    """
    containers = (*pod.spec.init_containers, *pod.spec.containers)
    wanted = [normalised_image_name(container.image) for container in containers]
    everywhere = [_images(info) for info in snapshot.nodes]
    spread = {image: sum(image in held for held in everywhere) for image in wanted}
    scores = {}
    for info in nodes:
        held = _images(info)
        total = sum(int(held[image] * (spread[image] / len(everywhere))) for image in wanted if image in held)
        scores[info.node.metadata.name] = image_score(total, len(containers))
    return scores


def image_score(held_bytes: int, containers: int) -> int:
    """0 to 100 for so many (scaled) bytes of images and so many containers.

    Source: pkg/scheduler/framework/plugins/imagelocality/image_locality.go calculatePriority.
    """
    most = MOST_WORTH_PER_CONTAINER * containers
    counted = LEAST_WORTH if held_bytes < LEAST_WORTH else min(held_bytes, most)
    return MAX_NODE_SCORE * (counted - LEAST_WORTH) // (most - LEAST_WORTH)


def normalised_image_name(name: str) -> str:
    """The image's name with a tag: ``latest`` if it has none.

    Source: pkg/scheduler/framework/plugins/imagelocality/image_locality.go normalizedImageName.
    """
    return f"{name}:latest" if name.rfind(":") <= name.rfind("/") else name


def _images(info: NodeInfo) -> dict[str, int]:
    return {name: image.size_bytes for image in info.node.status.images for name in image.names}
