"""The descheduler: evicts pods that would better run elsewhere, and leaves it to the scheduler to place them again.

It owns: how long ago it last began to evict, and which pods of that run it has still to evict; lost when its process
dies.
It may: evict pods, one after the other, where their disruption budgets allow it.

``controller`` is the loop, ``situation`` says which pods may be evicted and what fits where; each strategy has a module
of its own.

Source: sigs.k8s.io/descheduler v0.34, pkg/descheduler/descheduler.go; https://sigs.k8s.io/descheduler.
Simplifies: all strategies of a run decide on what is seen at its beginning (each without the pods that those before it
chose), before the first pod is evicted.  A run that finds nothing to evict takes no time: the next one may begin at
once, where upstream waits for another interval.  Limits on the number of evictions, namespaces, label selectors and
thresholds on priorities are not modelled.
"""

from kythera.model.control_plane.controllers.descheduler.controller import controller, horizons_of

__all__ = ["controller", "horizons_of"]
