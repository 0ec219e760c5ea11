"""What a measurement may claim: its sums, its interval, its method, and when it says that something is missing."""

from __future__ import annotations

import dataclasses
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greennb.model.footprint import Footprint
from greennb.model.measurement import Measurement
from greennb.model.reading import Domain, DomainKind, Fault, Method
from greennb.model.total import Total
from tests.rig.measurements import CORE, DRAM, FRANCE, GPU, PACKAGE, PSYS, energy, measurement

JOULES = st.floats(min_value=0, max_value=1e12)


@st.composite
def measurements(draw) -> Measurement:
    """Any tree of domains, each with an interval around its energy and one of the methods."""
    domains: list[Domain] = []
    energies = []
    for number in range(draw(st.integers(0, 6))):
        inside = draw(st.sampled_from([None, *domains]))
        kind = draw(st.sampled_from(DomainKind))
        domains.append(Domain(kind=kind, host="h", device=str(number), label=draw(st.text(max_size=5)), inside=inside))
        if draw(st.booleans()):  # a domain in the middle of the tree may be unmeasured
            joules = draw(JOULES)
            part = energy(domains[-1], joules, method=draw(st.sampled_from(Method)), coverage=draw(st.floats(0, 1)),
                          idle_j=draw(st.none() | JOULES))  # fmt: skip
            low, high = joules - draw(JOULES), joules + draw(JOULES)
            energies.append(dataclasses.replace(part, low_j=max(0.0, low), high_j=high))
    return measurement(*energies, label=draw(st.text(max_size=20)))


def test_a_total_sums_roots_only():
    """The package's counter already holds the core's joules; memory and GPU are beside it."""
    one = measurement(energy(PACKAGE, 40.0), energy(CORE, 30.0), energy(DRAM, 4.0), energy(GPU, 100.0))
    assert one.total_j == 144.0
    assert [part.domain for part in one.roots] == [PACKAGE, DRAM, GPU]


def test_a_domain_whose_outer_one_was_not_measured_is_a_root():
    """What counts is what was read, not what there is."""
    assert measurement(energy(CORE, 30.0)).total_j == 30.0


def test_containment_reaches_over_a_domain_that_was_not_measured():
    """A core inside an unread package inside a board that was read is in the board's joules."""
    package = dataclasses.replace(PACKAGE, inside=PSYS)
    core = dataclasses.replace(CORE, inside=package)
    one = measurement(energy(PSYS, 60.0), energy(core, 30.0))
    assert one.total_j == 60.0


def test_no_joule_is_lost_to_rounding():
    """A thousand small domains beside one large one."""
    parts = [energy(dataclasses.replace(GPU, device=str(number)), 0.1, 0.0) for number in range(1000)]
    assert measurement(energy(PACKAGE, 1e15, 0.0), *parts).total_j == 1e15 + 100


def test_nothing_measured_is_none_and_partial_and_never_0():
    """Every number of it."""
    one = measurement()
    numbers = (
        one.total_j,
        one.low_j,
        one.high_j,
        one.u_j,
        one.idle_j,
        one.net_j,
        one.process_j,
        one.mean_w,
        one.co2e_g,
    )
    assert numbers == (None,) * len(numbers)
    assert one.method is None
    assert one.partial


def test_a_measured_0_is_a_0():
    """A counter that did not move was read."""
    one = measurement(energy(PACKAGE, 0.0, 0.0))
    assert (one.total_j, one.mean_w, one.partial) == (0.0, 0.0, False)


@pytest.mark.parametrize(
    ("methods", "worst"),
    [
        ([Method.COUNTER, Method.COUNTER], Method.COUNTER),
        ([Method.COUNTER, Method.INTEGRATED], Method.INTEGRATED),
        ([Method.ESTIMATED, Method.INTEGRATED], Method.ESTIMATED),
    ],
)
def test_a_totals_method_is_its_worst_roots(methods, worst):
    """One estimate makes the sum an estimate."""
    first, second = methods
    assert measurement(energy(PACKAGE, method=first), energy(GPU, method=second)).method is worst


def test_a_contained_domain_does_not_spoil_the_totals_method():
    """It is not in the total."""
    assert measurement(energy(PACKAGE), energy(CORE, method=Method.ESTIMATED)).method is Method.COUNTER


def test_a_total_with_a_fault_or_a_gap_is_partial():
    """Also when the rest was measured well; a gap in a contained domain is none in the total."""
    assert not measurement(energy()).partial
    assert measurement(energy(), faults=(Fault(domain=GPU, t_ns=0, reason="lost"),)).partial
    assert measurement(energy(coverage=0.99)).partial
    assert not measurement(energy(), energy(CORE, 30.0, coverage=0.5)).partial


