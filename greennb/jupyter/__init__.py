"""greennb in a notebook: the extension that ``%load_ext greennb`` loads. The only room that knows IPython."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Load greennb into ``shell``; loading it again changes nothing."""
    from greennb.jupyter.session import Session

    Session.start(shell)


def unload_ipython_extension(shell: InteractiveShell) -> None:
    """Take out of ``shell`` everything that loading put in."""
    from greennb.jupyter.session import Session

    Session.stop(shell)
