"""The CPU estimate on recorded trees: whose watts, whose busy time, and what happens when they cannot be read."""

from __future__ import annotations

import os
import select
import signal
import sys
import threading
import time

import pytest

from greennb.model.reading import DomainKind, Fault, Method
from greennb.settings import Settings
from greennb.sources.base import Modelled, Source
from greennb.sources.busy import PsutilTimes
from greennb.sources.cpu_facts import read_facts
from greennb.sources.estimate import probe
from greennb.testing import FakeClock
from tests.rig.proc import Tree, sample, source_of, source_on, watts_between

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="recorded Linux trees need os.pread")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


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
