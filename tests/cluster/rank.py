"""One rank of a training, as torchrun starts it: two windows on every rank, whose joules rank 0 writes down.

rank.py OUT.json [--die RANK]    that rank is killed after the first window
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path

import torch
import torch.distributed as dist
from torch import nn

import greennb


def main() -> None:
    out, dies = Path(sys.argv[1]), int(sys.argv[3]) if "--die" in sys.argv else None
    dist.init_process_group("gloo")
    torch.manual_seed(0)
    torch.set_num_threads(1)
    model = nn.parallel.DistributedDataParallel(nn.Sequential(nn.Linear(64, 256), nn.ReLU(), nn.Linear(256, 10)))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    told = []
    for number in range(2):
        dist.barrier()  # ranks that begin together can be compared
        began_s = time.monotonic()
        with greennb.measure(f"epoch {number}", group=True, group_timeout_s=60.0) as window:
            while time.monotonic() - began_s < 1.0:
                step(model, optimizer)
                if more(began_s) == 0:
                    break
        closed_s = time.monotonic()
        told.append({**window.result.to_dict(), "settled_s": closed_s - began_s - window.result.duration_s})
        if dist.get_rank() == 0:
            out.write_text(json.dumps(told))
        if dies is not None:
            if dist.get_rank() == dies:
                os.kill(os.getpid(), signal.SIGKILL)
            with greennb.measure("without it", group=True, group_timeout_s=3.0) as window:
                time.sleep(0.3)
            closed_s = time.monotonic()
            told.append({**window.result.to_dict(), "settled_s": closed_s - window.t1_ns / 1e9})
            if dist.get_rank() == 0:
                out.write_text(json.dumps(told))
            os._exit(0)  # the group can't be taken down in order any more
    dist.destroy_process_group()


def step(model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
    optimizer.zero_grad()
    loss = nn.functional.cross_entropy(model(torch.randn(32, 64)), torch.randint(0, 10, (32,)))
    loss.backward()
    optimizer.step()


def more(began_s: float) -> int:
    """Whether all ranks go on: rank 0 decides, so that none waits for a step that another does not take."""
    said = torch.tensor([int(time.monotonic() - began_s < 0.8)])
    dist.broadcast(said, 0)
    return int(said)


if __name__ == "__main__":
    main()
