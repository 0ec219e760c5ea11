"""The CPU estimate under quotas, in containers and on some of the CPUs: whose busy time it goes by."""

from __future__ import annotations

import sys
import time

import pytest

from greennb.sources.busy import CgroupUsage, ProcStat
from greennb.sources.cpu_facts import machine_usage, read_quota
from greennb.testing import FakeClock
from tests.rig.proc import SECOND, Tree, source_of, watts_between

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="recorded Linux trees need os.pread")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def test_a_quota_of_cgroup_v2_answers_for_its_share_and_its_own_time(tmp_path, clock):
    """A container of 1 of 4 CPUs on a busy host: a quarter of idle, and its own seconds."""
    tree = Tree(tmp_path, name="AMD EPYC 7763 64-Core Processor")
    tree.write("sys/fs/cgroup/cgroup.controllers", "cpu")
    tree.write("sys/fs/cgroup/cpu.max", "100000 100000\n")
    tree.write("sys/fs/cgroup/cpu.stat", "usage_usec 5000000\nuser_usec 1\n")
    tree.write("proc/self/cgroup", "0::/\n")
    source = source_of(tree.probe(clock))
    idle_w = 0.2 * 280

    def host_is_busy():
        tree.stat(100, 100, 100, 100)

    assert watts_between(source, clock, host_is_busy).uj == pytest.approx(idle_w * 1e6 / 4)
    half = watts_between(source, clock, lambda: tree.write("sys/fs/cgroup/cpu.stat", "usage_usec 5500000\n"))
    assert half.uj == pytest.approx((idle_w / 4 + (280 - idle_w) / 4 * 0.5) * 1e6)
    assert "quota of 1 of 4 CPUs" in source.channels[0].note
    assert "own cgroup" in source.channels[0].note


