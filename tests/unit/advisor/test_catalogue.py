"""The catalogue: greennb's own rules, and other people's that keep to the contract."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from greennb.advisor.catalogue import catalogue
from greennb.advisor.signals.cell import CellContext

EMPTY = CellContext(number=0, cell_id=None, execution_count=None, source="", duration_s=10.0)
OWN = [rule for rule in catalogue().rules if rule.RULE.code.startswith("GNB")]
FAMILIES = {"1": {"notebook", "machine"}, "2": {"torch"}, "3": {"sklearn"}, "4": {"keras"}, "5": {"jax"}}


@pytest.fixture
def fresh() -> Iterator[None]:
    catalogue.cache_clear()
    yield
    catalogue.cache_clear()


@pytest.mark.parametrize("rule", OWN, ids=lambda rule: rule.RULE.code)
def test_a_rule_is_documented_and_silent_on_a_cell_where_nothing_was_seen(rule) -> None:
    assert list(rule.check(EMPTY)) == []
    told = rule.RULE
    assert told.framework in FAMILIES[told.code[3]]
    assert len(told.name) <= 60
    assert told.source
    assert told.wrong_when
    page = rule.__doc__ or ""
    assert len(page) > 400, "the docstring is the page that the user reads"
    assert "not" in page.lower(), "it says when not"
    assert not re.search(r"\bsaves? \d", page)


def test_every_rule_of_our_own_loads() -> None:
    assert catalogue().problems == ()


def test_codes_are_unique_and_in_order() -> None:
    codes = [rule.RULE.code for rule in catalogue().rules]
    assert codes == sorted(set(codes))


def test_there_are_as_many_rules_as_were_promised() -> None:
    assert len(OWN) >= 45


def plugin(folder: Path, entry: str, code: str) -> None:
    """A package as somebody would publish it."""
    (folder / "their_rules.py").write_text(code)
    info = folder / "their_rules-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: their-rules\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[greennb.rules]\ntheirs = {entry}\n")


THEIRS = '''"""Their rule."""
from greennb.advisor.base import Found, evidence
from greennb.model.finding import Rule, Severity

RULE = Rule(code="{code}", name="theirs", framework="theirs", severity=Severity.NOTE, since="1", source="them")

def check(cell):
    yield Found(evidence=(evidence("seconds", cell.duration_s, "s"),), text="Do less.", code="", share=1.0)
'''


@pytest.mark.parametrize(
    ("entry", "code", "problem"),
    [
        ("their_rules", THEIRS.format(code="THX1"), None),
        ("their_rules:RULES", THEIRS.format(code="THX1") + "\nimport sys\nRULES = [sys.modules[__name__]]\n", None),
        ("their_rules", THEIRS.format(code="GNB201"), "no code of your own"),
        ("their_rules", "1 / 0", "ZeroDivisionError"),
        ("their_rules:RULES", "RULES = [3]", "needs RULE"),
        ("their_rules:missing", "", "AttributeError"),
    ],
)
@pytest.mark.usefixtures("fresh")
def test_other_peoples_rules(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, entry: str, code: str, problem: str | None
) -> None:
    plugin(tmp_path, entry, code)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "their_rules", raising=False)
    known = catalogue()
    assert len(known.rules) >= len(OWN)
    theirs = known.find("thx1")
    if problem is None:
        assert theirs is not None
        assert [found.share for found in theirs.check(EMPTY)] == [1.0]
        assert not known.problems
    else:
        assert theirs is None
        (said,) = known.problems
        assert problem in said
    monkeypatch.delitem(sys.modules, "their_rules", raising=False)
