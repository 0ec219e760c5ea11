"""What greennb itself costs. ``make bench`` prints the table; ``--json`` gives the numbers.

Each row is a ratio or a difference against a floor taken in the same run, as a median: the machine may be shared
and noisy, both sides of a row are then noisy together.
"""

from __future__ import annotations

import argparse
import atexit
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
RIG = HERE.parent / "rig"
sys.path.insert(0, str(RIG.parent))


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    what: str
    value: float
    unit: str
    target: float
    floor: str

    @property
    def met(self) -> bool:
        """Whether the target was met in this run."""
        return self.value <= self.target


def median_us(call: Callable[[], object], times: int = 4000) -> float:
    """Median of ``times`` calls, in microseconds."""
    spent = []
    for _ in range(times):
        began = time.perf_counter_ns()
        call()
        spent.append(time.perf_counter_ns() - began)
    return statistics.median(spent) / 1e3


def interleaved_us(a: Callable[[], object], b: Callable[[], object], rounds: int = 8) -> tuple[float, float]:
    """Medians of ``a`` and ``b``, taken in turns so that drift of the machine hits both."""
    pairs = [(median_us(a, 500), median_us(b, 500)) for _ in range(rounds)]
    return statistics.median(a for a, _ in pairs), statistics.median(b for _, b in pairs)


def open_close(sensor: str) -> Row:
    """Open and close a window on one counter domain, against the reads that it makes. In this process."""
    from greennb.meter.meter import Meter

    source, bare_read = {"rapl": _rapl, "nvml": _nvml}[sensor]()
    # No framework is imported here, so there is no device to wait for.
    meter = Meter([source])

    def bare() -> None:
        bare_read()
        bare_read()

    def window() -> None:
        meter.open("bench").close()

    floor_us, ours_us = interleaved_us(bare, window)
    return Row(f"open + close, one {sensor} counter", ours_us / floor_us, "x", 3.0,
               f"two bare reads {floor_us:.1f} us, ours {ours_us:.1f} us")  # fmt: skip


def _rapl():  # type: ignore[no-untyped-def]
    from rig.powercap import Tree

    from greennb.sources.rapl import probe

    folder = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder)
    Tree(folder).zone("intel-rapl:0", "package-0", 10_000_000, limits_uw=(125_000_000,))
    source = probe(str(folder), "bench").source
    fd = os.open(next(folder.rglob("energy_uj")), os.O_RDONLY)
    return source, lambda: int(os.pread(fd, 32, 0))


def _nvml():  # type: ignore[no-untyped-def]
    import pynvml

    from greennb.sources.nvml import probe

    source = probe("bench").source
    handle = pynvml.nvmlDeviceGetHandleByIndex(0)
    return source, lambda: pynvml.nvmlDeviceGetTotalEnergyConsumption(handle)


def open_close_nvml() -> Row:
    """The same on NVML: the real card where there is one, else the stub library below the unmodified pynvml."""
    from rig.nvml import Gpu, NvmlRig, build, can_build

    if not can_build():
        raise SystemExit("The NVML row needs a C compiler for the stub library: install gcc.")
    with tempfile.TemporaryDirectory() as folder:
        rig = NvmlRig(Path(folder), build(Path(folder)), [Gpu()])
        answer = subprocess.run(
            [sys.executable, __file__, "--only-nvml"], env=rig.environ(), capture_output=True, text=True, check=True
        )
    return Row(**json.loads(answer.stdout))


def import_cost() -> Row:
    """``import greennb`` over bare Python, each in a process of its own."""

    def spent(code: str) -> float:
        began = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True)
        return time.perf_counter() - began

    pairs = [(spent("pass"), spent("import greennb")) for _ in range(15)]
    bare_ms = statistics.median(a for a, _ in pairs) * 1e3
    extra_ms = statistics.median(b - a for a, b in pairs) * 1e3
    return Row("import greennb, over bare Python", extra_ms, "ms", 25.0, f"bare Python {bare_ms:.0f} ms")


