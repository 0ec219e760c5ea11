"""What other programs get from the ledger: everything that is known, nothing that is not."""

from __future__ import annotations

import ast
import csv
import importlib.util
import io
import json
import os
from pathlib import Path

import pytest

from greennb.ledger import emissions
from greennb.ledger.export import CSV_COLUMNS, Format, export_path, write
from greennb.ledger.rows import total
from greennb.model.errors import BadInputError
from greennb.model.footprint import CarbonIntensity, Origin
from greennb.model.measurement import Status
from greennb.model.reading import Fault, Method
from greennb.model.wire import measurement_from_dict
from tests.rig.measurements import CORE, DRAM, FRANCE, GPU, PACKAGE, PSYS, START, energy, measurement


def text_of(rows, format):  # noqa: A002
    stream = io.StringIO()
    write(rows, format, stream)
    return stream.getvalue()


def table_of(rows, format):  # noqa: A002
    return list(csv.DictReader(io.StringIO(text_of(rows, format))))


def intensity(zone, origin=Origin.USER):
    return CarbonIntensity(g_per_kwh=50.0, low=None, high=None, zone=zone, origin=origin, as_of="", provider="p")


def test_json_lines_hold_whole_measurements(ledger, kept):
    """One line a window; each is a measurement again, and says where it ran."""
    written = [kept(measurement(energy(), label="=x\n")), kept(measurement(after_s=5), session_id="s2", kind="repeat")]
    lines = [json.loads(line) for line in text_of(ledger.rows(), "json").splitlines()]
    assert [measurement_from_dict(line) for line in lines] == written
    assert [(line["session_id"], line["kind"]) for line in lines] == [("s1", "cell"), ("s2", "repeat")]
    assert lines[0]["source"] == "model.fit(x, y)"


def test_csv_has_one_row_a_window_with_units_in_the_names(ledger, kept):
    """Numbers are whole floats, truth is a word, a fault is in words."""
    fault = Fault(domain=GPU, t_ns=1, reason="GPU is lost")
    kept(measurement(energy(joules=0.1, half=0.05, idle_j=0.025), faults=(fault,), intensity=FRANCE))
    (row,) = table_of(ledger.rows(), Format.CSV)
    assert tuple(row) == CSV_COLUMNS
    assert (row["total_j"], row["net_j"], row["duration_s"], row["mean_w"]) == (
        "0.1",
        "0.07500000000000001",
        "2.0",
        "0.05",
    )
    assert (row["partial"], row["faults"], row["zone"]) == ("true", "GPU is lost", "FRA")
    assert row["started_at"] == START.isoformat()


def test_csv_leaves_empty_what_was_not_measured(ledger, kept):
    """Never a 0, never "None"."""
    kept(measurement())
    (row,) = table_of(ledger.rows(), "csv")
    missing = ("total_j", "low_j", "high_j", "net_j", "process_j", "mean_w", "method", "co2e_g", "pue", "parent_id")
    assert [row[name] for name in missing] == [""] * len(missing)


@pytest.mark.parametrize("format", ["csv", "codecarbon"])
@pytest.mark.parametrize("begins", ["=", "+", "-", "@", "\t", "\n", " ="])
def test_no_text_in_a_csv_runs_as_a_formula(ledger, kept, format, begins):  # noqa: A002
    """A notebook's name or a label that begins as a formula gets an apostrophe; a spreadsheet shows it as text."""
    formula = f'{begins}HYPERLINK("http://x")'
    kept(measurement(energy(), label=formula), notebook=formula, session_id=formula)
    (row,) = table_of(ledger.rows(), format)
    assert "'" + formula in row.values()
    assert formula not in row.values()


def test_a_csv_with_commas_quotes_and_line_breaks_reads_back(ledger, kept):
    """The csv module quotes them."""
    label = 'a, "b"\r\nc'
    kept(measurement(label=label))
    (row,) = csv.DictReader(io.StringIO(text_of(ledger.rows(), "csv"), newline=""))
    assert row["label"] == label


