"""AMD boards as Linux shows them in /sys/class/drm, written into a folder.

File names and units are those of "DOC: hwmon" in drivers/gpu/drm/amd/pm/amdgpu_pm.c, and which board has which file is
its ``hwmon_attributes_visible``. Watts are of listings that owners published: a card at 18.00 W with a limit of 220 W,
and the APU of a ThinkPad T14s gen 3 at 17.08 W; names and numbers of the boards are made up. Links are as in sysfs:
class/drm/cardN leads to the card in its PCI device's folder, ``device`` back to that. Nothing here shares code with
``greennb``.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

CARD_UW = 18_000_000
CARD_CAP_UW = 220_000_000
APU_UW = 17_080_000


@dataclass
class Board:
    """One board; ``folder`` is its PCI device's."""

    folder: Path
    hwmon: Path

    def write(self, name: str, content: str | int) -> None:
        """Put a line into one of its sensors' files."""
        (self.hwmon / name).write_text(f"{content}\n")

    def describe(self, name: str, content: str) -> None:
        """Put a line into a file of the device itself."""
        (self.folder / name).parent.mkdir(exist_ok=True)
        (self.folder / name).write_text(f"{content}\n")

    def unload(self) -> None:
        """The driver goes, and its sensors with it."""
        shutil.rmtree(self.hwmon)

    def reload(self, number: int) -> None:
        """The driver comes back: its sensors have another number."""
        self.hwmon = self.folder / "hwmon" / f"hwmon{number}"
        self.hwmon.mkdir(parents=True)
        self.write("name", "amdgpu")


@dataclass
class Machine:
    """A /sys/class/drm with whatever boards were added."""

    sys: Path

    @property
    def root(self) -> str:
        """The folder that the source looks into."""
        return str(self.sys / "class/drm")

    def add(self, number: int, address: str, driver: str = "amdgpu") -> Board:
        """A graphics device without any power sensor."""
        folder = self.sys / "devices/pci0000:00" / address
        card = folder / "drm" / f"card{number}"
        hwmon = folder / "hwmon" / f"hwmon{number + 3}"
        for each in (card, hwmon, self.sys / "class/drm"):
            each.mkdir(parents=True, exist_ok=True)
        (card / "device").symlink_to("../..")
        (card / f"card{number}-DP-1").mkdir()
        for name, target in ((f"card{number}", card), (f"card{number}-DP-1", card / f"card{number}-DP-1")):
            (self.sys / "class/drm" / name).symlink_to(target)
        board = Board(folder, hwmon)
        board.write("name", driver)
        board.write("in0_input", 920)
        board.describe("power/runtime_status", "active")
        return board

    def card(self, number: int = 0, address: str = "0000:1e:00.0", unique_id: str = "4b5c6d7e8f901234") -> Board:
        """A graphics card with an averaged power and a limit."""
        board = self.add(number, address)
        board.write("power1_average", CARD_UW)
        board.write("power1_cap", CARD_CAP_UW)
        board.write("power1_cap_max", CARD_CAP_UW)
        board.write("freq2_input", 875_000_000)
        board.describe("device", "0x731f")
        board.describe("product_name", "AMD Radeon RX 5700 XT")
        if unique_id:
            board.describe("unique_id", unique_id)
        return board

    def apu(self, number: int = 1, address: str = "0000:33:00.0") -> Board:
        """A laptop's APU: a northbridge voltage, a power, and neither limit nor product name."""
        board = self.add(number, address)
        board.write("in1_input", 724)
        board.write("in1_label", "vddnb")
        board.write("power1_average", APU_UW)
        board.describe("device", "0x1681")
        return board
