"""Makes the recorded signals of the Keras and JAX rules that need a card: ``python -m tests.data.signals.make_keras``.

Each is a real run on a CPU into which a card's facts are put by hand: they show what a rule reads, not that a card was
there.
"""

from __future__ import annotations

import dataclasses
import json
import tempfile
from pathlib import Path
from typing import Any

from greennb.advisor.signals.cell import CellContext
from greennb.advisor.signals.machine import GpuSeen, MachineSignals
from greennb.advisor.signals.record import to_dict
from tests.advisor.harness import contexts

HERE = Path(__file__).parent

FIT = """# %%
import keras
import numpy as np

keras.utils.set_random_seed(0)
rng = np.random.default_rng(0)
x = rng.random((12_000, 784), dtype="float32")
y = rng.integers(0, 10, 12_000)
model = keras.Sequential(
    [
        keras.layers.Input((784,)),
        keras.layers.Dense(1024, activation="relu"),
        keras.layers.Dense(1024, activation="relu"),
        keras.layers.Dense(10),
    ]
)
model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))

# %%
history = model.fit(x, y, batch_size=256, epochs=8, verbose=0)
"""

JAX = """# %%
import time

import jax
import jax.numpy as jnp

x = jnp.ones((600, 600))


@jax.jit
def turn(x):
    return jnp.tanh(x @ x / 600)


# %%
begun = time.perf_counter()
while time.perf_counter() - begun < 6:
    x = turn(x).block_until_ready()
"""

H100 = GpuSeen(
    domain="gpu:put in by hand",
    label="NVIDIA H100 PCIe",
    util=0.93,
    mem_b=3 * 2**30,
    mem_total_b=80 * 2**30,
    held_b=2 * 2**30,
    power_w=270.0,
    limit_w=350.0,
    capability=(9, 0),
    samples=50,
)


def run(source: str) -> CellContext:
    """The last cell of ``source``, run here; without its joules, which say nothing of a card."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "recorded.py"
        path.write_text(source)
        return dataclasses.replace(contexts(path)[-1], measurement=None, past=())


def card(cell: CellContext, **facts: Any) -> CellContext:
    """``cell`` with a card in its machine."""
    machine = cell.machine or MachineSignals(cores=1, cpus=1.0, pools={})
    gpu = dataclasses.replace(H100, **facts)
    return dataclasses.replace(cell, machine=dataclasses.replace(machine, gpus=(gpu,), arrays=()))


def seen_by_tensorflow(cell: CellContext, capability: tuple[int, int], **changes: Any) -> CellContext:
    """``cell`` as if TensorFlow had a card of that capability."""
    assert cell.keras is not None
    calls = tuple(dataclasses.replace(call, **changes) for call in cell.keras.calls)
    keras = dataclasses.replace(cell.keras, gpus=("/physical_device:GPU:0",), capability=capability, calls=calls)
    return dataclasses.replace(cell, keras=keras)


def write(name: str, made: str, cell: CellContext) -> None:
    """One recording."""
    data = {"made": made, "cell": to_dict(cell)}
    (HERE / f"{name}.json").write_text(json.dumps(data, indent=1) + "\n")


def main() -> None:
    """All of them."""
    fit, jax = run(FIT), run(JAX)
    what = "A run of a dense Keras model on a CPU. By hand, not seen on a card: "
    write(
        "GNB404_fires",
        f"{what}the card (H100, capability 9.0, busy 93 %), TensorFlow's view of it.",
        seen_by_tensorflow(card(fit), (9, 0)),
    )
    write(
        "GNB404_silent",
        f"{what}the card as in the one that fires, and the policy mixed_bfloat16.",
        seen_by_tensorflow(card(fit), (9, 0), policy="mixed_bfloat16"),
    )
    write(
        "GNB404_silent_old",
        f"{what}a card without tensor cores (GTX 1080, capability 6.1).",
        seen_by_tensorflow(card(fit, label="NVIDIA GeForce GTX 1080", capability=(6, 1)), (6, 1)),
    )
    what = "A run of JAX on a CPU. By hand, not seen on a card: "
    idle = card(jax, util=0.0, held_b=None, power_w=72.0, mem_b=0)
    write("GNB503_fires", f"{what}an idle card (H100) beside it.", idle)
    write("GNB503_silent", f"{what}the card, busy at something else.", card(jax, util=0.8, held_b=None))
    assert idle.jax is not None
    asked = dataclasses.replace(idle, jax=dataclasses.replace(idle.jax, asked="cpu"))
    write("GNB503_silent_asked", f"{what}the idle card, and JAX_PLATFORMS=cpu.", asked)


if __name__ == "__main__":
    main()
