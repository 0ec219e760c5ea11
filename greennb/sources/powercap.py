"""The Linux powercap tree: which energy zones are there, and which of them to count so that no joule counts twice.

A zone is a folder such as ``intel-rapl:0`` (a top zone) or ``intel-rapl:0:1`` (a zone inside it) with the files
``name``, ``energy_uj`` and ``max_energy_range_uj``; see Documentation/power/powercap/powercap.rst in the kernel.
AMD's packages come under the same names. Indexes say nothing: the file ``name`` does ("package-1-die-0").
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from greennb.model.reading import DomainKind
from greennb.model.units import uw_to_w

MSR = "intel-rapl"
"""The control type that reads model-specific registers (or TPMI): preferred where ``intel-rapl-mmio`` repeats it."""

_ZONE = re.compile(r"(?P<control>[a-z-]*rapl[a-z-]*)(?P<index>(?::\d+)+)")
_PACKAGE = re.compile(r"package-(?P<socket>\d+)(?:-die-(?P<die>\d+))?")
_KINDS = {
    "core": DomainKind.CPU_CORE,
    "uncore": DomainKind.CPU_UNCORE,
    "dram": DomainKind.DRAM,
    "psys": DomainKind.PSYS,
}
_WATCH_ROUNDS = 6
_WATCH_SLEEP_S = 0.002
"""Two updates of a RAPL counter (about 1 ms each) lie between two looks, so that moving counters move each time."""

Sleep = Callable[[float], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Zone:
    """One energy zone as found.

    Attributes:
        path: its folder, the key that tells it from all others.
        key: its folder's name ("intel-rapl:0:1"), for people.
        control: the part before the indexes ("intel-rapl", "intel-rapl-mmio").
        name: what the kernel calls it ("package-0", "dram"); two sockets have the same names inside them.
        kind: what it measures; None where the name is not known.
        parent: the zone it lies in, None for a top zone.
        wrap_uj: where its counter starts again from 0; None where the tree does not say.
        limit_w: the largest power limit it declares, in watts; None where it declares none.
        trouble: why its counter cannot be read now; None where it can.
    """

    path: Path
    key: str
    control: str
    name: str
    kind: DomainKind | None
    parent: Zone | None
    wrap_uj: int | None
    limit_w: float | None
    trouble: OSError | ValueError | None

    @property
    def counter(self) -> Path:
        """The file with the cumulative microjoules."""
        return self.path / "energy_uj"

    @property
    def top(self) -> Zone:
        """The outermost zone around this one, or itself."""
        return self if self.parent is None else self.parent.top

    @property
    def socket(self) -> int | None:
        """The socket's number from the package's name (never from the index); None outside a package."""
        match = _PACKAGE.fullmatch(self.top.name)
        return int(match["socket"]) if match else None

    @property
    def die(self) -> int | None:
        """The die's number from the package's name; None where the package has one counter for all."""
        match = _PACKAGE.fullmatch(self.top.name)
        return int(match["die"]) if match and match["die"] else None


class Refusal(NamedTuple):
    """A zone that is not counted, and the reason as the end of a sentence."""

    zone: Zone
    why: str


class Choice(NamedTuple):
    """The zones whose joules count (they may still be unreadable), those that do not and why, and what to know."""

    zones: tuple[Zone, ...]
    refusals: tuple[Refusal, ...]
    notes: tuple[str, ...]


def counter_value(raw: bytes | str) -> int:
    """The microjoules that a counter's file holds.

    Raises:
        ValueError: the file is empty, not a number, or negative.
    """
    value = int(raw)
    if value < 0:
        raise ValueError(f"the counter is negative ({value})")
    return value


def find_zones(root: Path) -> tuple[Zone, ...]:
    """Every zone below ``root``, flat (/sys/class/powercap) or nested (/sys/devices/virtual/powercap), in order."""
    folders: dict[str, Path] = {}
    _collect(root, folders)
    zones: dict[str, Zone] = {}
    for key in sorted(folders, key=_order):
        parent = zones.get(key.rpartition(":")[0])
        zones[key] = _zone(folders[key], key, parent)
    return tuple(zones.values())


def hidden_zones(root: Path) -> tuple[str, ...]:
    """Names of zones whose links lead nowhere: what a container sees when its runtime masks the tree."""
    return tuple(
        sorted(entry.name for entry in _listed(root) if _ZONE.fullmatch(entry.name) and not _there(entry.exists))
    )


def choose(zones: Iterable[Zone], sleep: Sleep = time.sleep) -> Choice:
    """The zones to count: packages and their parts, each once; psys only in their stead."""
    known, unknown = _split(zones, lambda zone: zone.kind is not None)
    refusals = [Refusal(zone, "greennb does not know what it measures") for zone in unknown]
    chosen, repeated = _each_once(known)
    refusals += repeated
    chosen, mirrors, notes = _without_mirrors(chosen, sleep)
    refusals += mirrors
    chosen, double = _without_double_counts(chosen)
    refusals += double
    return Choice(tuple(chosen), tuple(refusals), tuple(notes))


def _collect(folder: Path, folders: dict[str, Path]) -> None:
    """Zone folders at and below ``folder``, the outermost path of each; other links are never followed."""
    inner = []
    for entry in _listed(folder):
        if not _there(entry.is_dir):
            continue
        if _ZONE.fullmatch(entry.name) and entry.name not in folders:
            folders[entry.name] = entry
            inner.append(entry)
        elif not entry.is_symlink() and "rapl" in entry.name:
            inner.append(entry)  # a control type's own folder, with its zones in it
    for entry in inner:
        _collect(entry, folders)


def _listed(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []  # not there, or not ours to list: no zones from it


def _there(question: Callable[[], bool]) -> bool:
    """The answer of ``Path.exists`` or ``is_dir``; no where the folder may be listed but not entered."""
    try:
        return question()
    except OSError:
        return False


def _order(key: str) -> tuple[bool, str, tuple[int, ...]]:
    """MSR zones first; indexes as numbers, so that :10 comes after :2."""
    control, _, index = key.partition(":")
    return control != MSR, control, tuple(int(part) for part in index.split(":"))


def _zone(path: Path, key: str, parent: Zone | None) -> Zone:
    name = _text(path / "name") or ""
    kind = DomainKind.CPU_PACKAGE if _PACKAGE.fullmatch(name) else _KINDS.get(name)
    return Zone(
        path=path, key=key, control=key.partition(":")[0], name=name, kind=kind, parent=parent,
        wrap_uj=_positive(path / "max_energy_range_uj"), limit_w=_limit_w(path), trouble=_trouble(path / "energy_uj"),
    )  # fmt: skip


def _text(file: Path) -> str | None:
    try:
        return file.read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return None  # the file is optional, or its zone's counter will show the same error


def _positive(file: Path) -> int | None:
    try:
        value = int(_text(file) or "")
    except ValueError:
        return None
    return value if value > 0 else None


def _limit_w(path: Path) -> float | None:
    """The largest limit that the zone declares: its maximum power or a constraint's present limit."""
    files = (*path.glob("constraint_*_max_power_uw"), *path.glob("constraint_*_power_limit_uw"))
    limits = [value for file in files if (value := _positive(file))]
    return uw_to_w(max(limits)) if limits else None