def test_codecarbons_columns_are_those_of_codecarbon():
    """Read from the installed CodeCarbon's own source, without importing it."""
    spec = importlib.util.find_spec("codecarbon")
    tree = ast.parse((Path(spec.origin).parent / "output_methods" / "emissions_data.py").read_text())
    data = next(node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == "EmissionsData")
    fields = [node.target.id for node in data.body if isinstance(node, ast.AnnAssign)]
    assert list(emissions.COLUMNS) == fields


def test_codecarbons_units_are_kwh_kg_seconds_and_watts(ledger, kept):
    """3.6 MJ on the CPU and 7.2 MJ on the GPU in 2 s; as in CodeCarbon, powers and energies include the PUE."""
    kept(measurement(energy(PACKAGE, 3.6e6), energy(CORE, 3e6), energy(GPU, 7.2e6), intensity=FRANCE, pue=1.5))
    (row,) = table_of(ledger.rows(), "codecarbon")
    known = {name: float(row[name]) for name in ("cpu_energy", "gpu_energy", "energy_consumed", "emissions", "pue")}
    assert known == pytest.approx(
        {"cpu_energy": 1.5, "gpu_energy": 3.0, "energy_consumed": 4.5, "emissions": 4.5 * 0.05, "pue": 1.5}
    )
    assert float(row["cpu_power"]) == pytest.approx(1.8e6 * 1.5)
    assert float(row["emissions_rate"]) == pytest.approx(4.5 * 0.05 / 2)
    assert (row["duration"], row["timestamp"], row["tracking_mode"]) == ("2.0", "2026-03-01T12:00:00", "machine")
    assert (row["project_name"], row["run_id"], row["country_iso_code"]) == ("/home/me/train.ipynb", "s1", "FRA")


def test_codecarbons_memory_is_empty_unless_a_counter_was_read(ledger, kept):
    """No invented RAM watts; with a DRAM counter it is there."""
    kept(measurement(energy(PACKAGE)))
    kept(measurement(energy(PACKAGE), energy(DRAM, 3.6e6), after_s=5))
    without, with_dram = table_of(ledger.rows(), "codecarbon")
    assert (without["ram_energy"], without["ram_power"], without["gpu_energy"]) == ("", "", "")
    assert float(with_dram["ram_energy"]) == 1.0


def test_codecarbon_gets_no_part_from_a_board_sensor(ledger, kept):
    """psys is the whole board: it is in the sum and is not the CPU's."""
    kept(measurement(energy(PSYS, 3.6e6)))
    (row,) = table_of(ledger.rows(), "codecarbon")
    assert (row["cpu_energy"], row["energy_consumed"], row["emissions"], row["pue"]) == ("", "1.0", "", "")


@pytest.mark.parametrize(
    ("zone", "origin", "expected"),
    [
        ("FRA", Origin.STATIC, ("FRA", "", "", "")),
        ("USA/California", Origin.USER, ("USA", "california", "", "")),
        ("gcp/europe-west1", Origin.STATIC, ("", "", "gcp", "europe-west1")),
        ("world", Origin.WORLD, ("", "", "", "")),
        ("your own figure", Origin.USER, ("", "", "", "")),
        ("FRA", Origin.GUESSED, ("", "", "", "")),
    ],
)
def test_codecarbons_place_is_what_the_zone_says_and_no_guess(ledger, kept, zone, origin, expected):
    """Country, region, cloud provider, cloud region."""
    kept(measurement(energy(), intensity=intensity(zone, origin)))
    (row,) = table_of(ledger.rows(), "codecarbon")
    assert (row["country_iso_code"], row["region"], row["cloud_provider"], row["cloud_region"]) == expected


def test_codecarbons_rows_may_be_added_up(ledger, kept):
    """A window inside another one has no row: its joules are in that one's."""
    outer = kept(measurement(energy(joules=3.6e6), after_s=1))
    kept(measurement(energy(joules=1.8e6), after_s=2, parent_id=outer.window.id))
    rows = table_of(ledger.rows(), "codecarbon")
    assert sum(float(row["energy_consumed"]) for row in rows) == 1.0


