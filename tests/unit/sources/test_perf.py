"""RAPL through perf events: scale, what is counted twice, permission; and the kernel's own perf_event_open."""

import errno
import gc
import itertools
import struct
import subprocess
import sys
import time
from pathlib import Path

import pytest

from greennb.model.reading import DomainKind, Fault, Method
from greennb.sources import perf
from greennb.sources.base import Probe, Source
from tests.rig.perf import CONFIGS, TYPE, Pmu, pmu

CLIENT = ("energy-pkg", "energy-cores", "energy-gpu", "energy-psys")
SERVER = ("energy-pkg", "energy-ram")


def probed(rig: Pmu) -> Probe:
    return perf.probe("h", root=rig.root, open_event=rig.open_event, patience_s=0)


def found(rig: Pmu) -> Source:
    result = probed(rig)
    assert result.source is not None, result.reason
    return result.source


def kinds(source: Source) -> list[DomainKind]:
    return [channel.domain.kind for channel in source.channels]


def test_counts_of_two_to_the_minus_32_joules_become_microjoules(tmp_path: Path) -> None:
    rig = pmu(tmp_path, *SERVER)
    source = found(rig)
    rig.set_joules("energy-pkg", 0, 12.5)
    rig.set_joules("energy-ram", 0, 0.25)
    assert list(source.sample()) == [12_500_000, 250_000]
    assert {(channel.method, channel.wrap_uj) for channel in source.channels} == {(Method.COUNTER, None)}


def test_64_bits_are_read_whole_and_exactly(tmp_path: Path) -> None:
    """A year at 100 W, 3.1 GJ, is far beyond 32 bits of units."""
    rig = pmu(tmp_path, "energy-pkg")
    source = found(rig)
    rig.set_joules("energy-pkg", 0, 3_100_000_000)
    assert list(source.sample()) == [3_100_000_000_000_000]


def test_cores_and_uncore_lie_in_their_package_and_psys_is_left_out(tmp_path: Path) -> None:
    source = found(pmu(tmp_path, *CLIENT))
    package, *parts = [channel.domain for channel in source.channels]
    assert kinds(source) == [DomainKind.CPU_PACKAGE, DomainKind.CPU_CORE, DomainKind.CPU_UNCORE]
    assert all(part.inside == package for part in parts)


def test_psys_stands_in_for_packages_that_cannot_be_opened_and_encloses_the_dram(tmp_path: Path) -> None:
    rig = pmu(tmp_path, *CLIENT, "energy-ram")
    rig.denied[CONFIGS["energy-pkg"]] = errno.EINVAL
    result = probed(rig)
    assert result.source is not None
    assert kinds(result.source) == [DomainKind.PSYS, DomainKind.DRAM]
    assert result.source.channels[1].domain.inside == result.source.channels[0].domain
    assert result.faults == ()


def test_each_package_is_opened_once_on_its_own_cpu_and_the_platform_once_in_all(tmp_path: Path) -> None:
    rig = pmu(tmp_path, *SERVER, "energy-psys", cpus={0: 1, 28: 0})
    source = found(rig)
    assert sorted(rig.opened) == sorted([(TYPE, 2, 0), (TYPE, 2, 28), (TYPE, 3, 0), (TYPE, 3, 28), (TYPE, 5, 0)])
    labels = [channel.domain.label for channel in source.channels]
    assert labels == ["CPU package 1", "CPU package 0", "DRAM of CPU 1", "DRAM of CPU 0"]
    rig.set_joules("energy-pkg", 28, 1)
    assert list(source.sample()) == [0, 1_000_000, 0, 0]


@pytest.mark.parametrize("code", [errno.EACCES, errno.EPERM])
def test_without_permission_the_refusal_names_the_least_mend(tmp_path: Path, code: int) -> None:
    rig = pmu(tmp_path, *SERVER)
    rig.denied |= dict.fromkeys(CONFIGS.values(), code)
    result = probed(rig)
    assert result.source is None
    assert "no permission" in result.reason
    assert "cap_perfmon" in result.hint


def test_memory_that_cannot_be_opened_beside_a_package_makes_totals_partial(tmp_path: Path) -> None:
    rig = pmu(tmp_path, *SERVER)
    rig.denied[CONFIGS["energy-ram"]] = errno.EIO
    (fault,) = probed(rig).faults
    assert fault.domain is not None
    assert fault.domain.kind is DomainKind.DRAM
    assert "Input/output error" in fault.reason


@pytest.mark.parametrize("count", [b"", b"1234"])
def test_an_event_that_the_kernel_gave_up_is_a_fault_and_never_0(tmp_path: Path, count: bytes) -> None:
    """perf_event_open(2): a read of an event in error state gives end of file."""
    rig = pmu(tmp_path, "energy-pkg", "energy-ram")
    source = found(rig)
    rig.count_file(CONFIGS["energy-pkg"], 0).write_bytes(count)
    bad, good = source.sample()
    assert isinstance(bad, Fault)
    assert bad.reason == "the kernel gave its perf event up"
    assert good == 0


