"""What each of PyTorch's variants makes of cells as people write them, letter by letter, and that it runs.

What is for cards is looked at as text only: the model of a cell that ran on this CPU is said to be on "cuda:0".
Compiled models are looked at as text too, as compiling one takes longer than all of this.
"""

from __future__ import annotations

import copy
import types
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from greennb.advisor.observe.source.signals import without_magics
from greennb.advisor.trial.base import RefusedError, Scene, Variant

pytest.importorskip("torch")

import torch

from greennb.advisor.trial.torch.variants import VARIANTS
from tests.advisor.harness import Case, as_found, notebook

DATA = """import torch
from torch.utils.data import DataLoader, TensorDataset
torch.manual_seed(0)
x, y = torch.randn(64, 8), torch.randn(64, 2)
data = TensorDataset(x, y)
"""
MODEL = """model = torch.nn.Sequential(torch.nn.Linear(8, 4), torch.nn.ReLU(), torch.nn.Linear(4, 2))
"""
OPTIMIZER = """optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
"""
LOADER = """train = DataLoader(data, batch_size=16, shuffle=True)
"""
LOOP = """for bx, by in train:
    optimizer.zero_grad()
    loss = torch.nn.functional.mse_loss(model(bx), by)
    loss.backward()
    optimizer.step()"""
ALL = DATA + MODEL + OPTIMIZER + LOADER
PREDICT = "model.eval()\nwith torch.no_grad():\n    out = [model(bx) for bx, by in train]"

Play = Callable[..., Scene]


@pytest.fixture
def play() -> Iterator[Play]:
    """Runs cells as a notebook does; the scene of the last one."""
    open_books: list[Case] = []

    def run(*cells: str) -> Scene:
        book = notebook(cells)
        open_books.append(book)
        context = book.advisor.cells[-1]
        return Scene(cell=context, code=without_magics(context.source) or "", namespace=book.namespace)

    with as_found():
        try:
            yield run
        finally:
            for book in reversed(open_books):
                book.close()


def variant(name: str) -> Variant:
    return next(it for it in VARIANTS if it.name == name)


def on_card(scene: Scene) -> Scene:
    """The scene as if its models had been on a card."""
    assert scene.cell.torch is not None
    models = tuple(replace(it, device="cuda:0") for it in scene.cell.torch.models)
    return replace(scene, cell=replace(scene.cell, torch=replace(scene.cell.torch, models=models)))


def on_machine(scene: Scene, *, cores: int, threads: int) -> Scene:
    """The scene as if it had run on so many cores, with so many threads of PyTorch's."""
    from greennb.advisor.signals.machine import MachineSignals

    assert scene.cell.torch is not None
    machine = MachineSignals(cores=cores, cpus=float(cores), pools={})
    seen = replace(scene.cell.torch, threads=threads)
    return replace(scene, cell=replace(scene.cell, machine=machine, torch=seen))


def run(scene: Scene, code: str) -> dict[str, Any]:
    """``code`` run on copies of the notebook's objects; what its names are then."""
    kept = {
        name: value
        for name, value in scene.namespace.items()
        if not isinstance(value, types.ModuleType)
        and name != "__builtins__"
        and not (isinstance(value, torch.Tensor) and not value.is_leaf)
        and not (isinstance(value, list) and value and isinstance(value[0], torch.Tensor))
    }
    modules = {name: it for name, it in scene.namespace.items() if isinstance(it, types.ModuleType)}
    copies: dict[str, Any] = {**modules, **copy.deepcopy(kept)}
    with as_found():
        exec(compile(code, "<changed>", "exec"), copies)
    return copies


def check(scene: Scene, name: str, expected: str, *, runs: bool = True) -> dict[str, Any]:
    """The variant gives just that text, from just what it was given before, and it runs."""
    assert expected == variant(name).change(scene)
    assert expected == variant(name).change(scene), "once more"
    compile(expected, "<expected>", "exec")
    return run(scene, expected) if runs else {}


def refused(scene: Scene, name: str) -> str:
    """The one sentence in which it is refused."""
    with pytest.raises(RefusedError) as caught:
        variant(name).change(scene)
    said = str(caught.value)
    assert said.endswith("."), said
    assert "\n" not in said, said
    return said


