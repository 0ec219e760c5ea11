"""Tests that run where the virtual sensors are the machine's own: ``test_inside.py`` beside this folder starts them."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.rig.rig import FOLDER, Rig

collect_ignore_glob = [] if FOLDER in os.environ else ["test_*.py"]


@pytest.fixture
def rig() -> Iterator[Rig]:
    """The rig around this process, without faults before and after."""
    here = Rig.here()
    here.fault()
    yield here
    here.fault()
