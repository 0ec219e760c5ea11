"""Which GPUs this process may use: ``CUDA_VISIBLE_DEVICES`` in all its spellings, read as the CUDA driver reads it.

CUDA C++ Programming Guide, "CUDA Environment Variables": the list is read up to the first entry that is not a
device; entries are indexes, UUIDs or the beginnings of UUIDs, or MIG instances, all of the first entry's kind.
A device named twice makes the list void.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

VARIABLE = "CUDA_VISIBLE_DEVICES"
ORDER_VARIABLE = "CUDA_DEVICE_ORDER"

_LEADING_INTEGER = re.compile(r"[+-]?\d+")


class Visible(NamedTuple):
    """Positions (in NVML's order) of the boards that the process may use, and whether indexes named them."""

    positions: tuple[int, ...]
    by_index: bool


def visible(
    environ: Mapping[str, str], uuids: Sequence[str | None], mig_parent: Callable[[str], str | None]
) -> Visible:
    """The boards of ``uuids`` (None where a board does not tell its own) that ``environ`` leaves to this process.

    ``mig_parent`` gives the UUID of the board on which the MIG instance of a name lives, None for an unknown one.
    """
    text = environ.get(VARIABLE)
    if text is None:
        return Visible(tuple(range(len(uuids))), by_index=False)
    entries = [entry.strip() for entry in text.split(",")]
    if entries[0].startswith("MIG-"):
        parents = _until_none(entries, lambda entry: _mig(entry, uuids, mig_parent))
        return Visible(tuple(dict.fromkeys(parents)), by_index=False)  # two instances may share a board
    if entries[0].startswith("GPU-"):
        return Visible(_once(_until_none(entries, lambda entry: _uuid(entry, uuids))), by_index=False)
    return Visible(_once(_until_none(entries, lambda entry: _index(entry, len(uuids)))), by_index=True)


def order_is_certain(environ: Mapping[str, str], names: Sequence[str]) -> bool:
    """Whether CUDA's indexes are NVML's: CUDA counts the fastest first unless told to go by the PCI bus."""
    return environ.get(ORDER_VARIABLE) == "PCI_BUS_ID" or len(set(names)) <= 1


def _until_none(entries: Sequence[str], resolve: Callable[[str], int | None]) -> list[int]:
    positions = []
    for entry in entries:
        position = resolve(entry)
        if position is None:
            break
        positions.append(position)
    return positions


def _once(positions: Sequence[int]) -> tuple[int, ...]:
    return tuple(positions) if len(set(positions)) == len(positions) else ()


def _index(entry: str, count: int) -> int | None:
    """The number that ``entry`` begins with (CUDA reads "1x" as 1), where there is such a board."""
    match = _LEADING_INTEGER.match(entry)
    position = int(match[0]) if match else -1
    return position if 0 <= position < count else None


def _uuid(entry: str, uuids: Sequence[str | None]) -> int | None:
    """The only board whose UUID begins with ``entry``."""
    if not entry.startswith("GPU-"):
        return None
    found = [position for position, uuid in enumerate(uuids) if uuid is not None and uuid.startswith(entry)]
    return found[0] if len(found) == 1 else None


def _mig(entry: str, uuids: Sequence[str | None], mig_parent: Callable[[str], str | None]) -> int | None:
    """The board of a MIG instance: "MIG-<its own UUID>", or "MIG-GPU-<the board's>/<GI>/<CI>" before driver 470."""
    if not entry.startswith("MIG-"):
        return None
    if entry.startswith("MIG-GPU-"):
        return _uuid(entry.removeprefix("MIG-").partition("/")[0], uuids)
    parent = mig_parent(entry)
    return uuids.index(parent) if parent is not None and parent in uuids else None
