"""PyTorch's kit: batch norms in convolutions, and cells with more than one loop that could be tried."""

from __future__ import annotations

import re
from contextlib import nullcontext
from pathlib import Path

import pytest

pytest.importorskip("torch")

import torch

from greennb.advisor.trial import torch as kit
from greennb.advisor.trial.fingerprint import Fingerprint
from tests.unit.advisor.test_trial_torch_variants import Play, play, refused, run, variant

__all__ = ["play"]

FUSE = "batch norms in convolutions"

NET = """import torch
torch.manual_seed(0)
net = torch.nn.Sequential(
    torch.nn.Conv2d(3, 8, 3), torch.nn.BatchNorm2d(8), torch.nn.ReLU(),
    torch.nn.Conv2d(8, 8, 3, bias=False), torch.nn.BatchNorm2d(8), torch.nn.ReLU(), torch.nn.Flatten(),
)
pictures = torch.randn(12, 4, 3, 8, 8)
for it in pictures:
    net(it)
net.eval()
"""
PREDICT = "with torch.no_grad():\n    out = [net(it) for it in pictures]"


@pytest.mark.parametrize("kind", ["Conv2d", "ConvTranspose2d"])
def test_batch_norms_go_into_the_convolutions(play: Play, kind: str) -> None:
    """In a copy that takes the model's name: it gives the same but for rounding, and no batch norm is left in it."""
    scene = play(NET.replace("Conv2d", kind), PREDICT)
    changed = variant(FUSE).change(scene)
    lines = changed.split("\n")
    assert lines[:3] == [
        "import copy",
        "from torch.nn.utils import fuse_conv_bn_eval",
        "def fused(model, convolutions):",
    ]
    assert lines[-3:] == ["net = fused(net, ['0', '3'])", *PREDICT.split("\n")]
    names = run(scene, changed)
    assert not any(isinstance(it, torch.nn.BatchNorm2d) for it in names["net"].modules())
    for one, other in zip(names["out"], scene.namespace["out"], strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)
    assert isinstance(scene.namespace["net"][1], torch.nn.BatchNorm2d)


def test_the_fused_model_is_tried_and_compared(play: Play, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways run, the outputs are found as good, and the user's model keeps its layers, bit for bit."""
    monkeypatch.chdir(tmp_path)
    scene = play(NET, PREDICT)
    was = Fingerprint.of(scene.namespace, scene.code)
    pair = kit.pair(scene, variant(FUSE))
    try:
        assert pair.baseline.run(3, nullcontext) == pair.candidate.run(3, nullcontext) == 12
        quality = pair.guard()
    finally:
        pair.baseline.close()
        pair.candidate.close()
    assert quality.good, quality.words
    assert was.differences(Fingerprint.of(scene.namespace, scene.code)) == []


def test_batch_norms_stay_where_they_can_not_go(play: Play) -> None:
    assert "directly after a convolution" in refused(
        play(NET.replace("torch.nn.BatchNorm2d", "torch.nn.Dropout(), torch.nn.BatchNorm2d"), PREDICT), FUSE
    )
    training = (
        f"{PREDICT}\ndescent = torch.optim.SGD(net.parameters())\nnet(pictures[0]).sum().backward()\ndescent.step()"
    )
    assert "this cell trains" in refused(play(NET, training), FUSE)


def test_layers_in_another_order_than_they_are_called_in_are_found_out(play: Play) -> None:
    """Fusing what does not follow each other in the forward pass gives other outputs, and the guard says so."""
    net = """import torch
torch.manual_seed(0)
class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.norm = torch.nn.Conv2d(3, 3, 3), torch.nn.BatchNorm2d(3)
        self.b = torch.nn.Conv2d(3, 3, 3)
    def forward(self, x):
        return self.norm(self.a(x)) + self.b(self.norm(x))
net = Net()
pictures = 3 + torch.randn(12, 4, 3, 8, 8)
for it in pictures:
    net(it[:, :, :3, :3].repeat(1, 1, 2, 2)[:, :, :5, :5])
net.eval()
"""
    scene = play(net, PREDICT.replace("net(it)", "net(it).sum(1)"))
    pair = kit.pair(scene, variant(FUSE))
    try:
        quality = pair.guard()
    finally:
        pair.baseline.close()
        pair.candidate.close()
    assert quality.good is False, quality.words


TRAINED = """import torch
net = torch.nn.Linear(4, 2)
descent = torch.optim.SGD(net.parameters(), lr=0.01)
rows = torch.randn(40, 8, 4)
def epoch():
    for it in rows:
        descent.zero_grad()
        net(it).square().mean().backward()
        descent.step()
"""
TRAIN = """for it in rows:
    descent.zero_grad()
    net(it).square().mean().backward()
    descent.step()
"""
LEFT_OUT = {
    "one loop": (TRAIN, ()),
    "what it gives is printed": (f"{TRAIN}print(net(rows[0]).sum())", ()),
    "a loop after it": (f"{TRAIN}net.train()\n{TRAIN}", "begins in line 1, .* takes steps; line 6 does so too, and is"),
    "a function after it": (f"{TRAIN}epoch()", "begins in line 1, .* takes steps; line 5 does so too, and is"),
    "two after it": (f"epoch()\nepoch()\n{TRAIN}", "begins in line 1, .* takes steps; lines 2, 3 do so too, and are"),
    "inference": (
        "with torch.no_grad():\n    a = [net(it) for it in rows]\n    b = 1\nc = [net(it) for it in rows]",
        "begins in line 1, .* calls net; line 4 does so too, and is left out",
    ),
}


@pytest.mark.parametrize("name", LEFT_OUT)
def test_what_is_left_out_of_a_trial_is_said(play: Play, name: str) -> None:
    """A trial repeats the first statement that takes steps; where others do too, a sentence names their lines."""
    cell, words = LEFT_OUT[name]
    pair = kit.pair(play(TRAINED, cell), variant("fused optimizer" if name != "inference" else "inference_mode"))
    pair.baseline.close()
    pair.candidate.close()
    if not words:
        assert pair.notes == ()
    else:
        (note,) = pair.notes
        assert re.search(words, note), note
