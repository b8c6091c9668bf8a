"""The HorizontalPodAutoscaler controller: ``controller()`` makes it, and says what it owns and does."""

from kythera.model.control_plane.controllers.horizontal_pod_autoscaler.controller import (
    controller,
    horizons_of,
)

__all__ = ["controller", "horizons_of"]