def test_nothing_without_pytorch_at_work(play: Play) -> None:
    """Every variant says so of a cell in which PyTorch did nothing."""
    scene = play("a = 1")
    for it in VARIANTS:
        with pytest.raises(RefusedError, match="PyTorch was not at work"):
            it.change(scene)


@pytest.mark.parametrize("name", ["pinned memory", "fp16 autocast", "TF32", "cudnn.benchmark"])
def test_what_is_for_cards_is_refused_on_a_cpu(play: Play, name: str) -> None:
    """In words, whatever this machine has: the model was on none."""
    assert "is for NVIDIA cards" in refused(play(ALL, LOOP), name)


# The loader


def test_workers_where_the_loader_is_made(play: Play) -> None:
    """In its own call; the rest of the cell is as it was."""
    scene = on_machine(play(DATA + MODEL + OPTIMIZER, LOADER + LOOP), cores=1, threads=2)
    made = "train = DataLoader(data, batch_size=16, shuffle=True, num_workers=1, persistent_workers=True)\n"
    names = check(scene, "loader workers", made + LOOP)
    assert (names["train"].num_workers, names["train"].persistent_workers) == (1, True)


def test_workers_of_a_loader_of_another_cell(play: Play) -> None:
    """Made anew with what it was made with."""
    scene = on_machine(play(ALL, LOOP), cores=1, threads=2)
    line = "train = DataLoader(train.dataset, batch_size=16, shuffle=True, num_workers=1, persistent_workers=True)\n"
    check(scene, "loader workers", line + LOOP)


def test_enough_workers(play: Play) -> None:
    scene = play(DATA + MODEL + OPTIMIZER + "train = DataLoader(data, batch_size=16, num_workers=1)\n" + LOOP)
    assert "1 workers already" in refused(on_machine(scene, cores=1, threads=2), "loader workers")


def test_persistent_workers(play: Play) -> None:
    """Where there are workers, and they end with each epoch."""
    made = "train = DataLoader(\n    data,\n    batch_size=16,\n    num_workers=1,  # slow files\n"
    scene = play(DATA + MODEL + OPTIMIZER, made + ")\n" + LOOP)
    names = check(scene, "persistent workers", made + "    persistent_workers=True,\n)\n" + LOOP)
    assert names["train"].persistent_workers
    assert "no workers" in refused(play(ALL, LOOP), "persistent workers")


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        ("DataLoader(data)", "batch_size=1"),
        ("DataLoader(x, batch_size=None)", "batch_size=None"),
        ("DataLoader(data, 16, drop_last=True)", "batch_size=16, drop_last=True"),
        (
            "DataLoader(data, 16, sampler=torch.utils.data.RandomSampler(data, num_samples=32))",
            "batch_size=16, sampler=train.sampler",
        ),
        (
            "DataLoader(data, batch_sampler=[[0, 1], [2, 3]], collate_fn=tuple)",
            "batch_sampler=train.batch_sampler, collate_fn=train.collate_fn",
        ),
        (
            "DataLoader(data, 16, shuffle=True, generator=torch.Generator())",
            "batch_size=16, shuffle=True, generator=train.generator",
        ),
    ],
)
def test_a_loader_is_made_anew_with_what_it_had(play: Play, made: str, expected: str) -> None:
    """What is not the default is carried over, from the loader itself where it has no short text."""
    cell = "for batch in train:\n    out = model(x)"
    scene = on_machine(play(DATA + MODEL + f"train = {made}\n", cell), cores=1, threads=2)
    line = f"train = DataLoader(train.dataset, {expected}, num_workers=1, persistent_workers=True)\n"
    check(scene, "loader workers", line + cell)


def test_pinned_memory_as_text(play: Play) -> None:
    """Text only: the card is put in by hand."""
    line = "train = DataLoader(train.dataset, batch_size=16, shuffle=True, pin_memory=True)\n"
    check(on_card(play(ALL, LOOP)), "pinned memory", line + LOOP, runs=False)


# The batch


def test_a_larger_batch_by_the_users_name(play: Play) -> None:
    cell = "batch_size = 16  # small\ntrain = DataLoader(data, batch_size, shuffle=True)\n"
    scene = play(DATA + MODEL + OPTIMIZER, cell + LOOP)
    names = check(scene, "batch x2", cell.replace("= 16", "= 32") + LOOP)
    assert names["train"].batch_size == 32


