"""What a notebook writes beside it can be opened by what it was written for: a browser, a TeX, the Hugging Face Hub."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.notebooks.books import Execution
from tests.rig.documents import NO_TEX, TEX, Page, card, compile_latex

pytestmark = pytest.mark.kernel

CASE_STUDY = "08-case-study"


def written(solved: Execution, suffix: str) -> list[Path]:
    """Statements in that form; the notebook's own copy and outputs are not among them."""
    return sorted(solved.folder.glob(f"reports/*{suffix}"))


def test_pages_are_whole_and_need_nothing_from_elsewhere(name: str, solved: Execution) -> None:
    pages = [Page(file.read_text(encoding="utf-8")) for file in written(solved, ".html")]
    assert bool(pages) == (name == CASE_STUDY)
    for page in pages:
        assert page.links == []
        assert "script" not in page.tags
        assert "kWh" in page.words or "Wh" in page.words


def test_model_cards_have_the_fields_of_the_hub(name: str, solved: Execution) -> None:
    cards = [card(file.read_text(encoding="utf-8")) for file in written(solved, ".yaml")]
    assert bool(cards) == (name == CASE_STUDY)
    assert all(fields["emissions"] > 0 for fields in cards)


@pytest.mark.skipif(TEX is None, reason=NO_TEX)
def test_latex_compiles(name: str, solved: Execution, tmp_path: Path) -> None:
    files = written(solved, ".tex")
    assert bool(files) == (name == CASE_STUDY)
    for file in files:
        assert compile_latex(file.read_text(encoding="utf-8"), tmp_path).stat().st_size > 5000
