"""Numbers and labels as people read them."""

import math
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greennb.model.reading import Method
from greennb.views.format import (
    NOT_MEASURED,
    co2e,
    columns,
    energy,
    energy_and_interval,
    grams,
    grams_and_range,
    interval,
    joules,
    money,
    pad,
    percent,
    plain,
    seconds,
    si_step,
    watt_hours,
    watts,
)

SCALES = {"n": 1e-9, "µ": 1e-6, "m": 1e-3, "": 1.0, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}


@pytest.mark.parametrize(
    "write", [joules, watts, watt_hours, grams, co2e, seconds, percent, lambda value: money(value, "EUR")]
)
@pytest.mark.parametrize("value", [None, math.nan, math.inf, -math.inf])
def test_what_is_missing_or_not_finite_is_said_and_never_zero(write, value):
    assert write(value) == NOT_MEASURED


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0, "0 J"), (1e-6, "1.00 µJ"), (0.0123, "12.3 mJ"), (0.9999, "1.00 J"), (41.2, "41.2 J"), (999.4, "999 J"),
        (999.6, "1.00 kJ"), (1234, "1.23 kJ"), (5e6, "5.00 MJ"), (1e12, "1.00 TJ"), (-3.2, "−3.20 J"),
    ],
)  # fmt: skip
def test_joules_have_three_digits_and_a_prefix(value, expected):
    assert joules(value) == expected


def test_estimates_carry_a_tilde_and_two_digits():
    assert joules(41.23, Method.ESTIMATED) == "~41 J"
    assert watts(44.3, Method.ESTIMATED) == "~44 W"
    assert co2e(0.00454, Method.ESTIMATED) == "~4.5 mg CO2e"
    assert watt_hours(41.2, Method.ESTIMATED) == "~11 mWh"
    assert "~" not in joules(41.23, Method.COUNTER) + joules(41.23, Method.INTEGRATED)


@pytest.mark.parametrize(
    ("total", "low", "high", "method", "expected"),
    [
        (1230, 1190, 1270, Method.COUNTER, "1.23 kJ ± 0.04"),
        (12400, 12100, 12700, Method.INTEGRATED, "12.4 kJ ± 0.3"),
        (41.2, 28.4, 59.6, Method.ESTIMATED, "~41 J (28–60)"),
        (41.2, 36.2, 46.2, Method.ESTIMATED, "~41 J (36–47)"),  # estimated: a range, symmetric or not
        (5, 0, 11, Method.INTEGRATED, "5.0 J (0–11.0)"),
        (1234.5678, 1234.5677, 1234.5679, Method.COUNTER, "1.235 kJ ± 0.001"),
        (41, 1.4, 300, Method.ESTIMATED, "~41 J (1–300)"),
        (100, 100, 100, Method.COUNTER, "100 J"),
        (0, 0, 0.02, Method.COUNTER, "0 mJ (0–20)"),
        (41.2, None, None, Method.COUNTER, "41.2 J"),
        (41.2, 28.4, math.nan, Method.ESTIMATED, "~41 J"),
        (None, None, None, None, NOT_MEASURED),
        (math.nan, 1, 2, Method.COUNTER, NOT_MEASURED),
    ],
)
def test_energy_has_its_interval_and_no_digit_finer_than_it(total, low, high, method, expected):
    assert energy(total, low, high, method) == expected


@given(
    total=st.floats(1e-6, 1e13),
    below=st.floats(1e-4, 1.0),
    above=st.floats(1e-4, 20.0),
    method=st.sampled_from(Method),
)
def test_a_written_interval_never_claims_more_than_the_true_one(total, below, above, method):
    """Ends are rounded outward, up to one part in 1e4 of the total that is lost in writing the total itself."""
    low, high = total * (1 - below), total * (1 + above)
    written_low, written_high = _read_back(energy(total, low, high, method))
    slack = 1e-9 * total
    assert written_low <= low + slack + abs(_head(energy(total, low, high, method)) - total)
    assert written_high >= high - slack - abs(_head(energy(total, low, high, method)) - total)


