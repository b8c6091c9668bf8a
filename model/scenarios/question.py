"""The document of kind ``Scenario``: what is asked beside the manifests, read field by field.

The fields are described in docs/scenario.md.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from kythera.model.api import names
from kythera.model.api.duration import parse_duration
from kythera.model.environment.containers import CODES
from kythera.model.record import Map
from kythera.model.scenarios import variants
from kythera.model.scenarios.events import Planned, planned
from kythera.model.scenarios.fields import Part, found, unknown_field
from kythera.model.scenarios.kinds import SCENARIO, SCENARIO_VERSION
from kythera.model.scenarios.scenario import Faults, Scenario, SchedulerSettings, Workload
from kythera.model.scenarios.settings import SETTINGS, at_odds, why_refused
from kythera.model.scenarios.source import Document, Problem

STALENESS = ("none", "lag", "timeTravel")
TIME = ("prompt", "adversarial")
GRANULARITY = ("ladder", "coarse", "fine")


@dataclass(frozen=True, slots=True)
class Question:
    """What a Scenario document says: the scenario but for its events, its nodes, and what users are to do."""

    scenario: Scenario
    nodes: tuple[Part, ...] = ()
    events: tuple[Planned, ...] = ()
    document: Document = field(default_factory=lambda: empty("scenario"))


def empty(name: str) -> Document:
    """The Scenario that is meant where there is none."""
    return Document("", {"apiVersion": SCENARIO_VERSION, "kind": SCENARIO, "metadata": {"name": name}})


def question(document: Document, problems: list[Problem], known_properties: Collection[str] | None) -> Question:
    """Read a Scenario; all that is wrong with it goes to ``problems``.

    ``known_properties``: the names that there are; ``None`` takes any.
    """
    whole = Part(document, problems, document.data)
    whole.only("apiVersion", "kind", "metadata", "spec")
    metadata = whole.part("metadata")
    metadata.only("name", "labels", "annotations")
    name = metadata.text("name", "scenario")
    for text in names.is_dns1123_subdomain(name):
        metadata.say("name", f"found {found(name)}; {text}")
    spec = whole.part("spec")
    spec.only(
        "nodes", "controlPlane", "components", "variants", "workload", "events", "faults", "time", "granularity",
        "properties",
    )  # fmt: skip
    schedulers, managers = _control_plane(spec.part("controlPlane"))
    scenario = Scenario(
        name=name,
        schedulers=schedulers,
        controller_managers=managers,
        components=_components(spec.part("components")),
        variants=_variants(spec),
        workload=tuple(_workload(part) for part in spec.parts("workload")),
        faults=_faults(spec.part("faults")),
        time=spec.choice("time", "prompt", TIME),
        granularity=spec.choice("granularity", "ladder", GRANULARITY),
        properties=_properties(spec, known_properties),
    )
    return Question(scenario, tuple(spec.parts("nodes")), planned(spec), document)


SINGLE = {
    "apiServers": "several API servers, each with a cache of its own, are not modelled yet (staleness: timeTravel is "
    "the first list of a restarted component from an older cache)",
    "etcdMembers": "the members of etcd are not modelled yet: it is one store that does not fail",
}
"""Parts of the control plane of which there can be one, and why."""


def _control_plane(part: Part) -> tuple[tuple[SchedulerSettings, ...], int]:
    """The schedulers, and the number of kube-controller-managers."""
    part.only(*SINGLE, "controllerManagers", "schedulers")
    for key, why in SINGLE.items():
        if part.whole(key, 1, least=1) > 1:
            part.say(key, f"found {part.data[key]}; expected 1: {why}")
    managers = part.whole("controllerManagers", 1, least=1)
    schedulers: list[SchedulerSettings] = []
    for each in part.parts("schedulers"):
        each.only("name", "replicas")
        name = each.text("name", "default-scheduler")
        for text in names.is_dns1123_subdomain(name):
            each.say("name", f"found {found(name)}; {text}")
        if name in [other.name for other in schedulers]:
            each.say("name", f"a second scheduler {found(name)}; names must differ")
        schedulers.append(SchedulerSettings(name, each.whole("replicas", 1, least=1)))
    if "schedulers" not in part.data:
        return (SchedulerSettings(),), managers
    return tuple(schedulers), managers


def _components(part: Part) -> Mapping[str, Mapping[str, str]]:
    part.only(*SETTINGS)
    read: dict[str, dict[str, str]] = {}
    for component, settings in SETTINGS.items():
        if component not in part.data:
            continue
        given = part.part(component)
        read[component] = {}
        for key, value in given.data.items():
            if key not in settings:
                why = why_refused(component, key)
                given.say(key, unknown_field(key, settings) if why is None else f"not accepted: {why}")
                continue
            try:
                read[component][key] = settings[key](value)
            except ValueError as error:
                given.expected(key, str(error))
    for component, key, wrong in at_odds(read):
        part.part(component).say(key, wrong)
    return read


def _variants(spec: Part) -> Mapping[str, str]:
    asked: dict[str, str] = {}
    table = {each.name: each for each in variants.VARIANTS}
    for path, text in spec.texts("variants"):
        name, equals, value = (each.strip() for each in text.partition("="))
        variant = table.get(name)
        if not equals or variant is None:
            what = "unknown variant" if equals else "expected component.setting=value,"
            spec.problems.append(
                spec.document.problem(path, f"{what} found {found(text)}; known are {variants.known()}")
            )
        elif value not in variant.values:
            what = f"{name} is one of {', '.join(variant.values)}; found {found(value)}"
            spec.problems.append(spec.document.problem(path, what))
        elif name in asked:
            spec.problems.append(spec.document.problem(path, f"{name} is set twice"))
        else:
            asked[name] = value
    return asked


def _workload(part: Part) -> Workload:
    part.only("selector", "startup", "cpu", "changes", "exits")
    selector = part.labels("selector")
    if not selector:
        part.say("selector", "there is none; expected labels of pods, such as {app: web}")
    cpu = part.quantities("cpu")
    changes = part.whole("changes", 0, most=1000)
    if changes and len(cpu) < 2:
        part.say("changes", f"found {changes}; expected 0, or two levels of cpu to change between")
    exits, lasts = _exits(part)
    return Workload(Map(selector), part.duration("startup", 0), tuple(cpu), changes, exits, lasts)


def _exits(part: Part) -> tuple[str, int | None]:
    """Whether containers may end by themselves, and the seconds after which they do."""
    text = part.data.get("exits", "never")
    if isinstance(text, str) and text in CODES:
        return text, None
    try:
        lasts = parse_duration(text) if isinstance(text, str) else -1
    except ValueError:
        lasts = -1
    if lasts < 0:
        part.expected("exits", f"one of {', '.join(CODES)}, or a duration such as 30s")
        return "never", None
    return "never", lasts


FAULTS = {
    "crash": "crash", "partition": "partition", "nodeFailure": "node_failure", "lostReply": "lost_reply",
    "containerCrash": "container_crash", "diskLoss": "disk_loss",
}  # fmt: skip
"""Names of budgets in the document -> fields of ``Faults``."""


def faults_as_written(faults: Faults) -> dict[str, Any]:
    """Faults as a Scenario writes them: the budgets that are not 0, and the staleness."""
    budgets = {key: getattr(faults, field) for key, field in FAULTS.items() if getattr(faults, field)}
    return {**budgets, "staleness": faults.staleness}


def _faults(part: Part) -> Faults:
    part.only(*FAULTS, "staleness")
    usual = Faults()
    budgets = {field: part.whole(key, getattr(usual, field), most=1000) for key, field in FAULTS.items()}
    if budgets["disk_loss"]:
        part.say("diskLoss", f"found {budgets['disk_loss']}; expected 0: the loss of a disk is not modelled yet")
        budgets["disk_loss"] = 0
    return Faults(**budgets, staleness=part.choice("staleness", usual.staleness, STALENESS))


def _properties(spec: Part, known: Collection[str] | None) -> tuple[str, ...] | None:
    if spec.data.get("properties") is None:
        return None
    wanted: list[str] = []
    for path, text in spec.texts("properties"):
        if known is not None and text not in known:
            what = unknown_field(text, known).replace("field", f"property {found(text)}", 1)
            spec.problems.append(spec.document.problem(path, what))
        wanted.append(text)
    if not wanted and spec.data["properties"] == []:
        spec.say("properties", "found an empty list; leave it out to ask for all properties that apply")
    return tuple(dict.fromkeys(wanted))
