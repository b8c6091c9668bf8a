"""From files to a question: the objects that the cluster begins with, and the scenario.

``load`` reads manifests, dumps and at most one Scenario; ``load_documents`` does the same with the plain documents that
a trace holds.  Either everything is understood, or ``Unusable`` says all that is not, each with file, line and field.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from kythera.model.api.core.cluster import Namespace
from kythera.model.api.core.node import Node
from kythera.model.api.core.pod import Pod
from kythera.model.api.core.service import Service
from kythera.model.api.decode import Context
from kythera.model.control_plane.apiserver.patch import LAST_APPLIED, last_applied
from kythera.model.control_plane.apiserver.service_addresses import allocate
from kythera.model.node.kubelet.adoption import settled
from kythera.model.normalise import transform, uids_in
from kythera.model.record import Record, Uid
from kythera.model.record import replace as changed
from kythera.model.scenarios.conversion import from_version_1
from kythera.model.scenarios.events import Planned, manifest_text, targeted
from kythera.model.scenarios.kinds import IGNORED, MODELLED, SCENARIO, kind_problem
from kythera.model.scenarios.nodes import assumed_nodes, completed, scenario_nodes
from kythera.model.scenarios.notes import missing
from kythera.model.scenarios.objects import DEFAULT_NAMESPACE, Ignored, Item, admitted, decoded, present
from kythera.model.scenarios.owners import restored
from kythera.model.scenarios.question import Question, empty, question
from kythera.model.scenarios.scenario import Event, Scenario
from kythera.model.scenarios.settings import idle, standbys
from kythera.model.scenarios.source import Document, Problem, Unusable, files_in, from_data, read

__all__ = ["Ignored", "Loaded", "Problem", "Unusable", "load", "load_documents"]

OF_EVERY_CLUSTER = ("default", "kube-node-lease", "kube-public", "kube-system")


@dataclass(frozen=True, slots=True)
class Loaded:
    """A question, understood.

    ``objects`` are as the API server holds them, their uids the numbers from 0; ``ignored`` is what of the input
    the model does not act on, ``assumptions`` what was taken to be so where the input is silent.  ``documents``
    are the input as plain data that needs no other file.
    """

    objects: tuple[Record, ...]
    scenario: Scenario
    ignored: tuple[Ignored, ...] = ()
    assumptions: tuple[str, ...] = ()
    documents: tuple[dict[str, Any], ...] = ()


def load(paths: Sequence[Path], known_properties: Collection[str] | None = None) -> Loaded:
    """What the files and folders describe.

    ``known_properties`` are the names that a Scenario may ask for (``None``: any).  Raises ``Unusable``.
    """
    problems: list[Problem] = []
    documents: list[Document] = []
    try:
        files, problems = files_in(paths)
    except (OSError, ValueError) as error:
        raise Unusable([Problem(" ".join(map(str, paths)), 0, "", str(error))]) from None
    for file in files:
        more, wrong = read(file)
        documents += more
        problems += wrong
    if not documents and not problems:
        where = " ".join(map(str, paths)) or "the input"
        problems.append(Problem(where, 0, "", "holds no object; expected Kubernetes manifests"))
    return _Loader(documents, problems, known_properties, _name_of(paths)).loaded()


def load_documents(documents: Sequence[Any], known_properties: Collection[str] | None = None) -> Loaded:
    """The same from plain documents, as ``Loaded.documents`` holds them.  Raises ``Unusable``."""
    try:
        made = from_data(documents, "document")
    except (TypeError, ValueError, RecursionError) as error:
        raise Unusable([Problem("document", 0, "", f"no plain data: {error}")]) from None
    problems = [
        Problem("document", 0, "", f"expected an object, found {type(each.data).__name__}")
        for each in made
        if not isinstance(each.data, dict)
    ]
    made = [each for each in made if isinstance(each.data, dict)]
    return _Loader(made, problems, known_properties, "scenario").loaded()


def _name_of(paths: Sequence[Path]) -> str:
    """A name for a question that has none: that of its first file or folder."""
    try:
        stem = paths[0].resolve().stem.lower() if paths else ""
    except (OSError, RuntimeError):  # a link that leads to itself, of which more is said elsewhere
        stem = paths[0].stem.lower()
    return re.sub("[^a-z0-9]+", "-", stem).strip("-")[:60].strip("-") or "scenario"


@dataclass
class _Loader:
    """The steps, in order; problems gather until the end."""

    documents: Sequence[Document]
    problems: list[Problem]
    known_properties: Collection[str] | None
    name: str
    ignored: list[Ignored] = field(default_factory=list)
    assumptions: list[str] = field(default_factory=list)
    context: Context = field(default_factory=Context)
    not_read: list[Document] = field(default_factory=list)

    def loaded(self) -> Loaded:
        """All of it."""
        manifests = [document for document in self.documents if document.data.get("kind") != SCENARIO]
        asked = self.asked()
        self.context = Context(present(manifests))
        items = self.decoded(manifests)
        for part in asked.nodes:
            items += self.decoded(scenario_nodes(part, self.assumptions))
        completed(items, self.assumptions)
        items = self.without_duplicates(items)
        later = self.applied(asked)
        if not any(isinstance(item.obj, Node) for item in items) and not self.problems:
            intended = self.events(asked, items, later, is_final=False)
            items += self.decoded(assumed_nodes(items, [i for _, i in later], intended, self.assumptions))
        events = self.events(asked, items, later, is_final=True)
        admitted(items, self.problems)
        self.judge_applied(items, later)
        if not self.problems and not items and not later:
            self.problems.append(Problem("the input", 0, "", "holds nothing that the model acts on"))
        if self.problems:
            raise Unusable(_in_order(self.problems))
        items = self.completed(items, events)
        if self.problems:
            raise Unusable(_in_order(self.problems))
        running = sum(isinstance(item.obj, Pod) and item.obj.status.phase == "Running" for item in items)
        if running:
            self.assumptions.append(
                f"{running} pods run already: their statuses were taken over in the words of the model's kubelets"
            )
        self.assumptions += missing(items, [item for _, item in later], asked.scenario.schedulers)
        self.assumptions += standbys(asked.scenario)
        kinds = {type(item.obj).__name__ for item in (*items, *(item for _, item in later))}
        self.assumptions += idle(replace(asked.scenario, events=events), kinds)
        return Loaded(
            _numbered(items),
            replace(asked.scenario, events=events),
            tuple(self.ignored),
            tuple(dict.fromkeys(self.assumptions)),
            (*(document.data for document in manifests), _embedded(asked)),
        )

    def asked(self) -> Question:
        """The Scenario, of which there is at most one."""
        found = [document for document in self.documents if document.data.get("kind") == SCENARIO]
        for other in found[1:]:
            text = f"a second Scenario; expected one at most, and the first is in {found[0].file}:{found[0].line(())}"
            self.problems.append(other.problem((), text))
        wrong = [problem for document in found[:1] if (problem := kind_problem(document)) is not None]
        self.problems += wrong
        if not found or wrong:
            return Question(Scenario(self.name), document=empty(self.name))
        return question(found[0], self.problems, self.known_properties)

    def decoded(self, documents: Sequence[Document]) -> list[Item]:
        """The objects of modelled kinds; the others are noted as ignored or as problems."""
        items: list[Item] = []
        for document in documents:
            problem = kind_problem(document)
            kind = str(document.data.get("kind"))
            if problem is not None:
                self.problems.append(problem)
                self.not_read.append(document)
            elif kind in IGNORED:
                self.ignored.append(Ignored(document.file, document.line(()), document.name, "", IGNORED[kind]))
            elif kind == SCENARIO:
                self.problems.append(document.problem((), "a Scenario among the objects that an event applies"))
            else:
                as_served = from_version_1(document, self.ignored)
                item = decoded(as_served, MODELLED[kind], self.context, self.problems, self.ignored)
                if item is not None:
                    items.append(item)
                else:
                    self.not_read.append(document)
        return items

    def may_be_there(self, has_nodes: bool) -> Callable[[str, str], bool]:
        """Whether an object of some kind and name may be one that could not be read, for all that is known.

        A whole file may be unreadable; of an object that is not understood the name may be; and nodes are assumed or
        made only where all is well with what says how they are.
        """
        # what is wrong with a file as a whole has no field, or is said of the event that applies it
        files = any(not each.field or each.field.endswith(".apply") for each in self.problems)
        nodes = bool(self.problems) and (not has_nodes or any("spec.nodes" in each.field for each in self.problems))
        names = {_name_in(document) for document in self.not_read}

        def may_be(kind: str, name: str) -> bool:
            return files or name in names or None in names or (kind == "Node" and nodes)

        return may_be

    def without_duplicates(self, items: Sequence[Item]) -> list[Item]:
        """Each object once; a second one of the same name, or with the same uid, is a problem."""
        first: dict[Any, Item] = {}
        for item in items:
            for key, what in ((item.key, "name"), (item.meta.uid, "uid")):
                if key is None or (what == "name" and not item.meta.name):
                    continue
                there = first.setdefault(key, item)
                if there is not item:
                    place = there.document
                    where = f"{place.file}:{place.line(('metadata', what))}".removesuffix(":0")
                    text = f"a second {item.label}; the first is in {where}, and names must differ"
                    if what == "uid":
                        text = f"{there.label} in {where} has the same uid"
                    self.problems.append(item.document.problem(("metadata", what), text))
                    break
        return [item for item in items if first.get(item.key, item) is item]

    def applied(self, asked: Question) -> list[tuple[Planned, Item]]:
        """The objects that events apply, each with its event."""
        found: list[tuple[Planned, Item]] = []
        for plan in asked.events:
            seen: set[tuple[str, str, str]] = set()
            for item in self.decoded(plan.documents):
                if not item.meta.name:
                    self.problems.append(item.document.problem(("metadata",), "there is no name, which apply needs"))
                elif item.key in seen:
                    text = f"a second {item.label} in the same event; names must differ"
                    self.problems.append(item.document.problem(("metadata", "name"), text))
                else:
                    seen.add(item.key)
                    found.append((plan, item))
        return found

    def events(
        self, asked: Question, items: Sequence[Item], later: Sequence[tuple[Planned, Item]], is_final: bool
    ) -> tuple[Event, ...]:
        """The events, with targets that exist and manifests as texts.

        A target that is not there is a problem only if ``is_final``, and if it can be none that could not be read.
        """
        unsure = self.may_be_there(any(isinstance(item.obj, Node) for item in items))
        now = {item.key: item for item in items}
        implied = {item.meta.namespace: item for item in items if item.meta.namespace not in ("", *OF_EVERY_CLUSTER)}
        now = {**{("Namespace", "", name): item for name, item in implied.items()}, **now}
        then = {item.key: item for _, item in later}
        made: list[Event] = []
        for plan in asked.events:
            before = len(self.problems)
            event = targeted(plan, now, then, unsure)
            if not is_final:
                del self.problems[before:]
            texts = tuple(manifest_text(i.document, i.meta.namespace) for other, i in later if other is plan)
            made.append(changed(event, manifests=texts))
        return tuple(made)

    def judge_applied(self, items: Sequence[Item], later: Sequence[tuple[Planned, Item]]) -> None:
        """Validate what events apply anew, and remember beside what is there how it was applied first.

        A manifest for an object that exists may be a part of one: the API server judges what comes of it.
        """
        there = {item.key: item for item in items}
        fresh = [item for _, item in later if item.key not in there]
        classes = [item for item in items if type(item.obj).__name__ == "PriorityClass"]
        admitted([*classes, *(Item(item.document, item.obj) for item in fresh)], self.problems)
        for _, item in later:
            target = there.get(item.key)
            if target is None or LAST_APPLIED in target.meta.annotations or target.is_from_cluster:
                continue
            data = {**target.document.data, "metadata": {**target.document.data["metadata"]}}
            if target.meta.namespace:
                data["metadata"]["namespace"] = target.meta.namespace
            annotations = target.meta.annotations.set(LAST_APPLIED, last_applied(data))
            target.obj = changed(target.obj, metadata=changed(target.meta, annotations=annotations))

    def completed(self, items: list[Item], events: Sequence[Event]) -> list[Item]:
        """The objects in the order of the input, then what it lacks: namespaces, addresses, owners, statuses."""
        items = [*items, *self.namespaces(items, events)]
        services: list[Service] = []
        for item in items:
            if isinstance(item.obj, Service):
                item.obj = allocate(item.obj, services)
                services.append(item.obj)
        self.with_uids(items)
        more = restored(items, self.assumptions)
        admitted(more, self.problems)
        return [*items, *more]

    def with_uids(self, items: Sequence[Item]) -> None:
        """Give every object a uid, beside those that the documents speak of."""
        fresh = len(self.context.uids)
        for item in items:
            if item.meta.uid is None:
                item.obj = changed(item.obj, metadata=changed(item.meta, uid=Uid(fresh)))
                fresh += 1

    def namespaces(self, items: Sequence[Item], events: Sequence[Event]) -> list[Item]:
        """Namespaces that objects are in and no document holds.

        The API server looks at namespaces only if there are any; then those of every cluster are among them.
        """
        used = {item.meta.namespace for item in items} - {""}
        applied = (json.loads(text) for event in events for text in event.manifests)
        used |= {manifest["metadata"].get("namespace", "") for manifest in applied} - {""}
        there = {item.meta.name for item in items if isinstance(item.obj, Namespace)}
        wanted = sorted(used - there - set(OF_EVERY_CLUSTER))
        for name in wanted:
            self.assumptions.append(f"namespace {name} is not in the input: it was made")
        if wanted or there:
            wanted = sorted({*wanted, *(used & set(OF_EVERY_CLUSTER) - there), DEFAULT_NAMESPACE} - there)
        made = self.decoded(
            [Document("", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}) for name in wanted]
        )
        admitted(made, self.problems)
        return made


def _name_in(document: Document) -> str | None:
    """The name that is written in a document, or ``None``."""
    meta = document.data.get("metadata")
    name = meta.get("name") if isinstance(meta, dict) else None
    return name if isinstance(name, str) else None


def _numbered(items: Sequence[Item]) -> tuple[Record, ...]:
    """The objects with the uids 0, 1, ... in their order, and larger ones for objects that are not there.

    The statuses of pods that run already are as their kubelets report them.
    """
    numbers: dict[int, int] = {}
    for item in items:
        numbers.setdefault(int(item.meta.uid or 0), len(numbers))
    for item in items:
        for uid in sorted(uids_in(item.obj) - set(numbers)):
            numbers[uid] = len(numbers)

    def leaf(kind: Any, old: Any, _: str) -> Any:
        return Uid(numbers[old]) if kind is Uid else old

    objects: list[Any] = [transform(item.obj, leaf) for item in items]
    statuses = settled([obj for obj in objects if isinstance(obj, Pod)])
    return tuple(
        changed(obj, status=statuses[obj.metadata.uid])
        if isinstance(obj, Pod) and obj.metadata.uid in statuses
        else obj
        for obj in objects
    )


def _embedded(asked: Question) -> dict[str, Any]:
    """The Scenario as plain data that needs no other file."""
    data = asked.document.data
    if not asked.events:
        return data
    spec = {**data["spec"], "events": [plan.embedded() for plan in asked.events]}
    return {**data, "spec": spec}


def _in_order(problems: Sequence[Problem]) -> list[Problem]:
    """Each problem once, by file and line."""
    files = {problem.file: n for n, problem in reversed(list(enumerate(problems)))}
    order: Callable[[Problem], tuple[int, int]] = lambda problem: (files[problem.file], problem.line)  # noqa: E731
    return sorted(dict.fromkeys(problems), key=order)
