"""Profiles of a few training steps, on request: with PyTorch's real profiler, on the CPU."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("torch")
sys.path.insert(0, str(Path(__file__).parents[2] / "advisor"))

import torch
from torch_kernel import Kernel

from greennb.advisor.observe.torch.observer import TorchObserver
from greennb.advisor.observe.torch.sums import summed
from greennb.advisor.signals.torch import Profiled

LOOP = "for i in range({}): step(x, y)"

CONVOLUTIONS = """
net = nn.Sequential(nn.Conv2d(3, 16, 3), nn.ReLU(), nn.Conv2d(16, 16, 3), nn.Flatten(), nn.LazyLinear(2))
data = torch.randn(8, 3, 32, 32)
net(data)
"""

ATTENTION = """
class ByHand(nn.Module):
    def __init__(self):
        super().__init__()
        self.q, self.k, self.out = nn.Linear(8, 8), nn.Linear(8, 8), nn.Linear(8, 2)
    def forward(self, x):
        weights = torch.softmax(self.q(x) @ self.k(x).transpose(-2, -1), dim=-1)
        return self.out(weights @ x).mean(1)
net = ByHand()
data = torch.randn(4, 256, 8)
"""

TRAIN = """
own = torch.optim.SGD(net.parameters(), lr=0.01)
for i in range(8):
    own.zero_grad()
    net(data).pow(2).mean().backward()
    own.step()
"""


@pytest.fixture
def kernel() -> Iterator[Kernel]:
    made = Kernel()
    yield made
    made.observer.remove()
    assert_nothing_is_left()


def assert_nothing_is_left() -> None:
    module = torch.autograd.profiler
    assert not torch.autograd._profiler_enabled()
    assert not module._is_profiler_enabled
    assert module._prepare_profiler is torch.autograd._prepare_profiler
    assert module._enable_profiler is torch.autograd._enable_profiler


def asked(kernel: Kernel, steps: int = 4) -> list[str]:
    """Ask for a profile; what is said of it later."""
    said: list[str] = []
    kernel.observer.profile_next(steps, said.append)
    return said


def profile_of(kernel: Kernel, source: str, steps: int = 4) -> Profiled:
    said = asked(kernel, steps)
    profiled = kernel.seen(source).profiled
    assert profiled is not None, said
    assert said == []
    return profiled


def test_only_when_asked_and_once(kernel: Kernel) -> None:
    """A cell that doesn't train leaves the wish for one that does."""
    assert kernel.seen(LOOP.format(10)).profiled is None
    asked(kernel, 3)
    kernel.run("a = x @ x.T")
    assert kernel.seen(LOOP.format(2)).profiled is None
    profiled = kernel.seen(LOOP.format(10)).profiled
    assert profiled is not None
    assert profiled.steps == 3
    assert 0 < profiled.matmul_s < profiled.total_s
    assert (profiled.conv_s, profiled.kernels, profiled.tensor_core_s) == (0.0, 0, None)
    assert kernel.seen(LOOP.format(10)).profiled is None


def test_a_convolutional_network_convolves(kernel: Kernel) -> None:
    kernel.run(CONVOLUTIONS)
    profiled = profile_of(kernel, TRAIN)
    assert profiled.conv_s > 0.4 * profiled.total_s
    assert profiled.conv_s > 5 * profiled.matmul_s
    assert profiled.softmax_bmm_s == 0.0


def test_attention_by_hand_is_softmax_and_batched_products(kernel: Kernel) -> None:
    kernel.run(ATTENTION)
    profiled = profile_of(kernel, TRAIN)
    assert profiled.softmax_bmm_s > 0.4 * profiled.total_s
    assert profiled.conv_s == 0.0
    assert profiled.matmul_s < profiled.total_s


def test_weights_are_those_without_a_profile(kernel: Kernel) -> None:
    weights = []
    for wanted in (False, True):
        if wanted:
            asked(kernel)
        seen = kernel.seen("torch.manual_seed(1)" + CONVOLUTIONS + TRAIN)
        assert (seen.profiled is not None) is wanted
        weights.append([it.clone() for it in kernel.namespace["net"].parameters()])
    assert all(it.isfinite().all() for it in weights[0])
    assert all(torch.equal(one, other) for one, other in zip(*weights, strict=True))


def test_two_optimizers_are_not_two_steps(kernel: Kernel) -> None:
    kernel.run("other = torch.optim.SGD([nn.Parameter(torch.zeros(2))], lr=0.1)")
    assert profile_of(kernel, "for i in range(10):\n    step(x, y)\n    other.step()").steps == 4


