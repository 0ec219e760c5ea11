"""The catalogue in the docs is what the rules and their tests say."""

from __future__ import annotations

import importlib.util
import re
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

from greennb.advisor.catalogue import GROUP
from greennb.advisor.signals.cell import CellContext
from greennb.advisor.signals.sklearn import DataSeen, EstimatorCall, SklearnSignals

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("rules_docs", ROOT / "tools" / "rules.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_pages_are_what_the_script_writes(script: ModuleType) -> None:
    """After a change of a rule, or of a case: python tools/rules.py."""
    there = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "docs" / "rules").glob("*.md")}
    written = script.files()
    assert sorted(there) == sorted(written)
    assert [name for name, text in written.items() if there[name] != text] == []


def test_the_catalogue_says_of_every_rule_how_it_was_tested(script: ModuleType) -> None:
    untested = [line for line in script.files()["README.md"].splitlines() if line.endswith("| no |")]
    assert untested == []


def test_every_link_between_the_pages_leads_somewhere(script: ModuleType) -> None:
    written = script.files()
    links = {link for text in written.values() for link in re.findall(r"\]\(((?:\.\./)?[\w/.-]+\.md)\)", text)}
    folder = ROOT / "docs" / "rules"
    assert [link for link in sorted(links) if not (folder / link).exists()] == []


def test_the_example_of_a_rule_of_ones_own_works_as_it_stands() -> None:
    text = (ROOT / "docs" / "advisor.md").read_text(encoding="utf-8")
    (project,) = re.findall(r"^```toml\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)
    (code,) = re.findall(r"^```python\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)
    assert tomllib.loads(project)["project"]["entry-points"][GROUP] == {"long_fits": "our_rules.long_fits"}
    rule = ModuleType("long_fits")
    exec(compile(code, "docs/advisor.md", "exec"), rule.__dict__)
    call = EstimatorCall(
        estimator="SVC", name="clf", seconds=60.0, data=DataSeen(rows=2_000_000, columns=3, dtype="float64")
    )
    seen = SklearnSignals(version="1.9", calls=(call,))
    cell = CellContext(number=0, cell_id=None, execution_count=1, source="", duration_s=80.0, sklearn=seen)
    (found,) = rule.check(cell)
    assert (found.subject, found.share) == ("clf", 0.75)
    compile(found.code, "<change>", "exec")
