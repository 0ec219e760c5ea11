"""What the bridge to the page costs a kernel: CPU while a page watches, and each cell's path while a stream is open.

``python tests/bench/bridge.py`` prints the table; ``--json`` gives the numbers. The kernel has eight virtual GPUs (the
stub NVML library) and the CPU's estimate. Watched and not watched take turns in one kernel, so that the machine's noise
hits both.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1])]

from run import Row, table  # noqa: E402

from tests.kernel.page import ATTACH, Page  # noqa: E402
from tests.rig.nvml import Gpu, NvmlRig, build, can_build  # noqa: E402

GPUS = 8

CELLS = """
import json, statistics, time
ip = get_ipython()
def cell_us(n=150):
    spent = []
    for _ in range(n):
        began = time.perf_counter_ns()
        ip.run_cell("pass", store_history=False)
        spent.append(time.perf_counter_ns() - began)
    return statistics.median(spent) / 1e3
"""

HOOKS = """
from greennb.jupyter.session import Session
bridge = Session.start(ip).bridge
def hooks_us(n=2000):
    run = bridge.tally.runs[-1]
    spent = []
    for _ in range(n):
        began = time.perf_counter_ns()
        bridge.began(run)
        bridge.ended(run)
        spent.append(time.perf_counter_ns() - began)
        if len(spent) % 100 == 0: time.sleep(0.05)
    return statistics.median(spent) / 1e3
"""


@contextmanager
def watched_kernel() -> Iterator[Any]:
    """A kernel that sees the virtual GPUs, with greennb attached."""
    from jupyter_client.manager import KernelManager

    from tests.kernel.conftest import Kernel

    with tempfile.TemporaryDirectory() as folder:
        gpus = [Gpu(uuid=f"GPU-{n:08x}", sm_util=10 * n) for n in range(GPUS)]
        rig = NvmlRig(Path(folder), build(Path(folder)), gpus)
        manager = KernelManager(transport="ipc", ip=str(Path(folder) / "k"))
        manager.start_kernel(env=rig.environ(
            GREENNB_SOURCES="nvml,estimate", GREENNB_LEDGER=str(Path(folder) / "ledger.sqlite3"), IPYTHONDIR=folder
        ))  # fmt: skip
        client = manager.client()
        try:
            client.start_channels()
            client.wait_for_ready(timeout=60)
            kernel = Kernel(manager, client)
            kernel.run("", silent=True, store_history=False, user_expressions={"a": ATTACH})
            yield kernel
        finally:
            client.stop_channels()
            manager.shutdown_kernel(now=True)


def cpu_ns(pid: int) -> dict[str, int]:
    """CPU time of each thread of a process, in nanoseconds (Linux)."""
    spent = {}
    for thread in Path(f"/proc/{pid}/task").iterdir():
        spent[thread.name] = int((thread / "schedstat").read_text().split()[0])
    return spent


def share(pid: int, page: Page, seconds: float) -> float:
    """Part of a core that the process uses over ``seconds``, in percent; the page takes in what comes."""
    before, began = cpu_ns(pid), time.monotonic()
    page.listen(seconds)
    spent = sum(ns - before.get(thread, 0) for thread, ns in cpu_ns(pid).items())
    return 100 * spent / 1e9 / (time.monotonic() - began)


def watching(kernel: Any, rounds: int, seconds: float) -> list[Row]:
    """CPU of the kernel at 0, 2 and 10 Hz, in turns."""
    page = Page(kernel)
    pid = page.ask("hello")["pid"]
    found: dict[float, list[float]] = {0: [], 2: [], 10: []}
    messages = 0
    for _ in range(rounds):
        for hz in found:
            page.watch(hz)
            page.listen(2.5)
            page.streamed.clear()
            found[hz].append(share(pid, page, seconds))
            messages = len(page.streamed) if hz == 10 else messages
    page.watch(0)
    quiet = statistics.median(found[0])
    floor = f"{GPUS} GPUs and the CPU; not watched {quiet:.2f} %"
    rows = [
        Row(f"kernel's CPU while watched at {hz:g} Hz, over not watched",
            statistics.median(a - b for a, b in zip(found[hz], found[0], strict=True)), "%", target, floor)
        for hz, target in ((2, 0.3), (10, 1.5))
    ]  # fmt: skip
    rows.append(Row("messages a second at 10 Hz", messages / seconds, "/s", 4.0, "samples in batches"))
    page.send("comm_close", {"comm_id": page.stream, "data": {}})
    return rows


def cells(kernel: Any, rounds: int) -> list[Row]:
    """An empty cell with a stream open and without, in turns; and the hand-over alone."""
    kernel.run(CELLS + HOOKS)
    pairs = []
    for _ in range(rounds):
        without = kernel.value("cell_us()")
        page = Page(kernel)
        page.ask("hello")
        with_stream = kernel.value("cell_us()")
        page.send("comm_close", {"comm_id": page.stream, "data": {}})
        pairs.append((without, with_stream))
    page = Page(kernel)
    page.ask("hello")
    hooks_us = kernel.value("hooks_us()")
    page.send("comm_close", {"comm_id": page.stream, "data": {}})
    bare = statistics.median(a for a, _ in pairs)
    added = statistics.median(b - a for a, b in pairs)
    return [
        Row("began + ended on the cell's path, a stream open", hooks_us, "us", 10.0, "two hand-overs to the thread"),
        Row("an empty measured cell, added by an open stream", added, "us", 500.0,
            f"without {bare:.0f} us; two messages are made and sent meanwhile, under one interpreter lock"),
    ]  # fmt: skip


def main() -> int:
    """Measure and print; 1 where a target was missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=15.0, help="of each stretch")
    given = parser.parse_args()
    if not can_build():
        raise SystemExit("The virtual GPUs need a C compiler: install gcc.")
    with watched_kernel() as kernel:
        rows = [*watching(kernel, given.rounds, given.seconds), *cells(kernel, given.rounds)]
    print(json.dumps([asdict(row) for row in rows], indent=1) if given.json else table(rows))
    return 0 if all(row.met for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
