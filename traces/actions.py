"""The catalogue of actions: what can happen in the model, by component, from the docstrings of what does it.

The rules of the environment are listed one by one.  What runs a component (``model/host.py``) has rules for all of
them: to learn, to work (or to decide and send).  What a component does when it works is told by its own module, under
``It may:``.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import re
from collections.abc import Iterator
from types import ModuleType

from kythera.model import host
from kythera.model.rule import CLOCK, COMPONENT, FAULT, REPAIR, USER, WORKLOAD, Rule

ENVIRONMENT = ("clients", "containers", "crashes", "heartbeats", "network", "users", "workload")
CONTROLLERS = {
    "deployment": "kythera.model.control_plane.controllers.deployment.reconcile",
    "replicaset": "kythera.model.control_plane.controllers.replicaset.reconcile",
    "horizontal-pod-autoscaler": "kythera.model.control_plane.controllers.horizontal_pod_autoscaler.controller",
    "disruption": "kythera.model.control_plane.controllers.disruption",
    "endpointslice": "kythera.model.control_plane.controllers.endpointslice.controller",
    "node-lifecycle": "kythera.model.control_plane.controllers.node_lifecycle",
    "taint-eviction": "kythera.model.control_plane.controllers.node_lifecycle.taint_eviction",
    "pod-gc": "kythera.model.control_plane.controllers.pod_gc",
    "descheduler": "kythera.model.control_plane.controllers.descheduler",
    "kube-scheduler": "kythera.model.control_plane.scheduler.scheduler",
    "kubelet": "kythera.model.node.kubelet.kubelet",
    "kube-proxy": "kythera.model.node.kube_proxy",
}

WHEN = {
    COMPONENT: "whenever there is something for it to do; it is not put off for ever",
    FAULT: "at any time, as often as its budget in the scenario allows; it may as well never happen",
    REPAIR: "at any time after the fault that it repairs; it is not put off for ever",
    USER: "once, at any time after the events that it waits for; it may as well never happen",
    WORKLOAD: "at any time, as often as the scenario allows; it may as well never happen",
    CLOCK: "somebody waits for a time, and (time prompt) no component has anything else to do",
}
"""When an action can happen, for those who do not say it themselves."""

WHEN_HOSTED = {
    "learn": "its watches have events that it has not seen, it reaches the API server, and no request is under way",
    "work": "what it sees of some object, or the time that has passed, asks for something of it",
    "decide": "what it sees of some object, or the time that has passed, asks for something; no request is under way",
    "send": "it has decided on a request and reaches the API server",
    "lose": "it sends a request, and answers may still be lost (the budget lostReply)",
}
"""The same for the rules that run every component."""

SIMPLIFIES_HOSTED = {
    "send": "there is no limit on the rate of requests, and none is tried again by the client itself",
    "lose": "the sender learns of the timeout at once; that a request itself is lost is a crash before it is sent",
}
"""What is simplified by the rules that run every component, where they do not say it themselves."""

_LABEL = re.compile(r"(?:^|(?<=\s))(When|Then|It owns|They own|It may|They may|Source|Simplifies):")


def catalogue() -> list[dict[str, str]]:
    """Every action: component, name, actor, sentence, and when, then, source, simplifies."""
    shared = (host.learn, host.work, host.decide, host.send, host.lose)
    rows = [_row("every component", rule, host) for rule in shared]
    for name in ENVIRONMENT:
        module = importlib.import_module(f"kythera.model.environment.{name}")
        rows += [_row(name, rule, module) for rule in _rules(module)]
    for name, path in CONTROLLERS.items():
        if _is_there(path):
            rows.append(_component(name, importlib.import_module(path)))
    rows.append(
        {
            "component": CLOCK, "action": "advance", "actor": CLOCK, "says": "{seconds} s pass", "when": WHEN[CLOCK],
            "then": "time passes until the first of those who wait need not wait any more; every age grows by that",
            "source": "docs/scenario.md, on time: prompt and adversarial",
            "simplifies": "ages stop growing where nobody asks about them any more",
        }
    )  # fmt: skip
    return rows


def _is_there(path: str) -> bool:
    try:
        return importlib.util.find_spec(path) is not None
    except ModuleNotFoundError:
        return False


def _rules(module: ModuleType) -> Iterator[Rule]:
    return (value for value in vars(module).values() if isinstance(value, Rule))


def parts_of(text: str) -> dict[str, str]:
    """A docstring taken apart: what stands before the first label under ``""``, and what follows each label."""
    found, label, begin = {}, "", 0
    for match in (*_LABEL.finditer(text), None):
        end = len(text) if match is None else match.start()
        found[label] = " ".join(text[begin:end].split())
        if match is not None:
            label, begin = match[1].replace("They", "It"), match.end()
    return found


def _row(component: str, rule: Rule, module: ModuleType) -> dict[str, str]:
    """A rule; where it cites nobody, its module does."""
    own, whole = parts_of(rule.doc), parts_of(inspect.getdoc(module) or "")
    return {
        "component": component,
        "action": rule.name,
        "actor": rule.actor,
        "says": rule.says,
        "when": own.get("When") or (module is host and WHEN_HOSTED.get(rule.name)) or WHEN[rule.actor],
        "then": own.get("Then", own[""]),
        "source": own.get("Source") or whole.get("Source", ""),
        "simplifies": own.get("Simplifies")
        or whole.get("Simplifies")
        or (SIMPLIFIES_HOSTED.get(rule.name, "") if module is host else ""),
    }


def _component(name: str, module: ModuleType) -> dict[str, str]:
    """What a component does when it works."""
    whole = parts_of(inspect.getdoc(module) or "")
    title = whole[""].split(": ", 1)[-1]
    return {
        "component": name,
        "action": "work",
        "actor": COMPONENT,
        "says": title,
        "when": WHEN[COMPONENT],
        "then": f"it may {whole['It may']}" if "It may" in whole else title,
        "source": whole.get("Source", ""),
        "simplifies": whole.get("Simplifies", ""),
    }
