"""What this machine says of its CPUs, and what part of them we may use: /proc/cpuinfo, affinity, cgroup quota.

Every path hangs on ``root``, so that a recorded tree stands for a machine.
"""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

_SYSCTL_TIMEOUT_S = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CpuFacts:
    """The CPUs that this system shows.

    Attributes:
        name: the model name, "" where the system does not tell it (ARM).
        cpus: logical CPUs, at least 1.
        sockets: physical packages, at least 1; meaningless in a virtual machine.
        virtual: whether a hypervisor says that it is there (x86 only; elsewhere it cannot be told).
    """

    name: str
    cpus: int
    sockets: int
    virtual: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """A cgroup that may use ``cpus`` CPUs' worth of time, and the file with what it has used (None if not there)."""

    cpus: float
    usage: Path | None


def read_facts(root: Path = Path("/")) -> CpuFacts:
    """What ``/proc/cpuinfo`` below ``root`` says, or the system's own answer where there is none."""
    try:
        text = (root / "proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return CpuFacts(name=_name_without_proc(), cpus=os.cpu_count() or 1, sockets=1, virtual=False)
    return CpuFacts(
        name=_first(text, "model name"),
        cpus=len(re.findall(r"^processor\s*:\s*\d+\s*$", text, re.MULTILINE)) or os.cpu_count() or 1,
        sockets=len(set(re.findall(r"^physical id\s*:\s*(\d+)", text, re.MULTILINE))) or 1,
        virtual=" hypervisor" in _first(text, "flags"),
    )


def read_flags(root: Path = Path("/")) -> frozenset[str]:
    """What the first CPU can do, as ``/proc/cpuinfo`` below ``root`` names it ("avx2"); empty where nothing tells."""
    try:
        text = (root / "proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return frozenset()
    return frozenset((_first(text, "flags") or _first(text, "Features")).split())


def physical_cores(allowed: frozenset[int] | None = None, root: Path = Path("/")) -> int | None:
    """How many cores the logical CPUs in ``allowed`` (None: all) belong to; None where the system does not tell."""
    try:
        text = (root / "proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    cores = set()
    for block in re.split(r"\n\s*\n", text):
        number, core = _first(block, "processor"), _first(block, r"core id")
        if not number.isdigit() or not core:
            continue
        if allowed is None or int(number) in allowed:
            cores.add((_first(block, "physical id"), core))
    return len(cores) or None


def read_quota(root: Path = Path("/")) -> Quota | None:
    """The tightest CPU quota among our cgroup and those above it; None where there is none (cgroup v1 and v2)."""
    version2, folders = cgroup_levels("cpu", root)
    if version2:
        levels = [(level, level / "cpu.stat", _quota_v2(level)) for level in folders]
    else:
        cpu, usage = (_v1_mount(root / "sys/fs/cgroup", name) for name in ("cpu", "cpuacct"))
        levels = [(level, usage / level.relative_to(cpu) / "cpuacct.usage", _quota_v1(level)) for level in folders]
    limits = [Quota(cpus=cpus, usage=file if file.is_file() else None) for _, file, cpus in levels if cpus is not None]
    return min(limits, key=lambda quota: quota.cpus, default=None)


def cgroup_levels(controller: str, root: Path = Path("/")) -> tuple[bool, list[Path]]:
    """Whether cgroups are version 2 here, and the folders from the mount of ``controller`` down to our cgroup."""
    paths = _own_cgroups(root)
    mount = root / "sys/fs/cgroup"
    if (mount / "cgroup.controllers").exists():
        return True, _levels(mount, paths.get("", "/"))
    return False, _levels(_v1_mount(mount, controller), paths.get(controller, "/"))


def machine_usage(root: Path = Path("/")) -> Path | None:
    """``cpuacct.usage`` of the true root of a v1 hierarchy, which counts the whole machine; None where there is none.

    ``release_agent`` exists only at the true root: inside a container the mount point is some cgroup below it.
    """
    mount = _v1_mount(root / "sys/fs/cgroup", "cpuacct")
    usage = mount / "cpuacct.usage"
    return usage if usage.is_file() and (mount / "release_agent").exists() else None


def own_cpus() -> frozenset[int] | None:
    """The CPUs that this process may run on (affinity or cpuset); None where the system does not tell."""
    return frozenset(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None


def _first(text: str, field: str) -> str:
    found = re.search(rf"^{field}\s*:(.*)$", text, re.MULTILINE)
    return found[1].strip() if found else ""


def _own_cgroups(root: Path) -> dict[str, str]:
    """Path of our cgroup by controller; "" is the v2 hierarchy."""
    try:
        lines = (root / "proc/self/cgroup").read_text(encoding="utf-8").splitlines()
    except OSError:
        return {}
    parts = [line.split(":", 2) for line in lines]
    return {name: part[2] for part in parts if len(part) == 3 for name in part[1].split(",")}


def _levels(mount: Path, path: str) -> list[Path]:
    """``mount`` and the folders from it down to our cgroup, as far as they are visible here.

    A container without a cgroup namespace shows the host's path, which its own mount does not have.
    """
    levels = [mount]
    for name in path.strip("/").split("/"):
        child = levels[-1] / name
        if not name or name == ".." or not child.is_dir():
            break
        levels.append(child)
    return levels


def _v1_mount(mount: Path, controller: str) -> Path:
    for name in (controller, "cpu,cpuacct", "cpuacct,cpu"):
        if (mount / name).is_dir():
            return mount / name
    return mount / controller


def _quota_v2(level: Path) -> float | None:
    """CPUs by ``cpu.max`` ("50000 100000", or "max 100000" for no limit)."""
    try:
        quota, period = (level / "cpu.max").read_text(encoding="ascii").split()
        return None if quota == "max" else _cpus(int(quota), int(period))
    except (OSError, ValueError):  # not there at the root, or not delegated
        return None


def _quota_v1(level: Path) -> float | None:
    """CPUs by ``cpu.cfs_quota_us`` (-1 for no limit) and ``cpu.cfs_period_us``."""
    try:
        quota, period = (
            int((level / f"cpu.cfs_{name}_us").read_text(encoding="ascii")) for name in ("quota", "period")
        )
        return _cpus(quota, period)
    except (OSError, ValueError):
        return None


def _cpus(quota_us: int, period_us: int) -> float | None:
    return quota_us / period_us if quota_us > 0 and period_us > 0 else None


def _name_without_proc() -> str:
    """The model name on macOS (sysctl) and Windows (registry); "" where neither answers."""
    if sys.platform == "darwin":
        command = ["/usr/sbin/sysctl", "-n", "machdep.cpu.brand_string"]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=_SYSCTL_TIMEOUT_S, check=False)
        except (OSError, subprocess.SubprocessError):
            return ""
        return done.stdout.strip()
    if sys.platform == "win32":
        import winreg  # exists on Windows only

        try:
            with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, r"HARDWARE\DESCRIPTION\System\CentralProcessor\0") as key:
                return str(winreg.QueryValueEx(key, "ProcessorNameString")[0]).strip()
        except OSError:
            return ""
    return platform.processor()
