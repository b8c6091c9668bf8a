"""From files to what the model starts from: objects that the API server would hold, and the scenario.

``load`` reads files, ``load_documents`` the plain documents that a trace carries.  Whatever is wrong is said at once,
one line for each problem, in ``Unusable``.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kythera.model.api.core.cluster import Namespace
from kythera.model.api.core.node import Node
from kythera.model.api.decode import Context
from kythera.model.control_plane.apiserver.defaulting import default
from kythera.model.control_plane.apiserver.resources import RESOURCES
from kythera.model.normalise import Renaming, rename
from kythera.model.record import Map, Record, Uid, replace
from kythera.model.scenarios.events import manifest_text, targeted
from kythera.model.scenarios.kinds import IGNORED, MODELLED, SCENARIO, kind_problem
from kythera.model.scenarios.nodes import assumed_nodes, completed, scenario_nodes
from kythera.model.scenarios.objects import Ignored, Item, admitted, decoded, present
from kythera.model.scenarios.owners import restored
from kythera.model.scenarios.question import Question, empty, question
from kythera.model.scenarios.scenario import Event, Scenario
from kythera.model.scenarios.source import Document, Problem, Unusable, files_in, from_data, read

__all__ = ["Ignored", "Loaded", "Unusable", "load", "load_documents"]


@dataclass(frozen=True, slots=True)
class Loaded:
    """An input that can be used.

    ``objects`` have uids from 0 on.  ``documents`` are the whole input as plain data: loaded again they give the same.
    """

    objects: tuple[Record, ...]
    scenario: Scenario
    ignored: tuple[Ignored, ...]
    assumptions: tuple[str, ...]
    documents: tuple[Mapping[str, Any], ...]


def load(paths: Sequence[Path], known_properties: Collection[str] | None = None) -> Loaded:
    """What files and folders say; ``Unusable`` lists everything that is wrong with them."""
    files, problems = files_in(paths)
    documents: list[Document] = []
    for file in files:
        found, wrong = read(file)
        documents += found
        problems += wrong
    if not documents and not problems:
        problems.append(Problem(", ".join(map(str, paths)), 0, "", "there is no object in it"))
    name = paths[0].stem if len(paths) == 1 else "scenario"
    return _loaded(documents, problems, known_properties, name)


def load_documents(documents: Sequence[Any], known_properties: Collection[str] | None = None) -> Loaded:
    """What the documents of a trace say."""
    return _loaded(from_data(documents, "trace"), [], known_properties, "scenario")


def _loaded(
    documents: Sequence[Document], problems: list[Problem], known_properties: Collection[str] | None, name: str
) -> Loaded:
    ignored: list[Ignored] = []
    assumptions: list[str] = []
    asked = _question(documents, problems, known_properties, name)
    instant = present([*documents, *(d for plan in asked.events for d in plan.documents)])
    context = Context(instant)
    items = _items(documents, context, problems, ignored)
    for part in asked.nodes:
        items += _items(scenario_nodes(part, assumptions), context, problems, ignored)
    later = [item for plan in asked.events for item in _items(plan.documents, context, problems, ignored)]
    for item in later:
        item.is_applied = True
    _stop(problems)

    for item in (*items, *later):
        item.obj = default(item.obj)
    if not any(isinstance(item.obj, Node) for item in items):
        plans = [plan.event for plan in asked.events]
        items += _items(assumed_nodes(items, later, plans, assumptions), context, problems, ignored)
    items += _namespaces(items, assumptions)
    _check_twice(items, problems)
    completed(items, assumptions)
    admitted(items, problems)
    admitted(later, problems)
    _number(items, context)
    items += restored(items, assumptions)
    here, there = ({item.key: item for item in some} for some in (items, later))
    events = tuple(_event(targeted(plan, here, there), plan.documents, later) for plan in asked.events)
    _stop(problems)
    scenario = replace(asked.scenario, events=events)
    objects = _compact([item.obj for item in items])
    return Loaded(objects, scenario, tuple(ignored), tuple(dict.fromkeys(assumptions)), _plain(documents, asked))


def _question(
    documents: Sequence[Document], problems: list[Problem], known: Collection[str] | None, name: str
) -> Question:
    scenarios = [document for document in documents if document.data.get("kind") == SCENARIO]
    for extra in scenarios[1:]:
        first = scenarios[0]
        problems.append(extra.problem((), f"a second Scenario; the first is in {first.file}, line {first.line(())}"))
    return question(scenarios[0] if scenarios else empty(_valid(name)), problems, known)


def _valid(name: str) -> str:
    kept = "".join(c if c.isascii() and (c.isalnum() or c == "-") else "-" for c in name.lower()).strip("-")
    return kept or "scenario"


def _items(
    documents: Sequence[Document], context: Context, problems: list[Problem], ignored: list[Ignored]
) -> list[Item]:
    """The objects of documents; those that the model does not act on are listed, those that it cannot take refused."""
    found = []
    for document in documents:
        kind = document.data.get("kind")
        wrong = kind_problem(document)
        if wrong is not None:
            problems.append(wrong)
        elif kind in IGNORED:
            ignored.append(Ignored(document.file, document.line(()), document.name, "", IGNORED[str(kind)]))
        elif kind in MODELLED:
            item = decoded(document, MODELLED[str(kind)], context, problems, ignored)
            if item is not None:
                found.append(item)
    return found


def _namespaces(items: Sequence[Item], assumptions: list[str]) -> list[Item]:
    """Namespaces that objects are in and nobody has written down, where any is written down or meant."""
    there = {item.meta.name for item in items if isinstance(item.obj, Namespace)}
    used = {item.meta.namespace for item in items} - {""}
    missing = sorted(used - there)
    if not there and missing in ([], ["default"]):
        return []
    made = []
    for name in missing:
        data = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}, "status": {"phase": "Active"}}
        document = Document("", data)
        item = decoded(document, Namespace, Context(), [], [])
        assert item is not None
        made.append(item)
        if name != "default" and not name.startswith("kube-"):
            assumptions.append(f"namespace {name} was assumed to exist")
    return made


def _check_twice(items: Sequence[Item], problems: list[Problem]) -> None:
    seen: dict[tuple[str, str, str], Item] = {}
    for item in items:
        if not item.meta.name:
            if not item.meta.generate_name:
                problems.append(
                    item.document.problem(("metadata", "name"), "there is none; expected the object's name")
                )
            continue
        first = seen.setdefault(item.key, item)
        if first is not item:
            where = f"{first.document.file}, line {first.document.line(())}"
            problems.append(item.document.problem(("metadata", "name"), f"{item.label} is there already: {where}"))


def _number(items: Sequence[Item], context: Context) -> None:
    """Give a uid to every object that has none."""
    taken = set(context.uids.values())
    fresh = (n for n in range(len(taken) + len(items) + 1) if n not in taken)
    for item in items:
        if item.meta.uid is None:
            item.obj = replace(item.obj, metadata=replace(item.meta, uid=Uid(next(fresh))))


def _compact(objects: Sequence[Any]) -> tuple[Record, ...]:
    """The objects with the smallest uids, in an order that the input alone decides."""
    order: dict[int, None] = dict.fromkeys(obj.metadata.uid for obj in objects)
    renaming = Renaming(Map({str(old): new for new, old in enumerate(order) if old != new}))
    return tuple(rename(obj, renaming) for obj in objects)


def _event(event: Event, documents: Sequence[Document], later: Sequence[Item]) -> Event:
    """An apply event with its manifests as text."""
    if event.verb != "apply":
        return event
    texts = []
    for item in later:
        if item.document in documents:
            namespaced = RESOURCES[type(item.obj).__name__].namespaced
            texts.append(manifest_text(item.document, item.meta.namespace if namespaced else ""))
    return replace(event, manifests=tuple(texts))


def _plain(documents: Sequence[Document], asked: Question) -> tuple[Mapping[str, Any], ...]:
    """The input as plain data that needs no other file."""
    found = []
    for document in documents:
        data = document.data
        if data.get("kind") == SCENARIO and asked.events:
            spec = {**data["spec"], "events": [plan.embedded() for plan in asked.events]}
            data = {**data, "spec": spec}
        found.append(json.loads(json.dumps(data, default=str)))
    if not any(data.get("kind") == SCENARIO for data in found):
        found.append(json.loads(json.dumps(asked.document.data)))
    return tuple(found)


def _stop(problems: Sequence[Problem]) -> None:
    if problems:
        ordered = sorted(set(problems), key=lambda each: (each.file, each.line, each.field, each.text))
        raise Unusable(ordered)
