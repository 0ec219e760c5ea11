"""An energy statement in a paragraph that is ready for a paper, and in the few fields of a model card."""

from __future__ import annotations

from collections import Counter

from greennb.model.footprint import Origin
from greennb.model.reading import DomainKind, Method
from greennb.model.statement import Statement
from greennb.views import trial
from greennb.views.format import (
    count,
    energy_and_interval,
    grams_and_range,
    plain,
    seconds,
)
from greennb.views.statement.words import (
    NAME,
    how,
    intensity_words,
    interval_words,
    left_out,
    machine_words,
    many,
    windows,
)
from greennb.views.words import domain_name

_MOST_NAMED = 5  # notebooks in a sentence
_CARDS = frozenset({DomainKind.GPU, DomainKind.SOC})  # what a processor's name does not tell


def paragraph(statement: Statement) -> str:
    """Sentences that are ready to be put into a paper."""
    total = statement.total
    if total.total_j is None:
        return (
            f"The energy of {_what_ran(statement)} was not measured: no source of joules gave a reading "
            f"(greennb {statement.version})."
        )
    verb = "used an estimated" if total.method is Method.ESTIMATED else "used"
    amount, spread = energy_and_interval(total.total_j, total.low_j, total.high_j, total.method, in_wh=True)
    amount = f"{_bare(amount)} of electricity" + (f" ({interval_words(total.method)} {spread})" if spread else "")
    told = [f"{_doing(statement)} {verb} {amount}, {how(statement)}, in {_what_ran(statement)}, {_when(statement)}."]
    if total.partial:
        told.append("Something that should have been counted could not be read, so this is less than the whole.")
    if statement.work.overlapping:
        told.append(
            f"For {seconds(statement.work.overlap_s)} windows ran at the same time on one machine; what they share is "
            "counted in each, so this is too high."
        )
    told += _carbon_sentences(statement)
    told += _trial_sentences(statement)
    told.append(f"Not included: {left_out(statement)}.")
    return " ".join(told)


def location(statement: Statement) -> str:
    """The zones that the intensities are of, "" where none is a place."""
    zones = [
        plain(it.zone, NAME) + (" (guessed from the time zone)" if it.origin is Origin.GUESSED else "")
        for part in statement.emissions
        for it in part.intensities
        if it.origin is not Origin.WORLD and not (it.origin is Origin.USER and it.zone == "your own figure")
    ]
    return ", ".join(dict.fromkeys(zones))


def hardware(statement: Statement) -> str:
    """Cards and machines: "2 x GPU NVIDIA H200; AMD EPYC 7763, 64 logical CPUs, 504 GiB of memory".

    A machine that did not tell its processor is told by the devices that were measured.
    """
    machines = dict.fromkeys(machine_words(it, software=False) for it in statement.machines if it.cpu)
    domains = {it.domain: None for it in statement.domains if not machines or it.domain.kind in _CARDS}
    counts = Counter(domain_name(domain, NAME) for domain in domains)
    return "; ".join([f"{number} x {name}" if number > 1 else name for name, number in counts.items()] + [*machines])


def source(statement: Statement) -> str:
    """Where the grams come from, on one line: the tool, the method, the interval, the intensity."""
    total = statement.total
    amount, spread = energy_and_interval(total.total_j, total.low_j, total.high_j, total.method)
    amount += f" ({interval_words(total.method)} {spread})" if spread else ""
    parts = [f"greennb {statement.version}: {amount}, {how(statement)}"]
    parts += [f"{intensity_words(part)}, PUE {part.pue:g}" for part in statement.emissions]
    if total.partial:
        parts.append("partial: something could not be read")
    if statement.work.overlapping:
        parts.append("too high: windows ran at the same time on one machine")
    return "; ".join(parts)


def _carbon_sentences(statement: Statement) -> list[str]:
    if statement.g_co2e is None:
        return []
    places = " and ".join(intensity_words(part) for part in statement.emissions)
    pues = " and ".join(f"{value:g}" for value in dict.fromkeys(part.pue for part in statement.emissions))
    amount, spread = grams_and_range(statement.g_co2e, statement.low_g, statement.high_g)
    amount = f"{amount} of CO2e" + (f" ({spread})" if spread else "")
    return [f"At a carbon intensity of {places} and a PUE of {pues}, this corresponds to {amount}."]


def _trial_sentences(statement: Statement) -> list[str]:
    if not statement.trials:
        return []
    proven = sum(1 for it in statement.trials if trial.is_proven(it.told))
    shown = "none showed a saving" if not proven else f"{count(proven)} showed a saving"
    were = "was" if len(statement.trials) == 1 else "were"
    return [f"{many(len(statement.trials), 'change')} {were} tried by measurement; {shown}."]


def _bare(words: str) -> str:
    """An amount without the mark of an estimate: a sentence says it in words."""
    return words.removeprefix("~")


def _doing(statement: Statement) -> str:
    return {"fine-tuning": "Fine-tuning and development", "pre-training": "Pre-training and development"}.get(
        statement.training_type, "Training and development"
    )


def _what_ran(statement: Statement) -> str:
    names = [plain(name, NAME) for name in statement.work.notebooks]
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    of = f" of {', '.join(names[:_MOST_NAMED])}{more}" if names else ""
    failed = statement.work.failed + statement.work.interrupted
    ended = f" ({count(failed)} of which failed or {'was' if failed == 1 else 'were'} interrupted)" if failed else ""
    return f"{windows(statement)}{of}{ended}"


def _when(statement: Statement) -> str:
    work = statement.work
    days = f"{work.first_at:%Y-%m-%d}"
    if work.first_at.date() != work.last_at.date():
        days = f"between {days} and {work.last_at:%Y-%m-%d}"
    else:
        days = f"on {days}"
    return f"{days} ({seconds(statement.total.duration_s)} of measured time)"