def test_a_larger_batch_by_its_place(play: Play) -> None:
    """``DataLoader(data, 16)`` says it without a name; naming it as well would be an error."""
    scene = play(DATA + MODEL + OPTIMIZER, "train = DataLoader(data, 16, True)\n" + LOOP)
    names = check(scene, "batch x4", "train = DataLoader(data, 64, True)\n" + LOOP)
    assert names["train"].batch_size == 64


def test_a_larger_batch_of_a_loader_of_another_cell(play: Play) -> None:
    """A name for the size does nothing here any more, as the loader has it already."""
    scene = play("bs = 16\n" + ALL, "seen = 0\n" + LOOP + "\n    seen += bs")
    line = "train = DataLoader(train.dataset, batch_size=8, shuffle=True)\n"
    check(scene, "batch x0.5", "seen = 0\n" + line + LOOP + "\n    seen += bs")


def test_a_larger_batch_of_a_split(play: Play) -> None:
    cell = "for rows in x.split(16):\n    out = model(rows)"
    check(play(DATA + MODEL, cell), "batch x2", cell.replace("16", "32"))


def test_a_batch_of_one_is_not_halved(play: Play) -> None:
    assert "can't be made" in refused(play(DATA + MODEL, "for r in x.split(1):\n    model(r)"), "batch x0.5")
    assert "name it batch_size" in refused(play(DATA + MODEL, "for i in range(3):\n    model(x)"), "batch x2")


# Inference


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        (PREDICT, PREDICT.replace("no_grad", "inference_mode")),
        ("model.eval()\nout = model(x)", "model.eval()\nwith torch.inference_mode():\n    out = model(x)"),
        (
            "for p in model.parameters():\n    p.requires_grad_(True)\nfor a in x.split(16):\n    model(a)",
            """for p in model.parameters():
    p.requires_grad_(True)
with torch.inference_mode():
    for a in x.split(16):
        model(a)""",
        ),
    ],
)
def test_inference_mode(play: Play, cell: str, expected: str) -> None:
    """Around what calls the model, not around what gets it ready."""
    check(play(ALL, cell), "inference_mode", expected)


def test_inference_mode_of_a_function(play: Play) -> None:
    """It is handed the model, which is what the work is."""
    made = "def predict(net):\n    return [net(a) for a in x.split(16)]\n"
    scene = play(ALL + made, "model.eval()\nout = predict(model)")
    check(scene, "inference_mode", "model.eval()\nwith torch.inference_mode():\n    out = predict(model)")


def test_no_inference_mode(play: Play) -> None:
    """Not for training, and not twice."""
    assert "this cell trains" in refused(play(ALL, LOOP), "inference_mode")
    assert "already" in refused(play(ALL, PREDICT.replace("no_grad", "inference_mode")), "inference_mode")


def test_int8(play: Play) -> None:
    """The model by another, quantized, with the import that it takes."""
    expected = (
        "from torch.ao.quantization import quantize_dynamic\nmodel.eval()\n"
        "model = quantize_dynamic(model, {torch.nn.Linear}, dtype=torch.qint8)\nwith torch.no_grad():\n"
        "    out = [model(bx) for bx, by in train]"
    )
    scene = play(ALL, PREDICT)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch moves its quantization to a package of its own
        found = variant("int8 linear layers").change(scene)
        names = run(scene, found)
    assert names["model"][0].weight().dtype is torch.qint8
    assert found.splitlines()[0] == expected.splitlines()[0]
    assert "model = quantize_dynamic(model, {torch.nn.Linear}, dtype=torch.qint8)" in found.splitlines()
    assert "on the CPU" in refused(on_card(scene), "int8 linear layers")


def test_pruned_without_masks(play: Play) -> None:
    assert "No model with masks" in refused(play(ALL, PREDICT), "pruned rows cut out")


# Precision


def test_bf16(play: Play) -> None:
    """From the model's call to the line before backward()."""
    expected = LOOP.replace("    loss =", '    with torch.autocast("cpu", dtype=torch.bfloat16):\n        loss =')
    scene = play(ALL, LOOP)
    check(scene, "bf16 autocast", expected)
    assert "already" in refused(play(ALL, expected), "bf16 autocast")


