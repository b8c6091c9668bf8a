"""Containers: names, images, ports, variables, probes, resources.

Source: pkg/apis/core/validation/validation.go validateContainers, validateInitContainers,
ValidateResourceRequirements.
"""

from __future__ import annotations

from collections.abc import Mapping

from kythera.model.api import names
from kythera.model.api.core.container import Container, ContainerPort, EnvVar, Probe
from kythera.model.api.core.pod import PodSpec
from kythera.model.api.quantity import Quantity, canonical
from kythera.model.control_plane.apiserver.validation.fields import (
    Errors,
    at_least_0,
    duplicate,
    forbidden,
    invalid,
    messages,
    one_of,
    port_number,
    required,
    unsupported,
)

PROTOCOLS = ("TCP", "UDP", "SCTP")
PULL_POLICIES = ("Always", "IfNotPresent", "Never")
RESTART_POLICIES = ("Always", "OnFailure", "Never")
NOT_FOR_INIT = "may not be set for init containers without restartPolicy=Always"
PROBES = (
    ("livenessProbe", "liveness_probe"),
    ("readinessProbe", "readiness_probe"),
    ("startupProbe", "startup_probe"),
)


def validate_containers(spec: PodSpec, at: str) -> Errors:
    """What the API server has against the containers and init containers of a pod.

    Source: pkg/apis/core/validation/validation.go validateContainers, validateInitContainers.
    Simplifies: fields that the model ignores are not looked at.
    """
    if not spec.containers:
        yield required(f"{at}.containers")
    seen: set[str] = set()
    for i, container in enumerate(spec.containers):
        yield from _container(container, f"{at}.containers[{i}]", seen, spec.host_network)
        yield from _handlers(container, f"{at}.containers[{i}]")
    yield from _host_ports(spec.containers, f"{at}.containers")
    for i, container in enumerate(spec.init_containers):
        here = f"{at}.initContainers[{i}]"
        yield from _container(container, here, seen, spec.host_network)
        if container.restart_policy == "Always":
            yield from _handlers(container, here)
            continue
        for field, attribute in (("lifecycle", "lifecycle"), *PROBES):
            if getattr(container, attribute) is not None:
                yield forbidden(f"{here}.{field}", NOT_FOR_INIT)


def _container(container: Container, at: str, seen: set[str], host_network: bool) -> Errors:
    if not container.name:
        yield required(f"{at}.name")
    else:
        yield from messages(f"{at}.name", container.name, names.is_dns1123_label(container.name))
    if container.name in seen:
        yield duplicate(f"{at}.name", container.name)
    elif container.name:
        seen.add(container.name)
    if not container.image:
        yield required(f"{at}.image")
    elif container.image.strip() != container.image:
        yield invalid(f"{at}.image", container.image, "must not have leading or trailing whitespace")
    yield from _ports(container.ports, f"{at}.ports", host_network)
    for i, variable in enumerate(container.env):
        yield from _variable(variable, f"{at}.env[{i}]")
    for i, source in enumerate(container.env_from):
        for field, reference in (("configMapRef", source.config_map_ref), ("secretRef", source.secret_ref)):
            if reference is not None and not reference.name:
                yield required(f"{at}.envFrom[{i}].{field}.name")
    yield from one_of(f"{at}.imagePullPolicy", container.image_pull_policy, PULL_POLICIES)
    if container.restart_policy is not None and container.restart_policy not in RESTART_POLICIES:
        yield unsupported(f"{at}.restartPolicy", container.restart_policy, RESTART_POLICIES)
    yield from validate_resources(container.resources.requests, container.resources.limits, f"{at}.resources")


def _handlers(container: Container, at: str) -> Errors:
    if container.lifecycle is not None:
        for field, handler in (
            ("postStart", container.lifecycle.post_start),
            ("preStop", container.lifecycle.pre_stop),
        ):
            if handler is not None and handler.sleep is None and not handler.opaque:
                yield required(f"{at}.lifecycle.{field}", "must specify a handler type")
            if handler is not None and handler.sleep is not None:
                yield from at_least_0(f"{at}.lifecycle.{field}.sleep.seconds", handler.sleep.seconds)
    for field, attribute in PROBES:
        probe: Probe | None = getattr(container, attribute)
        if probe is None:
            continue
        yield from _probe(probe, f"{at}.{field}")
        if field != "readinessProbe" and probe.success_threshold != 1:
            yield invalid(f"{at}.{field}.successThreshold", probe.success_threshold, "must be 1")
        if field == "readinessProbe" and probe.termination_grace_period_seconds is not None:
            detail = "must not be set for readinessProbes"
            value = probe.termination_grace_period_seconds
            yield invalid(f"{at}.{field}.terminationGracePeriodSeconds", value, detail)


def _probe(probe: Probe, at: str) -> Errors:
    if not probe.opaque:
        yield required(at, "must specify a handler type")
    yield from at_least_0(f"{at}.initialDelaySeconds", probe.initial_delay_seconds)
    yield from at_least_0(f"{at}.timeoutSeconds", probe.timeout_seconds)
    yield from at_least_0(f"{at}.periodSeconds", probe.period_seconds)
    yield from at_least_0(f"{at}.successThreshold", probe.success_threshold)
    yield from at_least_0(f"{at}.failureThreshold", probe.failure_threshold)
    grace = probe.termination_grace_period_seconds
    if grace is not None and grace <= 0:
        yield invalid(f"{at}.terminationGracePeriodSeconds", grace, "must be greater than 0")


