"""Virtual NVIDIA boards: builds ``nvml_stub.c`` into a ``libnvidia-ml.so.1`` and writes the file that describes them.

The loader finds the library through ``LD_LIBRARY_PATH``, which it reads when a process starts: what is to see the
boards runs in a process of its own, with ``NvmlRig.environ()``. The boards' energies are worked out again, sharing no
code with the library, in ``nvml_truth.py``.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from . import nvml_truth

SOURCE = Path(__file__).with_name("nvml_stub.c")
LIBRARY = "libnvidia-ml.so.1"
FLAGS = ("-shared", "-fPIC", "-O2", "-Wall", "-Wextra", "-Werror", f"-Wl,-soname,{LIBRARY}")

OK = 0
UNINITIALIZED = 1
NOT_SUPPORTED = 3
NO_PERMISSION = 4
DRIVER_NOT_LOADED = 9
FUNCTION_NOT_FOUND = 13
GPU_IS_LOST = 15
VERSION_MISMATCH = 18

SEEN_S = 0.002
"""The library looks for changes at most once a millisecond: after twice that every next call has seen them."""

GIB = 2**30


@dataclass(frozen=True, kw_only=True)
class Gpu:
    """One board, as ``nvml_rig.h`` explains its fields.

    ``trace`` is a line of the rig's trace language, in watts; where it is "" there are ``powers``, (from this
    monotonic ns on, milliwatts). ``processes`` are (pid or 0 for who asks, bytes, SM percent, memory percent).
    """

    uuid: str = "GPU-00000000-1111-2222-3333-444444444444"
    name: str = "NVIDIA H100 80GB HBM3"
    trace: str = ""
    powers: tuple[tuple[int, int], ...] = ((0, 250_000),)
    start_mj: int = 0
    refresh_ns: int = 20_000_000
    jitter_ns: int = 0
    seed: int = 0
    average_ns: int = 0
    lag_ns: int = 0
    frozen_ns: int = 0
    delay_us: int = 0
    limit_mw: int = 700_000
    max_limit_mw: int = 700_000
    temperature_c: int = 45
    sm_util: int = 0
    memory_util: int = 0
    memory_total: int = 80 * GIB
    memory_used: int = GIB
    sm_mhz: int = 1755
    max_sm_mhz: int = 1980
    capability: int = 90
    processes: tuple[tuple[int, int, int, int], ...] = ()
    mig: int = -1
    fault: int = OK
    handle_fault: int = OK
    energy_fault: int = OK
    power_fault: int = OK
    migs: tuple[str, ...] = ()

    def energy_mj(self, t_ns: int) -> int:
        """The counter at the monotonic time ``t_ns``, as the board shows it."""
        return nvml_truth.counter_mj(self, t_ns)

    def true_mj(self, t_ns: int) -> float:
        """The energy at ``t_ns`` itself, which the counter shows only at its next tick; in millijoules."""
        return float(nvml_truth.energy_pj(self, t_ns) / 10**9)

    def power_mw(self, t_ns: int) -> int:
        """What the board calls its power at ``t_ns``."""
        return nvml_truth.power_mw(self, t_ns)

    def described(self) -> str:
        """The board's part of the file."""
        apart = ("powers", "migs", "trace", "processes")
        plain = [field.name for field in fields(self) if field.name not in apart]
        lines = ["[gpu]", *(f"{name}={getattr(self, name)}" for name in plain)]
        lines += [f"trace={self.trace}"] if self.trace else [f"power={t_ns}:{mw}" for t_ns, mw in self.powers]
        lines += ["process=" + ":".join(map(str, process)) for process in self.processes]
        for uuid in self.migs:
            lines += ["[mig]", f"uuid={uuid}"]
        return "\n".join(lines)


def can_build() -> bool:
    """Whether a C compiler is here."""
    return shutil.which("gcc") is not None


def build(folder: Path, *, without: Sequence[str] = ()) -> Path:
    """Compile the library into ``folder``; returns its path. ``without`` names functions that an old driver lacks."""
    library = folder / LIBRARY
    hidden = folder / "hidden.map"
    hidden.write_text("{ global: *; local: " + " ".join(f"{name};" for name in ("none_", *without)) + " };\n")
    map_flag = f"-Wl,--version-script={hidden}"
    subprocess.run(
        ["gcc", *FLAGS, map_flag, "-o", str(library), str(SOURCE), "-lpthread"], check=True, timeout=120
    )  # fmt: skip
    return library


