"""What the PyTorch observer sees of loops as people write them; every cell runs on the real PyTorch."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from greennb.advisor.observe.torch.calls import FIRST_CALLS

pytest.importorskip("torch")
sys.path.insert(0, str(Path(__file__).parents[2] / "advisor"))

from torch_kernel import Kernel


@pytest.fixture
def kernel() -> Iterator[Kernel]:
    made = Kernel()
    yield made
    made.observer.remove()


def test_a_cell_without_pytorch_says_nothing(kernel: Kernel) -> None:
    """Nor does one that only has tensors: there is nothing to advise on."""
    assert kernel.run("total = sum(range(10))") is None
    assert kernel.run("z = x @ x.T") is None


def test_a_training_loop(kernel: Kernel) -> None:
    """Model, optimizer and loader are seen with their names, and know each other."""
    seen = kernel.seen("""
        for epoch in range(10):
            for bx, by in train:
                step(bx, by)
    """)
    (model,), (forwards,), (optimizer,), (loader,) = seen.models, seen.forwards, seen.optimizers, seen.loaders
    assert (model.name, model.kind, model.device, model.dtypes) == ("model", "Sequential", "cpu", ("float32",))
    assert (model.parameters, model.trainable) == (8 * 16 + 16 + 16 * 2 + 2,) * 2
    assert model.layers == {"Linear": 2, "ReLU": 1}
    assert (model.linear_share, model.linear_features_by_16) == (1.0, False)
    assert (optimizer.name, optimizer.kind, optimizer.builtin) == ("optimizer", "SGD", True)
    assert (optimizer.model, optimizer.loader, optimizer.steps) == (model.id, 0, 80)
    assert (optimizer.parameters, optimizer.float_parameters, optimizer.fused) == (4, True, None)
    assert 0 < optimizer.update_s < optimizer.step_s < optimizer.seconds
    assert (loader.name, loader.dataset, loader.in_memory, loader.length) == ("train", "TensorDataset", True, 256)
    assert (loader.epochs, loader.batches, loader.batch_size, loader.in_training) == (10, 80, 32, True)
    assert 0 < loader.wait_s < loader.wait_total_s < loader.seconds
    assert (forwards.model, forwards.training, forwards.grad, forwards.stepped) == (model.id, True, True, True)
    assert 50 < forwards.calls <= 80
    assert forwards.calls_estimated == 80
    assert 0 < forwards.call_s < 0.1
    assert forwards.batch is not None
    assert (forwards.batch.shape, forwards.batch.shapes, forwards.batch.dtype) == ((32, 8), 1, "float32")
    assert not seen.compiles


def test_an_evaluation_with_gradients_after_each_epoch_is_told_from_the_training(kernel: Kernel) -> None:
    """Although the optimizer steps again in the next epoch, no step follows the evaluation's calls."""
    seen = kernel.seen("""
        for epoch in range(6):
            model.train()
            for bx, by in train:
                step(bx, by)
            model.eval()
            for bx, by in valid:
                model(bx)
    """)
    training, evaluation = sorted(seen.forwards, key=lambda it: not it.training)
    assert (training.stepped, training.grad) == (True, True)
    assert (evaluation.stepped, evaluation.grad, evaluation.training) == (False, True, False)
    assert (training.calls_estimated, evaluation.calls_estimated) == (48, 24)
    assert [it.in_training for it in seen.loaders] == [True, False]
    assert evaluation.seconds == pytest.approx(seen.loaders[1].seconds)


def test_an_evaluation_long_after_the_first_calls_is_seen(kernel: Kernel) -> None:
    """The hook is off by then; a loader that begins turns it on."""
    seen = kernel.seen("""
        for i in range(300):
            step(x[:32], y[:32])
        model.eval()
        for bx, by in valid:
            model(bx)
    """)
    assert [(it.training, it.stepped) for it in seen.forwards] == [(True, True), (False, False)]
    assert [it.calls_estimated for it in seen.forwards] == [300, 4]
    assert seen.optimizers[0].loader is None


