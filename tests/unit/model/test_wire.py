"""The wire: what is written is read back the same, in every version of it that there was, and is real JSON.

The golden files in ``tests/data/wire`` are read by the page's tests too. They are never changed without a new schema
number: make a new one with ``python -m tests.unit.model.test_wire``, which writes those that are not there yet.
"""

from __future__ import annotations

import dataclasses
import json
import math
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greennb.model.errors import BadInputError
from greennb.model.footprint import CarbonIntensity, Footprint, Origin
from greennb.model.lines import LineEnergy, Lines
from greennb.model.measurement import SCHEMA, Measurement, Status, Window
from greennb.model.reading import Domain, DomainKind, Fault, Method
from greennb.model.wire import measurement_from_dict, measurement_to_dict
from tests.rig.measurements import CORE, DRAM, FRANCE, GPU, PACKAGE, energy, measurement

GOLDEN = Path(__file__).parents[2] / "data" / "wire"

WORLD = CarbonIntensity(
    g_per_kwh=475.0, low=20.0, high=800.0, zone="world", origin=Origin.WORLD, as_of="2024", provider="a table",
    note="set zone for a better figure",
)  # fmt: skip
LOST = Fault(domain=GPU, t_ns=6_000_000_000, reason="GPU is lost", hint="restart the driver")
NO_SOURCE = Fault(domain=None, t_ns=5_000_000_000, reason="no source of joules works here", hint="greennb doctor")
ESTIMATE = Domain(kind=DomainKind.CPU_PACKAGE, host="bench", device="estimate:cpu", label="CPU (estimate)")


def examples() -> dict[str, Measurement]:
    """One measurement for each thing that a reader has to show."""
    estimated = dataclasses.replace(energy(ESTIMATE, 41.0, 13.0, method=Method.ESTIMATED, process_j=30.5), high_j=60.0)
    return {
        "counter": measurement(
            energy(PACKAGE, 40.0, 2.0, idle_j=12.5, process_j=20.25), energy(CORE, 30.0, 1.5, idle_j=4.0),
            energy(DRAM, 4.0, 0.5, idle_j=3.0), intensity=FRANCE, id="w-counter",
        ),
        "estimated": measurement(estimated, intensity=WORLD, pue=1.2, id="w-estimated", label=""),
        "mixed": measurement(
            energy(GPU, 512.0, 25.0, method=Method.INTEGRATED), estimated, intensity=WORLD, id="w-mixed",
            parent_id="w-outer", cell_id=None, execution_count=None,
        ),
        "partial": measurement(
            energy(PACKAGE, 40.0, 2.0, coverage=0.75), faults=(LOST,), id="w-partial", status=Status.ERROR,
        ),
        "lines": dataclasses.replace(
            measurement(energy(PACKAGE, 40.0, 2.0), id="w-lines"),
            lines=Lines(
                lines=(
                    LineEnergy(where="In[4]", lineno=3, source="    model.fit(x, y)  # <b>", seconds=1.5, samples=150,
                               joules=30.0),
                    LineEnergy(where="In[2]", lineno=1, source="import numpy", seconds=0.02, samples=2, joules=0.5),
                ),
                elsewhere_j=9.5, elsewhere_s=0.48, samples=200, period_s=0.01, longest_s=0.125, threads=1,
                thread_lines=("In[2] line 7",), gpu=False, cost_s=0.0125,
            ),
        ),
        "unavailable": measurement(faults=(NO_SOURCE,), id="w-unavailable", status=Status.INTERRUPTED),
        "hostile": measurement(
            energy(dataclasses.replace(GPU, label="</script><b>\x1b[31m"), 1.0, 0.5), id="w-hostile",
            label='<img src=x onerror="alert(1)">\n\x00\u202eevil \U0001f600',
        ),
    }  # fmt: skip


def document(one: Measurement) -> str:
    return json.dumps(measurement_to_dict(one), indent=2, allow_nan=False) + "\n"


@pytest.mark.parametrize("name", examples())
def test_a_golden_file_is_what_we_write(name):
    """Byte for byte: the page's tests read these files."""
    assert (GOLDEN / f"{name}.json").read_text(encoding="utf-8") == document(examples()[name])


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.json")), ids=lambda path: path.stem)
def test_a_golden_file_is_read(path):
    """Every one that was ever written, also those of earlier schemas; what is derived comes out the same."""
    data = json.loads(path.read_text(encoding="utf-8"))
    one = measurement_from_dict(data)
    assert measurement_to_dict(one) == data


def test_every_example_has_a_golden_file():
    """And no golden file is forgotten."""
    assert {path.stem for path in GOLDEN.glob("*.json")} >= set(examples())


def test_the_wire_has_what_others_depend_on():
    """The fields of the public interface, by name."""
    data = examples()["counter"].to_dict()
    assert {
        "schema", "label", "status", "duration_s", "total_j", "low_j", "high_j", "method", "partial", "domains",
        "co2e_g", "intensity", "faults", "overhead_s",
    } <= set(data)  # fmt: skip
    assert {"kind", "device", "gross_j", "idle_j", "process_j", "u_j", "method", "coverage"} <= set(data["domains"][0])
    assert data["schema"] == SCHEMA
    assert data["domains"][1]["inside"]["device"] == PACKAGE.device


