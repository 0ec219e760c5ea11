"""NVIDIA GPUs through NVML: the board's energy counter, or its power integrated where a board has no counter.

Asks for the boards that this process may use (``CUDA_VISIBLE_DEVICES`` at the time of probing). NVML never creates
a CUDA context. ``pynvml`` is imported, and NVML initialised, when first probed.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from greennb.model.reading import Domain, DomainKind, Fault, Method
from greennb.model.units import mj_to_uj, mw_to_w, s_to_ns
from greennb.sources import cuda, gpu_gauge, gpu_share
from greennb.sources.base import Board, Channel, Gauge, Probe, Sample
from greennb.sources.nvml_codes import Code, in_words

NAME = "nvml"

REFRESH_NS = 100_000_000
"""Upper figure: boards update energy and power every 20 to 100 ms (Yang et al., arXiv 2312.02741)."""

POWER_ACCURACY = 0.05
"""Power is within 5 % (NVML API reference, nvmlDeviceGetPowerUsage); it says nothing of the energy counter."""

AVERAGE_NS = 1_000_000_000
"""What a board calls its power may be the mean of the last second (NVML API reference, nvmlDeviceGetPowerUsage)."""

RESOLUTION_UJ = 1000.0
"""The energy counter counts millijoules (NVML API reference, nvmlDeviceGetTotalEnergyConsumption)."""

POWER_MARGIN = 2.0
"""Times the highest limit that can be set: boards keep it on average, and short excursions go above it."""

CEILING_W = 3000.0
"""Where a board declares no limit: about twice the largest sold."""

RETRY_NS = s_to_ns(1.0)
"""A board that is lost is looked for again at most once in this time, so that a sample stays short."""

POWER_NOTE = (
    "No energy counter: NVML's power, integrated. It is an average over the last second on Ampere and newer "
    "(not on GA100), so that windows of a few seconds are smeared at their edges."
)
MIG_NOTE = "The whole board's energy, shared by its MIG instances."
ORDER_NOTE = (
    "CUDA may count these GPUs fastest first, NVML counts them by PCI bus: "
    "set CUDA_DEVICE_ORDER=PCI_BUS_ID to be sure that this is the GPU you use."
)


_LACKING = (Code.NOT_SUPPORTED, Code.FUNCTION_NOT_FOUND)
_STALE = (Code.UNINITIALIZED, Code.INVALID_ARGUMENT, Code.GPU_IS_LOST, Code.RESET_REQUIRED)


class _State(Enum):
    READY = auto()
    FORKED = auto()
    CLOSED = auto()


class NvmlSource:
    """Reads ``channels``, whose domains' devices are UUIDs of boards.

    ``nvml`` is the pynvml module, initialised; the source shuts it down when closed. ``now_ns`` is the monotonic
    clock that dates Faults and spaces retries. A channel keeps its method: a board whose counter stops answering
    gives Faults, never power instead.
    """

    name = NAME

    def __init__(
        self, nvml: Any, channels: Sequence[Channel], *, now_ns: Callable[[], int] = time.monotonic_ns
    ) -> None:
        self.channels = tuple(channels)
        self._nvml = nvml
        self._now_ns = now_ns
        self._lock = threading.Lock()
        self._state = _State.READY
        self._retry_ns = [0] * len(self.channels)
        self._reads = tuple(_read(nvml, channel) for channel in self.channels)
        self._handles: list[Any] = [None] * len(self.channels)
        for position in range(len(self.channels)):
            self._find(position)

    def sample(self) -> Sequence[Sample]:
        """Each board's cumulative microjoules or present milliwatts; a Fault for each that cannot be read."""
        if self._state is not _State.READY and not self._begin_again():
            return [self._fault(position, "the source is closed", "") for position in range(len(self.channels))]
        samples: list[Sample] = []
        for position, (read, scale) in enumerate(self._reads):
            try:
                samples.append(read(self._handles[position]) * scale)
            except self._nvml.NVMLError as error:
                samples.append(self._failed(position, error.value))
        return samples

    def sample_one(self, position: int) -> Sample:
        """As :meth:`sample`, for the one channel at ``position``."""
        if self._state is not _State.READY:
            return self.sample()[position]
        read, scale = self._reads[position]
        try:
            return read(self._handles[position]) * scale
        except self._nvml.NVMLError as error:
            return self._failed(position, error.value)

    def at_work(self, position: int) -> bool | None:
        """Whether the board works now; None where it does not tell."""
        return gpu_share.at_work(self._nvml, self._handles[position])

    def own_share(self, position: int, pids: frozenset[int], since_wall_ns: int) -> float | str:
        """The part of the board's work that ``pids`` did, or why that cannot be told."""
        return gpu_share.own_share(self._nvml, self._handles[position], pids, since_wall_ns)

    def gauge(self, position: int) -> Gauge:
        """Utilisation, memory and temperature of the board, as far as it tells."""
        return gpu_gauge.gauge(self._nvml, self._handles[position])

    def board(self, position: int) -> Board:
        """Watts and clocks of the board with their limits, as far as it tells."""
        return gpu_gauge.board(self._nvml, self._handles[position])

    def held_b(self, position: int, pids: frozenset[int]) -> int | None:
        """Bytes of the board's memory that ``pids`` hold; None where that cannot be told."""
        return gpu_gauge.held_b(self._nvml, self._handles[position], pids)

    def after_fork(self) -> None:
        """Initialise NVML again in the child, with the next sample: many children never take one."""
        self._lock = threading.Lock()
        if self._state is _State.READY:
            self._state = _State.FORKED

    def close(self) -> None:
        """Shut NVML down; every later sample is a Fault."""
        with self._lock:
            if self._state is _State.READY:
                _shut_down(self._nvml)
            self._state = _State.CLOSED

    def _begin_again(self) -> bool:
        """Initialise NVML in a forked child; False where the source is closed."""
        with self._lock:
            if self._state is _State.FORKED and self._initialised():
                self._state = _State.READY
            return self._state is not _State.CLOSED

    def _initialised(self) -> bool:
        """Initialise NVML and find every board again; False where that fails, and each board's read says why."""
        try:
            self._nvml.nvmlInit()
        except self._nvml.NVMLError:
            return False
        for position in range(len(self.channels)):
            self._find(position)
        return True

    def _find(self, position: int) -> None:
        """Look for the board's handle by its UUID; an old handle stays where there is no new one."""
        try:
            self._handles[position] = self._nvml.nvmlDeviceGetHandleByUUID(self.channels[position].domain.device)
        except self._nvml.NVMLError:
            return  # reading with the old handle, or with none, says why

    def _failed(self, position: int, code: int) -> Sample:
        """What to answer after a failed read: once in a while a second try with a new handle, else a Fault."""
        if code in _STALE and self._looked_again(position, code):
            read, scale = self._reads[position]
            try:
                return read(self._handles[position]) * scale
            except self._nvml.NVMLError as error:
                code = error.value
        if code == Code.NOT_SUPPORTED:
            return self._fault(position, "the reading it had is no longer supported", "See nvidia-smi.")
        return self._fault(position, *in_words(code))

    def _looked_again(self, position: int, code: int) -> bool:
        """Find the board again, and NVML if somebody else in this process shut it down; False where it is too soon."""
        with self._lock:
            now_ns = self._now_ns()
            if self._state is not _State.READY or now_ns < self._retry_ns[position]:
                return False
            self._retry_ns[position] = now_ns + RETRY_NS
            if code == Code.UNINITIALIZED:
                return self._initialised()
            self._find(position)
            return True

    def _fault(self, position: int, reason: str, hint: str) -> Fault:
        return Fault(domain=self.channels[position].domain, t_ns=self._now_ns(), reason=reason, hint=hint)


