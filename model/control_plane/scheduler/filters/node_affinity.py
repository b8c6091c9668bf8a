"""NodeAffinity: keeps pods off nodes that their node selector or required node affinity does not match.

Source: pkg/scheduler/framework/plugins/nodeaffinity/node_affinity.go.
"""

from __future__ import annotations

from kythera.model.api.core.pod import Pod
from kythera.model.api.core.scheduling import NodeSelector
from kythera.model.api.node_affinity import (
    NAME_FIELD,
    node_selector_matches,
    required_node_affinity_matches,
    required_node_selector,
)
from kythera.model.control_plane.scheduler.filters.verdict import FIT, Verdict, unresolvable
from kythera.model.control_plane.scheduler.node_info import NodeInfo, Snapshot


def filter_node_affinity(
    pod: Pod, node_info: NodeInfo, snapshot: Snapshot, added: NodeSelector | None = None
) -> Verdict:
    """Whether the node has the labels and the name that the pod requires.

    ``added`` is the required part of the profile's ``addedAffinity``.
    Source: pkg/scheduler/framework/plugins/nodeaffinity/node_affinity.go PreFilter, Filter.
    """
    names = node_names(pod)
    if names is not None and not names:
        return unresolvable("pod affinity terms conflict")
    if added is not None and not node_selector_matches(added, node_info.node):
        return unresolvable("node(s) didn't match scheduler-enforced node affinity")
    if not required_node_affinity_matches(pod, node_info.node):
        return unresolvable("node(s) didn't match Pod's node affinity/selector")
    return FIT


def node_names(pod: Pod) -> frozenset[str] | None:
    """The names of the only nodes that the required affinity can match, or ``None`` if it doesn't name nodes.

    Each term has to name nodes by ``metadata.name In``; where one term names several times, all have to
    agree.
    Source: pkg/scheduler/framework/plugins/nodeaffinity/node_affinity.go PreFilter.
    """
    selector = required_node_selector(pod)
    if selector is None or not selector.node_selector_terms:
        return None
    names: frozenset[str] = frozenset()
    for term in selector.node_selector_terms:
        named = [
            frozenset(each.values) for each in term.match_fields if each.key == NAME_FIELD and each.operator == "In"
        ]
        if not named:
            return None
        names |= frozenset.intersection(*named)
    return names
