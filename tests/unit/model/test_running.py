"""A running total is the total of its parts, however many there are."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greennb.model.reading import Method
from greennb.model.running import RunningTotal
from greennb.model.total import Total
from tests.rig.measurements import CORE, DRAM, FRANCE, GPU, PACKAGE, energy, measurement

numbers = st.floats(0.0, 1000.0)
energies = st.builds(
    energy,
    st.sampled_from([PACKAGE, CORE, DRAM, GPU]), numbers, numbers, method=st.sampled_from(Method),
    idle_j=st.none() | numbers, coverage=st.sampled_from([0.5, 1.0]),
)  # fmt: skip
measurements = st.builds(
    lambda parts, intensity: measurement(*parts, intensity=intensity),
    st.lists(energies, max_size=4, unique_by=lambda part: part.domain), st.sampled_from([None, FRANCE]),
)  # fmt: skip


@given(st.lists(measurements, max_size=12))
def test_it_says_what_the_total_of_all_says(parts):
    running = RunningTotal()
    for part in parts:
        running.add(part)
    expected, found = dataclasses.asdict(Total.of(parts)), dataclasses.asdict(running.total)
    assert running.runs == len(parts)
    if not parts:
        expected["partial"] = False
    for name, value in expected.items():
        assert found[name] == (pytest.approx(value, rel=1e-9, abs=1e-9) if isinstance(value, float) else value), name