def test_what_is_missing_is_null_and_never_0():
    """In the whole document."""
    data = examples()["unavailable"].to_dict()
    for name in (
        "total_j",
        "u_j",
        "low_j",
        "high_j",
        "net_j",
        "process_j",
        "mean_w",
        "method",
        "co2e_g",
        "intensity",
        "pue",
    ):
        assert data[name] is None, name


finite = st.floats(allow_nan=False, allow_infinity=False, min_value=0, max_value=1e15)
texts = st.text(max_size=30)
maybe = st.none() | finite
domains = st.builds(
    Domain, kind=st.sampled_from(DomainKind), host=texts, device=texts, label=texts,
    inside=st.none() | st.builds(Domain, kind=st.sampled_from(DomainKind), host=texts, device=texts, label=texts),
)  # fmt: skip
energies = st.builds(
    lambda domain, j, half, **rest: energy(domain, j, half, **rest), domains, finite, finite,
    method=st.sampled_from(Method), coverage=st.floats(0, 1), idle_j=maybe, process_j=maybe,
)  # fmt: skip
intensities = st.builds(
    CarbonIntensity, g_per_kwh=finite, low=maybe, high=maybe, zone=texts, origin=st.sampled_from(Origin), as_of=texts,
    provider=texts, note=texts,
)  # fmt: skip
windows = st.builds(
    Window, id=texts, label=texts, cell_id=st.none() | texts, execution_count=st.none() | st.integers(),
    parent_id=st.none() | texts, t0_ns=st.integers(0, 2**62), t1_ns=st.integers(0, 2**62),
    started_at=st.datetimes(timezones=st.just(UTC)), status=st.sampled_from(Status),
)  # fmt: skip
faults = st.builds(Fault, domain=st.none() | domains, t_ns=st.integers(0, 2**62), reason=texts, hint=texts)


@st.composite
def any_measurement(draw) -> Measurement:
    bare = Measurement(
        window=draw(windows), energies=tuple(draw(st.lists(energies, max_size=4))),
        faults=tuple(draw(st.lists(faults, max_size=3))), host=draw(texts), overhead_s=draw(finite),
    )  # fmt: skip
    if bare.total_j is None or draw(st.booleans()):
        return bare
    footprint = Footprint(energy_j=bare.total_j, pue=draw(st.floats(1, 10)), intensity=draw(intensities))
    return dataclasses.replace(bare, footprint=footprint)


@given(any_measurement())
def test_any_measurement_survives_the_wire(one):
    """Through real JSON text, without NaN, and equal to the last bit."""
    text = json.dumps(measurement_to_dict(one), allow_nan=False)
    assert measurement_from_dict(json.loads(text)) == one


@given(any_measurement())
def test_the_wires_totals_are_the_measurements(one):
    """A reader of the document need not add anything up."""
    data = measurement_to_dict(one)
    assert (data["total_j"], data["low_j"], data["partial"]) == (one.total_j, one.low_j, one.partial)
    assert data["method"] == (None if one.method is None else one.method.value)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_total_that_is_not_finite_is_missing(bad):
    """JSON has no such numbers: "not measured" is what is true of them."""
    data = measurement_to_dict(measurement(energy(joules=bad)))
    assert data["total_j"] is None
    assert data["mean_w"] is None


def test_a_newer_schema_is_refused():
    """With a sentence that says what to do."""
    data = examples()["counter"].to_dict() | {"schema": SCHEMA + 1}
    with pytest.raises(BadInputError, match="upgrade"):
        measurement_from_dict(data)


@pytest.mark.parametrize(
    "change",
    [
        {"schema": None}, {"schema": "1"}, {"domains": None}, {"domains": [{}]}, {"domains": [3]}, {"status": "fine"},
        {"started_at": "yesterday"}, {"started_at": 3}, {"faults": [{"reason": "x"}]}, {"intensity": {"zone": "x"}},
    ],
    ids=str,
)  # fmt: skip
def test_what_is_no_measurement_is_refused(change):
    """Whatever is wrong with it, one kind of error."""
    with pytest.raises(BadInputError, match="not a greennb measurement"):
        measurement_from_dict(examples()["counter"].to_dict() | change)


@pytest.mark.parametrize("field", ["domains", "faults", "window", "id", "started_at", "host", "t0_ns"])
def test_a_missing_field_is_refused(field):
    """By its name."""
    data = examples()["counter"].to_dict()
    if field == "window":
        data = {"schema": SCHEMA}
    else:
        del data[field]
    with pytest.raises(BadInputError, match="not a greennb measurement"):
        measurement_from_dict(data)


def test_unknown_fields_are_left_alone():
    """A file may carry more than a measurement: the cell's index, the notebook."""
    one = examples()["counter"]
    assert measurement_from_dict(one.to_dict() | {"cell_index": 3, "notebook": "x"}) == one


def test_a_start_keeps_its_time_zone():
    """ISO 8601 with its offset."""
    assert examples()["counter"].to_dict()["started_at"] == "2026-03-01T12:00:00+00:00"
    assert measurement_from_dict(examples()["counter"].to_dict()).window.started_at == datetime(
        2026, 3, 1, 12, tzinfo=UTC
    )


if __name__ == "__main__":
    for _name, _one in examples().items():
        if not (GOLDEN / f"{_name}.json").exists():
            (GOLDEN / f"{_name}.json").write_text(document(_one), encoding="utf-8")
