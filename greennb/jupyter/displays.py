"""How a cell shows greennb's results where one is its value: ``greennb.compare(...)`` on its last line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

_TRIAL = ("greennb.model.finding", "Trial")


def register(shell: Any) -> Callable[[], None]:
    """Show trials as ``%energy_try`` does, in words and as a card, and not as Python writes a dataclass.

    Answers its undo. Nothing is loaded before there is a trial to show.
    """
    formatter = shell.display_formatter.mimebundle_formatter
    formatter.for_type_by_name(*_TRIAL, _trial)
    return lambda: formatter.pop(".".join(_TRIAL), None)


def _trial(trial: Any) -> dict[str, Any]:
    from greennb.views.trial import bundle

    return bundle(trial.to_dict())