IN_KERNEL = """
import gc, json, statistics, time, psutil, os
ip = get_ipython()
process = psutil.Process()
gc.collect(); rss = process.memory_info().rss
began = time.perf_counter()
ip.extension_manager.load_extension("greennb")
ready_ms = (time.perf_counter() - began) * 1e3
from greennb.jupyter.session import Session
session = Session.start(ip)
meter = session.runtime.meter
def cell(): ip.run_cell("pass", store_history=False)
def median_us(call, n=100):
    spent = []
    for _ in range(n):
        a = time.perf_counter_ns(); call(); spent.append(time.perf_counter_ns() - a)
    return statistics.median(spent) / 1e3
tiny = {"text/plain": "x"}
def display_tiny(result): session.publish(tiny)
def with_display():
    ip.events.register("post_run_cell", display_tiny)
    value = median_us(cell)
    ip.events.unregister("post_run_cell", display_tiny)
    return value
def with_auto(on, quiet):
    session.config.auto, session.config.quiet = on, quiet
    value = median_us(cell)
    session.config.auto = False
    return value
with_auto(True, False)
gc.collect(); grown_mib = (process.memory_info().rss - rss) / 2**20
rounds = [(with_auto(False, False), with_auto(True, True), with_auto(True, False), with_display()) for _ in range(9)]
reads_us = median_us(lambda: (meter._raw_look(), meter._raw_look()), 1000)
off = statistics.median(r[0] for r in rounds)
quiet = statistics.median(r[1] - r[0] for r in rounds)
shown = statistics.median(r[2] - r[0] for r in rounds)
display = statistics.median(r[3] - r[0] for r in rounds)
time.sleep(3)
import threading
native = len(os.listdir("/proc/self/task")) if os.path.isdir("/proc/self/task") else threading.active_count()
answer = dict(ready_ms=ready_ms, off=off, quiet=quiet, shown=shown, display=display, reads=reads_us,
              grown_mib=grown_mib, sampler=meter.sampler.alive, sources=[s.name for s in meter.sources])
"""


def in_kernel() -> list[Row]:
    """What a real ipykernel pays: loading, auto mode, memory, threads."""
    from jupyter_client.manager import KernelManager

    answers = []
    for _ in range(5):
        with tempfile.TemporaryDirectory() as folder:
            manager = KernelManager(transport="ipc", ip=str(Path(folder) / "k"))
            # As it is installed: compiled once, not at every start.
            environ = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
            manager.start_kernel(env={**environ, "GREENNB_LEDGER": str(Path(folder) / "ledger.sqlite3")})
            client = manager.client()
            try:
                client.start_channels()
                client.wait_for_ready(timeout=60)
                reply = client.execute_interactive(
                    IN_KERNEL, user_expressions={"a": "__import__('json').dumps(answer)"}, timeout=300,
                    output_hook=lambda _message: None,
                )["content"]  # fmt: skip
            finally:
                client.stop_channels()
                manager.shutdown_kernel(now=True)
        if reply["status"] != "ok":
            raise SystemExit("\n".join(reply["traceback"]))
        answers.append(json.loads(eval(reply["user_expressions"]["a"]["data"]["text/plain"])))

    def median(name: str) -> float:
        return statistics.median(answer[name] for answer in answers)

    reads = f"two looks at {', '.join(answers[0]['sources'])}: {median('reads'):.0f} us"
    tiny = f"displaying one character costs {median('display'):.0f} us in this kernel"
    line = median("shown") - median("reads") - median("display")
    bare = f"empty cell {median('off'):.0f} us; {reads}"
    return [
        Row("%load_ext greennb to ready", median("ready_ms"), "ms", 60.0, "in a kernel that is already running"),
        Row("auto mode, nothing shown (-q), beyond the reads", median("quiet") - median("reads"), "us", 150.0, bare),
        Row("auto mode, a line a cell, beyond reads and a display", line, "us", 150.0, tiny),
        Row("resident memory grown", median("grown_mib"), "MiB", 12.0, "from before %load_ext to after 100 cells"),
        Row("sampler threads 3 s after the last cell", max(a["sampler"] for a in answers) + 0.0, "", 0.0, "none"),
    ]  # fmt: skip


def table(rows: list[Row]) -> str:
    """The rows as text."""
    lines = [f"{platform.machine()}, {os.cpu_count()} CPUs, Python {platform.python_version()}, {platform.system()}"]
    for row in rows:
        verdict = "met" if row.met else "MISSED"
        lines.append(f"{row.what:<54} {row.value:>8.2f} {row.unit:<4} (<= {row.target:g})  {verdict:<7} {row.floor}")
    return "\n".join(lines)


def main() -> int:
    """Measure and print; 1 where a target was missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--only-nvml", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.only_nvml:
        print(json.dumps(asdict(open_close("nvml"))))
        return 0
    rows = [open_close("rapl"), open_close_nvml(), import_cost(), *in_kernel()]
    print(json.dumps([asdict(row) for row in rows], indent=1) if given.json else table(rows))
    return 0 if all(row.met for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