@pytest.mark.parametrize(
    ("context", "grad", "inference"),
    [("torch.no_grad()", False, False), ("torch.inference_mode()", False, True), ("torch.enable_grad()", True, False)],
)
def test_how_gradients_are_kept(kernel: Kernel, context: str, grad: bool, inference: bool) -> None:
    """As it is at the call."""
    (forwards,) = kernel.seen(f"with {context}:\n    model(x)").forwards
    assert (forwards.grad, forwards.inference, forwards.stepped) == (grad, inference, False)
    assert forwards.batch is not None
    assert forwards.batch.name == "x"


def test_a_backward_pass_by_hand_counts_as_training(kernel: Kernel) -> None:
    """No optimizer, but new gradients; those of an earlier cell are not new."""
    assert kernel.seen("model(x).sum().backward()").forwards[0].stepped
    assert not kernel.seen("out = model(x)").forwards[0].stepped
    assert kernel.seen("model(x).sum().backward()").forwards[0].stepped


def test_autocast(kernel: Kernel) -> None:
    """Its dtype, where it is on."""
    seen = kernel.seen("""
        with torch.autocast("cpu", dtype=torch.bfloat16):
            model(x)
        model(x)
    """)
    assert [it.autocast for it in seen.forwards] == ["bfloat16", ""]


def test_two_optimizers_of_a_gan_have_their_own_models(kernel: Kernel) -> None:
    """Each holds another model's parameters."""
    seen = kernel.seen("""
        generator, critic = nn.Linear(4, 8), nn.Linear(8, 1)
        first = torch.optim.Adam(generator.parameters(), fused=True)
        second = torch.optim.RMSprop(critic.parameters(), foreach=False)
        for i in range(30):
            second.zero_grad()
            fake = generator(torch.randn(16, 4))
            (critic(fake.detach()).mean() - critic(x[:16]).mean()).backward()
            second.step()
            first.zero_grad()
            (-critic(generator(torch.randn(16, 4))).mean()).backward()
            first.step()
    """)
    names = {it.id: it.name for it in seen.models}
    assert {it.name: names[it.model] for it in seen.optimizers} == {"first": "generator", "second": "critic"}
    assert {it.name: (it.fused, it.foreach) for it in seen.optimizers} == {
        "first": (True, None),
        "second": (None, False),
    }
    assert all(it.stepped for it in seen.forwards)


def test_two_loaders_in_one_loop(kernel: Kernel) -> None:
    """Both are part of the training."""
    seen = kernel.seen("""
        other = DataLoader(Subset(TensorDataset(x, y), range(128)), batch_size=16)
        for (bx, by), (cx, cy) in zip(train, other):
            step(torch.cat([bx, cx]), torch.cat([by, cy]))
    """)
    assert [(it.name, it.batches, it.in_training, it.in_memory) for it in seen.loaders] == [
        ("train", 8, True, True), ("other", 8, True, True),
    ]  # fmt: skip
    assert seen.optimizers[0].steps == 8


def test_a_loader_that_was_only_peeked_at_feeds_nothing(kernel: Kernel) -> None:
    """``next(iter(loader))`` is not a loop."""
    seen = kernel.seen("""
        bx, by = next(iter(train))
        for i in range(40):
            step(bx, by)
    """)
    assert seen.optimizers[0].loader is None
    assert (seen.loaders[0].batches, seen.loaders[0].in_training) == (1, False)


