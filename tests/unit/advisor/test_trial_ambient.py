"""What surrounds a cell is put back, and what differs is named."""

from __future__ import annotations

import contextlib
import gc
import locale
import logging
import os
import random
import signal
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
import sklearn
import torch
from torch.optim.optimizer import register_optimizer_step_post_hook

from greennb.advisor.trial.ambient import Ambient

CHANGES: dict[str, Callable[[], object]] = {
    "the RNG of random": random.random,
    "the RNG of numpy": np.random.rand,
    "the RNG of torch": lambda: torch.rand(1),
    "the environment": lambda: os.environ.update(OF_A_TRIAL="1"),
    "the working directory": lambda: os.chdir("/"),
    "sys.path": lambda: sys.path.append("/nowhere"),
    "sys.argv": lambda: sys.argv.append("more"),
    "the recursion limit": lambda: sys.setrecursionlimit(sys.getrecursionlimit() + 1),
    "the filters of warnings": lambda: warnings.simplefilter("ignore"),
    "what happens on SIGINT": lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),
    "what happens on SIGALRM": lambda: signal.signal(signal.SIGALRM, signal.SIG_IGN),
    "whether the garbage collector is on": gc.disable,
    "when the garbage collector runs": lambda: gc.set_threshold(1, 2, 3),
    "the level of logging": lambda: logging.getLogger().setLevel(7),
    "the handlers of logging": lambda: logging.getLogger().addHandler(logging.NullHandler()),
    "what logging leaves out": lambda: logging.disable(3),
    "what numpy does on errors": lambda: np.seterr(all="raise"),
    "how numpy prints": lambda: np.set_printoptions(precision=2),
    "the settings of scikit-learn": lambda: sklearn.set_config(assume_finite=True),
    "the settings of matplotlib": lambda: mpl.rcParams.update({"lines.linewidth": 7}),
    "the open figures": plt.figure,
    "torch's gradients (on or off)": lambda: torch.set_grad_enabled(False),
    "torch's anomaly detection": lambda: torch.set_anomaly_enabled(True),
    "torch's autocast for cpu": lambda: torch.set_autocast_enabled("cpu", True),
    "torch's cache of autocast": lambda: torch.set_autocast_cache_enabled(False),
    "torch's number of threads": lambda: torch.set_num_threads(torch.get_num_threads() + 1),
    "torch's default dtype": lambda: torch.set_default_dtype(torch.float64),
    "torch's default device": lambda: torch.set_default_device("meta"),
    "torch's deterministic algorithms": lambda: torch.use_deterministic_algorithms(True),
    "torch's precision of float32 products": lambda: torch.set_float32_matmul_precision("medium"),
    "torch's float32 precision (mkldnn, matmul)": lambda: setattr(
        torch.backends.mkldnn.matmul, "fp32_precision", "bf16"
    ),
    "torch.backends.cudnn.benchmark": lambda: setattr(torch.backends.cudnn, "benchmark", True),
    "torch.backends.cudnn.deterministic": lambda: setattr(torch.backends.cudnn, "deterministic", True),
    "torch's attention kernels (flash)": lambda: torch.backends.cuda.enable_flash_sdp(False),
    "torch's hooks of all modules (forward_hooks)": lambda: torch.nn.modules.module.register_module_forward_hook(
        lambda *given: None
    ),
    "torch's hooks of all optimizers (_global_optimizer_post_hooks)": lambda: register_optimizer_step_post_hook(
        lambda *given: None
    ),
}


@pytest.fixture(autouse=True)
def everything_as_before() -> Iterator[None]:
    before = Ambient.now()
    yield
    before.restore()
    assert before.differences(Ambient.now()) == []


@pytest.mark.parametrize("words", CHANGES)
def test_every_part_is_named_and_put_back(words: str) -> None:
    before = Ambient.now()
    CHANGES[words]()
    assert words in before.differences(Ambient.now())
    before.restore()
    assert before.differences(Ambient.now()) == []


def test_nothing_changes_by_looking() -> None:
    before = Ambient.now()
    before.restore()
    assert before.differences(Ambient.now()) == []


def test_random_numbers_go_on_where_they_were() -> None:
    def numbers() -> tuple[float, float, float]:
        return random.random(), float(np.random.rand()), float(torch.rand(1))

    before = Ambient.random()
    expected = numbers(), numbers()
    before.restore()
    half = numbers(), Ambient.random()
    numbers()
    half[1].restore()
    assert (half[0], numbers()) == expected


def test_kept_restores_also_after_an_interrupt() -> None:
    def changes() -> None:
        os.environ["OF_A_TRIAL"] = "1"
        np.random.rand()
        raise KeyboardInterrupt

    before = Ambient.now()
    with pytest.raises(KeyboardInterrupt), before.kept():
        changes()
    assert before.differences(Ambient.now()) == []


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no interval timers here")
def test_an_interrupt_in_restoring_is_raised_after_its_end() -> None:
    """At random moments of a restore that has much to do; whatever is asked for again then finds it done."""

    def interrupt(*_given: object) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGALRM, interrupt)
    before = Ambient.now()
    chance = random.Random(0)
    interrupted = 0
    while interrupted < 20:
        np.random.rand()
        sys.path.append("/nowhere")
        torch.set_default_dtype(torch.float64)
        try:
            signal.setitimer(signal.ITIMER_REAL, chance.uniform(1e-6, 1e-3))
            before.restore()
            signal.setitimer(signal.ITIMER_REAL, 0)
        except KeyboardInterrupt:
            interrupted += 1
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
        with contextlib.suppress(KeyboardInterrupt):  # one may be on its way
            before.restore()
        assert before.differences(Ambient.now()) == []


def test_a_working_directory_that_is_gone_is_no_error(tmp_path: Path) -> None:
    before = Ambient.now()
    folder = tmp_path / "gone"
    folder.mkdir()
    os.chdir(folder)
    folder.rmdir()
    assert "the working directory" in before.differences(Ambient.now())
    before.restore()
    assert before.differences(Ambient.now()) == []


def test_the_locale_is_put_back() -> None:
    before = Ambient.now()
    with contextlib.suppress(locale.Error):
        locale.setlocale(locale.LC_ALL, "C.UTF-8")
    before.restore()
    assert before.differences(Ambient.now()) == []
