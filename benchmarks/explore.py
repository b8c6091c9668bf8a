"""How fast each engine explores, on the real model: states and steps a second, bytes a state, calls of rules a state.

    python benchmarks/explore.py                  a table
    python benchmarks/explore.py --format json    the same as JSON

Three scenarios of about ten thousand, a hundred thousand and a million states are explored to their end, without
properties (a fourth, of more than 20 million and stopped there, with ``--scenario``). Each measurement is a process
of its own. Seconds are CPU seconds (``time.process_time``) of the exploration alone; the compiled engine is loaded
before (compiling it takes some seconds once per installation; the time to load is reported). Bytes are what the peak
of the resident memory grew by, per state: with the memo tables, and with the levels that traces are rebuilt from. The
plain engine explores only the first ``--plain-states`` states where there are more.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

from kythera.model.scenarios.compile import compile_system
from kythera.model.scenarios.loader import load_documents
from kythera.model.scenarios.scenario import Faults, Rung
from kythera.model.system import System
from kythera.properties.engines import plain
from kythera.properties.engines.core import Core, compiled_available

INFINITE = float("inf")
ENGINES = ("plain", "core", "compiled")
TAKEN_OVER = 5_000
"""The number of states after which the compiled engine goes on (``kythera check`` waits longer)."""


def documents(replicas: int, nodes: int) -> list[dict[str, Any]]:
    """A ReplicaSet on equal nodes."""
    container = {
        "name": "main",
        "image": "example.com/web:1",
        "resources": {"requests": {"cpu": "500m", "memory": "64Mi"}},
    }
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [container]}}
    capacity = {"cpu": "2", "memory": "4Gi", "pods": "110"}
    return [
        {
            "apiVersion": "apps/v1",
            "kind": "ReplicaSet",
            "metadata": {"name": "web"},
            "spec": {"replicas": replicas, "selector": {"matchLabels": {"app": "web"}}, "template": template},
        },
        {
            "apiVersion": "kythera/v1alpha1",
            "kind": "Scenario",
            "metadata": {"name": "benchmark"},
            "spec": {"nodes": [{"count": nodes, "namePrefix": "n", "capacity": capacity}]},
        },
    ]


def system(replicas: int, nodes: int, rung: Rung) -> System:
    """The system of a ReplicaSet on equal nodes at one rung."""
    loaded = load_documents(documents(replicas, nodes))
    return compile_system(loaded.objects, loaded.scenario, rung)


LAG = Faults(crash=0)
SCENARIOS: dict[str, tuple[str, Callable[[], System]]] = {
    "10^4": ("1 pod, 2 nodes, fine, caches lag", lambda: system(1, 2, Rung("fine", LAG))),
    "10^5": (
        "2 pods, 2 nodes, coarse, caches lag, three containers die",
        lambda: system(2, 2, Rung("coarse", Faults(crash=0, container_crash=3))),
    ),
    "10^6": (
        "2 pods, 2 nodes, fine, no stale caches",
        lambda: system(2, 2, Rung("fine", Faults(crash=0, staleness="none"))),
    ),
    "10^7": (
        "1 pod, 2 nodes, coarse, caches lag, a crash and a partition",
        lambda: system(1, 2, Rung("coarse", Faults(crash=1, partition=1))),
    ),
}
USUAL = ("10^4", "10^5", "10^6")


def peak() -> int:
    """The most memory that this process has used, in bytes."""
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used if sys.platform == "darwin" else used * 1024


def measure(engine: str, scenario: str, most: int) -> dict[str, Any]:
    """Explore once in this process."""
    tried = system(1, 1, Rung("coarse", LAG))
    started = time.process_time()
    Core(tried, large=1 if engine == "compiled" else INFINITE).run()  # load what is imported and compiled late
    loading = time.process_time() - started
    explored = SCENARIOS[scenario][1]()
    before, started = peak(), time.process_time()
    kept: Any
    if engine == "plain":
        result, kept = plain.explore(explored, max_states=most)
        calls = result.states * sum(len(process.rules) for process in explored.processes)
    else:
        kept = Core(explored, large=INFINITE if engine == "core" else TAKEN_OVER)
        result = kept.run(max_states=most)
        calls = result.rule_calls
    seconds = time.process_time() - started
    memory = peak() - before
    return {
        "scenario": scenario,
        "what": SCENARIOS[scenario][0],
        "engine": engine,
        "complete": result.complete,
        "states": result.states,
        "transitions": result.transitions,
        "depth": result.depth,
        "cpu_seconds": round(seconds, 3),
        "states_per_second": round(result.states / seconds),
        "transitions_per_second": round(result.transitions / seconds),
        "bytes_per_state": round(memory / result.states, 1),
        "rule_calls_per_state": round(calls / result.states, 4),
        "bits_per_state": kept.tables.codec.width if isinstance(kept, Core) else None,
        "loading_seconds": round(loading, 2),
    }


def measure_apart(engine: str, scenario: str, most: int) -> dict[str, Any]:
    """Explore once in a process of its own."""
    command = [sys.executable, __file__, "--only", engine, scenario, "--states", str(most)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def compare(scenarios: list[str], most: int, plain_most: int) -> list[dict[str, Any]]:
    """Every engine on every scenario."""
    found = []
    for scenario in scenarios:
        rates: dict[str, int] = {}
        for engine in ENGINES:
            if engine == "compiled" and not compiled_available():
                continue
            one = measure_apart(engine, scenario, plain_most if engine == "plain" else most)
            rates[engine] = one["states_per_second"]
            one["times_plain"] = round(one["states_per_second"] / rates["plain"], 1)
            found.append(one)
    return found


def table(found: list[dict[str, Any]]) -> str:
    """The measurements as text."""
    lines = []
    for one in found:
        if one["engine"] == ENGINES[0]:
            lines.append(f"\n{one['scenario']}: {one['what']}")
            lines.append(
                f"  {'engine':<9}{'states':>10}{'steps':>11}{'CPU s':>8}{'states/s':>10}{'steps/s':>11}"
                f"{'bytes/state':>13}{'calls/state':>13}{'x plain':>9}"
            )
        lines.append(
            f"  {one['engine']:<9}{one['states']:>10,}{one['transitions']:>11,}{one['cpu_seconds']:>8.2f}"
            f"{one['states_per_second']:>10,}{one['transitions_per_second']:>11,}{one['bytes_per_state']:>13,.0f}"
            f"{one['rule_calls_per_state']:>13.4f}{one['times_plain']:>9.1f}"
            + ("" if one["complete"] else "   the first states only")
        )
    return "\n".join(lines).lstrip("\n")


def main() -> None:
    """Parse the command line, measure, and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--format", choices=("text", "json"), default="text")
    parser.add_argument("--scenario", action="append", choices=list(SCENARIOS), help="only this one (repeatable)")
    parser.add_argument("--states", type=int, default=20_000_000, help="stop core and compiled after so many states")
    parser.add_argument("--plain-states", type=int, default=20_000, help="stop the plain engine after so many states")
    parser.add_argument("--only", nargs=2, metavar=("ENGINE", "SCENARIO"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.only:
        print(json.dumps(measure(*options.only, options.states)))
        return
    found = compare(options.scenario or list(USUAL), options.states, options.plain_states)
    print(json.dumps(found, indent=2) if options.format == "json" else table(found))


if __name__ == "__main__":
    main()
