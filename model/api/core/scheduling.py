"""What a pod may ask of the node it runs on: node selectors, affinity, tolerations, topology spread.

Source: staging/src/k8s.io/api/core/v1/types.go.
"""

from __future__ import annotations

from kythera.model.api.meta import LabelSelector
from kythera.model.record import Age, Record, record


@record
class NodeSelectorRequirement(Record):
    """``key operator values``; operator is In, NotIn, Exists, DoesNotExist, Gt or Lt."""

    key: str = ""
    operator: str = ""
    values: tuple[str, ...] = ()


@record
class NodeSelectorTerm(Record):
    """All of its requirements; a term without any selects no node."""

    match_expressions: tuple[NodeSelectorRequirement, ...] = ()
    match_fields: tuple[NodeSelectorRequirement, ...] = ()


@record
class NodeSelector(Record):
    """Any of its terms."""

    node_selector_terms: tuple[NodeSelectorTerm, ...] = ()


@record
class PreferredSchedulingTerm(Record):
    """A term worth ``weight`` (1 to 100) points."""

    weight: int = 0
    preference: NodeSelectorTerm = NodeSelectorTerm()


@record
class NodeAffinity(Record):
    """Which nodes a pod requires, and which it prefers."""

    required_during_scheduling_ignored_during_execution: NodeSelector | None = None
    preferred_during_scheduling_ignored_during_execution: tuple[PreferredSchedulingTerm, ...] = ()


@record
class PodAffinityTerm(Record):
    """Pods that ``label_selector`` selects, in the same ``topology_key`` domain."""

    label_selector: LabelSelector | None = None
    namespaces: tuple[str, ...] = ()
    topology_key: str = ""
    namespace_selector: LabelSelector | None = None
    match_label_keys: tuple[str, ...] = ()
    mismatch_label_keys: tuple[str, ...] = ()


@record
class WeightedPodAffinityTerm(Record):
    """A term worth ``weight`` (1 to 100) points."""

    weight: int = 0
    pod_affinity_term: PodAffinityTerm = PodAffinityTerm()


@record
class PodAffinity(Record):
    """Pods to be near to."""

    required_during_scheduling_ignored_during_execution: tuple[PodAffinityTerm, ...] = ()
    preferred_during_scheduling_ignored_during_execution: tuple[WeightedPodAffinityTerm, ...] = ()


@record
class PodAntiAffinity(Record):
    """Pods to be away from."""

    required_during_scheduling_ignored_during_execution: tuple[PodAffinityTerm, ...] = ()
    preferred_during_scheduling_ignored_during_execution: tuple[WeightedPodAffinityTerm, ...] = ()


@record
class Affinity(Record):
    """A pod's node affinity and its (anti-)affinity to pods."""

    node_affinity: NodeAffinity | None = None
    pod_affinity: PodAffinity | None = None
    pod_anti_affinity: PodAntiAffinity | None = None


@record
class Toleration(Record):
    """Which taints a pod bears, and for how long where the effect is NoExecute (``None``: for ever)."""

    key: str = ""
    operator: str = ""
    value: str = ""
    effect: str = ""
    toleration_seconds: int | None = None


@record
class Taint(Record):
    """What keeps pods off a node; effect is NoSchedule, PreferNoSchedule or NoExecute."""

    key: str = ""
    value: str = ""
    effect: str = ""
    time_added: Age | None = None


@record
class TopologySpreadConstraint(Record):
    """How evenly pods that ``label_selector`` selects lie over the domains of ``topology_key``."""

    max_skew: int = 0
    topology_key: str = ""
    when_unsatisfiable: str = ""
    label_selector: LabelSelector | None = None
    min_domains: int | None = None
    node_affinity_policy: str | None = None
    node_taints_policy: str | None = None
    match_label_keys: tuple[str, ...] = ()


@record
class PodSchedulingGate(Record):
    """A pod with a gate is not considered for scheduling until somebody removes it."""

    name: str = ""
