"""scikit-learn with and without the observer: scores, models, random states, warnings, errors bit for bit the same."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]

WORK = Path(__file__).with_name("same_sklearn_work.py")


@cache
def ran(how: str) -> Any:
    env = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, str(WORK), how], capture_output=True, text=True, env=env, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_everything_is_as_without_the_observer() -> None:
    with_us, without = ran("observed"), ran("plain")
    assert with_us["said"] == []
    different = {
        name: (it, with_us["out"].get(name)) for name, it in without["out"].items() if with_us["out"].get(name) != it
    }
    assert different == {}
    assert with_us["out"].keys() == without["out"].keys()
