"""Cards, quiet lines and tables as HTML: safe, self-contained, and honest."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greennb.model.measurement import Status
from greennb.model.series import Series
from greennb.model.wire import MIME_TYPE, measurement_from_dict
from greennb.views import html, mime, text
from greennb.views.compare import Comparison
from greennb.views.html_table import source, table_card
from greennb.views.shown import Shown
from greennb.views.style import COLOURS

HOSTILE = '<script>alert(1)</script><img src=x onerror="alert(2)">\x1b[31m\u202e\u2066"\'&' + "x" * 10_000
VOID = {"br", "meta", "img", "input", "hr", "link"}
ALLOWED = {"div", "span", "style", "i", "b", "bdi", "br", "table", "thead", "tbody", "tfoot", "tr", "th", "td", "code"}


class Page(HTMLParser):
    """What a browser would make of HTML: its elements, attributes and text; it refuses elements that do not nest."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.attributes, self._open, self._words = set(), set(), [], []
        self.feed(page)
        self.close()
        assert not self._open, f"left open: {self._open}"
        self.text = " ".join("".join(self._words).split())

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes |= {name for name, _value in attrs}
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag):
        assert self._open.pop() == tag
        if tag in ("div", "td", "th"):
            self._words.append(" ")

    def handle_data(self, data):
        if "style" not in self._open:
            self._words.append(data)


def cards(samples, label=""):
    """One of each kind of HTML that goes into an output."""
    parts = [make(label=label) for make in (samples.estimated, samples.counted, samples.mixed, samples.partial,
                                            samples.nothing)]  # fmt: skip
    series = [Series(label=label, measurements=(part, part, part)) for part in parts]
    pairs = [Comparison(a=part, b=parts[0]) for part in parts]
    return [
        *(html.card(part, history=parts, shown=Shown(unit=label, per=10, budget_j=1)) for part in parts),
        *(html.quiet_line(part) for part in parts),
        *(html.series_card(part) for part in series),
        *(html.comparison_card(pair) for pair in pairs),
        table_card(samples.notebook_run().cells),
    ]


@pytest.mark.parametrize("label", ["", "train", HOSTILE, "שלום עולם", "日本語" * 50])
def test_what_a_user_typed_is_shown_as_text(samples, label):
    for made in cards(samples, label):
        page = Page(made)
        assert page.tags <= ALLOWED
        assert page.attributes <= {"class", "style", "title", "role", "aria-label", "aria-hidden", "scope"}
        assert not re.search("[\x00-\x08\x0b-\x1f\u202a-\u202e\u2066-\u2069]", page.text)
        assert len(made) < 25_000


def test_a_hostile_label_is_readable_and_isolated(samples):
    card = html.card(samples.estimated(label=HOSTILE))
    assert "<script>alert(1)</script>" in Page(card).text
    assert "<bdi>&lt;script&gt;" in card


@given(label=st.text(max_size=80))
def test_any_label_leaves_a_card_whole(samples_of, label):
    assert Page(html.card(samples_of.estimated(label=label))).tags <= ALLOWED


@pytest.fixture(scope="module")
def samples_of(request):
    """The makers of measurements, once for all examples."""
    from types import SimpleNamespace

    conftest = request.config.pluginmanager.getplugin(str(request.path.parent / "conftest.py"))
    return SimpleNamespace(estimated=conftest.estimated)


def test_nothing_comes_from_elsewhere_and_nothing_runs(samples):
    for made in cards(samples):
        assert not re.search(r"https?:|url\(|@import|<script|javascript:|\son\w+=", made)


def test_every_rule_of_the_style_is_scoped_to_our_card():
    rules = re.sub(r"@media\([^)]*\)", "", html.CARD.removeprefix("<style>").removesuffix("</style>"))
    selectors = re.findall(r"([^{}]+)\{", rules)
    assert selectors
    assert all(selector.strip().startswith(".gnb-card") for selector in selectors)


def test_a_card_has_its_method_its_interval_and_what_is_not_in_it(samples):
    words = Page(html.card(samples.estimated(label="load"))).text
    for part in ("~41 J", "(28–60)", "estimated", "0.93 s", "~44 W on average", "~5.4 mg CO₂e (world average)", "load",
                 "Not included: memory, any GPU, disks"):  # fmt: skip
        assert part in words


def test_estimated_parts_are_hatched_and_measured_ones_are_not(samples):
    assert "gnb-est" in html.card(samples.estimated()).removeprefix(html.CARD).split("</style>")[1]
    assert "gnb-est" not in html.card(samples.counted()).split("</style>")[1]


def test_every_joule_of_an_estimate_carries_a_tilde(samples):
    for made in (
        html.card(samples.estimated(), history=[samples.estimated(40)]),
        html.quiet_line(samples.estimated()),
        html.series_card(Series(label="", measurements=(samples.estimated(), samples.estimated(43)))),
    ):
        words = Page(made).text
        assert re.search(r"~\d+ J", words)
        assert not re.search(r"(?<![~\d–(])\b\d[\d.]* (J|W|mWh)\b", re.sub(r"~\d[\d.]*–\d[\d.]*", "", words))


