"""The battery tells the machine's power only while it alone feeds the machine; anything else is said, not guessed."""

import time
from pathlib import Path

import pytest

from greennb.meter.meter import Meter
from greennb.model.reading import DomainKind, Fault, Method
from greennb.sources import battery
from greennb.sources.base import Source
from tests.rig.battery import DELL, MAINS, MOUSE, SECOND, THINKPAD, Laptop, on_battery


def found(laptop: Laptop) -> Source:
    result = battery.probe("h", root=str(laptop.root))
    assert result.source is not None, result.reason
    return result.source


def refusal(laptop: Laptop) -> str:
    result = battery.probe("h", root=str(laptop.root))
    assert result.source is None
    assert result.faults == ()
    return result.reason


def fault(source: Source) -> Fault:
    (sample,) = source.sample()
    assert isinstance(sample, Fault)
    return sample


def test_power_in_microwatts_becomes_milliwatts_of_the_whole_machine(tmp_path: Path) -> None:
    source = found(on_battery(tmp_path))
    (channel,) = source.channels
    assert list(source.sample()) == [27_758]
    assert channel.method is Method.INTEGRATED
    assert channel.domain.kind is DomainKind.BATTERY
    assert channel.domain.label == "Battery BAT0"
    assert "whole machine" in channel.note


def test_current_times_voltage_is_power(tmp_path: Path) -> None:
    """413,000 uA at 12,729,000 uV are 5.257 W."""
    assert list(found(Laptop(tmp_path).add("BAT0", DELL)).sample()) == [5_257]


@pytest.mark.parametrize("files", [{**THINKPAD, "power_now": -27_758_000}, {**DELL, "current_now": -413_000}])
def test_drivers_that_give_discharge_a_minus_are_read_alike(tmp_path: Path, files: dict[str, str | int]) -> None:
    """The class's document says minus while discharging, ACPI says plus."""
    (sample,) = found(Laptop(tmp_path).add("BAT0", files)).sample()
    assert sample in (27_758, 5_257)


@pytest.mark.parametrize("status", ["Charging", "Full", "Not charging", "Unknown"])
def test_on_mains_it_is_refused_with_what_to_do(tmp_path: Path, status: str) -> None:
    result = battery.probe("h", root=str(Laptop(tmp_path).add("BAT0", {**THINKPAD, "status": status}).root))
    assert result.source is None
    assert result.reason.startswith("On mains the battery says nothing of what the machine draws")
    assert f"BAT0: {status}" in result.reason
    assert "Unplug the charger" in result.hint


@pytest.mark.parametrize("kind", ["Mains", "USB", "Wireless"])
def test_a_charger_that_helps_a_discharging_battery_makes_it_say_nothing(tmp_path: Path, kind: str) -> None:
    """A weak charger feeds a part of the machine: the battery's power is then less than the machine's."""
    laptop = on_battery(tmp_path).add("ADP1", {"type": kind, "online": 1})
    assert "ADP1 feeds the machine" in refusal(laptop)


@pytest.mark.parametrize(("supply", "file", "content"), [("AC", "online", 1), ("BAT0", "status", "Charging")])
def test_plugging_in_within_a_window_is_a_fault_until_it_is_unplugged(
    tmp_path: Path, supply: str, file: str, content: str | int
) -> None:
    laptop = on_battery(tmp_path)
    source = found(laptop)
    before = (laptop.root / supply / file).read_text()
    laptop.write(supply, file, content)
    assert "feeds the machine" in fault(source).reason
    assert "unplug the charger" in fault(source).hint
    (laptop.root / supply / file).write_text(before)
    assert list(source.sample()) == [27_758]


def test_a_window_in_which_the_charger_comes_is_partial_and_says_why(tmp_path: Path) -> None:
    """The time on mains is a gap: no joules are made up for it, and none before it are lost."""
    laptop = on_battery(tmp_path)
    meter = Meter([found(laptop)])
    with meter.measure("cell") as window:
        time.sleep(0.35)
        laptop.write("AC", "online", 1)
        time.sleep(0.35)
    result = window.result
    (energy,) = result.energies
    assert result.partial
    assert ["AC feeds the machine" in fault.reason for fault in result.faults] == [True]
    assert 0.1 < energy.coverage < 0.9
    assert energy.gross_j == pytest.approx(27.758 * energy.coverage * result.duration_s, rel=0.02)


def test_two_batteries_are_one_machine(tmp_path: Path) -> None:
    """One empties while the other rests; then both feed it. A resting one adds nothing and is no fault."""
    laptop = on_battery(tmp_path).add("BAT1", SECOND)
    source = found(laptop)
    assert len(source.channels) == 1
    assert source.channels[0].domain.label == "Battery BAT0 + BAT1"
    assert list(source.sample()) == [27_758]
    laptop.write("BAT1", "status", "Discharging")
    laptop.write("BAT1", "power_now", 2_000_000)
    assert list(source.sample()) == [29_758]


def test_one_battery_that_charges_another_tells_nothing(tmp_path: Path) -> None:
    laptop = on_battery(tmp_path).add("BAT1", {**SECOND, "status": "Charging"})
    assert "BAT1: Charging" in refusal(laptop)


def test_a_mouses_battery_and_an_empty_bay_are_not_the_machines(tmp_path: Path) -> None:
    laptop = Laptop(tmp_path).add("AC", MAINS).add("hid-mouse", MOUSE).add("BAT1", {**SECOND, "present": 0})
    assert refusal(laptop).startswith(f"There is no battery of this machine under {tmp_path}")


@pytest.mark.parametrize("content", ["0", "", "garbage", "900000000000"])
def test_a_gauge_without_a_figure_is_a_fault_and_recovers(tmp_path: Path, content: str) -> None:
    """A machine that is on never draws 0 W: gauges say so for seconds after the charger is gone."""
    laptop = on_battery(tmp_path)
    source = found(laptop)
    laptop.write("BAT0", "power_now", content)
    assert fault(source).reason
    assert fault(source).hint
    laptop.write("BAT0", "power_now", 12_000_000)
    assert list(source.sample()) == [12_000]


@pytest.mark.parametrize(("supply", "file"), [("BAT0", "power_now"), ("BAT0", "status"), ("AC", "online")])
def test_a_file_that_vanishes_is_a_fault_and_recovers(tmp_path: Path, supply: str, file: str) -> None:
    """Without the charger's file nobody knows whether the battery is alone."""
    laptop = on_battery(tmp_path)
    source = found(laptop)
    before = (laptop.root / supply / file).read_text()
    laptop.remove(supply, file)
    assert fault(source).reason == "its sensor is gone"
    (laptop.root / supply / file).write_text(before)
    assert list(source.sample()) == [27_758]


def test_a_gauge_that_has_no_figure_from_the_start_is_refused(tmp_path: Path) -> None:
    """It would only be in the way of an estimate."""
    assert "0 W" in refusal(Laptop(tmp_path).add("BAT0", {**THINKPAD, "power_now": 0}))


def test_machines_without_the_class_are_refused_in_words(tmp_path: Path) -> None:
    assert str(tmp_path / "none") in refusal(Laptop(tmp_path / "none"))


def test_faults_carry_the_given_clocks_time_and_close_is_told(tmp_path: Path) -> None:
    laptop = on_battery(tmp_path)
    supplies = battery.Supplies(batteries=(tmp_path / "BAT0",), chargers=())
    source = battery.BatterySource(supplies, found(laptop).channels[0], now_ns=lambda: 42)
    source.close()
    assert (fault(source).t_ns, fault(source).reason) == (42, "the source is closed")
