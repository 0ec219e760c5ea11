"""PyTorch's kit on cells as people write them: both ways run, quality is looked at, and nothing has changed."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from greennb.advisor.trial.base import Kind, Pair, RefusedError

pytest.importorskip("torch")
sys.path.insert(0, str(Path(__file__).parents[2] / "advisor"))

import torch
from trial_bench import Notebook, Windows

from greennb.advisor.trial.torch.guard import losses
from greennb.advisor.trial.torch.steps import samples

LOOP = """
for epoch in range(2):
    for bx, by in train:
        step(bx, by)
"""
BF16 = """
import torch
with torch.autocast("cpu", dtype=torch.bfloat16):
    for epoch in range(2):
        for bx, by in train:
            step(bx, by)
"""


@pytest.fixture
def notebook() -> Iterator[Notebook]:
    made = Notebook()
    yield made
    made.kernel.observer.remove()


def blocks(pair: Pair, units: int = 12) -> tuple[float, float]:
    """Items of a block of each way, after one before it; both ways closed."""
    window = Windows()
    try:
        for way in (pair.baseline, pair.candidate):
            way.run(3, window)
        found = pair.baseline.run(units, window), pair.candidate.run(units, window)
    finally:
        pair.baseline.close()
        pair.candidate.close()
    assert (window.opened, window.open) == (4, False)
    return found


# Cells as people write them


@pytest.mark.parametrize(
    "cell",
    [
        pytest.param(LOOP, id="at the top level"),
        pytest.param("for i in range(3):\n    step(x[:32], y[:32])", id="three steps"),
        pytest.param("def fit():\n    for bx, by in train:\n        step(bx, by)\nfit()", id="a function of the cell"),
        pytest.param(
            "class Trainer:\n"
            "    def __init__(self, model):\n"
            "        self.model, self.optimizer = model, torch.optim.Adam(model.parameters())\n"
            "    def fit(self, loader, epochs=2):\n"
            "        for epoch in range(epochs):\n"
            "            for bx, by in loader:\n"
            "                self.optimizer.zero_grad()\n"
            "                criterion(self.model(bx), by).backward()\n"
            "                self.optimizer.step()\n"
            "trainer = Trainer(model)\n"
            "trainer.fit(train)",
            id="a class's fit",
        ),
        pytest.param(
            "net = nn.Sequential(nn.Linear(8, 4), nn.Dropout(0.1), nn.Linear(4, 2))\n"
            "sgd = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)\n"
            "for bx, by in train:\n"
            "    sgd.zero_grad()\n"
            "    loss = criterion(net(bx), by)\n"
            "    loss.backward()\n"
            "    sgd.step()",
            id="a model made in the cell",
        ),
        pytest.param(
            "def search():\n"
            "    for width in (2, 4):\n"
            "        net = nn.Sequential(nn.Linear(8, width), nn.Linear(width, 2))\n"
            "        sgd = torch.optim.SGD(net.parameters(), lr=0.1)\n"
            "        for bx, by in train:\n"
            "            sgd.zero_grad()\n"
            "            criterion(net(bx), by).backward()\n"
            "            sgd.step()\n"
            "search()",
            id="models without a name",
        ),
    ],
)
def test_a_training_is_tried_as_it_is_written(notebook: Notebook, cell: str) -> None:
    """A change that changes nothing: as many samples in both ways, the same losses, and the user's things as before."""
    notebook.run(cell)
    with notebook.unchanged():
        pair = notebook.pair(cell + "\n", Kind.SAME)
        a, b = blocks(pair)
        quality = pair.guard()
    assert a == b == pytest.approx(12 * 32, abs=64)
    assert pair.unit == "step"
    assert (quality.good, quality.words) == (True, "over 20 steps the loss differs by 0 %")


def test_a_loop_in_an_earlier_cells_function_and_class(notebook: Notebook) -> None:
    """Lightning's way: the loop knows the model as an attribute, and the step is a method of the user's."""
    notebook.run("""
        class Module(nn.Module):
            def __init__(self):
                super().__init__()
                self.net = nn.Linear(8, 2)
            def forward(self, x):
                return self.net(x)
            def training_step(self, batch):
                return nn.functional.cross_entropy(self(batch[0]), batch[1])
            def configure_optimizers(self):
                return torch.optim.AdamW(self.parameters())
        class Fitter:
            def fit(self, module, loader):
                self.module, self.optimizer = module, module.configure_optimizers()
                for epoch in range(2):
                    for batch in loader:
                        self.optimizer.zero_grad()
                        module.training_step(batch).backward()
                        self.optimizer.step()
        module = Module()
    """)
    cell = "fitter = Fitter()\nfitter.fit(module, train)"
    notebook.run(cell)
    with notebook.unchanged():
        pair = notebook.pair(cell + "\n", Kind.SAME)
        assert blocks(pair) == (12 * 32, 12 * 32)
        assert pair.guard().good is True


