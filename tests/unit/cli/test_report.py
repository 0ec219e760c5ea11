"""``greennb report``: which windows, which form, where to, and what is refused in one sentence."""

from __future__ import annotations

import os
import sqlite3

import pytest
import yaml

from greennb.cli.main import main
from greennb.ledger.migrations import LATEST
from greennb.ledger.store import Ledger
from greennb.model.reading import Fault
from greennb.model.units import kwh_to_j
from tests.rig.measurements import FRANCE, GPU, energy, measurement
from tests.rig.statements import fill, try_something


@pytest.fixture
def path(tmp_path, monkeypatch):
    """The ledger that the environment names; the working folder is empty."""
    path = tmp_path / "kept" / "ledger.sqlite3"
    monkeypatch.setenv("GREENNB_LEDGER", str(path))
    monkeypatch.setenv("TZ", "UTC")
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return path


@pytest.fixture
def keep(path):
    """Write windows, and have them in the file at once."""

    def append(*made, **fields):
        known = {"session_id": "abc1", "notebook": "/home/me/train.ipynb", "source": "fit(x)", "kind": "cell"}
        ledger = Ledger(path)
        for window in made:
            ledger.append(window, **known | fields)
        assert ledger.close()

    return append


@pytest.fixture
def filled(path):
    """A ledger with two runs of an hour of train.ipynb, 2.6 kWh in all."""
    ledger = Ledger(path)
    fill(ledger)
    assert ledger.close()


