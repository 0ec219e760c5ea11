"""Advice: a rule, what it found with its evidence, and the trial that proves or refutes it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import median
from typing import Any

from greennb.model.measurement import Measurement
from greennb.model.reading import Method


class Severity(StrEnum):
    """How loudly a rule speaks."""

    NOTE = "note"
    ACT = "act"


class Verdict(StrEnum):
    """What a trial showed."""

    SAVES = "saves"
    COSTS_MORE = "costs more"
    NO_DIFFERENCE = "no difference shown"
    CANNOT_TELL = "cannot tell"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What one piece of advice is about.

    Attributes:
        code: ``GNB1xx`` notebook and machine, ``2xx`` PyTorch, ``3xx`` scikit-learn, ``4xx`` Keras and TensorFlow,
            ``5xx`` JAX. A third party's rule has letters of its own: ``ABC123``.
        name: one line of at most 60 characters that says what is wrong or what to do, without a number.
        framework: "notebook", "machine", "torch", "sklearn", "keras", "jax", or a third party's name.
        since: the version of greennb that has had it first.
        source: where its claim comes from: a paper, a framework's documentation, or what was measured.
        wrong_when: counter-indications, each a clause that can follow "not where".
    """

    code: str
    name: str
    framework: str
    severity: Severity
    since: str
    source: str
    wrong_when: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One number that a finding stands on."""

    name: str
    value: float
    unit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """What to change, in words and as code."""

    text: str
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What a trial tried, as a change of one cell's source: both sources whole, as in the notebook.

    Attributes:
        cell_id: the cell's; None where the front end gives cells none.
        before, after: its source when it ran, and with the change in it. A cell that reads otherwise by now isn't it.
    """

    cell_id: str | None
    before: str
    after: str

    def to_dict(self) -> dict[str, Any]:
        """This change as plain JSON values."""
        return {"cell_id": self.cell_id, "before": self.before, "after": self.after}


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A measured comparison of two ways to do the same work, run in ``order`` ("A" baseline, "B" candidate).

    Attributes:
        baseline, candidate: the blocks, each a measurement of ``baseline_runs`` (``candidate_runs``) units of work.
        ratio: candidate / baseline in joules an item; None where no round was completed.
        interval: its 95 % interval, right though the trial was ended as soon as it was safe.
        quality: what the guard saw, in words; ``quality_good`` None where it could not look.
        break_even: units after which the trial's own energy is paid back; None where nothing is saved.
        note: why no more can be said, "" where the verdict says it all.
        unit: what is repeated: "step", "call", "fit", "run"; ``units`` how many of them the cell had when it ran.
        baseline_items, candidate_items: items (samples, rows) that went through in each block; empty: a unit is one.
        baseline_apart_j, candidate_apart_j: joules of what is done once, before any block: warming up, compiling.
        baseline_peak_b, candidate_peak_b: bytes, peak memory of a block: of the card where one was used, else of the
            process above what it held before.
        spent_s, spent_j: what the whole trial took, its preparation and guard too; ``spent_method`` how these joules
            came about, which is known also where no block was run.
        temperature_c: of the card over the trial, lowest and highest; None without a card that says.
        variant: what was tried, in a few words; ``change`` the same as source. "" and None for two callables.
    """

    baseline: tuple[Measurement, ...]
    candidate: tuple[Measurement, ...]
    order: str
    ratio: float | None
    interval: tuple[float, float] | None
    quality: str
    verdict: Verdict
    break_even: float | None
    baseline_runs: int = 1
    candidate_runs: int = 1
    note: str = ""
    quality_good: bool | None = None
    unit: str = "run"
    units: float | None = None
    baseline_items: tuple[float, ...] = ()
    candidate_items: tuple[float, ...] = ()
    baseline_apart_j: float | None = None
    candidate_apart_j: float | None = None
    baseline_peak_b: int | None = None
    candidate_peak_b: int | None = None
    spent_s: float | None = None
    spent_j: float | None = None
    spent_method: Method | None = None
    temperature_c: tuple[float, float] | None = None
    variant: str = ""
    change: Change | None = None

    @property
    def method(self) -> Method | None:
        """How its joules came about: the worst of all blocks, and of the trial as a whole."""
        seen = [self.spent_method, *(it.method for it in (*self.baseline, *self.candidate))]
        return Method.worst(methods) if (methods := [it for it in seen if it is not None]) else None

    def to_dict(self) -> dict[str, Any]:
        """This trial as plain JSON values: the verdict first, then what it stands on, per unit of work."""
        return {
            "verdict": self.verdict.value,
            "ratio": self.ratio,
            "interval": None if self.interval is None else list(self.interval),
            "quality": self.quality,
            "quality_good": self.quality_good,
            "break_even": self.break_even,
            "note": self.note,
            "variant": self.variant,
            "unit": self.unit,
            "units": self.units,
            "order": self.order,
            "baseline": _way(self.baseline, self.baseline_runs, self.baseline_items)
            | {"apart_j": self.baseline_apart_j, "peak_b": self.baseline_peak_b},
            "candidate": _way(self.candidate, self.candidate_runs, self.candidate_items)
            | {"apart_j": self.candidate_apart_j, "peak_b": self.candidate_peak_b},
            "spent_s": self.spent_s,
            "spent_j": self.spent_j,
            "method": None if self.method is None else self.method.value,
            "temperature_c": None if self.temperature_c is None else list(self.temperature_c),
            "change": None if self.change is None else self.change.to_dict(),
        }


def _way(blocks: Sequence[Measurement], runs: int, items: Sequence[float]) -> dict[str, Any]:
    """Joules and seconds of a run and of an item, as medians over the blocks."""
    joules = [block.total_j for block in blocks if block.total_j is not None]
    seconds = [block.window.duration_s for block in blocks]
    method = Method.worst(block.method for block in blocks if block.method is not None)
    return {
        "blocks": len(blocks),
        "runs_per_block": runs,
        "joules_per_run": median(joules) / runs if joules else None,
        "seconds_per_run": median(seconds) / runs if seconds else None,
        "joules_per_item": _per_item([block.total_j for block in blocks], items),
        "seconds_per_item": _per_item(seconds, items),
        "method": None if method is None else method.value,
    }


def _per_item(values: Sequence[float | None], items: Sequence[float]) -> float | None:
    parts = [value / count for value, count in zip(values, items, strict=False) if value is not None and count > 0]
    return median(parts) if parts else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A rule that fired on a cell. Without a trial it never shows a saving.

    Attributes:
        subject: what it is about, by the user's own name where that is known ("model", "loader"); a rule that fires on
            the same subject in several cells is one finding.
        severity: how loudly it speaks here; None where the evidence says no more than the rule does.
        cell_id, execution_count: the dearest of the cells that it was found in.
        cells: in how many cells it was found.
        at_stake_s: seconds of this notebook that ran through what would change. No saving: its upper bound.
        at_stake_j: the joules of those seconds, None where a cell was not measured; ``method`` is how they came about.
    """

    rule: Rule
    cell_id: str | None
    evidence: tuple[Evidence, ...]
    suggestion: Suggestion
    subject: str = ""
    severity: Severity | None = None
    execution_count: int | None = None
    cells: int = 1
    at_stake_s: float | None = None
    at_stake_j: float | None = None
    method: Method | None = None
    trial: Trial | None = None

    @property
    def key(self) -> str:
        """Names this finding among those of its notebook: what a dismissal remembers."""
        return f"{self.rule.code} {self.subject}".rstrip()
