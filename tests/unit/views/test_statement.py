"""The energy statement as people and programs read it: the same facts in each form, and no form broken by a name."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import mistune
import pytest
import yaml as pyyaml

from greennb.ledger.store import Ledger
from greennb.model.errors import BadInputError
from greennb.model.footprint import Origin
from greennb.model.reading import Fault, Method
from greennb.model.units import kwh_to_j
from greennb.views.statement.formats import FORMATS, format_of, stem_of, written
from greennb.views.statement.html import html
from greennb.views.statement.latex import latex
from greennb.views.statement.markdown import markdown
from greennb.views.statement.paragraph import paragraph
from greennb.views.statement.sections import sections
from greennb.views.statement.yaml import yaml
from tests.rig.documents import CARD_FIELDS, NO_TEX, TEX, Page, card, compile_latex
from tests.rig.measurements import FRANCE, GPU, energy, measurement
from tests.rig.statements import EVIL, MODEL, fill, statement, try_something

GOLDEN = Path(__file__).parents[2] / "data" / "views" / "statement.md"


@pytest.fixture
def ledger(tmp_path):
    ledger = Ledger(tmp_path / "ledger.sqlite3")
    yield ledger
    assert ledger.close(5)


@pytest.fixture
def full(ledger):
    """A statement with a bit of everything."""
    fill(ledger)
    try_something(ledger)
    return statement(ledger)


@pytest.fixture
def of(ledger):
    """The statement of windows that are given."""

    def make(*windows, notebook="/home/me/train.ipynb", **asked):
        for window in windows:
            ledger.append(window, session_id="s1", notebook=notebook, source="x", kind="cell")
        return statement(ledger, **asked)

    return make


def test_the_whole_statement(full):
    """Read tests/data/views/statement.md: that is what a person gets."""
    assert markdown(full) == GOLDEN.read_text(encoding="utf-8")


def test_what_a_counter_read_is_said_to_be_measured(of):
    """36 MJ is 10 kWh; at 50 g 500 g."""
    words = paragraph(of(measurement(energy(GPU, kwh_to_j(10), kwh_to_j(0.2)), intensity=FRANCE)))
    assert words.startswith(
        "Training and development used 10.00 kWh of electricity (95 % interval 9.80–10.20 kWh), read from hardware "
        "energy counters (GPU NVIDIA H200), in 1 run of 1 cell of train.ipynb, on 2026-03-01 (2.00 s of measured "
        "time). At a carbon intensity of 50 g CO2e/kWh (FRA, yearly average of 2024, a table) and a PUE of 1, this "
        "corresponds to 500 g of CO2e (490–510 g). Not included: "
    )
    assert "estimate" not in words


def test_an_estimate_is_said_to_be_one(of):
    words = paragraph(of(measurement(energy(MODEL, 3600.0, 1800.0, method=Method.ESTIMATED), intensity=FRANCE)))
    assert "used an estimated 1.0 Wh of electricity (95 % interval of the estimate 0.5–1.5 Wh)" in words
    assert "taken from a model of power, as no sensor could be read (CPU AMD EPYC 7763, 4 of 128 threads)" in words


def test_what_was_not_measured_is_no_zero(of):
    made = of(measurement(faults=(Fault(domain=GPU, t_ns=0, reason="lost"),), intensity=FRANCE))
    assert paragraph(made) == (
        "The energy of 1 run of 1 cell of train.ipynb was not measured: no source of joules gave a reading "
        "(greennb 9.9)."
    )
    for kind in ("html", "md", "latex"):
        assert "not measured" in written(made, kind)
        assert "GPU NVIDIA H200: lost" in written(made, kind)


def test_a_partial_total_says_so(of):
    fault = Fault(domain=MODEL, t_ns=0, reason="gone")
    made = of(measurement(energy(GPU, 100.0, coverage=0.9), faults=(fault,)))
    assert "this is less than the whole" in paragraph(made)
    missing = next(section for section in sections(made) if section.heading == "What is missing")
    assert missing.sentences == (
        "GPU NVIDIA H200: readings cover 90 % of the time.", "CPU AMD EPYC 7763, 4 of 128 threads: gone.",
    )  # fmt: skip


def test_windows_at_the_same_time_are_said_to_count_twice(of):
    """Wherever the total goes: in the list, in the paragraph for a paper, in a model card."""
    made = of(measurement(energy(), intensity=FRANCE), measurement(energy(), intensity=FRANCE, after_s=1))
    assert "2 windows ran at the same time as another on the same machine, for 1.00 s" in markdown(made)
    assert "what they share is counted in each, so this is too high." in paragraph(made)
    assert "too high" in yaml(made)


def test_devices_of_several_machines_are_told_apart_by_number(of):
    """Two cards of one name on two hosts, whose names are not told."""
    there = replace(GPU, host="secret-host", device="GPU-77aa")
    (rows,) = [
        section.rows
        for section in sections(of(measurement(energy(GPU, 50.0), energy(there, 40.0))))
        if section.heading == "Hardware and sensors"
    ]
    assert [name for name, _words in rows] == ["GPU NVIDIA H200, machine 1", "GPU NVIDIA H200, machine 2"]
    assert "secret-host" not in markdown(of())


def test_no_intensity_is_said_with_what_mends_it(of):
    made = of(measurement(energy()))
    assert "name the place with --zone" in markdown(made)
    assert "CO2e" not in paragraph(made)


def test_the_place_is_named_only_where_it_is_one(of):
    """Neither the world nor "your own figure" is a place."""
    made = of(measurement(energy(), intensity=replace(FRANCE, zone="world", origin=Origin.WORLD)))
    assert "geographical_location" not in pyyaml.safe_load(yaml(made))["co2_eq_emissions"]


def test_grams_a_unit_say_whether_the_hardware_is_in_them(of):
    window = measurement(energy(GPU, kwh_to_j(1)), intensity=FRANCE)
    without = markdown(of(window, per=1000.0, unit="prediction"))
    assert "50 mg CO₂e a prediction, 1,000 of them" in without
    assert "without the hardware's making" in without
    assert "emissions of making the hardware" in without
    made = of(per=1000.0, unit="prediction", embodied_g=950.0)
    assert "1.0 g CO₂e a prediction" in markdown(made)
    assert "emissions of making the hardware" not in paragraph(made)


def test_a_trial_claims_no_saving_of_the_total(full):
    """What it showed is said, that nothing is taken off the total, and which joules are beside it."""
    words = markdown(full)
    assert "saves \\~25 % (20–30 %)" in words
    assert "no saving is taken off the total" in words
    assert "1 trial ran in no window of this statement and took \\~210 J beside the total." in words
    assert "2 changes were tried by measurement; 2 showed a saving." in paragraph(full)


# --- a model card's YAML -------------------------------------------------------------------------------------------


def test_the_card_has_the_fields_of_the_hub(full):
    """Grams as a number; 2.6 kWh at 50 g and PUE 1.2 are 156 g."""
    told = card(yaml(replace(full, training_type="fine-tuning")))
    assert set(told) == CARD_FIELDS
    assert told["emissions"] == 156
    assert told["training_type"] == "fine-tuning"
    assert told["geographical_location"] == "FRA"
    assert told["hardware_used"] == "GPU NVIDIA H200; AMD EPYC 7763, 4 logical CPUs, 16 GiB of memory"
    assert told["source"].startswith("greennb 9.9: ~")
    assert "FRA, yearly average of 2024" in told["source"]
    assert "PUE 1.2" in told["source"]
    assert "partial" in told["source"]


@pytest.mark.parametrize("training_type", ["", "fine-tuning", "pre-training"])
def test_the_client_of_the_hub_reads_the_card(full, training_type):
    """As metadata of a model card, and gives it back as it was. The client has no schema for these fields, and the
    Hub's own check needs a network: what this proves is that the block is a card's YAML and its fields are kept."""
    from huggingface_hub import ModelCard, ModelCardData

    block = yaml(replace(full, training_type=training_type))
    told = card(block)
    read = ModelCard(f"---\nlicense: mit\n{block}---\n\n# A model\n")
    assert isinstance(read.data, ModelCardData)
    assert read.data.license == "mit"
    assert read.data.to_dict()["co2_eq_emissions"] == told
    assert told.get("training_type", "") == training_type
    again = ModelCard(str(read))
    assert again.data.to_dict()["co2_eq_emissions"] == told


def test_a_card_of_unknown_machines_names_what_was_measured(of):
    """Two cards of one name, and the processor."""
    cards = [replace(GPU, device=device) for device in ("GPU-1", "GPU-2")]
    made = of(measurement(*(energy(it) for it in cards), energy(MODEL), intensity=FRANCE))
    assert card(yaml(made))["hardware_used"] == "2 x GPU NVIDIA H200; CPU AMD EPYC 7763, 4 of 128 threads"


def test_the_card_says_no_training_type_that_nobody_gave(full):
    assert set(pyyaml.safe_load(yaml(full))["co2_eq_emissions"]) == CARD_FIELDS - {"training_type"}


@pytest.mark.parametrize("kwh", [1e-12, 3.3e-7, 0.02, 1.0, 123456.0, 9.9e14])
def test_grams_are_a_number_of_any_size(of, kwh):
    """Three significant digits, never text: YAML 1.1 takes "1e-7" for text."""
    told = pyyaml.safe_load(yaml(of(measurement(energy(GPU, kwh_to_j(kwh), 0.0), intensity=FRANCE))))
    assert told["co2_eq_emissions"]["emissions"] == pytest.approx(50 * kwh, rel=5e-3)
    assert not isinstance(told["co2_eq_emissions"]["emissions"], str)


def test_names_with_any_mark_stay_text(of):
    """Quotes, colons, hashes, line breaks, escapes and what a label may hold otherwise."""
    evil = replace(GPU, label=EVIL + ': - "\n---\n#')
    place = replace(FRANCE, zone='USA/"x": yes\\', provider="no: 1")
    told = pyyaml.safe_load(yaml(of(measurement(energy(evil), intensity=place))))["co2_eq_emissions"]
    assert set(told) == CARD_FIELDS - {"training_type"}
    assert told["geographical_location"] == 'USA/"x": yes\\'
    assert told["hardware_used"].startswith('GPU a_b & 50% #1 {x} ~^ \\end{document} "q"')


def test_without_grams_there_is_no_card(of):
    with pytest.raises(BadInputError, match="--zone"):
        yaml(of(measurement(energy())))
    assert "co2" not in markdown(of()).casefold().split("no carbon intensity")[0].rpartition("## carbon")[2]


def test_without_joules_there_is_no_card(of):
    with pytest.raises(BadInputError, match="greennb doctor"):
        yaml(of(measurement(faults=(Fault(domain=GPU, t_ns=0, reason="lost"),))))


# --- HTML ------------------------------------------------------------------------------------------------------------


def test_the_page_is_whole_and_needs_nothing_from_elsewhere(full):
    made = html(full)
    page = Page(made)
    assert page.links == []
    assert not {"script", "link", "img", "iframe", "object"} & set(page.tags)
    assert not re.search(r"url\((?!#)|@import|https?:", made)
    assert page.tags.count("h1") == 1


def test_each_form_has_all_that_is_said(full):
    """Every row and sentence of the sections, and the paragraph."""
    said = [paragraph(full)] + [
        words
        for section in sections(full)
        for words in [*section.sentences, *(it for row in section.rows for it in row)]
    ]
    page = Page(html(full)).words
    text = re.sub(r"\\(.)", r"\1", markdown(full))
    for words in said:
        subscripted = " ".join(words.replace("CO2e", "CO₂e").split())
        assert subscripted in page, words
        assert subscripted in text, words


def test_a_page_shows_names_as_text(of):
    made = html(of(measurement(energy(replace(GPU, label=EVIL))), notebook=f"/home/me/{EVIL}", title=EVIL))
    page = Page(made)
    assert "script" not in page.tags
    assert "\x1b" not in made
    assert "\u202e" not in made


# --- Markdown --------------------------------------------------------------------------------------------------------


def test_markdown_shows_names_as_text(of):
    """No link, code, HTML or further column comes of a name."""
    made = markdown(of(measurement(energy(replace(GPU, label=EVIL))), notebook=f"/home/me/{EVIL}", title=EVIL))
    page = Page(mistune.create_markdown(escape=False, plugins=["table"])(made))
    assert set(page.tags) <= {"h1", "h2", "p", "table", "thead", "tbody", "tr", "th", "td", "ul", "li"}
    assert page.tags.count("td") == 2 * (page.tags.count("tr") - page.tags.count("thead"))
    assert page.links == []


# --- LaTeX -----------------------------------------------------------------------------------------------------------


def test_latex_has_the_paragraph_and_tables(full):
    made = latex(full)
    assert r"used an estimated 2.60~kWh of electricity (95~\% interval of the estimate 2.49--2.71~kWh)" in made
    assert r"160~g of CO$_2$e" in made
    assert made.count(r"\begin{tabular}") == made.count(r"\end{tabular}") == 2


def test_a_long_statement_is_several_tables(ledger):
    """A float cannot be broken over pages: fifty trials make further ones, each with its heading and columns."""
    fill(ledger)
    for number in range(25):
        try_something(ledger, minutes=number)
    made = latex(statement(ledger))
    tables = made.split(r"\begin{table}")[1:]
    assert len(tables) > 3
    assert all(table.count(r"\caption{") == table.count(r"\hline" + "\n" + r"\end{tabular}") == 1 for table in tables)
    assert all(table.count(r"\\" + "\n") <= 35 for table in tables)
    assert sum(table.count("GNB21") for table in tables) == 50


def test_latex_is_ascii_but_for_letters_that_it_knows(of):
    """Each special character of a name is escaped; what its fonts lack is a question mark."""
    made = latex(of(measurement(energy(replace(GPU, label=EVIL))), notebook=f"/home/me/{EVIL}"))
    assert r"a\_b \& 50\% \#1 \{x\} $\sim$\textasciicircum{} \textbackslash{}end\{document\}" in made
    assert r"?? é" in made
    assert "\\end{document}" not in made


@pytest.mark.skipif(TEX is None, reason=NO_TEX)
@pytest.mark.parametrize("name", ["train.ipynb", EVIL])
def test_latex_compiles(ledger, tmp_path, name):
    """With nothing but LaTeX, on pages that it fits on, whatever a notebook is called."""
    fill(ledger, notebook=f"/home/me/{name}")
    try_something(ledger)
    made = latex(statement(ledger, per=10.0, unit="a_b"))
    assert compile_latex(made, tmp_path).stat().st_size > 5000


# --- forms -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "kind"), [("a.html", "html"), ("a.HTM", "html"), ("a.md", "md"), ("a.tex", "latex"), ("a.yml", "yaml")]
)
def test_a_suffix_means_a_form(name, kind):
    assert format_of(name) == kind


@pytest.mark.parametrize("name", ["a", "a.doc", ".html"])
def test_a_suffix_that_means_none_is_refused(name):
    with pytest.raises(BadInputError, match="end the path in one of"):
        format_of(name)


def test_a_name_loses_a_suffix_of_ours_only():
    assert (stem_of("x/a.html"), stem_of("x/a.v2"), stem_of("x/a")) == ("x/a", "x/a.v2", "x/a")


@pytest.mark.parametrize("kind", FORMATS)
def test_each_form_ends_in_one_line_break(full, kind):
    made = written(full, kind)
    assert made.endswith("\n")
    assert not made.endswith("\n\n")