def probe(host: str, environ: Mapping[str, str] = os.environ) -> Probe:
    """Look for the NVIDIA boards that ``environ`` lets this process use."""
    if not _library_is_there():
        return _refused(*in_words(Code.LIBRARY_NOT_FOUND))
    try:
        import pynvml
    except ImportError:
        return _refused("the Python package nvidia-ml-py is not installed", 'Run "pip install nvidia-ml-py".')
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError as error:
        return _refused(*in_words(error.value))
    result = _probe_boards(pynvml, host, environ)
    if result.source is None:
        _shut_down(pynvml)
    return result


@dataclass(frozen=True, slots=True, kw_only=True)
class _Board:
    """A board as NVML shows it; ``code`` is its error where it does not even tell its UUID."""

    position: int
    uuid: str | None
    name: str
    handle: Any
    code: int = 0

    @property
    def label(self) -> str:
        return f"GPU {self.position} {self.name}".strip()


def _probe_boards(nvml: Any, host: str, environ: Mapping[str, str]) -> Probe:
    try:
        boards = [_board(nvml, position) for position in range(nvml.nvmlDeviceGetCount())]
    except nvml.NVMLError as error:
        return _refused(*in_words(error.value))
    if not boards:
        return _refused("the NVIDIA driver shows no GPU", "In a container ask for the GPUs (docker run --gpus all).")
    shown = cuda.visible(environ, [board.uuid for board in boards], lambda entry: _mig_parent(nvml, entry))
    mine = [boards[position] for position in shown.positions]
    if not mine:
        value = environ.get(cuda.VARIABLE, "")
        hint = f"Unset {cuda.VARIABLE}, or give an index below {len(boards)} or a UUID that nvidia-smi -L shows."
        return _refused(f'{cuda.VARIABLE} is "{value}", which leaves this process no GPU', hint)
    by_order = shown.by_index and len(mine) < len(boards)
    unsure = by_order and not cuda.order_is_certain(environ, [board.name for board in boards])
    found = [_channel(nvml, board, host, ORDER_NOTE if unsure else "") for board in mine]
    channels = [each for each in found if isinstance(each, Channel)]
    faults = tuple(each for each in found if isinstance(each, Fault))
    if not channels:
        reason = f"None of this process's GPUs can be read ({faults[0].reason})."
        return Probe(name=NAME, source=None, reason=reason, hint=faults[0].hint, faults=faults)
    source = NvmlSource(nvml, channels)
    return Probe(name=NAME, source=source, reason=_reason(nvml, channels, len(boards) - len(mine)), faults=faults)


