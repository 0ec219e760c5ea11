"""Which sources are chosen, and that each other one keeps the reason why it is not."""

from pathlib import Path

import pytest

from greennb.model.errors import BadInputError
from greennb.model.reading import Fault
from greennb.settings import Settings
from greennb.sources import amdgpu, battery, perf
from greennb.sources.base import Probe
from greennb.sources.detect import CANDIDATES, Candidate, Detection, detect
from greennb.testing import FakeClock, FakeSource
from tests.rig import powercap
from tests.rig.amdgpu import Machine
from tests.rig.battery import on_battery
from tests.rig.perf import pmu


def names(detection: Detection) -> list[str]:
    return [source.name for source in detection.sources]


def reasons(detection: Detection) -> dict[str, str]:
    return {probe.name: probe.reason for probe in detection.probes}


def on(tree: Path, sources: str = "rapl,estimate") -> Settings:
    return Settings(rapl_root=str(tree), sources=sources)


def test_where_rapl_reads_the_cpu_nothing_is_estimated(tmp_path: Path) -> None:
    detection = detect(on(powercap.dual_socket(tmp_path).root), "h")
    assert names(detection) == ["rapl"]
    assert reasons(detection)["estimate"] == "Not needed: rapl reads the CPU."


def test_where_rapl_is_refused_the_cpu_is_estimated_and_the_refusal_kept(tmp_path: Path) -> None:
    detection = detect(on(powercap.masked(tmp_path).root), "h")
    assert "hidden" in reasons(detection)["rapl"]
    assert names(detection) in (["estimate"], [])  # a machine without busy times has neither
    assert reasons(detection)["estimate"]


def test_dram_alone_is_no_cpu(tmp_path: Path) -> None:
    """The CPU is estimated beside a package that cannot be read, and the fault stays."""
    tree = powercap.dual_socket(tmp_path)
    tree.write("intel-rapl:0", "")
    tree.write("intel-rapl:1", "")
    detection = detect(on(tree.root), "h")
    assert names(detection)[0] == "rapl"
    assert not reasons(detection)["estimate"].startswith("Not needed")
    assert len(detection.faults) == 2


def test_every_known_source_is_answered_for_in_the_tables_order(tmp_path: Path) -> None:
    detection = detect(on(tmp_path, ""), "h")
    assert [probe.name for probe in detection.probes] == [
        "nvml", "amdgpu", "rapl", "apple", "perf", "amdapu", "battery", "estimate",
    ]  # fmt: skip
    assert all(probe.reason for probe in detection.probes)


def test_only_the_sources_that_are_asked_for_are_probed(tmp_path: Path) -> None:
    """Order, blanks, case and repetition do not matter."""
    detection = detect(on(powercap.amd(tmp_path).root, " RAPL, rapl ,"), "h")
    assert names(detection) == ["rapl"]
    assert reasons(detection)["nvml"] == 'Left out: the setting "sources" asks for rapl.'


def test_the_estimate_alone_may_be_asked_for_where_rapl_works(tmp_path: Path) -> None:
    detection = detect(on(powercap.amd(tmp_path).root, "estimate"), "h")
    assert "rapl" not in names(detection)
    assert not reasons(detection)["estimate"].startswith("Not needed")


def test_an_unknown_source_names_the_choices() -> None:
    with pytest.raises(BadInputError, match='There is no source "wattmeter": choose from nvml, amdgpu, rapl, apple'):
        detect(Settings(sources="rapl,wattmeter"), "h")


def test_a_driver_that_raises_anything_costs_only_itself() -> None:
    """Hardware never makes detection fail."""

    def broken(_settings: Settings, _host: str) -> Probe:
        raise RuntimeError("the library is confused")

    def works(_settings: Settings, _host: str) -> Probe:
        fault = Fault(domain=None, t_ns=0, reason="one of two")
        return Probe(name="works", source=FakeSource(clock=FakeClock()), reason="ok", faults=(fault,))

    detection = detect(Settings(), "h", (Candidate("broken", broken), Candidate("works", works)))
    assert names(detection) == ["fake"]
    assert "RuntimeError: the library is confused" in reasons(detection)["broken"]
    assert [fault.reason for fault in detection.faults] == ["one of two"]


def test_bad_input_is_not_mistaken_for_bad_hardware() -> None:
    def picky(_settings: Settings, _host: str) -> Probe:
        raise BadInputError("Give another root.")

    with pytest.raises(BadInputError, match="another root"):
        detect(Settings(), "h", (Candidate("picky", picky),))


@pytest.fixture
def laptop(tmp_path: Path) -> tuple[Candidate, ...]:
    """The table on a laptop on battery, with an AMD card, an APU and perf events; powercap is the settings' tree."""
    machine = Machine(tmp_path / "sys")
    machine.card()
    machine.apu()
    supplies = on_battery(tmp_path / "supplies")
    events = pmu(tmp_path / "perf", "energy-pkg", "energy-ram")
    here: dict[str, object] = {
        "amdgpu": lambda _settings, host: amdgpu.probe(host, root=machine.root),
        "amdapu": lambda _settings, host: amdgpu.probe(host, root=machine.root, apus=True),
        "perf": lambda _settings, host: perf.probe(host, root=events.root, open_event=events.open_event, patience_s=0),
        "battery": lambda _settings, host: battery.probe(host, root=str(supplies.root)),
    }
    return tuple(candidate._replace(probe=here.get(candidate.name, candidate.probe)) for candidate in CANDIDATES)


def test_a_card_stands_beside_the_cpus_counter_and_an_apu_does_not(
    tmp_path: Path, laptop: tuple[Candidate, ...]
) -> None:
    """An APU's power holds the CPU's, which rapl has already; perf has the same counters as rapl."""
    tree = powercap.amd(tmp_path / "powercap").root
    detection = detect(on(tree, "amdgpu,rapl,perf,amdapu,battery,estimate"), "h", laptop)
    assert names(detection) == ["amdgpu", "rapl"]
    assert reasons(detection)["perf"] == "Not needed: rapl reads the same counters."
    assert reasons(detection)["amdapu"] == "Not needed: rapl reads the CPU."
    assert reasons(detection)["battery"] == "Not used: its joules contain those that amdgpu reads."
    assert reasons(detection)["estimate"] == "Not needed: rapl reads the CPU."


@pytest.mark.parametrize(
    ("asked", "used"),
    [
        ("rapl,perf,amdapu,battery,estimate", ["perf"]),
        ("rapl,amdapu,battery,estimate", ["amdapu"]),
        ("rapl,battery,estimate", ["battery"]),
        ("battery,amdgpu", ["amdgpu"]),
        ("battery", ["battery"]),
    ],
)
def test_the_best_that_is_left_reads_the_cpu_alone(
    tmp_path: Path, laptop: tuple[Candidate, ...], asked: str, used: list[str]
) -> None:
    """No two of these may ever be used at once: each holds the CPU's joules. Asking for one alone gives that one."""
    assert names(detect(on(tmp_path / "no-powercap", asked), "h", laptop)) == used


def test_dram_alone_of_rapl_keeps_perf_from_counting_it_again(tmp_path: Path, laptop: tuple[Candidate, ...]) -> None:
    tree = powercap.dual_socket(tmp_path / "powercap")
    tree.write("intel-rapl:0", "")
    tree.write("intel-rapl:1", "")
    assert names(detect(on(tree.root, "rapl,perf"), "h", laptop)) == ["rapl"]