def _trouble(counter: Path) -> OSError | ValueError | None:
    try:
        counter_value(counter.read_bytes())
    except (OSError, ValueError) as error:
        return error
    return None


def _split(zones: Iterable[Zone], condition: Callable[[Zone], bool]) -> tuple[list[Zone], list[Zone]]:
    yes: list[Zone] = []
    no: list[Zone] = []
    for zone in zones:
        (yes if condition(zone) else no).append(zone)
    return yes, no


def _each_once(zones: Sequence[Zone]) -> tuple[list[Zone], list[Refusal]]:
    """MSR and MMIO describe the same hardware: of each kind and socket, keep one control type's zones.

    The one that can be read, and of two that can, the MSR.
    """

    def place(zone: Zone) -> tuple[str, int]:
        return str(zone.kind), -1 if zone.socket is None else zone.socket

    kept: list[Zone] = []
    refusals: list[Refusal] = []
    for _, group in groupby(sorted(zones, key=place), key=place):
        same = list(group)
        best = min(same, key=lambda zone: (zone.trouble is not None, _order(zone.key))).control
        mine, repeats = _split(same, lambda zone, best=best: zone.control == best)  # type: ignore[misc]
        kept += mine
        refusals += [Refusal(zone, f"{mine[0].key} reads the same hardware") for zone in repeats]
    return sorted(kept, key=lambda zone: _order(zone.key)), refusals


