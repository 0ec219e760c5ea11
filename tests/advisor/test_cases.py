"""Each rule where it must fire and where, as near as can be, it must not: run for real, or on recorded signals."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from greennb.advisor.catalogue import catalogue
from greennb.advisor.signals.record import from_dict
from greennb.model.finding import Finding
from tests.advisor.harness import CASES, ran

SIGNALS = CASES.parents[1] / "data" / "signals"
FILES = sorted(CASES.rglob("GNB*.py"))
RECORDED = sorted(SIGNALS.glob("GNB*.json"))

TRIES = 3
"""Runs of a case. A rule stands on seconds that were measured, and on a busy machine some of them are the machine's: a
case that is right in none of three runs is wrong."""


def expected(path: Path) -> tuple[str, bool]:
    """The code that a file is about, and whether it must fire."""
    code, how = path.stem.split("_", 1)
    return code, how.startswith("fires")


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_case_says_what_it_should(path: Path) -> None:
    """Its own code where it fires, and no other code but those that its comment names."""
    wrong = [what for what in _tries(path) if what]
    assert len(wrong) < TRIES, "\n".join(wrong)


def _tries(path: Path) -> Iterator[str]:
    """What is wrong with a case, run after run, up to the first in which nothing is."""
    code, fires = expected(path)
    also = set(re.findall(r"^# also: (.*)$", path.read_text(), flags=re.MULTILINE))
    allowed = {code for line in also for code in re.findall(r"GNB\d{3}", line)} | ({code} if fires else set())
    for _ in range(TRIES):
        case = ran(path)
        found = case.advisor.findings(all_cells=True)
        codes = {finding.rule.code for finding in found}
        assert not case.said
        for finding in found:
            assert_sound(finding)
        right = (code in codes) == fires and codes <= allowed
        yield "" if right else f"found: {_told(found) or 'nothing'}"
        if right:
            return


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_recorded_signals_say_what_they_should(path: Path) -> None:
    code, fires = expected(path)
    data = json.loads(path.read_text())
    assert len(data["made"]) > 20, "a recording says how it was made"
    rule = catalogue().find(code)
    assert rule is not None
    found = list(rule.check(from_dict(data["cell"])))
    assert bool(found) == fires, found
    for one in found:
        assert one.evidence
        assert 0 <= one.share <= 1


def test_every_rule_has_a_place_where_it_fires_and_one_where_it_does_not() -> None:
    fire = {code for path in [*FILES, *RECORDED] for code, fires in [expected(path)] if fires}
    silent = {code for path in [*FILES, *RECORDED] for code, fires in [expected(path)] if not fires}
    own = {rule.RULE.code for rule in catalogue().rules if rule.RULE.code.startswith("GNB")}
    assert own - fire == set()
    assert own - silent == set()


def assert_sound(finding: Finding) -> None:
    """Evidence from this run, a share that is one, and code that is Python."""
    assert finding.evidence
    assert finding.at_stake_s is not None
    assert finding.at_stake_s >= 0
    assert finding.suggestion.text.strip().endswith((".", "?"))
    if finding.suggestion.code:
        compile(finding.suggestion.code, "<code change>", "exec")


def _told(found: tuple[Finding, ...]) -> str:
    return "; ".join(
        f"{it.key} on [{it.execution_count}]: {', '.join(f'{e.name}={e.value:.4g} {e.unit}' for e in it.evidence)}"
        for it in found
    )
