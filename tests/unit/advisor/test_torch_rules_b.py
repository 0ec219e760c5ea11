"""PyTorch rules 214, 215, 218 to 225 and 227 to 232: on signals composed by hand, edge by edge; their code is run."""

from __future__ import annotations

import dataclasses
import re
import warnings
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from greennb.advisor.base import Found
from greennb.advisor.names import Names
from greennb.advisor.observe.torch.curve import Curves
from greennb.advisor.rules.torch import (
    attention,
    checkpointing,
    conv_bias,
    create_on_device,
    data_parallel,
    early_stopping,
    float64,
    fuse_conv_norm,
    int8,
    per_step_item,
    smaller_batch,
    smaller_checkpoint,
    sparsity_2_4,
    structured_pruning,
    trainer_bf16,
    zero_grad,
)
from greennb.advisor.signals.cell import CellContext
from greennb.advisor.signals.machine import GpuSeen, MachineSignals
from greennb.advisor.signals.source import SourceFact, SourceSignals
from greennb.advisor.signals.torch import (
    BatchSeen,
    CudaSeen,
    CurveSeen,
    Forwards,
    LoaderSeen,
    ModelSeen,
    OptimizerSeen,
    Profiled,
    PrunedLayer,
    TorchSignals,
)

GIB = 2**30


class World:
    """A cell with one model, trained or inferring, every fact of it easily changed."""

    def __init__(self, device: str = "cpu", *, trains: bool = True) -> None:
        self.trains = trains
        self.cell: dict[str, Any] = {"duration_s": 40.0}
        self.model: dict[str, Any] = {
            "device": device, "parameters": 30_000_000, "dtypes": ("float32",), "layers": {"Linear": 6},
            "linear_share": 0.99, "linear_features_by_16": True,
        }  # fmt: skip
        self.forwards: dict[str, Any] = {
            "training": trains, "grad": trains, "stepped": trains, "calls": 50, "calls_estimated": 2000,
            "call_s": 0.015, "seconds": 30.0,
        }  # fmt: skip
        self.batch: dict[str, Any] = {"shape": (64, 256), "dtype": "float32", "device": device}
        self.optimizer: dict[str, Any] = {
            "kind": "AdamW", "name": "opt", "device": device, "parameters": 12, "steps": 2000, "step_s": 0.015,
            "update_s": 0.003, "seconds": 30.0,
        }  # fmt: skip
        self.loader: dict[str, Any] = {"batch_size": 64, "batches": 2000, "epochs": 20}
        self.card: dict[str, Any] = {"capability": (8, 0), "peak_b": 10 * GIB, "total_b": 16 * GIB}
        self.gpu: dict[str, Any] = {"util": 0.4, "held_b": GIB}
        self.cards = 1 if device.startswith("cuda") else 0
        self.torch: dict[str, Any] = {}
        self.facts: list[SourceFact] = []

    @property
    def context(self) -> CellContext:
        card = CudaSeen(**{"index": 0, "name": "NVIDIA A100"} | self.card)
        seen = TorchSignals(**{
            "version": "2.13.0",
            "models": (ModelSeen(**{"id": 1, "name": "net", "kind": "Net"} | self.model),),
            "forwards": (Forwards(**{"model": 1, "batch": BatchSeen(**self.batch)} | self.forwards),),
            "optimizers": (OptimizerSeen(**{"model": 1, "loader": 0} | self.optimizer),) if self.trains else (),
            "loaders": (LoaderSeen(**{"name": "loader", "dataset": "Pictures"} | self.loader),) if self.trains else (),
            "cuda": tuple(dataclasses.replace(card, index=index) for index in range(self.cards)),
        } | self.torch)  # fmt: skip
        gpus = (GpuSeen(**{"domain": "gpu:0", "label": "NVIDIA A100"} | self.gpu),) if self.cards else ()
        machine = MachineSignals(cores=4, cpus=4.0, pools={}, gpus=gpus)
        code = SourceSignals(digest="", facts=tuple(self.facts))
        return CellContext(
            number=0, cell_id="a", execution_count=1, source="", torch=seen, machine=machine, code=code, **self.cell
        )


def fact(kind: str, name: str = "", *, text: str = "", depth: int = 2, guarded: bool = False) -> SourceFact:
    return SourceFact(kind=kind, line=4, text=text, name=name, in_loop=depth > 0, loop_depth=depth, guarded=guarded)


def short_of_memory() -> World:
    world = World("cuda:0")
    world.card["retries"] = smaller_batch.RETRIES
    return world


