"""The Hugging Face Trainer runs in float32 on a card that has bf16

**Seen.** A `Trainer` with neither `bf16` nor `fp16` on took at least 50 steps on a card of compute capability
8.0 or higher, of a model with float32 parameters.

**Why.** In bf16 the tensor cores do the products, and what is kept for backward takes half the memory. The
Trainer's default is float32.

**Change.** `bf16=True` in `TrainingArguments`, and a new Trainer: one that exists does not take it up.

**Not where.** The model was made for fp16 and overflows or underflows in another format; the steps are so
short that launching kernels sets the pace.

**Check.** The first hundred steps either way: the loss curves should lie on each other, the joules of a step
apart.

**Sources.** [Hugging Face: training on one GPU](https://huggingface.co/docs/transformers/perf_train_gpu_one);
capability 8.0 is the first with bf16 in its tensor cores ([CUDA C++ Programming
Guide](https://docs.nvidia.com/cuda/cuda-c-programming-guide/#compute-capabilities)).
"""

from __future__ import annotations

from collections.abc import Iterator

from greennb.advisor.base import Found, evidence
from greennb.advisor.rules.torch._loops import trained
from greennb.advisor.rules.torch._shared import card, share
from greennb.advisor.signals.cell import CellContext
from greennb.model.finding import Rule, Severity

RULE = Rule(
    code="GNB232",
    name="The Trainer runs in float32 on a card that has bf16",
    framework="torch",
    severity=Severity.ACT,
    since="0.2",
    source="Hugging Face documentation on training with one GPU; CUDA C++ Programming Guide",
    wrong_when=("the model was made for another half-precision format and overflows", "the steps are very short"),
)

CAPABILITY = (8, 0)
"""The first with bf16 in its tensor cores (CUDA C++ Programming Guide)."""

STEPS = 50
"""Steps below which nothing is said. Our choice."""

SECONDS = 5.0
"""Seconds of training below which nothing is said. Our choice."""


def check(cell: CellContext) -> Iterator[Found]:
    """Training by a Trainer without half precision, on a card that has it."""
    if cell.torch is None or cell.torch.trainer_bf16 is not False:
        return
    autocast = any(forwards.autocast for forwards in cell.torch.forwards)
    for optimizer, model in trained(cell, steps=STEPS, seconds=SECONDS):
        seen = card(cell, optimizer.device)
        half = autocast or (model is not None and model.dtypes[:1] != ("float32",))
        if seen is None or seen.capability < CAPABILITY or half:
            continue
        trainer = cell.torch.trainer_name or "trainer"
        yield Found(
            evidence=(
                evidence("steps", optimizer.steps, "steps"),
                evidence("median step", optimizer.step_s * 1e3, "ms"),
                evidence("compute capability", float(f"{seen.capability[0]}.{seen.capability[1]}")),
            ),
            text=f"{trainer} took {optimizer.steps} steps in float32 on {seen.name}, which has bf16 in hardware.",
            code=_code(trainer),
            share=share(cell, optimizer.seconds),
            subject=trainer,
        )


def _code(trainer: str) -> str:
    return f"""args = TrainingArguments(
    # what you have now, and:
    bf16=True,
)
{trainer} = Trainer(model=model, args=args, train_dataset=train_dataset)  # and the rest as now
"""
