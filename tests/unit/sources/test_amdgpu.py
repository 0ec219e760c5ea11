"""AMD GPUs and APUs: units, which file counts, what a sleeping, vanishing or lying board becomes."""

import sys
from pathlib import Path

import pytest

from greennb.model.reading import DomainKind, Fault, Method
from greennb.sources import amdgpu
from greennb.sources.base import Probe, Source
from tests.rig.amdgpu import Machine

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="sysfs is made of links with colons in their names")


def found(machine: Machine, *, apus: bool = False) -> Source:
    result = amdgpu.probe("h", root=machine.root, apus=apus)
    assert result.source is not None, result.reason
    return result.source


def fault(source: Source) -> Fault:
    (sample,) = source.sample()
    assert isinstance(sample, Fault)
    return sample


def refused(result: Probe) -> str:
    assert result.source is None
    return result.reason


def test_a_card_without_a_counter_tells_milliwatts(tmp_path: Path) -> None:
    """18,000,000 uW are 18,000 mW, and the limit of 220 W bounds what it can draw."""
    machine = Machine(tmp_path)
    machine.card()
    source = found(machine)
    (channel,) = source.channels
    assert list(source.sample()) == [18_000]
    assert channel.method is Method.INTEGRATED
    assert channel.max_power_w == 440.0
    assert channel.domain.kind is DomainKind.GPU
    assert channel.domain.label == "AMD Radeon RX 5700 XT (0000:1e:00.0)"
    assert "ROCR_VISIBLE_DEVICES" in channel.note


def test_a_counter_that_counts_is_preferred_and_is_microjoules(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    machine.card().write("energy1_input", 123_456_789)
    source = found(machine)
    assert source.channels[0].method is Method.COUNTER
    assert source.channels[0].wrap_uj is None
    assert list(source.sample()) == [123_456_789]


@pytest.mark.parametrize("content", ["0", "", "garbage", "-7"])
def test_a_counter_that_does_not_count_leaves_power(tmp_path: Path, content: str) -> None:
    machine = Machine(tmp_path)
    machine.card().write("energy1_input", content)
    source = found(machine)
    assert source.channels[0].method is Method.INTEGRATED
    assert list(source.sample()) == [18_000]


def test_a_counter_that_fails_is_a_fault_and_never_power(tmp_path: Path) -> None:
    """A method is never changed in silence."""
    machine = Machine(tmp_path)
    board = machine.card()
    board.write("energy1_input", 5_000_000)
    source = found(machine)
    (board.hwmon / "energy1_input").unlink()
    assert fault(source).reason == "its sensor is gone"
    board.write("energy1_input", 6_000_000)
    assert list(source.sample()) == [6_000_000]


def test_instantaneous_power_is_read_where_there_is_no_average(tmp_path: Path) -> None:
    """Since Linux 6.6 a product may have ``power1_input`` alone."""
    machine = Machine(tmp_path)
    board = machine.card()
    (board.hwmon / "power1_average").rename(board.hwmon / "power1_input")
    assert list(found(machine).sample()) == [18_000]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "its sensor's file is empty or holds no number"),
        ("N/A", "its sensor's file is empty or holds no number"),
        ("0", "its sensor says 0 uW, which a board that is on never draws"),
        ("-4000000", "its sensor says -4000000 uW, which a board that is on never draws"),
        ("4294967295", "its sensor says 4295 W, more than it can draw"),
    ],
)
def test_nonsense_is_a_fault_until_the_sensor_recovers(tmp_path: Path, content: str, reason: str) -> None:
    machine = Machine(tmp_path)
    board = machine.card()
    source = found(machine)
    board.write("power1_average", content)
    assert fault(source).reason == reason
    assert fault(source).hint
    board.write("power1_average", 25_000_000)
    assert list(source.sample()) == [25_000]


