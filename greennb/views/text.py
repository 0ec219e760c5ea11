"""A measurement in words: for terminals, for the command line, and for outputs that show no HTML."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from greennb.model.measurement import DomainEnergy, Measurement
from greennb.model.reading import Method
from greennb.views import lines
from greennb.views.above_idle import idle_sentences, net_words, share_words
from greennb.views.format import (
    NOT_MEASURED,
    co2e,
    energy,
    interval,
    percent,
    plain,
    seconds,
    watts,
)  # fmt: skip
from greennb.views.shown import PLAINLY, Shown
from greennb.views.words import (
    METHODS,
    NO_READING,
    domain_name,
    faults_in_words,
    footprint_words,
    gaps,
    measured_by,
    not_included,
    origin,
    partial_words,
    status_words,
)  # fmt: skip

if TYPE_CHECKING:  # what only some views show is loaded when they do: the first cell should not wait for it
    from greennb.model.run import CellCost
    from greennb.model.series import Series
    from greennb.views.compare import Comparison

_BLOCK_HEAD = 14  # columns of the first column of a block


def line(measurement: Measurement, shown: Shown = PLAINLY) -> str:
    """One line: "~41 J (28–60) · 0.93 s · ~44 W · CPU estimated · ~4.5 mg CO2e (world average)"."""
    label = plain(measurement.window.label, 40)
    return (f"{label}: " if label else "") + " · ".join(facts(measurement, shown))


def facts(measurement: Measurement, shown: Shown = PLAINLY) -> list[str]:
    """The parts of :func:`line`, without the label."""
    parts = [shown.total(measurement), seconds(measurement.duration_s)]
    if measurement.total_j is not None:
        if measurement.mean_w is not None:
            parts.append(watts(measurement.mean_w, measurement.method))
        parts.append(measured_by(measurement.roots))
        parts += carbon(measurement) if shown.carbon else []
        parts += shown.extras(measurement)
    return [part for part in (*parts, partial_words(measurement), status_words(measurement.window.status)) if part]


def carbon(measurement: Measurement) -> list[str]:
    """Grams with the origin of the intensity, or nothing where there is no footprint."""
    footprint = measurement.footprint
    if footprint is None:
        return []
    where = origin(footprint.intensity, measurement.window.started_at)
    return [f"{co2e(footprint.g_co2e, measurement.method)} ({where})"]


def block(measurement: Measurement, shown: Shown = PLAINLY) -> str:
    """Several lines: the total, each domain, the faults in words with what mends them, and what is left out."""
    method = measurement.method
    how = "" if method is None else f"  {method.value}: {METHODS[method]}"
    status = status_words(measurement.window.status)
    rows = [(plain(measurement.window.label, 40) or "energy", f"{shown.total(measurement)}{how}")]
    rows += [("", status)] if status else []
    rows += [_domain_row(part, measurement) for part in measurement.energies]
    if measurement.net_j is not None:
        rows.append(("above idle", net_words(measurement).removesuffix(" above idle")))
    rows += [("idle", words) for words in idle_sentences(measurement)]
    if share_words(measurement):
        rows.append(("this process", share_words(measurement).replace(" by this process,", ",")))
    power = "" if measurement.mean_w is None else f", {watts(measurement.mean_w, method)} on average"
    rows.append(("time", f"{seconds(measurement.duration_s)}{power}"))
    rows += [("", words) for words in shown.extras(measurement)]
    if measurement.footprint is not None and shown.carbon:
        words = footprint_words(measurement.footprint, measurement.window.started_at)
        rows.append(("carbon", f"{co2e(measurement.co2e_g, method)} ({words})"))
    rows += lines.rows(measurement)
    rows += [("partial", sentence) for sentence in missing_sentences(measurement)]
    rows.append(("not included", not_included([measurement])))
    rows.append(("own cost", f"greennb took {seconds(measurement.overhead_s)}"))
    return "\n".join(f"{head:<{_BLOCK_HEAD}}{text}" for head, text in rows)


def missing_sentences(measurement: Measurement) -> list[str]:
    """What is missing from a total, one sentence each, with what mends it."""
    sentences = [
        f"{reason}. {hint}".rstrip() if hint else reason for reason, hint in faults_in_words(measurement.faults)
    ]
    sentences += gaps(measurement.roots)
    return sentences or ([NO_READING] if measurement.partial else [])


def series(repeats: Series) -> str:
    """One line on repetitions: the mean, how it scatters, and what repeating cannot average away."""
    label = f"{plain(repeats.label, 40)}: " if plain(repeats.label, 40) else ""
    if repeats.mean_j is None:
        return f"{label}{NOT_MEASURED} in {_runs(repeats)}"
    mean = energy(repeats.mean_j, repeats.total_low_j, repeats.total_high_j, repeats.method)
    parts = [f"{mean} a run", scatter(repeats), seconds(repeats.mean_s), _ground(repeats)]
    parts += [f"{repeats.missing} of {len(repeats.measurements)} not measured"] if repeats.missing else []
    parts += ["partial"] if repeats.partial and not repeats.missing else []
    return label + " · ".join(parts)


def scatter(repeats: Series) -> str:
    """How the repetitions scatter: "mean of 5 runs, scatter alone 40.6–41.8 J (±1.5 %)"."""
    if repeats.relative_half_width is None:
        return f"{_runs(repeats)}, no interval from scatter"
    part = "scatter alone " if repeats.method is Method.ESTIMATED else "scatter "
    spread = interval(repeats.low_j, repeats.high_j)
    mark = "~" if repeats.method is Method.ESTIMATED else ""
    return f"mean of {_runs(repeats)}, {part}{mark}{spread} (±{percent(repeats.relative_half_width)})"


def table(cells: Sequence[CellCost], *, unicode: bool = True, width: int = 100) -> str:
    """A row for each cell, named by its place, and the total; see :func:`greennb.views.table.table`."""
    from greennb.views.table import table as laid_out

    rows = [(cell.place, cell.first_line, cell.measurement) for cell in cells]
    return laid_out(rows, unicode=unicode, width=width)


def comparison(both: Comparison) -> str:
    """Two measurements, one line each, and one on whether they differ."""
    width = max(len(name) for name in both.names)
    rows = [
        f"{name:<{width}}  {' · '.join(facts(part))}" for name, part in zip(both.names, (both.a, both.b), strict=True)
    ]
    return "\n".join([*rows, both.verdict])


def _domain_row(part: DomainEnergy, measurement: Measurement) -> tuple[str, str]:
    inside = "" if part in measurement.roots else "of which "
    value = energy(part.gross_j, part.low_j, part.high_j, part.method)
    return "", f"{inside}{value}  {domain_name(part.domain)}, {part.method.value}"


def _runs(repeats: Series) -> str:
    count = repeats.n or len(repeats.measurements)
    return f"{count} run{'' if count == 1 else 's'}"


def _ground(repeats: Series) -> str:
    """How the repetitions were measured; each way once, should they differ."""
    ways = dict.fromkeys(measured_by(run.roots) for run in repeats.measurements if run.total_j is not None)
    return " or ".join(ways)
