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
class Trial:
    """A measured comparison of two ways to do the same work, run in ``order`` ("A" baseline, "B" candidate).

    Attributes:
        baseline, candidate: the blocks, each a measurement of ``baseline_runs`` (``candidate_runs``) runs.
        ratio: candidate / baseline in joules a run; None where no round was completed.
        interval: its 95 % interval, right though the trial was ended as soon as it was safe.
        quality: what the guard saw.
        break_even: runs after which the trial's own energy is paid back; None where nothing is saved.
        note: why no more can be said, "" where the verdict says it all.
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

    def to_dict(self) -> dict[str, Any]:
        """This trial as plain JSON values: the verdict first, then what it stands on, per run."""
        return {
            "verdict": self.verdict.value,
            "ratio": self.ratio,
            "interval": None if self.interval is None else list(self.interval),
            "quality": self.quality,
            "break_even": self.break_even,
            "note": self.note,
            "order": self.order,
            "baseline": _way(self.baseline, self.baseline_runs),
            "candidate": _way(self.candidate, self.candidate_runs),
        }


def _way(blocks: Sequence[Measurement], runs: int) -> dict[str, Any]:
    """Joules and seconds of a run, as medians over the blocks."""
    joules = [block.total_j for block in blocks if block.total_j is not None]
    seconds = [block.window.duration_s for block in blocks]
    method = Method.worst(block.method for block in blocks if block.method is not None)
    return {
        "blocks": len(blocks),
        "runs_per_block": runs,
        "joules_per_run": median(joules) / runs if joules else None,
        "seconds_per_run": median(seconds) / runs if seconds else None,
        "method": None if method is None else method.value,
    }


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
