"""What a notebook has to be before anybody runs it: made from its solution, clean, and a form that nbgrader reads."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from types import ModuleType
from typing import Any

import pytest

from tests.notebooks.books import NAMES, ROOT, SOLUTIONS, STUDENTS, is_check

CONTRACT = [
    "01-first-joule", "02-joules-to-grams", "03-scikit-learn", "04-pytorch", "05-keras", "06-pruning",
    "07-cost-of-search", "08-case-study",
]  # fmt: skip


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    """tools/notebooks.py as a module."""
    spec = importlib.util.spec_from_file_location("notebooks_tool", ROOT / "tools" / "notebooks.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_course_is_complete() -> None:
    assert NAMES == CONTRACT


def test_both_versions_are_as_the_tool_writes_them() -> None:
    """Clean of outputs, and the students' made from the solved ones. After a change: make notebooks."""
    ran = subprocess.run(
        [sys.executable, ROOT / "tools" / "notebooks.py", "--check"], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stdout


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("a = 1", "a = 1"),
        ("x = None\n### BEGIN SOLUTION\nx = 2\ny = 3\n### END SOLUTION\nx", "x = None\n...  # your code here\nx"),
        ("def f():\n    ### BEGIN SOLUTION\n    return 1\n    ### END SOLUTION", "def f():\n    ...  # your code here"),
        (
            "### BEGIN SOLUTION\n1\n### END SOLUTION\na\n### BEGIN SOLUTION\n2\n### END SOLUTION",
            "...  # your code here\na\n...  # your code here",
        ),
    ],
)  # fmt: skip
def test_a_solution_becomes_one_line_in_its_place(tool: ModuleType, source: str, expected: str) -> None:
    assert tool.without_solution(source) == expected


@pytest.mark.parametrize(
    "source",
    [
        "### BEGIN SOLUTION\nx = 1",
        "x = 1\n### END SOLUTION",
        "### BEGIN SOLUTION\n### BEGIN SOLUTION\n### END SOLUTION",
    ],
)
def test_marks_that_do_not_pair_up_are_refused(tool: ModuleType, source: str) -> None:
    with pytest.raises(tool.MarkError):
        tool.without_solution(source)


def test_no_solution_and_no_output_reaches_students(student: Any) -> None:
    code = [cell for cell in student.cells if cell.cell_type == "code"]
    assert not any("SOLUTION" in cell.source for cell in code)
    assert all(cell.outputs == [] and cell.execution_count is None for cell in code)


def test_each_exercise_is_a_solution_with_checks_right_after_it(student: Any, solution: Any) -> None:
    """nbgrader's metadata, schema 3: what students write may change, what is graded is locked and has points."""
    assert [cell.id for cell in student.cells] == [cell.id for cell in solution.cells]
    kinds = []
    for cell in student.cells:
        form = cell.metadata.get("nbgrader")
        if form is None:
            kinds.append("exercise" if cell.cell_type == "markdown" and "**Exercise " in cell.source else ".")
            assert not is_check(cell)
            continue
        assert form["schema_version"] == 3
        assert form["cell_type"] == cell.cell_type == "code"
        assert form["task"] is False
        assert re.fullmatch(r"[\w-]+", form["grade_id"])
        if form["grade"]:
            assert (form["solution"], form["locked"]) == (False, True)
            assert form["points"] > 0
            assert {"raises-exception", "check"} <= set(cell.metadata.tags)
            kinds.append("check")
        else:
            assert (form["solution"], form["locked"], "points" in form) == (True, False, False)
            kinds.append("solution")
    order = " ".join(kind for kind in kinds if kind != ".")
    assert re.fullmatch(r"(exercise solution( check)+ ?){2,4}", order), order
    ids = [cell.metadata.nbgrader.grade_id for cell in student.cells if "nbgrader" in cell.metadata]
    assert len(set(ids)) == len(ids)


def test_it_says_what_it_is_for_and_where_to_read_on(student: Any) -> None:
    text = [cell.source for cell in student.cells if cell.cell_type == "markdown"]
    assert text[0].startswith("# ")
    assert "**Aims" in text[0]
    assert re.search(r"\b\d+ (to \d+ )?min", text[0])
    closing = "\n".join(text[-2:]).lower()
    assert "what to read" in closing
    assert "try next" in closing
    first = next(cell.source for cell in student.cells if cell.cell_type == "code")
    assert first.splitlines() == ["%load_ext greennb", "%energy_auto on"]


def test_no_notebook_downloads_or_knows_this_machine(solution: Any) -> None:
    source = "\n".join(cell.source for cell in solution.cells if cell.cell_type == "code")
    assert not re.search(r"fetch_\w+\(|keras\.datasets|torchvision|urlopen|requests\.|/home/|/work/", source)


def test_the_outline_lists_every_notebook() -> None:
    outline = (STUDENTS / "README.md").read_text(encoding="utf-8")
    assert [name for name in CONTRACT if f"({name}.ipynb)" not in outline] == []
    assert SOLUTIONS.name in outline
