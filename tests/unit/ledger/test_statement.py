"""An energy statement from the ledger: each joule once, what failed included, grams by what was in force or given."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from greennb.carbon.convert import sci
from greennb.ledger.statement import make_statement
from greennb.model.errors import BadInputError
from greennb.model.footprint import CarbonIntensity, Origin
from greennb.model.machine import Machine
from greennb.model.measurement import Status
from greennb.model.reading import Fault, Method
from greennb.model.units import j_to_kwh, kwh_to_j
from tests.rig.measurements import DRAM, FRANCE, GPU, PACKAGE, START, energy, measurement
from tests.unit.ledger.test_trials import TRIAL

WORLD = CarbonIntensity(
    g_per_kwh=480.0, low=60.0, high=720.0, zone="world", origin=Origin.WORLD, as_of="2018", provider="a report"
)
MADE = datetime(2026, 3, 9, tzinfo=UTC)


@pytest.fixture
def stated(ledger):
    """The statement of all that is in the ledger."""

    def state(**asked):
        return make_statement(
            ledger.rows(), ledger.trials(), version="9.9", made_at=MADE, machines=ledger.machines(), **asked
        )

    return state


def test_a_window_in_a_window_counts_once_and_a_failed_one_counts(kept, stated):
    """50 J around 30 J, and 20 J of a cell that raised: 70 J in 2 windows."""
    outer = kept(measurement(energy(joules=50.0)))
    kept(measurement(energy(joules=30.0), parent_id=outer.window.id), kind="window")
    kept(measurement(energy(joules=20.0), status=Status.ERROR, after_s=60, cell_id="b2"))
    made = stated()
    assert made.total.total_j == 70.0
    assert (made.work.cell_runs, made.work.cells, made.work.others) == (2, 2, 0)
    assert (made.work.failed, made.work.interrupted, made.work.unfinished) == (1, 0, 0)


def test_runs_of_one_cell_are_told_from_cells(kept, stated):
    """Three runs of two cells; where a front end gives no ids, how many cells there are is not known."""
    kept(measurement(energy(), after_s=1))
    kept(measurement(energy(), after_s=10))
    kept(measurement(energy(), after_s=20, cell_id="b2"))
    assert (stated().work.cell_runs, stated().work.cells) == (3, 2)
    kept(measurement(energy(), after_s=30, cell_id=None))
    assert (stated().work.cell_runs, stated().work.cells) == (4, None)


def test_what_is_no_cell_is_counted_apart(kept, stated):
    kept(measurement(energy()), kind="window", session_id="s2", notebook="")
    kept(measurement(energy(), after_s=60))
    work = stated().work
    assert (work.cell_runs, work.others, work.kernels, work.notebooks) == (1, 1, 2, ("train.ipynb",))


def test_dates_reach_from_the_first_start_to_the_last_end(kept, stated):
    """Windows of 2 s."""
    kept(measurement(energy(), after_s=100))
    kept(measurement(energy()))
    work = stated().work
    assert (work.first_at, work.last_at) == (START, START + timedelta(seconds=102))


def test_windows_without_joules_are_counted_and_make_the_total_partial(kept, stated):
    kept(measurement(energy(joules=40.0)))
    kept(measurement(faults=(Fault(domain=GPU, t_ns=0, reason="lost"),), after_s=60))
    made = stated()
    assert (made.total.total_j, made.total.partial, made.work.unmeasured) == (40.0, True, 1)
    assert [fault.reason for fault in made.faults] == ["lost"]


def test_nothing_measured_is_no_zero(kept, stated):
    kept(measurement(faults=(Fault(domain=GPU, t_ns=0, reason="lost"),)))
    made = stated()
    assert (made.total.total_j, made.g_co2e, made.emissions) == (None, None, ())


def test_domains_are_added_up_and_an_inner_one_is_not(kept, stated):
    kept(measurement(energy(PACKAGE, 30.0), energy(DRAM, 5.0)))
    kept(measurement(energy(PACKAGE, 10.0), energy(GPU, 100.0), after_s=60))
    assert [(part.domain, part.gross_j) for part in stated().domains] == [(GPU, 100.0), (PACKAGE, 40.0), (DRAM, 5.0)]


def test_windows_at_the_same_time_on_one_host_are_said_to_overlap(kept, stated):
    """Two kernels, 2 s each, one second together; a third runs later, a fourth on another host."""
    kept(measurement(energy()))
    kept(measurement(energy(), after_s=1), session_id="s2")
    kept(measurement(energy(), after_s=9), session_id="s3")
    kept(replace(measurement(energy(), after_s=9), host="other"), session_id="s4")
    work = stated().work
    assert work.overlapping == 2
    assert work.overlap_s == pytest.approx(1.0, abs=1e-3)


def test_one_window_after_another_is_no_overlap(kept, stated):
    """They may begin at the moment that the other ends."""
    kept(measurement(energy()))
    kept(measurement(energy(), after_s=2))
    assert (stated().work.overlapping, stated().work.overlap_s) == (0, 0.0)


def test_grams_are_of_the_intensity_in_force(kept, stated):
    """1 kWh at 50 g and PUE 1.2, and 1 kWh at 480 g (60 to 720): 540 g, from 120 to 780."""
    kept(measurement(energy(joules=kwh_to_j(1), half=0.0), intensity=FRANCE, pue=1.2))
    kept(measurement(energy(joules=kwh_to_j(1), half=0.0), intensity=WORLD, after_s=60))
    made = stated()
    assert made.g_co2e == pytest.approx(540.0)
    assert (made.low_g, made.high_g) == (pytest.approx(120.0), pytest.approx(780.0))
    assert [(part.windows, part.pue, part.g) for part in made.emissions] == [
        (1, 1.2, pytest.approx(60.0)), (1, 1.0, pytest.approx(480.0)),
    ]  # fmt: skip


def test_the_range_of_grams_holds_the_joules_interval(kept, stated):
    """1 kWh ± 10 % at 50 g: 45 to 55 g."""
    kept(measurement(energy(joules=kwh_to_j(1), half=kwh_to_j(0.1)), intensity=FRANCE))
    made = stated()
    assert (made.low_g, made.high_g) == (pytest.approx(45.0), pytest.approx(55.0))


def test_no_joules_at_all_still_have_a_highest_gram(kept, stated):
    """0 J, up to 1 kWh."""
    kept(measurement(replace(energy(joules=0.0, half=0.0), high_j=kwh_to_j(1)), intensity=WORLD))
    made = stated()
    assert (made.g_co2e, made.low_g, made.high_g) == (0.0, 0.0, pytest.approx(720.0))


def test_live_intensities_of_one_zone_are_one_entry_with_their_mean(kept, stated):
    """100 and 200 g/kWh, a kWh and three: 175 on average."""
    live = replace(FRANCE, origin=Origin.LIVE, g_per_kwh=100.0, as_of="2026-03-01T12:00+00:00")
    kept(measurement(energy(joules=kwh_to_j(1)), intensity=live))
    kept(measurement(energy(joules=kwh_to_j(3)), intensity=replace(live, g_per_kwh=200.0), after_s=60))
    (part,) = stated().emissions
    assert (part.windows, len(part.intensities)) == (2, 2)
    assert part.g_per_kwh == pytest.approx(175.0)


def test_a_window_without_an_intensity_leaves_no_grams_of_the_whole(kept, stated):
    """Half of the grams would be read as all."""
    kept(measurement(energy(), intensity=FRANCE))
    kept(measurement(energy(), after_s=60))
    made = stated()
    assert (made.unpriced, made.g_co2e, made.low_g) == (1, None, None)


def test_another_intensity_and_pue_make_the_grams_again(kept, stated):
    """Joules stay; windows that had no intensity get one."""
    kept(measurement(energy(joules=kwh_to_j(1)), intensity=FRANCE, pue=1.2))
    kept(measurement(energy(joules=kwh_to_j(1)), after_s=60))
    made = stated(intensity=replace(FRANCE, g_per_kwh=10.0), pue=1.5)
    assert made.g_co2e == pytest.approx(30.0)
    assert (made.restated, made.unpriced, made.total.total_j) == (("intensity", "PUE"), 0, kwh_to_j(2))


def test_a_pue_alone_leaves_the_intensity_and_an_intensity_the_pue(kept, stated):
    kept(measurement(energy(joules=kwh_to_j(1)), intensity=FRANCE, pue=1.2))
    assert stated(pue=2.0).g_co2e == pytest.approx(100.0)
    assert stated(intensity=replace(FRANCE, g_per_kwh=100.0)).g_co2e == pytest.approx(120.0)


def test_machines_are_the_recorded_ones_each_once(ledger, kept, stated):
    """Two kernels on one machine, a third that told nothing: this machine speaks for it if the name is the same."""
    bench = Machine(host="bench", cpu="A CPU", cpus=8, memory_b=2**34, system="Linux 6", python="3.11", greennb="9.9")
    for session in ("s1", "s2"):
        ledger.append_machine(lambda: bench, session_id=session)
        kept(measurement(energy(), after_s=60), session_id=session)
    assert stated().machines == (replace(bench, recorded=True),)
    kept(measurement(energy(), after_s=90), session_id="s3")
    assert stated().machines == (replace(bench, recorded=True), Machine(host="bench"))
    here = Machine(host="bench", cpu="Another CPU")
    assert stated(here=here).machines == (replace(bench, recorded=True), here)
    assert stated(here=replace(here, host="elsewhere")).machines[1] == Machine(host="bench")


def test_a_trial_is_within_the_window_in_which_it_ended(ledger, kept, stated):
    """Its joules are in that cell's; one that a page started, or of another kernel, is beside the total."""
    kept(measurement(energy(joules=300.0), t1_ns=65_000_000_000))  # 60 s
    known = {"notebook": "/home/me/train.ipynb", "host": "bench", "code": "GNB210", "key": "GNB210 model"}
    for session, after_s in (("s1", 30), ("s1", 200), ("s2", 30)):
        ledger.append_trial(TRIAL, at=START + timedelta(seconds=after_s), session_id=session, **known)
    made = stated()
    assert sorted(trial.within for trial in made.trials) == [False, False, True]
    assert made.tried_j == 420.0
    assert made.total.total_j == 300.0
    assert made.trials[0].told["verdict"] == "saves"


