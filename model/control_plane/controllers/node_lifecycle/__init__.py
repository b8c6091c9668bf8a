"""The node lifecycle controller: notices nodes whose kubelets have fallen silent, and keeps pods off nodes in trouble.

It owns: when it last tainted a node of each zone, and the nodes whose pods it failed to mark; lost when its process
dies.
It may: set the conditions of a silent node to Unknown (and back) and its pods to not ready, and add and remove the
taints that follow from a node's conditions.

``monitor`` is the control loop, ``health`` says what the conditions of a node mean, ``zones`` how many nodes may be
tainted when many are in trouble.  Pods are evicted by a controller of its own, ``taint_eviction``.

Source: pkg/controller/nodelifecycle/node_lifecycle_controller.go;
https://kubernetes.io/docs/concepts/architecture/nodes/#node-controller.
Simplifies: upstream passes over all nodes every 5 s (node-monitor-period) and over the nodes to taint every 0.1 s; here
each node is looked at by itself, at any time.  Taints that come and those that go are written together; upstream adds
first and removes then.  Pods that come to a silent node later are not marked, since nobody reports them as ready.
Labels of operating system and architecture are not copied from their stable names to the old ones.
"""

from kythera.model.control_plane.controllers.node_lifecycle.monitor import controller, horizons_of

__all__ = ["controller", "horizons_of"]
