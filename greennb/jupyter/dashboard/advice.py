"""Findings and trials in the dashboard: one finding at a time, *Try it*, the plan, *Stop*, the verdict, dismissals."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from ipywidgets import Button, HBox, Layout, VBox

from greennb.jupyter.coach import is_among
from greennb.jupyter.dashboard.parts import HeardButton, HeardDropdown, interruptible, on_main_thread, show, text
from greennb.model.errors import GreennbError
from greennb.views import advice as views
from greennb.views import board, tried

if TYPE_CHECKING:
    from greennb.jupyter.dashboard.known import Known
    from greennb.jupyter.dashboard.line import Line
    from greennb.jupyter.session import Session
    from greennb.model.finding import Finding

Said = Mapping[str, Any]

NEVER = "Never in this kernel"
_EMPTY = "Nothing to say yet: what could be cheaper is looked for in cells of at least 1 J and 1 s."
_OFF = "Advice is off in this kernel: %energy_config advice=on turns it on."
_WAITS = "While a cell runs, a button may have to wait for its end."


class Advice:
    """The dashboard's findings and trials; ``box`` is the widget.

    Args:
        guarded: makes of a function one that fails in words only, and changes widgets alone.
    """

    def __init__(
        self, session: Session, known: Known, line: Line, guarded: Callable[[Callable[[], None]], Callable[[], None]]
    ) -> None:
        self._session = session
        self._known = known
        self._line = line
        self._dismissed: set[str] = set()
        self._plan: Said | None = None
        self._words = ""
        self._asked = False  # whether the latest trial was asked for here: how it ended is said here
        self._lock = threading.RLock()
        self._drawing = False
        self._choice = HeardDropdown(options=[], description="Finding", layout=Layout(width="auto", max_width="46em"))
        self._variant = HeardDropdown(options=[], description="Change", layout=Layout(width="auto", display="none"))
        self._head, self._article, self._told = text(), text(), text()
        self._buttons: dict[str, Any] = {}
        self._pressed = guarded
        asks = [
            self._button("Try it", self._try, "Says first what would be run; nothing is run before you say so"),
            self._button("Dismiss", self._dismiss, "Takes this finding off the list, in this kernel"),
            self._button(NEVER, self._never, "Takes all findings of this rule off the list, in this kernel"),
            self._button("Show dismissed", self._restore, "Puts back what was dismissed here"),
        ]
        # A trial runs where cells run: pressed while one does, this button waits for its end.
        self._run_button = self._button("Run the trial", self._run, "Runs it on copies, as the plan says", kind=Button)
        trial = [
            self._run_button,
            self._button("Stop", self._stop, "Ends the trial; nothing of the notebook is changed by it"),
            self._button("Close", self._cancel, "Takes this away"),
        ]
        self._rows = [HBox(row, layout=Layout(flex_flow="row wrap", margin="0 0 6px")) for row in (asks, trial)]
        self.box = VBox(
            [self._head, self._choice, self._article, self._rows[0], self._variant, self._told, self._rows[1]],
            layout=Layout(width="100%"),
        )
        self._choice.observe(lambda _change: guarded(self._chosen)(), names="value")
        self._variant.observe(lambda _change: guarded(self._varied)(), names="value")

    def _button(self, name: str, pressed: Callable[[], None], tip: str, *, kind: Any = HeardButton) -> Any:
        button = kind(description=name, tooltip=tip, layout=Layout(width="auto"))
        button.on_click(lambda _button: self._pressed(pressed)())
        self._buttons[name] = button
        return button

    @property
    def _shown(self) -> dict[str, tuple[Finding, Said]]:
        gone = self._session.coach.dismissed | self._dismissed
        return {key: each for key, each in list(self._known.findings.items()) if not is_among(gone, each[0])}

    @property
    def _running(self) -> bool:
        return self._known.trial is not None and self._known.trial["state"] == "running"

    def draw(self) -> None:
        """Show what is known now."""
        with self._lock:
            self._drawing = True
            try:
                shown = self._shown
                self._draw_choice(shown)
                chosen = shown.get(self._choice.value)
                self._draw_finding(chosen)
                self._draw_trial(chosen)
                for row in self._rows:
                    show(row, any(button.layout.display != "none" for button in row.children))
            finally:
                self._drawing = False

    def say(self, words: str) -> None:
        """Show a sentence where the trial's stand."""
        self._words = words
        self.draw()

    def _draw_choice(self, shown: Mapping[str, tuple[Finding, Said]]) -> None:
        options = tuple((views.brief(finding), key) for key, (finding, _said) in shown.items())
        if options != tuple(self._choice.options):
            chosen = self._choice.value
            self._choice.options = options
            self._choice.value = chosen if chosen in shown else next(iter(shown), None)
        if shown:
            waits = f" {_WAITS}" if self._known.runs_now else ""
            words = f"{len(shown)} finding{'' if len(shown) == 1 else 's'}. {views.AT_STAKE}{waits}"
        else:
            words = _EMPTY if self._session.advises else _OFF
        self._head.value = board.titled("Advice", words)
        show(self._choice, len(options) > 1)
        show(self._buttons["Show dismissed"], bool(self._dismissed))

    def _draw_finding(self, chosen: tuple[Finding, Said] | None) -> None:
        self._article.value = "" if chosen is None else board.part("finding", views.articles([chosen[0]]))
        show(self._article, chosen is not None)
        idle = not self._running and self._plan is None
        show(self._buttons["Try it"], chosen is not None and idle and bool(chosen[1]["can_try"]))
        for name in ("Dismiss", NEVER):
            show(self._buttons[name], chosen is not None)

    def _draw_trial(self, chosen: tuple[Finding, Said] | None) -> None:
        planned = self._plan is not None and not self._running
        html = self._trial_html(chosen)
        self._told.value = board.part("trial", html) if html else ""
        show(self._told, bool(html))
        show(self._variant, planned and len(self._variant.options) > 1)
        show(self._buttons["Run the trial"], planned)
        show(self._buttons["Stop"], self._running)
        show(self._buttons["Close"], planned or bool(self._words) or self._ended)

    @property
    def _ended(self) -> bool:
        """Whether the trial that was asked for here came to no verdict, which nobody has closed yet."""
        said = self._known.trial
        return self._asked and said is not None and said["state"] not in ("running", "done")

    def _trial_html(self, chosen: tuple[Finding, Said] | None) -> str:
        words = tried.sentence(self._words) if self._words else ""
        if self._known.trial is not None and (self._running or (self._ended and self._plan is None)):
            return tried.progress(self._known.trial)
        if self._plan is not None:
            return tried.plan(self._plan, waits=self._session.cells.busy) + words
        if words or chosen is None or chosen[1]["trial"] is None:
            return words
        return tried.verdict(chosen[1]["trial"], chosen[0].key)

    # What is pressed. On a subshell's thread, where there is one, while a cell runs.

    def _chosen(self) -> None:
        if not self._drawing:
            self._cancel()

    def _varied(self) -> None:
        if not self._drawing and self._plan is not None and self._variant.value not in (None, self._plan["variant"]):
            self._try(self._variant.value)

    def _try(self, variant: str | None = None) -> None:
        key = self._choice.value
        if key is None:
            return
        self._cancel()
        said = self._line.ask("plan", key=key, **({} if variant is None else {"variant": variant}))
        with self._lock:
            if said["type"] == "plan":
                self._offer(said["variants"], said["variant"])
                self._plan = said
            else:
                self._words = str(said.get("reason", ""))
            self.draw()

    def _offer(self, variants: Sequence[str], variant: str) -> None:
        self._drawing = True
        self._variant.options = tuple(variants)
        self._variant.value = variant
        self._drawing = False

    def _run(self) -> None:
        plan = self._plan
        if plan is not None:
            on_main_thread(self._session.shell.kernel, self._pressed(lambda: self._runs(plan)))

    def _runs(self, plan: Said) -> None:
        """Run it, on the thread of the cells; it tells of itself by messages, also how it ended."""
        from greennb.jupyter.trials import answer

        if self._session.busy:  # a cell that awaits something lets messages in
            self.say("A cell runs: press again once it has ended.")
            return
        self._plan, self._words, self._asked = None, "", True
        with suppress(GreennbError), interruptible():
            answer(
                self._session, plan["key"], variant=plan["variant"], budget_s=plan["budget_s"], budget_j=None,
                plan_only=False, quiet=True,
            )  # fmt: skip
        self.draw()

    def _stop(self) -> None:
        self._line.ask("stop")

    def _cancel(self) -> None:
        self._plan, self._words, self._asked = None, "", False
        self.draw()

    def _dismiss(self) -> None:
        self._leave_out(str(self._choice.value))

    def _never(self) -> None:
        chosen = self._known.findings.get(self._choice.value)
        if chosen is not None:
            self._leave_out(chosen[0].rule.code)

    def _leave_out(self, name: str) -> None:
        """As ``%energy_advise --dismiss`` does: in this kernel, and for everybody who looks on."""
        self._dismissed.add(name)
        advisor = self._session.coach.advisor
        if advisor is not None:
            advisor.dismiss(name)
        self._session.advice_changed()
        self._cancel()

    def _restore(self) -> None:
        advisor = self._session.coach.advisor
        if advisor is not None:
            advisor.dismissed -= self._dismissed
        self._dismissed.clear()
        self._session.advice_changed()
        self.draw()
