"""Power supplies as Linux shows them in /sys/class/power_supply, written into a folder.

File names and units are those of Documentation/ABI/testing/sysfs-class-power; figures are of listings that owners
published: a ThinkPad with two batteries (one discharging at 27.758 W, one empty) and a Dell whose battery tells current
and voltage. Nothing here shares code with ``greennb``.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

THINKPAD = {
    "type": "Battery", "status": "Discharging", "present": 1, "technology": "Li-poly", "model_name": "00HW022",
    "voltage_min_design": 11_250_000, "voltage_now": 10_459_000, "power_now": 27_758_000, "energy_full": 25_860_000,
    "energy_now": 2_420_000, "capacity": 9,
}  # fmt: skip
SECOND = {**THINKPAD, "status": "Unknown", "power_now": 0, "energy_now": 0, "capacity": 0}
DELL = {
    "type": "Battery", "status": "Discharging", "present": 1, "technology": "Li-poly", "model_name": "DELL PN1VN08",
    "voltage_min_design": 11_400_000, "voltage_now": 12_729_000, "current_now": 413_000, "charge_now": 3_692_000,
    "capacity": 98,
}  # fmt: skip
MOUSE = {
    "type": "Battery", "scope": "Device", "status": "Discharging", "present": 1, "capacity": 55,
    "voltage_now": 3_900_000, "model_name": "Wireless Mouse",
}  # fmt: skip
MAINS = {"type": "Mains", "online": 0}


@dataclass
class Laptop:
    """A /sys/class/power_supply with whatever supplies were added."""

    root: Path

    def add(self, name: str, files: dict[str, str | int]) -> Laptop:
        """A supply with these files."""
        (self.root / name).mkdir(parents=True)
        for file, content in files.items():
            self.write(name, file, content)
        return self

    def write(self, name: str, file: str, content: str | int) -> None:
        """Put a line into a supply's file."""
        (self.root / name / file).write_text(f"{content}\n")

    def remove(self, name: str, file: str) -> None:
        """Take a supply's file away."""
        (self.root / name / file).unlink()


def on_battery(root: Path) -> Laptop:
    """A laptop with one battery that feeds it, a charger that is out, and a mouse."""
    return Laptop(root).add("AC", MAINS).add("BAT0", THINKPAD).add("hidpp_battery_0", MOUSE)
