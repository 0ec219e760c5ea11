"""The advisor in one session: begun and ended around every cell, asked when somebody wants to know.

This file is what ``%load_ext greennb`` loads of it. The advisor itself, its observers and, when first asked, its rules
are loaded before the first cell that runs: an expression of the kernel's own never waits for them.
"""

from __future__ import annotations

from collections.abc import Callable, Set
from typing import TYPE_CHECKING, Any

from greennb.model.measurement import Status

if TYPE_CHECKING:
    from greennb.advisor.advise import Advisor
    from greennb.jupyter.cells import CellRun
    from greennb.meter.meter import Meter
    from greennb.model.finding import Finding
    from greennb.model.measurement import Measurement


LONGEST_KEY = 200
"""Where the page cuts the keys that it writes into a notebook's metadata (labextension/src/dismissals.ts)."""


class Coach:
    """Whoever watches the cells of one shell for what would make them cheaper.

    Whatever goes wrong in here turns it off, is said once, and reaches no cell.

    Attributes:
        set_aside: what the notebook remembers as dismissed, as its page has told: keys of findings, and rules' codes.

    Args:
        shell: whose namespace is the notebook's.
        meter: the meter in force, whose sources know of the boards.
        on: whether to watch at all; may change from cell to cell.
        say: told in one sentence what is off and why.
        ended: called where a cell has ended that is dear enough to speak of.
    """

    def __init__(
        self,
        shell: Any,
        *,
        meter: Callable[[], Meter],
        on: Callable[[], bool],
        say: Callable[[str], None],
        ended: Callable[[], None],
    ) -> None:
        self._shell = shell
        self._meter = meter
        self._on = on
        self._say = say
        self._ended = ended
        self._advisor: Advisor | None = None
        self._info: Any = None  # of the cell that runs
        self._watches = False
        self._broken = False
        self._latest: int | None = None
        self._said: set[str] = set()
        self.set_aside: frozenset[str] = frozenset()

    @property
    def advisor(self) -> Advisor | None:
        """The advisor; None before its first cell, or where it was never on."""
        return self._advisor

    def begin(self, info: Any) -> None:
        """A cell that lies in no other is about to run; before its window is opened."""
        self._latest = None
        try:
            self._info = info if self._watching() else None
            if self._info is not None and self._advisor is not None:
                self._advisor.begin()
        except Exception as error:  # noqa: BLE001  # advice is no reason for a cell to fail
            self._break(error)

    def end(self, status: Status, execution_count: int | None, run: CellRun | None = None) -> None:
        """That cell has ended, and its window is closed; a second call changes nothing.

        ``run`` is what was measured of it, None where nothing was.
        """
        info, self._info = self._info, None
        if info is None or self._advisor is None:
            return
        try:
            context = self._advisor.end(
                source=str(getattr(info, "raw_cell", "") or ""),
                cell_id=getattr(info, "cell_id", None),
                execution_count=execution_count,
                failed=status is not Status.OK,
                measure=None if run is None else _measure(run),
            )
            if context is not None and self._advisor.worth_it(context.number):
                self._latest = context.number
                self._ended()
            if not self._on():
                self.close()  # turned off in this cell
        except Exception as error:  # noqa: BLE001
            self._break(error)

    def line(self) -> str:
        """One line on the cell that has just ended, for its card; "" on a small one, or with nothing new to say."""
        if self._latest is None or self._advisor is None:
            return ""
        try:
            for finding in self._advisor.of_cell(self._latest):
                if finding.key not in self._said and not is_among(self.dismissed, finding):
                    from greennb.views.advice import line  # with the first that is found

                    self._said.add(finding.key)
                    return line(finding)
        except Exception as error:  # noqa: BLE001
            self._break(error)
        return ""

    def findings(self, *, all_cells: bool = False, for_page: bool = False) -> tuple[Finding, ...]:
        """What is to be said now, without what was dismissed. From any thread.

        Args:
            for_page: also what was dismissed on the page, which shows it on demand.
        """
        if self._advisor is None:
            return ()
        found = self._advisor.findings(all_cells=all_cells)
        dismissed = self._advisor.dismissed if for_page else self.dismissed
        return tuple(finding for finding in found if not is_among(dismissed, finding))

    @property
    def dismissed(self) -> frozenset[str]:
        """Keys of findings and codes of rules that somebody has dismissed, here or on the page."""
        return self.set_aside.union(() if self._advisor is None else self._advisor.dismissed)

    def told(self, findings: tuple[Finding, ...]) -> None:
        """These have been shown: no card says them again."""
        self._said |= {finding.key for finding in findings}

    def close(self) -> None:
        """Take every hook back."""
        if self._watches and self._advisor is not None:
            self._watches = False
            self._advisor.remove()

    def _watching(self) -> bool:
        """Whether this cell is watched; hooks are registered and taken back as the setting says."""
        on = self._on() and not self._broken
        if on and not self._watches:
            if self._advisor is None:
                self._advisor = _advisor(self._shell, self._meter, self._say)
            self._watches = True
            self._advisor.install()
        elif not on:
            self.close()
        return on

    def _break(self, error: Exception) -> None:
        """Go on without advice."""
        self._broken, self._info = True, None
        self._say(
            f"there is no advice in this kernel any more ({type(error).__name__}: {error}); "
            "your results are not affected. Please report it."
        )
        try:
            self.close()
        except Exception as second:  # noqa: BLE001
            self._say(f"the advisor's hooks could not be taken back ({type(second).__name__}: {second}).")


def is_among(dismissed: Set[str], finding: Finding) -> bool:
    """Whether a finding, or its rule, is among what was dismissed."""
    former = f"{finding.rule.code} {finding.cell_id or ''}".rstrip()  # what notebooks of 0.1 remember
    return not dismissed.isdisjoint((finding.key[:LONGEST_KEY], finding.rule.code, former[:LONGEST_KEY]))


def _advisor(shell: Any, meter: Callable[[], Meter], say: Callable[[str], None]) -> Advisor:
    from greennb.advisor.advise import Advisor
    from greennb.advisor.observers import observers

    return Advisor(observers(meter=meter), namespace=shell.user_ns, say=say)


def _measure(run: CellRun) -> Callable[[], Measurement]:
    return lambda: run.measurement
