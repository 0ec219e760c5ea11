"""Runs as `greennb run` makes them, from a real meter on a clock that only moves when told."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import pytest

from greennb.cli.files import json_text
from greennb.meter.meter import Meter
from greennb.model.reading import Fault, Method
from greennb.model.run import CellCost, NotebookRun
from greennb.testing import FakeClock, FakeSource, fake_channel


class Cell(NamedTuple):
    """What one cell is to have drawn, on average, and for how long."""

    source: str = "model.fit(X, y)"
    watts: float = 40.0
    seconds: float = 10.0
    cell_id: str | None = None


MakeRun = Callable[..., NotebookRun]


@pytest.fixture
def make_run() -> MakeRun:
    """Make a run of cells, each measured by a counter of 1 W resolution, or by a model that is right within 50 %."""

    def make(
        cells: Sequence[Cell] = (Cell(),),
        *,
        method: Method = Method.COUNTER,
        host: str = "host-a",
        spread: float = 0.5,
        fault: str = "",
        error: str | None = None,
        resolution_uj: float = 1e6,
    ) -> NotebookRun:
        costs = []
        for index, cell in enumerate(cells):
            clock = FakeClock()
            channel = fake_channel(method=method, resolution_uj=resolution_uj)
            source = FakeSource(cell.watts, clock=clock, channel=channel, spread=spread, step_ns=10**9)
            faults = (Fault(domain=None, t_ns=0, reason=fault),) if fault else ()
            meter = Meter([source], clock=clock, host=host, faults=faults)
            with meter.measure() as window:
                clock.sleep(cell.seconds)
            costs.append(CellCost(index=index, cell_id=cell.cell_id, source=cell.source, measurement=window.result))
        return NotebookRun(
            notebook="train.ipynb",
            host=host,
            kernel="python3",
            started_at=datetime(2026, 3, 1, 9, 30, tzinfo=UTC),
            cells=tuple(costs),
            sources=("fake used: for tests",),
            error=error,
        )

    return make


@pytest.fixture
def saved(tmp_path: Path) -> Callable[[NotebookRun, str], str]:
    """Write a run as `greennb run --json` does; gives the file's name."""

    def save(run: NotebookRun, name: str) -> str:
        path = tmp_path / name
        path.write_text(json_text(run.to_dict()), encoding="utf-8")
        return str(path)

    return save
