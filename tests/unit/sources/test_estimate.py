"""The CPU estimate on recorded trees: whose watts, whose busy time, and what happens when they cannot be read."""

from __future__ import annotations

import os
import select
import signal
import sys
import threading
import time
from pathlib import Path

import pytest

from greennb.model.reading import DomainKind, Fault, Method
from greennb.settings import Settings
from greennb.sources.base import Modelled, Source
from greennb.sources.busy import CgroupUsage, ProcStat, PsutilTimes
from greennb.sources.cpu_facts import machine_usage, read_facts, read_quota
from greennb.sources.cpu_model import CpuModel
from greennb.sources.estimate import EstimateSource, Part, probe
from greennb.testing import FakeClock

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="recorded Linux trees need os.pread")

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


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def source_on(tree: Tree, clock: FakeClock, model: CpuModel = MODEL) -> EstimateSource:
    part = Part(share=1.0, busy=ProcStat(tree.root / "proc/stat"))
    return EstimateSource(model, part, cpus=tree.cpus, host="host", clock=clock.monotonic_ns)


# The model's arithmetic


def test_an_idle_machine_draws_idle_watts_and_a_busy_one_full_watts(tmp_path, clock):
    """E = P_idle t + (P_max - P_idle) / cpus * busy, for the value and for both bounds."""
    tree = Tree(tmp_path)
    source = source_on(tree, clock)
    assert watts_between(source, clock, lambda: None) == pytest.approx((10e6, 5e6, 20e6))
    assert watts_between(source, clock, lambda: tree.stat(100, 100, 100, 100)) == pytest.approx((90e6, 45e6, 180e6))
    assert watts_between(source, clock, lambda: tree.stat(200, 200, 100, 100)) == pytest.approx((50e6, 25e6, 100e6))


def test_two_looks_suffice_however_the_load_was_spread(tmp_path, clock):
    """Linear in busy time: a look in the middle changes nothing."""
    tree = Tree(tmp_path)
    looked, unseen = source_on(tree, clock), source_on(tree, clock)
    clock.sleep(1)
    tree.stat(100, 100, 100, 100)
    sample(looked)
    clock.sleep(3)
    tree.stat(100, 150, 100, 100)
    assert sample(looked) == sample(unseen)


def test_iowait_steal_and_guest_time_are_not_busy_time(tmp_path, clock):
    """iowait is idle, steal is another machine's, guest is inside user already."""
    tree = Tree(tmp_path)
    source = source_on(tree, clock)
    busier = watts_between(source, clock, lambda: tree.stat(0, 0, 0, 0, idle=9, iowait=900, steal=900, guest=900))
    assert busier.uj == pytest.approx(10e6)


def test_busy_time_that_runs_backward_never_makes_energy_run_backward(tmp_path, clock):
    tree = Tree(tmp_path)
    tree.stat(500, 500, 500, 500)
    source = source_on(tree, clock)
    before = sample(source)
    clock.sleep(1)
    tree.stat(100, 100, 100, 100)
    after = sample(source)
    assert after.uj - before.uj == pytest.approx(10e6)
    clock.sleep(1)
    tree.stat(200, 200, 200, 200)
    assert sample(source).uj - after.uj == pytest.approx(90e6)


def test_a_jump_of_the_counter_is_at_most_all_cpus_busy(tmp_path, clock):
    """As after a restored snapshot: no second has more than its CPUs' seconds in it (and the tick that it ends in)."""
    tree = Tree(tmp_path)
    source = source_on(tree, clock)
    jumped = watts_between(source, clock, lambda: tree.stat(10**7, 10**7, 10**7, 10**7))
    assert 90e6 <= jumped.uj <= 90e6 * 1.02


def test_no_memory_watts_are_added(tmp_path, clock):
    """The whole of the answer is the CPU's own interval; memory is missing, not guessed."""
    source = source_of(Tree(tmp_path, name="AMD Ryzen 7 5800X 8-Core Processor").probe(clock))
    assert [channel.domain.kind for channel in source.channels] == [DomainKind.CPU_PACKAGE]


# Faults


def test_an_unreadable_stat_is_a_fault_and_not_zero(tmp_path, clock):
    tree = Tree(tmp_path)
    source = source_on(tree, clock)
    clock.sleep(1)
    tree.write("proc/stat", "nonsense")
    (answer,) = source.sample()
    assert isinstance(answer, Fault)
    assert answer.hint
    assert answer.domain == source.channels[0].domain
    tree.stat(10, 10, 10, 10)
    assert sample(source).uj > 0


