"""Where a pod may run: node selectors, affinity, tolerations, topology spread, scheduling gates.

Source: pkg/apis/core/validation/validation.go validateAffinity, ValidateTolerations,
validateTopologySpreadConstraints, validateSchedulingGates.
"""

from __future__ import annotations

from kythera.model.api import names
from kythera.model.api.core.pod import PodSpec
from kythera.model.api.core.scheduling import (
    NodeSelectorRequirement,
    NodeSelectorTerm,
    PodAffinity,
    PodAffinityTerm,
    PodAntiAffinity,
    Toleration,
    TopologySpreadConstraint,
)
from kythera.model.control_plane.apiserver.validation.fields import (
    Errors,
    duplicate,
    forbidden,
    invalid,
    label_selector,
    labels,
    messages,
    required,
    unsupported,
)

REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
OPERATORS = ("Equal", "Exists", "Lt", "Gt")
WHEN_UNSATISFIABLE = ("DoNotSchedule", "ScheduleAnyway")
INCLUSION = ("Honor", "Ignore")


def validate_placement(spec: PodSpec, at: str) -> Errors:
    """What the API server has against a pod's wishes of its node and its neighbours.

    Source: pkg/apis/core/validation/validation.go ValidatePodSpec.
    """
    yield from labels(f"{at}.nodeSelector", spec.node_selector)
    affinity = spec.affinity
    if affinity is not None:
        if affinity.node_affinity is not None:
            here = f"{at}.affinity.nodeAffinity"
            needed = affinity.node_affinity.required_during_scheduling_ignored_during_execution
            if needed is not None:
                terms = f"{here}.{REQUIRED}.nodeSelectorTerms"
                if not needed.node_selector_terms:
                    yield required(terms, "must have at least one node selector term")
                for i, term in enumerate(needed.node_selector_terms):
                    yield from _node_term(term, f"{terms}[{i}]")
            for i, wish in enumerate(affinity.node_affinity.preferred_during_scheduling_ignored_during_execution):
                yield from _weight(wish.weight, f"{here}.{PREFERRED}[{i}]")
                yield from _node_term(wish.preference, f"{here}.{PREFERRED}[{i}].preference")
        yield from _pod_terms(affinity.pod_affinity, f"{at}.affinity.podAffinity")
        yield from _pod_terms(affinity.pod_anti_affinity, f"{at}.affinity.podAntiAffinity")
    for i, toleration in enumerate(spec.tolerations):
        yield from _toleration(toleration, f"{at}.tolerations[{i}]")
    yield from _spread(spec.topology_spread_constraints, f"{at}.topologySpreadConstraints")
    seen: set[str] = set()
    for i, gate in enumerate(spec.scheduling_gates):
        here = f"{at}.schedulingGates[{i}]"
        yield from messages(here, gate.name, names.is_qualified_name(gate.name))
        if gate.name in seen:
            yield duplicate(here, gate.name)
        seen.add(gate.name)


def _weight(weight: int, at: str) -> Errors:
    if not 1 <= weight <= 100:
        yield invalid(f"{at}.weight", weight, "must be in the range 1-100")


def _node_term(term: NodeSelectorTerm, at: str) -> Errors:
    for i, requirement in enumerate(term.match_expressions):
        yield from _requirement(requirement, f"{at}.matchExpressions[{i}]")
    for i, requirement in enumerate(term.match_fields):
        here = f"{at}.matchFields[{i}]"
        if requirement.operator not in ("In", "NotIn"):
            yield invalid(f"{here}.operator", requirement.operator, "not a valid selector operator")
        elif len(requirement.values) != 1:
            detail = "must be only one value when `operator` is 'In' or 'NotIn' for node field selector"
            yield required(f"{here}.values", detail)
        if requirement.key != "metadata.name":
            yield invalid(f"{here}.key", requirement.key, "not a valid field selector key")


def _requirement(requirement: NodeSelectorRequirement, at: str) -> Errors:
    operator, values = requirement.operator, requirement.values
    if operator in ("In", "NotIn"):
        if not values:
            yield required(f"{at}.values", "must be specified when `operator` is 'In' or 'NotIn'")
    elif operator in ("Exists", "DoesNotExist"):
        if values:
            yield forbidden(f"{at}.values", "may not be specified when `operator` is 'Exists' or 'DoesNotExist'")
    elif operator in ("Gt", "Lt"):
        if len(values) != 1:
            detail = "must be specified single value when `operator` is 'Lt' or 'Gt'"
            yield required(f"{at}.values", detail)
    else:
        yield invalid(f"{at}.operator", operator, "not a valid selector operator")
    yield from messages(f"{at}.key", requirement.key, names.is_qualified_name(requirement.key))
    if operator in ("In", "NotIn"):
        for i, value in enumerate(values):
            yield from messages(f"{at}.values[{i}]", value, names.is_valid_label_value(value))


