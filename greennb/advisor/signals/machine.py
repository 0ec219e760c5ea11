"""What was seen of the machine while a cell ran."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class GpuSeen:
    """A board while a cell ran, as its driver tells of it; None is what it does not tell.

    Attributes:
        domain: as measurements name it (``greennb.model.messages.domain_id``); ``label`` its name.
        util: mean share of time in which a kernel ran, 0 to 1.
        mem_b, mem_total_b: most that was in use, and what there is; ``held_b`` of that by this process.
        power_w: mean; ``limit_w`` the cap in force, ``max_limit_w`` the highest that may be set.
        temp_c: highest; ``clock_mhz`` mean SM clock, ``max_clock_mhz`` what it may reach.
        capability: compute capability, (0, 0) where it is not told.
        samples: how many readings the means are of.
        idle_w: watts just before this cell began, after a pause of a minute or more; None where nobody looked.
    """

    domain: str
    label: str
    util: float | None = None
    mem_b: int | None = None
    mem_total_b: int | None = None
    held_b: int | None = None
    power_w: float | None = None
    limit_w: float | None = None
    max_limit_w: float | None = None
    temp_c: float | None = None
    clock_mhz: float | None = None
    max_clock_mhz: float | None = None
    capability: tuple[int, int] = (0, 0)
    samples: int = 0
    idle_w: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ArraySeen:
    """A large array or frame among the notebook's names: ``kind`` "ndarray" or "DataFrame"."""

    name: str
    kind: str
    dtype: str
    shape: tuple[int, ...]
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineSignals:
    """The machine and this process while a cell ran; there are none of cells shorter than half a second.

    Attributes:
        cores: physical cores that this process may use; ``cpus`` logical ones, a cgroup's quota counted in.
        x86, amx, avx512_bf16: of the processor.
        memory_b: of the machine, or of its cgroup; ``swapped_b`` read back from swap by the machine within the cell,
            None where that is not told; ``major_faults`` of this process.
        cpu_s: CPU seconds of this process and its children within the cell; without a meter of those that have ended.
        threads: of this process at the cell's end; ``runnable`` mean number of its threads that ran or waited for a
            CPU, None where that is not told; ``switches_per_s`` involuntary context switches.
        pools: thread pools of numeric libraries, name to size: {"openblas": 2, "openmp": 2}; "torch" where it is
            imported, the others where threadpoolctl is.
        arrays: the largest arrays among the notebook's names, at least 64 MiB, at most 8.
    """

    cores: int
    cpus: float
    x86: bool = True
    amx: bool = False
    avx512_bf16: bool = False
    memory_b: int | None = None
    swapped_b: int | None = None
    major_faults: int = 0
    cpu_s: float = 0.0
    threads: int = 1
    runnable: float | None = None
    switches_per_s: float | None = None
    pools: dict[str, int]
    gpus: tuple[GpuSeen, ...] = ()
    arrays: tuple[ArraySeen, ...] = ()
