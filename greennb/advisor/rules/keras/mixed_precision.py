"""A card with tensor cores computes in 32 bits

**Seen.** `fit` of a model under the policy "float32" on an NVIDIA card with tensor cores (compute capability 7.0 or
higher), the card busy, and layers with enough numbers in matrix products or convolutions to matter.

**Why.** Tensor cores do the same products in 16 bits with less time and half the traffic of memory.

**Change.** `keras.mixed_precision.set_global_policy("mixed_bfloat16")` before the model is built (compute capability
8.0 or higher), `"mixed_float16"` on older cards; Keras scales the loss by itself then. Weights stay in 32 bits. The
last layer's output should be 32 bits: `keras.layers.Activation("softmax", dtype="float32")`.

**Not where**

- the numbers overflow or the loss is not finite any more;
- layers are small, or their sizes no multiples of 8: tensor cores idle then;
- on a CPU: tried on one with bf16 in its vector units (TensorFlow 2.21, dense layers of 2048), steps in
  "mixed_bfloat16" took longer than in "float32"; this rule says nothing there.

**Check.** The same seed, 20 steps: the loss within the spread of seeds; then the joules of an epoch.

**Sources.** [Keras: mixed precision](https://keras.io/api/mixed_precision/), [TensorFlow: mixed
precision](https://www.tensorflow.org/guide/mixed_precision); TensorFlow's profiler warns where less than 10 % of the
device's computing is in 16 bits. The floors are ours.
"""

from __future__ import annotations

from collections.abc import Iterator

from greennb.advisor.base import Found, evidence
from greennb.advisor.rules.keras._shared import FEW_STEPS, calls, own_s, share, subject, told
from greennb.advisor.signals.cell import CellContext
from greennb.advisor.signals.keras import KerasCall
from greennb.advisor.signals.machine import GpuSeen
from greennb.model.finding import Rule, Severity

RULE = Rule(
    code="GNB404",
    name="Use tensor cores: mixed precision",
    framework="keras",
    severity=Severity.ACT,
    since="0.2",
    source="Keras and TensorFlow documentation on mixed precision",
    wrong_when=("the loss is not finite in 16 bits", "layers are small", "the work is on a CPU"),
)

TENSOR_CORES, BFLOAT16 = (7, 0), (8, 0)
"""Compute capabilities from which there are tensor cores, and from which they take bfloat16 (NVIDIA)."""

LEAST_BUSY = 0.70
"""Share of time with a kernel running from which the card sets the pace (ours)."""

LEAST_NUMBERS = {True: 100_000, False: 1_000_000}
"""Parameters from which products are what the time goes to, with convolutions (True) and without (ours)."""

LEAST_S = 5.0
"""Seconds of fit below which nothing is said (ours)."""

PRODUCTS = ("Dense", "EinsumDense", "MultiHeadAttention", "LSTM", "GRU")
"""Layers of matrix products; those with "Conv" in their name are counted apart."""


def check(cell: CellContext) -> Iterator[Found]:
    """Fits in 32 bits on a busy card that could do better."""
    card = _card(cell)
    if cell.keras is None or card is None or card.util is None or card.util < LEAST_BUSY:
        return
    capability = max(cell.keras.capability, card.capability)
    if capability < TENSOR_CORES:
        return
    policy = "mixed_bfloat16" if capability >= BFLOAT16 else "mixed_float16"
    for call in calls(cell, "fit", seconds=LEAST_S):
        if call.policy != "float32" or call.steps < FEW_STEPS or not _multiplies(call):
            continue
        yield Found(
            evidence=(
                evidence("GPU busy", 100 * card.util, "%"),
                evidence("compute capability", capability[0] + capability[1] / 10),
                evidence("parameters", call.parameters),
                evidence("steps", call.steps, "steps"),
                evidence("seconds in fit", call.seconds, "s"),
            ),
            text=f"{card.label} has tensor cores, and {told(call)} multiplied in 32 bits. Set the policy before the "
            "model is built, and keep its last output in float32.",
            code=f'keras.mixed_precision.set_global_policy("{policy}")  # before the model is built',
            share=share(cell, own_s(call)),
            subject=subject(call),
        )


def _card(cell: CellContext) -> GpuSeen | None:
    """The card that this process computes on, where it is sure which one it is."""
    if cell.keras is None or cell.machine is None or (cell.keras.backend == "tensorflow" and not cell.keras.gpus):
        return None
    gpus = cell.machine.gpus
    held = [gpu for gpu in gpus if gpu.held_b]
    if len(gpus) == 1:
        return gpus[0]
    return held[0] if len(held) == 1 else None


def _multiplies(call: KerasCall) -> bool:
    convolves = any("Conv" in kind for kind in call.layers)
    return (convolves or any(kind in call.layers for kind in PRODUCTS)) and call.parameters >= LEAST_NUMBERS[convolves]
