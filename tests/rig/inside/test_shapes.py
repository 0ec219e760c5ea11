"""The rig itself: the counters that C serves are those that Python works out, with no code in common."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from tests.rig.rig import Rig

ROOT = Path("/sys/class/powercap")
READS = 1500


@pytest.mark.parametrize(
    "path", ["intel-rapl:0", "intel-rapl:0:0", "intel-rapl:0:1", "intel-rapl:1", "intel-rapl:2", "intel-rapl-mmio:0"]
)
def test_every_reading_is_the_truth(rig: Rig, path: str) -> None:
    """Each lies between what the counter shows just before and just after it; where it wraps, at either end."""
    zone = rig.zones[path]
    fd = os.open(ROOT / path / "energy_uj", os.O_RDONLY)
    moved = set()
    for _ in range(READS):
        before_ns = time.monotonic_ns()
        shown_uj = int(os.pread(fd, 32, 0))
        after_ns = time.monotonic_ns()
        low_uj, high_uj = zone.shown_uj(before_ns), zone.shown_uj(after_ns)
        assert low_uj <= shown_uj <= high_uj or (low_uj > high_uj and (shown_uj >= low_uj or shown_uj <= high_uj))
        moved.add(shown_uj)
    os.close(fd)
    assert len(moved) > 5, "the counter moves"


def test_the_tree_is_laid_out_as_linux_does(rig: Rig) -> None:
    assert (ROOT / "intel-rapl:0").resolve() == ROOT / "intel-rapl" / "intel-rapl:0"
    for path, zone in rig.zones.items():
        folder = ROOT / path
        assert (folder / "name").read_text() == f"{zone.name}\n"
        assert int((folder / "max_energy_range_uj").read_text()) == zone.range_uj
        assert folder.samefile(folder.resolve())
    assert sorted(entry.name for entry in ROOT.iterdir()) == sorted([*rig.zones, "intel-rapl", "intel-rapl-mmio"])
    assert (Path("/sys/class/net")).is_dir(), "the rest of /sys/class is there"


@pytest.mark.parametrize(
    ("fault", "seen"),
    [
        ("eacces", 13),
        ("eio", 5),
        ("vanish", 19),
        ("empty", b""),
        ("garbage", b"not a number\n"),
        ("negative", b"-61\n"),
    ],
)
def test_faults_come_and_go_while_files_are_open(rig: Rig, fault: str, seen: int | bytes) -> None:
    fd = os.open(ROOT / "intel-rapl:0" / "energy_uj", os.O_RDONLY)
    before_uj = int(os.pread(fd, 32, 0))
    rig.fault(f"intel-rapl:0 {fault}")
    if isinstance(seen, bytes):
        assert os.pread(fd, 32, 0) == seen
    else:
        with pytest.raises(OSError, match=os.strerror(seen)):
            os.pread(fd, 32, 0)
    assert int((ROOT / "intel-rapl:2" / "energy_uj").read_text()) > 0, "others are well"
    rig.fault()
    assert int(os.pread(fd, 32, 0)) >= before_uj
    os.close(fd)


def test_counters_freeze_reset_and_wrap_when_they_are_told_to(rig: Rig) -> None:
    counter = ROOT / "intel-rapl:0" / "energy_uj"
    zone = rig.zones["intel-rapl:0"]
    at_ns = time.monotonic_ns() + 5_000_000
    rig.fault(f"intel-rapl:0 frozen {at_ns}")
    time.sleep(0.02)
    assert int(counter.read_text()) == int(counter.read_text()) == zone.shown_uj(at_ns)
    rig.fault(f"intel-rapl:0 reset {at_ns}")
    assert 0 < int(counter.read_text()) < 87.5e6 * 60
    soon_ns = time.monotonic_ns() + 100_000_000
    rig.fault(f"intel-rapl:0 wrap {soon_ns}")
    assert int(counter.read_text()) > 0.99 * zone.range_uj
    time.sleep(0.12)
    assert int(counter.read_text()) < 87.5e6


def test_a_slow_counter_holds_up_nobody_else(rig: Rig) -> None:
    rig.fault("intel-rapl:0 slow 60")
    began = time.monotonic()
    (ROOT / "intel-rapl:0" / "energy_uj").read_text()
    assert time.monotonic() - began >= 0.06
    began = time.monotonic()
    (ROOT / "intel-rapl:2" / "energy_uj").read_text()
    assert time.monotonic() - began < 0.05
