"""Epochs went on after the validation loss had stopped falling

**Seen.** The validation loss that the notebook keeps, a list with one number for each epoch, was lowest five
epochs or more before the end of this cell's training, and nothing in the source stops early. Or a
`ReduceLROnPlateau` counted five epochs or more without improvement.

**Why.** The epochs after the best one were paid in full, and the model that they left is no better than the
one before them, often worse.

**Change.** Remember the best loss and its weights, and stop after a few epochs without a better one. That
also gives back the best model, not the last one.

**Not where.**

- a schedule needs its whole length: cosine or one-cycle, a warm restart, a drop of the rate still to come;
- the loss is known to fall again late (double descent), or the validation set is so small that its noise
  hides a trend;
- another metric is what counts, and that one still improves.

**Check.** The same metric on held-out data at the best epoch and at the last; the joules by epoch.

**Sources.** Prechelt, Early Stopping: But When? ([doi
10.1007/3-540-49430-8_3](https://doi.org/10.1007/3-540-49430-8_3)), who looks at progress in strips of five
epochs; that a notebook's list is looked at, and how, is ours.
"""

from __future__ import annotations

from collections.abc import Iterator

from greennb.advisor.base import Found, evidence
from greennb.advisor.rules.torch._loops import trained
from greennb.advisor.rules.torch._shared import part, share, subject, variable
from greennb.advisor.signals.cell import CellContext
from greennb.advisor.signals.torch import CurveSeen, ModelSeen, OptimizerSeen
from greennb.model.finding import Rule, Severity

RULE = Rule(
    code="GNB231",
    name="Training goes on when validation no longer improves",
    framework="torch",
    severity=Severity.ACT,
    since="0.2",
    source="Prechelt, Early Stopping: But When? (1998)",
    wrong_when=(
        "a schedule needs its whole length",
        "the validation set is small and noisy",
        "another metric than this loss counts and still improves",
    ),
)

PATIENCE = 5
"""Epochs without a better loss: one of Prechelt's strips."""

BETTER = 1e-3
"""Least relative fall that counts as better, so that the last digits of a flat curve are none. Our choice."""

STEPS = 20
"""Steps below which nothing is said. Our choice."""

SECONDS = 1.0
"""Seconds of training below which nothing is said. Our choice."""


def check(cell: CellContext) -> Iterator[Found]:
    """A training whose curve in this cell, or whose scheduler, shows epochs that brought nothing."""
    if cell.torch is None or (cell.code is not None and cell.code.of("early_stop")):
        return
    for optimizer, model in trained(cell, steps=STEPS, seconds=SECONDS):
        flat = max(((wasted(curve), curve) for curve in cell.torch.curves), key=lambda it: it[0], default=None)
        if flat is not None and flat[0] >= PATIENCE:
            yield _by_curve(cell, optimizer, model, flat[1])
        elif flat is None and optimizer.bad_epochs is not None and optimizer.bad_epochs >= PATIENCE:
            yield _by_scheduler(cell, optimizer, model)
        return  # one notebook keeps one curve for a training: which of two optimizers it is of, it doesn't say


def wasted(curve: CurveSeen) -> int:
    """How many of this cell's epochs came after the last one that made the loss better."""
    best, at = float("inf"), -1
    for epoch, loss in enumerate(curve.values):
        if loss < best - BETTER * abs(best) or (at < 0 and loss == loss):
            best, at = loss, epoch
    return min(curve.new, len(curve.values) - 1 - at)


def _by_curve(cell: CellContext, optimizer: OptimizerSeen, model: ModelSeen | None, curve: CurveSeen) -> Found:
    late = wasted(curve)
    at = len(curve.values) - late
    return Found(
        evidence=(
            evidence("epochs in this cell", curve.new, "epochs"),
            evidence("of these after the best", late, "epochs"),
            evidence("lowest validation loss", min(curve.values)),
            evidence("last validation loss", curve.values[-1]),
        ),
        text=f"{curve.name} got no better after epoch {at} of {len(curve.values)}: the {late} epochs after it were for "
        "nothing, and the last weights are not the best ones.",
        code=_code(variable(model, "model")),
        share=share(cell, part(late, curve.new) * cell.duration_s),
        subject=subject(model or optimizer),
    )


def _by_scheduler(cell: CellContext, optimizer: OptimizerSeen, model: ModelSeen | None) -> Found:
    late = optimizer.bad_epochs or 0
    loader = cell.torch.loader(optimizer.loader) if cell.torch is not None else None
    epochs = max(late, loader.epochs if loader is not None else late)
    return Found(
        evidence=(
            evidence("epochs without improvement, by the scheduler's count", late, "epochs"),
            evidence("epochs in this cell", epochs, "epochs"),
            evidence("steps", optimizer.steps, "steps"),
        ),
        text=f"The scheduler of {subject(optimizer)} counted {late} epochs without improvement, and training went on.",
        code=_code(variable(model, "model")),
        share=share(cell, part(late, epochs) * optimizer.seconds),
        subject=subject(model or optimizer),
    )


def _code(model: str) -> str:
    return f"""best, wait, patience = float("inf"), 0, {PATIENCE}  # before the loop over epochs
for epoch in range(epochs):
    ...  # train, then val_loss
    if val_loss < best * (1 - {BETTER:g}):
        best, wait = val_loss, 0
        weights = {{name: it.detach().clone() for name, it in {model}.state_dict().items()}}
    else:
        wait += 1
    if wait == patience:
        break
{model}.load_state_dict(weights)
"""
