"""Repetitions and sums: what may be claimed of several measurements together."""

import math
import statistics

import pytest
from scipy import stats

from greennb.model.errors import BadInputError
from greennb.model.measurement import half_width_j
from greennb.model.reading import Method
from greennb.model.run import CellCost, NotebookRun
from greennb.model.series import Series
from greennb.model.student import t95
from greennb.model.total import Total, domain_totals


@pytest.mark.parametrize("degrees", [1, 2, 3, 4, 5, 9, 10, 29, 30, 99, 199, 200, 201, 500, 10_000])
def test_students_t_is_scipys(degrees):
    assert t95(degrees) == pytest.approx(stats.t.ppf(0.975, degrees), rel=1e-9)


def test_a_single_run_has_no_t():
    with pytest.raises(ValueError, match="two repetitions"):
        t95(0)


def counters(samples, *joules, half=0.0):
    runs = tuple(samples.measurement(samples.energy(samples.CPU, value, half)) for value in joules)
    return Series(label="fit", measurements=runs)


def test_the_mean_and_its_interval_are_scipys(samples):
    values = (41.0, 43.5, 40.2, 42.2, 41.9)
    series = counters(samples, *values)
    low, high = stats.t.interval(0.95, len(values) - 1, loc=statistics.fmean(values), scale=stats.sem(values))
    assert (series.n, series.mean_j, series.sd_j) == (5, pytest.approx(41.76), pytest.approx(statistics.stdev(values)))
    assert (series.low_j, series.high_j) == (pytest.approx(low), pytest.approx(high))
    assert series.relative_half_width == pytest.approx((high - low) / 2 / 41.76)


def test_one_run_has_its_own_interval_and_none_from_scatter(samples):
    series = counters(samples, 40.0, half=2.0)
    assert series.low_j is series.high_j is series.sd_j is series.relative_half_width is None
    assert (series.total_low_j, series.total_high_j) == (38.0, 42.0)


def test_repeating_narrows_counters_but_not_a_model(samples):
    counted = counters(samples, *[40.0] * 16, half=2.0)
    modelled = Series(label="", measurements=tuple(samples.estimated(40.0) for _ in range(16)))
    assert counted.total_high_j - 40.0 == pytest.approx(2.0 / math.sqrt(16))
    assert modelled.total_high_j - 40.0 == pytest.approx(40.0 * 0.447)
    assert modelled.high_j == 40.0


def test_repeating_does_not_narrow_a_power_sensors_accuracy(samples):
    part = samples.energy(samples.GPU, 40.0, 2.0, method=Method.INTEGRATED)
    series = Series(label="", measurements=tuple(samples.measurement(part) for _ in range(16)))
    assert series.total_high_j - 40.0 == pytest.approx(2.0)


def test_scatter_and_model_combine_in_quadrature(samples):
    runs = tuple(samples.estimated(joules) for joules in (38.0, 42.0))
    series = Series(label="", measurements=runs)
    assert series.total_high_j - 40.0 == pytest.approx(math.hypot(series.half_width_j, 40.0 * 0.447))


def test_a_run_without_a_total_is_in_no_mean_and_is_counted(samples):
    series = Series(label="", measurements=(samples.counted(9000), samples.nothing(), samples.counted(9200)))
    assert (series.mean_j, series.n, series.missing, series.partial) == (pytest.approx(9100), 2, 1, True)
    none = Series(label="", measurements=(samples.nothing(),))
    assert none.mean_j is none.total_low_j is none.method is none.mean_s is None
    assert none.partial


def test_a_series_as_plain_values_keeps_every_run(samples):
    data = counters(samples, 40.0, 42.0).to_dict()
    assert (data["n"], data["mean_j"], data["method"]) == (2, 41.0, "counter")
    assert [run["total_j"] for run in data["measurements"]] == [40.0, 42.0]


def test_counters_add_in_quadrature_and_estimates_add_up(samples):
    ten = [samples.measurement(samples.energy(samples.CPU, 10.0, 1.0)) for _ in range(9)]
    assert Total.of(ten).high_j == pytest.approx(90.0 + 3.0)
    modelled = [samples.estimated(10.0) for _ in range(9)]
    assert Total.of(modelled).high_j == pytest.approx(90.0 * 1.447)


def test_one_sensors_accuracy_adds_up_and_different_sensors_do_not(samples):
    gpu = samples.energy(samples.GPU, 10.0, 3.0, method=Method.INTEGRATED)
    cpu = samples.energy(samples.CPU, 10.0, 4.0, method=Method.INTEGRATED)
    assert half_width_j([gpu, gpu], below=True) == pytest.approx(6.0)
    assert half_width_j([gpu, cpu], below=True) == pytest.approx(5.0)


def test_a_total_of_one_is_that_measurement(samples):
    for part in (samples.counted(), samples.mixed(), samples.partial(), samples.nothing()):
        total = Total.of([part])
        assert (total.total_j, total.low_j, total.high_j) == (part.total_j, part.low_j, part.high_j)
        assert (total.method, total.partial, total.net_j, total.co2e_g) == (
            part.method, part.partial, part.net_j, part.co2e_g,
        )  # fmt: skip


def test_a_missing_part_makes_a_total_partial_and_is_no_zero(samples):
    assert Total.of([samples.counted(), None]).partial
    assert not Total.of([samples.counted(), samples.counted()]).partial
    empty = Total.of([None])
    assert empty.total_j is empty.low_j is empty.co2e_g is None
    assert empty.partial


def test_grams_of_a_total_need_every_part(samples):
    assert Total.of([samples.counted(), samples.counted(intensity=None)]).co2e_g is None


def test_domains_of_several_windows_add_to_their_total(samples):
    parts = [samples.counted(100.0), samples.counted(300.0), samples.mixed()]
    by_domain = domain_totals(parts)
    assert math.fsum(part.gross_j for part in by_domain) == pytest.approx(Total.of(parts).total_j)
    assert [part.gross_j for part in by_domain] == sorted((part.gross_j for part in by_domain), reverse=True)
    assert samples.CORES not in {part.domain for part in by_domain}


def test_a_run_comes_back_from_its_file_as_it_was(samples):
    run = samples.notebook_run()
    data = run.to_dict()
    assert NotebookRun.from_dict(data) == run
    assert {"schema", "host", "notebook", "cells", "total_j", "low_j", "high_j", "method", "partial"} <= set(data)
    assert {"cell_index", "cell_id", "source", "total_j", "status", "method"} <= set(data["cells"][0])
    missing = data["cells"][-1]
    assert (missing["total_j"], missing["status"], missing["partial"]) == (None, "not measured", True)
    assert data["partial"]


@pytest.mark.parametrize(
    "data", [{}, {"schema": 1}, {"schema": 1, "cells": [{}]}, {"schema": 99, "cells": []}, {"schema": 1, "cells": 3}]
)
def test_what_is_no_run_is_refused_in_one_sentence(data):
    with pytest.raises(BadInputError, match=r"greennb"):
        NotebookRun.from_dict(data)


def test_a_cell_is_called_by_its_count_or_else_its_place(samples):
    measured = CellCost(index=2, cell_id=None, source="%%energy -n a\n\n  x = 1", measurement=samples.estimated())
    unmeasured = CellCost(index=2, cell_id=None, source="", measurement=None)
    assert (measured.place, measured.first_line) == ("[4]", "x = 1")
    assert (unmeasured.place, unmeasured.first_line) == ("#3", "")


def test_a_run_names_each_intensity_once(samples):
    run = samples.notebook_run()
    assert [part.intensity.zone for part in run.footprints] == ["world", "Germany"]
