"""Advice in words and as HTML: honest about what its joules are, safe whatever a rule or a user wrote."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest

from greennb.model.finding import Evidence, Finding, Rule, Severity, Suggestion
from greennb.model.messages import finding_from_dict, finding_to_dict
from greennb.model.reading import Method
from greennb.model.wire import ADVICE_MIME_TYPE, MIME_TYPE
from greennb.views import advice, mime
from greennb.views.advice import Looked
from greennb.views.report import html_report
from greennb.views.rule import page

HOSTILE = '<script>alert(1)</script><img src=x onerror="a">\x1b[31m\u202e\u2066"\'&'
RULE = Rule(
    code="GNB201", name="Training waits for its data loader", framework="torch", severity=Severity.ACT, since="0.2",
    source="the docs", wrong_when=("the data set is tiny", "the cores are busy"),
)  # fmt: skip
FINDING = Finding(
    rule=RULE, cell_id="a", execution_count=4, cells=2, subject="loader", at_stake_s=9.3, at_stake_j=412.0,
    method=Method.ESTIMATED,
    evidence=(Evidence(name="waiting", value=62.0, unit="%"), Evidence(name="steps", value=230.0, unit="1"),
              Evidence(name="a step", value=12.5, unit="ms"), Evidence(name="held", value=3 * 2**30, unit="B"),
              Evidence(name="batch", value=32.0, unit="rows")),
    suggestion=Suggestion(text="Load batches in workers.", code="loader = DataLoader(\n    data, num_workers=2\n)"),
)  # fmt: skip
LOOKED = Looked(cells=12, frameworks=("torch", "sklearn"), rules=50)
ALL_PARTS = (
    "1 finding. At stake is what ran through it, never a saving",
    "GNB201", "Training waits for its data loader (loader)", "act", "cell [4] and 1 more",
    "~410 J in 9.30 s ran through it", "waiting 62 % · steps 230 · a step 12.5 ms · held 3 GiB · batch 32 rows",
    "Load batches in workers.", "    data, num_workers=2", "the data set is tiny; the cores are busy", "the docs",
    "greennb rules GNB201",
)  # fmt: skip


def words(html: str) -> str:
    from html import unescape

    return unescape(re.sub(r"<style>.*?</style>|<[^>]+>", "", html))


@pytest.mark.parametrize("part", ALL_PARTS)
def test_a_finding_says_everything_in_text_and_in_html(part):
    assert part in advice.text([FINDING], LOOKED)
    assert part in words(advice.html([FINDING], LOOKED))


def test_no_saving_is_ever_promised():
    for made in (advice.text([FINDING], LOOKED), words(advice.html([FINDING], LOOKED)), advice.line(FINDING)):
        assert not re.search(r"\bsav(e|es|ed|ing)\b", made.replace("never a saving", ""))


def test_nothing_found_says_what_was_looked_at():
    assert (
        advice.text([], LOOKED)
        == "Nothing found. 50 rules looked at 12 runs of cells; at work in them: torch, sklearn."
    )
    bare = advice.text([], Looked(cells=1, rules=50))
    assert bare == "Nothing found. 50 rules looked at 1 run of cells; at work in them: no framework that greennb knows."


def test_what_is_left_out_is_said():
    looked = replace(LOOKED, dismissed=2, off=("torch",))
    told = advice.text([], looked, more=3)
    assert told.splitlines()[0] == "Nothing to say on cells of at least 1 J and 1 s."
    assert "3 more on cells below 1 J or 1 s: %energy_advise --all shows them." in told
    assert "2 dismissed, and not shown." in told
    assert "Not watched any more, since watching failed: torch." in told


def test_the_line_on_a_card_is_one_line():
    assert advice.line(FINDING) == (
        "GNB201 loader: Training waits for its data loader (waiting 62 %). %energy_advise says more."
    )
    assert "\n" not in advice.line(replace(FINDING, subject="a\nb" * 100))


@pytest.mark.parametrize(
    ("finding", "expected"),
    [
        (FINDING, "~410 J in 9.30 s ran through it"),
        (replace(FINDING, method=Method.COUNTER), "412 J in 9.30 s ran through it"),
        (replace(FINDING, at_stake_j=None), "9.30 s ran through it, joules not measured"),
        (replace(FINDING, at_stake_s=None), ""),
    ],
)
def test_what_is_at_stake(finding, expected):
    assert advice.at_stake(finding) == expected


def test_what_a_user_or_a_rule_wrote_is_text():
    rule = replace(RULE, code=HOSTILE, name=HOSTILE, source=HOSTILE, wrong_when=(HOSTILE,), framework=HOSTILE)
    finding = replace(
        FINDING, rule=rule, subject=HOSTILE, suggestion=Suggestion(text=HOSTILE * 200, code=HOSTILE + "\n" * 500),
        evidence=(Evidence(name=HOSTILE, value=float("nan"), unit=HOSTILE),),
    )  # fmt: skip
    page = advice.html([finding], LOOKED)
    tags = {tag.lower() for tag in re.findall(r"<([a-zA-Z]+)", page)}
    assert tags <= {"div", "style", "b", "bdi", "span", "p", "pre", "code"}
    assert not re.search("[\x00-\x08\x0b-\x1f\u202a-\u202e\u2066-\u2069]", page + advice.text([finding], LOOKED))
    assert len(page) < 25_000
    json.dumps(advice.bundle([finding], LOOKED)[ADVICE_MIME_TYPE], allow_nan=False)


def test_a_bundle_has_the_findings_for_the_page_and_the_count_of_others():
    made = advice.bundle([FINDING], LOOKED, more=2)
    assert made[ADVICE_MIME_TYPE]["findings"] == [finding_to_dict(FINDING)]
    assert made[ADVICE_MIME_TYPE]["more"] == 2
    assert made[ADVICE_MIME_TYPE]["looked"] == {
        "cells": 12, "frameworks": ["torch", "sklearn"], "rules": 50, "dismissed": 0
    }  # fmt: skip


def test_a_finding_is_read_again_as_it_was_written():
    again = finding_from_dict(json.loads(json.dumps(finding_to_dict(FINDING))))
    assert again == replace(FINDING, rule=replace(RULE, since=""))


def test_a_card_has_the_line_in_every_kind_and_no_trace_of_none(samples):
    line = advice.line(FINDING)
    for quiet in (True, False):
        made = mime.bundle(samples.estimated(), advice=line, quiet=quiet)
        assert made[MIME_TYPE]["advice"] == line
        assert line in words(made["text/html"])
        assert made["text/plain"].splitlines()[-1] == f"  {line}"
        assert "advice" not in mime.bundle(samples.estimated(), quiet=quiet)[MIME_TYPE]


def test_a_report_has_a_section_only_where_advice_was_asked_for(samples):
    run = samples.notebook_run()
    assert "<h2>Advice</h2>" not in html_report(run)
    assert "Asked for, and nothing was found." in html_report(replace(run, findings=()))
    told = words(html_report(replace(run, findings=(FINDING,))))
    for part in ("Training waits for its data loader (loader)", "Load batches in workers.", "num_workers=2"):
        assert part in told


def test_a_run_with_findings_is_read_again_and_older_files_have_none(samples):
    run = samples.notebook_run()
    cell = next(cell for cell in run.cells if cell.cell_id is not None)
    finding = replace(FINDING, cell_id=cell.cell_id)
    data = json.loads(json.dumps(replace(run, findings=(finding,)).to_dict()))
    assert [it["cell_index"] for it in data["findings"]] == [cell.index]
    again = type(run).from_dict(data)
    assert again.findings is not None
    assert again.findings[0].key == finding.key
    assert "findings" not in run.to_dict()
    assert type(run).from_dict(run.to_dict()).findings is None


def test_the_page_of_a_rule():
    doc = """Loading is slow.

    It waits.
    """
    assert page(RULE, doc) == (
        "# GNB201. Loading is slow\n\n"
        "Training waits for its data loader. Framework: torch. Severity: act (worth doing where it is found). "
        "Since 0.2.\n\n"
        "It waits.\n\n**Not where**\n\n- the data set is tiny\n- the cores are busy\n\n**Source.** the docs\n"
    )
    assert page(RULE, "Slow.\n\n**Not where** it is quick.").count("ot where") == 1


@pytest.mark.parametrize(
    ("name", "value", "unit", "words"),
    [
        ("calls", 240, "calls", "calls 240"),
        ("rows", 12_000, "rows", "rows 12,000"),
        ("fits", 1, "calls", "fits 1 call"),
        ("fits", 3, "calls", "fits 3 calls"),
        ("parameters", 5, "1", "parameters 5"),
        ("a step", 40.1, "ms", "a step 40.1 ms"),
    ],
)
def test_evidence_names_its_unit_once(name: str, value: float, unit: str, words: str) -> None:
    assert advice.evidence_words(Evidence(name=name, value=value, unit=unit)) == words
