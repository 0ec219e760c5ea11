"""``greennb export``: the ledger for other programs, on standard output or into a file."""

from __future__ import annotations

import csv
import io
import json

import pytest

from greennb.cli.main import main
from greennb.ledger.store import Ledger
from tests.rig.measurements import FRANCE, energy, measurement


@pytest.fixture
def path(tmp_path, monkeypatch):
    """A ledger with three windows, which the environment names."""
    path = tmp_path / "ledger.sqlite3"
    monkeypatch.setenv("GREENNB_LEDGER", str(path))
    ledger = Ledger(path)
    for number in range(3):
        made = measurement(energy(joules=10.0), label=f"w{number}", after_s=number + 1, intensity=FRANCE)
        ledger.append(made, session_id="s", notebook="n.ipynb", source="x", kind="cell")
    assert ledger.close()
    return path


def exported(capsys, *words: object) -> str:
    assert main(["export", *map(str, words)]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return out


def said(capsys, *words: object) -> str:
    assert main(["export", *map(str, words)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    return err


def test_each_format_goes_to_standard_output(capsys, path):
    """Oldest first, nothing beside the data."""
    lines = exported(capsys, "--format", "json").splitlines()
    assert [json.loads(line)["label"] for line in lines] == ["w0", "w1", "w2"]
    rows = list(csv.DictReader(io.StringIO(exported(capsys, "--format", "csv"))))
    assert [row["total_j"] for row in rows] == ["10.0"] * 3
    rows = list(csv.DictReader(io.StringIO(exported(capsys, "--format", "codecarbon"))))
    assert float(rows[0]["cpu_energy"]) == pytest.approx(10.0 / 3.6e6)
    assert 'method="counter"} 30.0' in exported(capsys, "--format", "prometheus")


def test_last_takes_the_newest(capsys, path):
    """All unless told."""
    (line,) = exported(capsys, "--format", "json", "--last", 1).splitlines()
    assert json.loads(line)["label"] == "w2"


def test_out_writes_a_file_and_says_so(capsys, path, tmp_path):
    """Standard output stays empty; the suffix may stand for the format."""
    out = tmp_path / "energy.csv"
    assert main(["export", "--out", str(out)]) == 0
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "3 windows written to" in printed.err
    assert out.read_text().startswith("id,parent_id")
    assert main(["export", "--out", str(out), "--format", "codecarbon"]) == 0
    assert out.read_text().startswith("timestamp,")


def test_another_ledger_can_be_named(capsys, path, monkeypatch):
    """--ledger goes before the environment."""
    monkeypatch.setenv("GREENNB_LEDGER", "off")
    assert len(exported(capsys, "--format", "json", "--ledger", path).splitlines()) == 3


def test_bad_input_gets_a_sentence(capsys, path, tmp_path, monkeypatch):
    """Exit status 2, and no file."""
    assert "Which format?" in said(capsys)
    assert "invalid choice" in said(capsys, "--format", "xml")
    assert ".jsonl" in said(capsys, "--out", tmp_path / "x.xlsx")
    assert "is a folder" in said(capsys, "--out", tmp_path, "--format", "csv")
    assert "does not exist" in said(capsys, "--out", tmp_path / "no" / "x.csv")
    assert "There is no ledger at" in said(capsys, "--format", "csv", "--ledger", tmp_path / "no")
    monkeypatch.setenv("GREENNB_LEDGER", "off")
    assert "The ledger is off" in said(capsys, "--format", "csv")
    assert all(file.name.startswith(path.name) for file in tmp_path.iterdir())


def test_an_empty_ledger_exports_headings(capsys, tmp_path, monkeypatch):
    """A scrape before the first window is valid."""
    monkeypatch.setenv("GREENNB_LEDGER", str(tmp_path / "none.sqlite3"))
    assert exported(capsys, "--format", "json") == ""
    assert len(exported(capsys, "--format", "csv").splitlines()) == 1
    assert "# TYPE greennb_energy_joules_total counter" in exported(capsys, "--format", "prometheus")
