"""What counting a Dask cluster's joules costs: at a window's close, on its workers, and where hosts are added up.

    python tests/bench/cluster.py [--workers N] [--rounds N]

Each figure stands beside a floor of the same run: a bare ``client.run`` of nothing on the same workers, a worker
without the plugin. Targets are those of docs/cluster.md.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import distributed  # noqa: E402  # found through the line above

from greennb.cluster.agent import Answer, Identity  # noqa: E402
from greennb.cluster.dask import Dask  # noqa: E402
from greennb.cluster.merge import merged  # noqa: E402
from greennb.meter.past import Stretch  # noqa: E402
from greennb.model.measurement import DomainEnergy  # noqa: E402
from greennb.model.reading import Domain, DomainKind, Method  # noqa: E402

HOSTS, GPUS = 1000, 8


def close(client: distributed.Client, dask: Dask, rounds: int) -> tuple[float, float]:
    """Median milliseconds of a bare broadcast to all workers, and of a window's close, by turns."""
    bare_ms, close_ms = [], []
    for _ in range(rounds):
        t0_ns = time.monotonic_ns()
        time.sleep(0.05)
        began = time.perf_counter()
        client.run(_nothing)
        between = time.perf_counter()
        dask.between(t0_ns, time.monotonic_ns(), ())
        ended = time.perf_counter()
        bare_ms.append(1e3 * (between - began))
        close_ms.append(1e3 * (ended - between))
    return statistics.median(bare_ms), statistics.median(close_ms)


def _nothing() -> None:
    return None


def cpu_s(client: distributed.Client) -> dict[str, float]:
    """CPU seconds of each worker's process."""
    found: dict[str, float] = client.run(time.process_time)
    return found


def idle_share(client: distributed.Client, seconds: float) -> float:
    """Share of a core that a worker takes with nothing to do, the mean over workers."""
    before = cpu_s(client)
    time.sleep(seconds)
    after = cpu_s(client)
    return statistics.fmean((after[at] - before[at]) / seconds for at in before)


def merge_s(hosts: int) -> float:
    """Seconds to add up so many hosts of ``GPUS`` boards, two packages and their memory."""
    answers = [_answer(number) for number in range(hosts)]
    began = time.perf_counter()
    found = merged(answers, here="here", host="here")
    took_s = time.perf_counter() - began
    assert len(found.energies) == hosts * (GPUS + 4)
    return took_s


def _answer(number: int) -> Answer:
    boot = f"{number:08d}-0000-4000-8000-000000000000"
    kinds = [(DomainKind.GPU, GPUS), (DomainKind.CPU_PACKAGE, 2), (DomainKind.DRAM, 2)]
    energies = tuple(
        DomainEnergy(
            domain=Domain(kind=kind, host=f"node{number}", device=f"{kind}{n}", label=f"{kind} {n}"), gross_j=100.0,
            idle_j=None, process_j=None, u_j=1.0, low_j=98.0, high_j=102.0, method=Method.COUNTER, coverage=1.0,
        )
        for kind, count in kinds
        for n in range(count)
    )  # fmt: skip
    identity = Identity(
        host=f"node{number}", boot_id=boot, devices=frozenset(), version="", metering=True
    )  # fmt: skip
    stretch = Stretch(t0_ns=0, t1_ns=10**9, energies=energies, faults=())
    return Answer(identity=identity, stretch=stretch)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--idle", type=float, default=20.0, help="seconds for which idle workers are watched")
    given = parser.parse_args()
    with (
        distributed.LocalCluster(n_workers=given.workers, threads_per_worker=1, dashboard_address=None) as made,
        distributed.Client(made, set_as_default=False) as client,
    ):
        without = idle_share(client, given.idle)
        dask = Dask(client=client, host="here")
        began = time.perf_counter()
        dask.begin()
        begin_s = time.perf_counter() - began
        bare_ms, close_ms = close(client, dask, given.rounds)
        with_it = idle_share(client, given.idle)
    print("| what | floor | with greennb | more | target |")
    print("|---|--:|--:|--:|--:|")
    print(f"| %energy_cluster on, {given.workers} workers | | {begin_s:.2f} s | | |")
    print(f"| close of a window, {given.workers} workers | {bare_ms:.1f} ms | {close_ms:.1f} ms "
          f"| {close_ms - bare_ms:.1f} ms | 15 ms |")  # fmt: skip
    # One worker of the host meters: its share is the others' difference times their number.
    more = (with_it - without) * given.workers
    print(
        f"| metering, the worker that does it | {without:.2%} of a core | {without + more:.2%} | {more:.2%} | 0.3 % |"
    )
    print(f"| adding up {HOSTS:,} hosts of {GPUS + 4} domains | | {merge_s(HOSTS):.2f} s | | 1 s |")


if __name__ == "__main__":
    main()
