"""Utilisation and memory for people who look on: each figure by itself, and None where it is not told."""

from __future__ import annotations

import sys

import pytest

from greennb.sources import amdgpu
from greennb.sources.base import Gauge, Gauges
from greennb.sources.machine import MachineGauge
from greennb.testing import FakeClock
from tests.rig.amdgpu import Machine
from tests.rig.nvml import GIB, GPU_IS_LOST, NOT_SUPPORTED, Gpu
from tests.rig.proc import Tree

LINUX = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="recorded Linux trees need os.pread")

BOARD = Gpu(sm_util=97, memory_used=60 * GIB, memory_total=80 * GIB, temperature_c=64)


def test_a_board_tells_utilisation_memory_and_temperature(start):
    _rig, session = start([BOARD])
    session.ask("probe")
    assert session.ask("gauge") == [
        {"util": 0.97, "mem_b": 60 * GIB, "mem_total_b": 80 * GIB, "temp_c": 64.0, "held_b": None}
    ]


def test_memory_that_this_process_holds_is_told_apart_from_others(start):
    _rig, session = start([Gpu(processes=((0, 9 * GIB, 50, 0), (99_999, 3 * GIB, 50, 0)))])
    session.ask("probe")
    assert session.ask("gauge")[0]["held_b"] == 9 * GIB


def test_a_lost_board_tells_nothing_and_raises_nothing(start):
    rig, session = start([BOARD, Gpu(uuid="GPU-other", sm_util=5)])
    session.ask("probe")
    rig.set([Gpu(fault=GPU_IS_LOST), Gpu(uuid="GPU-other", sm_util=5)])
    lost, other = session.ask("gauge")
    assert set(lost.values()) == {None}
    assert other["util"] == 0.05


def test_a_board_without_any_gauge_is_asked_without_harm(start):
    rig, session = start([BOARD])
    session.ask("probe")
    rig.set([Gpu(fault=NOT_SUPPORTED)])
    assert set(session.ask("gauge")[0].values()) == {None}


def test_a_board_tells_its_watts_and_clocks_with_their_limits(start):
    slow = Gpu(trace="constant 250", limit_mw=300_000, sm_mhz=1200)
    untelling = {"limit_mw": 0, "max_limit_mw": 0, "sm_mhz": 0, "max_sm_mhz": 0, "capability": 0}
    old = Gpu(uuid="GPU-old", power_fault=NOT_SUPPORTED, **untelling)
    _rig, session = start([slow, old])
    session.ask("probe")
    told, untold = session.ask("board")
    assert told == {
        "power_w": 250.0, "limit_w": 300.0, "max_limit_w": 700.0, "clock_mhz": 1200.0, "max_clock_mhz": 1980.0,
        "capability": [9, 0],
    }  # fmt: skip
    assert untold["capability"] == [0, 0]
    assert [value for key, value in untold.items() if key != "capability"] == [None] * 5


def test_a_lost_board_tells_no_watts_and_raises_nothing(start):
    rig, session = start([BOARD])
    session.ask("probe")
    rig.set([Gpu(fault=GPU_IS_LOST)])
    (lost,) = session.ask("board")
    assert lost.pop("capability") == [0, 0]
    assert set(lost.values()) == {None}


def test_an_amd_card_tells_what_its_driver_shows(tmp_path):
    machine = Machine(tmp_path)
    card = machine.card()
    source = amdgpu.probe("h", root=machine.root).source
    assert isinstance(source, Gauges)
    assert source.gauge(0) == Gauge()
    card.describe("gpu_busy_percent", "37")
    card.describe("mem_info_vram_used", str(2 * GIB))
    card.describe("mem_info_vram_total", str(8 * GIB))
    card.write("temp1_input", 51_000)
    assert source.gauge(0) == Gauge(util=0.37, mem_b=2 * GIB, mem_total_b=8 * GIB, temp_c=51.0)
    assert source.held_b(0, frozenset({1})) is None
    card.describe("power/runtime_status", "suspended")
    assert source.gauge(0) == Gauge()


MEMINFO = f"MemTotal: {64 * 2**20} kB\nMemFree: 1 kB\nMemAvailable: {48 * 2**20} kB\n"


@LINUX
def test_the_machine_s_cpus_and_memory(tmp_path):
    """Two of four CPUs busy for the second between two looks; memory as a whole, without what can be dropped."""
    clock, tree = FakeClock(), Tree(tmp_path, name="AMD EPYC 7763 64-Core Processor")
    tree.write("proc/meminfo", MEMINFO)
    gauge = MachineGauge(root=tmp_path, affinity=frozenset(range(4)), now_ns=clock.monotonic_ns)
    assert gauge.gauge() == Gauge(util=None, mem_b=16 * GIB, mem_total_b=64 * GIB)
    clock.sleep(1)
    tree.stat(100, 100, 0, 0)
    assert gauge.gauge().util == pytest.approx(0.5)
    gauge.close()
    assert gauge.gauge().util is None


@LINUX
def test_in_a_container_of_cgroup_v2_its_limits_count(tmp_path):
    clock, tree = FakeClock(), Tree(tmp_path, name="AMD EPYC 7763 64-Core Processor")
    tree.write("proc/meminfo", MEMINFO)
    tree.write("sys/fs/cgroup/cgroup.controllers", "cpu memory")
    tree.write("proc/self/cgroup", "0::/\n")
    tree.write("sys/fs/cgroup/cpu.max", "100000 100000\n")
    tree.write("sys/fs/cgroup/cpu.stat", "usage_usec 5000000\n")
    tree.write("sys/fs/cgroup/memory.max", f"{4 * GIB}\n")
    tree.write("sys/fs/cgroup/memory.current", f"{3 * GIB}\n")
    tree.write("sys/fs/cgroup/memory.stat", f"anon 1\ninactive_file {GIB}\n")
    gauge = MachineGauge(root=tmp_path, now_ns=clock.monotonic_ns)
    assert gauge.gauge() == Gauge(util=None, mem_b=2 * GIB, mem_total_b=4 * GIB)
    clock.sleep(1)
    tree.write("sys/fs/cgroup/cpu.stat", "usage_usec 5750000\n")
    assert gauge.gauge().util == pytest.approx(0.75)


@LINUX
def test_in_a_cgroup_of_version_1_a_limit_that_is_none_leaves_the_machine_s(tmp_path):
    tree = Tree(tmp_path, name="AMD EPYC 7763 64-Core Processor")
    tree.write("proc/meminfo", MEMINFO)
    tree.write("proc/self/cgroup", "4:memory:/job\n")
    tree.write("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n")
    tree.write("sys/fs/cgroup/memory/memory.usage_in_bytes", f"{60 * GIB}\n")
    assert MachineGauge(root=tmp_path).gauge().mem_total_b == 64 * GIB
    tree.write("sys/fs/cgroup/memory/job/memory.limit_in_bytes", f"{8 * GIB}\n")
    tree.write("sys/fs/cgroup/memory/job/memory.usage_in_bytes", f"{6 * GIB}\n")
    tree.write("sys/fs/cgroup/memory/job/memory.stat", f"inactive_file 5\ntotal_inactive_file {2 * GIB}\n")
    gauge = MachineGauge(root=tmp_path).gauge()
    assert (gauge.mem_b, gauge.mem_total_b) == (4 * GIB, 8 * GIB)


@LINUX
def test_a_machine_that_tells_nothing_has_no_numbers(tmp_path):
    assert MachineGauge(root=tmp_path).gauge() == Gauge()