@given(st.floats(1e-8, 1e14))
def test_joules_read_back_within_half_a_percent(value):
    assert _head(joules(value)) == pytest.approx(value, rel=0.00501)


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(28.4, 59.6, "28–60 J"), (-5, -1, "−5.0 to −1.0 J"), (1190, 1270, "1.19–1.27 kJ"), (None, 3, NOT_MEASURED)],
)
def test_an_interval_stands_in_one_unit(low, high, expected):
    assert interval(low, high) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0, "0 s"), (12e-6, "12.0 µs"), (0.00021, "210 µs"), (0.093, "93.0 ms"), (0.93, "0.93 s"), (9.996, "10.0 s"),
        (71.23, "71.2 s"), (99.97, "100 s"), (119.4, "119 s"), (119.6, "2 min"), (845, "14 min 5 s"), (3599.7, "1 h"),
        (11520, "3 h 12 min"), (187200, "2 d 4 h"), (-2, "−2.00 s"), (1e12, "1.2e+07 d"),
    ],
)  # fmt: skip
def test_durations_read_as_people_say_them(value, expected):
    assert seconds(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0.0000045, "4.5 µg"), (0.0045, "4.5 mg"), (1.31, "1.3 g"), (2500, "2.5 kg"), (3.2e6, "3.2 t"), (0, "0 g")],
)
def test_grams_have_two_digits(value, expected):
    assert grams(value) == expected


def test_percent_keeps_small_shares_from_reading_zero():
    assert [percent(x) for x in (0, 0.0001, 0.012, 0.62, 1)] == ["0 %", "<0.1 %", "1.2 %", "62 %", "100 %"]
    assert [percent(x, signed=True) for x in (-0.38, 0.04, 0)] == ["−38 %", "+4 %", "0 %"]


def test_money_has_two_digits_and_its_currency():
    assert [money(x, "EUR") for x in (0, 0.00343, 12.3, 1234)] == ["0 EUR", "0.0034 EUR", "12 EUR", "1234 EUR"]


def test_watt_hours_of_joules():
    assert watt_hours(3600) == "1.00 Wh"


def test_an_axis_gets_one_prefix():
    assert si_step(9100) == (1000.0, "k")
    assert si_step(0.0) == (1.0, "")


def test_plain_takes_out_escapes_controls_and_bidi_overrides():
    assert plain("\x1b[31mred\x1b[0m \x1b]0;title\x07<b>\n\tx\u202e\u2066\u200f\x00\x9b1m", 40) == "red <b> x"


def test_plain_cuts_long_and_wide_text_to_columns():
    assert plain("a" * 10_000, 10) == "aaaaaaaaa…"
    assert columns(plain("日本語" * 100, 10)) <= 10
    assert len(plain("e" + "\u0301" * 10_000, 9)) < 60
    assert plain("anything", 0) == ""


@given(st.text(max_size=300), st.integers(1, 60))
def test_plain_is_printable_on_one_line_and_fits(text, width):
    shown = plain(text, width)
    assert columns(shown) <= width
    assert all(unicodedata.category(char)[0] != "C" and char not in "\u2028\u2029" for char in shown)


def test_pad_counts_columns_not_characters():
    assert pad("日本", 6) == "日本  "
    assert pad("ab", 4, right=True) == "  ab"


def _head(written):
    number, unit = written.removeprefix("~").split(" ")[:2]
    return _number(number) * SCALES[unit[:-1]]


def _read_back(written):
    """Low and high of "1.23 kJ ± 0.04" or "~41 J (28–60)" in joules."""
    scale = SCALES[written.removeprefix("~").split(" ")[1][:-1]]
    if "±" in written:
        half = _number(written.split("± ")[1]) * scale
        return _head(written) - half, _head(written) + half
    low, high = written.partition("(")[2].rstrip(")").split("–")
    return _number(low) * scale, _number(high) * scale


def _number(text):
    return float(text.replace("−", "-"))


@pytest.mark.parametrize(
    ("ends", "amount", "spread"),
    [
        ((9.36e6, 8.99e6, 9.73e6), "2.60 kWh", "2.49–2.71 kWh"),
        ((3.6e6, 3.6e6, 3.6e6), "1.00 kWh", ""),
        ((3600.0, None, 7200.0), "1.00 Wh", ""),
        ((0.0, 0.0, 3600.0), "0.0 Wh", "0–1.0 Wh"),
        ((None, None, None), "not measured", ""),
        ((math.inf, 0.0, math.inf), "not measured", ""),
    ],
)
def test_a_total_and_its_interval_are_of_one_unit_and_one_place(ends, amount, spread):
    assert energy_and_interval(*ends, Method.COUNTER, in_wh=True) == (amount, spread)


@pytest.mark.parametrize(
    ("ends", "amount", "spread"),
    [
        ((156.0, 149.0, 163.0), "160 g", "140–170 g"),
        ((0.00052, 0.00003, 0.00118), "520 µg", "30–1180 µg"),
        ((2.4e6, 1e6, 3e6), "2.4 t", "1.0–3.0 t"),
        ((0.0, 0.0, 720.0), "0 g", "0–800 g"),
        ((12.0, None, None), "12 g", ""),
    ],
)
def test_grams_and_their_range_are_of_one_unit_and_one_place(ends, amount, spread):
    """Two digits, outward: no intensity is known better."""
    assert grams_and_range(*ends) == (amount, spread)
