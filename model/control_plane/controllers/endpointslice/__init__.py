"""The EndpointSlice controller: ``controller()`` makes it; see ``controller.py`` for what it owns and does."""

from kythera.model.control_plane.controllers.endpointslice.controller import controller, desired_slices, horizons_of
from kythera.model.control_plane.controllers.endpointslice.endpoints import (
    address_types,
    endpoint_of,
    endpoint_ports,
    find_port,
    is_included,
    sets_hostname,
    with_hints,
)
from kythera.model.control_plane.controllers.endpointslice.packing import slice_labels

__all__ = [
    "address_types",
    "controller",
    "desired_slices",
    "endpoint_of",
    "endpoint_ports",
    "find_port",
    "horizons_of",
    "is_included",
    "sets_hostname",
    "slice_labels",
    "with_hints",
]
