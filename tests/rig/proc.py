"""A machine's /proc and cgroups as files, and its estimate."""

from __future__ import annotations

from pathlib import Path

from greennb.settings import Settings
from greennb.sources.base import Modelled
from greennb.sources.busy import ProcStat
from greennb.sources.cpu_model import CpuModel
from greennb.sources.estimate import EstimateSource, Part, probe
from greennb.testing import FakeClock

SECOND = 1_000_000_000
MODEL = CpuModel(
    name="Test CPU", tdp_w=100.0, idle_low_w=5.0, idle_w=10.0, idle_high_w=20.0, max_low_w=45.0, max_w=90.0,
    max_high_w=180.0,
)  # fmt: skip


class Tree:
    """A machine's /proc and /sys/fs/cgroup below ``root``."""

    def __init__(self, root: Path, *, cpus: int = 4, name: str = "", sockets: int = 1, virtual: bool = False) -> None:
        self.root = root
        self.cpus = cpus
        flags = "fpu vme hypervisor lahf_lm" if virtual else "fpu vme lahf_lm"
        blocks = []
        for number in range(cpus):
            lines = [f"processor\t: {number}", f"physical id\t: {number * sockets // cpus}", f"flags\t\t: {flags}"]
            blocks.append("\n".join(lines + ([f"model name\t: {name}"] if name else [])))
        self.write("proc/cpuinfo", "\n\n".join(blocks) + "\n")
        self.stat()

    def write(self, path: str, text: str) -> None:
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)

    def stat(self, *ticks: int, idle: int = 1000, iowait: int = 7, steal: int = 9, guest: int = 3) -> None:
        """Busy ticks of each CPU, spread over user, nice, system, irq and softirq."""
        ticks = ticks or (0,) * self.cpus
        rows = [("cpu ", sum(ticks))] + [(f"cpu{number}", busy) for number, busy in enumerate(ticks)]
        lines = [
            f"{name} {busy - 4 * (busy // 5)} {busy // 5} {busy // 5} {idle} {iowait} {busy // 5} {busy // 5} {steal} "
            f"{guest} 0"
            for name, busy in rows
        ]
        self.write("proc/stat", "\n".join([*lines, "intr 12345 0 0", "ctxt 99"]) + "\n")

    def probe(self, clock: FakeClock, *, settings: Settings | None = None, affinity: range | None = None):
        cpus = frozenset(affinity if affinity is not None else range(self.cpus))
        return probe("host", settings or Settings(), root=self.root, affinity=cpus, clock=clock.monotonic_ns)


def source_of(found) -> EstimateSource:
    assert found.source is not None, found.reason
    return found.source


def sample(source: EstimateSource) -> Modelled:
    (answer,) = source.sample()
    assert isinstance(answer, Modelled), answer
    return answer


def watts_between(source: EstimateSource, clock: FakeClock, change, seconds: float = 1.0) -> Modelled:
    """Mean microjoules a second from now until ``change`` has happened, ``seconds`` later."""
    first = sample(source)
    clock.sleep(seconds)
    change()
    last = sample(source)
    return Modelled(*((b - a) / seconds for a, b in zip(first, last, strict=True)))


def source_on(tree: Tree, clock: FakeClock, model: CpuModel = MODEL) -> EstimateSource:
    part = Part(share=1.0, busy=ProcStat(tree.root / "proc/stat"))
    return EstimateSource(model, part, cpus=tree.cpus, host="host", clock=clock.monotonic_ns)
