"""All that an energy statement says, whatever it is written as: sections of named rows and of sentences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from greennb.model.measurement import DomainEnergy
from greennb.model.statement import Statement
from greennb.views import trial
from greennb.views.above_idle import run_words
from greennb.views.format import (
    NOT_MEASURED,
    count,
    energy,
    energy_and_interval,
    grams,
    grams_and_range,
    joules,
    percent,
    plain,
    seconds,
)
from greennb.views.statement.words import NAME, intensity_words, interval_words, left_out, machine_words, many, windows
from greennb.views.words import METHODS, domain_name, faults_in_words

_TEXT = 400
_OF_TRIALS = (
    "A trial runs the same work both ways, by turns, on copies. What it shows is of that work on that machine; "
    "whether a change was kept, and what it saved since, is not recorded, and no saving is taken off the total."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A heading, what stands below it as (name, words), and sentences below that."""

    heading: str
    rows: tuple[tuple[str, str], ...] = ()
    sentences: tuple[str, ...] = ()


def sections(statement: Statement) -> list[Section]:
    """All that the statement says; a section with nothing in it is left out."""
    made = [
        Section(heading="Energy", rows=_rows(_energy(statement))),
        Section(heading="What was run", rows=_rows(_work(statement))),
        Section(heading="Hardware and sensors", rows=_rows(_machines(statement) + _hardware(statement))),
        Section(heading="Carbon", rows=_rows(_carbon(statement)), sentences=_carbon_notes(statement)),
        Section(heading="Trials", rows=_rows(_trials(statement)), sentences=_trial_notes(statement)),
        Section(heading="What is missing", sentences=tuple(_missing(statement))),
        Section(heading="What is not included", sentences=tuple(_not_included(statement))),
    ]
    return [section for section in made if section.rows or section.sentences]


