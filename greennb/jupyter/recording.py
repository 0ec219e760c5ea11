"""The kernel's side of ``greennb run``: load greennb, record every cell, and say what records it."""

from __future__ import annotations

import json
from typing import Any

from greennb.jupyter.session import Session


def start(shell: Any) -> str:
    """Load greennb into ``shell`` so that every cell's output gets its measurement; answers JSON.

    The answer has "host", "version", "problems" (sentences on settings that are no good), and "sources": for each
    its "name", whether it is "used", and the "reason" and "hint" that probing for it gave.
    """
    from greennb import __version__

    session = Session.start(shell)
    session.recording = True
    runtime = session.runtime
    sources = [
        {"name": probe.name, "used": probe.source is not None, "reason": probe.reason, "hint": probe.hint}
        for probe in runtime.detection.probes
    ]
    told = {"host": runtime.host, "version": __version__, "problems": session.said, "sources": sources}
    return json.dumps(told)


def finish(shell: Any) -> str:
    """Write down what is not yet in the ledger; answers the sentences that greennb has for the user, as JSON."""
    session = Session.start(shell)
    session.runtime.ledger.flush()
    return json.dumps(session.said)
