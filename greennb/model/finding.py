"""Advice: a rule, what it found with its evidence, and the trial that proves or refutes it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from greennb.model.measurement import Measurement


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
    """What one piece of advice is about. ``source`` says where its claim comes from."""

    code: str
    name: str
    framework: str
    severity: Severity
    since: str
    source: str


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

    ``ratio`` is candidate / baseline in joules, ``interval`` its 95 % interval, ``quality`` what the guard
    saw, ``break_even`` the number of repetitions after which the trial's own energy is paid back.
    """

    baseline: tuple[Measurement, ...]
    candidate: tuple[Measurement, ...]
    order: str
    ratio: float | None
    interval: tuple[float, float] | None
    quality: str
    verdict: Verdict
    break_even: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A rule that fired on a cell. Without a trial it never shows a saving."""

    rule: Rule
    cell_id: str | None
    evidence: tuple[Evidence, ...]
    suggestion: Suggestion
    trial: Trial | None = None
