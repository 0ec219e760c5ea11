"""What a newcomer meets first says the truth: pins, notebooks, settings, records, the way in."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
import tomllib
from dataclasses import fields
from importlib import metadata
from pathlib import Path

import nbformat
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from greennb.settings import Settings

ROOT = Path(__file__).parents[3]
TEACHING = sorted((ROOT / "notebooks").glob("*.ipynb"))
POSIX = pytest.mark.skipif(os.name != "posix", reason="make and /bin/sh")


def project() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def pins() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    matches = [re.fullmatch(r"([A-Za-z0-9._-]+)==([0-9][A-Za-z0-9.]*)", line) for line in lines if line[:1] != "#"]
    assert all(matches), "every line is a comment or name==version: no address, no build tag, no marker"
    return {canonicalize_name(match[1]): match[2] for match in matches if match}


def requirements() -> list[Requirement]:
    groups = [project()["dependencies"], *project()["optional-dependencies"].values()]
    return [Requirement(text) for group in groups for text in group if not text.startswith("greennb[")]


@pytest.mark.parametrize("requirement", requirements(), ids=str)
def test_every_requirement_is_pinned_within_its_range(requirement: Requirement) -> None:
    recorded_on = {"sys_platform": "linux", "platform_machine": "x86_64", "python_version": "3.11"}
    if requirement.marker is not None and not requirement.marker.evaluate(recorded_on):
        pytest.skip("not installed where the pins were recorded")
    assert requirement.specifier.contains(Version(pins()[canonicalize_name(requirement.name)]))


def test_the_pin_of_torch_takes_any_build_of_that_version() -> None:
    assert Requirement(f"torch=={pins()['torch']}").specifier.contains(Version(f"{pins()['torch']}+cpu"))


def test_what_the_pinned_packages_need_is_pinned_too() -> None:
    """A transitive dependency without a pin would move from one day to the next."""
    here = (sys.version_info[:2], sys.platform, os.uname().machine if hasattr(os, "uname") else "")
    if here != ((3, 11), "linux", "x86_64"):
        pytest.skip("the pins hold on CPython 3.11, Linux, x86-64 only")
    needed: dict[str, str] = {}
    for name in pins():
        for text in metadata.requires(name) or []:
            requirement = Requirement(text)
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                needed[canonicalize_name(requirement.name)] = name
    assert sorted(set(needed) - set(pins()) - {"pip"}) == []


@pytest.mark.parametrize("path", TEACHING, ids=lambda path: path.name)
class TestTeachingNotebooks:
    """Notebooks that people learn from: committed clean, and ready for any Python kernel."""

    def test_is_clean(self, path: Path) -> None:
        notebook = nbformat.read(path, as_version=nbformat.NO_CONVERT)
        nbformat.validate(notebook)
        assert (notebook.nbformat, notebook.nbformat_minor) >= (4, 5)
        assert notebook.metadata.kernelspec.name == "python3"
        code = [cell for cell in notebook.cells if cell.cell_type == "code"]
        assert [cell.id for cell in code if cell.outputs or cell.execution_count is not None] == []
        assert len({cell.id for cell in notebook.cells}) == len(notebook.cells)

    def test_starts_with_greennb(self, path: Path) -> None:
        notebook = nbformat.read(path, as_version=4)
        first = next(cell for cell in notebook.cells if cell.cell_type == "code")
        assert first.source.splitlines() == ["%load_ext greennb", "%energy_auto on"]

    def test_promises_no_figure(self, path: Path) -> None:
        """Joules depend on the machine: a number in the text would be wrong on the reader's.

        But for conversions of units, what a paper states of its own machines, and an exercise's example.
        """
        notebook = nbformat.read(path, as_version=4)
        text = "\n".join(it.source for it in notebook.cells if it.cell_type == "markdown" and it.id not in CITED)
        assert re.findall(r"\d[\d.,]*\s*(?:k?J|joules|m?W|watts?|k?g|grams)\b", text) == []


CITED = {
    "nb2-on-grams", "nb2-on-hour", "nb2-on-cli", "nb2-on-since", "nb7-lisa-task", "nb7-after-lisa", "nb8-digits-text",
    "nb8-reviewer-text",
}  # fmt: skip
"""Cells of the notebooks whose figures are no promise: each was read for that."""


def test_the_data_notebooks_are_what_their_script_writes() -> None:
    folder = ROOT / "tests" / "data" / "notebooks"
    spec = importlib.util.spec_from_file_location("make_notebooks", folder / "make.py")
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    assert {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.ipynb")} == script.files()


def test_the_readme_lists_every_setting_with_its_default() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `(\w+)` \| `GREENNB_\w+` \|\s*(.*?)\s*\|", readme, flags=re.MULTILINE))
    assert rows == {field.name: as_typed(field.default) for field in fields(Settings)}


def as_typed(default: object) -> str:
    """A default as a user types it."""
    if isinstance(default, bool):
        return "on" if default else "off"
    return "0" if default == 0 else str(default)


def test_decision_records_are_numbered_without_gaps() -> None:
    records = sorted((ROOT / "docs" / "adr").glob("*.md"))
    assert [path.name[:4] for path in records] == [f"{number:04}" for number in range(1, len(records) + 1)]
    assert [path for path in records if not path.read_text(encoding="utf-8").startswith(f"# {path.name[:4]}. ")] == []


@POSIX
def test_make_alone_says_what_there_is() -> None:
    shown = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for target in ("demo", "lab", "test", "bench", "lint", "clean"):
        assert re.search(rf"^  make {target} +\S", shown, flags=re.MULTILINE)


def fake_python(folder: Path, version: str) -> Path:
    """An interpreter of ``version`` as far as tools/make-venv looks: it refuses to be 3.11 or newer."""
    python = folder / "python3"
    python.write_text(f'#!/bin/sh\nif [ "$1" = --version ]; then echo "Python {version}"; exit 0; fi\nexit 1\n')
    python.chmod(0o755)
    return python


@POSIX
def test_a_python_that_is_too_old_gets_a_sentence(tmp_path: Path) -> None:
    python = fake_python(tmp_path, "3.9.6")
    done = subprocess.run(
        ["/bin/sh", ROOT / "tools" / "make-venv", tmp_path / "venv"],
        env={"PATH": os.environ["PATH"], "PYTHON": str(python)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr == (
        "greennb needs Python 3.11 or newer and found Python 3.9.6: "
        "install one, or name it with make PYTHON=/path/to/python3.\n"
    )
    assert not (tmp_path / "venv").exists()


@POSIX
def test_an_environment_that_is_there_is_kept(tmp_path: Path) -> None:
    """Somebody's own .venv is used as it is, not started over."""
    venv = tmp_path / "venv"
    (venv / "bin").mkdir(parents=True)
    (venv / "bin" / "python").write_text("#!/bin/sh\nexit 0\n")
    (venv / "bin" / "python").chmod(0o755)
    subprocess.run(["/bin/sh", ROOT / "tools" / "make-venv", venv], capture_output=True, check=True)
    assert (venv / ".stamp-python").exists()
    assert (venv / "bin" / "python").read_text() == "#!/bin/sh\nexit 0\n"


@POSIX
@pytest.mark.parametrize("script", ["make-venv", "install", "chromium", "lab42", "labextension", "node", "rig"])
def test_the_shell_scripts_parse(script: str) -> None:
    subprocess.run(["/bin/sh", "-n", ROOT / "tools" / script], check=True)