def tiny_batch() -> World:
    world = short_of_memory()
    world.loader["batch_size"] = smaller_batch.SMALL_BATCH
    return world


def zeroing() -> World:
    world = World()
    world.facts = [fact("zero_grad_false", "opt")]
    return world


def doubles() -> World:
    world = World()
    world.model["dtypes"] = ("float64", "float32")
    world.batch |= {"dtype": "float64", "name": "x"}
    return world


def fetching() -> World:
    world = World("cuda:0")
    world.facts = [fact("backward", "loss"), fact("item_in_loop", "loss", text="loss.item()")]
    return world


def moving() -> World:
    world = World("cuda:0")
    world.facts = [fact("created_on_cpu", "noise", text='torch.randn(256, 64).to("cuda")')]
    return world


def biased() -> World:
    world = World("cuda:0")
    world.model["conv_bias_before_norm"] = ("0", "3")
    return world


def normed() -> World:
    world = World(trains=False)
    world.model["conv_then_norm"] = ("0", "3")
    return world


def by_hand() -> World:
    world = World()
    world.facts = [fact("softmax_matmul", "weights", text="class Attention(nn.Module):", depth=0)]
    return world


def parallel() -> World:
    world = World("cuda:0")
    world.cards = 2
    world.model["wrapper"] = "DataParallel"
    return world


def inferring() -> World:
    return World(trains=False)


def masked() -> World:
    world = World(trains=False)
    world.model["pruned"] = (
        PrunedLayer(name="0", kind="Linear", density=0.3, structured=False, rows=512, rows_kept=512),
    )
    return world


def halves() -> World:
    world = World("cuda:0", trains=False)
    world.model["dtypes"] = ("bfloat16",)
    return world


def published() -> World:
    world = World(trains=False)
    world.cell["duration_s"] = 90.0
    world.model |= {"pretrained": True, "parameters": smaller_checkpoint.PARAMETERS}
    world.forwards |= {"seconds": 80.0, "calls_estimated": smaller_checkpoint.CALLS}
    return world


def flat() -> World:
    world = World()
    curve = CurveSeen(name="val_losses", values=(*(1 / (1 + n) for n in range(15)), *[0.08] * 5), new=20)
    world.torch["curves"] = (curve,)
    return world


def in_float32() -> World:
    world = World("cuda:0")
    world.torch |= {"trainer_bf16": False, "trainer_name": "trainer"}
    return world


FIRES: list[tuple[ModuleType, Callable[[], World]]] = [
    (smaller_batch, short_of_memory), (checkpointing, tiny_batch), (zero_grad, zeroing), (float64, doubles),
    (per_step_item, fetching), (create_on_device, moving), (conv_bias, biased), (fuse_conv_norm, normed),
    (attention, by_hand), (data_parallel, parallel), (int8, inferring), (structured_pruning, masked),
    (sparsity_2_4, halves), (smaller_checkpoint, published), (early_stopping, flat), (trainer_bf16, in_float32),
]  # fmt: skip


def found(rule: ModuleType, world: World) -> list[Found]:
    return list(rule.check(world.context))


@pytest.mark.parametrize(("rule", "make"), FIRES, ids=lambda it: getattr(it, "__name__", "").rpartition(".")[2])
def test_each_fires_with_evidence_and_code_and_promises_nothing(rule: ModuleType, make: Callable[[], World]) -> None:
    (one,) = found(rule, make())
    assert one.evidence
    assert 0 < one.share <= 1
    assert one.text.endswith(".")
    assert not re.search(r"\d\s*%|\dx\b|times (as )?fast", one.text)
    compile(one.code, "<code>", "exec")
    assert bool(one.code) == (rule is not smaller_checkpoint)
    assert one.subject


@pytest.mark.parametrize(("rule", "make"), FIRES, ids=lambda it: getattr(it, "__name__", "").rpartition(".")[2])
def test_each_is_silent_without_torch_and_in_a_moment(rule: ModuleType, make: Callable[[], World]) -> None:
    world = make()
    assert not list(rule.check(dataclasses.replace(world.context, torch=None)))
    world.forwards |= {"seconds": 0.2, "call_s": 0.0001}
    world.optimizer |= {"seconds": 0.2, "step_s": 0.0001}
    if rule is not smaller_batch:  # running out of memory costs however short the cell was
        assert not found(rule, world)


def change(part: str, **facts: Any) -> Callable[[World], None]:
    return lambda world: getattr(world, part).update(facts)


def says(*facts: SourceFact) -> Callable[[World], None]:
    return lambda world: setattr(world, "facts", list(facts))


