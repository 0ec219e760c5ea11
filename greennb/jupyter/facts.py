"""What a session says of itself to a page: who it is, what it can measure, what is in force, what was before."""

from __future__ import annotations

import os
import platform
import time
from typing import TYPE_CHECKING, Any

from greennb.jupyter.marker import first_line
from greennb.model import messages
from greennb.model.measurement import contained

if TYPE_CHECKING:
    from greennb.jupyter.cells import CellRun
    from greennb.jupyter.session import Session
    from greennb.runtime import Runtime

HISTORY_S = 3600.0

SOURCE_LENGTH = 200
"""Characters of a cell's first line that a page is told."""

LARGEST_CELLS_B = 700_000
LARGEST_WATTS = 40_000
"""How much of the past is told at once: about 1 MB in all, since Jupyter Server drops a kernel's messages where they
are more than 3 MB in three seconds (ZMQChannelsWebsocketConnection.iopub_data_rate_limit)."""

_RUN_B, _ENERGY_B = 1500, 600
"""Characters of one run in JSON, and of each of its domains on top."""


def hello(session: Session, re: str | None = None) -> dict[str, Any]:
    """Who this kernel is."""
    return greeting(session.runtime, in_force(session), re)


def greeting(runtime: Runtime, settings: dict[str, Any], re: str | None = None) -> dict[str, Any]:
    """Who this process is, what it can measure, and what it cannot and why."""
    from greennb import __version__

    channels = runtime.meter.channels
    present = {channel.domain for channel in channels}
    return messages.hello(
        version=__version__, host=runtime.host, pid=os.getpid(), python=platform.python_version(),
        session=runtime.session_id, t_s=time.monotonic(), re=re,
        domains=[
            messages.domain_in_short(
                channel.domain, method=channel.method, note=channel.note, max_w=channel.max_power_w,
                root=not contained(channel.domain, present),
            )
            for channel in channels
        ],
        sources=[
            messages.source_in_short(
                name=probe.name, used=probe.source is not None, reason=probe.reason, hint=probe.hint
            )
            for probe in runtime.detection.probes
        ],
        faults=runtime.meter.faults,
        settings=settings,
    )  # fmt: skip


def in_force(session: Session) -> dict[str, Any]:
    """The settings that a page shows and changes."""
    measure = session.config.auto or bool(session.bridge.measuring)
    return settings_of(session.runtime, measure=measure, advice=session.advises)


def settings_of(runtime: Runtime, *, measure: bool, advice: bool) -> dict[str, Any]:
    """The settings of ``runtime``, as pages are told of them."""
    settings = runtime.settings
    footprint = runtime.footprint(0.0)
    return messages.in_force(
        measure=measure, zone=settings.zone, pue=settings.pue,
        intensity=None if footprint is None else footprint.intensity, price=settings.price, currency=settings.currency,
        advice=advice,
    )  # fmt: skip


def history(session: Session, span_s: float, re: str) -> dict[str, Any]:
    """The cells that were measured, and the watts of the last ``span_s`` seconds as far as they were watched."""
    bridge = session.bridge
    # Where a stream is open, the feed adds up what ended since, and tells everybody.
    bridge.tally.settle(bridge.feed.before if bridge.feed.open else bridge.tally.added)
    total = bridge.tally.session()
    t_s, w = bridge.feed.live.history.since(time.monotonic() - span_s, LARGEST_WATTS)
    cells = [
        messages.ended(run.measurement, source=source(run), session=total) for run in told(list(bridge.tally.runs))
    ]
    return messages.history(cells=cells, session=total, t_s=t_s, w=w, re=re)


def source(run: CellRun) -> str:
    """A cell's first line, as far as a page shows it. Half a surrogate, which no JSON can carry, becomes a "?"."""
    return first_line(run.source)[:SOURCE_LENGTH].encode("utf-8", "replace").decode("utf-8")


def told(runs: list[CellRun]) -> list[CellRun]:
    """Those of ``runs`` that a page is told of, in their order: each cell's latest first, then as many as fit."""
    latest: dict[str, CellRun] = {run.window.cell_id or run.window.id: run for run in runs}
    newest = sorted(latest.values(), key=lambda run: -run.window.t0_ns)
    others = [run for run in reversed(runs) if latest[run.window.cell_id or run.window.id] is not run]
    kept, size_b = [], 0
    for run in (*newest, *others):
        size_b += _RUN_B + _ENERGY_B * len(run.measurement.energies)
        if size_b > LARGEST_CELLS_B:
            break
        kept.append(run)
    return sorted(kept, key=lambda run: run.window.t0_ns)