def _board(nvml: Any, position: int) -> _Board:
    try:
        handle = nvml.nvmlDeviceGetHandleByIndex(position)
        return _Board(
            position=position, uuid=nvml.nvmlDeviceGetUUID(handle), name=nvml.nvmlDeviceGetName(handle), handle=handle
        )  # fmt: skip
    except nvml.NVMLError as error:
        return _Board(position=position, uuid=None, name="", handle=None, code=error.value)


def _channel(nvml: Any, board: _Board, host: str, note: str) -> Channel | Fault:
    """How ``board`` is read, or why it cannot be."""
    if board.uuid is None:  # no UUID, so no domain: a bare index may be another board tomorrow
        reason, hint = in_words(board.code)
        return Fault(domain=None, t_ns=time.monotonic_ns(), reason=f"{board.label}: {reason}", hint=hint)
    domain = Domain(kind=DomainKind.GPU, host=host, device=board.uuid, label=board.label)
    try:
        method = _method(nvml, board.handle)
    except nvml.NVMLError as error:
        reason, hint = in_words(Code.NOT_SUPPORTED if error.value in _LACKING else error.value)
        return Fault(domain=domain, t_ns=time.monotonic_ns(), reason=reason, hint=hint)
    counts = method is Method.COUNTER
    notes = ("" if counts else POWER_NOTE, MIG_NOTE if _is_split(nvml, board.handle) else "", note)
    return Channel(
        domain=domain, method=method, resolution_uj=RESOLUTION_UJ if counts else 0.0,
        refresh_ns=REFRESH_NS if counts else AVERAGE_NS,
        wrap_uj=None, max_power_w=_max_power_w(nvml, board.handle), note=" ".join(filter(None, notes)),
        accuracy=0.0 if counts else POWER_ACCURACY,
    )  # fmt: skip


