"""Let cuDNN choose its convolutions by trying them

**Seen.** Convolutions on an NVIDIA GPU with inputs of the same few shapes, call after call, and
`torch.backends.cudnn.benchmark` off. cuDNN then takes an algorithm by rule of thumb.

**Change.** `torch.backends.cudnn.benchmark = True`, once, at the notebook's head: for each new shape the algorithms
are timed, and the quickest is kept.

**Not where**

- shapes vary: each new one is timed anew, and trainings became slower ([PyTorch
  #2759](https://github.com/pytorch/pytorch/issues/2759));
- runs must agree bit for bit: the algorithm chosen may differ from run to run;
- memory is nearly full: trying takes working space.

**Check.** `%energy_compare`, after a warm-up of some steps.

**Thresholds.** At most 3 shapes, at least 100 steps and 5 s; ours. Where steps were profiled, convolutions take at
least a fifth of the time. Sources: [PyTorch's tuning
guide](https://docs.pytorch.org/tutorials/recipes/recipes/tuning_guide.html); an epoch of SpeechBrain's went from 17
to 12 minutes ([#294](https://github.com/speechbrain/speechbrain/issues/294)).
"""

from __future__ import annotations

from collections.abc import Iterator

from greennb.advisor.base import Found, evidence
from greennb.advisor.rules.torch._shared import CONVOLUTIONS, Pass, card, count, part, passes, share, steps_of, subject
from greennb.advisor.signals.cell import CellContext
from greennb.model.finding import Rule, Severity

RULE = Rule(
    code="GNB209",
    name="Let cuDNN choose its convolutions by trying them",
    framework="torch",
    severity=Severity.NOTE,
    since="0.2",
    source="PyTorch performance tuning guide; SpeechBrain issue 294",
    wrong_when=("shapes vary (PyTorch issue 2759)", "runs must agree bit for bit", "memory is nearly full"),
)

MOST_SHAPES = 3
"""Shapes of the input, the last, smaller batch counted in, up to which timing them pays (ours)."""

LEAST_STEPS, LEAST_S = 100, 5.0
"""Steps, and their seconds, below which timing may cost more than it saves (ours)."""

LEAST_CONVOLVING = 0.20
"""Part of the profiled time in convolutions from which their algorithm matters (ours)."""


def check(cell: CellContext) -> Iterator[Found]:
    """Convolutions of steady shapes on a card, with cuDNN's trial off."""
    if cell.torch is None or cell.torch.cudnn_benchmark:
        return
    for it in passes(cell, turns=LEAST_STEPS):
        batch = it.forwards.batch
        if it.seconds < LEAST_S or it.model.compiled or batch is None or batch.shapes > MOST_SHAPES:
            continue
        if card(cell, it.model.device) is not None and count(it.model, *CONVOLUTIONS) and _is_convolving(cell, it):
            yield Found(
                evidence=(
                    evidence("step", 1e3 * it.step_s, "ms"),
                    evidence("steps", it.turns),
                    evidence("input shapes", batch.shapes),
                    evidence("convolutions", count(it.model, *CONVOLUTIONS)),
                ),
                text=f"{subject(it.model)} made {steps_of(it)} with "
                f"{'one input shape' if batch.shapes == 1 else f'{batch.shapes} input shapes'}, and cuDNN chose its "
                "convolutions without trying them.",
                code="torch.backends.cudnn.benchmark = True",
                share=share(cell, it.seconds),
                subject=subject(it.model),
            )


def _is_convolving(cell: CellContext, it: Pass) -> bool:
    profiled = None if cell.torch is None else cell.torch.profiled
    return profiled is None or part(profiled.conv_s, profiled.total_s) >= LEAST_CONVOLVING
