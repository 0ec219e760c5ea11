"""Conversions against figures that anybody can check."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greennb.model import units


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (units.uj_to_j(2_500_000), 2.5),
        (units.j_to_uj(2.5), 2_500_000),
        (units.mj_to_uj(3), 3000),
        (units.mw_to_w(1500), 1.5),
        (units.w_to_mw(1.5), 1500),
        (units.ns_to_s(1_500_000_000), 1.5),
        (units.s_to_ns(1.5), 1_500_000_000),
        (units.w_ns_to_uj(40, 1_000_000_000), 40_000_000),
        (units.mw_ns_to_uj(40_000, 1_000_000_000), 40_000_000),
        (units.uj_ns_to_w(40_000_000, 1_000_000_000), 40),
        (units.j_to_wh(3600), 1),
        (units.j_to_kwh(3_600_000), 1),
        (units.kwh_to_j(1), 3_600_000),
        (units.w_h_to_j(100, 2), 720_000),
        (units.g_to_kg(1500), 1.5),
        (units.g_to_lb(453.59237), 1),
    ],
)
def test_a_conversion_is_right(value, expected):
    assert value == expected


@given(st.floats(min_value=1e-9, max_value=1e15))
def test_there_and_back_is_the_same(value):
    """Each pair is its own inverse."""
    assert units.uj_to_j(units.j_to_uj(value)) == pytest.approx(value)
    assert units.mw_to_w(units.w_to_mw(value)) == pytest.approx(value)
    assert units.j_to_kwh(units.kwh_to_j(value)) == pytest.approx(value)
