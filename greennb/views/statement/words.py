"""What is said in a statement's paragraph, in its sections and in a model card alike."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from greennb.model.footprint import CarbonIntensity, Origin
from greennb.model.machine import Machine
from greennb.model.reading import Method
from greennb.model.statement import Emission, Statement
from greennb.views.format import count, plain, size
from greennb.views.words import domain_name, not_included

NAME = 80
"""Columns of a name: of a notebook, a device, a provider."""

_READ_FROM = {
    Method.COUNTER: "read from hardware energy counters",
    Method.INTEGRATED: "summed from power readings",
    Method.ESTIMATED: "taken from a model of power, as no sensor could be read",
}


def many(number: int, name: str) -> str:
    """ "1 window", "2 windows"."""
    return f"{count(number)} {name}{'' if number == 1 else 's'}"


def interval_words(method: Method | None) -> str:
    """What the range of a total is; an estimate's is that of its model's assumptions."""
    return "95 % interval of the estimate" if method is Method.ESTIMATED else "95 % interval"


def windows(statement: Statement) -> str:
    """How much ran: "41 runs of 12 cells, 1 other window"."""
    work = statement.work
    parts = []
    if work.cell_runs:
        cells = "" if work.cells is None else f" of {many(work.cells, 'cell')}"
        parts.append(f"{many(work.cell_runs, 'run')}{cells}" if cells else many(work.cell_runs, "cell run"))
    if work.others:
        parts.append(f"{many(work.others, 'other window' if parts else 'window')}")
    return ", ".join(parts)


def how(statement: Statement) -> str:
    """ "read from hardware energy counters (GPU NVIDIA H200) and taken from a model of power, ... (CPU)"."""
    by: dict[Method, list[str]] = {}
    for part in statement.domains:
        by.setdefault(part.method, []).append(domain_name(part.domain, NAME))
    told = [f"{_READ_FROM[method]} ({', '.join(_counted(by[method]))})" for method in Method if method in by]
    return " and ".join(told)


def _counted(names: Sequence[str]) -> list[str]:
    return [f"{number} x {name}" if number > 1 else name for name, number in Counter(names).items()]


def machine_words(machine: Machine, *, software: bool = True) -> str:
    """What is known of a computer, and of what ran on it where ``software`` is wanted; "" where nothing is."""
    parts = [plain(machine.cpu, NAME)]
    parts += [] if machine.cpus is None else [f"{many(machine.cpus, 'logical CPU')}"]
    parts += [] if machine.memory_b is None else [f"{size(machine.memory_b)} of memory"]
    if not software:
        return ", ".join(part for part in parts if part)
    parts += [plain(machine.system, NAME), f"Python {plain(machine.python, 20)}" if machine.python else ""]
    parts += [f"greennb {plain(machine.greennb, 20)}" if machine.greennb else ""]
    return ", ".join(part for part in parts if part)


def intensity_words(part: Emission) -> str:
    """ "56 g CO2e/kWh (FRA, yearly average of 2023, codecarbon's country table)"."""
    first = part.intensities[0]
    figure = f"{part.g_per_kwh:.3g} g CO2e/kWh"
    spread = ""
    if len(part.intensities) > 1:
        figures = [it.g_per_kwh for it in part.intensities]
        figure, spread = f"{figure} on average", f"{min(figures):.3g}–{max(figures):.3g}, "
    elif first.low is not None and first.high is not None and first.low < first.high:
        spread = f"range {first.low:.3g}–{first.high:.3g}, "
    return f"{figure} ({spread}{_whence(first)})"


def _whence(intensity: CarbonIntensity) -> str:
    zone, provider, year = plain(intensity.zone, 40), plain(intensity.provider, NAME), plain(intensity.as_of, 20)
    yearly = f"yearly average of {year}" if year else "yearly average, year not stated"
    match intensity.origin:
        case Origin.USER:
            return "set by the user" if zone == "your own figure" else f"{zone}, set by the user"
        case Origin.WORLD:
            return f"world average of {year}, {provider}" if year else f"world average, {provider}"
        case Origin.LIVE:
            return f"{zone}, live while it ran, {provider}"
        case Origin.GUESSED:
            return f"{zone}, guessed from the time zone, {yearly}, {provider}"
        case Origin.STATIC:
            return f"{zone}, {yearly}, {provider}"


def left_out(statement: Statement) -> str:
    """What the total does not stand for, without a full stop."""
    hardware = not_included(statement.measurements)
    embodied = statement.rate is not None and statement.rate.embodied_g is not None
    parts = [hardware, "work that was not measured, here or on other machines"]
    parts += [] if embodied else ["the emissions of making the hardware"]
    return "; ".join(parts)