def test_times_of_a_loop() -> None:
    """What happens between two epochs is neither a step nor the loader's; a first batch is told from the others."""
    now = [0.0]
    kernel = Kernel(clock=lambda: now[0])
    kernel.namespace["passes"] = lambda seconds: now.__setitem__(0, now[0] + seconds)
    try:
        seen = kernel.seen("""
            class Slow(Dataset):
                def __len__(self): return 6
                def __getitem__(self, at):
                    passes(1.0)
                    return x[at], y[at]
            slow = DataLoader(Slow(), batch_size=2)
            optimizer.register_step_post_hook(lambda *_: None)
            for epoch in range(3):
                for bx, by in slow:
                    passes(0.5)
                    step(bx, by)
                passes(100.0)
        """)
    finally:
        kernel.observer.remove()
    (optimizer,), (loader,), (forwards,) = seen.optimizers, seen.loaders, seen.forwards
    assert (optimizer.step_s, optimizer.update_s, optimizer.seconds) == (2.5, 0.0, 3 * 7.5 + 2 * 100 - 2.5)
    assert (loader.wait_s, loader.wait_total_s, loader.first_wait_s, loader.seconds) == (2.0, 18.0, 2.0, 22.5)
    assert (forwards.call_s, forwards.seconds) == (pytest.approx(2.5, abs=1e-3), 22.5)


def test_objects_of_a_function_have_no_name_and_are_seen_although_they_are_gone(kernel: Kernel) -> None:
    """A model that lived within a call only is described as it was when first called."""
    seen = kernel.seen("""
        def work():
            local = nn.Sequential(nn.Linear(8, 4), nn.Linear(4, 2))
            adam = torch.optim.AdamW(local.parameters())
            for bx, by in DataLoader(TensorDataset(x, y), batch_size=16):
                criterion(local(bx), by).backward()
                adam.step()
                adam.zero_grad()
        work()
    """)
    (model,), (optimizer,), (loader,) = seen.models, seen.optimizers, seen.loaders
    assert (model.name, model.kind, model.layers) == (None, "Sequential", {"Linear": 2})
    assert (optimizer.name, optimizer.kind, optimizer.model, optimizer.loader) == (None, "AdamW", model.id, 0)
    assert (loader.name, loader.batches) == (None, 16)


def test_a_search_makes_many_models_and_memory_stays_bounded(kernel: Kernel) -> None:
    """The first sixty-four are kept apart."""
    seen = kernel.seen("""
        for width in range(100):
            local = nn.Linear(8, 1 + width % 7)
            sgd = torch.optim.SGD(local.parameters(), lr=0.1)
            local(x).sum().backward()
            sgd.step()
    """)
    assert len(seen.optimizers) == 64
    assert len({it.id for it in seen.models}) == len(seen.models) <= 64


def test_a_model_is_the_same_in_the_next_cell(kernel: Kernel) -> None:
    """Its number stays with it, and belongs to no other."""
    first = kernel.seen("model(x)").models[0].id
    second = kernel.seen("other = nn.Linear(8, 2)\nother(x)\nmodel(x)")
    assert {it.name: it.id for it in second.models}["model"] == first
    assert len({it.id for it in second.models}) == 2


def test_nothing_of_the_users_is_kept_alive(kernel: Kernel) -> None:
    """Neither during the cell nor after it."""
    kernel.seen("""
        import gc, weakref
        local = nn.Linear(8, 2)
        batch = torch.randn(4, 8)
        loader = DataLoader(TensorDataset(batch), batch_size=2)
        sgd = torch.optim.SGD(local.parameters(), lr=0.1)
        iterator = iter(loader)
        local(next(iterator)[0]).sum().backward()
        local(batch)
        sgd.step()
        gone = [weakref.ref(it) for it in (local, batch, loader, sgd, iterator)]
        del local, batch, loader, sgd, iterator
        gc.collect()
        assert [it() for it in gone] == [None] * 5
    """)


def test_conv_and_batch_norm(kernel: Kernel) -> None:
    """By their order in a Sequential, and by what the batch norm is given in a forward of the user's own."""
    seen = kernel.seen("""
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.stem = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4))
                self.norm = nn.BatchNorm2d(4)
                self.late = nn.BatchNorm2d(4)
                self.conv = nn.Conv2d(4, 4, 3, groups=2)
                self.other = nn.Conv2d(4, 4, 3, bias=False)
            def forward(self, z):
                z = self.norm(self.conv(self.stem(z)))
                return self.late(torch.relu(self.other(z)))
        net = Net()
        images = torch.randn(2, 1, 16, 16)
        net(images)
    """)
    (model,) = seen.models
    assert model.conv_then_norm == ("stem.0", "conv")
    assert model.conv_bias_before_norm == ("stem.0", "conv")
    assert (model.conv2d_grouped, model.channels_last) == (1, False)
    seen = kernel.seen("""
        net.to(memory_format=torch.channels_last)
        with torch.no_grad():
            net(images.repeat(1, 1, 1, 1)); net(torch.randn(2, 3, 8, 8).to(memory_format=torch.channels_last)[:, :1])
    """)
    assert seen.models[0].channels_last
    assert seen.models[0].conv_then_norm == ("stem.0", "conv")


