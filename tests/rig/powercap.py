"""Powercap trees as real machines show them, written into a folder: file names, values and layout as recorded.

Each builder takes an empty folder and returns a ``Tree``. Values are those of the named machine where a kernel listing
of one is known; energies start at made-up figures. Nothing here shares code with ``greennb``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

INTEL_RANGE_UJ = 262_143_328_850
"""(2**32 - 1) units of 2**-14 J, as Intel client and server packages show it."""

INTEL_DRAM_RANGE_UJ = 65_712_999_613
"""(2**32 - 1) units of 15.3 uJ, as server DRAM shows it."""

AMD_RANGE_UJ = 65_532_610_987
"""(2**32 - 1) units of 2**-16 J, as AMD shows it."""


@dataclass
class Tree:
    """A powercap tree under ``root``, whose counters a test moves."""

    root: Path
    zones: dict[str, Path] = field(default_factory=dict)

    def zone(
        self,
        key: str,
        name: str,
        energy_uj: int = 1_000_000,
        range_uj: int | None = INTEL_RANGE_UJ,
        limits_uw: tuple[int, ...] = (),
        max_power_uw: int | None = None,
    ) -> Tree:
        """Add the zone ``key`` ("intel-rapl:0:1"), flat under the root as /sys/class/powercap lists it."""
        folder = self.root / key
        folder.mkdir(parents=True)
        self.zones[key] = folder
        (folder / "name").write_text(f"{name}\n")
        (folder / "energy_uj").write_text(f"{energy_uj}\n")
        (folder / "enabled").write_text("1\n")
        if range_uj is not None:
            (folder / "max_energy_range_uj").write_text(f"{range_uj}\n")
        for number, limit in enumerate(limits_uw):
            (folder / f"constraint_{number}_power_limit_uw").write_text(f"{limit}\n")
        if max_power_uw is not None:
            (folder / "constraint_0_max_power_uw").write_text(f"{max_power_uw}\n")
        return self

    def counter(self, key: str) -> Path:
        """The counter's file."""
        return self.zones[key] / "energy_uj"

    def write(self, key: str, content: str) -> None:
        """Put any text into the counter's file."""
        self.counter(key).write_text(content)

    def set(self, key: str, energy_uj: int) -> None:
        """Set the counter, as the kernel would show it."""
        self.write(key, f"{energy_uj}\n")

    def advance(self, **steps_uj: int) -> None:
        """Move counters on; a keyword is a key with "_" for each ":" and "-" ("intel_rapl_0")."""
        for key in self.zones:
            step = steps_uj.get(key.replace(":", "_").replace("-", "_"))
            if step is not None:
                self.set(key, int(self.counter(key).read_text()) + step)


def single_package(root: Path) -> Tree:
    """A desktop of 2020: one package with its cores and uncore, DRAM, and psys beside them."""
    return (
        Tree(root)
        .zone("intel-rapl:0", "package-0", 10_000_000, limits_uw=(125_000_000, 160_000_000), max_power_uw=125_000_000)
        .zone("intel-rapl:0:0", "core", 4_000_000)
        .zone("intel-rapl:0:1", "uncore", 500_000)
        .zone("intel-rapl:0:2", "dram", 2_000_000)
        .zone("intel-rapl:1", "psys", 30_000_000)
    )


def with_mmio(root: Path) -> Tree:
    """A laptop of 2021: the same package again through memory-mapped registers."""
    tree = (
        Tree(root)
        .zone("intel-rapl-mmio:0", "package-0", 10_000_000, limits_uw=(15_000_000,), max_power_uw=28_000_000)
        .zone("intel-rapl:0", "package-0", 10_000_000, limits_uw=(64_000_000,), max_power_uw=28_000_000)
        .zone("intel-rapl:0:0", "core", 4_000_000)
        .zone("intel-rapl:0:1", "uncore", 500_000)
    )
    (root / "intel-rapl").mkdir()
    (root / "intel-rapl-mmio").mkdir()
    return tree


def dual_socket(root: Path) -> Tree:
    """A server with two sockets, whose zones come in the other order than their sockets: names in them collide."""
    return (
        Tree(root)
        .zone("intel-rapl:0", "package-1", 10_000_000, max_power_uw=205_000_000)
        .zone("intel-rapl:0:0", "dram", 2_000_000, INTEL_DRAM_RANGE_UJ, max_power_uw=40_000_000)
        .zone("intel-rapl:1", "package-0", 20_000_000, max_power_uw=205_000_000)
        .zone("intel-rapl:1:0", "dram", 3_000_000, INTEL_DRAM_RANGE_UJ, max_power_uw=40_000_000)
    )


def multi_die(root: Path) -> Tree:
    """A server of two sockets with two dies each, whose zones are named by die."""
    tree = Tree(root)
    for index, (socket, die) in enumerate([(0, 0), (0, 1), (1, 0), (1, 1)]):
        tree.zone(f"intel-rapl:{index}", f"package-{socket}-die-{die}", 5_000_000 * (index + 1))
        tree.zone(f"intel-rapl:{index}:0", "dram", 1_000_000 * (index + 1), INTEL_DRAM_RANGE_UJ)
    return tree


def many_sockets(root: Path, sockets: int = 12) -> Tree:
    """A machine whose indexes have two digits."""
    tree = Tree(root)
    for index in range(sockets):
        tree.zone(f"intel-rapl:{index}", f"package-{index}", 1_000_000 * (index + 1))
    return tree


def amd(root: Path) -> Tree:
    """An AMD desktop: a package and a core zone, no DRAM."""
    return (
        Tree(root)
        .zone("intel-rapl:0", "package-0", 7_000_000, AMD_RANGE_UJ)
        .zone("intel-rapl:0:0", "core", 300_000, AMD_RANGE_UJ)
    )


def nested(root: Path) -> Tree:
    """The tree as /sys/devices/virtual/powercap shows it: control types, zones in them, zones in zones, and links."""
    tree = Tree(root / "intel-rapl")
    tree.zone("intel-rapl:0", "package-0", 10_000_000)
    package = tree.zones["intel-rapl:0"]
    inner = Tree(package).zone("intel-rapl:0:0", "dram", 2_000_000, INTEL_DRAM_RANGE_UJ)
    (package / "device").symlink_to("..")
    (package / "subsystem").symlink_to(root)
    return Tree(root, {**tree.zones, **inner.zones})


def linked(root: Path) -> Tree:
    """Both folders of sysfs: the nested tree in ``root/devices``, links to its zones in ``root/class``."""
    tree = nested(root / "devices")
    links = root / "class"
    links.mkdir()
    for key, folder in tree.zones.items():
        (links / key).symlink_to(folder)
    (links / "intel-rapl").symlink_to(root / "devices" / "intel-rapl")
    return Tree(links, {key: links / key for key in tree.zones})


def masked(root: Path) -> Tree:
    """What a container sees: the links of /sys/class/powercap, and nothing behind them."""
    root.mkdir(exist_ok=True)
    for key in ("intel-rapl", "intel-rapl:0", "intel-rapl:0:0"):
        (root / key).symlink_to(root / "masked" / key)
    return Tree(root)
