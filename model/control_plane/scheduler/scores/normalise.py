"""How raw points become scores from 0 to 100.

Source: pkg/scheduler/framework/plugins/helper/normalize_score.go.
"""

from __future__ import annotations

from collections.abc import Mapping

MAX_NODE_SCORE = 100
"""The best score that a plugin can give. Source: staging/src/k8s.io/kube-scheduler/framework/interface.go."""


def proportional(points: Mapping[str, int], reverse: bool = False) -> dict[str, int]:
    """Each node's share of the greatest number of points, in per cent; ``reverse``: what is missing from 100.

    Without any points every node gets 0, or 100 if reversed.
    Source: pkg/scheduler/framework/plugins/helper/normalize_score.go DefaultNormalizeScore.
    """
    most = max(points.values(), default=0)
    if most == 0:
        return dict.fromkeys(points, MAX_NODE_SCORE if reverse else 0)
    shares = {node: MAX_NODE_SCORE * value // most for node, value in points.items()}
    return {node: MAX_NODE_SCORE - share for node, share in shares.items()} if reverse else shares
