"""What a terminal shows. Golden texts are in tests/data/views."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from greennb.model.footprint import Origin
from greennb.model.measurement import Status
from greennb.model.series import Series
from greennb.views import text
from greennb.views.compare import Comparison
from greennb.views.format import columns
from greennb.views.shown import Shown
from greennb.views.table import table
from greennb.views.words import origin

GOLDEN = Path(__file__).parents[2] / "data" / "views"


def test_an_estimate_in_a_line(samples):
    assert (
        text.line(samples.estimated())
        == "~41 J (28–60) · 0.93 s · ~44 W · CPU estimated · ~5.4 mg CO2e (world average)"
    )


def test_counters_in_a_line(samples):
    assert text.line(samples.counted(label="train")) == (
        "train: 9.10 kJ ± 0.19 · 71.2 s · 128 W · GPU, CPU, memory counter · 960 mg CO2e (static 2023 Germany)"
    )


def test_a_mixed_total_is_called_by_its_worst_part(samples):
    line = text.line(samples.mixed())
    assert line.startswith("~1.05 kJ (0.97–1.17)")
    assert "GPU integrated + CPU estimated" in line


def test_a_partial_total_says_what_is_missing(samples):
    assert text.line(samples.partial()).endswith("· partial: CPU missing, GPU has gaps")


def test_nothing_measured_is_said_with_the_reason_and_is_no_zero(samples):
    assert text.line(samples.nothing()) == "not measured · 0.50 s · partial: no sensor was found"


@pytest.mark.parametrize(("status", "words"), [(Status.ERROR, "raised an error"), (Status.INTERRUPTED, "interrupted")])
def test_how_the_code_ended_is_said(samples, status, words):
    assert text.line(samples.estimated(status=status)).endswith(f"· {words}")


@pytest.mark.parametrize("name", ["estimated", "counted", "mixed", "partial", "nothing"])
def test_the_block_is_as_it_was(samples, name):
    made = text.block(getattr(samples, name)(label="train <b>"))
    assert made + "\n" == (GOLDEN / f"block-{name}.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("unicode", [True, False])
def test_the_table_is_as_it_was(samples, unicode):
    made = text.table(samples.notebook_run().cells, unicode=unicode)
    assert made + "\n" == (GOLDEN / f"table-{'unicode' if unicode else 'ascii'}.txt").read_text(encoding="utf-8")


def test_the_table_fits_and_plain_means_ascii(samples):
    rows = [("[1]", "日本語 " * 40, samples.counted()), ("[2]", "x" * 10_000, samples.mixed(status=Status.INTERRUPTED)),
            ("[3]", "\u202e\x1b[31mred\x1b[0m", None)]  # fmt: skip
    assert max(columns(line) for line in table(rows).splitlines()) <= 100
    plain = table(rows, unicode=False)
    assert plain.isascii()
    assert max(map(len, plain.splitlines())) <= 100
    assert "\x1b" not in table(rows)


def test_an_empty_table_measured_nothing():
    assert "not measured" in table([]).splitlines()[-1]


def test_every_row_with_joules_has_their_method(samples):
    for row in table([("[1]", "a", samples.estimated()), ("[2]", "b", samples.counted())]).splitlines()[2:]:
        if " J" in row or "kJ" in row:
            assert "estimated" in row or "counter" in row


def test_a_series_in_a_line(samples):
    counted = Series(label="fit", measurements=tuple(samples.counted(joules) for joules in (9100, 9150, 9010)))
    assert text.series(counted) == (
        "fit: 9.09 kJ ± 0.18 a run · mean of 3 runs, scatter 8.91–9.27 kJ (±1.9 %) · 71.2 s · GPU, CPU, memory counter"
    )


def test_a_series_of_estimates_says_that_scatter_is_not_all(samples):
    line = text.series(Series(label="", measurements=tuple(samples.estimated(j) for j in (41, 41.5, 40.8))))
    assert line.startswith("~41 J (28–60) a run · mean of 3 runs, scatter alone ~40.2–42.0 J")


def test_a_series_says_what_is_missing(samples):
    one = Series(label="", measurements=(samples.counted(), samples.nothing()))
    assert "1 run, no interval from scatter" in text.series(one)
    assert text.series(one).endswith("1 of 2 not measured")
    assert text.series(Series(label="", measurements=(samples.nothing(),))) == "not measured in 1 run"


def test_a_difference_beyond_the_intervals_is_said_as_one_run_each(samples):
    both = Comparison(a=samples.counted(9100, label="fp32"), b=samples.counted(5600, label="bf16"))
    assert both.verdict == "bf16 used 3.50 kJ less than fp32 (−38 %), one run each"
    assert text.comparison(both).splitlines()[0].startswith("fp32  9.10 kJ ± 0.19 · ")


def test_overlapping_intervals_show_no_difference(samples):
    both = Comparison(a=samples.estimated(41), b=samples.estimated(48))
    assert both.verdict == "no difference beyond the intervals"
    assert both.names == ("A", "B")


def test_what_was_measured_otherwise_or_not_at_all_is_not_compared(samples):
    a, b = samples.estimated(41), samples.counted(48)
    assert Comparison(a=a, b=b).verdict == "not comparable: A is CPU estimated, B is GPU, CPU, memory counter"
    assert Comparison(a=a, b=samples.nothing(), name_b="later").verdict == "cannot compare: later was not measured"


def test_a_comparison_says_when_a_part_is_missing(samples):
    both = Comparison(a=samples.partial(), b=samples.partial())
    assert both.verdict == "no difference beyond the intervals; something is missing from A and from B"


def test_the_same_label_twice_is_told_apart(samples):
    assert Comparison(a=samples.counted(label="x"), b=samples.counted(label="x")).names == ("x (A)", "x (B)")


def test_net_budget_units_and_price_are_shown_when_asked(samples):
    shown = Shown(net=True, carbon=False, budget_j=8000, per=1000, unit="predictions", price=0.3, currency="EUR")
    line = text.line(samples.counted(), shown)
    assert line.startswith("6.92 kJ above idle, of 9.10 kJ ± 0.19 · ")
    assert "over its budget of 8.00 kJ by 14 %" in line
    assert "9.10 J for each of 1000 predictions" in line
    assert "0.00076 EUR" in line
    assert "CO2e" not in line


def test_net_without_a_baseline_says_so(samples):
    assert text.line(samples.estimated(), Shown(net=True)).startswith("~41 J (28–60), no idle baseline to take off")


def test_where_an_intensity_comes_from(samples):
    at = samples.START
    live = replace(samples.GERMANY, origin=Origin.LIVE, as_of=(at - timedelta(minutes=4)).isoformat())
    guessed = replace(samples.GERMANY, origin=Origin.GUESSED, zone="France")
    assert origin(live, at) == "live Germany, 4 min old"
    assert origin(replace(live, as_of="?"), at) == "live Germany, of unknown age"
    assert origin(guessed, at) == "guessed from time zone: France"
    assert origin(replace(guessed, origin=Origin.USER), at) == "set by you"
    assert origin(samples.GERMANY, at) == "static 2023 Germany"


def test_a_label_of_any_kind_stays_one_short_line(samples):
    line = text.line(samples.estimated(label="\x1b[2J<script>\n\u202e" + "x" * 10_000))
    assert "\x1b" not in line
    assert "\n" not in line
    assert "\u202e" not in line
    assert len(line) < 160


def test_a_fault_that_names_its_device_is_not_named_twice(samples):
    named = replace(samples.DENIED, reason="package-0: permission denied")
    assert "CPU package-0: permission denied." in text.block(samples.measurement(faults=(named,)))
