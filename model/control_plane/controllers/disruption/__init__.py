"""The disruption controller: works out how many more pods each PodDisruptionBudget lets go.

It owns: when it first saw that a pod bears a DisruptionTarget condition without being deleted; lost when its
process dies.
It may: write the status of PodDisruptionBudgets, and set DisruptionTarget conditions of pods to False.

Source: pkg/controller/disruption/disruption.go;
https://kubernetes.io/docs/concepts/workloads/pods/disruptions/.

Simplifies:

* The two minutes after which a DisruptionTarget condition counts as stale begin when the controller sees it,
  not at its transition time: upstream is later by nothing but the informer's lag, and after a restart of the
  controller by up to two minutes less.  No age of a condition has to be kept for it.
* Only Deployments and ReplicaSets are known owners of pods; others have no scale in the model, so a budget
  over their pods that needs one is reported as failed, as upstream does for owners without a scale.
* An entry of ``disruptedPods`` ends after exactly two minutes; upstream compares finer than in seconds.
"""

from kythera.model.control_plane.controllers.disruption.controller import controller, horizons_of

__all__ = ["controller", "horizons_of"]