def test_a_quota_of_cgroup_v1_is_respected_too(tmp_path, clock):
    tree = Tree(tmp_path, name="AMD EPYC 7763 64-Core Processor")
    tree.write("proc/self/cgroup", "4:cpu,cpuacct:/docker/abc\n0::/\n")
    tree.write("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "200000\n")
    tree.write("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n")
    tree.write("sys/fs/cgroup/cpu,cpuacct/cpuacct.usage", "1000\n")
    source = source_of(tree.probe(clock))
    own = watts_between(
        source, clock, lambda: tree.write("sys/fs/cgroup/cpu,cpuacct/cpuacct.usage", f"{SECOND + 1000}")
    )
    assert own.uj == pytest.approx((0.2 * 280 / 2 + 0.8 * 280 / 4) * 1e6)


def test_the_tightest_quota_on_the_way_up_counts(tmp_path):
    """A systemd slice above us may be the one with the limit."""
    tree = Tree(tmp_path)
    tree.write("proc/self/cgroup", "0::/user.slice/job/step\n")
    tree.write("sys/fs/cgroup/cgroup.controllers", "cpu")
    for level, limit in (("user.slice", "max 100000"), ("user.slice/job", "150000 100000"),
                         ("user.slice/job/step", "300000 100000")):  # fmt: skip
        tree.write(f"sys/fs/cgroup/{level}/cpu.max", limit)
        tree.write(f"sys/fs/cgroup/{level}/cpu.stat", "usage_usec 1")
    quota = read_quota(tmp_path)
    assert quota is not None
    assert quota.cpus == 1.5
    assert quota.usage == tmp_path / "sys/fs/cgroup/user.slice/job/cpu.stat"


@pytest.mark.parametrize("limit", ["max 100000", "", "0 100000", "100 0", "x y"])
def test_no_limit_and_nonsense_are_no_quota(tmp_path, limit):
    tree = Tree(tmp_path)
    tree.write("sys/fs/cgroup/cgroup.controllers", "cpu")
    tree.write("sys/fs/cgroup/cpu.max", limit)
    assert read_quota(tmp_path) is None


def test_a_quota_above_the_machine_changes_nothing(tmp_path, clock):
    tree = Tree(tmp_path, name="AMD EPYC 7763 64-Core Processor")
    tree.write("sys/fs/cgroup/cgroup.controllers", "cpu")
    tree.write("sys/fs/cgroup/cpu.max", "800000 100000")
    tree.write("sys/fs/cgroup/cpu.stat", "usage_usec 1")
    assert watts_between(source_of(tree.probe(clock)), clock, lambda: None).uj == pytest.approx(0.2 * 280e6)


def test_a_quota_whose_usage_cannot_be_read_takes_its_share_of_everybody_and_says_so(tmp_path, clock):
    tree = Tree(tmp_path, name="AMD EPYC 7763 64-Core Processor")
    tree.write("sys/fs/cgroup/cgroup.controllers", "cpu")
    tree.write("sys/fs/cgroup/cpu.max", "100000 100000")
    source = source_of(tree.probe(clock))
    full = watts_between(source, clock, lambda: tree.stat(100, 100, 100, 100))
    assert full.uj == pytest.approx(280e6 / 4)
    assert "our own cannot be read" in source.channels[0].note


def test_affinity_answers_for_those_cpus(tmp_path, clock):
    """Bound to CPUs 2 and 3 of 4: half of idle, and what those two do."""
    tree = Tree(tmp_path, name="AMD EPYC 7763 64-Core Processor")
    source = source_of(tree.probe(clock, affinity=range(2, 4)))
    others = watts_between(source, clock, lambda: tree.stat(100, 100, 0, 0))
    assert others.uj == pytest.approx(0.2 * 280e6 / 2)
    ours = watts_between(source, clock, lambda: tree.stat(100, 100, 100, 0))
    assert ours.uj == pytest.approx((0.2 * 280 / 2 + 0.8 * 280 / 4) * 1e6)
    assert "2 of 4 CPUs" in source.channels[0].note


def test_many_cpus_fit_into_one_read(tmp_path):
    """CPU 255's line lies far into the file."""
    tree = Tree(tmp_path, cpus=256)
    tree.stat(*range(256))
    assert ProcStat(tmp_path / "proc/stat", range(250, 256)).busy_ns() == sum(range(250, 256)) * 10_000_000


def test_the_true_root_of_cgroup_v1_is_the_whole_machine_s_finer_clock(tmp_path, clock):
    tree = Tree(tmp_path, name="AMD EPYC 7763 64-Core Processor")
    for name, text in (("cpuacct.usage", "0"), ("release_agent", "")):
        tree.write(f"sys/fs/cgroup/cpuacct/{name}", text)
    source = source_of(tree.probe(clock))
    change = f"{4 * SECOND // 1000}"
    used = watts_between(source, clock, lambda: tree.write("sys/fs/cgroup/cpuacct/cpuacct.usage", change))
    assert used.uj == pytest.approx((0.2 + 0.8 / 1000) * 280e6)


def test_a_container_s_cpuacct_is_not_taken_for_the_machine(tmp_path, clock):
    """Without release_agent the mount is some cgroup below the root: /proc/stat is the machine."""
    tree = Tree(tmp_path, name="AMD EPYC 7763 64-Core Processor")
    tree.write("sys/fs/cgroup/cpuacct/cpuacct.usage", "0")
    source = source_of(tree.probe(clock))
    assert watts_between(source, clock, lambda: tree.stat(100, 100, 100, 100)).uj == pytest.approx(280e6)


def test_a_cgroup_s_clock_is_exact_for_the_thread_that_asks():
    """The kernel charges a running task at its tick (1 to 10 ms); asking for our CPU time first makes it charge now.

    Without that, at 250 ticks a second, three of four windows of 1 ms would show nothing.
    """
    usage = machine_usage()
    if usage is None:
        pytest.skip("no cgroup v1 root here")
    clock = CgroupUsage(usage, whole_machine=True)
    charged = 0
    for _ in range(40):
        start = clock.busy_ns()
        end = time.perf_counter_ns() + 1_000_000
        while time.perf_counter_ns() < end:
            pass
        charged += clock.busy_ns() - start >= 700_000
    clock.close()
    assert charged >= 30


def test_a_bad_cgroup_file_is_a_fault(tmp_path):
    (tmp_path / "cpu.stat").write_text("nr_periods 5\n")
    with pytest.raises(ValueError, match="usage_usec"):
        CgroupUsage(tmp_path / "cpu.stat", whole_machine=False).busy_ns()


# What the machine says
