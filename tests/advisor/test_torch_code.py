"""What PyTorch rules give as code does what it says on the user's own objects: pasted, it runs."""

from __future__ import annotations

from typing import Any

import pytest

from greennb.advisor.rules.torch import cpu_bound_input, foreach_off, fused_optimizer, loader_workers
from greennb.advisor.rules.torch._shared import rebuilt
from greennb.advisor.signals.torch import LoaderSeen
from tests.unit.advisor.test_torch_rules_a import World, changed, cpu_bound, found, one_by_one, updating, waiting

torch = pytest.importorskip("torch")


@pytest.fixture
def world() -> dict[str, Any]:
    """A loader and an optimizer as in a notebook."""
    torch.manual_seed(0)
    data = torch.utils.data.TensorDataset(torch.arange(50.0), torch.arange(50))
    net = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.Linear(2, 1))
    groups = [{"params": net[0].parameters(), "lr": 0.5}, {"params": net[1].parameters()}]
    return {
        "torch": torch, "net": net,
        "loader": torch.utils.data.DataLoader(data, batch_size=8, shuffle=True, drop_last=True),
        "optimizer": torch.optim.AdamW(groups, lr=0.25, betas=(0.8, 0.9), weight_decay=0.1, foreach=False),
    }  # fmt: skip


def batches(loader: Any) -> list[list[list[float]]]:
    """All batches of an epoch, by the same seed."""
    torch.manual_seed(1)
    return [[part.tolist() for part in batch] for batch in loader]


def pasted(code: str, world: dict[str, Any]) -> dict[str, Any]:
    exec(code, world)
    return world


def test_whole_batches_of_indices_give_the_same_batches(world: dict[str, Any]) -> None:
    before = batches(world["loader"])
    [one] = found(loader_workers, changed(waiting(), {"loader": {"in_memory": True}}))
    assert batches(pasted(one.code, world)["loader"]) == before
    assert len(before) == 6


def test_a_loader_made_again_gives_the_same_batches(world: dict[str, Any]) -> None:
    before = batches(world["loader"])
    code = rebuilt(LoaderSeen(name="loader", dataset="TensorDataset", length=50, batch_size=8))
    assert batches(pasted(code, world)["loader"]) == before


def test_a_loader_with_a_batch_sampler_or_an_iterable_can_be_made_again(world: dict[str, Any]) -> None:
    data = world["loader"].dataset
    sampler = torch.utils.data.BatchSampler(range(50), 8, drop_last=False)
    world["loader"] = torch.utils.data.DataLoader(data, batch_sampler=sampler)
    before = batches(world["loader"])
    code = rebuilt(LoaderSeen(name="loader", dataset="TensorDataset", length=50, batch_size=None))
    assert batches(pasted(code, world)["loader"]) == before

    class Stream(torch.utils.data.IterableDataset):  # type: ignore[name-defined, misc]
        def __iter__(self) -> Any:
            return iter([(torch.tensor(1.0),), (torch.tensor(2.0),)])

    world["loader"] = torch.utils.data.DataLoader(Stream(), batch_size=2)
    code = rebuilt(LoaderSeen(name="loader", dataset="Stream", length=None, batch_size=2))
    assert batches(pasted(code, world)["loader"]) == [[[1.0, 2.0]]]


def test_kept_samples_are_made_once(world: dict[str, Any]) -> None:
    class Counted(torch.utils.data.Dataset):  # type: ignore[name-defined, misc]
        made = 0

        def __len__(self) -> int:
            return 10

        def __getitem__(self, index: int) -> int:
            Counted.made += 1
            return index

    world["loader"] = torch.utils.data.DataLoader(Counted(), batch_size=5)
    [one] = found(cpu_bound_input, changed(cpu_bound(), {"loader": {"num_workers": 0}}))
    pasted(one.code, world)
    first, second = ([batch.tolist() for batch in world["loader"]] for _ in range(2))
    assert first == second
    assert Counted.made == 10


@pytest.mark.parametrize(
    ("rule", "make", "fused"), [(fused_optimizer, updating, True), (foreach_off, one_by_one, None)]
)
def test_an_optimizer_made_again_keeps_its_settings(
    rule: Any, make: Any, fused: bool | None, world: dict[str, Any]
) -> None:
    made: World = make()
    [one] = found(rule, made)
    optimizer = pasted(one.code, world)["optimizer"]
    assert [group["lr"] for group in optimizer.param_groups] == [0.5, 0.25]
    for group in optimizer.param_groups:
        assert group["betas"] == (0.8, 0.9)
        assert group["weight_decay"] == 0.1
        assert group["foreach"] is None
        assert group["fused"] is fused
    assert sum(len(group["params"]) for group in optimizer.param_groups) == 4
    world["net"](torch.randn(4, 3)).sum().backward()
    optimizer.step()