def printed(capsys, *words: str) -> str:
    assert main(["report", *words]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return out


def said(capsys, *words: str) -> str:
    """The one sentence of a refusal."""
    assert main(["report", *words]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("greennb: ")
    assert err.count("\n") == 1
    return err


def test_alone_it_prints_markdown_of_all_there_is(capsys, filled):
    shown = printed(capsys)
    assert shown.startswith("# Energy statement: train.ipynb\n\nTraining and development used an estimated 2.60 kWh")
    assert "1 raised an error; all of them are counted" in shown


@pytest.mark.parametrize(
    ("kind", "begins"),
    [("html", "<!doctype html>"), ("md", "# Energy"), ("latex", "% Energy"), ("yaml", "co2_eq_emissions:\n")],
)
def test_each_format_is_printed(capsys, filled, kind, begins):
    assert printed(capsys, "--format", kind).startswith(begins)


@pytest.mark.parametrize("name", ["a.html", "a.md", "a.tex", "a.yaml", "a.yml", "new/folder/a.html"])
def test_the_suffix_says_the_format_and_folders_are_made(capsys, filled, tmp_path, name):
    """As `greennb run --html` does."""
    assert main(["report", "--out", name]) == 0
    assert capsys.readouterr().err == f"greennb: {name} written.\n"
    assert (tmp_path / "here" / name).read_text(encoding="utf-8").strip()


def test_a_file_that_is_there_is_replaced(capsys, filled, tmp_path):
    file = tmp_path / "here" / "a.md"
    file.write_text("old" * 10_000)
    assert main(["report", "--out", "a.md"]) == 0
    assert file.read_text(encoding="utf-8").startswith("# Energy statement")
    assert [it.name for it in file.parent.iterdir()] == ["a.md"]


@pytest.mark.parametrize("name", ["mine", "mine.html"])
def test_all_formats_lie_beside_each_other(capsys, filled, tmp_path, name):
    assert main(["report", "--format", "all", "--out", name]) == 0
    names = {"mine.html", "mine.md", "mine.tex", "mine.yaml"}
    assert {it.name for it in (tmp_path / "here").iterdir()} == names
    assert capsys.readouterr().err.count("written.") == 4


def test_all_formats_go_into_a_folder(capsys, filled, tmp_path):
    assert main(["report", "--format", "all", "--out", str(tmp_path / "here")]) == 0
    assert {it.suffix for it in (tmp_path / "here").iterdir()} == {".html", ".md", ".tex", ".yaml"}


def test_all_formats_leave_out_the_card_that_cannot_be_made(capsys, keep, tmp_path):
    """Without an intensity there are no grams; the others are there."""
    keep(measurement(energy()))
    assert main(["report", "--format", "all", "--out", "mine"]) == 0
    assert "mine.yaml is not written: A model card needs grams" in capsys.readouterr().err
    assert {it.name for it in (tmp_path / "here").iterdir()} == {"mine.html", "mine.md", "mine.tex"}


def test_notebook_session_since_and_last_choose(capsys, keep):
    """1, 2, 4 and 8 Wh, so that each sum says what is in it."""
    keep(measurement(energy(joules=3600.0, half=0.0), after_s=1))
    keep(measurement(energy(joules=7200.0, half=0.0), after_s=100), notebook="/w/b.ipynb", session_id="xyz1")
    keep(measurement(energy(joules=14400.0, half=0.0), after_s=200), notebook="/w/c.ipynb", session_id="xyz2")
    keep(measurement(energy(joules=28800.0, half=0.0), after_s=86_400), session_id="new1")
    for words, energy_words in {
        (): "15.0 Wh",
        ("--notebook", "train.ipynb"): "9.00 Wh",
        ("--notebook", "b.ipynb", "/w/c.ipynb"): "6.00 Wh",
        ("--notebook", "b.ipynb", "--notebook", "c.ipynb"): "6.00 Wh",
        ("--session", "xyz1", "new"): "10.0 Wh",
        ("--since", "2026-03-02"): "8.00 Wh",
        ("--since", "2026-03-01T12:01"): "14.0 Wh",
        ("--since", "2026-03-01T13:01+01:00", "--session", "xyz2"): "4.00 Wh",
        ("--last", "2"): "12.0 Wh",
        ("--notebook", "train.ipynb", "--last", "1"): "8.00 Wh",
    }.items():
        assert f"| energy | {energy_words}," in printed(capsys, *words), words


def test_the_newest_windows_have_the_trials_since_then(capsys, filled, path):
    """One that ended before the first of them is not told."""
    ledger = Ledger(path)
    try_something(ledger)
    assert ledger.close()
    assert "GNB210 model" in printed(capsys)
    assert "GNB210 model" not in printed(capsys, "--last", "1")


def test_another_place_and_pue_make_other_grams(capsys, filled):
    """2.6 kWh at 100 g and PUE 2 are 520 g; the place given is the one named."""
    told = yaml.safe_load(printed(capsys, "--format", "yaml", "--intensity", "100", "--pue", "2"))
    assert told["co2_eq_emissions"]["emissions"] == pytest.approx(520)
    told = yaml.safe_load(printed(capsys, "--format", "yaml", "--zone", "Sweden"))
    assert told["co2_eq_emissions"]["geographical_location"] == "SWE"
    assert "The intensity was given for this statement" in printed(capsys, "--zone", "SWE")
    assert "The intensity and the PUE were given for this statement" in printed(capsys, "--zone", "SWE", "--pue", "1")
    assert "given for this statement" not in printed(capsys)


def test_the_zone_of_the_settings_leaves_grams_as_they_were(capsys, filled, monkeypatch):
    """What the work's kernel had in force is kept in the ledger; this shell's environment is another matter."""
    monkeypatch.setenv("GREENNB_ZONE", "SWE")
    monkeypatch.setenv("GREENNB_PUE", "3")
    told = yaml.safe_load(printed(capsys, "--format", "yaml"))
    assert told["co2_eq_emissions"]["emissions"] == pytest.approx(156)


def test_title_training_type_and_units(capsys, filled):
    shown = printed(capsys, "--title", "Our *paper*", "--per", "1e6", "--unit", "prediction", "--embodied", "844000")
    assert shown.startswith("# Our \\*paper\\*\n")
    assert "840 mg CO₂e a prediction, 1,000,000 of them" in shown
    assert "with 840 kg CO₂e of the hardware's making" in shown
    told = printed(capsys, "--format", "yaml", "--training-type", "fine-tuning")
    assert yaml.safe_load(told)["co2_eq_emissions"]["training_type"] == "fine-tuning"
    assert "Fine-tuning and development used" in printed(capsys, "--training-type", "fine-tuning")


def test_folders_of_notebooks_are_nobodys_business(capsys, filled):
    for kind in ("html", "md", "latex", "yaml"):
        shown = printed(capsys, "--format", kind)
        assert "/home" not in shown
        assert "bench" not in shown


# --- what is refused -------------------------------------------------------------------------------------------------


def test_an_empty_ledger_is_said(capsys, path):
    """A ledger that is not there yet, and one without a window."""
    assert f"There is nothing to report. No window is in the ledger {path} yet." in said(capsys)
    ledger = Ledger(path)
    ledger.append_machine(lambda: None, session_id="x")
    ledger.close()
    assert "There is nothing to report." in said(capsys)


def test_a_ledger_that_is_off_is_said(capsys, monkeypatch):
    monkeypatch.setenv("GREENNB_LEDGER", "off")
    assert "The ledger is off" in said(capsys)


def test_a_choice_without_windows_is_said(capsys, filled):
    assert "No window in the ledger matches." in said(capsys, "--notebook", "other.ipynb")
    assert "No window in the ledger matches." in said(capsys, "--since", "2027-01-01")
    assert 'No session in the ledger begins with "zz"' in said(capsys, "--session", "zz")


def test_a_newer_ledger_is_said_and_left_alone(capsys, filled, path):
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {LATEST + 1}")
    connection.commit()
    connection.close()
    assert f"is of version {LATEST + 1} and this greennb knows up to {LATEST}: upgrade greennb" in said(capsys)


def test_a_file_that_is_no_ledger_is_said(capsys, tmp_path):
    (tmp_path / "x.sqlite").write_text("no ledger at all" * 100)
    assert "damaged" in said(capsys, "--ledger", str(tmp_path / "x.sqlite"))
    assert "There is no ledger at" in said(capsys, "--ledger", str(tmp_path / "y.sqlite"))


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--zone", "Atlantis"), 'There is no place "Atlantis"'),
        (("--zone", " "), "--zone is empty"),
        (("--pue", "0.5"), "pue is 0.5: give a number of at least 1"),
        (("--pue", "nan"), "pue is nan"),
        (("--intensity", "-3"), "--intensity is -3"),
        (("--per", "0"), "per is 0: give the number of units"),
        (("--per", "1", "--embodied", "-1"), "embodied is -1"),
        (("--embodied", "10"), "--embodied is for grams a unit: give --per too"),
        (("--format", "all"), "give --out a folder"),
        (("--out", "a.doc"), 'A report cannot be made from ".doc"'),
        (("--out", "a"), "A report cannot be made from no suffix"),
    ],
)
def test_what_is_no_good_is_said(capsys, filled, words, sentence):
    assert sentence in said(capsys, *words)