def _pod_terms(affinity: PodAffinity | PodAntiAffinity | None, at: str) -> Errors:
    if affinity is None:
        return
    for i, term in enumerate(affinity.required_during_scheduling_ignored_during_execution):
        yield from _pod_term(term, f"{at}.{REQUIRED}[{i}]")
    for i, wish in enumerate(affinity.preferred_during_scheduling_ignored_during_execution):
        yield from _weight(wish.weight, f"{at}.{PREFERRED}[{i}]")
        yield from _pod_term(wish.pod_affinity_term, f"{at}.{PREFERRED}[{i}].podAffinityTerm")


def _pod_term(term: PodAffinityTerm, at: str) -> Errors:
    yield from label_selector(f"{at}.labelSelector", term.label_selector)
    yield from label_selector(f"{at}.namespaceSelector", term.namespace_selector)
    for i, namespace in enumerate(term.namespaces):
        yield from messages(f"{at}.namespaces[{i}]", namespace, names.is_dns1123_label(namespace))
    if not term.topology_key:
        yield required(f"{at}.topologyKey", "can not be empty")
    yield from messages(f"{at}.topologyKey", term.topology_key, names.is_qualified_name(term.topology_key))
    if term.label_selector is None:
        for field, keys in (
            ("matchLabelKeys", term.match_label_keys),
            ("mismatchLabelKeys", term.mismatch_label_keys),
        ):
            if keys:
                yield forbidden(f"{at}.{field}", "must not be specified when labelSelector is not set")
    for i, key in enumerate(term.match_label_keys):
        if key in term.mismatch_label_keys:
            yield invalid(f"{at}.matchLabelKeys[{i}]", key, "exists in both matchLabelKeys and mismatchLabelKeys")


def _toleration(toleration: Toleration, at: str) -> Errors:
    operator = toleration.operator
    if toleration.key:
        yield from messages(f"{at}.key", toleration.key, names.is_qualified_name(toleration.key))
    elif operator != "Exists":
        detail = 'operator must be Exists when `key` is empty, which means "match all values and all keys"'
        yield invalid(f"{at}.operator", operator, detail)
    if toleration.toleration_seconds is not None and toleration.effect != "NoExecute":
        detail = "effect must be 'NoExecute' when `tolerationSeconds` is set"
        yield invalid(f"{at}.effect", toleration.effect, detail)
    if operator in ("Equal", ""):
        problems = names.is_valid_label_value(toleration.value)
        if problems:
            yield invalid(f"{at}.operator", toleration.value, "; ".join(problems))
    elif operator == "Exists":
        if toleration.value:
            yield invalid(f"{at}.operator", toleration, "value must be empty when `operator` is 'Exists'")
    elif operator in ("Lt", "Gt"):
        if not toleration.value.removeprefix("-").isdecimal():
            yield invalid(f"{at}.value", toleration.value, "must be a valid integer for numeric operators")
    else:
        yield unsupported(f"{at}.operator", operator, OPERATORS)
    if toleration.effect and toleration.effect not in EFFECTS:
        yield unsupported(f"{at}.effect", toleration.effect, EFFECTS)


def _spread(constraints: tuple[TopologySpreadConstraint, ...], at: str) -> Errors:
    seen: set[tuple[str, str]] = set()
    for i, constraint in enumerate(constraints):
        here = f"{at}[{i}]"
        when = constraint.when_unsatisfiable
        if constraint.max_skew <= 0:
            yield invalid(f"{here}.maxSkew", constraint.max_skew, "must be greater than zero")
        if not constraint.topology_key:
            yield required(f"{here}.topologyKey", "can not be empty")
        else:
            problems = names.is_qualified_name(constraint.topology_key)
            yield from messages(f"{here}.topologyKey", constraint.topology_key, problems)
        if when not in WHEN_UNSATISFIABLE:
            yield unsupported(f"{here}.whenUnsatisfiable", when, WHEN_UNSATISFIABLE)
        if (constraint.topology_key, when) in seen:
            pair = f"{{{constraint.topology_key}, {when}}}"
            yield duplicate(f"{here}.{{topologyKey, whenUnsatisfiable}}", pair)
        seen.add((constraint.topology_key, when))
        if constraint.min_domains is not None:
            if constraint.min_domains <= 0:
                yield invalid(f"{here}.minDomains", constraint.min_domains, "must be greater than zero")
            if when != "DoNotSchedule":
                detail = f"can only use minDomains if whenUnsatisfiable=DoNotSchedule, not {when}"
                yield invalid(f"{here}.minDomains", constraint.min_domains, detail)
        for field, policy in (
            ("nodeAffinityPolicy", constraint.node_affinity_policy),
            ("nodeTaintsPolicy", constraint.node_taints_policy),
        ):
            if policy is not None and policy not in INCLUSION:
                yield unsupported(f"{here}.{field}", policy, INCLUSION)
        if constraint.match_label_keys and constraint.label_selector is None:
            yield forbidden(f"{here}.matchLabelKeys", "must not be specified when labelSelector is not set")
        yield from label_selector(f"{here}.labelSelector", constraint.label_selector)
