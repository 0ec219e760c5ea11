"""What a page evaluates by itself to have greennb in a kernel, without a line typed and without a trace of it.

The page sends a silent execution with one user expression::

    __import__('greennb.jupyter.attach', fromlist=['attach']).attach()

which binds no name, stands in no history, and shows nothing.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from greennb.jupyter.session import Session


def attach() -> str:
    """Load greennb into this kernel and measure every cell for the panel; answers JSON.

    It has "v" (version of the messages), "greennb" (its version), "loaded" (whether it was loaded already) and
    "problem" ("", or a sentence on why it could not be loaded). Cells are measured quietly, until the page or
    another one says otherwise. greennb's extension is left to the user: ``%load_ext greennb`` then finds it loaded.
    """
    from greennb import __version__
    from greennb.model.messages import VERSION

    told: dict[str, Any] = {"v": VERSION, "greennb": __version__, "loaded": False, "problem": ""}
    try:
        told["loaded"] = _attached()
    except Exception as error:  # noqa: BLE001  # the page says it; the user's next cell must not
        # Without quotation marks, the text inside Python's own quotes is JSON as it stands.
        reason = f"{type(error).__name__}: {error}"[:300].replace("\\", "/").replace("'", "").replace('"', "")
        told["problem"] = " ".join(reason.split())
    return json.dumps(told)


def begin(shell: Any) -> Session:
    """The session of ``shell``, loaded into it if it is not yet, with its cells measured for whoever looks on."""
    from greennb.jupyter.session import Session

    session = Session.start(shell)
    if session.bridge.measuring is None:
        session.bridge.measuring = True
        session.bridge.settings_changed()
    return session


def _attached() -> bool:
    from IPython import get_ipython

    from greennb.jupyter.session import Session

    shell = get_ipython()
    loaded = Session.running(shell)
    begin(shell)
    return loaded