@pytest.mark.parametrize(
    "words", [("--since", "yesterday"), ("--last", "-1"), ("--format", "pdf"), ("--zone", "FRA", "--intensity", "5")]
)
def test_what_the_parser_refuses_ends_with_2(capsys, filled, words):
    assert main(["report", *words]) == 2
    assert "usage: greennb report" in capsys.readouterr().err


def test_a_folder_as_a_file_is_said(capsys, filled, tmp_path):
    (tmp_path / "here" / "a.html").mkdir()
    assert "a.html is a folder: give the name of a file." in said(capsys, "--out", "a.html")


def test_a_place_below_a_file_is_said(capsys, filled, tmp_path):
    (tmp_path / "here" / "file").write_text("x")
    assert "cannot be made" in said(capsys, "--out", "file/a.html")


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root and Windows write where they like")
def test_a_read_only_place_is_said(capsys, filled, tmp_path):
    (tmp_path / "here").chmod(0o500)
    try:
        assert "cannot be written" in said(capsys, "--out", "a.html")
    finally:
        (tmp_path / "here").chmod(0o700)


def test_rows_without_joules_make_a_statement_that_says_so_and_no_card(capsys, keep):
    keep(measurement(faults=(Fault(domain=GPU, t_ns=0, reason="lost"),)))
    assert "was not measured: no source of joules gave a reading" in printed(capsys)
    assert "no joules were measured: see `greennb doctor`" in said(capsys, "--format", "yaml")


def test_rows_without_an_intensity_make_a_card_with_a_zone_only(capsys, keep):
    keep(measurement(energy(joules=kwh_to_j(1))))
    keep(measurement(energy(joules=kwh_to_j(1)), intensity=FRANCE, after_s=60))
    assert "name the place with --zone, or give --intensity" in said(capsys, "--format", "yaml")
    told = yaml.safe_load(printed(capsys, "--format", "yaml", "--intensity", "100"))
    assert told["co2_eq_emissions"]["emissions"] == 200


def test_history_and_report_choose_alike(capsys, filled):
    """The same options, the same windows."""
    assert main(["history", "--since", "2026-03-02", "--notebook", "train.ipynb", "other.ipynb"]) == 0
    assert "1 window " in capsys.readouterr().out
    assert "1 run of 1 cell" in printed(capsys, "--since", "2026-03-02", "--notebook", "train.ipynb", "other.ipynb")