def test_loader_with_workers(notebook: Notebook) -> None:
    """They are started and ended by each way."""
    cell = "loader = DataLoader(train.dataset, batch_size=32, num_workers=2)\nfor bx, by in loader:\n    step(bx, by)"
    notebook.run(cell)
    with notebook.unchanged():
        pair = notebook.pair(cell.replace("num_workers=2", "num_workers=0"), Kind.SAME)
        assert blocks(pair) == (12 * 32, 12 * 32)
        assert pair.guard().good is True


def test_half_as_many_samples_a_step_are_half_as_many_items(notebook: Notebook) -> None:
    """Joules are compared a sample; how well it learns is not."""
    cell = "loader = DataLoader(TensorDataset(x, y), batch_size=32)\nfor bx, by in loader:\n    step(bx, by)"
    notebook.run(cell)
    with notebook.unchanged():
        pair = notebook.pair(cell.replace("32", "16"), Kind.LEARNING)
        assert blocks(pair) == (12 * 32, 12 * 16)
        quality = pair.guard()
    assert quality.good is None
    assert quality.words.startswith("cost shown, quality not")


def test_inference_counts_calls_of_the_model(notebook: Notebook) -> None:
    cell = "model.eval()\nfor bx, by in valid:\n    scores = model(bx)"
    notebook.run("for i in range(3):\n    " + "scores = model(x)")
    notebook.run(cell)
    with notebook.unchanged():
        pair = notebook.pair(
            "model.eval()\nwith torch.inference_mode():\n    for bx, by in valid:\n        scores = model(bx)"
        )
        assert (pair.unit, pair.units) == ("call", 4)
        assert blocks(pair) == (12 * 64, 12 * 64)
        quality = pair.guard()
    assert (quality.good, quality.words) == (True, "outputs differ by 0 %, 100 % of the best classes are the same")


def test_inference_with_a_model_that_has_no_name(notebook: Notebook) -> None:
    """It is the first one that is called."""
    notebook.run("class Holder: pass\nholder = Holder()\nholder.net = nn.Linear(8, 2)")
    cell = "for i in range(8):\n    holder.net(x)"
    notebook.run(cell)
    with notebook.unchanged():
        pair = notebook.pair(cell + "\n")
        assert blocks(pair) == (12 * 256, 12 * 256)
        assert pair.guard().good is True


@pytest.mark.parametrize("line", ["model = torch.compile(model, backend='eager')", "model.compile(backend='eager')"])
@pytest.mark.parametrize("trains", [True, False])
def test_compiled_in_the_change(notebook: Notebook, line: str, trains: bool) -> None:
    """The copy is compiled, not the user's model; no counter is traced, so nothing is compiled again and again."""
    cell = LOOP if trains else "for i in range(8):\n    model(x)"
    notebook.run(cell)
    before = torch._dynamo.utils.counters["frames"]["total"] if "torch._dynamo" in sys.modules else 0
    with notebook.unchanged():
        pair = notebook.pair(f"{line}\n{cell}")
        a, b = blocks(pair)
        assert a == b
        assert pair.guard().good is True
    assert torch._dynamo.utils.counters["frames"]["total"] - before <= 4
    assert type(notebook.namespace["model"]) is torch.nn.Sequential


def test_a_scaler_left_in_its_step_goes_on(notebook: Notebook) -> None:
    """A step that is left between ``unscale_`` and ``update`` would make the next one raise."""
    notebook.run("scaler = torch.amp.GradScaler('cpu', init_scale=8.0)")
    cell = """
for bx, by in train:
    optimizer.zero_grad()
    scaler.scale(criterion(model(bx), by)).backward()
    scaler.unscale_(optimizer)
    scaler.step(optimizer)
    scaler.update()
"""
    notebook.run(cell)
    with notebook.unchanged():
        pair = notebook.pair(LOOP, Kind.NUMERIC)
        assert blocks(pair) == (12 * 32, 12 * 32)
        quality = pair.guard()
    assert (quality.good, quality.words[:40]) == (True, "over 20 steps the loss differs by 0 %"[:40])


def test_schedules_of_a_finding_are_not_the_users(notebook: Notebook) -> None:
    """A schedule in the notebook that the cell does not use is not touched."""
    notebook.run("other = torch.optim.lr_scheduler.StepLR(optimizer, 1)")
    notebook.run(LOOP)
    with notebook.unchanged():
        assert blocks(notebook.pair(BF16)) == (12 * 32, 12 * 32)


# Quality


def test_bf16_is_as_good(notebook: Notebook) -> None:
    notebook.run(LOOP)
    with notebook.unchanged():
        pair = notebook.pair(BF16)
        blocks(pair)
        quality = pair.guard()
    assert quality.good is True
    assert quality.words.startswith("over 20 steps the loss differs by 0.")


def test_a_change_that_learns_worse_is_not_as_good(notebook: Notebook) -> None:
    """Rounding is no excuse for it."""
    notebook.run(LOOP)
    with notebook.unchanged():
        pair = notebook.pair(LOOP.replace("step(bx, by)", "step(0 * bx + 1, 1 - by)"))
        blocks(pair)
        quality = pair.guard()
    assert quality.good is False
    assert "another seed changes it by" in quality.words


