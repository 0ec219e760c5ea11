"""One cell as rules see it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from greennb.advisor.signals.jax import JaxSignals
from greennb.advisor.signals.keras import KerasSignals
from greennb.advisor.signals.machine import MachineSignals
from greennb.advisor.signals.sklearn import SklearnSignals
from greennb.advisor.signals.source import SourceSignals
from greennb.advisor.signals.torch import TorchSignals
from greennb.model.lines import Lines
from greennb.model.measurement import Measurement


@dataclass(frozen=True, slots=True, kw_only=True)
class CellContext:
    """One run of one cell, and everything that was seen of it.

    A part is None where its framework was not in use, or its observer is off.

    Attributes:
        number: counts the runs of cells in this kernel, from 0.
        source: the cell's code.
        duration_s: how long it ran, wall time.
        failed: whether it raised or was interrupted.
        idle_before_s: seconds since the cell before it ended; 0 for the first.
        measurement: what it cost; None for a cell that was not measured.
        past: the cells that ran before it, oldest first, without their own past.
    """

    number: int
    cell_id: str | None
    execution_count: int | None
    source: str
    duration_s: float
    failed: bool = False
    idle_before_s: float = 0.0
    measurement: Measurement | None = None
    code: SourceSignals | None = None
    machine: MachineSignals | None = None
    torch: TorchSignals | None = None
    sklearn: SklearnSignals | None = None
    keras: KerasSignals | None = None
    jax: JaxSignals | None = None
    past: Sequence[CellContext] = ()

    @property
    def lines(self) -> Lines | None:
        """Joules by source line, where ``%%energy --lines`` asked for them."""
        return None if self.measurement is None else self.measurement.lines