def test_a_driver_that_is_loaded_again_is_read_from_its_new_place(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    board = machine.card()
    source = found(machine)
    board.unload()
    assert fault(source).reason == "its sensor is gone"
    board.reload(9)
    board.write("power1_average", 30_000_000)
    assert list(source.sample()) == [30_000]


def test_a_sleeping_card_is_not_read_and_not_woken(tmp_path: Path) -> None:
    """Its file still holds a figure, and reading that would wake the card on older kernels."""
    machine = Machine(tmp_path)
    board = machine.card()
    source = found(machine)
    board.describe("power/runtime_status", "suspended")
    assert fault(source).reason == "it sleeps or is being reset, and tells no power then"
    board.describe("power/runtime_status", "active")
    assert list(source.sample()) == [18_000]


def test_one_card_that_fails_costs_the_other_nothing(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    bad, good = machine.card(0, "0000:03:00.0", "1"), machine.card(1, "0000:04:00.0", "2")
    source = found(machine)
    bad.unload()
    good.write("power1_average", 99_000_000)
    first, second = source.sample()
    assert isinstance(first, Fault)
    assert first.domain == source.channels[0].domain
    assert second == 99_000


@pytest.mark.parametrize("unique_id", ["", "0000000000000000", "4b5c6d7e8f901234"])
def test_two_cards_of_one_name_are_two_domains(tmp_path: Path, unique_id: str) -> None:
    """Also where their numbers are missing, void or the same."""
    machine = Machine(tmp_path)
    machine.card(0, "0000:03:00.0", unique_id)
    machine.card(1, "0000:04:00.0", unique_id)
    domains = [channel.domain for channel in found(machine).channels]
    assert [domain.device for domain in domains] == ["pci-0000:03:00.0", "pci-0000:04:00.0"]
    assert domains[0].label != domains[1].label


def test_a_chips_own_number_names_it_wherever_it_is_plugged(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    machine.card()
    assert found(machine).channels[0].domain.device == "GPU-4b5c6d7e8f901234"


def test_two_nodes_of_one_board_count_once(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    machine.card()
    (tmp_path / "class/drm/card7").symlink_to(tmp_path / "class/drm/card0", target_is_directory=True)
    assert len(found(machine).channels) == 1


def test_an_apu_is_a_chip_of_its_own_source_and_never_a_card(tmp_path: Path) -> None:
    """Its power holds the CPU's: it must not stand beside a CPU's source as a card may."""
    machine = Machine(tmp_path)
    machine.apu()
    reason = refused(amdgpu.probe("h", root=machine.root))
    assert reason == "There is no AMD graphics card; AMD APU (0000:33:00.0) is for the source amdapu."
    source = found(machine, apus=True)
    assert source.name == "amdapu"
    assert source.channels[0].domain.kind is DomainKind.SOC
    assert list(source.sample()) == [17_080]
    assert "CPU and GPU together" in source.channels[0].note


def test_card_and_apu_go_to_their_sources(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    machine.card(0)
    machine.apu(1)
    assert [list(found(machine, apus=apus).sample()) for apus in (False, True)] == [[18_000], [17_080]]


def test_the_mi300a_is_an_apu_though_it_shows_no_northbridge(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    machine.card().describe("device", "0x74a0")
    assert found(machine, apus=True).channels[0].domain.kind is DomainKind.SOC


def test_an_apu_that_tells_nothing_leaves_the_cpu_to_others(tmp_path: Path) -> None:
    """It stands in for an estimate: with a sensor that does not work it would only be in its way."""
    machine = Machine(tmp_path)
    machine.apu().write("power1_average", 0)
    assert "0 uW" in refused(amdgpu.probe("h", root=machine.root, apus=True))


def test_a_card_without_power_is_a_fault_beside_others_and_a_refusal_alone(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    machine.add(0, "0000:03:00.0")
    alone = amdgpu.probe("h", root=machine.root)
    assert refused(alone) == "AMD GPU (0000:03:00.0): the driver shows neither energy nor power of it."
    assert len(alone.faults) == 1
    machine.card(1)
    both = amdgpu.probe("h", root=machine.root)
    assert both.source is not None
    assert [fault.reason for fault in both.faults] == ["the driver shows neither energy nor power of it"]


def test_other_drivers_cards_are_left_alone(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    machine.add(0, "0000:00:02.0", driver="i915").write("energy1_input", 5)
    assert "shows no graphics card" in refused(amdgpu.probe("h", root=machine.root))


def test_where_there_is_no_such_folder_the_reason_names_it(tmp_path: Path) -> None:
    assert str(tmp_path / "none") in refused(amdgpu.probe("h", root=str(tmp_path / "none")))


def test_faults_carry_the_given_clocks_time_and_close_is_told(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    board = machine.card()
    boards = [amdgpu.Board(folder=board.folder, is_apu=False)]
    source = amdgpu.AmdGpuSource("amdgpu", boards, found(machine).channels, now_ns=lambda: 42)
    source.close()
    assert (fault(source).t_ns, fault(source).reason) == (42, "the source is closed")