def _ports(ports: tuple[ContainerPort, ...], at: str, host_network: bool) -> Errors:
    seen: set[str] = set()
    for i, port in enumerate(ports):
        here = f"{at}[{i}]"
        if port.name:
            problems = names.is_valid_port_name(port.name)
            yield from messages(f"{here}.name", port.name, problems)
            if not problems and port.name in seen:
                yield duplicate(f"{here}.name", port.name)
            seen.add(port.name)
        if port.container_port == 0:
            yield required(f"{here}.containerPort")
        else:
            yield from port_number(f"{here}.containerPort", port.container_port)
        if port.host_port:
            yield from port_number(f"{here}.hostPort", port.host_port)
        yield from one_of(f"{here}.protocol", port.protocol, PROTOCOLS)
        if host_network and port.host_port and port.host_port != port.container_port:
            detail = "must match `hostPort` when `hostNetwork` is true"
            yield invalid(f"{here}.containerPort", port.container_port, detail)


def _host_ports(containers: tuple[Container, ...], at: str) -> Errors:
    """No two containers take the same port of the node."""
    taken: set[str] = set()
    for i, container in enumerate(containers):
        for j, port in enumerate(container.ports):
            if not port.host_port:
                continue
            text = f"{port.protocol}/{port.host_ip}/{port.host_port}"
            if text in taken:
                yield duplicate(f"{at}[{i}].ports[{j}].hostPort", text)
            taken.add(text)


def _variable(variable: EnvVar, at: str) -> Errors:
    if not variable.name:
        yield required(f"{at}.name")
    elif "=" in variable.name or not variable.name.isascii() or not variable.name.isprintable():
        detail = "a valid environment variable name must consist only of printable ASCII characters other than '='"
        yield invalid(f"{at}.name", variable.name, detail)
    source = variable.value_from
    if source is None:
        return
    if variable.value:
        yield invalid(f"{at}.valueFrom", "", "may not be specified when `value` is not empty")
    for field, key in (
        ("configMapKeyRef", source.config_map_key_ref),
        ("secretKeyRef", source.secret_key_ref),
    ):
        if key is None:
            continue
        if not key.name:
            yield required(f"{at}.valueFrom.{field}.name")
        if not key.key:
            yield required(f"{at}.valueFrom.{field}.key")
    if source.config_map_key_ref is None and source.secret_key_ref is None and not source.opaque:
        yield invalid(f"{at}.valueFrom", "", "must specify one of: `fieldRef`, `resourceFieldRef`, "
                      "`configMapKeyRef`, `secretKeyRef` or `fileKeyRef`")  # fmt: skip


def is_native(resource: str) -> bool:
    """Whether a resource is Kubernetes' own, such as cpu or hugepages-2Mi.

    Source: pkg/apis/core/helper/helpers.go IsNativeResource.
    """
    return "/" not in resource or "kubernetes.io/" in resource


def may_be_overcommitted(resource: str) -> bool:
    """Whether containers may use more of a resource than they request.

    Source: pkg/apis/core/helper/helpers.go IsOvercommitAllowed.
    """
    return is_native(resource) and not resource.startswith("hugepages-")


def validate_resources(requests: Mapping[str, Quantity], limits: Mapping[str, Quantity], at: str) -> Errors:
    """Amounts are not negative, and no request is greater than its limit.

    Source: pkg/apis/core/validation/validation.go ValidateResourceRequirements.
    """
    for name, limit in limits.items():
        yield from _resource(name, limit, f"{at}.limits")
    for name, request in requests.items():
        yield from _resource(name, request, f"{at}.requests")
        here = f"{at}.requests"
        cap = limits.get(name)
        if cap is None:
            if not may_be_overcommitted(name):
                yield required(f"{at}.limits", "Limit must be set for non overcommitable resources")
        elif not may_be_overcommitted(name) and request.nano != cap.nano:
            yield invalid(here, request, f"must be equal to {name} limit of {canonical(cap)}")
        elif request.nano > cap.nano:
            yield invalid(here, request, f"must be less than or equal to {name} limit of {canonical(cap)}")
    hugepages = any(name.startswith("hugepages-") for name in (*requests, *limits))
    if hugepages and not {"cpu", "memory"} & {*requests, *limits}:
        yield forbidden(at, "HugePages require cpu or memory")


def _resource(name: str, amount: Quantity, at: str) -> Errors:
    here = f"{at}[{name}]"
    yield from messages(here, name, names.is_qualified_name(name))
    standard = ("cpu", "memory", "ephemeral-storage", "storage")
    if "/" not in name and name not in standard and not name.startswith("hugepages-"):
        yield invalid(here, name, "must be a standard resource for containers")
    if amount.nano < 0:
        yield invalid(here, amount, "must be greater than or equal to 0")
    if not is_native(name) and amount.nano % 1_000_000_000:
        yield invalid(here, amount, "must be an integer")
