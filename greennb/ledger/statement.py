"""An energy statement out of the ledger's rows: the only place where one is made."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from greennb.carbon.convert import sci
from greennb.ledger.rows import LedgerRow, outermost
from greennb.ledger.trials import TrialRow
from greennb.model.errors import BadInputError
from greennb.model.footprint import CarbonIntensity, Footprint
from greennb.model.machine import Machine
from greennb.model.measurement import Measurement, Status
from greennb.model.statement import Emission, Rate, Statement, Tried, Work
from greennb.model.total import Total
from greennb.model.units import j_to_kwh

TITLE = "Energy statement"
"""What a statement is called that has no title of its own."""

TRAINING_TYPES = ("pre-training", "fine-tuning")
"""What a model card may say of training (https://huggingface.co/docs/hub/model-cards-co2)."""

_MOST_NAMED = 3  # notebooks in a title
_MOST_PARTS = 6  # of a path in a name
_CLOCKS = timedelta(seconds=1)  # a trial's end is taken a little after it ended


def make_statement(
    rows: Sequence[LedgerRow],
    trials: Iterable[TrialRow] = (),
    *,
    version: str,
    title: str = "",
    intensity: CarbonIntensity | None = None,
    pue: float | None = None,
    machines: Iterable[tuple[str, Machine]] = (),
    here: Machine | None = None,
    per: float | None = None,
    unit: str = "unit",
    embodied_g: float | None = None,
    training_type: str = "",
    made_at: datetime | None = None,
) -> Statement:
    """What the windows of ``rows`` cost; a window inside another of them counts once.

    Grams are of the intensity and the PUE that were in force when each window ran, unless ``intensity`` or ``pue``
    are given. ``machines`` are the sessions' as the ledger keeps them; ``here`` is this machine, for who has none there
    and ran on a host of its name. ``per`` asks for grams per ``unit``.

    Raises:
        BadInputError: there are no rows, or a figure that makes no sense.
    """
    if not rows:
        raise BadInputError("There is nothing to state: no window was chosen.")
    if per is not None:
        sci(0.0, 0.0, per, embodied_g or 0.0)  # refused also where there are no grams to divide
    outer = outermost(rows)
    parts = [restated(row.measurement, intensity, pue) for row in outer]
    emissions = _emissions(parts)
    names = shown_names(row.notebook for row in rows)
    made = Statement(
        title=title or _title(names),
        version=version,
        made_at=made_at or datetime.now(UTC),
        work=_work(outer, parts, names),
        measurements=tuple(parts),
        machines=_machines(outer, dict(machines), here),
        emissions=emissions,
        unpriced=sum(1 for part in parts if part.total_j is not None and part.footprint is None),
        restated=tuple(name for name, value in (("intensity", intensity), ("PUE", pue)) if value is not None),
        trials=tuple(_tried(trial, outer) for trial in trials),
        training_type=training_type,
    )
    return made if per is None else replace(made, rate=_rate(made, per, unit, embodied_g))


def restated(part: Measurement, intensity: CarbonIntensity | None, pue: float | None) -> Measurement:
    """``part`` with the footprint that another intensity or PUE makes of its joules; None leaves what was recorded."""
    if part.total_j is None:
        return part
    known = part.footprint
    if intensity is None and (known is None or pue is None):
        return part
    used = intensity or (known.intensity if known is not None else None)
    if used is None:
        return part
    overhead = pue if pue is not None else known.pue if known is not None else 1.0
    return replace(part, footprint=Footprint(energy_j=part.total_j, pue=overhead, intensity=used))


def shown_names(paths: Iterable[str]) -> dict[str, str]:
    """What each notebook is called: its file's name, with as many folders as tell it from the others."""
    shown = {path: "" for path in paths if path}
    for count in range(1, _MOST_PARTS + 1):
        taken = Counter(shown.values())
        shown = {
            path: _last_parts(path, count) if taken[name] > 1 or not name else name for path, name in shown.items()
        }
    return shown


def _last_parts(path: str, count: int) -> str:
    """The end of a path as any platform writes it: a ledger may be read elsewhere."""
    return "/".join(path.replace("\\", "/").rstrip("/").split("/")[-count:])


def _title(names: Mapping[str, str]) -> str:
    shown = list(names.values())
    if not shown:
        return TITLE
    more = f" and {len(shown) - _MOST_NAMED} more" if len(shown) > _MOST_NAMED else ""
    return f"{TITLE}: {', '.join(shown[:_MOST_NAMED])}{more}"


def _work(outer: Sequence[LedgerRow], parts: Sequence[Measurement], names: Mapping[str, str]) -> Work:
    windows = [part.window for part in parts]
    statuses = [window.status for window in windows]
    cells = [(row.notebook, part.window.cell_id) for row, part in zip(outer, parts, strict=True) if row.kind == "cell"]
    overlapping, overlap_s = _overlap(parts)
    return Work(
        notebooks=tuple(names.values()),
        kernels=len({row.session_id for row in outer}),
        cell_runs=len(cells),
        cells=len(set(cells)) if cells and all(cell is not None for _notebook, cell in cells) else None,
        others=len(outer) - len(cells),
        failed=statuses.count(Status.ERROR),
        interrupted=statuses.count(Status.INTERRUPTED),
        unfinished=statuses.count(Status.OPEN),
        unmeasured=sum(1 for part in parts if part.total_j is None),
        first_at=min(window.started_at for window in windows),
        last_at=max(window.started_at + timedelta(seconds=window.duration_s) for window in windows),
        overlapping=overlapping,
        overlap_s=overlap_s,
    )


def _overlap(parts: Sequence[Measurement]) -> tuple[int, float]:
    """How many windows ran while another was open on their host, and the seconds in which more than one was."""
    found, whole_s = set(), 0.0
    for host in {part.host for part in parts}:
        spans = sorted(
            (part.window.started_at.timestamp(), part.window.started_at.timestamp() + part.duration_s, part.window.id)
            for part in parts
            if part.host == host
        )
        until, owner = float("-inf"), ""
        for begin, end, window in spans:
            shared_s = min(until, end) - begin
            if shared_s > LEAST_OVERLAP_S:
                found |= {window, owner}
                whole_s += shared_s
            if end > until:
                until, owner = end, window
    return len(found), whole_s


LEAST_OVERLAP_S = 0.05
"""Seconds below which two windows are not said to overlap: wall clocks are stepped and slewed while they run. Ours."""


def _emissions(parts: Sequence[Measurement]) -> tuple[Emission, ...]:
    groups: dict[object, list[Measurement]] = {}
    for part in parts:
        if part.footprint is not None:
            intensity = part.footprint.intensity
            key = (intensity.origin, intensity.zone, intensity.provider, part.footprint.pue)
            groups.setdefault(key, []).append(part)
    return tuple(_emission(group) for group in groups.values())


def _emission(group: Sequence[Measurement]) -> Emission:
    total = Total.of(group)
    prints = [part.footprint for part in group if part.footprint is not None]
    energy_j, low_j, high_j = total.total_j or 0.0, total.low_j or 0.0, total.high_j or 0.0
    low_g = sum(it.g_co2e if it.low_g is None else it.low_g for it in prints)
    high_g = sum(it.g_co2e if it.high_g is None else it.high_g for it in prints)
    if energy_j > 0:
        low_g, high_g = low_g * low_j / energy_j, high_g * high_j / energy_j
    else:
        highest = max(it.intensity.g_per_kwh if it.intensity.high is None else it.intensity.high for it in prints)
        high_g = j_to_kwh(high_j) * prints[0].pue * highest
    return Emission(
        intensities=tuple(dict.fromkeys(it.intensity for it in prints)),
        pue=prints[0].pue,
        windows=len(group),
        energy_j=energy_j,
        low_j=low_j,
        high_j=high_j,
        g=sum(it.g_co2e for it in prints),
        low_g=low_g,
        high_g=high_g,
    )


def _machines(outer: Sequence[LedgerRow], known: Mapping[str, Machine], here: Machine | None) -> tuple[Machine, ...]:
    """The machines of the windows, each once, as they were at the time where that is known."""
    found: dict[Machine, None] = {}
    for row in outer:
        machine = known.get(row.session_id)
        if machine is None or machine.host != row.host:
            machine = here if here is not None and here.host == row.host else Machine(host=row.host)
        found[machine] = None
    return tuple(found)


def _tried(row: TrialRow, outer: Sequence[LedgerRow]) -> Tried:
    return Tried(
        at=row.at,
        notebook=_last_parts(row.notebook, 1),
        key=row.key,
        told=row.trial_dict,
        within=any(
            window.session_id == row.session_id
            and window.started_at <= row.at <= window.started_at + timedelta(seconds=window.duration_s) + _CLOCKS
            for window in outer
        ),
    )


def _rate(made: Statement, per: float, unit: str, embodied_g: float | None) -> Rate | None:
    if made.g_co2e is None:
        return None
    energy_j = sum(part.energy_j * part.pue for part in made.emissions)
    mean = made.g_co2e / j_to_kwh(energy_j) if energy_j > 0 else 0.0
    return Rate(units=per, unit=unit, embodied_g=embodied_g, g=sci(energy_j, mean, per, embodied_g or 0.0))