GUARDS: list[tuple[str, ModuleType, Callable[[], World], Callable[[World], None]]] = [
    ("few retries", smaller_batch, short_of_memory, change("card", retries=smaller_batch.RETRIES - 1)),
    ("full is no fault", smaller_batch, short_of_memory, change("card", retries=0, peak_b=16 * GIB)),
    ("nothing left to halve", smaller_batch, tiny_batch, change("card")),
    ("room", checkpointing, tiny_batch, change("card", retries=0)),
    ("batch can be halved", checkpointing, tiny_batch, change("loader", batch_size=smaller_batch.SMALL_BATCH + 1)),
    ("not asked for", zero_grad, zeroing, says()),
    ("few steps", zero_grad, zeroing, change("optimizer", steps=zero_grad.STEPS - 1)),
    ("update is nothing", zero_grad, zeroing, change("optimizer", update_s=0.0001)),
    ("mostly float32", float64, doubles, change("model", dtypes=("float32", "float64"))),
    ("few steps", per_step_item, fetching, change("optimizer", steps=per_step_item.STEPS)),
    ("under an if", per_step_item, fetching, says(fact("backward"), fact("item_in_loop", "loss", guarded=True))),
    ("once an epoch", per_step_item, fetching, says(fact("backward"), fact("item_in_loop", "loss", depth=1))),
    ("of another thing", per_step_item, fetching, says(fact("backward", "loss"), fact("item_in_loop", "correct"))),
    ("card is busy", per_step_item, fetching, change("gpu", util=0.95)),
    ("card doesn't tell", per_step_item, fetching, change("gpu", util=None)),
    ("long steps", per_step_item, fetching, change("optimizer", step_s=per_step_item.STEP_S * 1.1)),
    ("on a CPU", per_step_item, fetching, change("optimizer", device="cpu")),
    ("card is busy", create_on_device, moving, change("gpu", util=0.95)),
    ("once", create_on_device, moving, says(fact("created_on_cpu", "noise", depth=0))),
    ("on a CPU", conv_bias, biased, change("optimizer", device="cpu")),
    ("from a checkpoint", conv_bias, biased, change("model", pretrained=True)),
    ("short", conv_bias, biased, change("optimizer", seconds=conv_bias.SECONDS - 0.1)),
    ("trains", fuse_conv_norm, normed, change("forwards", training=True)),
    ("one pair", fuse_conv_norm, normed, change("model", conv_then_norm=("0",))),
    ("few calls", fuse_conv_norm, normed, change("forwards", calls_estimated=fuse_conv_norm.CALLS - 1)),
    ("compiled", fuse_conv_norm, normed, change("model", compiled=True)),
    ("short sequences", attention, by_hand, change("batch", shape=(64, attention.LENGTH - 1))),
    ("not by hand", attention, by_hand, says()),
    ("profile says no", attention, by_hand, change("torch", profiled=Profiled(steps=3, total_s=1, softmax_bmm_s=0.05))),
    ("one card", data_parallel, parallel, lambda world: setattr(world, "cards", 1)),
    ("DDP", data_parallel, parallel, change("model", wrapper="DistributedDataParallel")),
    ("convolutions", int8, inferring, change("model", linear_share=int8.LINEAR)),
    ("small", int8, inferring, change("model", parameters=int8.PARAMETERS - 1)),
    ("short calls", int8, inferring, change("forwards", call_s=int8.CALL_S * 0.9)),
    ("bf16", int8, inferring, change("forwards", autocast="bfloat16")),
    ("on a card", int8, inferring, change("model", device="cuda:0")),
    ("can't be read", int8, inferring, change("model", layers={"TransformerEncoderLayer": 2, "Linear": 9})),
    ("quantized", int8, inferring, change("model", quantized=True)),
    ("trains", structured_pruning, masked, change("forwards", stepped=True)),
    ("no masks", structured_pruning, masked, change("model", pruned=())),
    ("not by 16", sparsity_2_4, halves, change("model", linear_features_by_16=False)),
    ("older card", sparsity_2_4, halves, change("card", capability=(7, 5))),
    ("float32", sparsity_2_4, halves, change("model", dtypes=("float32",))),
    ("own weights", smaller_checkpoint, published, change("model", pretrained=False)),
    ("small", smaller_checkpoint, published, change("model", parameters=smaller_checkpoint.PARAMETERS - 1)),
    ("few calls", smaller_checkpoint, published, change("forwards", calls_estimated=smaller_checkpoint.CALLS - 1)),
    ("stops early", early_stopping, flat, says(fact("early_stop", "wait", depth=1))),
    ("no Trainer", trainer_bf16, in_float32, change("torch", trainer_bf16=None)),
    ("on", trainer_bf16, in_float32, change("torch", trainer_bf16=True)),
    ("older card", trainer_bf16, in_float32, change("card", capability=(7, 5))),
]  # fmt: skip