def test_counters_errors_add_in_quadrature_and_estimates_add_up():
    """Independent errors partly cancel; one model errs the same way everywhere."""
    counters = measurement(energy(PACKAGE, 40.0, 3.0), energy(GPU, 100.0, 4.0))
    assert (counters.low_j, counters.high_j) == (135.0, 145.0)
    estimates = measurement(
        energy(PACKAGE, 40.0, 3.0, method=Method.ESTIMATED), energy(GPU, 100.0, 4.0, method=Method.ESTIMATED)
    )
    assert (estimates.low_j, estimates.high_j) == (133.0, 147.0)
    assert counters.u_j == pytest.approx(5 / 1.96)


def test_an_interval_never_goes_below_0():
    """Nothing gives energy back."""
    parts = [energy(domain, 1.0, 1.0, method=Method.ESTIMATED) for domain in (PACKAGE, GPU)]
    wide = dataclasses.replace(parts[0], low_j=-5.0)
    assert measurement(wide, parts[1]).low_j == 0.0


def test_net_and_idle_need_a_baseline_of_every_root():
    """Half a baseline would make the rest look like work."""
    both = measurement(energy(PACKAGE, 40.0, idle_j=10.0), energy(GPU, 100.0, idle_j=30.0))
    assert (both.idle_j, both.net_j) == (40.0, 100.0)
    one = measurement(energy(PACKAGE, 40.0, idle_j=10.0), energy(GPU, 100.0))
    assert (one.idle_j, one.net_j) == (None, None)
    share = measurement(energy(PACKAGE, 40.0, process_j=5.0), energy(CORE, 30.0))
    assert share.process_j == 5.0


def test_mean_power_needs_time():
    """No division by a window of no length."""
    assert measurement(energy(PACKAGE, 40.0)).mean_w == 20.0
    assert measurement(energy(PACKAGE, 40.0), t0_ns=5, t1_ns=5).mean_w is None


def test_results_are_frozen():
    """A change makes a new one."""
    one = measurement(energy())
    for part, field in ((one, "host"), (one.window, "label"), (one.energies[0], "gross_j"), (PACKAGE, "label")):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(part, field, "x")


def test_grams_are_kwh_times_pue_times_intensity():
    """1 kWh at 50 g/kWh in a building with a PUE of 1.5; a range only where the intensity has one."""
    footprint = Footprint(energy_j=3.6e6, pue=1.5, intensity=FRANCE)
    assert (footprint.g_co2e, footprint.low_g, footprint.high_g) == (75.0, None, None)
    ranged = dataclasses.replace(footprint, intensity=dataclasses.replace(FRANCE, low=40.0, high=60.0))
    assert (ranged.low_g, ranged.high_g) == (60.0, 90.0)


@given(measurements())
def test_the_interval_holds_the_total(one):
    """Whatever the tree of domains, and all numbers are finite."""
    if one.total_j is None:
        assert not one.energies
        return
    assert 0 <= one.low_j <= one.total_j <= one.high_j
    assert all(map(math.isfinite, (one.low_j, one.total_j, one.high_j, one.u_j)))


@given(measurements())
def test_every_energy_is_a_root_or_inside_one(one):
    """None is dropped and none counts twice."""
    roots = {part.domain for part in one.roots}
    for part in one.energies:
        outer = [part.domain]
        while outer[-1].inside is not None:
            outer.append(outer[-1].inside)
        assert sum(domain in roots for domain in outer) == 1


@given(st.lists(measurements(), max_size=4))
def test_a_total_of_windows_follows_the_same_rules(parts):
    """Sum, worst method, partial, and an interval around it."""
    whole = Total.of(parts)
    measured = [part for part in parts if part.total_j is not None]
    assert (whole.total_j is None) == (not measured)
    assert whole.method == Method.worst(part.method for part in measured)
    assert whole.partial == any(part.partial for part in parts)
    if measured:
        assert whole.total_j == pytest.approx(math.fsum(part.total_j for part in measured))
        assert whole.low_j <= whole.total_j <= whole.high_j


def test_a_window_that_is_missing_makes_a_total_partial():
    """None stands for it; the others still add up."""
    whole = Total.of([measurement(energy(joules=40.0)), None])
    assert (whole.total_j, whole.partial) == (40.0, True)


def test_a_total_of_grams_needs_every_part():
    """Some grams of some cells are no total."""
    known, unknown = measurement(energy(), intensity=FRANCE), measurement(energy())
    assert Total.of([known, known]).co2e_g == pytest.approx(2 * known.co2e_g)
    assert Total.of([known, unknown]).co2e_g is None


def test_many_windows_of_counters_are_known_better_than_of_estimates():
    """Nine windows: 3 times one's half-width against 9 times."""
    counters = Total.of([measurement(energy(half=1.0)) for _ in range(9)])
    estimates = Total.of([measurement(energy(half=1.0, method=Method.ESTIMATED)) for _ in range(9)])
    assert (counters.high_j, estimates.high_j) == (363.0, 369.0)


def test_methods_are_ranked_best_first():
    """The order that "worst" goes by."""
    assert [method.rank for method in (Method.COUNTER, Method.INTEGRATED, Method.ESTIMATED)] == [0, 1, 2]
    assert Method.worst([]) is None