class NvmlRig:
    """Boards in ``folder`` behind a built ``library``; ``set`` and ``fault`` change them while processes run."""

    def __init__(self, folder: Path, library: Path, gpus: Sequence[Gpu] = (Gpu(),), **settings: str | int) -> None:
        self.folder = folder
        self.file = folder / "boards.txt"
        self._library = library
        self.set(gpus, **settings)

    def set(self, gpus: Sequence[Gpu], *, driver: str = "550.54.15", init: int = OK, count_fault: int = OK) -> None:
        """Describe the driver and its boards; whatever is asked after this returns sees the change."""
        head = f"driver={driver}\ninit={init}\ncount_fault={count_fault}\n"
        _replace(self.file, head + "\n".join(gpu.described() for gpu in gpus) + "\n")

    def fault(self, *lines: str) -> None:
        """Let these faults happen, and no others: ``fault("gpu0 lost")``; ``fault()`` ends them all.

        What begins at a time ("gpu0 frozen", "gpu0 reset") begins now where the line names none.
        """
        now_ns = time.monotonic_ns()
        timed = [f"{line} {now_ns}" if line.endswith((" frozen", " reset")) else line for line in lines]
        _replace(self.folder / "faults", "".join(f"{line}\n" for line in timed))

    def environ(self, **extra: str) -> dict[str, str]:
        """The environment for a process that is to see the boards."""
        inherited = {key: value for key, value in os.environ.items() if not key.startswith("CUDA_")}
        return {**inherited, **_variables(self._library, self.file, inherited), "GREENNB_RIG": str(self.folder)} | extra


def describe(tables: Sequence[Mapping[str, Any]], folder: Path) -> dict[str, str]:
    """The boards of a rig's configuration, its ``[[gpu]]`` tables, in ``folder``; the variables that make them seen.

    Builds the library into ``folder``. A table may have ``trace`` (the trace language, watts), ``uuid``, ``name``,
    ``refresh_ms``, ``jitter`` (a share of the refresh, under 0.5), ``seed``, ``average_ms``, ``lag_ms``, ``start_mj``,
    ``limit_w``, ``max_limit_w``, ``no_counter`` (true), ``processes`` (tables of ``pid``, ``memory_mib``, ``sm``,
    ``memory``), ``temperature_c``, ``sm_mhz``, ``max_sm_mhz``, ``capability`` (90 for 9.0), ``sm_util``,
    ``memory_util``, ``memory_total_mib``, ``memory_used_mib``, ``mig`` and ``migs``. Faults are read from
    ``$GREENNB_RIG/faults``, which the launcher sets.

    Raises:
        ValueError: a table has a key or a value that means nothing.
    """
    gpus = [board(table, position) for position, table in enumerate(tables)]
    rig = NvmlRig(folder, build(folder), gpus)
    return _variables(folder / LIBRARY, rig.file, os.environ)


def board(table: Mapping[str, Any], position: int = 0) -> Gpu:
    """The board of one ``[[gpu]]`` table; see :func:`describe`."""
    given = dict(table)
    plain = (
        "name", "seed", "start_mj", "temperature_c", "sm_util", "memory_util", "mig", "sm_mhz", "max_sm_mhz",
        "capability",
    )  # fmt: skip
    values: dict[str, Any] = {"uuid": given.pop("uuid", f"GPU-{position:08x}-1111-2222-3333-444444444444")}
    values |= {key: given.pop(key) for key in plain if key in given}
    values["trace"] = nvml_truth.Trace.parse(given.pop("trace", "constant 250")).text
    values["refresh_ns"] = round(given.pop("refresh_ms", 20) * 1e6)
    jitter = given.pop("jitter", 0.0)
    if not 0 <= jitter < 0.5:
        raise ValueError(f"jitter is {jitter}: give a share of the refresh, from 0 to less than 0.5")
    values["jitter_ns"] = round(jitter * values["refresh_ns"])
    for key, name, factor in (
        ("average_ms", "average_ns", 1e6), ("lag_ms", "lag_ns", 1e6), ("limit_w", "limit_mw", 1e3),
        ("max_limit_w", "max_limit_mw", 1e3), ("memory_total_mib", "memory_total", 2**20),
        ("memory_used_mib", "memory_used", 2**20),
    ):  # fmt: skip
        if key in given:
            values[name] = round(given.pop(key) * factor)
    if given.pop("no_counter", False):
        values["energy_fault"] = NOT_SUPPORTED
    values["migs"] = tuple(given.pop("migs", ()))
    values["processes"] = tuple(
        (each.get("pid", 0), round(each.get("memory_mib", 0) * 2**20), each.get("sm", 0), each.get("memory", 0))
        for each in given.pop("processes", ())
    )
    if given:
        raise ValueError(f"a [[gpu]] table has no {', '.join(map(repr, given))}")
    return Gpu(**values)


def _variables(library: Path, file: Path, inherited: Mapping[str, str]) -> dict[str, str]:
    path = os.pathsep.join(filter(None, (str(library.parent), inherited.get("LD_LIBRARY_PATH", ""))))
    return {"LD_LIBRARY_PATH": path, "GREENNB_NVML_STUB": str(file)}


def _replace(file: Path, text: str) -> None:
    """Put ``text`` into ``file`` at once, so that nobody reads half of it, and wait until it must have been seen."""
    fresh = file.with_suffix(".new")
    fresh.write_text(text)
    fresh.replace(file)
    time.sleep(SEEN_S)


class NvmlSession:
    """A process that sees the rig's boards and runs greennb's NVML source; each method is one of its commands."""

    def __init__(self, environ: dict[str, str]) -> None:
        command = [sys.executable, "-W", "error", str(Path(__file__).with_name("nvml_child.py"))]
        self._process = subprocess.Popen(command, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, do: str, **options: Any) -> Any:
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
