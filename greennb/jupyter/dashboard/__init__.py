"""``greennb.dashboard()``: live power, cells, findings and trials as ipywidgets, where there is no panel.

It is a second reader of the messages that go to the page (:mod:`greennb.model.messages`), in the kernel itself: it
samples nothing and works out nothing of its own.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from greennb.model.errors import BadInputError

if TYPE_CHECKING:
    from greennb.jupyter.dashboard.board import Dashboard
    from greennb.jupyter.session import Session

MOST_MINUTES = 60
"""What the kernel keeps of the watts: an hour."""

_NO_NOTEBOOK = (
    "greennb.dashboard() needs a notebook with a Python kernel; here `with greennb.measure():` measures, and "
    "`greennb run NOTEBOOK` measures a whole notebook."
)
_NO_WIDGETS = (
    "greennb.dashboard() needs a notebook: this terminal shows no widgets. %energy_auto on and %energy_report say here "
    "what cells cost."
)


def dashboard(*, minutes: float = 1) -> Dashboard:
    """A dashboard of this kernel: leave it as a cell's last line, and it is shown there.

    It shows watts by device over the last ``minutes``, the notebook's cells, what the advisor found, and trials, also
    while cells run. Cells are measured from here on, as with the panel. Several dashboards share what is read;
    ``close()`` ends one. Once nobody looks on, nothing is read for it.

    Args:
        minutes: of watts in view, more than 0 and at most 60.

    Raises:
        BadInputError: there is no notebook here, or the minutes are out of range.
    """
    if isinstance(minutes, bool) or not isinstance(minutes, int | float) or not 0 < minutes <= MOST_MINUTES:
        raise BadInputError(f"minutes must be a number above 0 and at most {MOST_MINUTES}.")
    session = _session()
    from greennb.jupyter.dashboard.board import Dashboard

    return Dashboard(session, span_s=float(60 * minutes))


def _session() -> Session:
    """The session of this notebook, loaded quietly where it is not, as a page does it."""
    ipython = sys.modules.get("IPython")  # where nobody has imported it, no shell runs
    shell = None if ipython is None else ipython.get_ipython()
    if shell is None:
        raise BadInputError(_NO_NOTEBOOK)
    if getattr(shell, "kernel", None) is None:
        raise BadInputError(_NO_WIDGETS)
    from greennb.jupyter.attach import begin

    return begin(shell)
