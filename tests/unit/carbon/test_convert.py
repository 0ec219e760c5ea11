"""Joules to grams, money and rates, with the figures worked out by hand."""

from __future__ import annotations

import math

import pytest

from greennb.carbon.convert import cost, footprint, sci
from greennb.model.errors import BadInputError
from greennb.model.footprint import CarbonIntensity, Origin

KWH = 3_600_000.0


def intensity(g: float, low: float | None = None, high: float | None = None) -> CarbonIntensity:
    return CarbonIntensity(
        g_per_kwh=g, low=low, high=high, zone="X", origin=Origin.STATIC, as_of="2023", provider="a test"
    )


def test_grams_are_kwh_times_pue_times_intensity():
    """2 kWh at the machine, PUE 1.5, 400 g/kWh: 1.2 kg, with the intensity's range carried along."""
    result = footprint(2 * KWH, intensity(400, 100, 700), 1.5)
    assert result.g_co2e == pytest.approx(1200)
    assert (result.low_g, result.high_g) == pytest.approx((300, 2100))


def test_pue_is_1_unless_given():
    assert footprint(KWH, intensity(400)).g_co2e == pytest.approx(400)


def test_cost_is_kwh_times_price():
    assert cost(3 * KWH, 0.25) == pytest.approx(0.75)
    assert cost(3 * KWH, 0.25, pue=2) == pytest.approx(1.5)
    assert cost(0, 0.25) == 0


def test_sci_is_operational_and_embodied_grams_by_unit():
    """(E I + M) / R of ISO/IEC 21031: (0.5 kWh x 400 + 100 g) / 1000 predictions."""
    assert sci(0.5 * KWH, 400, 1000, 100) == pytest.approx(0.3)
    assert sci(0.5 * KWH, 400, 1000) == pytest.approx(0.2)


@pytest.mark.parametrize("bad", [-1.0, math.nan, math.inf])
def test_no_footprint_of_no_number(bad):
    for call in (
        lambda: footprint(bad, intensity(400)),
        lambda: footprint(1, intensity(bad)),
        lambda: footprint(1, intensity(400), bad),
        lambda: cost(bad, 1),
        lambda: cost(1, bad),
        lambda: sci(bad, 400, 1),
        lambda: sci(1, 400, bad),
        lambda: sci(1, 400, 1, bad),
    ):
        with pytest.raises(BadInputError, match="give"):
            call()


def test_a_pue_below_1_and_a_rate_per_nothing_are_refused():
    with pytest.raises(BadInputError, match=r"pue is 0\.9"):
        footprint(1, intensity(400), 0.9)
    with pytest.raises(BadInputError, match="per is 0"):
        sci(1, 400, 0)
