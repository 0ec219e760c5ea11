"""The texts that the page must write too: views/format.py and tests/data/format/format.json say the same."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "data" / "format"


def _make():
    spec = importlib.util.spec_from_file_location("make_format", FOLDER / "make.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_golden_text_is_what_the_views_write() -> None:
    """A format changed in Python alone would make the page and the notebook say two things about one number."""
    golden = json.loads((FOLDER / "format.json").read_text(encoding="utf-8"))
    make = _make()
    assert len(golden) > 1000
    assert golden == [{**case, "text": make.written(case["format"], case["args"])} for case in golden]


def test_the_golden_file_is_what_its_script_writes() -> None:
    assert json.loads((FOLDER / "format.json").read_text(encoding="utf-8")) == json.loads(json.dumps(_make().cases()))
