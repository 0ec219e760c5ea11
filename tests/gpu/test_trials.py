"""Trials on a real card: AMP, TF32, compile, batch size, in the card's own joules. Their cells also run on a processor.

``python tests/gpu/trials.py --write docs/trials.md`` sets a long A/B beside each.
"""

from __future__ import annotations

import shutil

import pytest

pytest.importorskip("torch")

from greennb.model.finding import Trial, Verdict
from greennb.model.reading import Method
from tests.gpu.card import find
from tests.gpu.trials import CASES, Case, by_hand, trial


@pytest.fixture(scope="module")
def card() -> str:
    """The card's UUID."""
    found = find()
    if isinstance(found, str):
        pytest.skip(f"no NVIDIA card here, no trial is run on one: {found}")
    if found.is_stub:
        pytest.skip("the stub computes nothing: trials want a real card")
    import torch

    if not torch.cuda.is_available():
        pytest.skip(f"PyTorch {torch.__version__} can't use the {found.name}")
    return found.uuid


@pytest.mark.gpu
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_trial_on_a_card_agrees_with_a_long_a_b(case: Case, card: str, tmp_path, monkeypatch) -> None:
    """In the counter's joules, its temperature known; a sure verdict is never the opposite of the A/B's."""
    monkeypatch.chdir(tmp_path)  # files that others make in a folder void a trial
    known, _s = trial(case, "cuda", budget_s=30.0)
    assert_sound(known)
    for block in known.baseline:
        (on_card,) = (energy for energy in block.energies if energy.domain.device == card)
        assert on_card.method in {Method.COUNTER, Method.INTEGRATED}
    assert known.temperature_c is not None
    answer = by_hand(case, "cuda", pairs=20)
    assert answer.agrees(known.verdict.value), (known.ratio, known.interval, answer)


ON_CPU = [case for case in CASES if not case.card and case.variant in ("bf16 autocast", "batch x2")]


@pytest.mark.parametrize("case", ON_CPU, ids=lambda case: case.name)
def test_the_cells_of_these_trials_run(case: Case, tmp_path, monkeypatch) -> None:
    """So that they are in order on the day a card is there."""
    monkeypatch.chdir(tmp_path)
    known, _s = trial(case, "cpu", budget_s=30.0)  # it ends sooner where the machine has time
    assert_sound(known)
    answer = by_hand(case, "cpu", pairs=2)
    assert 0 < answer.low <= answer.high


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # PyTorch's own, while it compiles
@pytest.mark.skipif(shutil.which("gcc") is None, reason="no C compiler: PyTorch can't compile for a processor")
def test_a_compiled_cell_runs(tmp_path, monkeypatch) -> None:
    """Compiling is counted apart from the blocks; how much it is depends on what PyTorch has in its cache."""
    monkeypatch.chdir(tmp_path)
    known, _s = trial(next(it for it in CASES if it.variant == "compile"), "cpu", budget_s=60.0)
    assert known.candidate_apart_j is not None
    assert known.candidate_apart_j > 0
    assert known.unit == "step"


def assert_sound(known: Trial) -> None:
    """Blocks of joules, by turns, and a ratio within its interval."""
    assert known.verdict in set(Verdict)
    assert set(known.order) == {"A", "B"}
    assert known.ratio is not None
    assert all(block.total_j is not None and block.total_j > 0 for block in (*known.baseline, *known.candidate))
    if known.interval is not None:
        low, high = known.interval
        assert low <= known.ratio <= high
