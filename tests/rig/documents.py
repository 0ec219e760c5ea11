"""What tests want to know of a page, of LaTeX and of a model card, whoever wrote it."""

from __future__ import annotations

import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import yaml

CARD_FIELDS = frozenset({"emissions", "source", "training_type", "geographical_location", "hardware_used"})
"""The keys of ``co2_eq_emissions`` that https://huggingface.co/docs/hub/model-cards-co2 names."""

TEX = next((name for name in ("tectonic", "pdflatex") if shutil.which(name)), None)
"""A TeX that is on the PATH; None without one."""

NO_TEX = "neither pdflatex nor tectonic is on this machine's PATH"

_VOID = {"meta", "br", "hr", "img", "input", "link"}


class Page(HTMLParser):
    """Tags, words and links of a page whose elements are closed in their order."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str | None] = []
        self._open: list[str] = []
        self._words: list[str] = []
        self.feed(page)
        self.close()
        assert self._open == [], self._open
        self.words = " ".join(" ".join(self._words).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value for name, value in attrs if name in ("src", "href")]
        if tag not in _VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self._open:
            self._words.append(data)


def card(text: str) -> dict[str, Any]:
    """The fields of a model card's block, which has no others; grams are a number, all else is text."""
    told = yaml.safe_load(text)
    assert set(told) == {"co2_eq_emissions"}
    fields: dict[str, Any] = told["co2_eq_emissions"]
    assert {"emissions", "source", "hardware_used"} <= set(fields) <= CARD_FIELDS
    assert isinstance(fields["emissions"], int | float)
    assert all(isinstance(value, str) and value for name, value in fields.items() if name != "emissions")
    return fields


def compile_latex(text: str, folder: Path) -> Path:
    """The PDF that ``text`` becomes in an article that loads nothing but fonts; it fits on its pages."""
    assert TEX is not None
    file = folder / "article.tex"
    file.write_text(
        f"\\documentclass{{article}}\n\\usepackage[T1]{{fontenc}}\n\\begin{{document}}\n{text}\\end{{document}}\n",
        encoding="utf-8",
    )
    options = ["-interaction=nonstopmode", "-halt-on-error"] if TEX == "pdflatex" else ["--keep-logs"]
    done = subprocess.run([TEX, *options, file.name], cwd=folder, capture_output=True, text=True, errors="replace")
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    log = file.with_suffix(".log").read_text(encoding="utf-8", errors="replace")
    assert "Float too large" not in log
    return file.with_suffix(".pdf")
