"""A measurement in words: for terminals, for the command line, and for outputs that show no HTML."""

from __future__ import annotations

from greennb.model.measurement import DomainEnergy, Measurement
from greennb.model.reading import Method
from greennb.model.series import Series
from greennb.views.compare import Comparison
from greennb.views.format import (
    NOT_MEASURED,
    co2e,
    energy,
    interval,
    joules,
    percent,
    plain,
    seconds,
    watts,
)  # fmt: skip
from greennb.views.table import table
from greennb.views.words import (
    METHODS,
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

__all__ = ["line", "block", "table", "series", "comparison", "total", "facts", "carbon", "scatter", "missing_sentences"]

_BLOCK_HEAD = 14  # columns of the first column of a block


def total(measurement: Measurement) -> str:
    """The total with its interval: "~41 J (28–60)", "not measured"."""
    return energy(measurement.total_j, measurement.low_j, measurement.high_j, measurement.method)


def line(measurement: Measurement) -> str:
    """One line: "~41 J (28–60) · 0.93 s · ~44 W · CPU estimated · ~4.5 mg CO2e (world average)"."""
    label = plain(measurement.window.label, 40)
    return (f"{label}: " if label else "") + " · ".join(facts(measurement))


def facts(measurement: Measurement) -> list[str]:
    """The parts of :func:`line`, without the label."""
    parts = [total(measurement), seconds(measurement.duration_s)]
    if measurement.total_j is not None:
        if measurement.mean_w is not None:
            parts.append(watts(measurement.mean_w, measurement.method))
        parts.append(measured_by(measurement.roots))
        parts += carbon(measurement)
    return [part for part in (*parts, partial_words(measurement), status_words(measurement.window.status)) if part]


def carbon(measurement: Measurement) -> list[str]:
    """Grams with the origin of the intensity, or nothing where there is no footprint."""
    footprint = measurement.footprint
    if footprint is None:
        return []
    where = origin(footprint.intensity, measurement.window.started_at)
    return [f"{co2e(footprint.g_co2e, measurement.method)} ({where})"]


def block(measurement: Measurement) -> str:
    """Several lines: the total, each domain, the faults in words with what mends them, and what is left out."""
    method = measurement.method
    how = "" if method is None else f"  {method.value}: {METHODS[method]}"
    status = status_words(measurement.window.status)
    rows = [(plain(measurement.window.label, 40) or "energy", f"{total(measurement)}{how}")]
    rows += [("", status)] if status else []
    rows += [_domain_row(part, measurement) for part in measurement.energies]
    if measurement.net_j is not None:
        rows.append(("above idle", f"{joules(measurement.net_j, method)} of it"))
    if measurement.process_j is not None:
        rows.append(("this process", f"~{joules(measurement.process_j)} of it, by a model"))
    power = "" if measurement.mean_w is None else f", {watts(measurement.mean_w, method)} on average"
    rows.append(("time", f"{seconds(measurement.duration_s)}{power}"))
    if measurement.footprint is not None:
        words = footprint_words(measurement.footprint, measurement.window.started_at)
        rows.append(("carbon", f"{co2e(measurement.co2e_g, method)} ({words})"))
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
    return sentences or (["no source of joules gave a reading"] if measurement.partial else [])


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


def comparison(a: Measurement, b: Measurement) -> str:
    """Two measurements, one line each, and one on whether they differ."""
    both = Comparison(a=a, b=b)
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
