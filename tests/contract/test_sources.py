"""What every source promises, tried on each of them: a new source joins ``FACTORIES`` and changes nothing else here.

NVML's needs its library from the start of a process: the same suite runs again in a process that has the stub.
"""

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from greennb.model.reading import Fault, Method
from greennb.settings import Settings
from greennb.sources.base import Modelled, Sample, Source, reading
from greennb.testing import FakeClock, FakeSource
from tests.rig import amdgpu, battery, nvml, perf, powercap
from tests.rig.nvml import Gpu, NvmlRig

INSIDE = "GREENNB_CONTRACT_NVML"
"""Set in the process that sees the stub: the folder with its library."""


@dataclass
class Rigged:
    """A source, how to move its backing on, and how to take its backing away (None where that cannot be)."""

    source: Source
    advance: Callable[[], object] = lambda: None
    remove: Callable[[], object] | None = None


def fake(_folder: Path) -> Rigged:
    clock = FakeClock()
    return Rigged(FakeSource(40.0, clock=clock), advance=lambda: clock.sleep(0.1))


def rapl(folder: Path) -> Rigged:
    from greennb.sources.rapl import probe

    tree = powercap.dual_socket(folder)
    source = probe(str(tree.root), "h").source
    assert source is not None

    def remove() -> None:
        for key in tree.zones:
            tree.write(key, "")
            tree.counter(key).unlink()

    return Rigged(source, lambda: tree.advance(intel_rapl_0=61, intel_rapl_1_0=15), remove)


def estimate(_folder: Path) -> Rigged:
    from greennb.sources.estimate import probe

    result = probe("h", Settings())
    if result.source is None:
        pytest.skip(f"no estimate on this machine: {result.reason}")
    return Rigged(result.source)


def nvml_stub(folder: Path) -> Rigged:
    from greennb.sources.nvml import probe

    boards = (Gpu(), Gpu(uuid="GPU-2", energy_fault=nvml.NOT_SUPPORTED))
    rig = NvmlRig(folder, Path(os.environ[INSIDE]) / nvml.LIBRARY, boards)
    os.environ["GREENNB_NVML_STUB"] = str(rig.file)
    source = probe("h", {}).source
    assert source is not None
    return Rigged(
        source, remove=lambda: rig.set([Gpu(fault=nvml.GPU_IS_LOST), Gpu(uuid="GPU-2", fault=nvml.GPU_IS_LOST)])
    )


def amd_cards(folder: Path) -> Rigged:
    """One card with power alone, one with a counter."""
    from greennb.sources.amdgpu import probe

    machine = amdgpu.Machine(folder)
    boards = [machine.card(0, "0000:03:00.0", "1"), machine.card(1, "0000:1e:00.0", "2")]
    energies_uj = iter(range(1_000_000, 100_000_000, 5_000))
    boards[1].write("energy1_input", next(energies_uj))
    source = probe("h", root=machine.root).source
    assert source is not None
    return Rigged(
        source, lambda: boards[1].write("energy1_input", next(energies_uj)), lambda: [b.unload() for b in boards]
    )


def amd_apu(folder: Path) -> Rigged:
    from greennb.sources.amdgpu import probe

    machine = amdgpu.Machine(folder)
    board = machine.apu()
    source = probe("h", root=machine.root, apus=True).source
    assert source is not None
    return Rigged(source, remove=board.unload)


def laptop(folder: Path) -> Rigged:
    from greennb.sources.battery import probe

    supplies = battery.on_battery(folder)
    source = probe("h", root=str(supplies.root)).source
    assert source is not None
    return Rigged(source, remove=lambda: supplies.remove("BAT0", "status"))


def perf_events(folder: Path) -> Rigged:
    from greennb.sources.perf import probe

    pmu = perf.pmu(folder, "energy-pkg", "energy-cores", "energy-ram", cpus={0: 0, 28: 1})
    source = probe("h", root=pmu.root, open_event=pmu.open_event, patience_s=0).source
    assert source is not None
    joules = iter(range(1, 1_000_000))
    return Rigged(
        source,
        advance=lambda: pmu.set_joules("energy-pkg", 28, next(joules) * 0.01),
        remove=lambda: [file.unlink() for file in folder.glob("count-*")],
    )


FACTORIES = [nvml_stub] if INSIDE in os.environ else [fake, rapl, estimate, amd_cards, amd_apu, laptop, perf_events]


@pytest.fixture(params=FACTORIES, ids=lambda factory: factory.__name__)
def rigged(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Rigged]:
    result = request.param(tmp_path)
    yield result
    result.source.close()


def cumulative(sample: Sample) -> int:
    assert not isinstance(sample, Fault), sample.reason
    return sample.uj if isinstance(sample, Modelled) else sample


def test_it_is_a_source_with_a_name_and_distinct_domains(rigged: Rigged) -> None:
    source = rigged.source
    assert isinstance(source, Source)
    assert source.name
    assert len({channel.domain for channel in source.channels}) == len(source.channels) > 0
    assert all(
        channel.domain.device and channel.domain.label and channel.max_power_w > 0 for channel in source.channels
    )


