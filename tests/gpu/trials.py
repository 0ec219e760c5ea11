"""Trials on the NVIDIA card of this machine, in its joules, as a part of ``docs/trials.md``.

    python tests/gpu/trials.py                          print it
    python tests/gpu/trials.py --write docs/trials.md   put it between the page's two marks
    python tests/gpu/trials.py --device cpu             the same cells on the processor, to see that all of it runs

Each trial has a long A/B of the same change beside it, which knows nothing of trials (``tests/bench/independent.py``).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
for folder in (ROOT, ROOT / "tests" / "bench"):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))

from independent import Answer, Work, a_b  # noqa: E402  # the tests' folders are no installed package
from trial_table import HEAD, told, tried  # noqa: E402

from greennb import __version__  # noqa: E402
from greennb.model.finding import Trial  # noqa: E402
from tests.gpu.card import find  # noqa: E402
from tests.gpu.report import write  # noqa: E402

BEGIN, END = "<!-- gpu-trials:begin -->", "<!-- gpu-trials:end -->"

CONVNET = """
import torch
from torch import nn
torch.manual_seed(0)
device = "{device}"
batch_size = {batch}
model = nn.Sequential(
    nn.Conv2d(3, 64, 3, padding=1), nn.ReLU(), nn.Conv2d(64, 128, 3, stride=2, padding=1), nn.ReLU(),
    nn.Conv2d(128, 128, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(128, 10),
).to(device)
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
x, y = torch.randn(4096, 3, 32, 32, device=device), torch.randint(0, 10, (4096,), device=device)
"""
MLP = """
import torch
from torch import nn
torch.manual_seed(0)
device = "{device}"
batch_size = {batch}
model = nn.Sequential(nn.Linear(784, {width}), nn.ReLU(), nn.Linear({width}, {width}), nn.ReLU(), nn.Linear({width}, 10)
).to(device)
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
x, y = torch.randn(16384, 784, device=device), torch.randint(0, 10, (16384,), device=device)
"""
LOOP = """
for step in range({steps}):
    start = (step * batch_size) % (len(x) - batch_size)
    bx, by = x[start : start + batch_size], y[start : start + batch_size]
    optimizer.zero_grad()
    loss = nn.functional.cross_entropy(model(bx), by)
    loss.backward()
    optimizer.step()
"""

Own = dict[str, Any]
"""A notebook's objects of the A/B's own."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """A change of a training loop. ``by_hand`` does one step of it, ``items`` says how many samples that has in both.

    Attributes:
        card: whether it makes sense on a card only. ``setup`` has ``device``, ``batch`` and ``width`` to fill in.
    """

    name: str
    code: str
    variant: str
    setup: str
    batch: int
    by_hand: Callable[[Own], Work]
    times: int = 1
    card: bool = False


def step(own: Own, *, size: int | None = None, dtype: Any = None, scaler: Any = None) -> Work:
    """One training step by hand."""
    import torch

    model, optimizer, x, y = own["model"], own["optimizer"], own["x"], own["y"]
    rows = size or own["batch_size"]
    bx, by = x[:rows], y[:rows]

    def run() -> None:
        optimizer.zero_grad()
        with nullcontext() if dtype is None else torch.autocast(own["device"], dtype=dtype):
            loss = torch.nn.functional.cross_entropy(model(bx), by)
        if scaler is None:
            loss.backward()
            optimizer.step()
            return
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()

    return run


def bf16(own: Own) -> Work:
    """Autocast in bfloat16."""
    import torch

    return step(own, dtype=torch.bfloat16)


def fp16(own: Own) -> Work:
    """Autocast in float16, gradients scaled."""
    import torch

    return step(own, dtype=torch.float16, scaler=torch.amp.GradScaler("cuda"))


def tf32(own: Own) -> Work:
    """Matrix products in TF32, and back to float32 after each step: the other way must not have it."""
    import torch

    plain = step(own)

    def run() -> None:
        torch.set_float32_matmul_precision("high")
        plain()
        torch.set_float32_matmul_precision("highest")

    return run


def compiled(own: Own) -> Work:
    """torch.compile."""
    import torch

    return step({**own, "model": torch.compile(own["model"])})


CASES = (
    Case(name="bf16 autocast, convnet", code="GNB206", variant="bf16 autocast", setup=CONVNET, batch=256, by_hand=bf16),
    Case(name="bf16 autocast, small MLP", code="GNB206", variant="bf16 autocast", setup=MLP, batch=64, by_hand=bf16),
    Case(name="fp16 autocast, convnet", code="GNB207", variant="fp16 autocast", setup=CONVNET, batch=256,
         by_hand=fp16, card=True),
    Case(name="TF32, wide MLP", code="GNB208", variant="TF32", setup=MLP.replace("{width}", "4096"), batch=1024,
         by_hand=tf32, card=True),
    Case(name="compile, convnet", code="GNB211", variant="compile", setup=CONVNET, batch=256, by_hand=compiled),
    Case(name="compile, small MLP", code="GNB211", variant="compile", setup=MLP, batch=64, by_hand=compiled),
    Case(name="batch x2, small MLP", code="GNB213", variant="batch x2", setup=MLP, batch=64,
         by_hand=lambda own: step(own, size=128), times=2),
    Case(name="batch x4, convnet", code="GNB213", variant="batch x4", setup=CONVNET, batch=64,
         by_hand=lambda own: step(own, size=256), times=4),
)  # fmt: skip


def cells(case: Case, device: str) -> list[str]:
    """The notebook: small enough for a processor where it is tried on one."""
    batch, width, steps = (case.batch, 512, 300) if device == "cuda" else (max(8, case.batch // 8), 128, 40)
    return [
        case.setup.replace("{device}", device).replace("{batch}", str(batch)).replace("{width}", str(width)),
        LOOP.replace("{steps}", str(steps)),
    ]


def trial(case: Case, device: str, budget_s: float) -> tuple[Trial, float]:
    """The trial of a case and its seconds."""
    return tried(cells(case, device), case.code, variant=case.variant, budget_s=budget_s)


def by_hand(case: Case, device: str, pairs: int) -> Answer:
    """The same change in a long A/B, a sample: on objects of its own."""
    one, other = _own(case, device), _own(case, device)
    answer = a_b(_waited(step(one), device), _waited(case.by_hand(other), device), pairs=pairs)
    return Answer(answer.ratio / case.times, answer.low / case.times, answer.high / case.times, answer.pairs)


def _own(case: Case, device: str) -> Own:
    own: Own = {}
    exec(cells(case, device)[0], own)
    return own


def _waited(work: Work, device: str) -> Work:
    """A step that the card has done when it returns: a block then ends with its work."""
    if device != "cuda":
        return work

    def run() -> None:
        import torch

        work()
        torch.cuda.synchronize()

    return run


def wanted(device: str) -> list[Case]:
    """The cases for a device."""
    return [case for case in CASES if device == "cuda" or not case.card]


def report(device: str, budget_s: float, pairs: int) -> Iterator[str]:
    """The page's part, line by line."""
    found = find()
    yield BEGIN
    yield "### On a card"
    yield ""
    if device == "cuda" and not isinstance(found, str):
        where = f"{found.title}, driver {found.driver}"
    else:
        where = "the processor, to see that all of it runs: no card"
    yield f"On {where}, {datetime.now(UTC).date().isoformat()}, greennb {__version__}, by `python tests/gpu/trials.py`:"
    yield ""
    yield HEAD
    for case in wanted(device):
        known, seconds = trial(case, device, budget_s)
        yield told(case.name, known, seconds, by_hand(case, device, pairs) if pairs else None)
    yield END


def main() -> int:
    """Try, and print or write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", type=Path, metavar="PAGE", help="put it into this Markdown page")
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--budget", type=float, default=30.0, help="seconds of each trial")
    parser.add_argument("--pairs", type=int, default=40, help="pairs of blocks of each A/B; 0 for none")
    given = parser.parse_args()
    found = find()
    if given.device == "cuda" and (isinstance(found, str) or found.is_stub):
        why = found if isinstance(found, str) else "the stub computes nothing"
        raise SystemExit(f"There is no NVIDIA card to try anything on ({why}); --device cpu shows that all of it runs.")
    lines = []
    for line in report(given.device, given.budget, given.pairs):
        lines.append(line)
        print(line, flush=True)
    if given.write is not None:
        write(given.write, "\n".join(lines) + "\n", (BEGIN, END))
    return 0


if __name__ == "__main__":
    sys.exit(main())
