"""Virtual NVIDIA boards: builds ``nvml_stub.c`` into a ``libnvidia-ml.so.1`` and writes the file that describes them.

The loader finds the library through ``LD_LIBRARY_PATH``, which it reads when a process starts: what is to see the
boards runs in a process of its own, with ``NvmlRig.environ()``. ``energy_mj`` is the truth, computed here anew from
the same description and sharing no code with the library.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

SOURCE = Path(__file__).with_name("nvml_stub.c")
LIBRARY = "libnvidia-ml.so.1"

OK = 0
UNINITIALIZED = 1
NOT_SUPPORTED = 3
NO_PERMISSION = 4
DRIVER_NOT_LOADED = 9
FUNCTION_NOT_FOUND = 13
GPU_IS_LOST = 15
VERSION_MISMATCH = 18


@dataclass(frozen=True, kw_only=True)
class Gpu:
    """One board, as ``nvml_stub.c`` explains its fields. ``powers`` are (from this monotonic ns on, milliwatts)."""

    uuid: str = "GPU-00000000-1111-2222-3333-444444444444"
    name: str = "NVIDIA H100 80GB HBM3"
    powers: tuple[tuple[int, int], ...] = ((0, 250_000),)
    start_mj: int = 0
    refresh_ns: int = 20_000_000
    average_ns: int = 0
    frozen_ns: int = 0
    delay_us: int = 0
    limit_mw: int = 700_000
    max_limit_mw: int = 700_000
    mig: int = -1
    fault: int = OK
    handle_fault: int = OK
    energy_fault: int = OK
    power_fault: int = OK
    migs: tuple[str, ...] = ()

    def energy_mj(self, t_ns: int) -> int:
        """The counter at the monotonic time ``t_ns``, as the board shows it."""
        if self.frozen_ns:
            t_ns = min(t_ns, self.frozen_ns)
        if self.refresh_ns:
            t_ns = t_ns // self.refresh_ns * self.refresh_ns
        edges = [begin for begin, _ in self.powers[1:]] + [t_ns]
        spans = zip(self.powers, edges, strict=True)
        pj = sum(mw * max(0, min(end, t_ns) - begin) for (begin, mw), end in spans)
        return self.start_mj + pj // 10**9

    def described(self) -> str:
        """The board's part of the file."""
        plain = [field.name for field in fields(self) if field.name not in ("powers", "migs")]
        lines = ["[gpu]", *(f"{name}={getattr(self, name)}" for name in plain)]
        lines += [f"power={t_ns}:{mw}" for t_ns, mw in self.powers]
        for uuid in self.migs:
            lines += ["[mig]", f"uuid={uuid}"]
        return "\n".join(lines)


def can_build() -> bool:
    """Whether a C compiler is here."""
    return shutil.which("gcc") is not None


def build(folder: Path) -> Path:
    """Compile the library into ``folder``; returns its path."""
    library = folder / LIBRARY
    command = ["gcc", "-shared", "-fPIC", "-O2", "-Wall", "-Wextra", f"-Wl,-soname,{LIBRARY}"]
    subprocess.run([*command, "-o", str(library), str(SOURCE), "-lpthread"], check=True, timeout=120)
    return library


class NvmlRig:
    """Boards in ``folder`` behind a built ``library``; ``set`` changes them while processes run."""

    def __init__(self, folder: Path, library: Path, gpus: Sequence[Gpu] = (Gpu(),), **settings: str | int) -> None:
        self.file = folder / "boards.txt"
        self._library = library
        self.set(gpus, **settings)

    def set(self, gpus: Sequence[Gpu], *, driver: str = "550.54.15", init: int = OK, count_fault: int = OK) -> None:
        """Describe the driver and its boards; the change is seen with the next call."""
        head = f"driver={driver}\ninit={init}\ncount_fault={count_fault}\n"
        fresh = self.file.with_suffix(".new")
        fresh.write_text(head + "\n".join(gpu.described() for gpu in gpus) + "\n")
        fresh.replace(self.file)  # at once: a reader never sees half a file

    def environ(self, **extra: str) -> dict[str, str]:
        """The environment for a process that is to see the boards."""
        inherited = {key: value for key, value in os.environ.items() if not key.startswith("CUDA_")}
        path = os.pathsep.join(filter(None, (str(self._library.parent), inherited.get("LD_LIBRARY_PATH", ""))))
        return {**inherited, "LD_LIBRARY_PATH": path, "GREENNB_NVML_STUB": str(self.file), **extra}


class NvmlSession:
    """A process that sees the rig's boards and runs greennb's NVML source; each method is one of its commands."""

    def __init__(self, environ: dict[str, str]) -> None:
        command = [sys.executable, "-W", "error", str(Path(__file__).with_name("nvml_child.py"))]
        self._process = subprocess.Popen(command, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, do: str, **options: bool) -> Any:
        """What the command answers."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"do": do, **options}) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, f"the process ended at {do} (see its standard error)"
        return json.loads(answer)

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(timeout=30)
        self._process.stdout.close()