def test_a_trial_of_unknown_joules_leaves_their_sum_unknown(ledger, kept, stated):
    kept(measurement(energy()))
    ledger.append_trial(
        replace(TRIAL, spent_j=None), at=START + timedelta(hours=1), session_id="s1", notebook="n", host="bench",
        code="", key="",
    )  # fmt: skip
    assert stated().tried_j is None


def test_grams_per_unit_are_those_of_the_sci(kept, stated):
    """(E I + M) / R."""
    kept(measurement(energy(joules=kwh_to_j(2)), intensity=FRANCE, pue=1.2))
    assert stated(per=1000.0, unit="prediction").rate.g == pytest.approx(sci(kwh_to_j(2) * 1.2, 50.0, 1000.0))
    assert stated(per=1000.0, embodied_g=880.0).rate.g == pytest.approx(1.0)
    assert stated().rate is None


def test_without_grams_there_are_none_per_unit(kept, stated):
    kept(measurement(energy()))
    assert stated(per=1000.0).rate is None


@pytest.mark.parametrize(
    "asked", [{"per": 0.0}, {"per": -1.0}, {"per": float("nan")}, {"per": 1.0, "embodied_g": -1.0}]
)
def test_figures_that_make_none_are_refused(kept, stated, asked):
    kept(measurement(energy()))
    with pytest.raises(BadInputError, match="give"):
        stated(**asked)