@pytest.mark.parametrize(("why", "rule", "make", "guard"), GUARDS, ids=lambda it: it if isinstance(it, str) else "")
def test_a_guard_silences(
    why: str, rule: ModuleType, make: Callable[[], World], guard: Callable[[World], None]
) -> None:
    world = make()
    guard(world)
    assert not found(rule, world), why


def test_density_below_a_tenth_is_left_to_sparse_formats() -> None:
    world = masked()
    (layer,) = world.model["pruned"]
    world.model["pruned"] = (dataclasses.replace(layer, density=structured_pruning.DENSITY),)
    assert not found(structured_pruning, world)


@pytest.mark.parametrize(("flat_epochs", "fires"), [(4, False), (5, True)])
def test_five_epochs_without_a_better_loss(flat_epochs: int, fires: bool) -> None:
    world = World()
    values = (*(1 / (1 + n) for n in range(10)), *[0.1 * (1 - early_stopping.BETTER / 2)] * flat_epochs)
    world.torch["curves"] = (CurveSeen(name="val_losses", values=values, new=len(values)),)
    assert bool(found(early_stopping, world)) == fires


def test_epochs_of_earlier_cells_are_not_put_down_to_this_one() -> None:
    assert early_stopping.wasted(CurveSeen(name="val_losses", values=(1.0, *[2.0] * 20), new=3)) == 3


def test_a_scheduler_counts_where_no_curve_is_kept() -> None:
    world = World()
    world.optimizer["bad_epochs"] = 5
    (one,) = found(early_stopping, world)
    assert one.share == pytest.approx(5 / 20 * 30 / 40)


def test_shares_are_of_what_would_change() -> None:
    assert found(zero_grad, zeroing())[0].share == pytest.approx(0.003 / 0.015 * 30 / 40)
    assert found(per_step_item, fetching())[0].share == pytest.approx(0.6 * 30 / 40)
    assert found(early_stopping, flat())[0].share == pytest.approx(5 / 20)
    world = by_hand()
    world.torch["profiled"] = Profiled(steps=3, total_s=1.0, softmax_bmm_s=0.4)
    assert found(attention, world)[0].share == pytest.approx(0.4 * 30 / 40)


def test_a_moved_tensor_is_made_with_the_users_own_words() -> None:
    assert found(create_on_device, moving())[0].code == 'noise = torch.randn(256, 64, device="cuda")\n'
    world = moving()
    world.facts = [fact("created_on_cpu", "", text="torch.zeros(n).cuda()")]
    assert found(create_on_device, world)[0].code == 'torch.zeros(n, device="cuda")\n'


def test_a_curve_is_told_by_what_grew() -> None:
    losses = [float(n) for n in range(8)]
    history = {"val_loss": [1.0] * 9, "loss": [1.0] * 9}
    space: dict[str, Any] = {"val_losses": losses, "history": history, "val_loss_of": print, "losses": [1.0] * 9}
    curves = Curves()
    assert {it.name: it.new for it in curves.grown(Names(space))} == {"val_losses": 8, "history['val_loss']": 9}
    assert curves.grown(Names(space)) == ()
    losses.append(0.5)
    assert [(it.name, it.new) for it in curves.grown(Names(space))] == [("val_losses", 1)]
    space["val_losses"] = [2.0] * 9
    assert [(it.name, it.new) for it in curves.grown(Names(space))] == [("val_losses", 9)]


@pytest.mark.parametrize("values", [[1.0] * 7, [1.0] * 8 + [float("nan")], [1.0] * 8 + ["x"], [1] * 9])
def test_what_is_no_curve(values: list[Any]) -> None:
    assert Curves().grown(Names({"val_losses": values})) == ()


def run(rule: ModuleType, world: World, **names: Any) -> dict[str, Any]:
    """The namespace after the suggested code ran in it."""
    torch = pytest.importorskip("torch")
    (one,) = found(rule, world)
    space = {"torch": torch, **names}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch announces that torch.ao.quantization will go
        exec(one.code, space)
    return space


def chain() -> Any:
    nn = pytest.importorskip("torch").nn
    return nn.Sequential(
        nn.Conv2d(3, 16, 3, bias=False), nn.BatchNorm2d(16), nn.ReLU(), nn.Conv2d(16, 8, 3), nn.BatchNorm2d(8)
    )


