"""Each notebook is executed twice for all the tests of it: as a student gets it, and solved."""

from __future__ import annotations

from typing import Any

import pytest

from tests.notebooks.books import NAMES, RIG_W, SOLUTIONS, STUDENTS, Execution, in_greennb_run, in_nbclient, read


@pytest.fixture(scope="session", params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    """A notebook's name; pytest keeps the tests of one together."""
    return str(request.param)


@pytest.fixture(scope="session")
def unsolved(name: str, tmp_path_factory: pytest.TempPathFactory) -> Execution:
    """The student's version through nbclient: far away in time, in another language, on a CPU of many watts."""
    return in_nbclient(
        read(STUDENTS / f"{name}.ipynb"), tmp_path_factory.mktemp("students"), TZ="Pacific/Chatham",
        LC_ALL="de_DE.UTF-8", LANGUAGE="de", GREENNB_SOURCES="estimate", GREENNB_TDP=str(RIG_W["students"]),
    )  # fmt: skip


@pytest.fixture(scope="session")
def solved(name: str, tmp_path_factory: pytest.TempPathFactory) -> Execution:
    """The solved version through ``greennb run``, on a CPU of few watts."""
    return in_greennb_run(
        SOLUTIONS / f"{name}.ipynb", tmp_path_factory.mktemp("solved"),
        GREENNB_SOURCES="estimate", GREENNB_TDP=str(RIG_W["solved"]),
    )  # fmt: skip


@pytest.fixture(scope="session")
def student(name: str) -> Any:
    """The student's version as it lies there."""
    return read(STUDENTS / f"{name}.ipynb")


@pytest.fixture(scope="session")
def solution(name: str) -> Any:
    """The solved version as it lies there."""
    return read(SOLUTIONS / f"{name}.ipynb")
