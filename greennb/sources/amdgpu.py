"""AMD GPUs and APUs through the amdgpu driver's hwmon files.

``power1_average`` and ``power1_input`` are microwatts "used by the SoC. On APUs this includes the CPU" (Linux,
drivers/gpu/drm/amd/pm/amdgpu_pm.c, "DOC: hwmon"; a product has the one, the other, or both). So there are two sources
in this file: ``amdgpu`` reads cards and may stand beside a CPU's source; ``amdapu`` reads APUs, whose power holds the
CPU's, and stands in where no source reads the CPU. ``energy1_input`` (microjoules, hwmon's standard name for a counter)
is used instead where a driver has it and it counts.

Every board that the system shows is counted, also one that ROCR_VISIBLE_DEVICES or HIP_VISIBLE_DEVICES hides from this
process: those number the GPUs of ROCm's runtime, which sysfs does not know.
"""

from __future__ import annotations

import errno
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from greennb.model.reading import Domain, DomainKind, Fault, Method
from greennb.model.units import mw_to_w, uw_to_mw, uw_to_w
from greennb.sources import sysfs
from greennb.sources.base import Channel, Gauge, Probe, Sample

CARDS = "amdgpu"
APUS = "amdapu"
ROOT = "/sys/class/drm"

REFRESH_NS = 100_000_000
"""An upper figure. AMD publishes none; the driver itself asks the firmware at most once a millisecond
(smu_cmn_get_metrics_table), and the slowest boards of the other vendor take 100 ms (Yang et al., arXiv 2312.02741)."""

RESOLUTION_UJ = 1.0
"""hwmon's unit of energy (Documentation/hwmon/sysfs-interface.rst)."""

POWER_MARGIN = 2.0
"""Times the highest limit that can be set: boards keep it on average, and short excursions go above it."""

CEILING_W = 3000.0
"""Where a board declares no limit: about twice the largest sold (1400 W, Instinct MI355X)."""

CARD_NOTE = "The whole board, with everybody's work on it, also where ROCR_VISIBLE_DEVICES hides it."
POWER_NOTE = "No energy counter: its power, averaged by the firmware over a time that AMD does not publish, integrated."
APU_NOTE = "The whole chip: CPU and GPU together; memory is not in it."

_ENERGY = "energy1_input"
_POWERS = ("power1_average", "power1_input")
_LIMITS = ("power1_cap_max", "power1_cap")
_ONLY_APUS = "in1_input"
"""The northbridge's voltage, which hwmon shows for APUs only (hwmon_attributes_visible in amdgpu_pm.c) ..."""
_MI300A = "0x74a0"
"""... but not for this one, an APU by its PCI device number (libdrm, amdgpu.ids)."""

_ASLEEP = "it sleeps or is being reset, and tells no power then"
_ASLEEP_HINT = (
    'Runtime power management put it to sleep; it is read as soon as it wakes. "echo on" into its power/control, '
    "as root, keeps it awake, which costs more than it sleeping."
)
_HINT = "The driver took the sensor away or answers nonsense; see dmesg for amdgpu. greennb asks again each time."
_PERMISSION_HINT = (
    "Its files are readable for everybody unless an administrator or a container changed that: ask there."
)
_NO_SENSOR_HINT = "The driver shows no power for some old chips and in some virtual machines."


class Board(NamedTuple):
    """A card or APU of the amdgpu driver.

    ``folder`` is its device folder, named by its PCI address. Its hwmon folder's number changes when the driver is
    loaded again, so it is looked for when it is needed.
    """

    folder: Path
    is_apu: bool

    @property
    def address(self) -> str:
        """The PCI address: "0000:03:00.0"."""
        return self.folder.name

    @property
    def label(self) -> str:
        """Product and PCI address: two cards of one name stay apart."""
        name = sysfs.text(self.folder / "product_name") or ("AMD APU" if self.is_apu else "AMD GPU")
        return f"{name} ({self.address})"

    @property
    def sleeps(self) -> bool:
        """Whether runtime power management has put it to sleep; older kernels would wake it to answer."""
        return sysfs.text(self.folder / "power/runtime_status") == "suspended"

    def hwmon(self) -> Path | None:
        """The folder with its sensors; None where the driver is gone."""
        return next(_hwmons(self.folder), None)


def _hwmons(folder: Path) -> Iterator[Path]:
    return (each for each in sorted((folder / "hwmon").glob("hwmon*")) if sysfs.text(each / "name") == "amdgpu")


