"""``greennb doctor``: which sources of joules work here, why the others do not, and the least that mends it."""

from __future__ import annotations

import argparse
import textwrap
from typing import TYPE_CHECKING

from greennb.cli.files import json_text
from greennb.cli.terminal import width
from greennb.model.footprint import Footprint
from greennb.model.measurement import DomainEnergy
from greennb.model.reading import Method
from greennb.model.units import ns_to_s, uj_to_j
from greennb.views.format import joules, plain, seconds, watts
from greennb.views.words import METHODS, domain_name, faults_in_words, footprint_words

if TYPE_CHECKING:
    from greennb.cli.checkup import Checkup
    from greennb.sources.base import Channel, Probe

_LONG = 2000  # a hint is a recipe: it is wrapped, not cut
_INDENT = 11  # columns of a source's name and the gap behind it


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``doctor`` to the command line."""
    parser = commands.add_parser(
        "doctor",
        help="say which sources of joules work here, and what mends the others",
        description="Say which sources of joules work on this machine, why each other one is not used and the least "
        "privilege that mends it, what they show now, the carbon intensity in force, the ledger, and what greennb "
        "itself costs, measured here. Takes about two seconds. Exit status 0 also where nothing works.",
        epilog="example: greennb doctor",
        allow_abbrev=False,
    )
    parser.add_argument("--json", action="store_true", help="print JSON for a machine to read")
    parser.set_defaults(run=run)


def run(given: argparse.Namespace) -> int:
    """Look at everything and say it."""
    from greennb.cli.checkup import checkup
    from greennb.runtime import runtime

    found = checkup(runtime())
    print(json_text(found.to_dict()) if given.json else text(found, width()))
    return 0


def text(found: Checkup, columns: int) -> str:
    """The checkup in words, at most ``columns`` wide."""
    sections = [
        ("Sources of joules", [line for probe in found.probes for line in _source(probe, found, columns)]),
        ("Missing from every total", _faults(found, columns)),
        ("Carbon", _wrapped("", _carbon(found), columns)),
        ("Ledger", _wrapped("", _ledger(found), columns)),
        ("What greennb costs, measured here and now", _wrapped("", _cost(found), columns)),
        ("Versions", _wrapped("", ", ".join(f"{name} {it}" for name, it in found.versions.items()), columns)),
    ]
    lines = textwrap.wrap(f"greennb on {plain(found.host, 60) or 'this machine'}: {_summary(found)}", columns)
    for heading, body in sections:
        if body:
            lines += ["", heading, *body]
    return "\n".join(lines)


def _summary(found: Checkup) -> str:
    """What works here, in one sentence."""
    methods = {channel.method for probe in found.probes if probe.source for channel in probe.source.channels}
    if not methods:
        return "nothing can be read, so every measurement will say that it has no joules. See below what mends it."
    if methods == {Method.ESTIMATED}:
        return "no sensor can be read; joules are estimated from a model, and say so."
    also = " Part of it is estimated, and says so." if Method.ESTIMATED in methods else ""
    return f"joules are measured.{also}"


def _source(probe: Probe, found: Checkup, columns: int) -> list[str]:
    used = probe.source is not None
    lines = _wrapped(probe.name, f"{'used' if used else 'not used'}: {plain(probe.reason, _LONG)}", columns)
    if probe.hint:
        lines += _wrapped("", f"{'better' if used else 'mend'}: {plain(probe.hint, _LONG)}", columns)
    for channel in () if probe.source is None else probe.source.channels:
        lines += _wrapped("", _channel(channel, found), columns)
        if channel.note and channel.note not in probe.reason:
            lines += _wrapped("", f"  {plain(channel.note, _LONG)}", columns)
    return lines


def _channel(channel: Channel, found: Checkup) -> str:
    """One channel: what it is, how it is read, how finely, and what it shows now."""
    inside = "" if channel.domain.inside is None else f", part of {domain_name(channel.domain.inside)}"
    facts = [f"{channel.method.value}: {METHODS[channel.method]}"]
    if channel.refresh_ns:
        facts.append(f"updated every {seconds(ns_to_s(channel.refresh_ns))}")
    if channel.resolution_uj:
        facts.append(f"in steps of {joules(uj_to_j(channel.resolution_uj))}")
    facts.append(_now(found.now(channel.domain.device), channel.method, found.look.duration_s))
    return f"- {domain_name(channel.domain)}{inside}: {'; '.join(facts)}"


def _now(energy: DomainEnergy | None, method: Method, span_s: float) -> str:
    if energy is None or span_s <= 0:
        return "now no reading"
    shown = watts(energy.gross_j / span_s, method)
    if method is Method.ESTIMATED:
        shown += f" ({watts(energy.low_j / span_s, method)} to {watts(energy.high_j / span_s, method)})"
    return f"now {shown}"


def _faults(found: Checkup, columns: int) -> list[str]:
    return [
        line
        for reason, hint in faults_in_words(found.look.faults)
        for line in _wrapped("", f"{reason}. {hint}".rstrip() if hint else reason, columns)
    ]


def _carbon(found: Checkup) -> str:
    if found.carbon_problem:
        return f"no grams: {plain(found.carbon_problem, _LONG)}"
    if found.intensity is None:
        return "turned off"
    words = footprint_words(Footprint(energy_j=0.0, pue=found.settings.pue, intensity=found.intensity), found.at)
    rest = [found.intensity.provider, found.intensity.note]
    return "; ".join([words, *(plain(part, _LONG) for part in rest if part)])


def _ledger(found: Checkup) -> str:
    state = found.ledger
    if not state.path:
        return "turned off: nothing is kept"
    kept = "" if state.windows is None else f": {state.windows} window{'' if state.windows == 1 else 's'}"
    problem = f"; {plain(state.problem, _LONG)}" if state.problem else ""
    return f"{plain(state.path, _LONG)}{kept}{problem}"


def _cost(found: Checkup) -> str:
    cost = found.cost
    reads = f"of which the two reads {seconds(cost.reads_s)}" if found.look.energies else "with no source to read"
    started = "could not be timed" if cost.import_s is None else f"takes {seconds(cost.import_s)}"
    return (
        f"opening and closing a window takes {seconds(cost.window_s)}, {reads} (medians of {cost.rounds}); "
        f"import greennb {started}"
    )


def _wrapped(name: str, words: str, columns: int) -> list[str]:
    indent = " " * _INDENT
    return textwrap.wrap(
        words,
        width=columns,
        initial_indent=f"{name:<{_INDENT}}",
        subsequent_indent=f"{indent}  " if words.startswith("-") else indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