def test_a_read_error_is_a_fault_with_the_systems_words_and_recovers(tmp_path: Path) -> None:
    rig = pmu(tmp_path, "energy-pkg")
    source = found(rig)
    rig.count_file(CONFIGS["energy-pkg"], 0).unlink()
    (sample,) = source.sample()
    assert isinstance(sample, Fault)
    assert "No such file" in sample.reason
    rig.set_joules("energy-pkg", 0, 2)
    assert list(source.sample()) == [2_000_000]


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("events/energy-pkg", "event=0x02,umask=0x1"),
        ("events/energy-pkg", "nonsense"),
        ("events/energy-pkg.unit", "mW"),
        ("events/energy-pkg.scale", "wide"),
        ("events/energy-pkg.scale", "nan"),
        ("events/energy-pkg.scale", "0"),
        ("cpumask", ""),
        ("cpumask", "a-b"),
        ("type", "none"),
    ],
)
def test_a_tree_that_cannot_be_understood_is_refused(tmp_path: Path, file: str, content: str) -> None:
    """The PMU "power" of AMD's family 15h, for one, counts milliwatts."""
    rig = pmu(tmp_path, "energy-pkg")
    (rig.folder / file).write_text(content)
    assert probed(rig).source is None
    assert rig.opened == []


def test_where_there_is_no_such_pmu_the_reason_names_its_place(tmp_path: Path) -> None:
    result = perf.probe("h", root=str(tmp_path))
    assert result.source is None
    assert "perf events" in result.reason


def test_lists_of_cpus_are_read_as_the_kernel_writes_them(tmp_path: Path) -> None:
    rig = pmu(tmp_path, "energy-pkg", cpus={0: 0, 1: 1, 2: 2, 64: 3})
    (rig.folder / "cpumask").write_text("0-2,64\n")
    assert len(found(rig).channels) == 4


SOFTWARE, TASK_CLOCK, CPU_CLOCK = 1, 1, 0
"""PERF_TYPE_SOFTWARE, PERF_COUNT_SW_TASK_CLOCK and PERF_COUNT_SW_CPU_CLOCK of linux/perf_event.h: nanoseconds."""


def opened(config: int, cpu: int) -> perf.KernelEvent:
    try:
        return perf.open_event(SOFTWARE, config, cpu)
    except OSError as error:
        pytest.skip(f"NOT TESTED: this system lets nobody open a perf event ({error.strerror})")


def count(event: perf.Event) -> int:
    return int.from_bytes(event(), sys.byteorder)


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_the_kernels_own_events_open_and_count() -> None:
    """The task clock grows by what this process's CPU clock grows, so the attributes reach the kernel as meant."""
    event = opened(TASK_CLOCK, -1)
    first_ns, cpu_ns = count(event), time.process_time_ns()
    while time.process_time_ns() - cpu_ns < 20_000_000:
        pass
    grown_ns = count(event) - first_ns
    assert 20_000_000 <= grown_ns < 2 * (time.process_time_ns() - cpu_ns)


def test_an_event_of_a_whole_cpu_serves_the_source_and_is_closed_with_it(tmp_path: Path) -> None:
    """A CPU's clock in place of its joules: everything but the PMU's own driver is real."""
    opened(CPU_CLOCK, 0)
    rig = pmu(tmp_path, "energy-pkg")
    gc.collect()  # what other tests left must not go while we count
    before = open_files()
    source = perf.probe("h", root=rig.root, open_event=lambda *_: opened(CPU_CLOCK, 0), patience_s=0).source
    assert source is not None
    samples = []
    for _ in range(3):
        time.sleep(0.005)
        samples += source.sample()
    assert all(type(sample) is int for sample in samples)
    assert samples[0] < samples[1] < samples[2]
    source.close()
    gc.collect()
    assert open_files() == before


def test_the_kernel_refuses_an_event_that_does_not_exist_with_its_words() -> None:
    opened(TASK_CLOCK, -1)
    with pytest.raises(OSError, match=r"No such file|Invalid|not supported"):
        perf.open_event(0xFFFFFF, 1, 0)


def test_looking_for_events_loads_no_ctypes_where_there_are_none(tmp_path: Path) -> None:
    code = f"import sys; from greennb.sources import perf; perf.probe('h', root={str(tmp_path)!r}); "
    code += "assert 'ctypes' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_counters_that_never_count_are_not_used(tmp_path: Path) -> None:
    """Some virtual machines list the platform's counter, and it stays at 0: an estimate is better than that."""
    rig = pmu(tmp_path, "energy-psys")
    result = perf.probe("h", root=rig.root, open_event=rig.open_event, patience_s=0.01)
    assert result.source is None
    assert "stand still" in result.reason


def test_a_counter_that_counts_is_used_beside_one_that_does_not(tmp_path: Path) -> None:
    rig = pmu(tmp_path, "energy-pkg", "energy-ram")
    counts = itertools.count(1)

    def open_event(kind: int, config: int, cpu: int) -> perf.Event:
        event = rig.open_event(kind, config, cpu)
        return (lambda: struct.pack("=Q", next(counts))) if config == CONFIGS["energy-pkg"] else event

    result = perf.probe("h", root=rig.root, open_event=open_event, patience_s=0.01)
    assert result.source is not None
    assert kinds(result.source) == [DomainKind.CPU_PACKAGE]
    assert [fault.domain.kind for fault in result.faults if fault.domain] == [DomainKind.DRAM]
    assert "stand still" in result.faults[0].reason
