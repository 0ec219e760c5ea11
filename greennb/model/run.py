"""A whole notebook executed once: what each cell cost, on what, and what went wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from greennb.model.errors import BadInputError
from greennb.model.finding import Finding
from greennb.model.footprint import Footprint
from greennb.model.measurement import SCHEMA, Measurement
from greennb.model.messages import finding_from_dict, finding_to_dict
from greennb.model.total import Total
from greennb.model.wire import measurement_from_dict, measurement_to_dict


@dataclass(frozen=True, slots=True, kw_only=True)
class CellCost:
    """One code cell: its place in the notebook (from 0), its source, and its measurement.

    ``measurement`` is None where the cell was not run, or ran and was not measured.
    """

    index: int
    cell_id: str | None
    source: str
    measurement: Measurement | None

    @property
    def place(self) -> str:
        """What a person calls the cell: "[4]" by its execution count, else "#13" as the notebook's 13th cell."""
        count = None if self.measurement is None else self.measurement.window.execution_count
        return f"#{self.index + 1}" if count is None else f"[{count}]"

    @property
    def first_line(self) -> str:
        """The first line of the source that is neither blank nor a cell magic of greennb, "" where there is none."""
        lines = (line.strip() for line in self.source.splitlines())
        return next((line for line in lines if line and not line.startswith("%%energy")), "")


@dataclass(frozen=True, slots=True, kw_only=True)
class NotebookRun:
    """What one execution of a notebook cost.

    ``sources`` has one sentence for each source of joules: used, or refused and why. ``error`` is one sentence
    where the run did not reach its end, else None. ``findings`` are the advisor's, the most at stake first; None where
    nobody asked for advice.
    """

    notebook: str
    host: str
    kernel: str
    started_at: datetime
    cells: tuple[CellCost, ...]
    sources: tuple[str, ...] = ()
    error: str | None = None
    findings: tuple[Finding, ...] | None = None

    @property
    def total(self) -> Total:
        """The sum over the cells; partial where a cell has no measurement."""
        return Total.of([cell.measurement for cell in self.cells])

    @property
    def measurements(self) -> tuple[Measurement, ...]:
        """The measurements that there are, in the order of the cells."""
        return tuple(cell.measurement for cell in self.cells if cell.measurement is not None)

    @property
    def footprints(self) -> tuple[Footprint, ...]:
        """One footprint for each distinct carbon intensity and PUE in use, in the order they came up."""
        seen: dict[object, Footprint] = {}
        for part in self.measurements:
            if part.footprint is not None:
                seen.setdefault((part.footprint.intensity, part.footprint.pue), part.footprint)
        return tuple(seen.values())

    def to_dict(self) -> dict[str, Any]:
        """This run as plain JSON values: the file that ``greennb run --json`` writes."""
        total = self.total
        return {
            "schema": SCHEMA,
            "host": self.host,
            "notebook": self.notebook,
            "kernel": self.kernel,
            "started_at": self.started_at.isoformat(),
            "cells": [_cell_to_dict(cell) for cell in self.cells],
            "total_j": total.total_j,
            "low_j": total.low_j,
            "high_j": total.high_j,
            "net_j": total.net_j,
            "method": None if total.method is None else total.method.value,
            "partial": total.partial,
            "duration_s": total.duration_s,
            "co2e_g": total.co2e_g,
            "sources": list(self.sources),
            "error": self.error,
            **({} if self.findings is None else {"findings": [self._finding_to_dict(it) for it in self.findings]}),
        }

    def cell_of(self, finding: Finding) -> CellCost | None:
        """The cell that a finding is about; None where it has none."""
        if finding.cell_id is not None:
            return next((cell for cell in self.cells if cell.cell_id == finding.cell_id), None)
        place = f"[{finding.execution_count}]"  # a notebook without ids of cells
        return next((cell for cell in self.cells if cell.place == place), None)

    def _finding_to_dict(self, finding: Finding) -> dict[str, Any]:
        cell = self.cell_of(finding)
        return finding_to_dict(finding) | {"cell_index": None if cell is None else cell.index}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> NotebookRun:
        """The run that :meth:`to_dict` wrote.

        Raises:
            BadInputError: the data is of a newer schema, or is not a run.
        """
        schema = data.get("schema")
        if not isinstance(schema, int) or "cells" not in data:
            raise BadInputError("This is not a greennb run: give a file that `greennb run --json` wrote.")
        if schema > SCHEMA:
            raise BadInputError(f"This run has schema {schema}, this greennb reads up to {SCHEMA}: upgrade greennb.")
        try:
            return cls(
                notebook=data["notebook"],
                host=data["host"],
                kernel=data.get("kernel", ""),
                started_at=datetime.fromisoformat(data["started_at"]),
                cells=tuple(_cell_from_dict(cell) for cell in data["cells"]),
                sources=tuple(data.get("sources", ())),
                error=data.get("error"),
                findings=_findings_from(data.get("findings")),
            )
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise BadInputError(f"This is not a greennb run: {type(error).__name__} at {error}.") from error


def _findings_from(data: Any) -> tuple[Finding, ...] | None:
    """The findings of a file; one that had none, or was written before there were any, has None."""
    return None if data is None else tuple(map(finding_from_dict, data))


def _cell_to_dict(cell: CellCost) -> dict[str, Any]:
    """A measurement's fields, or the same heading fields as missing, and which cell it is."""
    missing: dict[str, Any] = dict.fromkeys(("label", "duration_s", "total_j", "low_j", "high_j", "method", "co2e_g"))
    missing |= {"status": "not measured", "partial": True}
    part = missing if cell.measurement is None else measurement_to_dict(cell.measurement)
    return part | {"cell_index": cell.index, "cell_id": cell.cell_id, "source": cell.source}


def _cell_from_dict(data: Mapping[str, Any]) -> CellCost:
    return CellCost(
        index=data["cell_index"],
        cell_id=data["cell_id"],
        source=data["source"],
        measurement=measurement_from_dict(data) if "domains" in data else None,
    )
