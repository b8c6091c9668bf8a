"""The three folders, the links and the build configuration agree, and what is built holds everything and no more."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import tomllib
import venv
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = ("model", "properties", "traces")
LINKS = ROOT / ".ci" / "import" / "kythera"
LEFT_OUT = ("__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache")


def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def files(folder: str) -> Iterator[str]:
    """The files of a folder that belong to the project, as paths from the root."""
    for path in (ROOT / folder).rglob("*"):
        if path.is_file() and path.suffix != ".pyc" and not set(path.parts) & set(LEFT_OUT):
            yield path.relative_to(ROOT).as_posix()


def test_there_is_a_link_for_each_folder_and_nothing_else() -> None:
    assert sorted(path.name for path in LINKS.iterdir()) == sorted(FOLDERS)


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_link_is_relative_and_leads_to_its_folder(folder: str) -> None:
    link = LINKS / folder
    assert link.is_symlink()
    assert not os.path.isabs(os.readlink(link))
    assert link.resolve() == (ROOT / folder).resolve()


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_folder_is_a_typed_package(folder: str) -> None:
    assert (ROOT / folder / "__init__.py").is_file()
    assert (ROOT / folder / "py.typed").is_file()


def test_every_folder_with_python_is_a_package() -> None:
    parents = {path.parent for folder in FOLDERS for path in (ROOT / folder).rglob("*.py")}
    assert [str(parent) for parent in sorted(parents) if not (parent / "__init__.py").is_file()] == []


def test_kythera_itself_is_no_package() -> None:
    """So that the three parts are portions of a namespace, wherever they come from."""
    assert not (LINKS / "__init__.py").exists()


def test_the_build_maps_the_same_folders() -> None:
    build = project()["tool"]["hatch"]["build"]
    wheel = build["targets"]["wheel"]
    assert build["dev-mode-dirs"] == [".ci/import"]
    assert sorted(wheel["only-include"]) == sorted(FOLDERS)
    assert wheel["sources"] == {folder: f"kythera/{folder}" for folder in FOLDERS}
    assert set(FOLDERS) <= set(build["targets"]["sdist"]["only-include"])


def test_what_the_source_distribution_names_is_there() -> None:
    named = project()["tool"]["hatch"]["build"]["targets"]["sdist"]["only-include"]
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_the_source_distribution_forgets_no_folder() -> None:
    named = project()["tool"]["hatch"]["build"]["targets"]["sdist"]["only-include"]
    made_by_tools = {"build", "dist", "htmlcov", "kythera-traces", "venv"}
    folders = {
        path.name for path in ROOT.iterdir() if path.is_dir() and any(each.is_file() for each in path.rglob("*"))
    }
    assert sorted(name for name in folders - made_by_tools if not name.startswith(".") and name not in named) == []


def test_the_version_is_the_same_everywhere() -> None:
    version = project()["project"]["version"]
    assert f"version: {version}\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert version in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The source distribution, and the wheel that is built from it and not from the checkout."""
    target = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(target), str(ROOT)],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    (sdist,), (wheel,) = target.glob("*.tar.gz"), target.glob("*.whl")
    return sdist, wheel


def test_the_wheel_holds_every_file_of_the_three_folders_and_nothing_else(built: tuple[Path, Path]) -> None:
    with zipfile.ZipFile(built[1]) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert held == {f"kythera/{name}" for folder in FOLDERS for name in files(folder)}


def test_the_source_distribution_holds_the_tests_and_nothing_of_the_workshop(built: tuple[Path, Path]) -> None:
    with tarfile.open(built[0]) as archive:
        held = {name.partition("/")[2] for name in archive.getnames()}
    assert "tests/test_packaging.py" in held
    assert "CITATION.cff" in held
    assert [name for name in held if name.startswith((".ci/", ".venv/", ".hypothesis/"))] == []


def test_an_installed_wheel_has_kythera_and_no_package_model(built: tuple[Path, Path], tmp_path: Path) -> None:
    home = tmp_path / "home"
    venv.create(home, with_pip=False)
    python = home / "bin" / "python"
    site = Path(
        subprocess.run(
            [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
            check=True, capture_output=True, text=True,
        ).stdout.strip()
    )  # fmt: skip
    with zipfile.ZipFile(built[1]) as archive:
        archive.extractall(site)
    program = (
        "import importlib.util as u; import kythera.model.api.core.pod; "
        "print([n for n in ('model', 'properties', 'traces') if u.find_spec(n)], "
        "[n for n in ('model', 'properties', 'traces') if not u.find_spec('kythera.' + n)])"
    )
    ran = subprocess.run([python, "-c", program], check=True, capture_output=True, text=True, cwd=tmp_path)
    assert ran.stdout.strip() == "[] []"