def test_no_rows_are_refused(stated):
    with pytest.raises(BadInputError, match="nothing to state"):
        stated()


def test_notebooks_are_named_without_their_folders_unless_two_have_one_name(kept, stated):
    kept(measurement(energy()), notebook="/home/me/a/train.ipynb")
    kept(measurement(energy(), after_s=60), notebook=r"C:\Users\me\eval.ipynb")
    assert set(stated().work.notebooks) == {"train.ipynb", "eval.ipynb"}
    kept(measurement(energy(), after_s=90), notebook="/home/me/b/train.ipynb")
    assert set(stated().work.notebooks) == {"a/train.ipynb", "b/train.ipynb", "eval.ipynb"}
    kept(measurement(energy(), after_s=120), notebook="/srv/b/train.ipynb")
    assert {"a/train.ipynb", "me/b/train.ipynb", "srv/b/train.ipynb"} < set(stated().work.notebooks)


def test_the_method_is_that_of_the_worst_part(kept, stated):
    kept(measurement(energy(joules=1000.0)))
    kept(measurement(energy(GPU, 1.0, 0.5, method=Method.ESTIMATED), after_s=60))
    assert stated().total.method is Method.ESTIMATED
    assert j_to_kwh(stated().total.total_j) == pytest.approx(j_to_kwh(1001.0))
