"""What users do, as a Scenario tells it: each event with its name, what it waits for, and the manifests it applies."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kythera.model.control_plane.apiserver.resources import RESOURCES
from kythera.model.environment.users import KINDS
from kythera.model.record import Map, replace
from kythera.model.scenarios.fields import Part, found
from kythera.model.scenarios.scenario import CONNECT, Event
from kythera.model.scenarios.source import Document, Path_, Problem, files_in, read

VERBS = ("apply", "scale", "drain", "delete", "cordon", "uncordon", CONNECT)
SCALABLE = ("Deployment", "ReplicaSet")
ON_NODES = ("drain", "cordon", "uncordon")
OUTSIDE = "outside"
OF_VERB = {"scale": ("replicas",), "delete": ("cascade", "gracePeriod", "force"), CONNECT: ("from", "port")}
"""Fields that only events with some verb have."""

CASCADES = ("background", "foreground", "orphan")


@dataclass(frozen=True, slots=True)
class Planned:
    """An event as it was read: ``documents`` are what it applies, not yet checked."""

    part: Part
    event: Event
    documents: tuple[Document, ...] = ()

    def embedded(self) -> dict[str, Any]:
        """The event as plain data that needs no other file."""
        data = {**self.part.data, "name": self.event.name}
        if self.event.verb == "apply":
            data["apply"] = [document.data for document in self.documents]
        return data


def planned(spec: Part) -> tuple[Planned, ...]:
    """The events of a Scenario; references between them are checked here, targets later."""
    made: list[Planned] = []
    for part in spec.parts("events"):
        more = [field for verb, fields in OF_VERB.items() if verb in part.data for field in fields]
        part.only("name", "after", "namespace", *VERBS, *more)
        verbs = [verb for verb in VERBS if verb in part.data]
        if len(verbs) != 1:
            what = f"found {' and '.join(verbs)}" if verbs else "it does nothing"
            part.say(None, f"{what}; expected exactly one of {', '.join(VERBS)}")
            continue
        made.append(_event(part, verbs[0], [each.event.name for each in made]))
    _check_order(made)
    return tuple(made)


def _event(part: Part, verb: str, others: Sequence[str]) -> Planned:
    documents: tuple[Document, ...] = ()
    target, replicas = "", 0
    if verb == "apply":
        target, documents = _manifests(part)
    else:
        usual = "service/web" if verb == CONNECT else "deployment/web"
        what = "a node's name" if verb in ON_NODES else f"kind/name, such as {usual}"
        target = part.text(verb, what=what)
        if not target and part.data.get(verb) is None:
            part.expected(verb, what)
    if verb == "scale":
        if "replicas" not in part.data:
            part.say(None, "it has no replicas; expected a whole number from 0")
        replicas = part.whole("replicas", 0)
    given = part.text("name")
    name = given or _unique(f"{verb} {target}".strip(), others)
    if given in others:
        part.say("name", f"a second event {found(given)}; names must differ")
    after = tuple(dict.fromkeys(text for _, text in part.texts("after", alone=True)))
    event = Event(
        name, verb, "" if verb == "apply" else target, part.text("namespace", "default"), replicas, after=after
    )
    if verb == "delete":
        event = replace(event, cascade=part.choice("cascade", "background", CASCADES), grace_period=_grace_period(part))
    return Planned(part, _connection(part, event) if verb == CONNECT else event, documents)


def _grace_period(part: Part) -> int | None:
    """The seconds that a deletion asks for, ``None`` if it leaves them to the object.

    0 is at once and needs ``force``, without which it becomes 1, as with ``kubectl delete --grace-period=0``.
    Source: staging/src/k8s.io/kubectl/pkg/cmd/delete/delete.go DeleteOptions.Complete, Validate.
    """
    force, given = part.data.get("force"), part.data.get("gracePeriod")
    if force not in (None, True, False):
        part.expected("force", "true or false")
    seconds = None if given is None else part.duration("gracePeriod", 1)
    if force is True:
        if seconds:
            part.say("gracePeriod", f"found {found(given)} with force; expected 0, or no force")
        return 0
    return 1 if seconds == 0 else seconds


def _connection(part: Part, event: Event) -> Event:
    """The event with where its client is, and the port as it is given: a name or a number."""
    if isinstance(part.data.get("from"), dict):
        clients = part.labels("from")
        if not clients:
            part.say("from", "there is nothing in it; expected labels of pods, such as {app: shop}")
        event = replace(event, clients=Map(clients))
    else:
        source = part.text("from", what="a node's name, outside, or labels of pods")
        event = replace(event, source="" if source == OUTSIDE else source, outside=source == OUTSIDE)
    port = part.data.get("port")
    if port is not None and (isinstance(port, bool) or not isinstance(port, (int, str)) or port == ""):
        part.expected("port", "the name or number of a port of the Service")
        port = None
    return replace(event, port="" if port is None else str(port))


def _unique(name: str, others: Sequence[str]) -> str:
    """A name for an event that has none."""
    number, made = 1, name
    while made in others:
        number += 1
        made = f"{name} ({number})"
    return made


def _manifests(part: Part) -> tuple[str, tuple[Document, ...]]:
    """The objects that an event applies: those of a file or folder beside the Scenario, or written in place."""
    given = part.data["apply"]
    if isinstance(given, list):
        documents = []
        for i, item in enumerate(given):
            path: Path_ = (*part.path, "apply", i)
            if isinstance(item, dict):
                documents.append(Document(part.document.file, item, lines_below(part.document, path)))
            else:
                text = f"expected an object, found {found(item)}"
                part.problems.append(part.document.problem(path, text))
        if not given:
            part.expected("apply", "a file's name, or objects")
        return "", tuple(documents)
    name = part.text("apply", what="a file's name, or a list of objects")
    if not name:
        if given is None:
            part.expected("apply", "a file's name, or a list of objects")
        return "", ()
    path_of = Path(part.document.file).parent / name
    try:
        files, problems = files_in([path_of])
    except (OSError, ValueError) as error:
        files, problems = [], [Problem(str(path_of), 0, "", str(error))]
    for problem in problems:
        part.say("apply", f"{problem.file}: {problem.text}")
    documents = []
    before = len(part.problems)
    for file in files:
        more, problems = read(file)
        documents += more
        part.problems.extend(problems)
    if files and not documents and len(part.problems) == before:
        part.say("apply", f"{path_of} holds no object")
    return name, tuple(documents)


def lines_below(document: Document, path: Path_) -> dict[Path_, int]:
    """The lines of a part of a document, as those of a document of its own."""
    size = len(path)
    found_lines = {place[size:]: line for place, line in document.lines.items() if place[:size] == path}
    found_lines.setdefault((), document.line(path))
    return found_lines


def _check_order(events: Sequence[Planned]) -> None:
    """Every event must wait for events that there are, and none for itself."""
    waits = {each.event.name: each.event.after for each in events}
    for each in events:
        for name in each.event.after:
            if name not in waits:
                known = ", ".join(other for other in waits if other != each.event.name) or "none"
                each.part.say("after", f"there is no event {found(name)}; the others are {known}")
        if _reaches(each.event.name, waits):
            each.part.say("after", f"the event {found(each.event.name)} waits for itself")


def _reaches(name: str, waits: Mapping[str, Sequence[str]]) -> bool:
    seen: set[str] = set()
    ahead = list(waits[name])
    while ahead:
        other = ahead.pop()
        if other == name:
            return True
        if other not in seen:
            seen.add(other)
            ahead += waits.get(other, ())
    return False


def targeted(
    plan: Planned,
    present: Mapping[tuple[str, str, str], object],
    later: Mapping[tuple[str, str, str], object],
    unsure: Callable[[str, str], bool] = lambda kind, name: False,
) -> Event:
    """The event with its namespace and manifests; a target that nobody has made or applies is a problem.

    ``present`` and ``later``: the objects of the manifests and of all apply events, by kind, namespace and name.
    ``unsure`` says whether an object that is not among them may be one that could not be read, of which all that is
    wrong was said already.
    """
    event, part = plan.event, plan.part
    if event.verb == "apply" or not event.target:
        return event
    everything = {**present, **later}
    if event.verb in ON_NODES:
        name = event.target.removeprefix("node/").removeprefix("nodes/")
        if ("Node", "", name) not in everything and not unsure("Node", name):
            nodes = ", ".join(n for kind, _, n in everything if kind == "Node") or "none"
            part.say(event.verb, f"there is no node {found(name)}; the nodes are {nodes}")
        return replace(event, target=name)
    short, slash, name = event.target.partition("/")
    kind = KINDS.get(short.lower(), KINDS.get(short.lower().removesuffix("s"), ""))
    if not slash or not name or not kind:
        part.expected(event.verb, f"kind/name, the kind one of {', '.join(sorted(set(KINDS.values())))}")
        return event
    if event.verb == "scale" and kind not in SCALABLE:
        part.expected(event.verb, "deployment/name or replicaset/name")
        return event
    if event.verb == CONNECT and kind != "Service":
        part.expected(event.verb, "service/name")
        return event
    namespace = _namespace_of(kind, name, event.namespace, "namespace" in part.data, everything)
    if namespace is None and unsure(kind, name):
        return event
    if namespace is None:
        others = ", ".join(n for k, _, n in everything if k == kind) or "none"
        where = f" in namespace {event.namespace}" if RESOURCES[kind].namespaced else ""
        part.say(event.verb, f"there is no {kind} {found(name)}{where}; there are: {others}")
        return event
    event = replace(event, target=f"{kind}/{name}", namespace=namespace)
    return _to_a_port(part, event, everything, unsure) if event.verb == CONNECT else event


def _to_a_port(
    part: Part, event: Event, everything: Mapping[tuple[str, str, str], Any], unsure: Callable[[str, str], bool]
) -> Event:
    """The connection with its Service's port by name; a source or a port that is not there is a problem."""
    source = event.source.removeprefix("node/").removeprefix("nodes/")
    if source and ("Node", "", source) not in everything and not unsure("Node", source):
        nodes = ", ".join(n for kind, _, n in everything if kind == "Node") or "none"
        part.say("from", f"there is no node {found(source)}; the nodes are {nodes}")
    service = everything["Service", event.namespace, event.target.partition("/")[2]].obj
    if event.outside and service.spec.type not in ("NodePort", "LoadBalancer"):
        part.say("from", "nobody outside reaches a Service whose type is neither NodePort nor LoadBalancer")
    if service.spec.type == "ExternalName" or service.spec.cluster_ip == "None":
        part.say(CONNECT, "its clients connect to what its name stands for; only a Service with an address is modelled")
        return event
    ports = {text: each.name for each in service.spec.ports for text in (str(each.port), each.name) if text}
    if not event.port and len(service.spec.ports) > 1:
        part.say(None, f"the Service has several ports; expected a port, one of {', '.join(ports)}")
    elif event.port and event.port not in ports:
        part.say("port", f"the Service has no port {found(event.port)}; its ports are {', '.join(ports)}")
    name = ports.get(event.port, service.spec.ports[0].name if service.spec.ports else "")
    return replace(event, source=source, port=name)


def _namespace_of(
    kind: str, name: str, namespace: str, is_given: bool, objects: Mapping[tuple[str, str, str], object]
) -> str | None:
    """The namespace that is meant: the one that is given, or else the only one that holds such an object."""
    if (kind, namespace, name) in objects or (kind, "", name) in objects:
        return namespace
    others = [place for k, place, n in objects if (k, n) == (kind, name)]
    return others[0] if len(others) == 1 and not is_given else None


def manifest_text(document: Document, namespace: str) -> str:
    """An applied object as the event carries it: JSON, with its namespace (empty: it has none)."""
    data = {**document.data, "metadata": dict(document.data["metadata"])}
    if namespace:
        data["metadata"]["namespace"] = namespace
    return json.dumps(data, sort_keys=True)