def test_no_number_is_not_as_good(notebook: Notebook) -> None:
    notebook.run(LOOP)
    for kind in (Kind.NUMERIC, Kind.LEARNING):
        with notebook.unchanged():
            pair = notebook.pair(LOOP.replace("step(bx, by)", "step(bx * float('nan'), by)"), kind)
            blocks(pair)
            quality = pair.guard()
        assert (quality.good, "NaN" in quality.words) == (False, True)


def test_dropout_by_other_random_numbers_is_as_good(notebook: Notebook) -> None:
    """As where compiling draws them in another order: what another seed changes as much is no fault."""
    notebook.run("net = nn.Sequential(nn.Linear(8, 64), nn.Dropout(0.5), nn.Linear(64, 2))")
    notebook.run("sgd = torch.optim.SGD(net.parameters(), lr=0.01)")
    cell = """
for bx, by in train:
    sgd.zero_grad()
    loss = criterion(net(bx), by)
    loss.backward()
    sgd.step()
"""
    notebook.run(cell)
    with notebook.unchanged():
        pair = notebook.pair("torch.rand(3)\n" + cell)
        blocks(pair)
        quality = pair.guard()
    assert quality.good is True


def test_outputs_that_differ_are_not_as_good(notebook: Notebook) -> None:
    cell = "for bx, by in valid:\n    model(bx)"
    notebook.run(cell)
    with notebook.unchanged():
        pair = notebook.pair("with torch.no_grad():\n    model[0].weight.mul_(1.5)\n" + cell)
        blocks(pair, 4)
        quality = pair.guard()
    assert quality.good is False
    assert quality.words.startswith("outputs differ by ")


def test_a_loss_that_can_not_be_seen_is_said(notebook: Notebook) -> None:
    cell = LOOP.replace("step(bx, by)", "torch.autograd.backward(criterion(model(bx), by))\n        optimizer.step()")
    notebook.run(cell)
    with notebook.unchanged():
        pair = notebook.pair(cell + "\n")
        blocks(pair)
        assert pair.guard().good is None


def test_the_seen_loss_is_not_the_scaled_one() -> None:
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
    weight = torch.ones((), requires_grad=True)
    backward = torch.Tensor.backward
    with losses(torch) as seen:
        scaler.scale(weight * 3).backward()
        (weight * 2).backward()
    assert [float(it) for it in seen] == [3.0, 2.0]
    assert torch.Tensor.backward is backward


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (((torch.zeros(7, 3),), {}), 7),
        (((), {"input_ids": torch.zeros(5, 2)}), 5),
        (((torch.zeros(()),),), 1),
        (((),), 1),
    ],
)
def test_samples_are_the_first_dimension_of_what_a_model_is_given(arguments: tuple[object, ...], expected: int) -> None:
    assert samples(torch, *arguments) == expected


# Refused


def test_a_model_that_was_compiled_in_place_elsewhere_is_refused(notebook: Notebook) -> None:
    """A copy of it is not compiled, so that the work as it is would be another."""
    notebook.run("net = nn.Linear(8, 2)\nnet.compile(backend='eager')")
    notebook.run("for i in range(8):\n    net(x)")
    with notebook.unchanged(), pytest.raises(RefusedError, match=r"net was compiled by net\.compile\(\)"):
        notebook.pair("for i in range(8):\n    net(x)\n")


def test_a_cell_that_saves_is_refused(notebook: Notebook) -> None:
    notebook.run(LOOP)
    assert notebook.scene is not None
    notebook.scene = replace(notebook.scene, code=LOOP + "torch.save(model, 'model.pt')\n")
    with notebook.unchanged(), pytest.raises(RefusedError, match=r"line 5 writes .*torch\.save"):
        notebook.pair(LOOP)


def test_warnings_of_a_replay_are_the_cells_own(notebook: Notebook) -> None:
    notebook.run(LOOP)
    with notebook.unchanged(), warnings.catch_warnings():
        warnings.simplefilter("error")
        blocks(notebook.pair(BF16))


def test_a_file_written_at_an_epochs_end_is_not_written(notebook: Notebook, tmp_path: Path) -> None:
    """Long after the first steps, in the middle of a block, and under a name that no source tells of."""
    notebook.namespace["path"] = str(tmp_path / "history.txt")
    notebook.run("import builtins\nways = {'out': getattr(builtins, 'op' + 'en')}")
    cell = LOOP + "    if epoch:\n        with ways['out'](path, 'w') as file:\n            file.write('done')\n"
    notebook.run(cell)
    (tmp_path / "history.txt").unlink()
    window = Windows()
    with notebook.unchanged():
        pair = notebook.pair(LOOP)
        with pytest.raises(RefusedError, match="writes a file"):
            pair.baseline.run(100, window)
        pair.baseline.close()
        pair.candidate.close()
    assert not window.open
    assert list(tmp_path.iterdir()) == []