def test_fused_code_gives_the_same_output() -> None:
    torch = pytest.importorskip("torch")
    net, pictures = chain(), torch.randn(4, 3, 12, 12)
    net(pictures)  # statistics that are not those of the beginning
    space = run(fuse_conv_norm, normed(), net=net.eval())
    assert not any(isinstance(it, torch.nn.BatchNorm2d) for it in space["net_fused"].modules())
    torch.testing.assert_close(space["net_fused"](pictures), net(pictures))


def test_without_the_bias_the_output_is_the_same() -> None:
    torch = pytest.importorskip("torch")
    net, pictures = chain().train(), torch.randn(4, 3, 12, 12)
    before = net(pictures)
    run(conv_bias, biased(), net=net)
    torch.testing.assert_close(net(pictures), before, rtol=1e-4, atol=1e-5)
    assert net[3].bias is None


def linears(width: int = 512) -> Any:
    nn = pytest.importorskip("torch").nn
    return nn.Sequential(nn.Linear(64, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 10))


def test_int8_code_quantizes_a_copy() -> None:
    torch = pytest.importorskip("torch")
    net, rows = linears().eval(), torch.randn(8, 64)
    space = run(int8, inferring(), net=net)
    assert "quantized" in type(space["net_int8"][0]).__module__
    assert isinstance(net[0], torch.nn.Linear)
    torch.testing.assert_close(space["net_int8"](rows), net(rows), rtol=0.1, atol=0.05)


def test_slicing_code_narrows_what_a_mask_only_zeroed() -> None:
    torch = pytest.importorskip("torch")
    prune = pytest.importorskip("torch.nn.utils.prune")
    net = linears()
    for layer in (net[0], net[2]):
        prune.l1_unstructured(layer, "weight", amount=0.7)
    world = masked()
    (layer,) = world.model["pruned"]
    world.model["pruned"] = (layer, dataclasses.replace(layer, name="2"))
    run(structured_pruning, world, net=net)
    assert [tuple(it.weight.shape) for it in (net[0], net[2], net[4])] == [(160, 64), (160, 160), (10, 160)]
    assert (net[2].in_features, net[2].out_features) == (160, 160)
    assert net(torch.randn(4, 64)).shape == (4, 10)


def test_cutting_out_masked_rows_gives_the_same_output() -> None:
    torch = pytest.importorskip("torch")
    prune = pytest.importorskip("torch.nn.utils.prune")
    nn = torch.nn
    net = nn.Sequential(nn.Conv2d(3, 32, 3, bias=False), nn.ReLU(), nn.Flatten(), nn.Linear(32 * 36, 10))
    prune.ln_structured(net[0], "weight", amount=0.5, n=2, dim=0)
    pictures = torch.randn(4, 3, 8, 8)
    before = net(pictures)
    world = masked()
    world.model["pruned"] = (PrunedLayer(name="0", kind="Conv2d", density=0.5, structured=True, rows=32, rows_kept=16),)
    run(structured_pruning, world, net=net)
    assert net[0].out_channels == 16
    torch.testing.assert_close(net(pictures), before)


def test_two_of_four_keeps_the_two_largest() -> None:
    torch = pytest.importorskip("torch")
    (one,) = found(sparsity_2_4, halves())
    space: dict[str, Any] = {"torch": torch}
    exec(one.code.partition("\n\nfor layer in")[0], space)  # what follows needs a card
    weight = torch.randn(8, 16)
    pruned = space["two_of_four"](weight)
    assert (pruned.reshape(-1, 4).ne(0).sum(dim=1) == 2).all()
    assert pruned.abs().sum() >= weight.abs().sum() / 2


def test_checkpointed_blocks_have_the_same_gradients() -> None:
    torch = pytest.importorskip("torch")
    net, rows = linears(32), torch.randn(4, 64)
    net(rows).sum().backward()
    before = net[0].weight.grad.clone()
    run(checkpointing, tiny_batch(), net=net)
    net.zero_grad()
    net(rows).sum().backward()
    torch.testing.assert_close(net[0].weight.grad, before)


def test_float64_code_leaves_the_optimizer_its_parameters() -> None:
    torch = pytest.importorskip("torch")
    net, x = linears(32).double(), torch.randn(4, 64, dtype=torch.float64)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    space = run(float64, doubles(), net=net, x=x)
    space["net"](space["x"]).sum().backward()
    optimizer.step()
    assert optimizer.param_groups[0]["params"][0] is space["net"][0].weight
    assert space["net"][0].weight.dtype == torch.float32
