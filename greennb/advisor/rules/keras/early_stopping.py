"""Epochs went on after the validation loss had stopped falling

**Seen.** A `fit` with validation data and without `EarlyStopping`, whose validation loss was lowest five epochs or
more before its end.

**Why.** The epochs after the best one were paid in full, and the weights that they left are no better, often worse.

**Change.** `keras.callbacks.EarlyStopping(patience=3, restore_best_weights=True)`: `fit` ends three epochs after the
best one, with the best one's weights.

**Not where**

- a schedule needs its whole length: cosine, warm restarts, a rate that has yet to drop;
- the loss falls again late, or the validation set is so small that its noise hides a trend;
- another metric counts, and that one still improves: `monitor="val_accuracy"`;
- a callback of yours ends training by `stop_training`: this rule is silent then.

**Check.** The metric that counts, on data held out, at the best epoch and at the last; the joules of the epochs after
it.

**Sources.** Prechelt, Early Stopping: But When? ([doi
10.1007/3-540-49430-8_3](https://doi.org/10.1007/3-540-49430-8_3)), who looks at progress in strips of five epochs;
[Keras: EarlyStopping](https://keras.io/api/callbacks/early_stopping/). What counts as better, a thousandth, and the
floors are ours.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from greennb.advisor.base import Found, evidence
from greennb.advisor.rules.keras._shared import calls, part, share, subject, told, variable
from greennb.advisor.signals.cell import CellContext
from greennb.model.finding import Rule, Severity

RULE = Rule(
    code="GNB406",
    name="Training goes on when validation no longer improves",
    framework="keras",
    severity=Severity.ACT,
    since="0.2",
    source="Prechelt, Early Stopping: But When? (1998); Keras documentation of EarlyStopping",
    wrong_when=(
        "a schedule needs its whole length",
        "the validation set is small and noisy",
        "another metric than this loss counts and still improves",
    ),
)

FLAT_EPOCHS = 5
"""Epochs without a better loss: one of Prechelt's strips."""

PATIENCE = 3
"""Epochs that stopping waits for a better one: they would be paid with it as well. Our choice."""

BETTER = 1e-3
"""Least relative fall that counts as better, so that the last digits of a flat curve are none. Our choice."""

LEAST_S = 1.0
"""Seconds of fit below which nothing is said. Our choice."""


def check(cell: CellContext) -> Iterator[Found]:
    """Fits that went on for nothing."""
    for call in calls(cell, "fit", seconds=LEAST_S):
        late = _late(call.val_loss)
        if call.early_stopping or late < FLAT_EPOCHS:
            continue
        epochs = len(call.val_loss)
        yield Found(
            evidence=(
                evidence("epochs", epochs, "epochs"),
                evidence("of these after the best", late, "epochs"),
                evidence("lowest validation loss", min(it for it in call.val_loss if math.isfinite(it))),
                evidence("last validation loss", call.val_loss[-1]),
            ),
            text=f"The validation loss of {told(call)} got no better after epoch {epochs - late} of {epochs}. Stop a "
            "few epochs after the best one, and keep that one's weights.",
            code=f"early_stopping = keras.callbacks.EarlyStopping(patience={PATIENCE}, restore_best_weights=True)\n"
            f"{variable(call, 'model')}.fit(x, y, validation_data=(x_val, y_val), epochs={epochs}, "
            "callbacks=[early_stopping])  # with your own data",
            share=share(cell, part(late - PATIENCE, epochs) * call.seconds),
            subject=subject(call),
        )


def _late(losses: tuple[float, ...]) -> int:
    """How many epochs came after the last one that was better; 0 where no loss was finite."""
    best, at = math.inf, None
    for epoch, loss in enumerate(losses):
        if math.isfinite(loss) and (at is None or loss < best - BETTER * abs(best)):
            best, at = loss, epoch
    return 0 if at is None else len(losses) - 1 - at
