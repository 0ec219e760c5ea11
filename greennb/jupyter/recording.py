"""The kernel's side of ``greennb run``: load greennb, record every cell, and say what records it."""

from __future__ import annotations

import json
from typing import Any

from greennb.jupyter.session import Session


def start(shell: Any, *, advise: bool = False) -> str:
    """Load greennb into ``shell`` so that every cell's output gets its measurement; answers JSON.

    With ``advise`` cells are watched for advice too, whatever the settings say; without it they are not.
    The answer has "host", "version", "problems" (sentences on settings that are no good), and "sources": for each
    its "name", whether it is "used", and the "reason" and "hint" that probing for it gave.
    """
    from greennb import __version__

    session = Session.start(shell)
    session.recording, session.advising = True, advise
    runtime = session.runtime
    sources = [
        {"name": probe.name, "used": probe.source is not None, "reason": probe.reason, "hint": probe.hint}
        for probe in runtime.detection.probes
    ]
    told = {"host": runtime.host, "version": __version__, "problems": session.said, "sources": sources}
    return json.dumps(told)


def findings(shell: Any) -> str:
    """What the advisor found, of small cells too, and what it looked at; answers JSON.

    The answer has "findings" as :func:`greennb.model.messages.finding_to_dict` has them, "cells" (runs watched),
    "frameworks" and "rules" (how many looked).
    """
    from greennb.jupyter.advice import looked
    from greennb.model.messages import finding_to_dict

    session = Session.start(shell)
    seen = looked(session)
    found = [finding_to_dict(finding) for finding in session.coach.findings(all_cells=True)]
    return json.dumps({"findings": found, "cells": seen.cells, "frameworks": seen.frameworks, "rules": seen.rules})


def finish(shell: Any) -> str:
    """Write down what is not yet in the ledger; answers the sentences that greennb has for the user, as JSON."""
    session = Session.start(shell)
    session.runtime.ledger.flush()
    return json.dumps(session.said)
