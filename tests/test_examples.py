"""Every example has the verdict that its first line expects, and what is violated replays."""

from __future__ import annotations

from pathlib import Path

import pytest

from kythera.model.scenarios.loader import load
from kythera.properties.catalogue import names
from kythera.traces import format as trace_format
from kythera.traces.check import Budget, check
from kythera.traces.commands import write_traces
from kythera.traces.replay import replay

FOLDER = Path(__file__).parents[1] / "examples"
EXAMPLES = sorted(FOLDER.glob("*.yaml"))


def expected(path: Path) -> tuple[str, str]:
    """The verdict and the property of the first line: ``# expect: violated drains-complete``."""
    _, _, said = path.read_text(encoding="utf-8").splitlines()[0].partition("# expect: ")
    verdict, _, prop = said.partition(" ")
    return verdict, prop


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_has_the_verdict_that_it_says(path: Path, tmp_path: Path) -> None:
    verdict, prop = expected(path)
    report = check(load([path], names()), Budget(60))
    assert report.verdict == verdict
    violated = {each.name for each in report.properties if each.verdict == "violated"}
    assert (prop in violated) if prop else not violated
    for file in write_traces(report, tmp_path).values():
        assert replay(trace_format.load(file)).difference == ""


def test_four_examples_are_violated_and_as_many_hold() -> None:
    verdicts = [expected(path)[0] for path in EXAMPLES]
    assert verdicts.count("violated") >= 4
    assert verdicts.count("holds") >= 4
