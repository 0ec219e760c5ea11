"""A Dask cluster of several "hosts" on this machine: each worker has virtual sensors and a boot id of its own.

Workers are real processes in mount namespaces: the powercap tree and /proc/sys/kernel/random/boot_id that they see are
theirs alone (``tests/rig/with-rig``).
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
WITH_RIG = ROOT / "tests" / "rig" / "with-rig"

START_S = 60.0
"""Seconds that a process has to come up; TensorFlow's tests may share the machine."""


@dataclass(frozen=True, kw_only=True)
class Host:
    """A machine: what its package draws, in watts (a line of the rig's trace language), and its boot id."""

    name: str
    trace: str = "constant 40"

    @property
    def boot_id(self) -> str:
        """As the kernel writes one."""
        return f"{self.name:-<8.8}-0000-4000-8000-000000000000"


@dataclass
class Cluster:
    """A scheduler and the workers that were added."""

    folder: Path
    address: str
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def add(self, host: Host, *, name: str = "", python: Sequence[str] = ()) -> subprocess.Popen[bytes]:
        """Start a worker on ``host``; the process, which leads a group of its own."""
        config = self.folder / f"{host.name}.toml"
        config.write_text(f'[[zone]]\npath = "intel-rapl:0"\nname = "package-0"\ntrace = "{host.trace}"\n')
        boot = self.folder / f"{host.name}.boot_id"
        boot.write_text(f"{host.boot_id}\n")
        work = self.folder / f"worker-{len(self.workers)}"
        work.mkdir()
        run = [
            *(python or (sys.executable,)), "-m", "distributed.cli.dask_worker", self.address, "--nthreads", "1",
            "--no-nanny", "--no-dashboard", "--local-directory", str(work), "--name", name or f"w{len(self.workers)}",
            "--host", "127.0.0.1", "--memory-limit", "0",
        ]  # fmt: skip
        inside = f'mount --bind {boot} /proc/sys/kernel/random/boot_id && exec "$@"'
        command = [sys.executable, str(WITH_RIG), str(config), "--", "sh", "-c", inside, "sh", *run]
        # Hosts do not share a folder for temporary files: each meters for itself.
        own = self.folder / f"tmp-{host.name}"
        own.mkdir(exist_ok=True)
        environ = {**os.environ, "GREENNB_SOURCES": "rapl", "GREENNB_LEDGER": "off", "TMPDIR": str(own)}
        with (self.folder / f"worker-{len(self.workers)}.log").open("wb") as log:
            process = subprocess.Popen(command, env=environ, stdout=log, stderr=log, start_new_session=True)
        self.workers.append(process)
        return process

    def kill(self, process: subprocess.Popen[bytes]) -> None:
        """End a worker as the kernel's memory killer would, with all that runs in its namespace."""
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(timeout=10)


@contextmanager
def cluster(folder: Path) -> Iterator[Cluster]:
    """A scheduler on this machine, and whatever workers are added; all are gone at the end."""
    file = folder / "scheduler.json"
    command = [
        sys.executable, "-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard",
        "--dashboard-address", "127.0.0.1:0", "--scheduler-file", str(file),
    ]  # fmt: skip
    with (folder / "scheduler.log").open("wb") as log:
        scheduler = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True, cwd=folder)
    made: Cluster | None = None
    try:
        made = Cluster(folder, _address(file, scheduler))
        yield made
    finally:
        for process in [*(made.workers if made is not None else ()), scheduler]:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGTERM)
        for process in [*(made.workers if made is not None else ()), scheduler]:
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait(timeout=10)


def _address(file: Path, scheduler: subprocess.Popen[bytes]) -> str:
    end_s = time.monotonic() + START_S
    while time.monotonic() < end_s:
        try:
            return str(json.loads(file.read_text())["address"])
        except (OSError, ValueError):
            assert scheduler.poll() is None, (file.parent / "scheduler.log").read_text()
            time.sleep(0.05)
    raise AssertionError((file.parent / "scheduler.log").read_text())