def _rows(named: Sequence[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    return tuple((name, words) for name, words in named if words)


def _energy(statement: Statement) -> list[tuple[str, str]]:
    total = statement.total
    if total.total_j is None:
        return [("energy", f"{NOT_MEASURED}: no source of joules gave a reading")]
    method, ends = total.method, (total.total_j, total.low_j, total.high_j, total.method)
    wh, wh_interval = energy_and_interval(*ends, in_wh=True)
    j, j_interval = energy_and_interval(*ends)
    return [
        ("energy", f"{wh}, {j}"),
        (interval_words(method), f"{wh_interval}, {j_interval}" if j_interval else ""),
        ("method", "" if method is None else f"{method.value}: {METHODS[method]} (of its worst part)"),
        ("net", run_words(statement.measurements)),
        ("complete", "no: something that should have been counted is missing, see below" if total.partial else "yes"),
    ]


def _work(statement: Statement) -> list[tuple[str, str]]:
    work = statement.work
    ended = [
        (work.failed, "raised an error"),
        (work.interrupted, "interrupted"),
        (work.unfinished, "still running when their process ended"),
    ]
    bad = [f"{number} {words}" for number, words in ended if number]
    return [
        ("notebooks", ", ".join(plain(name, NAME) for name in work.notebooks) or "none named (plain Python)"),
        ("windows", windows(statement)),
        ("of them", f"{', '.join(bad)}; all of them are counted" if bad else "none raised an error"),
        ("kernels", count(work.kernels)),
        ("first and last", _period(work.first_at, work.last_at)),
        ("time measured", seconds(statement.total.duration_s)),
        ("measuring took", seconds(statement.overhead_s)),
        ("made with", f"greennb {statement.version}, {statement.made_at:%Y-%m-%d}"),
    ]


def _period(first: datetime, last: datetime) -> str:
    """Days as they were in UTC, since a statement is read elsewhere; minutes where it is all of one day."""
    if first.date() == last.date():
        return f"{first:%Y-%m-%d}, {first:%H:%M} to {last:%H:%M} UTC"
    return f"{first:%Y-%m-%d} to {last:%Y-%m-%d} (UTC)"


def _hardware(statement: Statement) -> list[tuple[str, str]]:
    total_j = statement.total.total_j
    return [
        (domain_name(part.domain, NAME) + _which(statement, part.domain.host, ", machine"), _domain(part, total_j))
        for part in statement.domains
    ]


def _which(statement: Statement, host: str, name: str) -> str:
    """Which of several machines a host is: a number, since its name is nobody's business where a statement is read."""
    hosts = statement.hosts
    return f"{name} {hosts.index(host) + 1}" if len(hosts) > 1 else ""


def _domain(part: DomainEnergy, total_j: float | None) -> str:
    told = [energy(part.gross_j, part.low_j, part.high_j, part.method), f"{part.method.value}, {METHODS[part.method]}"]
    if total_j:
        told.append(f"{percent(part.gross_j / total_j)} of the total")
    if part.coverage < 1:
        told.append(f"readings cover {percent(part.coverage)} of the time")
    return "; ".join(told)


def _machines(statement: Statement) -> list[tuple[str, str]]:
    told = []
    for machine in statement.machines:
        words = machine_words(machine)
        whence = "" if machine.recorded or not words else " (not recorded: as this machine is now)"
        told.append((_which(statement, machine.host, "machine") or "machine", f"{words}{whence}"))
    return told


def _carbon(statement: Statement) -> list[tuple[str, str]]:
    method = statement.total.method
    told = []
    if statement.g_co2e is not None:
        amount, spread = grams_and_range(statement.g_co2e, statement.low_g, statement.high_g, method)
        told += [("emissions", f"{amount} CO2e"), ("range", f"{spread} CO2e" if spread else "")]
    for part in statement.emissions:
        shared = f", for {many(part.windows, 'window')}" if len(statement.emissions) > 1 else ""
        told.append(("intensity", f"{intensity_words(part)}{shared}"))
        told.append(("PUE", f"{part.pue:g}{'' if part.pue > 1 else ' (the building is not counted)'}{shared}"))
    if statement.rate is not None:
        rate = statement.rate
        told.append(
            ("per unit (SCI)", f"{grams(rate.g, method)} CO2e a {plain(rate.unit, 40)}, {count(rate.units)} of them")
        )
    return told


def _carbon_notes(statement: Statement) -> tuple[str, ...]:
    if not statement.emissions:
        return ("No carbon intensity is recorded, so there are no grams: name the place with --zone.",)
    told = []
    if statement.unpriced:
        told.append(
            f"{many(statement.unpriced, 'window')} of these ran without a carbon intensity, so there are no grams of "
            "the whole: name the place with --zone."
        )
    if statement.restated:
        given, were = " and the ".join(statement.restated), "was" if len(statement.restated) == 1 else "were"
        told.append(f"The {given} {were} given for this statement, in place of what was in force when the work ran.")
    if statement.g_co2e is not None:
        told.append(
            "Emissions are kilowatt hours × PUE × grams a kilowatt hour. The range is the joules' interval, at the "
            "ends of the intensity's range where that is known."
        )
    told += [f"{plain(note, _TEXT).rstrip('.')}." for note in _notes(statement)]
    if statement.rate is not None:
        made = statement.rate.embodied_g
        embodied = (
            "without the hardware's making" if made is None else f"with {grams(made)} CO2e of the hardware's making"
        )
        told.append(f"SCI is the Software Carbon Intensity of ISO/IEC 21031:2024, here {embodied}.")
    return tuple(told)


def _notes(statement: Statement) -> list[str]:
    notes = (it.note for part in statement.emissions for it in part.intensities if it.note)
    return [note[:1].upper() + note[1:] for note in dict.fromkeys(notes)]


def _trials(statement: Statement) -> list[tuple[str, str]]:
    """What each one showed, of the work that it ran, and what it took."""
    told = []
    for it in statement.trials:
        took = dict(trial.rows(it.told)).get("the trial", "")
        words = trial.line(it.told) + (f"; the trial took {took}" if took else "")
        told.append((plain(it.key or it.notebook, NAME), words + ("" if it.within else " (not in the total)")))
    return told


def _trial_notes(statement: Statement) -> tuple[str, ...]:
    if not statement.trials:
        return ()
    apart = sum(1 for it in statement.trials if not it.within)
    told = [_OF_TRIALS]
    if apart:
        amount = (
            joules(statement.tried_j, statement.total.method)
            if statement.tried_j is not None
            else "joules that are not known"
        )
        told.append(f"{many(apart, 'trial')} ran in no window of this statement and took {amount} beside the total.")
    return tuple(told)


def _missing(statement: Statement) -> list[str]:
    work = statement.work
    told = []
    if work.unmeasured:
        add = "adds" if work.unmeasured == 1 else "add"
        told.append(f"{many(work.unmeasured, 'window')} could not be measured and {add} nothing to the total.")
    if work.overlapping:
        told.append(
            f"{many(work.overlapping, 'window')} ran at the same time as another on the same machine, for "
            f"{seconds(work.overlap_s)}: what they share of the hardware is counted in each, so the total is too high."
        )
    told += [
        f"{domain_name(part.domain)}: readings cover {percent(part.coverage)} of the time."
        for part in statement.domains
        if part.coverage < 1
    ]
    told += [f"{reason}." for reason, _hint in faults_in_words(statement.faults)]
    return told


def _not_included(statement: Statement) -> list[str]:
    words = left_out(statement)
    return [f"{words[:1].upper()}{words[1:]}."]
