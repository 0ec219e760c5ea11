"""Machines that lack something: no framework, no sensor; and people who run things twice."""

from __future__ import annotations

import copy
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.notebooks.books import NAMES, SOLUTIONS, STUDENTS, Execution, in_nbclient, is_check, read, was_skipped

pytestmark = pytest.mark.kernel

BLOCKER = """\
import sys


class Blocker:
    names = {"torch", "torchvision", "tensorflow", "keras", "sklearn", "jax"}

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in self.names:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


sys.meta_path.insert(0, Blocker())
"""
"""A sitecustomize.py: the kernel's Python, and that of its children, finds no framework."""

QUICK = [name for name in NAMES if name[:2] in ("01", "02")]


@pytest.fixture(scope="session")
def bare(name: str, tmp_path_factory: pytest.TempPathFactory) -> Execution:
    """The student's version where no framework is installed."""
    folder = tmp_path_factory.mktemp("bare")
    (folder / "site").mkdir()
    (folder / "site" / "sitecustomize.py").write_text(BLOCKER, encoding="utf-8")
    return in_nbclient(read(STUDENTS / f"{name}.ipynb"), folder, PYTHONPATH=str(folder / "site"))


def test_without_a_framework_nothing_fails_but_checks_that_could_be_solved(bare: Execution) -> None:
    """What needs a framework is skipped and says so, its checks too; other exercises still wait for an answer."""
    expected = {cell.id for cell in bare.code if is_check(cell) and not was_skipped(cell)}
    raised = bare.raised()
    assert set(raised) == expected
    assert all(said.startswith("AssertionError: ") for said in raised.values())


def test_without_a_framework_it_says_which_extra_to_install(name: str, bare: Execution) -> None:
    needs = [cell for cell in bare.code if cell.source.startswith("%energy_needs ")]
    if name.startswith("02"):
        assert not any(was_skipped(cell) for cell in bare.code)
    else:
        assert needs
    for cell in needs:
        said = "".join(out.get("text", "") for out in cell.outputs)
        assert "not installed here" in said
        assert 'pip install "greennb[' in said


def twice(notebook: Any) -> Any:
    """All cells, and all of them again."""
    made = copy.deepcopy(notebook)
    again = copy.deepcopy(made.cells)
    for cell in again:
        cell.id = f"{cell.id}-again"
    made.cells += again
    return made


@pytest.mark.parametrize("quick", QUICK)
def test_twice_in_a_row_in_one_kernel_where_no_joules_can_be_had(quick: str, tmp_path: Path) -> None:
    """A source that this machine has not leaves every total None: it is said, drawn as missing, and breaks nothing."""
    solution = twice(read(SOLUTIONS / f"{quick}.ipynb"))
    ran = in_nbclient(solution, tmp_path, GREENNB_SOURCES="rapl" if sys.platform == "darwin" else "apple")
    assert ran.raised() == {}
    assert ran.figures["figure_data"]