def test_pruned_quantized_frozen(kernel: Kernel) -> None:
    """Masks with their density, whole rows told from scattered weights."""
    seen = kernel.seen("""
        import torch.nn.utils.prune as prune
        net = nn.Sequential(nn.Linear(8, 10), nn.Linear(10, 4))
        prune.random_unstructured(net[0], "weight", amount=0.5)
        prune.ln_structured(net[1], "weight", amount=0.5, n=2, dim=0)
        net[1].bias.requires_grad_(False)
        net(x)
    """)
    scattered, rows = seen.models[0].pruned
    assert (scattered.name, scattered.kind, scattered.density, scattered.structured) == ("0", "Linear", 0.5, False)
    assert (rows.density, rows.structured, rows.rows, rows.rows_kept) == (0.5, True, 4, 2)
    assert seen.models[0].trainable == seen.models[0].parameters - 4


def test_scheduler_scaler_closure(kernel: Kernel) -> None:
    """Bad epochs of a ReduceLROnPlateau, a GradScaler's steps, and a closure."""
    seen = kernel.seen("""
        plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=20)
        scaler = torch.amp.GradScaler("cpu")
        for i in range(3):
            optimizer.zero_grad()
            scaler.scale(criterion(model(x), y)).backward()
            scaler.step(optimizer)
            scaler.update()
            plateau.step(1.0)
        lbfgs = torch.optim.LBFGS(model.parameters(), max_iter=2)
        def closure():
            lbfgs.zero_grad()
            loss = criterion(model(x), y)
            loss.backward()
            return loss
        lbfgs.step(closure)
    """)
    sgd, lbfgs = seen.optimizers
    assert (sgd.bad_epochs, sgd.scaler, sgd.closure) == (2, True, False)
    assert (lbfgs.bad_epochs, lbfgs.scaler, lbfgs.closure) == (None, False, True)


def test_workers_of_a_loader(kernel: Kernel) -> None:
    """The first batch's wait holds the start of the workers."""
    (loader,) = kernel.seen("""
        workers = DataLoader(TensorDataset(x, y), batch_size=16, num_workers=1)
        for epoch in range(2):
            for bx, by in workers:
                pass
    """).loaders
    assert (loader.num_workers, loader.persistent_workers, loader.epochs, loader.batches) == (1, False, 2, 32)
    assert loader.first_wait_s > 3 * loader.wait_s
    (loader,) = kernel.seen("""
        workers = DataLoader(TensorDataset(x, y), batch_size=16, num_workers=1, persistent_workers=True)
        for epoch in range(2):
            for bx, by in workers:
                pass
        del workers, bx, by
    """).loaders
    assert (loader.persistent_workers, loader.epochs, loader.batches) == (True, 2, 32)


def test_a_loader_goes_on_in_the_next_cell(kernel: Kernel) -> None:
    """An iterator that outlives its cell is still its loader's."""
    kernel.seen("iterator = iter(train)\nbatch = next(iterator)")
    (loader,) = kernel.seen("rest = list(iterator)").loaders
    assert (loader.name, loader.batches, loader.epochs) == ("train", 7, 1)


def test_keyword_arguments_only(kernel: Kernel) -> None:
    """As transformers' models are called."""
    (forwards,) = kernel.seen("""
        class Keyed(nn.Module):
            def __init__(self):
                super().__init__()
                self.inner = nn.Linear(8, 2)
            def forward(self, *, features, mask=None):
                return self.inner(features)
        Keyed()(features=x)
    """).forwards
    assert forwards.batch is not None
    assert forwards.batch.shape == (256, 8)