@pytest.mark.parametrize("text", ["", "cpu", "cpu 1 2", "cpu0 1 2 3 4 5 6 7 8", "cpu a b c d e f g h"])
def test_every_broken_stat_is_a_fault(tmp_path, clock, text):
    tree = Tree(tmp_path)
    source = source_on(tree, clock)
    tree.write("proc/stat", text)
    assert isinstance(source.sample()[0], Fault)


def test_after_close_a_sample_is_a_fault_and_close_can_be_repeated(tmp_path, clock):
    source = source_on(Tree(tmp_path), clock)
    source.close()
    source.close()
    assert isinstance(source.sample()[0], Fault)


def test_without_a_stat_there_is_no_source_but_a_reason(tmp_path, clock):
    tree = Tree(tmp_path)
    (tmp_path / "proc/stat").unlink()
    found = tree.probe(clock)
    assert found.source is None
    assert "cannot be read" in found.reason
    assert found.hint


# Whose watts


def test_a_known_cpu_on_a_physical_machine_is_its_whole_sockets(tmp_path, clock):
    """Two sockets of 280 W each."""
    tree = Tree(tmp_path, cpus=8, sockets=2, name="AMD EPYC 7763 64-Core Processor")
    source = source_of(tree.probe(clock))
    full = watts_between(source, clock, lambda: tree.stat(*[100] * 8))
    assert full.uj == pytest.approx(2 * 280e6)
    assert "2 sockets" in source.channels[0].note


def test_a_virtual_machine_answers_for_its_share_of_the_socket(tmp_path, clock):
    """4 vCPUs of the 128 threads of a 280 W socket."""
    tree = Tree(tmp_path, name="AMD EPYC 7763 64-Core Processor", virtual=True, sockets=2)
    source = source_of(tree.probe(clock))
    full = watts_between(source, clock, lambda: tree.stat(100, 100, 100, 100))
    assert full.uj == pytest.approx(280e6 * 4 / 128)
    assert "4 vCPUs of its 128 threads" in source.channels[0].note


@pytest.mark.parametrize("name", ["AMD EPYC", "Intel(R) Xeon(R) CPU @ 2.20GHz", "KVM CPU", ""])
def test_a_hidden_server_cpu_gets_watts_per_thread_and_a_wide_interval(tmp_path, clock, name):
    tree = Tree(tmp_path, name=name, virtual=True)
    source = source_of(tree.probe(clock))
    full = watts_between(source, clock, lambda: tree.stat(100, 100, 100, 100))
    assert 4 * 1e6 < full.uj < 4 * 6e6
    assert full.high_uj / full.low_uj > 2.5
    assert "per thread" in source.channels[0].note


@pytest.mark.parametrize("name", ["Intel(R) Core(TM) i7-10700 CPU @ 2.90GHz", "12th Gen Intel(R) Core(TM) i7-99999"])
def test_a_client_cpu_s_virtual_machine_draws_no_more_than_its_socket(tmp_path, clock, name):
    """As in WSL2 or VirtualBox: the threads of the socket are unknown, its TDP is not."""
    small, large = (Tree(tmp_path / str(cpus), cpus=cpus, name=name, virtual=True) for cpus in (1, 64))
    one, many = (
        watts_between(source_of(tree.probe(clock)), clock, lambda tree=tree: tree.stat(*[100] * tree.cpus))
        for tree in (small, large)
    )
    assert one.uj < 15e6
    assert one.uj < many.uj <= 300e6


def test_a_cpu_without_a_name_gets_the_generic_figure(tmp_path, clock):
    """As on ARM, where /proc/cpuinfo has no model name."""
    found = Tree(tmp_path, name="").probe(clock)
    source = source_of(found)
    assert "all models" in source.channels[0].note
    assert "unknown" in source.channels[0].domain.label
    full = watts_between(source, clock, lambda: None)
    assert full.low_uj * 4 < full.high_uj


def test_a_tdp_from_the_settings_wins_and_narrows_the_interval(tmp_path, clock):
    tree = Tree(tmp_path, name="AMD Ryzen 7 5800X 8-Core Processor")
    table, yours = (source_of(tree.probe(clock, settings=Settings(tdp=tdp))) for tdp in (0.0, 105.0))
    clock.sleep(1)
    tree.stat(100, 100, 100, 100)
    from_table, from_you = sample(table), sample(yours)
    assert from_you.uj == from_table.uj
    assert from_table.low_uj < from_you.low_uj < from_you.high_uj < from_table.high_uj
    assert "your settings" in yours.channels[0].note


