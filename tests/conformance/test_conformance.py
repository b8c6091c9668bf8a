"""Upstream's own cases against the model, and the runner that tries them."""

from __future__ import annotations

import json
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from kythera.traces.conformance import conformance_command, runner
from kythera.traces.conformance.runner import KindReport, Report, UnusableFolderError, default_folder, exceptions, run

COPY = Path(__file__).with_name("cases")


@cache
def report() -> Report:
    return run(default_folder())


def kinds() -> list[str]:
    return sorted({case["kind"] for case in runner.cases(default_folder())})


def of_kind(kind: str) -> KindReport:
    return next(each for each in report().kinds if each.kind == kind)


@pytest.mark.parametrize("kind", kinds())
def test_a_kind_fails_nowhere_but_at_the_known_exceptions(kind: str) -> None:
    assert [failure for failure in of_kind(kind).failed if failure.id not in exceptions()] == []


def test_each_area_passes_98_percent() -> None:
    tried, passed = Counter[str](), Counter[str]()
    for each in report().kinds:
        area = each.kind.partition("/")[0]
        tried[area] += each.cases - each.not_modelled
        passed[area] += each.passed + sum(failure.id in exceptions() for failure in each.failed)
    assert {
        area: passed[area] / tried[area] for area in tried if tried[area] and passed[area] < 0.98 * tried[area]
    } == {}


def test_all_cases_together_pass_98_percent() -> None:
    tried = sum(each.cases - each.not_modelled for each in report().kinds)
    assert sum(each.passed for each in report().kinds) >= 0.98 * tried


def test_each_exception_is_a_case_that_fails_and_says_why_and_where() -> None:
    failing = {failure.id for failure in run(COPY).failed}
    assert set(exceptions()) <= failing
    for exception in exceptions().values():
        assert set(exception) == {"why", "source"}
        assert all(exception.values())


def test_each_adapter_is_for_an_area_that_exists() -> None:
    areas = {case["kind"].partition("/")[0] for case in runner.cases(COPY)}
    assert {kind.partition("/")[0] for kind in runner.all_adapters()} <= areas


def test_ids_are_unique() -> None:
    ids = Counter(case["id"] for case in runner.cases(COPY))
    assert [each for each, count in ids.items() if count > 1] == []


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with one case for each thing that may become of a case."""

    def adapter(case: runner.Case) -> str | None:
        outcome = case["input"]
        if outcome == "missing":
            raise NotImplementedError
        if outcome == "broken":
            raise KeyError("oops")
        return None if outcome == "right" else "expected 1, got 2"

    monkeypatch.setattr(runner, "all_adapters", lambda: {"some/kind": adapter})
    outcomes = ["right", "wrong", "broken", "missing"]
    found = [{"id": each, "kind": "some/kind", "input": each} for each in outcomes]
    found.append({"id": "other", "kind": "other/kind", "input": "right"})
    (tmp_path / "some.json").write_text(json.dumps(found))
    return tmp_path


def test_passed_failed_and_not_modelled_cases_are_told_apart(folder: Path) -> None:
    other, some = run(folder).kinds
    assert (other.kind, other.cases, other.passed, other.not_modelled) == ("other/kind", 1, 0, 1)
    assert (some.cases, some.passed, some.not_modelled) == (4, 1, 1)
    assert [(failure.id, failure.reason) for failure in some.failed] == [
        ("wrong", "expected 1, got 2"),
        ("broken", "KeyError: 'oops'"),
    ]


def test_a_pattern_chooses_kinds(folder: Path) -> None:
    assert [each.kind for each in run(folder, "other/*").kinds] == ["other/kind"]
    with pytest.raises(UnusableFolderError, match=r"no case in .* is of a kind like"):
        run(folder, "third/*")


def test_the_json_form_counts_by_kind(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert conformance_command("json", "some/*", str(folder)) == 1
    assert json.loads(capsys.readouterr().out) == {
        "kinds": [{"kind": "some/kind", "cases": 4, "passed": 1, "failed": ["wrong", "broken"], "not_modelled": 1}]
    }


def test_the_text_form_names_failed_cases_with_reasons(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert conformance_command("text", None, str(folder)) == 1
    printed = capsys.readouterr().out
    assert "wrong: expected 1, got 2" in printed
    assert "broken: KeyError: 'oops'" in printed


def test_known_exceptions_fail_without_spoiling_the_exit_code(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    known = {each: {"why": "it is known", "source": "somewhere"} for each in ("wrong", "broken")}
    monkeypatch.setattr(runner, "exceptions", lambda: known)
    assert conformance_command("text", None, str(folder)) == 0
    assert "wrong (known exception): it is known" in capsys.readouterr().out
    assert conformance_command("json", "some/*", str(folder)) == 0
    assert json.loads(capsys.readouterr().out)["kinds"][0]["failed"] == ["wrong", "broken"]


@pytest.mark.parametrize("content", [None, "{", "{}", '[{"id": "x"}]', "[]"])
def test_an_unusable_folder_is_said_in_one_line(
    tmp_path: Path, content: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    if content is not None:
        (tmp_path / "some.json").write_text(content)
    assert conformance_command("text", None, str(tmp_path)) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_the_environment_names_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(runner.VARIABLE, str(tmp_path))
    assert default_folder() == tmp_path


def test_without_the_environment_it_is_the_copy_in_the_checkout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(runner.VARIABLE, raising=False)
    assert default_folder() == COPY


def test_an_installation_without_the_copy_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv(runner.VARIABLE, raising=False)
    monkeypatch.setattr(runner, "COPY", Path("no", "such", "folder"))
    assert conformance_command("text", None, None) == 2
    assert capsys.readouterr().err.startswith("kythera: this installation has no copy of the cases")
