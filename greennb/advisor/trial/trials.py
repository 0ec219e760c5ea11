"""The trials of one kernel: says what a trial of a finding would run, runs it, and checks that nothing has changed."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from greennb.advisor.catalogue import catalogue
from greennb.advisor.observe.source.signals import without_magics
from greennb.advisor.trial import effects
from greennb.advisor.trial.ambient import Ambient
from greennb.advisor.trial.base import (
    ChangedError,
    Kind,
    Kit,
    Pair,
    Progress,
    RefusedError,
    Scene,
    Stop,
    Stopped,
    Tell,
    Variant,
)
from greennb.advisor.trial.edit import apply_to_source
from greennb.advisor.trial.fingerprint import Fingerprint
from greennb.advisor.trial.schedule import compare
from greennb.model.errors import BadInputError
from greennb.model.finding import Change, Finding, Trial
from greennb.model.reading import Method
from greennb.views import format as fmt

if TYPE_CHECKING:
    from greennb.advisor.advise import Advisor
    from greennb.advisor.signals.cell import CellContext
    from greennb.meter.meter import Meter

KITS = ("torch", "sklearn", "keras")
"""Frameworks that have one; each is also the name of what was seen of it in a cell."""

BUDGET_S = 30.0
"""Seconds that a trial may take, unless told."""

LEAST_BUDGET_S, MOST_BUDGET_S = 1.0, 3600.0
"""Below the first no verdict can be had, above the second nobody waits."""

LOOKS_AT = {
    Kind.SAME: "Results are compared: they must be the same but for rounding.",
    Kind.NUMERIC: "Losses or outputs are compared with what another seed would change.",
    Kind.LEARNING: "What it costs is measured; what it does to what is learned is not: compare that yourself.",
    Kind.ESTIMATOR: "Scores are cross-validated, at two sizes where time allows; a worse model is no saving.",
}
"""How quality is looked at, for each kind of change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a trial would run, said before anything runs.

    Attributes:
        key: of the finding that it is about; the rule's code where the user named one that was not found.
        variants: names of all that could be tried here for that rule; ``variant`` is the one that is planned.
        words: sentences for the user: what, how long, about how many joules, how quality is looked at.
        expected_j: the budget's seconds at the mean power of the cell; None where that was not measured.
        change: what would be applied.
    """

    key: str
    code: str
    variant: str
    kind: Kind
    variants: tuple[str, ...]
    cell_id: str | None
    execution_count: int | None
    words: tuple[str, ...]
    budget_s: float
    budget_j: float | None
    expected_j: float | None
    method: Method | None
    change: Change


class Trials:
    """Trials in one kernel, one at a time.

    Args:
        advisor: whose findings are tried; it watches nothing meanwhile.
        namespace: the notebook's own names.
        quiet: makes a context in which nothing that runs prints or shows anything.
        own_files: files that greennb itself writes: that they differ afterwards is nobody's change.
    """

    def __init__(
        self,
        advisor: Advisor,
        *,
        namespace: dict[str, Any],
        meter: Callable[[], Meter],
        quiet: Callable[[], AbstractContextManager[object]] = nullcontext,
        own_files: Callable[[], Collection[Path]] = tuple,
    ) -> None:
        self._own_files = own_files
        self._advisor = advisor
        self._namespace = namespace
        self._meter = meter
        self._quiet = quiet
        self.done: tuple[tuple[str, Trial], ...] = ()

    def can_try(self, code: str) -> bool:
        """Whether some variant answers that rule."""
        return any(code in variant.codes for kit in _kits() for variant in kit.VARIANTS)

    def plan(
        self, name: str = "", *, variant: str | None = None, budget_s: float = BUDGET_S, budget_j: float | None = None
    ) -> Plan:
        """What would be run; nothing is.

        Args:
            name: a finding's key, a rule's code, or "" for the dearest finding that can be tried.

        Raises:
            BadInputError: there is no such finding, rule or variant, or no cell that it could be tried on.
            RefusedError: it can't be tried here; the sentence says why.
        """
        _checked(budget_s)
        key, code, cell, finding = self._about(name)
        scene = self._scene(cell, finding, budget_s)
        chosen, change, others = _chosen(_answers(code, cell), scene, code, variant)
        expected_j, method = _expected(cell, budget_s)
        if budget_j is not None and expected_j is not None:
            expected_j = min(expected_j, budget_j)
        return Plan(
            key=key, code=code, variant=chosen.name, kind=chosen.kind, variants=others,
            cell_id=cell.cell_id, execution_count=cell.execution_count,
            words=_words(cell, chosen, (budget_s, budget_j), expected_j, method), budget_s=budget_s, budget_j=budget_j,
            expected_j=expected_j, method=method, change=change,
        )  # fmt: skip

    def run(self, plan: Plan, *, stop: Stop | None = None, tell: Tell | None = None) -> Trial:
        """Run it, on the notebook's own thread. The finding carries the trial from then on.

        Raises:
            RefusedError: it can't be done, or not to its end.
            ChangedError: something of the user's is not as it was before: the trial is void.
            Stopped: somebody stopped it.
        """
        stop = stop or Stop()
        tell = tell or (lambda _progress: None)
        key, code, cell, finding = self._about(plan.key)
        if cell.source != plan.change.before:
            raise RefusedError("The cell has run with other code since the trial was planned: plan it again.")
        scene = replace(self._scene(cell, finding, plan.budget_s), stop=stop)
        kit, variant = next((kit, it) for kit, it in _answers(code, cell) if it.name == plan.variant)
        tell(Progress(phase="copying", budget_s=plan.budget_s))
        with self._advisor.paused():
            trial = self._unchanged(
                scene, tell,
                lambda: self._compared(kit.pair(scene, variant), stop, tell, plan.budget_s, plan.budget_j),
            )  # fmt: skip
        trial = replace(trial, variant=variant.name, change=plan.change)
        self._advisor.tried(key, trial)
        self.done = (*self.done, (key, trial))
        return trial

    def compare_cells(
        self,
        first: CellContext,
        second: CellContext,
        *,
        budget_s: float = BUDGET_S,
        budget_j: float | None = None,
        stop: Stop | None = None,
        tell: Tell | None = None,
    ) -> Trial:
        """Two cells that ran, each a whole, by turns on copies of what they use; nobody looks at what they give.

        Raises:
            BadInputError, RefusedError, ChangedError, Stopped: as for :meth:`plan` and :meth:`run`.
        """
        from greennb.advisor.trial import whole

        _checked(budget_s)
        stop = stop or Stop()
        tell = tell or (lambda _progress: None)
        one, other = (replace(self._scene(cell, None, budget_s), stop=stop) for cell in (first, second))
        with self._advisor.paused():
            return self._unchanged(
                one, tell,
                lambda: self._unchanged(
                    other, tell, lambda: self._compared(whole.pair(one, other), stop, tell, budget_s, budget_j)
                ),
            )  # fmt: skip

    def _compared(self, pair: Pair, stop: Stop, tell: Tell, budget_s: float, budget_j: float | None) -> Trial:
        try:
            return compare(self._meter(), pair, budget_s=budget_s, budget_j=budget_j, stop=stop, tell=tell)
        finally:
            _close(pair)

    def _unchanged(self, scene: Scene, tell: Tell, run: Callable[[], Trial]) -> Trial:
        """Run, and compare everything that a trial could change with what it was before.

        Raises:
            ChangedError: something differs; it names what.
        """
        ambient = Ambient.now()
        own = self._own_files()
        before = Fingerprint.of(self._namespace, scene.code, own=own)
        trial: Trial | None = None
        ended: BaseException | None = None
        try:
            trial = run()
        except KeyboardInterrupt:
            ended = Stopped()
        except (RefusedError, Stopped) as error:
            ended = error
        except MemoryError:
            ended = RefusedError("There was not enough memory for two copies of the work: try it with less data.")
        except Exception as error:  # noqa: BLE001  # ours: what it may have left behind is looked for all the same
            ended = RefusedError(f"The trial itself failed ({type(error).__name__}: {error}). Please report it.")
        finally:
            ambient.restore()
        tell(Progress(phase="checking", budget_s=scene.budget_s))
        changed = before.differences(Fingerprint.of(self._namespace, scene.code, own=own))
        if changed:
            raise ChangedError(
                f"The trial is void, for something has changed while it ran: {_listed(changed)}. If that was not "
                "somebody else's doing, run the cells that make it again, and please report it."
            ) from ended
        if trial is None:
            raise ended or Stopped()
        return trial

    def _about(self, name: str) -> tuple[str, str, CellContext, Finding | None]:
        """Key, code, cell and finding of what the user wants tried.

        Raises:
            BadInputError: there is nothing of that name.
        """
        findings = self._advisor.findings(all_cells=True)
        if not name.strip():
            found = next((it for it in self._advisor.findings() if self.can_try(it.rule.code)), None)
            if found is None:
                raise BadInputError(
                    "There is no finding that can be tried: name a rule, as %energy_try GNB210, to try it on the last "
                    "cell that used its framework."
                )
            return found.key, found.rule.code, self._cell_of(found), found
        wanted = name.strip()
        found = next((it for it in findings if wanted in (it.key, it.rule.code, it.rule.code.lower())), None)
        if found is not None:
            return found.key, found.rule.code, self._cell_of(found), found
        code = catalogue().named(wanted.split()[0]).RULE.code
        if not self.can_try(code):
            raise BadInputError(
                f"{code} has nothing that could be tried; `greennb rules {code}` says what to do by hand."
            )
        return code, code, self._latest(code), None

    def _cell_of(self, finding: Finding) -> CellContext:
        """The latest run of the cell in which it was found."""
        return next(
            it for it in reversed(self._advisor.cells)
            if (it.cell_id, it.execution_count) == (finding.cell_id, finding.execution_count)
        )  # fmt: skip

    def _latest(self, code: str) -> CellContext:
        kits = [name for name, kit in zip(KITS, _kits(), strict=True) if any(code in it.codes for it in kit.VARIANTS)]
        for cell in reversed(self._advisor.cells):
            if any(getattr(cell, name) is not None for name in kits):
                return cell
        raise BadInputError(f"{code} can't be tried yet: no cell of this notebook has used {' or '.join(kits)}.")

    def _scene(self, cell: CellContext, finding: Finding | None, budget_s: float) -> Scene:
        if cell.failed:
            raise RefusedError("The cell ended in an error: make it run, then try again.")
        effects.refuse(cell.source, self._namespace)  # as typed: magics have effects too
        code = without_magics(cell.source)
        if code is None:
            raise RefusedError("The cell is not Python, so that it can't be run another way.")
        return Scene(
            cell=cell, code=code, namespace=self._namespace, finding=finding, quiet=self._quiet, budget_s=budget_s
        )


def _checked(budget_s: float) -> None:
    if not LEAST_BUDGET_S <= budget_s <= MOST_BUDGET_S:
        raise BadInputError(f"The budget of a trial is {LEAST_BUDGET_S:g} to {MOST_BUDGET_S:g} seconds.")


def variants() -> list[tuple[str, tuple[str, ...]]]:
    """What can be tried at all: the names of variants, each with the rules that it answers."""
    return [(variant.name, variant.codes) for kit in _kits() for variant in kit.VARIANTS]


def _kits() -> list[Any]:
    return [importlib.import_module(f"greennb.advisor.trial.{name}") for name in KITS]


def _answers(code: str, cell: CellContext) -> list[tuple[Kit, Variant]]:
    """What can be tried for a rule on a cell, by the frameworks that were at work in it."""
    return [
        (kit, variant)
        for name, kit in zip(KITS, _kits(), strict=True)
        if getattr(cell, name) is not None
        for variant in kit.VARIANTS
        if code in variant.codes
    ]


def _chosen(
    answers: Sequence[tuple[Kit, Variant]], scene: Scene, code: str, wanted: str | None
) -> tuple[Variant, Change, tuple[str, ...]]:
    """The variant that the user wants, or the first that makes sense here; what it changes; and all that do.

    Raises:
        BadInputError: there is no variant of that name.
        RefusedError: none makes sense; the first one's reason.
    """
    if not answers:
        raise BadInputError(f"{code} has nothing that could be tried on this cell.")
    names = [variant.name for _kit, variant in answers]
    if wanted is not None and wanted not in names:
        raise BadInputError(f'{code} has no variant "{wanted[:60]}": it has {", ".join(names)}.')
    possible: list[tuple[Variant, Change]] = []
    refused: dict[str, RefusedError] = {}
    for _kit, variant in answers:
        try:
            after = apply_to_source(scene, variant.change(scene))
            change = Change(cell_id=scene.cell.cell_id, before=scene.cell.source, after=after)
            possible.append((variant, change))
        except RefusedError as error:
            refused[variant.name] = error
    if wanted in refused:
        raise refused[wanted]
    if not possible:
        raise next(iter(refused.values()))
    chosen = next((it for it in possible if it[0].name == wanted), possible[0])
    return chosen[0], chosen[1], tuple(variant.name for variant, _change in possible)


def _expected(cell: CellContext, budget_s: float) -> tuple[float | None, Method | None]:
    measured = cell.measurement
    if measured is None or measured.total_j is None or cell.duration_s <= 0:
        return None, None
    return measured.total_j / cell.duration_s * budget_s, measured.method


def _words(
    cell: CellContext,
    variant: Variant,
    budget: tuple[float, float | None],
    expected_j: float | None,
    method: Method | None,
) -> tuple[str, ...]:
    budget_s, budget_j = budget
    latest = fmt.seconds(budget_s) if budget_j is None else f"{fmt.seconds(budget_s)} or {fmt.joules(budget_j)}"
    which = "the cell" if cell.execution_count is None else f"cell [{cell.execution_count}]"
    much = (
        "how many joules that takes is not known, for the cell was not measured"
        if expected_j is None
        else f"at the cell's mean power, as {_how(method)}, that is at most {fmt.joules(expected_j, method)}"
    )
    blind = (
        ("Joules are estimated here, from CPU time and load: what draws other power in the same time looks the same.",)
        if method is Method.ESTIMATED
        else ()
    )
    return (
        f"This runs {which} on copies of what it uses, as it is and with {variant.name}, by turns.",
        f"It ends as soon as the answer is safe, after {latest} at the latest; {much}.",
        *blind,
        LOOKS_AT[variant.kind],
        "Nothing of the notebook is changed by it: that is checked afterwards.",
    )


def _how(method: Method | None) -> str:
    return "estimated" if method is Method.ESTIMATED else "measured"


def _close(pair: Pair) -> None:
    try:
        pair.baseline.close()
    finally:
        pair.candidate.close()


def _listed(things: Sequence[str]) -> str:
    few = list(things[:5])
    return ", ".join(few) + (f" and {len(things) - 5} more" if len(things) > 5 else "")
