"""The ReplicaSet controller: ``controller()`` makes it; see ``reconcile`` for what it owns and does."""

from kythera.model.control_plane.controllers.replicaset.reconcile import controller, horizons_of

__all__ = ["controller", "horizons_of"]