def test_a_sample_answers_each_channel_with_its_methods_type(rigged: Rigged) -> None:
    """Whole microjoules or milliwatts, or a model's figure inside its bounds."""
    samples = rigged.source.sample()
    assert len(samples) == len(rigged.source.channels)
    for channel, sample in zip(rigged.source.channels, samples, strict=True):
        if channel.method is Method.ESTIMATED:
            assert isinstance(sample, Modelled)
            assert sample.low_uj <= sample.uj <= sample.high_uj
        else:
            assert type(sample) is int
            assert sample >= 0
        assert reading(channel, 1, sample).domain == channel.domain


def test_energy_never_goes_back(rigged: Rigged) -> None:
    counts = [i for i, channel in enumerate(rigged.source.channels) if channel.method is not Method.INTEGRATED]
    before = rigged.source.sample()
    for _ in range(50):
        rigged.advance()
        after = rigged.source.sample()
        assert all(cumulative(after[i]) >= cumulative(before[i]) for i in counts)
        before = after


def test_many_threads_may_sample_at_once(rigged: Rigged) -> None:
    """Nothing is raised, every answer is whole, and no counter goes back within a thread."""
    failures: list[object] = []

    def work() -> None:
        try:
            last = [0] * len(rigged.source.channels)
            for _ in range(200):
                values = [cumulative(sample) for sample in rigged.source.sample()]
                for i, channel in enumerate(rigged.source.channels):
                    if channel.method is not Method.INTEGRATED and values[i] < last[i]:
                        failures.append((last[i], values[i]))
                last = values
        except BaseException as error:  # noqa: BLE001 - the test's own thread reports it
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == []


def test_when_the_backing_goes_away_each_channel_has_a_fault_and_no_zero(rigged: Rigged) -> None:
    if rigged.remove is None:
        pytest.skip("this source's backing cannot be taken away")
    rigged.source.sample()
    rigged.remove()
    for _ in range(3):
        samples = rigged.source.sample()
        assert len(samples) == len(rigged.source.channels)
        for channel, sample in zip(rigged.source.channels, samples, strict=True):
            assert isinstance(sample, Fault)
            assert sample.domain == channel.domain
            assert sample.reason
            assert sample.hint
            assert sample.t_ns > 0


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="open files are counted in /proc")
@pytest.mark.parametrize("factory", FACTORIES, ids=lambda factory: factory.__name__)
def test_close_releases_every_file_and_may_be_called_twice(factory: Callable[[Path], Rigged], tmp_path: Path) -> None:
    for name in ("warm", "counted"):  # the first look may load libraries, which stay
        folder = tmp_path / name
        folder.mkdir()
        before = len(list(Path("/proc/self/fd").iterdir()))
        source = factory(folder).source
        source.sample()
        source.after_fork()
        source.sample()
        source.close()
        source.close()
        after = len(list(Path("/proc/self/fd").iterdir()))
    assert after == before


def test_sampling_and_forking_after_close_raise_nothing(rigged: Rigged) -> None:
    rigged.source.close()
    rigged.source.after_fork()
    assert len(rigged.source.sample()) == len(rigged.source.channels)


def test_close_while_others_sample_raises_nothing(rigged: Rigged) -> None:
    """A sample that is on its way ends well, and none reads a file that is somebody else's by now."""
    failures: list[object] = []
    stop = threading.Event()

    def work() -> None:
        while not stop.is_set():
            try:
                if len(rigged.source.sample()) != len(rigged.source.channels):
                    failures.append("short")
            except BaseException as error:  # noqa: BLE001 - the test's own thread reports it
                failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    rigged.source.sample()
    rigged.source.close()
    stop.set()
    for thread in threads:
        thread.join(60)
    assert failures == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_a_forked_child_samples_for_itself(rigged: Rigged) -> None:
    """After ``after_fork`` the child gets numbers, may close, and the parent goes on undisturbed."""
    rigged.source.sample()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            rigged.source.after_fork()
            good = [not isinstance(sample, Fault) for sample in rigged.source.sample()]
            rigged.source.close()
            status = 0 if all(good) and len(good) == len(rigged.source.channels) else 2
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert not any(isinstance(sample, Fault) for sample in rigged.source.sample())


@pytest.mark.skipif(INSIDE in os.environ, reason="this is the process with the stub")
def test_nvml_keeps_the_contract_too(tmp_path: Path) -> None:
    """This very file, in a process whose NVML is the stub."""
    if not nvml.can_build():
        pytest.skip("no gcc: the NVML stub cannot be built")
    library = nvml.build(tmp_path)
    environ = NvmlRig(tmp_path, library).environ(**{INSIDE: str(tmp_path)})
    root = Path(__file__).parents[2]
    command = [sys.executable, "-m", "pytest", __file__, "-q", "-p", "no:cacheprovider"]
    result = subprocess.run(command, env=environ, cwd=root, capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, result.stdout + result.stderr
    assert " passed" in result.stdout
