"""One place for units and significant digits: numbers and labels as people read them.

Missing and non-finite numbers are written as "not measured", never as 0. Numbers of an estimate carry "~".
Ends of intervals are rounded outward and no total is written finer than its interval.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable

from greennb.model.reading import Method
from greennb.model.units import g_to_kg, j_to_wh

NOT_MEASURED = "not measured"
"""What stands where there is no number."""

_PREFIXES = {-9: "n", -6: "µ", -3: "m", 0: "", 3: "k", 6: "M", 9: "G", 12: "T"}
_MOST_DIGITS = 4  # significant digits of a total, however small its interval: nobody reads more


def joules(value: float | None, method: Method | None = None) -> str:
    """Joules with an SI prefix: "41.2 J"; "~41 J" where ``method`` says that they are estimated."""
    return _quantity(value, "J", method)


def watts(value: float | None, method: Method | None = None) -> str:
    """Watts with an SI prefix: "43.9 W"; "~44 W" where ``method`` says that they are estimated."""
    return _quantity(value, "W", method)


def watt_hours(value_j: float | None, method: Method | None = None) -> str:
    """``value_j`` joules written as watt hours: "3.44 Wh"."""
    return _quantity(None if value_j is None else j_to_wh(value_j), "Wh", method)


def grams(value: float | None, method: Method | None = None) -> str:
    """Grams with two significant digits, in mg, g, kg or t: carbon intensities are not known better."""
    mark = _mark(method)
    if value is not None and math.isfinite(value) and abs(g_to_kg(g_to_kg(value))) >= 1:
        return f"{mark}{_scaled(g_to_kg(g_to_kg(value)), 't', 2, lowest=0, highest=12)}"
    return _number(value, "g", mark, digits=2, highest=3)


def co2e(value: float | None, method: Method | None = None) -> str:
    """Grams of CO2 equivalent: "4.5 mg CO2e"."""
    text = grams(value, method)
    return text if text == NOT_MEASURED else f"{text} CO2e"


def money(value: float | None, currency: str, method: Method | None = None) -> str:
    """A price with two significant digits: "0.0034 EUR"; "not measured" where there is none."""
    if value is None or not math.isfinite(value):
        return NOT_MEASURED
    magnitude = _magnitude(value, 2)
    amount = f"{value:.1e}" if value and magnitude < -6 else _fixed(value, max(0, 1 - magnitude) if value else 0)
    return f"{_mark(method)}{amount} {plain(currency, 12)}".rstrip()


def energy(total_j: float | None, low_j: float | None, high_j: float | None, method: Method | None) -> str:
    """A total with its 95 % interval: "1.23 kJ ± 0.04" where symmetric, "~41 J (28–60)" where estimated.

    The interval is in the total's unit. A total without an interval stands alone.
    """
    if total_j is None or not math.isfinite(total_j):
        return NOT_MEASURED
    if low_j is None or high_j is None or not (math.isfinite(low_j) and math.isfinite(high_j)):
        return joules(total_j, method)
    below, above = max(0.0, total_j - low_j), max(0.0, high_j - total_j)
    if below == above == 0:
        return joules(total_j, method)
    exponent = _exponent(total_j if total_j else max(below, above))
    scale = 10.0**exponent
    total, unit = total_j / scale, f"{_PREFIXES[exponent]}J"
    decimals = _decimals(total, min(side for side in (below, above) if side > 0) / scale)
    head = f"{_mark(method)}{_fixed(total, decimals)} {unit}"
    if method is not Method.ESTIMATED and math.isclose(below, above, rel_tol=0.05):
        return f"{head} ± {_outward(max(below, above) / scale, decimals, up=True)}"
    return f"{head} ({_range(low_j / scale, high_j / scale, decimals)})"


def si_step(largest: float) -> tuple[float, str]:
    """What to divide by, and the SI prefix, for an axis that goes up to ``largest``: 9100 gives (1000.0, "k")."""
    exponent = _exponent(largest) if math.isfinite(largest) else 0
    return 10.0**exponent, _PREFIXES[exponent]


def interval(low_j: float | None, high_j: float | None) -> str:
    """A range of joules in one unit, rounded outward: "28–60 J"."""
    if low_j is None or high_j is None or not (math.isfinite(low_j) and math.isfinite(high_j)):
        return NOT_MEASURED
    exponent = _exponent(max(abs(low_j), abs(high_j)))
    scale = 10.0**exponent
    decimals = _decimals((low_j + high_j) / 2 / scale, (high_j - low_j) / 2 / scale)
    return f"{_range(low_j / scale, high_j / scale, decimals)} {_PREFIXES[exponent]}J"


def energy_and_interval(
    total_j: float | None, low_j: float | None, high_j: float | None, method: Method | None, *, in_wh: bool = False
) -> tuple[str, str]:
    """A total and its 95 % interval apart, in one unit and to the same place: ("2.60 kWh", "2.49–2.71 kWh").

    The interval is "" where there is none, or no width of it.
    """
    ends = (total_j, low_j, high_j)
    return _apart(_each(j_to_wh, ends), "Wh", method) if in_wh else _apart(ends, "J", method)


def grams_and_range(
    value: float | None, low: float | None, high: float | None, method: Method | None = None
) -> tuple[str, str]:
    """Grams with two significant digits, and their range to the same place: ("160 g", "140–170 g")."""
    ends = (value, low, high)
    if value is not None and math.isfinite(value) and g_to_kg(g_to_kg(value)) >= 1:
        return _apart(_each(lambda g: g_to_kg(g_to_kg(g)), ends), "t", method, digits=2)
    return _apart(ends, "g", method, digits=2, highest=3)


_Ends = tuple[float | None, float | None, float | None]


def _each(change: Callable[[float], float], ends: _Ends) -> _Ends:
    value, low, high = (None if it is None else change(it) for it in ends)
    return value, low, high


def _apart(ends: _Ends, unit: str, method: Method | None, digits: int = 0, highest: int = 12) -> tuple[str, str]:
    """A value and its range, to ``digits`` significant digits of the value, or as fine as the range says where 0."""
    value, low, high = ends
    if value is None or not math.isfinite(value):
        return NOT_MEASURED, ""
    if low is None or high is None or not (math.isfinite(low) and math.isfinite(high)):
        low = high = value
    narrowest = min((side for side in (value - low, high - value) if side > 0), default=0.0)
    exponent = min(highest, max(-9, _exponent(value or max(abs(low), abs(high)), digits or 3)))
    scale, name = 10.0**exponent, f"{_PREFIXES[exponent]}{unit}"
    decimals = _decimals(value / scale, narrowest / scale)
    if digits and value:
        decimals = digits - 1 - _magnitude(value / scale, digits)
    amount = f"{_mark(method)}{_fixed(value / scale, decimals)} {name}"
    return amount, f"{_range(low / scale, high / scale, decimals)} {name}" if narrowest else ""


def seconds(value: float | None) -> str:
    """A duration: "210 µs", "93.0 ms", "0.93 s", "71.2 s", "14 min 5 s", "3 h 12 min", "2 d 4 h"."""
    if value is None or not math.isfinite(value):
        return NOT_MEASURED
    sign, value = ("−", -value) if value < 0 else ("", value)
    if value == 0:
        return "0 s"
    if value < 0.0995:
        return f"{sign}{_scaled(value, 's', 3, lowest=-9, highest=-3)}"
    if value < 9.995:
        return f"{sign}{value:.2f} s"
    if value < 119.5:
        return f"{sign}{value:.{1 if value < 99.95 else 0}f} s"
    return sign + _clock(value)


def whole_seconds(value: float) -> str:
    """A duration to the whole second, as on an axis: "45 s", "2 min 30 s", "1 h"."""
    return _clock(value) if round(value) >= 60 else f"{round(value)} s"


def percent(fraction: float | None, *, signed: bool = False) -> str:
    """A share (1 is the whole): "62 %"; with ``signed`` "+4 %" and "−38 %"."""
    if fraction is None or not math.isfinite(fraction):
        return NOT_MEASURED
    value = fraction * 100
    if value and abs(value) < 0.05:
        return "<0.1 %" if value > 0 else ">−0.1 %"
    text = f"{value:.2g}" if abs(value) >= 1e6 else _fixed(value, 0 if abs(value) >= 9.95 or value == 0 else 1)
    return f"{'+' if signed and value > 0 else ''}{text.removesuffix('.0')} %"


def percents(low: float | None, high: float | None) -> str:
    """A range of shares, rounded outward to whole percent: "27–38 %", "−5 to 2 %"; "not measured" without an end."""
    if low is None or high is None or not (math.isfinite(low) and math.isfinite(high)):
        return NOT_MEASURED
    return f"{_range(low * 100, high * 100, 0)} %"


def size(value: float) -> str:
    """Bytes with a binary prefix: "512 MiB"."""
    for scale, unit in ((2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB")):
        if abs(value) >= 0.95 * scale:
            return f"{value / scale:.3g} {unit}"
    return f"{value:.0f} B"


def count(value: float) -> str:
    """How many, in full and to a whole one: "2,000"."""
    return f"{value:,.0f}" if math.isfinite(value) else NOT_MEASURED


_ANSI = r"\x1b\[[0-?]*[ -/]*[@-~]|\x9b[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[@-_]?"
_SPACES = frozenset("\t\n\v\f\r\x85\u2028\u2029")


def plain(text: str, width: int) -> str:
    """``text`` on one line of at most ``width`` terminal columns, safe to print anywhere.

    Terminal escapes, control characters and invisible format characters (bidirectional overrides among them)
    are taken out, white space is one blank, and what is too long ends in "…".
    """
    text = text[: 40 * width + 400]  # a label may be megabytes; escapes take some room
    if not (text.isascii() and text.isprintable()):
        text = re.sub(_ANSI, "", text)
        text = "".join(" " if char in _SPACES else char for char in text if char in _SPACES or _shows(char))
    text = " ".join(text.split())
    if len(text) <= width and columns(text) <= width:
        return text
    return _cut(text, width - 1) + "…" if width > 0 else ""


def columns(text: str) -> int:
    """Columns that ``text`` takes in a terminal: 2 for wide East Asian characters, 0 for combining ones."""
    return len(text) if text.isascii() else sum(map(_columns, text))


def pad(text: str, width: int, *, right: bool = False) -> str:
    """``text`` filled with blanks to ``width`` terminal columns, set to the left or to the right."""
    blanks = " " * (width - columns(text))
    return blanks + text if right else text + blanks


def _columns(char: str) -> int:
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def _shows(char: str) -> bool:
    """Not control, format (bidi marks, zero-width), surrogate, private or unassigned."""
    return unicodedata.category(char)[0] != "C"


def _cut(text: str, width: int) -> str:
    taken = 0
    for position, char in enumerate(text):
        taken += _columns(char)
        if taken > width or position >= 4 * width:  # stacked combining marks have no columns, but have an end
            return text[:position].rstrip()
    return text


def _mark(method: Method | None) -> str:
    return "~" if method is Method.ESTIMATED else ""


def _quantity(value: float | None, unit: str, method: Method | None) -> str:
    return _number(value, unit, _mark(method), digits=2 if method is Method.ESTIMATED else 3)


def _number(value: float | None, unit: str, mark: str, *, digits: int, highest: int = 12) -> str:
    if value is None or not math.isfinite(value):
        return NOT_MEASURED
    return mark + _scaled(value, unit, digits, lowest=-9, highest=highest)


def _scaled(value: float, unit: str, digits: int, *, lowest: int, highest: int) -> str:
    exponent = min(highest, max(lowest, _exponent(value, digits)))
    scaled = value / 10.0**exponent
    if abs(scaled) >= 1e6 or 0 < abs(scaled) < 1e-3:
        return f"{scaled:.{digits - 1}e} {_PREFIXES[exponent]}{unit}".replace("-", "−")
    return f"{_fixed(scaled, digits - 1 - _magnitude(scaled, digits)) if scaled else '0'} {_PREFIXES[exponent]}{unit}"


def _magnitude(value: float, digits: int = 3) -> int:
    """The power of ten of ``value`` once it is rounded to ``digits`` significant digits; 0 for 0."""
    return int(f"{abs(value):.{digits - 1}e}".partition("e")[2]) if value else 0


def _exponent(value: float, digits: int = 3) -> int:
    """The exponent of the SI prefix that suits ``value``."""
    return min(12, max(-9, 3 * (_magnitude(value, digits) // 3)))


def _decimals(total: float, half_width: float) -> int:
    """Decimals for a total: one digit of its half-width (two where that starts with 1 or 2), 2 to 4 of its own."""
    magnitude = _magnitude(total)
    if half_width <= 0:
        return 2 - magnitude
    decade = _magnitude(half_width, 6)  # rounded first: 0.3 / 0.1 is 2.9999999999999996
    decimals = -decade + (1 if round(half_width / 10.0**decade, 5) < 3 else 0)
    return max(1 - magnitude, min(_MOST_DIGITS - 1 - magnitude, decimals)) if total else decimals


def _fixed(value: float, decimals: int) -> str:
    """``value`` with ``decimals`` places (negative rounds to tens, hundreds) and a real minus sign."""
    text = f"{round(value, decimals):.{max(0, decimals)}f}"
    negative = text.startswith("-") and any(digit in text for digit in "123456789")
    return f"{'−' if negative else ''}{text.removeprefix('-')}"


def _outward(value: float, decimals: int, *, up: bool) -> str:
    """An end of an interval, rounded away from the middle."""
    step = 10.0**-decimals
    steps = value / step
    whole = math.ceil(steps - 1e-6) if up else math.floor(steps + 1e-6)  # 0.3 / 0.1 is 2.9999999999999996
    return _fixed(whole * step, decimals) if whole else "0"


def _range(low: float, high: float, decimals: int) -> str:
    dash = " to " if low < 0 or high < 0 else "–"  # "−5–−1" cannot be read
    return f"{_outward(low, decimals, up=False)}{dash}{_outward(high, decimals, up=True)}"


def _clock(value: float) -> str:
    minutes, rest = divmod(round(value), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(round(value / 60), 60)
    if hours < 48:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days, hours = divmod(round(value / 60 / 60), 24)
    if days >= 1e6:
        return f"{days:.2g} d"
    return f"{days} d {hours} h" if hours else f"{days} d"
