"""The advisor of one kernel: follows its cells, runs the rules on what was seen, orders what they found.

Rules are run when somebody wants to know: a cell that nobody asks about costs its observers and no more.
"""

from __future__ import annotations

import dataclasses
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from greennb.advisor.base import Found, Observer, RuleModule
from greennb.advisor.catalogue import catalogue
from greennb.advisor.names import Names
from greennb.advisor.signals.cell import CellContext
from greennb.advisor.watch import Watch
from greennb.model.finding import Finding, Suggestion, Trial, Verdict
from greennb.model.measurement import Measurement
from greennb.model.reading import Method

LEAST_J, LEAST_S = 1.0, 1.0
"""Nothing is said of its own accord on a cell below these."""

FRAMEWORKS = ("torch", "sklearn", "keras", "jax")
"""The parts of a cell's context that are there only where a framework was at work."""

MOST_CELLS = 500
"""Runs of cells remembered: more than a person runs between two looks at the advice."""


@dataclass(slots=True)
class _Kept:
    """One run of a cell. What it cost is worked out when it is asked for, and so are its findings."""

    context: CellContext
    measure: Callable[[], Measurement] | None
    read: bool = False  # whether its source was
    found: list[tuple[RuleModule, Found]] | None = field(default=None)


class Advisor:
    """Advice on the cells of one kernel.

    Args:
        observers: who watches.
        namespace: the notebook's names.
        say: told in one sentence, once, what of the advisor is off and why.
        rules: the rules in force; those of the catalogue unless given.
        clock: seconds that only go forward.
    """

    def __init__(
        self,
        observers: Sequence[Observer],
        *,
        namespace: Mapping[str, Any],
        say: Callable[[str], None],
        rules: Sequence[RuleModule] | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.watch = Watch(observers, say=say)
        self._namespace = namespace
        self._say = say
        self._clock = clock
        self._rules = None if rules is None else list(rules)
        self._cells: deque[_Kept] = deque(maxlen=MOST_CELLS)
        self._lock = threading.Lock()  # of _cells, for moments only: a cell's end takes it
        self._asking = threading.RLock()  # a page's thread and the notebook's may both want to know
        self._count = 0
        self._depth = 0
        self._t0_s = self._ended_s = 0.0
        self._ignored = False
        self._trials: dict[str, Trial] = {}
        self.dismissed: set[str] = set()

    def install(self) -> None:
        """Begin to watch."""
        self.watch.install()

    def remove(self) -> None:
        """Take every hook back; what was found is kept."""
        self.watch.remove()

    def begin(self) -> None:
        """A cell begins; one within another is the outer one's."""
        self._depth += 1
        if self._depth == 1:
            self._t0_s = self._clock()
            self.watch.begin()

    def end(
        self,
        *,
        source: str,
        cell_id: str | None = None,
        execution_count: int | None = None,
        failed: bool = False,
        measure: Callable[[], Measurement] | None = None,
    ) -> CellContext | None:
        """A cell has ended: what was seen of it. None for one within another.

        Args:
            measure: gives what it cost, when that is first wanted; None for a cell that was not measured.
        """
        self._depth = max(0, self._depth - 1)
        if self._depth:
            return None
        now_s = self._clock()
        seen = self.watch.end(Names(self._namespace))
        ignored, self._ignored = self._ignored, False
        if ignored:
            return None
        context = CellContext(
            number=self._count,
            cell_id=cell_id,
            execution_count=execution_count,
            source=source,
            duration_s=now_s - self._t0_s,
            failed=failed,
            idle_before_s=max(0.0, self._t0_s - self._ended_s) if self._count else 0.0,
            **seen,
        )
        self._count += 1
        self._ended_s = self._clock()
        kept = _Kept(context, measure)
        if context.duration_s >= LEAST_S:
            # Now rather than with the first question: that would wait for hundreds of them, and names move on.
            self._read(kept)
        with self._lock:
            self._cells.append(kept)
        return kept.context

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Nobody watches meanwhile, and nothing is said of the cell that runs: what a trial does is not the user's."""
        self._ignored = self._depth > 0
        watched = self.watch.installed
        self.watch.remove()
        try:
            yield
        finally:
            if watched:
                self.watch.install()

    def tried(self, key: str, trial: Trial) -> None:
        """From now on the finding of that key carries this trial, as long as its cell reads as it did."""
        self._trials[key] = trial

    @property
    def cells(self) -> tuple[CellContext, ...]:
        """The runs of cells that are remembered, oldest first, each whole, without their past."""
        return tuple(self._whole(kept) for kept in self._remembered())

    @property
    def watched(self) -> int:
        """How many runs of cells have been watched."""
        return self._count

    @property
    def frameworks(self) -> tuple[str, ...]:
        """Those that were at work in the cells that are remembered: "torch", "sklearn"."""
        kept = self._remembered()
        return tuple(name for name in FRAMEWORKS if any(getattr(it.context, name) is not None for it in kept))

    def _remembered(self) -> list[_Kept]:
        with self._lock:
            return list(self._cells)

    def of_cell(self, number: int) -> tuple[Finding, ...]:
        """What is to be said on one run of a cell, the dearest first."""
        with self._asking:
            return self._ordered([kept for kept in self._remembered() if kept.context.number == number])

    def findings(self, *, all_cells: bool = False) -> tuple[Finding, ...]:
        """What is to be said on this notebook, the dearest first; a cell that ran again counts as it ran last.

        Args:
            all_cells: also of cells below 1 J or 1 s, and what was dismissed.
        """
        latest = {kept.context.cell_id or kept.context.number: kept for kept in self._remembered()}
        with self._asking:
            found = self._ordered([kept for kept in latest.values() if all_cells or self._worth_it(kept)])
        return found if all_cells else tuple(it for it in found if not self._is_dismissed(it))

    def dismiss(self, name: str) -> None:
        """Say no more of a finding (its ``key``) or of a rule (its code)."""
        self.dismissed.add(name)

    def _is_dismissed(self, finding: Finding) -> bool:
        return finding.key in self.dismissed or finding.rule.code in self.dismissed

    def worth_it(self, number: int) -> bool:
        """Whether a run of a cell is dear enough to speak of unasked."""
        return any(self._worth_it(kept) for kept in self._remembered() if kept.context.number == number)

    def _worth_it(self, kept: _Kept) -> bool:
        if kept.context.duration_s < LEAST_S:
            return False
        measurement = self._whole(kept).measurement
        return measurement is None or measurement.total_j is None or measurement.total_j >= LEAST_J

    def _whole(self, kept: _Kept) -> CellContext:
        if kept.measure is not None:
            kept.context = dataclasses.replace(kept.context, measurement=kept.measure())
            kept.measure = None
        return kept.context

    def _found(self, kept: _Kept) -> list[tuple[RuleModule, Found]]:
        """What the rules say on one run of a cell; worked out once."""
        if kept.found is None:
            self._read(kept)
            context = self._whole(kept)
            past = tuple(self._whole(it) for it in self._remembered() if it.context.number < context.number)
            whole = dataclasses.replace(context, past=past)
            kept.found = [(rule, found) for rule in self.rules for found in self._checked(rule, whole)]
        return kept.found

    def _read(self, kept: _Kept) -> None:
        """Look at the source of a cell, once, and at functions of the cells before it."""
        if kept.read:
            return
        kept.read = True
        from greennb.advisor.observe.source.signals import source_signals

        earlier = [it.context.source for it in self._remembered() if it.context.number < kept.context.number]
        try:
            code = source_signals(kept.context.source, Names(self._namespace), earlier=earlier)
        except Exception as error:  # noqa: BLE001  # rules do with what was measured
            self._say(f"a cell's source could not be looked at ({type(error).__name__}: {error}). Please report it.")
            return
        kept.context = dataclasses.replace(kept.context, code=code)

    @property
    def rules(self) -> list[RuleModule]:
        """The rules in force; one that fails is taken out."""
        if self._rules is None:
            known = catalogue()
            for problem in known.problems:
                self._say(problem)
            self._rules = list(known.rules)
        return list(self._rules)

    def _checked(self, rule: RuleModule, cell: CellContext) -> Iterable[Found]:
        try:
            return list(rule.check(cell))
        except Exception as error:  # noqa: BLE001  # one bad rule costs itself
            if self._rules is not None and rule in self._rules:
                self._rules.remove(rule)
            what = f"{type(error).__name__}: {error}"
            self._say(f"the rule {rule.RULE.code} is off in this kernel ({what}). Please report it.")
            return ()

    def _ordered(self, cells: Sequence[_Kept]) -> tuple[Finding, ...]:
        together: dict[tuple[str, str], list[tuple[_Kept, RuleModule, Found]]] = {}
        for kept in cells:
            for rule, found in self._found(kept):
                together.setdefault((rule.RULE.code, found.subject), []).append((kept, rule, found))
        mean_w = _mean_w([kept.context for kept in cells])

        def joules(finding: Finding) -> float:
            """What orders findings: their joules, or what their seconds would take at the notebook's mean power."""
            return finding.at_stake_j if finding.at_stake_j is not None else (finding.at_stake_s or 0.0) * mean_w

        findings = [self._with_trial(_merged(group), group) for group in together.values()]
        return tuple(sorted(findings, key=lambda it: (_proof(it.trial), joules(it)), reverse=True))

    def _with_trial(self, finding: Finding, group: Sequence[tuple[_Kept, RuleModule, Found]]) -> Finding:
        trial = self._trials.get(finding.key)
        if trial is None or trial.change is None:
            return finding
        still = any(kept.context.source == trial.change.before for kept, _rule, _found in group)
        return dataclasses.replace(finding, trial=trial) if still else finding


def _proof(trial: Trial | None) -> int:
    """What was proven comes first, what was refuted last."""
    if trial is None or trial.verdict is Verdict.CANNOT_TELL:
        return 1
    return 2 if trial.verdict is Verdict.SAVES and trial.quality_good is not False else 0


def _merged(group: Sequence[tuple[_Kept, RuleModule, Found]]) -> Finding:
    """One finding of all the cells that a rule fired on for the same subject; it shows the dearest's evidence."""
    kept, rule, found = max(group, key=lambda it: _stake_s(it[0], it[2]))
    joules = [_stake_j(kept, found) for kept, _rule, found in group]
    known = [j for j in joules if j is not None]
    methods = [m for kept, _rule, _found in group if (m := _method(kept)) is not None]
    whole = len(known) == len(joules)
    return Finding(
        rule=rule.RULE,
        subject=found.subject,
        severity=found.severity,
        cell_id=kept.context.cell_id,
        execution_count=kept.context.execution_count,
        cells=len({it.context.cell_id or it.context.number for it, _rule, _found in group}),
        evidence=found.evidence,
        suggestion=Suggestion(text=found.text, code=found.code),
        at_stake_s=sum(_stake_s(kept, found) for kept, _rule, found in group),
        at_stake_j=sum(known) if whole else None,
        method=Method.worst(methods) if whole and methods else None,
    )


def _stake_s(kept: _Kept, found: Found) -> float:
    return kept.context.duration_s * min(1.0, max(0.0, found.share))


def _stake_j(kept: _Kept, found: Found) -> float | None:
    measurement = kept.context.measurement
    total_j = None if measurement is None else measurement.total_j
    return None if total_j is None else total_j * min(1.0, max(0.0, found.share))


def _method(kept: _Kept) -> Method | None:
    return None if kept.context.measurement is None else kept.context.measurement.method


def _mean_w(cells: Sequence[CellContext]) -> float:
    """Mean power of the cells that were measured; 1 W where none was, for an order by seconds."""
    parts = [(it.measurement.total_j, it.duration_s) for it in cells if it.measurement is not None]
    known = [(j, s) for j, s in parts if j is not None]
    seconds = sum(s for _j, s in known)
    return sum(j for j, _s in known) / seconds if seconds > 0 else 1.0