def test_the_total_of_rows_counts_a_window_in_a_window_once(ledger, kept):
    """The inner window's joules are in the outer one's; alone it counts."""
    outer = kept(measurement(energy(joules=100.0), after_s=1))
    kept(measurement(energy(joules=30.0), after_s=2, parent_id=outer.window.id))
    kept(measurement(energy(joules=5.0), after_s=3, parent_id="not among these"))
    assert total(ledger.rows()).total_j == 105.0
    assert total(ledger.rows(last=2)).total_j == 35.0


@pytest.mark.parametrize(
    ("name", "first"),
    [("x.jsonl", '{"schema"'), ("x.json", '{"schema"'), ("x.CSV", "id,"), ("x.prom", "# HELP"), ("x.txt", "# HELP")],
)
def test_the_suffix_chooses_the_format(ledger, kept, tmp_path, name, first):
    """As %energy_export PATH wants it."""
    kept(measurement(energy()))
    export_path(ledger.rows(), tmp_path / name)
    assert (tmp_path / name).read_text().startswith(first)


def test_a_named_format_goes_before_the_suffix(ledger, kept, tmp_path):
    """codecarbon's file is a .csv too."""
    assert export_path(ledger.rows(), tmp_path / "emissions.csv", "codecarbon") is Format.CODECARBON
    assert (tmp_path / "emissions.csv").read_text().startswith("timestamp,project_name,run_id")


@pytest.mark.parametrize("name", ["x.xlsx", "x", "x.csv.gz"])
def test_an_unknown_suffix_names_the_choices(tmp_path, name):
    """And makes no file."""
    with pytest.raises(BadInputError, match=r"\.jsonl, \.json, \.csv, \.prom, \.txt"):
        export_path([], tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_format_names_the_choices(tmp_path):
    with pytest.raises(BadInputError, match="json, csv, codecarbon, prometheus"):
        export_path([], tmp_path / "x.csv", "xml")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_and_a_missing_folder_are_said(tmp_path):
    """In a sentence that names them."""
    (tmp_path / "is.csv").mkdir()
    with pytest.raises(BadInputError, match="is a folder"):
        export_path([], tmp_path / "is.csv")
    with pytest.raises(BadInputError, match="does not exist"):
        export_path([], tmp_path / "not here" / "x.csv")
    with pytest.raises(BadInputError, match="cannot be written"):
        export_path([], tmp_path / f"{'x' * 300}.csv")


def test_a_file_is_replaced_whole_or_not_at_all(ledger, kept, tmp_path):
    """An export that fails in the middle leaves the earlier file, and nothing beside it."""
    path = tmp_path / "x.jsonl"
    kept(measurement(energy()))
    export_path(ledger.rows(), path)
    before = path.read_text()

    def breaks_off():
        yield from ledger.rows()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export_path(breaks_off(), path)
    assert path.read_text() == before
    assert set(tmp_path.iterdir()) == {ledger.path.parent, path}


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names here")
def test_a_pipe_is_written_and_not_replaced(tmp_path, ledger, kept):
    """/dev/stdout and pipes are paths too."""
    import threading

    kept(measurement(energy()))
    pipe = tmp_path / "pipe.csv"
    os.mkfifo(pipe)
    got: list[str] = []
    reader = threading.Thread(target=lambda: got.append(pipe.read_text()))
    reader.start()
    export_path(ledger.rows(), pipe)
    reader.join(5)
    assert got[0].startswith("id,")
    assert pipe.is_fifo()


@pytest.mark.parametrize("format", list(Format))
def test_no_rows_make_a_valid_empty_export(format):  # noqa: A002
    """Headings at most."""
    assert len(text_of([], format).splitlines()) in (0, 1, 8)


@pytest.mark.parametrize("format", list(Format))
def test_every_status_and_method_can_be_exported(ledger, kept, format):  # noqa: A002
    """Nothing in the model is missing from a format's tables."""
    for status in Status:
        for method in Method:
            kept(measurement(energy(method=method), status=status))
    assert text_of(ledger.rows(), format)
