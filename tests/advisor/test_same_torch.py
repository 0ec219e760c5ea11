"""What PyTorch computes is bit for bit what it computes without the advisor: one script, run with and without it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch")

SCRIPT = r"""
import hashlib, json, random, sys
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

observed, way = sys.argv[1] == "observed", sys.argv[2]
said = []
if observed:
    from greennb.advisor.names import Names
    from greennb.advisor.observe.torch.observer import TorchObserver
    from greennb.advisor.watch import Watch
    watch = Watch([TorchObserver()], say=said.append)
    watch.install()

torch.manual_seed(7); random.seed(7); torch.set_num_threads(1)
torch.use_deterministic_algorithms(True)
x, y = torch.randn(192, 1, 8, 8), torch.randint(0, 4, (192,))
workers = 2 if way == "workers" else 0
train = DataLoader(TensorDataset(x, y), batch_size=16, shuffle=True, num_workers=workers)
valid = DataLoader(TensorDataset(x, y), batch_size=64)
model = nn.Sequential(
    nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Dropout(0.2), nn.Flatten(), nn.Linear(144, 4)
)
called = model
if way == "compiled":
    called = torch.compile(model, backend=sys.argv[3])
if way == "method":
    model.compile(backend=sys.argv[3])
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
criterion = nn.CrossEntropyLoss()
losses = []

def cell():
    for epoch in range(3):
        called.train()
        for bx, by in train:
            optimizer.zero_grad()
            with torch.autocast("cpu", dtype=torch.bfloat16, enabled=way == "amp"):
                loss = criterion(called(bx), by)
            loss.backward()
            optimizer.step()
            losses.append(loss.item().hex())
        called.eval()
        for bx, by in valid:
            losses.append(called(bx).sum().item().hex())

for _ in range(2):
    if observed: watch.begin()
    cell()
    if observed: assert watch.end(Names(globals()))["torch"].optimizers[0].steps == 36

digest = hashlib.sha256()
for tensor in [*model.state_dict().values(), *(p.grad for p in model.parameters()), torch.get_rng_state()]:
    digest.update(tensor.contiguous().flatten().view(torch.uint8).numpy().tobytes())
for state in optimizer.state_dict()["state"].values():
    for tensor in state.values():
        digest.update(tensor.contiguous().flatten().view(torch.uint8).numpy().tobytes())
print(json.dumps([digest.hexdigest(), losses, random.random(), sorted(map(str, said))]))
"""

BACKEND = "inductor" if shutil.which("g++") else "aot_eager"


def outcome(observed: str, way: str) -> object:
    done = subprocess.run(
        [sys.executable, "-W", "error::UserWarning", "-c", SCRIPT, observed, way, BACKEND],
        capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


@pytest.mark.parametrize("way", ["plain", "amp", "workers", "compiled", "method"])
def test_weights_losses_and_random_states_are_equal(way: str) -> None:
    """Weights, gradients, the optimizer's state, every loss and every generator, after two cells of three epochs."""
    assert outcome("observed", way) == outcome("alone", way)
