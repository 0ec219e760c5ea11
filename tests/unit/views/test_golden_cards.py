"""The words that the page must say too: views/html.py, views/text.py and tests/data/cards/cards.json say the same."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

from greennb.model.wire import MIME_TYPE, measurement_from_dict
from greennb.views import mime

FOLDER = Path(__file__).parents[2] / "data" / "cards"


def _make():
    spec = importlib.util.spec_from_file_location("make_cards", FOLDER / "make.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_golden_file_is_what_the_views_say() -> None:
    """A word changed in Python alone would make a notebook read differently in JupyterLab and elsewhere."""
    golden = json.loads((FOLDER / "cards.json").read_text(encoding="utf-8"))
    assert len(golden) > 40
    assert golden == json.loads(json.dumps(_make().cases()))


def test_the_json_of_an_output_says_how_it_is_shown(samples) -> None:
    """Nothing where it is shown plainly: the JSON is then the measurement and no more."""
    part = samples.counted(label="train")
    assert "shown" not in mime.bundle(part)[MIME_TYPE]
    shown = mime.bundle(part, quiet=True, net=True, budget_j=5.0)[MIME_TYPE]
    assert shown["shown"] == {"quiet": True, "net": True, "budget_j": 5.0}
    assert measurement_from_dict(shown) == part