@pytest.mark.parametrize("ends", ["", "\n1 / 0", "\nraise KeyboardInterrupt"])
def test_a_cell_that_ends_in_the_middle(kernel: Kernel, ends: str) -> None:
    """Nothing of the profiler is left, and nothing is told of a part of the steps."""
    said = asked(kernel)
    try:
        assert kernel.seen(LOOP.format(4) + ends).profiled is None
    except (ZeroDivisionError, KeyboardInterrupt):
        assert ends
    assert_nothing_is_left()
    (sentence,) = said
    assert sentence == "No steps were profiled: the cell ended after 2 of the 4 steps that were to be profiled."
    assert kernel.seen(LOOP.format(10)).profiled is None


@pytest.mark.parametrize(
    "user",
    [
        "with profiler.profile() as own:\n    for i in range(10): step(x, y)",
        "with profiler.profile(schedule=profiler.schedule(wait=2, warmup=1, active=2, repeat=1)) as own: train(own)",
        "with profiler.profile(schedule=profiler.schedule(wait=1, warmup=4, active=2, repeat=1)) as own: train(own)",
        "for i in range(4): step(x, y)\nwith torch.autograd.profiler.profile() as own:\n    step(x, y)",
    ],
    ids=["around", "a schedule", "prepared", "in the middle"],
)
def test_the_users_own_profiler_comes_first(kernel: Kernel, user: str) -> None:
    """Theirs sees what it would see without ours."""
    kernel.run("""
        from torch import profiler
        def train(own):
            for i in range(10):
                step(x, y)
                own.step()
    """)
    kernel.run(user)
    alone = {it.key: it.count for it in kernel.namespace["own"].key_averages()}
    said = asked(kernel)
    assert kernel.seen(user).profiled is None
    assert {it.key: it.count for it in kernel.namespace["own"].key_averages()} == alone
    (sentence,) = said
    assert "profiler" in sentence
    assert_nothing_is_left()


def test_a_failure_turns_off_the_profiler_and_nothing_else(kernel: Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_args: Any, **_kwargs: Any) -> None:
        raise RuntimeError("no kineto here")

    monkeypatch.setattr(torch.autograd.profiler, "profile", broken)
    said = asked(kernel)
    seen = kernel.seen(LOOP.format(10))
    assert seen.profiled is None
    assert seen.optimizers[0].steps == 10
    assert said == ["No steps were profiled: PyTorch's profiler could not be used (RuntimeError: no kineto here)."]
    assert "no kineto" in kernel.observer.profiling.off


def test_another_threads_steps_are_left_alone(kernel: Kernel) -> None:
    """A profiler is the thread's that started it; it could not be stopped when the cell ends."""
    asked(kernel)
    seen = kernel.run(
        f"import threading\ndef go():\n    {LOOP.format(10)}\nt = threading.Thread(target=go)\nt.start()\nt.join()"
    )
    assert seen is not None
    assert seen.profiled is None


def test_a_wish_before_pytorch_is_there_waits() -> None:
    observer = TorchObserver()
    observer.profile_next(4)
    assert observer.profiling.begin(torch) is observer.profiling


def test_a_cards_time_counts_where_it_worked() -> None:
    """Events made by hand, named as kineto names them: not seen on a card."""

    def event(key: str, device: str, count: int, cpu: float, card: float) -> SimpleNamespace:
        return SimpleNamespace(
            key=key,
            count=count,
            device_type=f"DeviceType.{device}",
            self_cpu_time_total=cpu,
            self_device_time_total=card,
        )

    profiled = summed(
        [
            event("aten::mm", "CPU", 8, 900.0, 600.0),
            event("aten::convolution_backward", "CPU", 8, 100.0, 50.0),
            event("aten::copy_", "CPU", 4, 50.0, 250.0),
            event("Optimizer.step#SGD.step", "CUDA", 4, 0.0, 999.0),
            event("sm80_xmma_gemm_f16f16_tensor16x8x16", "CUDA", 8, 0.0, 600.0),
            event("implicit_convolve_sgemm", "CUDA", 8, 0.0, 50.0),
            event("Memcpy HtoD (Pageable -> Device)", "CUDA", 4, 0.0, 250.0),
        ],
        4,
    )
    assert profiled == Profiled(
        steps=4, total_s=pytest.approx(9e-4), matmul_s=6e-4, conv_s=5e-5, copy_s=2.5e-4, kernels=16,
        kernel_s=pytest.approx(6.5e-4), tensor_core_s=6e-4,
    )  # fmt: skip
