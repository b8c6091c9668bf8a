"""The loader: what is usable is whole, what is not is refused line by line."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.model.scenarios.test_problems import WEB as DEPLOYMENT

from kythera.model.scenarios.loader import Unusable, load, load_documents

SCENARIO = "---\napiVersion: kythera/v1alpha1\nkind: Scenario\nmetadata: {name: s}\nspec:\n"


def problems(tmp_path: Path, text: str) -> list[str]:
    file = tmp_path / "x.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(Unusable) as refused:
        load([file], ("resource-fit",))
    return [str(each).removeprefix(f"{tmp_path}/") for each in refused.value.problems]


def loaded_or_refused(file: Path) -> bool:
    """Whether a file is usable, or refused with at least one problem; any other exception goes through."""
    try:
        return bool(load([file]))
    except Unusable as refused:
        return bool(refused.problems)


def test_a_deployment_alone_is_enough(tmp_path: Path) -> None:
    file = tmp_path / "web.yaml"
    file.write_text(DEPLOYMENT, encoding="utf-8")
    loaded = load([file])
    assert [type(obj).__name__ for obj in loaded.objects] == ["Deployment", "Node", "Node", "Node"]
    assert "three equal nodes" in loaded.assumptions[0]
    assert load_documents(loaded.documents).objects == loaded.objects


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (DEPLOYMENT.replace("Deployment", "Deploiment"), "x.yaml:2: kind: unknown kind"),
        (DEPLOYMENT.replace("Deployment", "StatefulSet"), "x.yaml:2: kind: StatefulSet is not modelled yet"),
        (DEPLOYMENT.replace("100m", "100q"), "x.yaml:17: spec.template.spec.containers[0].resources.requests.cpu"),
        (DEPLOYMENT.replace("labels: {app: web}", "labels: {app: api}"), "x.yaml:11: spec.template.metadata.labels"),
        (DEPLOYMENT.replace("replicas: 2", "replica: 2"), "x.yaml:6: spec.replica: "),
        (DEPLOYMENT + SCENARIO + "  properties: [resource-fits]\n", "x.yaml:23: spec.properties[0]"),
        (DEPLOYMENT + SCENARIO + "  variants: [kubelet.magic=on]\n", "x.yaml:23: spec.variants[0]: unknown variant"),
        (DEPLOYMENT + SCENARIO + "  events: [{apply: nowhere.yaml}]\n", "x.yaml:23: spec.events[0].apply"),
        ("a: [1,\n", "x.yaml:"),
    ],
)
def test_bad_input_is_refused_at_its_line(tmp_path: Path, text: str, said: str) -> None:
    assert [each for each in problems(tmp_path, text) if said in each] != []


def test_all_problems_are_said_at_once(tmp_path: Path) -> None:
    text = DEPLOYMENT.replace("100m", "100q") + "---\n" + DEPLOYMENT.replace("replicas: 2", "replica: 2")
    assert len(problems(tmp_path, text)) == 2


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(Unusable, match="there is no such file"):
        load([tmp_path / "nothing.yaml"])


def test_a_link_that_leads_to_itself(tmp_path: Path) -> None:
    loop = tmp_path / "loop.yaml"
    loop.symlink_to(loop)
    with pytest.raises(Unusable, match="there is no such file"):
        load([loop])


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=200))
def test_any_bytes_are_loaded_or_refused(tmp_path: Path, data: bytes) -> None:
    file = tmp_path / "fuzz.yaml"
    file.write_bytes(data)
    assert loaded_or_refused(file)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, len(DEPLOYMENT)), st.integers(0, 12), st.text(max_size=6))
def test_any_mutation_of_a_manifest_is_loaded_or_refused(tmp_path: Path, at: int, cut: int, put: str) -> None:
    file = tmp_path / "fuzz.yaml"
    file.write_text(DEPLOYMENT[:at] + put + DEPLOYMENT[at + cut :], encoding="utf-8", errors="replace")
    assert loaded_or_refused(file)