def test_transforms_of_a_data_set_are_no_models(kernel: Kernel) -> None:
    """Modules that a loader calls for each sample neither count as models nor use up the looks at real ones."""
    seen = kernel.seen("""
        class Images(Dataset):
            transform = nn.Sequential(nn.Linear(8, 8))
            def __len__(self): return 64
            def __getitem__(self, at): return self.transform(x[at]).detach(), y[at]
        images = DataLoader(Images(), batch_size=8)
        for bx, by in images:
            step(bx, by)
    """)
    assert [it.name for it in seen.models] == ["model"]
    assert (seen.loaders[0].in_memory, seen.loaders[0].length) == (False, 64)


def test_a_loop_on_another_thread(kernel: Kernel) -> None:
    """Is seen like any other, and two at a time are kept apart."""
    seen = kernel.seen("""
        import threading
        def work(net, sgd, loader):
            for epoch in range(5):
                for bx, by in loader:
                    sgd.zero_grad()
                    criterion(net(bx), by).backward()
                    sgd.step()
        nets = [nn.Sequential(nn.Linear(8, 2)), nn.Sequential(nn.Linear(8, 4), nn.Linear(4, 2))]
        sgds = [torch.optim.SGD(net.parameters(), lr=0.1) for net in nets]
        loaders = [DataLoader(TensorDataset(x, y), batch_size=size) for size in (16, 32)]
        threads = [threading.Thread(target=work, args=it) for it in zip(nets, sgds, loaders)]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
    """)
    assert sorted(it.steps for it in seen.optimizers) == [40, 80]
    models = {it.id: len(it.layers) and it.layers["Linear"] for it in seen.models}
    by_steps = {it.steps: it for it in seen.optimizers}
    assert models[by_steps[80].model] == 1
    assert models[by_steps[40].model] == 2
    assert {steps: seen.loader(it.loader).batch_size for steps, it in by_steps.items()} == {80: 16, 40: 32}


def test_a_long_loop_without_steps_or_batches_is_looked_at_again(kernel: Kernel) -> None:
    """A thread that sleeps does; it is gone when the cell is."""
    (forwards,) = kernel.seen("""
        import time
        count, until = 0, time.perf_counter() + 1.0
        with torch.no_grad():
            while time.perf_counter() < until:
                model(x[:8])
                count += 1
    """).forwards
    assert forwards.calls > FIRST_CALLS
    assert 0.25 <= forwards.seconds <= 1.1
    assert 0.1 * kernel.namespace["count"] < forwards.calls_estimated < 3 * kernel.namespace["count"]
    import threading

    assert not [it for it in threading.enumerate() if it.name.startswith("greennb")]


def test_memory_is_bounded_over_very_many_steps(kernel: Kernel) -> None:
    """2 * 10^5 steps and batches add nothing to what 10^4 have taken."""
    kernel.namespace["steps"] = 0
    seen = kernel.seen("""
        import gc, tracemalloc
        class Endless(IterableDataset):
            def __iter__(self):
                while True: yield 0
        p = nn.Parameter(torch.zeros(1))
        class Nothing(torch.optim.Optimizer):
            def __init__(self, params): super().__init__(params, {})
            def step(self, closure=None): return None
        nothing = Nothing([p])
        endless = iter(DataLoader(Endless(), batch_size=None))
        def work(steps):
            for i in range(steps):
                next(endless)
                nothing.step()
        work(10_000)
        tracemalloc.start()
        work(100)
        gc.collect()
        before = tracemalloc.get_traced_memory()[0]
        work(200_000)
        gc.collect()
        grown = tracemalloc.get_traced_memory()[0] - before
        tracemalloc.stop()
    """)
    assert seen.optimizers[0].steps == 210_100
    assert (seen.optimizers[0].builtin, seen.loaders[0].batches) == (False, 210_100)
    assert kernel.namespace["grown"] < 4096
