"""Plots, and the report's page."""

import re
import sys
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from greennb.model.measurement import Status
from greennb.model.run import CellCost
from greennb.views.plot import bars, figure_png, figure_svg
from greennb.views.report import html_report

PNG = b"\x89PNG\r\n\x1a\n"


def words_of(figure):
    return [text.get_text() for text in figure.findobj(lambda artist: hasattr(artist, "get_text"))]


def test_bars_have_units_methods_and_intervals(samples):
    figure = bars([samples.counted(), samples.mixed()], ["train", "evaluate"])
    words = " | ".join(words_of(figure))
    assert "energy in kJ, whiskers: 95 % interval" in words
    for legend in ("GPU, counter", "CPU, counter", "memory, counter", "GPU, integrated", "CPU, estimated"):
        assert legend in words
    assert "9.10 kJ ± 0.19" in words
    assert "~1.05 kJ (0.97–1.17)" in words


def test_stacked_bars_end_at_the_total_and_contained_domains_are_not_stacked(samples):
    measured = samples.counted()
    axes = bars([measured], ["train"]).axes[0]
    ends = [patch.get_x() + patch.get_width() for patch in axes.patches]
    assert max(ends) * 1000 == pytest.approx(measured.total_j)
    assert len(ends) == 3


def test_only_estimates_are_hatched(samples):
    hatches = [patch.get_hatch() for patch in bars([samples.mixed()], ["x"]).axes[0].patches]
    assert hatches == [None, "////"]


def test_what_was_not_measured_has_no_bar_and_says_so(samples):
    figure = bars([samples.nothing(), None, samples.counted()], ["a", "b", "c"])
    assert words_of(figure).count(" not measured") == 2
    assert len(figure.axes[0].patches) == 3


def test_many_bars_are_cut_to_the_costliest_and_it_is_said(samples):
    figure = bars([samples.estimated(joules + 1.0) for joules in range(60)], [f"cell {n}" for n in range(60)])
    words = " | ".join(words_of(figure))
    assert "the 40 costliest of 60" in words
    assert "cell 59" in words
    assert "cell 19 " not in words + " "


@pytest.mark.parametrize("label", ["$x_{1$", "<b>&", "\u202eabc\x1b[1m", "日本語", "x" * 10_000, ""])
def test_any_label_is_drawn_as_text(samples, label):
    figure = bars([samples.estimated()], [label])
    assert figure_png(figure, dpi=40).startswith(PNG)
    assert "<b>" not in figure_svg(figure)


def test_empty_plots_are_plots():
    assert figure_png(bars([], []), dpi=40).startswith(PNG)


def test_labels_must_match(samples):
    with pytest.raises(ValueError, match="as many labels"):
        bars([samples.estimated()], [])


def test_pyplot_stays_unloaded_and_the_callers_settings_untouched(samples):
    import matplotlib

    before, loaded = dict(matplotlib.rcParams), "matplotlib.pyplot" in sys.modules
    figure_svg(bars([samples.estimated()], ["x"]))
    assert dict(matplotlib.rcParams) == before
    assert ("matplotlib.pyplot" in sys.modules) == loaded


def test_svg_is_an_element_in_the_pages_own_colour_the_same_each_time(samples):
    first, second = (figure_svg(bars([samples.mixed()], ["x"])) for _ in range(2))
    assert first == second
    assert first.startswith("<svg")
    assert "currentColor" in first
    assert "<metadata" not in first


class Page(HTMLParser):
    """Tags, links and words of a page."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.links, self._words, self._hidden = [], [], [], 0
        self.feed(page)
        self.close()
        self.words = " ".join(" ".join(self._words).split())

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self._hidden += tag in ("style", "title")
        self.links += [value for name, value in attrs if name in ("src", "href", "xlink:href")]

    def handle_endtag(self, tag):
        self._hidden -= tag in ("style", "title")

    def handle_data(self, data):
        if not self._hidden:
            self._words.append(data)


def test_the_report_needs_nothing_from_elsewhere(samples):
    made = html_report(samples.notebook_run())
    page = Page(made)
    assert not {"script", "link", "img", "iframe", "object"} & set(page.tags)
    assert all(link.startswith("#") for link in page.links)
    assert not re.search(r"url\((?!#)|@import", made)
    assert page.tags.count("svg") == 1


def test_the_report_tells_all_that_is_known(samples):
    words = Page(html_report(samples.notebook_run(), version="0.1.0")).words
    for part in (
        "notebooks/01-first-joule.ipynb", "~10.71 kJ", "(10.50–10.94)", "estimated", "partial",
        "Cell 11 raised ZeroDivisionError", "rapl: refused", "cell #14 was not measured",
        "GPU NVIDIA H200: readings do not cover all of cell [5]", "381 g/kWh, static 2023 Germany",
        "475 g/kWh (30–900), world average", "PUE is 1", "host-a", "2026-03-01 09:30:00 UTC", "python3", "0.1.0",
        "Not included: disks", "95 % interval",
    ):  # fmt: skip
        assert part in words, part


def test_the_report_shows_what_a_user_wrote_as_text(samples):
    hostile = '</main><script>alert(1)</script>\u202e"' + "x" * 10_000
    run = samples.notebook_run()
    cell = CellCost(index=0, cell_id=hostile, source=hostile, measurement=samples.counted(label=hostile))
    made = html_report(
        replace(run, notebook=hostile, host=hostile, kernel=hostile, error=hostile, sources=(hostile,), cells=(cell,))
    )
    page = Page(made)
    assert "script" not in page.tags
    assert page.tags.count("main") == 1
    assert "\u202e" not in made
    assert "<script>alert(1)</script>" in page.words


def test_a_run_without_joules_says_so_and_has_no_plot(samples):
    cell = CellCost(index=0, cell_id=None, source="x", measurement=samples.nothing(status=Status.ERROR))
    page = Page(html_report(samples.notebook_run(cells=(cell,))))
    assert "svg" not in page.tags
    assert "not measured: no source of joules gave a reading" in page.words
    assert not re.search(r"\d J\b", page.words)


def test_an_empty_run_is_still_a_page(samples):
    assert "0 cells" in Page(html_report(samples.notebook_run(cells=()))).words


def test_a_run_without_carbon_says_why(samples):
    cell = CellCost(index=0, cell_id=None, source="x", measurement=samples.counted(intensity=None))
    assert "no grams are shown" in Page(html_report(samples.notebook_run(cells=(cell,)))).words
