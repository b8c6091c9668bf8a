"""The command line as a user meets it: exit codes, one line for each mistake, and JSON on the standard output only."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from tests.traces.small import DRAIN, EXAMPLES, POD, ROOT, scenario, written

from kythera.traces.cli import main

HEAVY = ("numpy", "scipy", "z3", "hypothesis", "networkx", "rich", "yaml", "kythera.model", "kythera.properties")


def kythera(*arguments: Any) -> Result:
    return CliRunner().invoke(main, [str(each) for each in arguments])


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT / ".ci" / "import")}


def test_help_loads_nothing_of_the_model_and_no_heavy_library() -> None:
    code = f"""
import sys
from kythera.traces.cli import main
try:
    main(["--help"])
except SystemExit as end:
    assert end.code == 0
loaded = [name for name in sys.modules if name.startswith({HEAVY!r})]
assert not loaded, loaded
"""
    found = subprocess.run([sys.executable, "-c", code], env=environment(), capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr
    assert "kythera check deployment.yaml" in found.stdout


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["check"], "PATHS"),
        (["check", "--seconds", "soon", "x"], "soon"),
        (["check", "--seconds", "0", "x"], "0"),
        (["check", "--seconds", "nan", "x"], "nan"),
        (["check", "--states", "-1", "x"], "-1"),
        (["check", "--format", "xml", "x"], "xml"),
        (["chek"], "check"),
        (["check", "no-such-file.yaml"], "no-such-file.yaml"),
        (["replay"], "TRACE"),
        (["replay", "no-such-trace.json"], "no-such-trace.json"),
        (["replay", str(DRAIN)], "not JSON"),
        (["actions", "--component", "weather"], "weather"),
    ],
)
def test_a_mistake_is_told_in_one_line_with_exit_code_2(arguments: list[str], says: str) -> None:
    found = kythera(*arguments)
    assert found.exit_code == 2
    assert found.stdout == ""
    assert len(found.stderr.splitlines()) == 1
    assert says in found.stderr


def test_all_that_is_wrong_with_the_input_is_told_at_once(tmp_path: Path) -> None:
    path = written(tmp_path, {**POD, "spec": {**POD["spec"], "restartPolicy": "Sometimes", "priority": "high"}})  # type: ignore[dict-item]
    found = kythera("check", path, "--traces", tmp_path / "traces")
    assert found.exit_code == 2
    assert all(line.startswith(str(path)) for line in found.stderr.splitlines())


def test_what_holds_ends_with_0_and_writes_no_trace(tmp_path: Path) -> None:
    found = kythera("check", written(tmp_path, POD, scenario()), "--traces", tmp_path / "traces")
    assert found.exit_code == 0, found.output
    assert "holds: everything" in found.stdout
    assert not (tmp_path / "traces").exists()


def test_what_is_violated_ends_with_1_and_its_trace_replays(tmp_path: Path) -> None:
    found = kythera("check", DRAIN, "--traces", tmp_path)
    assert found.exit_code == 1
    assert "violated drains-complete" in found.stdout
    assert "disruption budget" in found.stdout, "it says why the drain gets no further"
    (trace,) = tmp_path.iterdir()
    assert f"kythera replay {trace}" in found.stdout
    again = kythera("replay", trace)
    assert again.exit_code == 0
    assert "the trace replays" in again.stdout


def test_a_trace_that_does_not_replay_ends_with_1_and_says_where(tmp_path: Path) -> None:
    kythera("check", DRAIN, "--traces", tmp_path)
    (trace,) = tmp_path.iterdir()
    data = json.loads(trace.read_text())
    slot = next(iter(data["steps"][1]["slots"]))
    data["steps"][1]["slots"][slot] = "0" * 16
    trace.write_text(json.dumps(data))
    text = kythera("replay", trace)
    assert text.exit_code == 1
    assert "does not replay at step 2" in text.stdout
    report = json.loads(kythera("replay", trace, "--format", "json").stdout)
    assert report["same"] is False
    assert slot in report["difference"]


def test_what_cannot_fail_ends_with_3(tmp_path: Path) -> None:
    found = kythera(
        "check", written(tmp_path, POD, scenario(properties=["drains-complete"])), "--traces", tmp_path / "t"
    )
    assert found.exit_code == 3
    assert "vacuous" in found.stdout


def test_a_budget_that_is_too_small_ends_with_3_and_says_what_was_not_explored(tmp_path: Path) -> None:
    found = kythera("check", DRAIN, "--states", 3, "--traces", tmp_path)
    assert found.exit_code == 3
    assert "not explored to the end" in found.stdout
    assert "the number of states was reached" in found.stdout


def test_the_verdict_is_told_although_the_traces_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    found = kythera("check", DRAIN, "--traces", tmp_path / "file" / "traces")
    assert found.exit_code == 2
    assert "violated drains-complete" in found.stdout
    assert "kythera replay" not in found.stdout
    (line,) = found.stderr.splitlines()
    assert line.startswith("--traces: ")
    report = json.loads(kythera("check", DRAIN, "--traces", tmp_path / "file", "--format", "json").stdout)
    assert report["verdict"] == "violated"
    assert {each["trace"]["file"] for each in report["properties"] if each["trace"]} == {None}


def test_the_json_report_has_what_scenario_md_promises(tmp_path: Path) -> None:
    found = kythera("check", DRAIN, "--format", "json", "--traces", tmp_path)
    report = json.loads(found.stdout)
    assert {
        "kythera", "scenario", "verdict", "seconds", "properties", "rungs", "ignored_fields", "assumptions",
        "never_fired",
    } <= report.keys()  # fmt: skip
    assert (report["scenario"], report["verdict"]) == ("drain-blocked-by-budget", "violated")
    (broken,) = (each for each in report["properties"] if each["verdict"] == "violated")
    assert (broken["name"], broken["fairness"]) == ("drains-complete", "weak; strong for informers; keys in turn")
    trace = broken["trace"]
    assert Path(trace["file"]).exists()
    assert trace["length"] == len(trace["steps"]) == trace["loop_from"]
    assert [step["n"] for step in trace["steps"]] == list(range(1, trace["length"] + 1))
    assert {"n", "at", "action", "component", "says"} <= trace["steps"][0].keys()
    (rung,) = report["rungs"]
    assert rung["complete"] is True
    assert rung["states"] > 0


@pytest.mark.parametrize("command", ["properties", "actions"])
def test_the_catalogues_come_as_text_and_as_json(command: str) -> None:
    rows = json.loads(kythera(command, "--format", "json").stdout)
    text = kythera(command).stdout
    assert rows
    assert all(row["source"] for row in rows)
    assert all(row.get("name", row.get("component")) in text for row in rows)


def test_the_version_is_told() -> None:
    found = kythera("--version")
    assert found.exit_code == 0
    assert found.stdout.startswith("kythera 0.")


def test_a_check_of_a_small_scenario_is_quick_from_the_shell(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "kythera.traces.cli", "check", str(DRAIN), "--traces", str(tmp_path)]
    started = time.perf_counter()
    found = subprocess.run(command, env=environment(), capture_output=True, text=True, check=False)
    assert time.perf_counter() - started < 10, "1 s on an idle machine"
    assert found.returncode == 1, found.stderr
    assert found.stderr == ""


def test_an_interruption_gives_what_is_known_so_far(tmp_path: Path) -> None:
    document = scenario(faults={"crash": 2}, granularity="fine")
    path = written(tmp_path, *(({**POD, "metadata": {"name": f"p{n}"}}) for n in range(4)), document)
    command = [
        sys.executable,
        "-m",
        "kythera.traces.cli",
        "check",
        str(path),
        "--traces",
        str(tmp_path),
        "--format",
        "json",
    ]
    process = subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    time.sleep(4)
    process.send_signal(signal.SIGINT)
    out, error = process.communicate(timeout=60)
    assert process.returncode == 3, error
    report = json.loads(out)
    assert report["verdict"] == "inconclusive"
    assert report["rungs"][-1]["stopped"] == "interrupted"
    assert error == ""


INTERRUPTED_WHEN = """
import os, signal, sys
from kythera.traces import check
from kythera.traces.cli import main

