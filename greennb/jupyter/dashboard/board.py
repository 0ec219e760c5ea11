"""The dashboard's widget: takes the kernel's messages in, and shows them for as long as somebody looks on."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from ipywidgets import Layout, VBox

from greennb.jupyter.dashboard.advice import Advice
from greennb.jupyter.dashboard.known import Known
from greennb.jupyter.dashboard.line import Line
from greennb.jupyter.dashboard.parts import Pulse, close, show, text
from greennb.views import board as views

if TYPE_CHECKING:
    from greennb.jupyter.session import Session

PACE_HZ = 2.0
"""Looks a second, as the panel's usual pace; they come in pairs, so that the chart moves once a second."""

PLAIN = (
    "greennb's dashboard needs a front end with Jupyter widgets (JupyterLab, Notebook 7, VS Code, Colab, Voila). "
    "Here %energy_auto on and %energy_report say what cells cost."
)
"""What a front end without widgets shows."""

CLOSED = "This dashboard was closed."

_PARTS = {
    "live": ("hello", "history", "samples", "began", "ended"),
    "sensors": ("hello",),
    "cells": ("hello", "history", "ended", "settings"),
    "waste": ("hello", "waste"),
    "advice": ("hello", "findings", "trial", "settings", "began", "ended"),
}
"""The parts, and after which messages each is drawn anew."""

_FAILED = "greennb's dashboard could not do that ({why}). Your cells are not affected. Please report it."


class Dashboard(VBox):  # type: ignore[misc]  # ipywidgets has no types
    """Live power, cells, findings and trials of one kernel; ``close()`` ends it.

    Args:
        session: whose messages it shows.
        span_s: seconds of watts in view.
    """

    def __init__(self, session: Session, *, span_s: float) -> None:
        self._known = Known(span_s)
        self._drawing = threading.RLock()
        self._line: Line | None = Line(session.bridge, self._take)
        self._name = self._line.comm_id.replace("-", "")
        self._over = ""
        self._hidden = False  # whether pages had it in view, and none has now
        self._sensors, self._live, self._cells, self._waste = text(), text(), text(), text()
        self._advice = Advice(session, self._known, self._line, self._guarded)
        self._pulse = Pulse(self._looked_on)
        super().__init__(
            children=[_style(), self._live, self._cells, self._waste, self._advice.box, self._sensors,
                      self._pulse],
            layout=Layout(width="100%"),
        )  # fmt: skip
        self._begin(self._line, PACE_HZ if not session.recording else 0.0)  # `greennb run` has no page

    def close(self) -> None:
        """Take it out of every page, and read nothing for it any more."""
        line = getattr(self, "_line", None)  # ipywidgets closes what never came to be, too
        if line is not None:
            self._over = self._over or CLOSED
            self._line = None
            line.end()
            for child in self.children:
                close(child)
            self.layout.close()
        super().close()

    def __repr__(self) -> str:
        return PLAIN if self._line is not None else CLOSED

    def _repr_mimebundle_(self, **how: Any) -> Any:
        bundle = super()._repr_mimebundle_(**how)
        data = bundle[0] if isinstance(bundle, tuple) else bundle
        if isinstance(data, dict):
            data["text/plain"] = PLAIN
        return bundle

    def _begin(self, line: Line, hz: float) -> None:
        line.begin()
        for said in (line.ask("hello"), line.ask("history", span_s=self._known.span_s)):
            self._take(said)
        line.watch(hz)

    def _looked_on(self, views: int) -> None:
        """So many views of it are in pages: with none nothing is read for it, nor drawn."""
        if self._line is None:
            return
        with self._drawing:
            shown_again, self._hidden = self._hidden and views > 0, views == 0
        self._line.watch(0.0 if self._hidden else PACE_HZ)
        if shown_again:
            self._guarded(self._draw_all)()

    def _take(self, said: Mapping[str, Any]) -> None:
        """A message has come; on the feed's thread."""
        self._guarded(lambda: self._show(said))()

    def _show(self, said: Mapping[str, Any]) -> None:
        with self._drawing:
            kind = self._known.take(said)
            if kind == "bye":
                self._over = str(said["reason"])
            if not self._hidden or self._over:
                self._draw(kind)

    def _draw_all(self) -> None:
        with self._drawing:
            self._draw("hello")  # which all parts are drawn after

    def _draw(self, kind: str) -> None:
        """Show again what a message of this kind has changed."""
        if self._over:
            self._live.value = views.ended(self._over)
            return
        for part, kinds in _PARTS.items():
            if kind in kinds:
                getattr(self, f"_draw_{part}")()

    def _draw_live(self) -> None:
        known = self._known
        self._live.value = views.live(
            known.domains, known.watts.t_s, known.watts.w, latest=known.latest, bands=known.bands,
            span_s=known.span_s, name=self._name,
        )  # fmt: skip

    def _draw_sensors(self) -> None:
        if self._known.hello is not None:
            self._sensors.value = views.sensors(self._known.hello)

    def _draw_cells(self) -> None:
        known = self._known
        measures = known.hello is None or bool(known.hello["settings"]["measure"])
        self._cells.value = views.cells(list(known.runs.values()), known.session, measures=measures)

    def _draw_waste(self) -> None:
        self._waste.value = views.waste(self._known.waste)
        show(self._waste, bool(self._known.waste))

    def _draw_advice(self) -> None:
        self._advice.draw()

    def _guarded(self, job: Callable[[], None]) -> Callable[[], None]:
        """``job``, as something whose failure is said in words and never reaches the user's cell."""

        def guarded() -> None:
            try:
                job()
            except Exception as error:
                logging.getLogger(__name__).debug("the dashboard", exc_info=error)
                with suppress(Exception):  # it is words that fail then, and nobody is left to be told
                    self._advice.say(_FAILED.format(why=f"{type(error).__name__}: {error}"[:300]))

        return guarded


def _style() -> Any:
    style = text(views.STYLE)
    style.layout.height = "0"
    return style