def test_nothing_measured_shows_no_number_no_bar_and_why(samples):
    card = html.card(samples.nothing()).replace(html.CARD, "")
    words = Page(card).text
    assert "not measured" in words
    assert "no sensor was found" in words
    assert "gnb-bar" not in card
    assert not re.search(r"\d J\b|\d W\b|CO₂e", words)


def test_a_partial_total_says_so_with_reason_and_hint(samples):
    words = Page(html.card(samples.partial())).text
    assert "partial" in words
    assert "CPU package-0: permission denied (2 times)" in words
    assert "run `greennb doctor`" in words
    assert "GPU NVIDIA H200: readings cover 97 % of the time" in words


@pytest.mark.parametrize(("status", "words"), [(Status.ERROR, "raised an error"), (Status.INTERRUPTED, "interrupted")])
def test_how_the_code_ended_is_shown(samples, status, words):
    assert words in Page(html.card(samples.counted(status=status))).text
    assert words in Page(html.quiet_line(samples.counted(status=status))).text


def test_contained_domains_are_named_as_such_and_not_drawn_twice(samples):
    card = html.card(samples.counted())
    assert "of which CPU cores core" in Page(card).text
    bar = card.split('class="gnb-bar"')[1].split("</div>")[0]
    assert bar.count("<i ") == 3


def test_net_and_gross_where_idle_is_known(samples):
    words = Page(html.card(samples.counted())).text
    assert "6.92 kJ above idle · idling would have cost 2.18 kJ" in words
    assert "above idle" not in Page(html.card(samples.estimated())).text


def test_history_is_compared_with_the_last_run(samples):
    words = Page(html.card(samples.counted(5600), history=[samples.counted(9000), samples.counted(9100)])).text
    assert "Earlier: 9.00 kJ, 9.10 kJ. Against the last one: this run used 3.50 kJ less than the last run" in words


def test_a_budget_that_is_passed_is_said(samples):
    words = Page(html.card(samples.counted(), shown=Shown(budget_j=8000))).text
    assert "over budget" in words
    assert "over its budget of 8.00 kJ by 14 %" in words
    assert "91 % of its budget of 10.0 kJ" in Page(html.card(samples.counted(), shown=Shown(budget_j=10_000))).text


def test_no_carbon_means_none(samples):
    assert "CO₂e" not in Page(html.card(samples.counted(), shown=Shown(carbon=False))).text


def test_a_series_shows_each_run_and_what_is_missing(samples):
    runs = (samples.counted(9100), samples.nothing(), samples.counted(8800))
    words = Page(html.series_card(Series(label="fit", measurements=runs))).text
    assert "8.9 kJ" in words
    assert "1 of 3 runs could not be measured; they are in no mean." in words
    assert "not measured" in words


def test_a_long_series_stays_short(samples):
    made = html.series_card(Series(label="", measurements=(samples.estimated(),) * 200))
    assert "and 188 runs more" in made
    assert len(made) < 12_000


def test_a_comparison_claims_no_saving(samples):
    both = Comparison(a=samples.counted(9100, label="fp32"), b=samples.counted(5600, label="bf16"))
    words = Page(html.comparison_card(both)).text
    assert "bf16 used 3.50 kJ less than fp32 (−38 %), one run each" in words
    assert "One run of each proves no saving" in words


def test_a_table_says_what_was_not_measured(samples):
    words = Page(table_card(samples.notebook_run().cells)).text
    assert "plt.plot(losses) not measured no result" in words
    assert "evaluate(model) # <script>alert('x')</script>" in words
    assert words.endswith("partial")


def test_source_keeps_its_indentation_and_leaves_our_magic_out():
    assert source("%%energy -n a\n\nfor x in y:\n    z(x)\n\n    w(x)\nv()", 2) == "for x in y:\n    z(x) …"


def test_colours_can_be_told_from_white_and_from_near_black():
    """WCAG 2.2, 1.4.11: graphics need a contrast of 3 to 1."""
    for colour in COLOURS.values():
        for ground in ("#ffffff", "#111111"):
            assert _contrast(colour, ground) >= 3, (colour, ground)


def test_a_bundle_has_json_html_and_text(samples):
    part = samples.counted(label="train")
    made = mime.bundle(part)
    assert set(made) == {MIME_TYPE, "text/html", "text/plain"}
    assert measurement_from_dict(made[MIME_TYPE]) == part
    assert made["text/plain"] == text.line(part)
    assert made["text/html"] == html.card(part)
    assert mime.bundle(part, quiet=True)["text/html"] == html.quiet_line(part)


def test_bundles_of_several_measurements(samples):
    a, b = samples.counted(label="a"), samples.counted(5000, label="b")
    for made in (
        mime.series_bundle(Series(label="s", measurements=(a, b))),
        mime.comparison_bundle(a, b, "first", "second"),
        mime.table_bundle(samples.notebook_run().cells),
    ):
        assert set(made) == {"text/html", "text/plain"}
    assert mime.comparison_bundle(a, b, "first", "second")["text/plain"].startswith("first")


def _contrast(one, other):
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour):
    def linear(channel):
        value = channel / 255
        return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4

    red, green, blue = (linear(int(colour[at : at + 2], 16)) for at in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
