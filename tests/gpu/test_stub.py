"""The suite for real cards, tried on the stub, so that it is in order on the day a card is there."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.gpu.card import STUB
from tests.rig import nvml
from tests.rig.nvml import NvmlRig

ROOT = Path(__file__).parents[2]

pytestmark = [
    pytest.mark.skipif(STUB in os.environ, reason="this is the process that has the stub"),
    pytest.mark.skipif(not nvml.can_build(), reason="no gcc: the suite for NVIDIA cards cannot be tried on the stub"),
]


@pytest.fixture
def rig(tmp_path: Path) -> NvmlRig:
    from tests.gpu.report import STUB_BOARD

    return NvmlRig(tmp_path, nvml.build(tmp_path), [STUB_BOARD])


def test_the_suite_for_real_cards_passes_on_the_stub_and_skips_nothing(rig: NvmlRig) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(ROOT / "tests/gpu/test_card.py")]
    answer = subprocess.run(command, env=rig.environ(), cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert answer.returncode == 0, answer.stdout
    assert "skipped" not in answer.stdout


def test_a_report_of_the_stub_says_stub_and_a_second_one_takes_its_place(rig: NvmlRig, tmp_path: Path) -> None:
    """Nobody can take it for a card's; the page's other parts stay as they are."""
    page = tmp_path / "benchmarks.md"
    page.write_text("# Benchmarks\n\nbefore\n\n<!-- gpu:begin -->\nold\n<!-- gpu:end -->\n\nafter\n")
    command = [sys.executable, str(ROOT / "tests/gpu/report.py"), "--quick", "--write", str(page)]
    answer = subprocess.run(command, env=rig.environ(), cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert answer.returncode == 0, answer.stderr
    text = page.read_text()
    assert text.startswith("# Benchmarks\n\nbefore\n\n<!-- gpu:begin -->\n## NVIDIA cards: stub")
    assert text.endswith("<!-- gpu:end -->\n\nafter\n")
    assert "old" not in text
    assert "No NVIDIA card was seen" in text
    assert "driver stub" in text
