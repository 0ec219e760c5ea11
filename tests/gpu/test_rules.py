"""The advisor's rules that need a card, run on a real one. Skipped, with the reason, where there is none.

A case's comment says which compute capability it needs (``# needs: 8.0``, ``# needs: 7.0 to 7.5``) and which other
codes it may give besides its own (``# also: GNB206``).
"""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

from tests.advisor.harness import ran
from tests.advisor.test_cases import assert_sound, expected
from tests.gpu.card import find

pytestmark = pytest.mark.gpu

CASES = sorted((Path(__file__).parent / "cases").glob("GNB*.py"))


@pytest.fixture(scope="module")
def capability() -> tuple[int, int]:
    """The first card's compute capability, as PyTorch has it."""
    found = find()
    if isinstance(found, str):
        pytest.skip(f"no NVIDIA card here, no rule is tried on one: {found}")
    if found.is_stub:
        pytest.skip("the stub computes nothing: rules want a real card")
    if importlib.util.find_spec("torch") is None:
        pytest.skip("PyTorch is not installed")
    import torch

    if not torch.cuda.is_available():
        pytest.skip(f"PyTorch {torch.__version__} can't use the {found.name}")
    major, minor = torch.cuda.get_device_capability(0)
    return major, minor


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_a_case_says_what_it_should_on_a_card(path: Path, capability: tuple[int, int]) -> None:
    """Its own code where it fires and not where it is silent, and no other code but those that its comment names."""
    low, high = needed(path)
    if not low <= capability <= high:
        pytest.skip(f"it needs compute capability {low} to {high}, and this card has {capability}")
    code, fires = expected(path)
    also = " ".join(re.findall(r"^# also: (.*)$", path.read_text(), flags=re.MULTILINE))
    case = ran(path)
    found = case.advisor.findings(all_cells=True)
    codes = {finding.rule.code for finding in found}
    assert not case.said
    assert (code in codes) == fires, [(it.key, it.evidence) for it in found]
    assert codes <= {*re.findall(r"GNB\d{3}", also), *([code] if fires else [])}
    for finding in found:
        assert_sound(finding)


def needed(path: Path) -> tuple[tuple[int, int], tuple[int, int]]:
    """The least and the highest compute capability that a case is for."""
    wanted = re.search(r"^# needs: (\d+)\.(\d+)(?: to (\d+)\.(\d+))?$", path.read_text(), flags=re.MULTILINE)
    if wanted is None:
        return (0, 0), (99, 0)
    low, high = wanted.groups()[:2], wanted.groups()[2:]
    return (int(low[0]), int(low[1])), (int(high[0]), int(high[1])) if high[0] else (99, 0)
