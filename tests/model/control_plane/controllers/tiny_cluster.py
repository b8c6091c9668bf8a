"""A cluster in a few lines, for tests of single controllers: a store, a kubelet that succeeds, and time."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from kythera.model.api.core.pod import Pod
from kythera.model.api.meta import Condition
from kythera.model.api.pods import is_active, is_ready, is_terminating
from kythera.model.controller import Controller, Reply, Step
from kythera.model.record import Age, Record, replace
from kythera.model.request import Create, Delete, Ref, Request, Update
from kythera.model.view import View, view

READY = Condition("Ready", "True", last_transition_time=Age(0))


class TinyCluster:
    """Objects, and the controllers that look after them; everybody sees the present."""

    def __init__(self, *controllers: Controller, lingering: bool = False) -> None:
        self.controllers = controllers
        self.locals = {each.name: each.initial for each in controllers}
        self.objects: list[Any] = []
        self.lingering = lingering
        """Whether a deleted pod stays until ``bury`` is called."""
        self.refusal: Callable[[Request], Reply | None] = lambda request: None
        self.log: list[str] = []
        self._uids = 0

    def view(self) -> View:
        """What everybody sees."""
        kinds: dict[str, list[Record]] = {"Deployment": [], "ReplicaSet": [], "Pod": []}
        for obj in self.objects:
            kinds[type(obj).__name__].append(obj)
        return view(**{kind: tuple(found) for kind, found in kinds.items()})

    def add(self, obj: Any) -> Any:
        """Store an object as a user would."""
        self._uids += 1
        generation = 0 if isinstance(obj, Pod) else 1
        made = replace(obj, metadata=replace(obj.metadata, uid=self._uids, generation=generation))
        self.objects.append(made)
        return made

    def change(self, kind: type[Any], name: str, **spec: Any) -> None:
        """Change fields of an object's spec as a user would."""
        old = self.get(kind, name)
        self.handle(Update(replace(old, spec=replace(old.spec, **spec))))

    def get(self, kind: type[Any], name: str) -> Any:
        """The object of that name."""
        found = self.view().get(kind, "default", name)
        assert found is not None, f"no {kind.__name__} {name}"
        return found

    def pods(self, ready: bool = False) -> list[Pod]:
        """The active pods, or only those that are ready."""
        return [each for each in self.view().list(Pod) if is_active(each) and (is_ready(each) or not ready)]

    def _index(self, ref: Ref) -> int | None:
        for index, obj in enumerate(self.objects):
            same = obj.metadata.name == ref.name if ref.name else obj.metadata.uid == ref.uid
            if type(obj).__name__ == ref.kind and same and ref.uid in (None, obj.metadata.uid):
                return index
        return None

    def handle(self, request: Request) -> Reply:
        """What the API server does with a request."""
        refused = self.refusal(request)
        if refused is not None:
            return refused
        if isinstance(request, Create):
            metadata: Any = request.object.metadata  # type: ignore[attr-defined]
            kind = type(request.object).__name__
            if metadata.name and self._index(Ref(kind, metadata.namespace, metadata.name)) is not None:
                return Reply(409, "AlreadyExists", "it exists")
            return Reply(201, object=self.add(request.object))
        if isinstance(request, Update):
            new: Any = request.object
            index = self._index(Ref(type(new).__name__, "default", new.metadata.name, new.metadata.uid))
            if index is None:
                return Reply(404, "NotFound")
            old = self.objects[index]
            if request.subresource == "status":
                annotations = new.metadata.annotations
                metadata = replace(old.metadata, annotations=annotations)
                self.objects[index] = replace(old, metadata=metadata, status=new.status)
            else:
                changed = new.spec != old.spec and not isinstance(new, Pod)
                metadata = replace(new.metadata, generation=old.metadata.generation + changed)
                self.objects[index] = replace(new, metadata=metadata, status=old.status)
            return Reply(200)
        if isinstance(request, Delete):
            index = self._index(request.ref)
            if index is None:
                return Reply(404, "NotFound")
            old = self.objects[index]
            if self.lingering and isinstance(old, Pod):
                self.objects[index] = replace(old, metadata=replace(old.metadata, deletion_timestamp=Age(0)))
            else:
                del self.objects[index]
            return Reply(200)
        raise NotImplementedError(request)

    def run_pods(self) -> None:
        """Every active pod runs and is ready."""
        for index, obj in enumerate(self.objects):
            if isinstance(obj, Pod) and is_active(obj) and not is_ready(obj):
                self.objects[index] = replace(obj, status=replace(obj.status, phase="Running", conditions=(READY,)))

    def bury(self) -> None:
        """Every pod that is being deleted is gone."""
        self.objects = [obj for obj in self.objects if not (isinstance(obj, Pod) and is_terminating(obj))]

    def steps(self) -> Iterable[tuple[Controller, Ref, Step]]:
        """What each controller would do with each of its keys, taking the first of several choices."""
        for each in self.controllers:
            for key in each.keys(self.view()):
                yield each, key, next(iter(each.reconcile(self.locals[each.name], self.view(), key)))

    def take(self, controller: Controller, key: Ref, step: Step) -> bool:
        """Carry out a step; whether anything has changed."""
        was = (list(self.objects), dict(self.locals))
        self.locals[controller.name] = step.local
        for request in step.requests:
            before = self.view()
            reply = self.handle(request)
            local = controller.replied(self.locals[controller.name], key, request, reply)
            self.locals[controller.name] = local
            for each in self.controllers:
                self.locals[each.name] = each.observe(self.locals[each.name], before, self.view())
            if not reply.ok:
                break
        self.log.append(f"{controller.name}: {step.why}")
        return was != (self.objects, self.locals)

    def look_after_all(self, after_each: Callable[[], None] = lambda: None) -> bool:
        """Let every controller look after each of its keys once; whether anything has changed."""
        changed = False
        for each in self.controllers:
            for key in each.keys(self.view()):
                changed |= self.take(each, key, next(iter(each.reconcile(self.locals[each.name], self.view(), key))))
                after_each()
        return changed

    def settle(self, after_each: Callable[[], None] = lambda: None, limit: int = 200) -> None:
        """Let the controllers and the kubelet work until nothing changes; then all must be silent."""
        for _ in range(limit):
            changed = self.look_after_all(after_each)
            before = list(self.objects)
            self.run_pods()
            after_each()
            if not changed and self.objects == before:
                break
        else:
            raise AssertionError("no rest after " + "; ".join(self.log[-10:]))
        for controller, _, step in self.steps():
            assert step.requests == (), f"{controller.name} goes on: {step}"
            assert step.local == self.locals[controller.name]

    def pass_time(self, seconds: int) -> None:
        """Let the conditions of all objects grow older."""

        def older(each: Condition) -> Condition:
            def grown(age: Age | None) -> Age | None:
                return None if age is None else Age(age + seconds)

            return replace(
                each,
                last_transition_time=grown(each.last_transition_time),
                last_update_time=grown(each.last_update_time),
            )

        for index, obj in enumerate(self.objects):
            conditions = tuple(older(each) for each in obj.status.conditions)
            self.objects[index] = replace(obj, status=replace(obj.status, conditions=conditions))