def test_bf16_with_the_import_that_is_missing(play: Play) -> None:
    """Where the notebook has no name ``torch``."""
    scene = play(ALL + "nn = torch.nn\nimport torch as t\ndel torch", LOOP.replace("torch.", "t."))
    expected = LOOP.replace("    loss =", '    with torch.autocast("cpu", dtype=torch.bfloat16):\n        loss =')
    check(
        scene,
        "bf16 autocast",
        "import torch\n" + expected.replace("= torch.", "= t.").replace("dtype=t.", "dtype=torch."),
    )


def test_bf16_where_it_can_not_be_placed(play: Play) -> None:
    cell = LOOP.replace("    loss = ", "    ").replace("model(bx), by)", "model(bx), by).backward()")
    cell = cell.replace("    loss.backward()\n", "")
    assert "before backward()" in refused(play(ALL, cell), "bf16 autocast")


def test_fp16_as_text(play: Play) -> None:
    """Text only: the card is put in by hand. Backward and step go through the scaler."""
    expected = """scaler = torch.amp.GradScaler("cuda")
for bx, by in train:
    optimizer.zero_grad()
    with torch.autocast("cuda", dtype=torch.float16):
        loss = torch.nn.functional.mse_loss(model(bx), by)
    scaler.scale(loss).backward()
    scaler.step(optimizer)
    scaler.update()"""
    check(on_card(play(ALL, LOOP)), "fp16 autocast", expected, runs=False)


def test_fp16_with_clipping_and_a_scaler_of_the_users(play: Play) -> None:
    """Text only. Gradients are clipped at their own size; the user's ``scaler`` keeps its name."""
    clip = "    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)\n"
    cell = LOOP.replace("    optimizer.step()", clip + "    optimizer.step()")
    expected = f"""grad_scaler = torch.amp.GradScaler("cuda")
for bx, by in train:
    optimizer.zero_grad()
    with torch.autocast("cuda", dtype=torch.float16):
        loss = torch.nn.functional.mse_loss(model(bx), by)
    grad_scaler.scale(loss).backward()
    grad_scaler.unscale_(optimizer)
{clip}    grad_scaler.step(optimizer)
    grad_scaler.update()"""
    check(on_card(play(ALL + "scaler = 3\n", cell)), "fp16 autocast", expected, runs=False)


def test_fp16_of_two_losses_is_refused(play: Play) -> None:
    """One of the two would not be scaled."""
    cell = LOOP.replace("    loss.backward()\n", "    loss.backward(retain_graph=True)\n    loss.backward()\n")
    assert "by hand" in refused(on_card(play(ALL, cell)), "fp16 autocast")


def test_tf32_and_cudnn_as_text(play: Play) -> None:
    """Text only: the card is put in by hand."""
    scene = on_card(play(ALL, LOOP))
    check(scene, "TF32", 'torch.set_float32_matmul_precision("high")\n' + LOOP, runs=False)
    check(scene, "cudnn.benchmark", "torch.backends.cudnn.benchmark = True\n" + LOOP, runs=False)


# The model

DOUBLE = ALL.replace(
    "torch.randn(64, 8), torch.randn(64, 2)", "torch.randn(64, 8).double(), torch.randn(64, 2).double()"
)
DOUBLE = DOUBLE.replace("optimizer =", "model.double()\noptimizer =")


def test_float32_of_a_loader(play: Play) -> None:
    """Model, inputs and targets; and what the optimizer has kept, as its numbers must be of the parameters' kind."""
    expected = "model.float()\noptimizer.load_state_dict(optimizer.state_dict())\n" + LOOP.replace(
        "in train:\n", "in train:\n    bx = bx.float()\n    by = by.float()\n"
    )
    names = check(play(DOUBLE, LOOP), "float32", expected)
    assert next(names["model"].parameters()).dtype is torch.float32


def test_float32_of_tensors(play: Play) -> None:
    """Once, before the loop."""
    cell = "for i in range(3):\n    out = model(x)"
    check(play(DOUBLE.replace("optimizer = ", "# "), cell), "float32", "model.float()\nx = x.float()\n" + cell)
    assert "not in float64" in refused(play(ALL, LOOP), "float32")


