"""Variants: named deviations of a component from what Kubernetes 1.37 does, for studying known defects.

A variant is asked for as ``component.setting=value``.  Whoever adds one to a component adds it here.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Variant:
    """A setting with the values that it may have, the usual one first, and what the others do.

    ``key`` is the name under which the component looks for it.
    """

    name: str
    values: tuple[str, ...]
    says: str
    key: str = ""

    @property
    def setting(self) -> str:
        """The key in the settings that components get."""
        return self.key or self.name


VARIANTS: tuple[Variant, ...] = (
    Variant(
        "disruption.on_conflict",
        ("recompute", "overwrite_with_old"),
        "a status of a PodDisruptionBudget that was computed before a conflict is written after it all the same",
    ),
    Variant(
        "hpa.base",
        ("observed_pods_incl_surge", "spec_replicas"),
        "the autoscaler multiplies the replicas that are asked for, so that surge pods of a rollout don't count",
    ),
    Variant(
        "replicaset.expectations",
        ("true", "false"),
        "the ReplicaSet controller does not wait until it sees what it has created and deleted",
        key="expectations",
    ),
)
"""All variants."""


def known() -> str:
    """All variants, as messages list them."""
    return ", ".join(f"{each.name}={value}" for each in VARIANTS for value in each.values[1:])
