"""``greennb rules``: the catalogue on the command line."""

from __future__ import annotations

import json

import pytest

from greennb.advisor.catalogue import catalogue
from greennb.cli.main import main

CODES = [rule.RULE.code for rule in catalogue().rules]


def test_every_rule_has_a_row_with_its_name(capsys):
    assert main(["rules"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["code", "framework", "severity", "name"]
    assert [line.split()[0] for line in lines[1 : 1 + len(CODES)]] == CODES
    assert lines[-1] == f"{len(CODES)} rules. `greennb rules CODE` shows the page of one."


@pytest.mark.parametrize("code", CODES)
def test_every_rule_has_a_page(code, capsys):
    """Also in lower case; the docstring is on it, and where its claim comes from."""
    assert main(["rules", code.lower()]) == 0
    page = capsys.readouterr().out
    rule = catalogue().named(code)
    assert page.startswith(f"# {code}. ")
    assert "\n**Source.** " in page
    assert (rule.__doc__ or "").strip().splitlines()[-1].strip() in page
    assert page.lower().count("not where") >= 1 or not rule.RULE.wrong_when


def test_json_has_everything(capsys):
    assert main(["rules", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [rule["code"] for rule in told["rules"]] == CODES
    assert set(told["rules"][0]) == {
        "code", "name", "framework", "severity", "since", "source", "wrong_when", "doc"
    }  # fmt: skip
    assert main(["rules", CODES[0], "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"schema": 1, **told["rules"][0]}


@pytest.mark.parametrize(("typed", "expected"), [("GNB2011", "GNB201 or "), ("nothing", "lists them all")])
def test_a_code_that_is_none_gets_a_sentence(typed, expected, capsys):
    assert main(["rules", typed]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith(f'greennb: There is no rule "{typed}": ')
    assert expected in told.err
    assert told.err.count("\n") == 1
