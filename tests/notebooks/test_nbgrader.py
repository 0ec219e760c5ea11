"""nbgrader itself hands the notebooks out and grades them. ``tools/nbgrader .venv .nbgrader`` installs it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.notebooks.books import NAMES, ROOT, SOLUTIONS, STUDENTS, environment, read

FOLDER = ROOT / ".nbgrader"

pytestmark = [
    pytest.mark.kernel,
    pytest.mark.skipif(not (FOLDER / ".stamp").exists(), reason="no nbgrader: sh tools/nbgrader .venv .nbgrader"),
]

GRADED = "02-joules-to-grams"
"""The quickest of them: autograding runs a notebook."""

CONFIG = """\
c = get_config()
c.ClearSolutions.code_stub = {"python": "...  # your code here"}
"""
"""As notebooks/README.md has it."""

VALIDATE = """\
import sys
from nbgrader.nbgraderformat import read
for path in sys.argv[1:]:
    read(path, as_version=4)
"""

SCORES = """\
import json
from nbgrader.api import Gradebook
with Gradebook("sqlite:///gradebook.db") as book:
    submitted = {it.student.id: it.notebooks for it in book.assignment_submissions("joules")}
    scores = {who: [[it.name, it.score, it.max_score] for it in notebooks] for who, notebooks in submitted.items()}
    print(json.dumps(scores))
"""


class Course:
    """A course as nbgrader lays it out."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "nbgrader_config.py").write_text(CONFIG, encoding="utf-8")
        (folder / "source" / "joules").mkdir(parents=True)
        for name in NAMES:
            shutil.copy(SOLUTIONS / f"{name}.ipynb", folder / "source" / "joules")

    def python(self, *words: str) -> str:
        environ = environment(
            self.folder,
            PYTHONPATH=str(FOLDER),
            PATH=os.pathsep.join([str(FOLDER / "bin"), str(Path(sys.executable).parent), os.environ["PATH"]]),
        )
        ran = subprocess.run(
            [sys.executable, *words], cwd=self.folder, env=environ, capture_output=True, text=True, check=False
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran.stdout

    def submit(self, student: str, notebook: Path) -> None:
        folder = self.folder / "submitted" / student / "joules"
        folder.mkdir(parents=True)
        shutil.copy(notebook, folder)


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    """A course whose assignment has been made from the solved notebooks."""
    made = Course(tmp_path_factory.mktemp("course"))
    made.python("-m", "nbgrader", "generate_assignment", "joules")
    return made


def test_its_validator_accepts_every_notebook(course: Course) -> None:
    course.python(
        "-c", VALIDATE, *(str(folder / f"{name}.ipynb") for name in NAMES for folder in (STUDENTS, SOLUTIONS))
    )


@pytest.mark.parametrize("released", NAMES)
def test_what_it_releases_is_the_students_version(course: Course, released: str) -> None:
    ours, theirs = (_cells(folder / f"{released}.ipynb") for folder in (STUDENTS, course.folder / "release" / "joules"))
    assert theirs == ours


def test_it_gives_all_points_to_the_solved_one_and_none_to_the_unsolved(course: Course) -> None:
    course.submit("ada", SOLUTIONS / f"{GRADED}.ipynb")
    course.submit("bob", course.folder / "release" / "joules" / f"{GRADED}.ipynb")
    course.python("-m", "nbgrader", "autograde", "joules", "--create")
    scores = json.loads(course.python("-c", SCORES))
    points = sum(
        cell.metadata.nbgrader.points
        for cell in read(SOLUTIONS / f"{GRADED}.ipynb").cells
        if cell.metadata.get("nbgrader", {}).get("grade")
    )
    assert [GRADED, points, points] in scores["ada"]
    assert [GRADED, 0, points] in scores["bob"]


def _cells(path: Path) -> list[tuple[Any, ...]]:
    return [(cell.id, cell.cell_type, cell.source) for cell in read(path).cells]
