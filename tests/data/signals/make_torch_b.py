"""Makes the recorded signals of PyTorch rules 214 to 232: ``python -m tests.data.signals.make_torch_b [CODE ...]``.

As ``make_torch_a``: cases run for real on one thread of a CPU, with the facts of a card, of a library that is not here,
or of a longer run put in by hand. None of it was seen there.
"""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from greennb.advisor.catalogue import catalogue
from greennb.advisor.signals.cell import CellContext
from greennb.advisor.signals.record import from_dict, to_dict
from tests.advisor.harness import CASES, ran
from tests.data.signals.make_torch_a import AMPERE, GIB, GPU, HERE, IDLE, Change, longer, pace

CPU = CASES / "torch"


def card(**facts: Any) -> Change:
    """Facts of the card's memory."""
    return lambda cell: _torch(cell, cuda=_each(_seen(cell).cuda, **facts))


def two_cards(cell: CellContext) -> CellContext:
    """A second card like the first."""
    (first,) = _seen(cell).cuda
    return _torch(cell, cuda=(first, dataclasses.replace(first, index=1)))


def model(**facts: Any) -> Change:
    """Facts of the model."""
    return lambda cell: _torch(cell, models=_each(_seen(cell).models, **facts))


def loader(**facts: Any) -> Change:
    """Facts of the loader."""
    return lambda cell: _torch(cell, loaders=_each(_seen(cell).loaders, **facts))


def trainer(half: bool) -> Change:
    """A Hugging Face Trainer, with or without 16 bits."""
    return lambda cell: _torch(cell, transformers=True, trainer_name="trainer", trainer_bf16=half)


FULL = card(total_b=16 * GIB, peak_b=int(15.6 * GIB), retries=40)
ROOMY = card(total_b=16 * GIB, peak_b=int(15.6 * GIB), retries=0)
BUSY, QUIET = "an A100 (93 % busy)", "an A100 (31 % busy)"
TEN = "steps and seconds were multiplied by 10"
PACE = "the step was written as 4 ms"
RETRIES = "15.6 of 16 GiB reserved and 40 allocations that had to empty the cache"
LOADED = GPU / "GNB203_fires.py"

MADE: list[tuple[str, Path, str, tuple[Change, ...]]] = [
    ("GNB214_fires", LOADED, f"{BUSY}; {RETRIES}", (AMPERE, FULL)),
    ("GNB214_silent", LOADED, f"{BUSY}; 15.6 of 16 GiB reserved, no retries", (AMPERE, ROOMY)),
    ("GNB214_silent_tiny", LOADED, f"{BUSY}; {RETRIES}; a batch of 2", (AMPERE, FULL, loader(batch_size=2))),
    ("GNB215_fires", LOADED, f"{BUSY}; {RETRIES}; a batch of 2", (AMPERE, FULL, loader(batch_size=2))),
    ("GNB215_silent", LOADED, f"{BUSY}; {RETRIES}", (AMPERE, FULL)),
    ("GNB220_fires", GPU / "GNB220_fires.py", f"{QUIET}; {TEN}; {PACE}", (IDLE, longer(10), pace)),
    ("GNB220_silent", GPU / "GNB220_silent.py", f"{QUIET}; {TEN}; {PACE}", (IDLE, longer(10), pace)),
    ("GNB220_silent_busy", GPU / "GNB220_fires.py", f"{BUSY}; {TEN}; {PACE}", (AMPERE, longer(10), pace)),
    ("GNB221_fires", GPU / "GNB221_fires.py", f"{QUIET}; {TEN}; {PACE}", (IDLE, longer(10), pace)),
    ("GNB221_silent", GPU / "GNB221_silent.py", f"{QUIET}; {TEN}; {PACE}", (IDLE, longer(10), pace)),
    ("GNB222_fires", GPU / "GNB222_fires.py", f"{BUSY}; {TEN}", (AMPERE, longer(10))),
    ("GNB222_silent", GPU / "GNB222_silent.py", f"{BUSY}; {TEN}", (AMPERE, longer(10))),
    ("GNB225_fires", GPU / "GNB222_silent.py", "two A100; nn.DataParallel around the model",
     (AMPERE, two_cards, model(wrapper="DataParallel"))),
    ("GNB225_silent", GPU / "GNB222_silent.py", "one A100; nn.DataParallel around the model",
     (AMPERE, model(wrapper="DataParallel"))),
    ("GNB229_fires", GPU / "GNB229_fires.py", f"{BUSY}; {TEN}", (AMPERE, longer(10))),
    ("GNB229_silent", GPU / "GNB229_silent.py", f"{BUSY}; {TEN}", (AMPERE, longer(10))),
    ("GNB230_fires", CPU / "GNB227_fires.py",
     "125 million parameters from a published checkpoint; steps and seconds were multiplied by 100",
     (longer(100), model(pretrained=True, parameters=125_000_000))),
    ("GNB230_silent", CPU / "GNB227_fires.py", "125 million parameters from a published checkpoint",
     (model(pretrained=True, parameters=125_000_000),)),
    ("GNB232_fires", LOADED, f"{BUSY}; {TEN}; a Hugging Face Trainer without bf16",
     (AMPERE, longer(10), trainer(False))),
    ("GNB232_silent", LOADED, f"{BUSY}; {TEN}; a Hugging Face Trainer with bf16", (AMPERE, longer(10), trainer(True))),
]  # fmt: skip
"""File, the case that was run, what was put in by hand, and how."""


def main(wanted: Iterable[str]) -> None:
    """Make all of them, or those of the codes that are ``wanted``; a case is run once for all that are made of it."""
    import torch

    torch.set_num_threads(1)
    runs: dict[Path, CellContext] = {}
    codes = set(wanted)
    for name, path, by_hand, changes in MADE:
        if codes and name.split("_")[0] not in codes:
            continue
        if path not in runs:
            runs[path] = _longest(path)
        cell = runs[path]
        for change in changes:
            cell = change(cell)
        made = (
            f"tests/{path.relative_to(HERE.parents[1])}, run for real on one thread of a CPU with PyTorch "
            f"{_seen(cell).version}; put in by hand: {by_hand}. Not seen so."
        )
        data = {"made": made, "cell": to_dict(cell)}
        (HERE / f"{name}.json").write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n")
        rule = catalogue().find(name.split("_")[0])
        print(name, "" if rule is None else [it.text for it in rule.check(from_dict(data["cell"]))])


def _longest(path: Path) -> CellContext:
    """The case's longest cell that used PyTorch, without what it cost here: that is this machine's."""
    cells = [cell for cell in ran(path).advisor.cells if cell.torch is not None and cell.torch.models]
    return dataclasses.replace(max(cells, key=lambda cell: cell.duration_s), measurement=None, past=())


def _seen(cell: CellContext) -> Any:
    assert cell.torch is not None
    return cell.torch


def _torch(cell: CellContext, **facts: Any) -> CellContext:
    return dataclasses.replace(cell, torch=dataclasses.replace(_seen(cell), **facts))


def _each(things: tuple[Any, ...], **facts: Any) -> tuple[Any, ...]:
    return tuple(dataclasses.replace(it, **facts) for it in things)


if __name__ == "__main__":
    main(sys.argv[1:])