def interrupted(name):
    first = getattr(check, name)
    def last(*given, **named):
        os.kill(os.getpid(), signal.SIGINT)
        return first(*given, **named)
    setattr(check, name, last)

interrupted(sys.argv.pop(1))
main()
"""


@pytest.mark.parametrize(
    ("phase", "code", "verdict"),
    [
        ("compile_system", 3, "inconclusive"),
        ("Core", 3, "inconclusive"),
        ("Liveness", 3, "inconclusive"),
        ("moves_along", 1, "violated"),
    ],
)
def test_an_interruption_at_any_time_gives_an_honest_verdict(
    phase: str, code: int, verdict: str, tmp_path: Path
) -> None:
    command = [sys.executable, "-c", INTERRUPTED_WHEN, phase, "check", str(DRAIN), "--format", "json"]
    found = subprocess.run(
        [*command, "--traces", str(tmp_path)], env=environment(), capture_output=True, text=True, check=False
    )
    assert (found.returncode, found.stderr) == (code, "")
    assert json.loads(found.stdout)["verdict"] == verdict


def test_what_holds_so_far_is_no_success_if_it_was_interrupted(tmp_path: Path) -> None:
    path = written(tmp_path, POD, scenario(properties=["uid-uniqueness"]))
    command = [sys.executable, "-c", INTERRUPTED_WHEN, "Core", "check", str(path), "--format", "json"]
    found = subprocess.run(command, env=environment(), capture_output=True, text=True, check=False)
    assert found.returncode == 3
    assert json.loads(found.stdout)["verdict"] == "holds-within-bounds"


def test_every_example_is_checked_by_its_name_alone() -> None:
    assert len(list(EXAMPLES.glob("*.yaml"))) >= 8
