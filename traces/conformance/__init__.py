"""Upstream Kubernetes' own unit-test cases, run against the model's functions.

``adapters`` translate a case into a call of the model, ``runner`` runs all cases of a folder, ``report`` prints
what came out.  Known disagreements stand in ``exceptions.json``, each with its reason.
"""

from kythera.traces.conformance.report import conformance_command

__all__ = ["conformance_command"]
