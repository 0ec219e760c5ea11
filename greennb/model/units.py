"""Unit conversions: the only place in greennb with 3600, 1e6 and their like in it.

Every function takes and gives plain numbers; the units are in the names.
"""

from __future__ import annotations

_S_PER_H = 3600.0
_G_PER_LB = 453.59237


_J_IN = {"": 1.0, "J": 1.0, "kJ": 1e3, "MJ": 1e6, "Wh": _S_PER_H, "kWh": _S_PER_H * 1000}


def joules_in(text: str) -> float:
    """Joules as people write them: "500", "500J", "2 kJ", "1.5Wh", "0.1kWh".

    Raises:
        ValueError: it is no finite number of joules above 0.
    """
    number, unit = text.strip(), ""
    for known in sorted(_J_IN, key=len, reverse=True):
        if known and number.endswith(known):
            number, unit = number.removesuffix(known).strip(), known
            break
    value = float(number) * _J_IN[unit]
    if not 0 < value < float("inf"):
        raise ValueError(f"{text!r} is no energy above 0")
    return value


def uj_to_j(uj: float) -> float:
    """Microjoules to joules."""
    return uj / 1e6


def j_to_uj(j: float) -> float:
    """Joules to microjoules."""
    return j * 1e6


def mj_to_uj(mj: int) -> int:
    """Millijoules (NVML's unit of energy) to microjoules (powercap's)."""
    return mj * 1000


def mw_to_w(mw: float) -> float:
    """Milliwatts to watts."""
    return mw / 1e3


def w_to_mw(w: float) -> float:
    """Watts to milliwatts."""
    return w * 1e3


def uw_to_w(uw: float) -> float:
    """Microwatts (powercap's unit of power limits) to watts."""
    return uw / 1e6


def uw_to_mw(uw: float) -> float:
    """Microwatts (the unit of hwmon's and batteries' power) to milliwatts."""
    return uw / 1e3


def ua_uv_to_mw(ua: float, uv: float) -> float:
    """Power in milliwatts of a current in microamperes at a voltage in microvolts (batteries' units)."""
    return ua * uv / 1e9


def ns_to_s(ns: float) -> float:
    """Nanoseconds to seconds."""
    return ns / 1e9


def s_to_ns(s: float) -> int:
    """Seconds to whole nanoseconds."""
    return round(s * 1e9)


def w_ns_to_uj(w: float, ns: float) -> float:
    """Energy in microjoules of a power in watts held for a time in nanoseconds."""
    return w * ns / 1e3


def uj_ns_to_w(uj: float, ns: float) -> float:
    """Mean power in watts of an energy in microjoules over a time in nanoseconds."""
    return uj / ns * 1e3


def mw_ns_to_uj(mw: float, ns: float) -> float:
    """Energy in microjoules of a power in milliwatts held for a time in nanoseconds."""
    return mw * ns / 1e6


def j_to_mj(j: float) -> float:
    """Joules to megajoules."""
    return j / 1e6


def j_to_wh(j: float) -> float:
    """Joules to watt hours."""
    return j / _S_PER_H


def j_to_kwh(j: float) -> float:
    """Joules to kilowatt hours."""
    return j / (_S_PER_H * 1000)


def kwh_to_j(kwh: float) -> float:
    """Kilowatt hours to joules."""
    return kwh * _S_PER_H * 1000


def w_h_to_j(w: float, h: float) -> float:
    """Energy in joules of a power in watts held for a time in hours."""
    return w * h * _S_PER_H


def g_to_kg(g: float) -> float:
    """Grams to kilograms."""
    return g / 1000


def g_to_lb(g: float) -> float:
    """Grams to avoirdupois pounds (1 lb = 453.59237 g exactly)."""
    return g / _G_PER_LB


def lb_per_mwh_to_g_per_kwh(lb_per_mwh: float) -> float:
    """Pounds a megawatt hour (the US EPA's unit) to grams a kilowatt hour."""
    return lb_per_mwh * _G_PER_LB / 1000