def _without_mirrors(zones: Sequence[Zone], sleep: Sleep) -> tuple[list[Zone], list[Refusal], list[str]]:
    """Drop dies whose counters are another die's, together with the zones inside them."""
    mirrored: dict[Path, Zone] = {}
    notes: list[str] = []
    for group in _dies(zones):
        looks = _watch(group, sleep)
        if looks is None:
            notes.append(
                f"{', '.join(zone.key for zone in group)} did not move while watched: counted as distinct dies"
            )
            continue
        for later, zone in enumerate(group):
            for earlier in range(later):
                if group[earlier].path not in mirrored and _same(looks[earlier], looks[later]):
                    mirrored.setdefault(zone.path, group[earlier])
    kept, refusals = [], []
    for zone in zones:
        original = mirrored.get(zone.path) or mirrored.get(zone.top.path)
        if original is None:
            kept.append(zone)
        else:
            refusals.append(Refusal(zone, f"it repeats {original.key}, whose counter moves by the same steps"))
    return kept, refusals, notes


def _dies(zones: Sequence[Zone]) -> list[list[Zone]]:
    """Readable zones of one kind on different dies of one socket, where there are two or more."""
    groups: dict[tuple[DomainKind | None, int | None], list[Zone]] = {}
    for zone in zones:
        if zone.die is not None and zone.trouble is None:
            groups.setdefault((zone.kind, zone.socket), []).append(zone)
    return [group for group in groups.values() if len(group) > 1]


Look = tuple[int, int]
"""A counter's steps since the first look, read twice around the other dies' reads."""


def _watch(zones: Sequence[Zone], sleep: Sleep) -> list[list[Look]] | None:
    """For each zone, its looks over some updates; None where no counter moved or one could not be read."""
    try:
        bases = [counter_value(zone.counter.read_bytes()) for zone in zones]
        looks: list[list[Look]] = [[] for _ in zones]
        for _ in range(_WATCH_ROUNDS):
            sleep(_WATCH_SLEEP_S)
            firsts, seconds = _steps(zones, bases), _steps(zones, bases)
            for each, first, second in zip(looks, firsts, seconds, strict=True):
                each.append((first, second))
    except (OSError, ValueError):
        return None
    return looks if any(each[-1][1] for each in looks) else None


def _steps(zones: Sequence[Zone], bases: Sequence[int]) -> list[int]:
    """Microjoules since ``bases``, over a wrap where there was one."""
    values = [counter_value(zone.counter.read_bytes()) for zone in zones]
    return [
        value - base if zone.wrap_uj is None else (value - base) % zone.wrap_uj
        for zone, value, base in zip(zones, values, bases, strict=True)
    ]


def _same(earlier: Sequence[Look], later: Sequence[Look]) -> bool:
    """Whether one counter explains both series.

    ``later`` was read between the two reads of ``earlier``; were they one counter, their difference would be the
    same number at every look, and that number would lie between the two differences.
    """
    lows = [mine[0] - other[1] for other, mine in zip(earlier, later, strict=True)]
    highs = [mine[0] - other[0] for other, mine in zip(earlier, later, strict=True)]
    return max(lows) <= min(highs)


def _without_double_counts(zones: Sequence[Zone]) -> tuple[list[Zone], list[Refusal]]:
    """Packages, with the parts inside them and their DRAM beside them; or psys where no package can be read."""

    def readable(kind: DomainKind) -> bool:
        return any(zone.kind is kind and zone.trouble is None for zone in zones)

    psys_instead = not readable(DomainKind.CPU_PACKAGE) and readable(DomainKind.PSYS)
    kept, refusals = [], []
    for zone in zones:
        why = _double_count(zone, psys_instead)
        if why:
            refusals.append(Refusal(zone, why))
        else:
            kept.append(zone)
    return kept, refusals


def _double_count(zone: Zone, psys_instead: bool) -> str:
    """Why ``zone`` must not be counted, or ""."""
    if zone.kind is DomainKind.PSYS:
        return "" if psys_instead else "it encloses the packages, which are counted one by one"
    if psys_instead and zone.kind is DomainKind.CPU_PACKAGE:
        return "it cannot be read; psys, which encloses it, is read instead"
    if zone.kind in (DomainKind.CPU_CORE, DomainKind.CPU_UNCORE) and (psys_instead or zone.top.trouble is not None):
        return "it is a part of a package that cannot be read"
    return ""
