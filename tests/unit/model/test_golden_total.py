"""The totals that the page must make too: model/total.py and tests/data/total/totals.json say the same."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest

from greennb.model.total import Total

FOLDER = Path(__file__).parents[2] / "data" / "total"


def _make():
    spec = importlib.util.spec_from_file_location("make_total", FOLDER / "make.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_golden_total_is_what_the_model_makes() -> None:
    """A rule changed in Python alone would make the page's notebook total another than ``%energy_report``'s."""
    golden = json.loads((FOLDER / "totals.json").read_text(encoding="utf-8"))
    make = _make()
    assert len(golden) > 30
    for case in golden:
        made = make.total_dict(Total.of([make.read(part) for part in case["parts"]]))
        assert made.keys() == case["total"].keys()
        for name, expected in case["total"].items():
            same = pytest.approx(expected, rel=1e-12) if isinstance(expected, float) else expected
            assert made[name] == same, (case["case"], name)


def test_the_golden_file_is_what_its_script_writes() -> None:
    assert json.loads((FOLDER / "totals.json").read_text(encoding="utf-8")) == json.loads(json.dumps(_make().cases()))