def test_channels_last(play: Play) -> None:
    """Where the model is called, what it is called with; prepared in the loop or not."""
    conv = ALL.replace("torch.randn(64, 8)", "torch.randn(64, 27)").replace(
        "torch.nn.Linear(8, 4)", "torch.nn.Conv2d(3, 4, 3), torch.nn.Flatten()"
    )
    cell = LOOP.replace("    optimizer.zero_grad()\n", "    optimizer.zero_grad()\n    bx = bx.view(-1, 3, 3, 3)\n")
    line = "bx = bx.to(memory_format=torch.channels_last)\n"
    expected = "model.to(memory_format=torch.channels_last)\n" + cell.replace("    loss =", f"    {line}    loss =")
    scene = play(conv, cell)
    check(scene, "channels_last", expected)
    assert "no 2-D convolution" in refused(play(ALL, LOOP), "channels_last")
    assert "already" in refused(replace(scene, code=expected), "channels_last")


def test_compile_as_text(play: Play) -> None:
    """In place, before the loop; where the cell makes the model, after that."""
    check(play(ALL, LOOP), "compile", "model.compile()\n" + LOOP, runs=False)
    head = MODEL + OPTIMIZER
    check(play(DATA + LOADER, head + LOOP), "compile", head + "model.compile()\n" + LOOP, runs=False)


# The optimizer


@pytest.mark.parametrize("end", ["lr=0.01)", "lr=0.01, foreach=False)"])
def test_fused_where_it_is_made(play: Play, end: str) -> None:
    made = OPTIMIZER.replace("lr=0.01)", end)
    expected = OPTIMIZER.replace("lr=0.01)", "lr=0.01, fused=True)")
    names = check(play(DATA + MODEL + LOADER, made + LOOP), "fused optimizer", expected + LOOP)
    assert names["optimizer"].param_groups[0]["fused"]
    assert "already" in refused(play(DATA + MODEL + LOADER, expected + LOOP), "fused optimizer")


def test_fused_of_another_cell(play: Play) -> None:
    """In its groups; a name of the user's is not taken for that."""
    lines = "for group in optimizer.param_groups:\n    group.update(fused=True, foreach=False)\n"
    check(play(ALL, LOOP), "fused optimizer", lines + LOOP)
    check(
        play(ALL + "group = 7\n", LOOP),
        "fused optimizer",
        lines.replace("group in", "param_group in").replace("    group.", "    param_group.") + LOOP,
    )
    assert "has no fused kernel" in refused(play(ALL.replace("Adam(", "RMSprop("), LOOP), "fused optimizer")


def test_foreach(play: Play) -> None:
    """Where it was told to do without; else it is refused."""
    told = OPTIMIZER.replace("lr=0.01)", "lr=0.01, foreach=False)")
    scene = play(DATA + MODEL + LOADER, told + LOOP)
    check(scene, "foreach optimizer", told.replace("False", "True") + LOOP)
    lines = "for group in optimizer.param_groups:\n    group.update(foreach=True)\n"
    check(play(ALL.replace(OPTIMIZER, told), LOOP), "foreach optimizer", lines + LOOP)
    assert "not told" in refused(play(ALL, LOOP), "foreach optimizer")


def test_zero_grad(play: Play) -> None:
    """Without the argument that fills in zeros."""
    cell = LOOP.replace("zero_grad()", "zero_grad(set_to_none=False)")
    check(play(ALL, cell), "zero_grad to None", LOOP)
    assert "No zero_grad()" in refused(play(ALL, LOOP), "zero_grad to None")


# Threads


def test_threads(play: Play) -> None:
    """As many as the machine has cores, or one."""
    scene = on_machine(play(ALL, LOOP), cores=2, threads=4)
    check(scene, "a thread a core", "torch.set_num_threads(2)\n" + LOOP)
    check(scene, "one thread", "torch.set_num_threads(1)\n" + LOOP)
    assert "1 threads already" in refused(on_machine(scene, cores=1, threads=1), "one thread")
    assert "on a card" in refused(on_card(scene), "one thread")


def test_threads_of_a_cell_that_only_calls(play: Play) -> None:
    """The loop is in a function of another cell: the line goes first."""
    made = "def fit():\n" + "\n".join("    " + line for line in LOOP.split("\n")) + "\n"
    scene = on_machine(play(ALL + made, "# again\nfit()"), cores=2, threads=4)
    check(scene, "one thread", "# again\ntorch.set_num_threads(1)\nfit()")