def test_no_interval_is_narrower_than_what_estimators_were_found_off_by(tmp_path, clock):
    """Fischer (arXiv 2509.22092): up to 40 % off against meters."""
    tree = Tree(tmp_path, name="AMD Ryzen 7 5800X 8-Core Processor")
    source = source_of(tree.probe(clock, settings=Settings(tdp=105)))
    for busy in (lambda: None, lambda: tree.stat(100, 100, 100, 100)):
        watts = watts_between(source, clock, busy)
        assert watts.low_uj <= 0.6 * watts.uj
        assert watts.high_uj >= 1.4 * watts.uj


# Whose busy time


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


@pytest.mark.parametrize(
    ("text", "cpus", "sockets", "name"),
    [
        ("processor\t: 0\nCPU part\t: 0xd08\n\nprocessor\t: 1\n\nModel\t: Raspberry Pi 4\n", 2, 1, ""),
        ("processor : 0\nmodel name\t: Xeon X\nphysical id\t: 0\n\nprocessor : 1\nphysical id\t: 1\n", 2, 2, "Xeon X"),
        ("", os.cpu_count(), 1, ""),
    ],
)  # fmt: skip
def test_cpuinfo_of_many_kinds(tmp_path, text, cpus, sockets, name):
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/cpuinfo").write_text(text)
    facts = read_facts(tmp_path)
    assert (facts.cpus, facts.sockets, facts.name, facts.virtual) == (cpus, sockets, name, False)


def test_psutil_stands_in_where_there_is_no_proc():
    """macOS and Windows: CPU seconds of the whole machine, growing while we work."""
    clock = PsutilTimes()
    first = clock.busy_ns()
    deadline = time.monotonic() + 5
    while clock.busy_ns() <= first and time.monotonic() < deadline:
        sum(range(10_000))
    assert clock.busy_ns() > first > 0


# The source as a source


def test_it_is_a_source_with_one_estimated_channel(tmp_path, clock):
    source = source_on(Tree(tmp_path), clock)
    assert isinstance(source, Source)
    (channel,) = source.channels
    assert channel.method is Method.ESTIMATED
    assert channel.wrap_uj is None
    assert channel.refresh_ns == 10_000_000
    # One tick of one of four CPUs: 20 W for 10 ms.
    assert channel.resolution_uj == pytest.approx(200_000)
    assert channel.max_power_w == 180


def test_this_machine_gives_a_plausible_estimate():
    """Real /proc, real clock: busy waiting costs more than sleeping, within the model's bounds."""
    source = source_of(probe("host", Settings()))
    try:
        start = sample(source)
        deadline = time.monotonic() + 0.2
        while time.monotonic() < deadline:
            pass
        end = sample(source)
        assert start.low_uj < start.uj < start.high_uj
        seconds = 0.2
        assert 0 < end.uj - start.uj < source.channels[0].max_power_w * 1e6 * seconds * 2
    finally:
        source.close()


def test_threads_sample_together_without_losing_or_doubling_time(tmp_path):
    """Energy never falls in any thread, and the end agrees with one look from outside."""
    tree = Tree(tmp_path)
    clock = FakeClock()
    shared, alone = source_on(tree, clock), source_on(tree, clock)
    falls = []

    def look() -> None:
        last = 0
        for _ in range(300):
            now = sample(shared).uj
            if now < last:
                falls.append((last, now))
            last = now

    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for step in range(1, 50):
        clock.sleep(0.01)
        (tmp_path / "proc/next").write_text(f"cpu {step} 0 0 0 0 0 0 0 0 0\n")
        text = (tmp_path / "proc/next").read_bytes()
        with open(tmp_path / "proc/stat", "r+b") as file:  # in place: the open description sees it
            file.write(text)
    for thread in threads:
        thread.join()
    assert falls == []
    assert sample(shared) == sample(alone)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_child_samples_on_with_its_own_file(tmp_path):
    """Also while the parent held the lock at the fork."""
    source = source_of(probe("host", Settings()))
    source._lock.acquire()
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            source.after_fork()
            (answer,) = source.sample()
            os.write(write, b"good" if isinstance(answer, Modelled) else b"fault")
        finally:
            os._exit(0)
    source._lock.release()
    os.close(write)
    try:
        assert select.select([read], [], [], 10)[0], "the child hangs"
        assert os.read(read, 16) == b"good"
        assert isinstance(source.sample()[0], Modelled)
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(read)
        source.close()


def test_a_sample_is_cheap():
    """The hot path is one small read: well under a millisecond even on a loaded machine."""
    source = source_of(probe("host", Settings()))
    times = []
    for _ in range(200):
        start = time.perf_counter_ns()
        source.sample()
        times.append(time.perf_counter_ns() - start)
    source.close()
    assert sorted(times)[100] < 200_000
