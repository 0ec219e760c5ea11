"""What the report, plot, compare, baseline, export and config magics answer."""

from __future__ import annotations

import time
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from greennb.jupyter.cells import CellRun
from greennb.jupyter.marker import first_line
from greennb.jupyter.settings import HELP
from greennb.meter.passive import MACHINE_QUIET
from greennb.model.errors import BadInputError
from greennb.model.measurement import Measurement
from greennb.model.run import CellCost
from greennb.model.series import Series
from greennb.settings import Settings
from greennb.views import mime, text
from greennb.views.format import percent, seconds, watts

if TYPE_CHECKING:
    from greennb.jupyter.session import Session


def report(session: Session, *, last: int | None, plot: bool) -> None:
    """Show a table of this session's cells, and their bars; below it its trials."""
    if session.tried and not session.cells.runs:
        _trials(session)
        return
    runs = _runs(session)[-last:] if last else _runs(session)
    session.publish(mime.table_bundle([_cost(n, run) for n, run in enumerate(runs)]))
    if plot:
        _figure(session, runs)
    if session.tried:
        _trials(session)


def plot(session: Session, label: str) -> None:
    """Show a bar for each cell, or for each window called ``label``."""
    runs = [run for run in _runs(session) if not label or run.window.label == label]
    if not runs:
        raise BadInputError(f'%energy_plot: no window is called "{label}": {_known(session)}.')
    _figure(session, runs)


def compare(session: Session, a: str, b: str) -> None:
    """Show two measurements side by side."""
    session.publish(mime.comparison_bundle(_find(session, a), _find(session, b), a, b))


def baseline(session: Session, duration_s: float) -> None:
    """Watch the idle machine and remember what it draws."""
    meter = session.runtime.meter
    with meter.measure("baseline") as window:
        time.sleep(duration_s)
    found = meter.baseline_of(window)
    if not found.watts:
        raise BadInputError("No baseline could be measured: see `greennb doctor` for the sensors of this machine.")
    meter.baseline = found
    for part in window.result.energies:
        power = found.power(part.domain)
        if power is not None:
            spread = f" (± {watts(1.96 * power.u_w)})" if power.u_w else ""
            print(f"{part.domain.label}: {watts(power.w, part.method)}{spread} idle, over {seconds(found.duration_s)}")  # noqa: T201
    if found.busy is not None and found.busy > MACHINE_QUIET:
        session.say(f"the machine was {percent(found.busy)} busy: this baseline holds work too. Measure it at rest.")
    elif found.busy is not None:
        print(f"The machine was {percent(found.busy)} busy.")  # noqa: T201


def export(session: Session, path: Path, kind: str | None) -> None:
    """Write this session's windows to ``path``, and as JSON its trials."""
    from greennb.ledger.export import export_path

    ledger = session.runtime.ledger
    ledger.flush(5.0)
    if ledger.problem is not None:
        raise BadInputError(ledger.problem)
    rows = ledger.rows(session_id=session.runtime.session_id)
    export_path(rows, path, kind, trials=ledger.trials(session_id=session.runtime.session_id))
    print(f"{len(rows)} windows written to {path}")  # noqa: T201


def config(session: Session, changes: list[str]) -> None:
    """Change settings, or show all of them with what they mean."""
    if not changes:
        for field in fields(Settings):
            value = getattr(session.runtime.settings, field.name)
            shown = "(set)" if field.name == "live_token" and value else repr(value)
            print(f"{field.name} = {shown:<24} {HELP.get(field.name, '')}")  # noqa: T201
        return
    wanted: dict[str, str] = {}
    for change in changes:
        name, equals, value = change.partition("=")
        if not equals:
            raise BadInputError(f'%energy_config: "{change}" is no setting: write KEY=VALUE.')
        wanted[name.strip()] = value
    session.configure(**wanted)


def _runs(session: Session) -> list[CellRun]:
    runs = list(session.cells.runs)
    if not runs:
        raise BadInputError("Nothing has been measured yet: put %%energy on a cell, or turn on %energy_auto.")
    return runs


def _trials(session: Session) -> None:
    from greennb.views.trial import list_bundle

    session.publish(list_bundle([(key, trial.to_dict()) for key, trial in session.tried]))


def _cost(index: int, run: CellRun) -> CellCost:
    return CellCost(
        index=run.window.execution_count or index,
        cell_id=run.window.cell_id,
        source=run.window.label or first_line(run.source),
        measurement=run.measurement,
    )


def _figure(session: Session, runs: list[CellRun]) -> None:
    from greennb.views.plot import bars, figure_png

    labels = [_cost(n, run) for n, run in enumerate(runs)]
    figure = bars([run.measurement for run in runs], [f"[{cost.index}] {cost.source}" for cost in labels])
    session.publish({"image/png": figure_png(figure), "text/plain": text.table(labels)})


def _find(session: Session, name: str) -> Measurement:
    """The measurement that a label, an execution count or a variable names; the latest where there are several."""
    value: Any = session.shell.user_ns.get(name)
    if isinstance(value, Measurement):
        return value
    if isinstance(value, Series):
        return value.measurements[-1]
    for run in reversed(_runs(session)):
        if name in (run.window.label, f"{run.window.execution_count}", f"[{run.window.execution_count}]"):
            return run.measurement
    raise BadInputError(f'%energy_compare: nothing measured is called "{name}": {_known(session)}.')


def _known(session: Session) -> str:
    labels = dict.fromkeys(run.window.label for run in _runs(session) if run.window.label)
    counts = dict.fromkeys(f"[{run.window.execution_count}]" for run in _runs(session) if run.window.execution_count)
    return "there are " + ", ".join([*labels, *counts][:12])
