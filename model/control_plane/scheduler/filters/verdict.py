"""Verdicts: what a filter says about one pod on one node.

Source: staging/src/k8s.io/kube-scheduler/framework/interface.go Code, Status.
"""

from __future__ import annotations

from kythera.model.record import Record, record

FITS = "fits"
UNSCHEDULABLE = "unschedulable"
UNRESOLVABLE = "unresolvable"


@record
class Insufficient(Record):
    """A resource that a node has too little of; CPU in thousandths, everything else in its own unit."""

    resource: str = ""
    reason: str = ""
    requested: int = 0
    used: int = 0
    capacity: int = 0

    @property
    def unresolvable(self) -> bool:
        """Whether the pod asks for more than even the empty node has."""
        return self.resource != "pods" and self.requested > self.capacity


@record
class Verdict(Record):
    """Whether a pod fits a node, and if not, why, and which plugin says so.

    ``code``: fits, unschedulable (it might fit if other pods went), or unresolvable (no preemption can help).
    ``reasons`` are Kubernetes' own texts, which its messages count over the nodes; ``detail`` is what they
    leave out.
    """

    code: str = FITS
    reasons: tuple[str, ...] = ()
    detail: str = ""
    insufficient: tuple[Insufficient, ...] = ()
    plugin: str = ""

    @property
    def fits(self) -> bool:
        """Whether the pod may go there."""
        return self.code == FITS

    @property
    def resolvable(self) -> bool:
        """Whether the pod may go there, or might if other pods went."""
        return self.code != UNRESOLVABLE


FIT = Verdict()


def unschedulable(reason: str, detail: str = "") -> Verdict:
    """The pod does not fit, but might if other pods went."""
    return Verdict(UNSCHEDULABLE, (reason,), detail)


def unresolvable(reason: str, detail: str = "") -> Verdict:
    """The pod does not fit, and preemption can't help."""
    return Verdict(UNRESOLVABLE, (reason,), detail)
