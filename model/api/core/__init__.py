"""``core/v1``: pods, nodes, services and what they refer to."""
