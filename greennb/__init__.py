"""greennb: what did that cell cost?

In a notebook: ``%load_ext greennb``, then ``%%energy`` or ``%energy_auto on``. In plain Python::

    with greennb.measure("train") as window:
        model.fit(X, y)
    print(window.result.total_j)

Importing this module imports nothing heavy; each name loads what it needs when it is first used.
"""

from __future__ import annotations

TYPE_CHECKING = False  # type checkers know this name; to import typing would cost more than all the rest here
if TYPE_CHECKING:
    from typing import Any

    from greennb.jupyter import load_ipython_extension, unload_ipython_extension
    from greennb.jupyter.dashboard import dashboard
    from greennb.model.measurement import Measurement
    from greennb.plain import compare, last, measure, measured

__version__ = "0.1.0"

__all__ = [
    "measure",
    "measured",
    "compare",
    "last",
    "dashboard",
    "Measurement",
    "load_ipython_extension",
    "unload_ipython_extension",
]

_HOMES = {
    "measure": "greennb.plain",
    "measured": "greennb.plain",
    "compare": "greennb.plain",
    "last": "greennb.plain",
    "dashboard": "greennb.jupyter.dashboard",
    "Measurement": "greennb.model.measurement",
    "load_ipython_extension": "greennb.jupyter",
    "unload_ipython_extension": "greennb.jupyter",
}


def _jupyter_labextension_paths() -> list[dict[str, str]]:
    """For `jupyter-builder develop`: where the built extension lies beside this package, and what it is called."""
    return [{"src": "labextension", "dest": "greennb"}]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'greennb' has no attribute '{name}'")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
