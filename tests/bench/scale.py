"""What a window's close costs on 10 to 10,000 hosts: messages, bytes and seconds. Writes the table of docs/scale.md.

    python tests/bench/scale.py [--workers N]

Measured here: what a host's answer weighs, what packing, unpacking and adding up N of them takes, and what a broadcast
through a real Dask scheduler takes for 1 to ``--workers`` workers. From the broadcasts comes a time a worker (least
squares), with which the seconds for more hosts than that are worked out: those rows are extrapolated, and marked.
"""

from __future__ import annotations

import argparse
import pickle
import statistics
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
sys.path.insert(0, str(Path(__file__).parent))

import distributed  # noqa: E402  # found through the lines above
from cluster import _answer  # noqa: E402

from greennb.cluster.clocks import Question  # noqa: E402
from greennb.cluster.merge import merged  # noqa: E402

HOSTS = (10, 100, 1000, 10_000)
QUESTION_B = len(pickle.dumps(("0123456789abcdef", Question(t0_ns=2**62, t1_ns=2**62, sent_ns=2**62, trip_ns=2**30))))
"""Bytes of the question, without Dask's own envelope: the same for every host."""


def broadcasts(most: int) -> dict[int, float]:
    """Median seconds of a broadcast that returns a host's answer, by number of workers (in one process: no network)."""
    given = _answer(1)
    taken: dict[int, float] = {}
    counts = [count for count in (1, 4, 16, 64, 128) if count <= most]
    for count in counts:
        with (
            distributed.LocalCluster(
                n_workers=count, threads_per_worker=1, processes=False, dashboard_address=None, memory_limit=0
            ) as made,
            distributed.Client(made, set_as_default=False) as client,
        ):
            times = []
            for _ in range(10):
                began = time.perf_counter()
                client.run(lambda: given)
                times.append(time.perf_counter() - began)
            taken[count] = statistics.median(times)
    return taken


def by_worker(taken: dict[int, float]) -> tuple[float, float]:
    """Seconds of a broadcast: a fixed part, and one for each worker."""
    slope, fixed = statistics.linear_regression(list(taken), list(taken.values()))
    return max(0.0, fixed), slope


def row(hosts: int, fixed_s: float, worker_s: float, measured: int) -> str:
    """One line of the table."""
    began = time.perf_counter()
    packed = [pickle.dumps(_answer(number)) for number in range(hosts)]
    packing_s = time.perf_counter() - began
    began = time.perf_counter()
    answers = [pickle.loads(it) for it in packed]  # our own bytes
    unpacking_s = time.perf_counter() - began
    began = time.perf_counter()
    merged(answers, here="here", host="here")
    adding_s = time.perf_counter() - began
    sent_kb, got_kb = hosts * QUESTION_B / 1e3, sum(map(len, packed)) / 1e3
    whole_s = fixed_s + worker_s * hosts + unpacking_s + adding_s
    mark = "" if hosts <= measured else " (extrapolated)"
    cells = [
        f"{hosts:,}", f"{2 + 2 * hosts:,}", f"{sent_kb:,.0f} kB", f"{got_kb:,.0f} kB",
        f"{packing_s / hosts * 1e6:.0f} µs", f"{unpacking_s:.3f} s", f"{adding_s:.3f} s", f"{whole_s:.2f} s{mark}",
    ]  # fmt: skip
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", type=int, default=128, help="workers of the largest real broadcast")
    given = parser.parse_args()
    taken = broadcasts(given.workers)
    fixed_s, worker_s = by_worker(taken)
    told = ", ".join(f"{count}: {1e3 * seconds:.1f} ms" for count, seconds in taken.items())
    print(f"Broadcasts, by workers: {told}. That is {1e3 * fixed_s:.1f} ms and {1e6 * worker_s:.0f} µs a worker.")
    print()
    print("| hosts | messages | sent | received | a host packs | unpacking | adding up | close of a window |")
    print("|--:|--:|--:|--:|--:|--:|--:|--:|")
    for hosts in HOSTS:
        print(row(hosts, fixed_s, worker_s, max(taken)))


if __name__ == "__main__":
    main()