class AmdGpuSource:
    """Reads ``boards`` through ``channels``, in the same order. ``now_ns`` is the monotonic clock that dates Faults."""

    def __init__(
        self,
        name: str,
        boards: Sequence[Board],
        channels: Sequence[Channel],
        *,
        now_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self.name = name
        self.channels = tuple(channels)
        self._now_ns = now_ns
        self._closed = False
        self._boards = tuple(boards)
        self._files = [_file(board, channel.method) for board, channel in zip(boards, channels, strict=True)]

    def sample(self) -> Sequence[Sample]:
        """Each board's cumulative microjoules or present milliwatts; a Fault for each that cannot be read."""
        if self._closed:
            return [self._fault(channel, "the source is closed", "") for channel in self.channels]
        return [self._one(position) for position in range(len(self.channels))]

    def gauge(self, position: int) -> Gauge:
        """Utilisation, memory and temperature as far as the driver shows them; a board that sleeps is not woken."""
        board = self._boards[position]
        hwmon = None if self._closed or board.sleeps else board.hwmon()
        if hwmon is None:
            return Gauge()
        percent = _told(board.folder / "gpu_busy_percent")
        millidegrees = _told(hwmon / "temp1_input")
        return Gauge(
            util=None if percent is None else min(1.0, percent / 100),
            mem_b=_told(board.folder / "mem_info_vram_used"),
            mem_total_b=_told(board.folder / "mem_info_vram_total"),
            temp_c=None if millidegrees is None else millidegrees / 1000,
        )

    def held_b(self, _position: int, _pids: frozenset[int]) -> int | None:
        """Which process holds how much is not in sysfs."""
        return None

    def after_fork(self) -> None:
        """Nothing is held open."""

    def close(self) -> None:
        """Every later sample is a Fault."""
        self._closed = True

    def _one(self, position: int) -> Sample:
        board, channel = self._boards[position], self.channels[position]
        if board.sleeps:
            return self._fault(channel, _ASLEEP, _ASLEEP_HINT)
        try:
            return self._read(position)
        except _ImplausibleError as error:
            return self._fault(channel, str(error), _HINT)
        except (OSError, ValueError) as error:
            return self._fault(channel, *_in_words(error))

    def _read(self, position: int) -> int:
        """The number from where it was last; after a reload of the driver from its new place."""
        board, channel = self._boards[position], self.channels[position]
        file = self._files[position]
        try:
            if file is None:
                raise FileNotFoundError(errno.ENOENT, "no hwmon folder")
            value = sysfs.number(file)
        except FileNotFoundError:
            file = self._files[position] = _file(board, channel.method)
            if file is None:
                raise
            value = sysfs.number(file)
        return _plausible(channel, value)

    def _fault(self, channel: Channel, reason: str, hint: str) -> Fault:
        return Fault(domain=channel.domain, t_ns=self._now_ns(), reason=reason, hint=hint)


def _in_words(error: OSError | ValueError) -> tuple[str, str]:
    """Why a board could not be read, and what mends it."""
    if isinstance(error, OSError) and error.errno == errno.EPERM:  # in a reset and, since Linux 6.15, asleep
        return _ASLEEP, _ASLEEP_HINT
    denied = isinstance(error, OSError) and error.errno == errno.EACCES
    return sysfs.in_words(error), _PERMISSION_HINT if denied else _HINT


def _told(file: Path) -> int | None:
    """The number in ``file``; None where the driver does not tell it."""
    try:
        return sysfs.number(file)
    except (OSError, ValueError):
        return None


class _ImplausibleError(ValueError):
    """A number that no sensor of a board at work can mean."""


def _plausible(channel: Channel, value: int) -> int:
    """Microjoules as they are, microwatts as milliwatts.

    Raises:
        _ImplausibleError: a board that is on draws more than 0 W, and less than several times its limit: firmware that
            has no reading answers with all bits 0 or 1.
    """
    if channel.method is Method.COUNTER:
        if value < 0:
            raise _ImplausibleError("its energy counter is negative")
        return value
    power_mw = round(uw_to_mw(value))
    if value <= 0:
        raise _ImplausibleError(f"its sensor says {value} uW, which a board that is on never draws")
    if mw_to_w(power_mw) > channel.max_power_w:
        raise _ImplausibleError(f"its sensor says {mw_to_w(power_mw):.0f} W, more than it can draw")
    return power_mw


def _file(board: Board, method: Method) -> Path | None:
    """The file that tells energy (COUNTER) or power; None where there is none."""
    hwmon = board.hwmon()
    if hwmon is None:
        return None
    names = (_ENERGY,) if method is Method.COUNTER else _POWERS
    return next((hwmon / name for name in names if (hwmon / name).exists()), None)


def probe(host: str, *, root: str = ROOT, apus: bool = False) -> Probe:
    """Look for AMD cards, or for APUs, under ``root``."""
    name = APUS if apus else CARDS
    found = _boards(Path(root))
    boards = [board for board in found if board.is_apu is apus]
    if not boards:
        return _nothing(name, root, found)
    places = [(board, _channel(board, host, boards)) for board in boards]
    readable = [(board, channel) for board, channel in places if isinstance(channel, Channel)]
    faults = tuple(fault for _, fault in places if isinstance(fault, Fault))
    source = AmdGpuSource(name, [board for board, _ in readable], [channel for _, channel in readable])
    if apus:  # it stands in for a CPU's estimate: only with a sensor that works
        faults += tuple(sample for sample in source.sample() if isinstance(sample, Fault))
    if faults and (apus or not readable):
        what = "" if faults[0].domain is None else f"{faults[0].domain.label}: "
        reason = f"{what}{faults[0].reason}."
        return Probe(name=name, source=None, reason=reason, hint=faults[0].hint, faults=() if apus else faults)
    how = {Method.COUNTER: "energy counter", Method.INTEGRATED: "power, integrated"}
    told = ", ".join(f"{channel.domain.label} ({how[channel.method]})" for channel in source.channels)
    return Probe(name=name, source=source, reason=f"Reads {told}.", faults=faults)


def _boards(root: Path) -> list[Board]:
    """Every board that the amdgpu driver shows a hwmon folder for, once each, by PCI address."""
    folders: dict[Path, Board] = {}
    try:
        cards = [card for card in root.iterdir() if card.name.removeprefix("card").isdigit()]
    except OSError:
        return []  # not Linux, or no graphics at all
    for card in cards:
        folder = (card / "device").resolve()
        hwmon = next(_hwmons(folder), None)
        if hwmon is not None:
            is_apu = (hwmon / _ONLY_APUS).exists() or sysfs.text(folder / "device") == _MI300A
            folders[folder] = Board(folder=folder, is_apu=is_apu)
    return [folders[folder] for folder in sorted(folders)]


def _channel(board: Board, host: str, boards: Sequence[Board]) -> Channel | Fault:
    """How ``board`` is read, or why it cannot be."""
    kind = DomainKind.SOC if board.is_apu else DomainKind.GPU
    domain = Domain(kind=kind, host=host, device=_device(board, boards), label=board.label)
    method = _method(board)
    file = _file(board, method)
    if file is None:
        reason, hint = "the driver shows neither energy nor power of it", _NO_SENSOR_HINT
        return Fault(domain=domain, t_ns=time.monotonic_ns(), reason=reason, hint=hint)
    counts = method is Method.COUNTER
    note = APU_NOTE if board.is_apu else CARD_NOTE
    return Channel(
        domain=domain, method=method, resolution_uj=RESOLUTION_UJ if counts else 0.0, refresh_ns=REFRESH_NS,
        wrap_uj=None, max_power_w=_max_power_w(file.parent), note=note if counts else f"{POWER_NOTE} {note}",
    )  # fmt: skip


def _device(board: Board, boards: Sequence[Board]) -> str:
    """What names the board for good: its chip's number, else its PCI address (which moves with the slot)."""
    numbers = [sysfs.text(each.folder / "unique_id") for each in boards]
    mine = sysfs.text(board.folder / "unique_id")
    if mine.strip("0") and numbers.count(mine) == 1:
        return f"GPU-{mine}"  # as ROCm's tools write it
    return f"pci-{board.address}"


def _method(board: Board) -> Method:
    """COUNTER where a counter counts: one that stands at 0 on a board that is on does not."""
    hwmon = board.hwmon()
    counts = hwmon is not None and sysfs.positive(hwmon / _ENERGY) is not None
    return Method.COUNTER if counts else Method.INTEGRATED


def _max_power_w(hwmon: Path) -> float:
    """The highest limit that can be set, with a margin; else CEILING_W."""
    for name in _LIMITS:
        limit_uw = sysfs.positive(hwmon / name)
        if limit_uw is not None:
            return POWER_MARGIN * uw_to_w(limit_uw)
    return CEILING_W


def _nothing(name: str, root: str, found: Sequence[Board]) -> Probe:
    what = "APU" if name == APUS else "graphics card"
    if found:
        other = CARDS if name == APUS else APUS
        reason = f"There is no AMD {what}; {found[0].label} is for the source {other}."
        return Probe(name=name, source=None, reason=reason)
    if not sys.platform.startswith("linux"):
        return Probe(name=name, source=None, reason=f"AMD's sensors are read through Linux's sysfs (no {root} here).")
    reason = f"The amdgpu driver shows no {what} with sensors under {root}."
    hint = f'If there is one: load its driver ("modprobe amdgpu" as root), or let the container see {root}.'
    return Probe(name=name, source=None, reason=reason, hint=hint)