def _method(nvml: Any, handle: Any) -> Method:
    """COUNTER where the board counts energy, INTEGRATED where it only tells power; else NVMLError."""
    try:
        nvml.nvmlDeviceGetTotalEnergyConsumption(handle)
    except nvml.NVMLError as error:
        if error.value not in _LACKING:
            raise
        nvml.nvmlDeviceGetPowerUsage(handle)
        return Method.INTEGRATED
    return Method.COUNTER


def _read(nvml: Any, channel: Channel) -> tuple[Callable[[Any], int], int]:
    """The call that reads ``channel``, and what to multiply its answer with."""
    if channel.method is Method.COUNTER:
        return nvml.nvmlDeviceGetTotalEnergyConsumption, mj_to_uj(1)
    return nvml.nvmlDeviceGetPowerUsage, 1


def _max_power_w(nvml: Any, handle: Any) -> float:
    """The highest limit that can be set, with a margin; else the present limit's; else CEILING_W."""
    limits: tuple[Callable[[], int], ...] = (
        lambda: nvml.nvmlDeviceGetPowerManagementLimitConstraints(handle)[1],
        lambda: nvml.nvmlDeviceGetPowerManagementLimit(handle),
    )
    for limit_mw in limits:
        try:
            watts = mw_to_w(limit_mw())
        except nvml.NVMLError:
            continue  # a board need not declare it
        if watts > 0:
            return POWER_MARGIN * watts
    return CEILING_W


def _is_split(nvml: Any, handle: Any) -> bool:
    """Whether the board is split into MIG instances now."""
    try:
        return bool(nvml.nvmlDeviceGetMigMode(handle)[0])
    except nvml.NVMLError:
        return False  # most boards cannot be split


def _mig_parent(nvml: Any, entry: str) -> str | None:
    """The UUID of the board on which a MIG instance lives."""
    try:
        instance = nvml.nvmlDeviceGetHandleByUUID(entry)
        uuid: str = nvml.nvmlDeviceGetUUID(nvml.nvmlDeviceGetDeviceHandleFromMigDeviceHandle(instance))
    except nvml.NVMLError:
        return None
    return uuid


def _reason(nvml: Any, channels: Sequence[Channel], hidden: int) -> str:
    """What is read and how, in a sentence."""
    try:
        driver = f" through driver {nvml.nvmlSystemGetDriverVersion()}"
    except nvml.NVMLError:
        driver = ""
    how = {Method.COUNTER: "energy counter", Method.INTEGRATED: "power, integrated"}
    boards = ", ".join(f"{channel.domain.label} ({how[channel.method]})" for channel in channels)
    kept = f"; {hidden} more hidden from this process by {cuda.VARIABLE}" if hidden else ""
    return f"Reads {boards}{driver}{kept}."


def _library_is_there() -> bool:
    """Whether the driver's library loads: cheaper to know than importing pynvml to be told (2 against 25 ms)."""
    if sys.platform == "win32":
        return True  # pynvml knows the two places where it may lie
    import ctypes

    try:
        ctypes.CDLL("libnvidia-ml.so.1")
    except OSError:
        return False
    return True


def _shut_down(nvml: Any) -> None:
    try:
        nvml.nvmlShutdown()
    except nvml.NVMLError:
        return  # it was shut down, or the driver is gone: nothing is left to release


def _refused(reason: str, hint: str) -> Probe:
    return Probe(name=NAME, source=None, reason=f"{reason[0].upper()}{reason[1:]}.", hint=hint)
