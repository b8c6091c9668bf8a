"""Variants: named deviations of a component from what Kubernetes 1.37 does.

Some are known defects, to be studied; others exist so that every property has something that breaks it.  A variant is
asked for as ``component.setting=value``.  Whoever adds one to a component adds it here.
"""

from __future__ import annotations

from dataclasses import dataclass

from kythera.model.control_plane.apiserver.variants import VARIANTS as OF_THE_API_SERVER


@dataclass(frozen=True, slots=True)
class Variant:
    """A setting with the values that it may have, the usual one first."""

    name: str
    values: tuple[str, ...]


RESTARTED = ("kube-controller-manager", "kube-proxy", "kubelet", "scheduler")
"""Parts whose first list after a restart may be answered by an older cache: see ``compile.py``."""

VARIANTS: tuple[Variant, ...] = (
    *(Variant(name, values) for name, values in OF_THE_API_SERVER.items()),
    *(Variant(f"{each}.initial_list", ("consistent", "any_cache")) for each in RESTARTED),
    Variant("deployment.bounds", ("keep", "ignore")),
    Variant("descheduler.node_fit", ("off", "on")),
    Variant("disruption.on_conflict", ("recompute", "overwrite_with_old")),
    Variant("endpointslice.updates", ("always", "never")),
    Variant("garbage-collector.absent_owner_cache", ("coordinates", "uid")),
    Variant("garbage-collector.deletes", ("garbage", "nothing")),
    Variant("garbage-collector.owner_lookup", ("live", "cached")),
    Variant("hpa.base", ("observed_pods_incl_surge", "spec_replicas")),
    Variant("hpa.minimum", ("keep", "ignore")),
    Variant("kubelet.address", ("smallest_free", "counts_pods")),
    Variant("kubelet.admission", ("on", "off")),
    Variant("kubelet.sandbox", ("one", "always_new")),
    Variant("nodectl.eviction_policy", ("zone_threshold", "all_down_stopgap", "naive")),
    Variant("nodectl.mark_pods", ("edge", "level")),
    Variant("replicaset.creates", ("missing", "nothing")),
    Variant("replicaset.expectations", ("true", "false")),
    Variant("scheduler.flush", ("after_five_minutes", "never")),
    Variant("scheduler.queueing_hints", ("plugins", "none")),
    Variant("scheduler.retry", ("always", "never")),
    Variant("taint_eviction.evicts", ("all", "nothing")),
)
"""All variants.  What each does is said where its component reads it."""


def known() -> str:
    """All variants, as messages list them."""
    return ", ".join(f"{each.name}={value}" for each in VARIANTS for value in each.values[1:])
