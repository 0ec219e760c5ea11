"""The options of ``%%energy`` and ``%energy``: one parser, also for the marker, the help and the completion."""

from __future__ import annotations

import argparse
import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn

from greennb.model.errors import BadInputError

AUTO = "auto"
MOST_REPEATS = 100_000

_WORD = re.compile(r"""("[^"]*"|'[^']*'|[^\s"'])+""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the user asked of one window. ``repeat`` is a count, "auto", or None for one run."""

    name: str = ""
    repeat: int | str | None = None
    output: str = ""
    quiet: bool = False
    net: bool = False
    lines: bool = False
    budget_j: float | None = None
    carbon: bool = True
    per: float | None = None
    unit: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What a trial may take: seconds, and joules where the user gave those."""

    s: float = 30.0
    j: float | None = None


LONGEST_FOR_JOULES_S = 300.0
"""Seconds that a trial with a budget of joules takes at most: joules that nobody can measure are never spent."""


class _Parser(argparse.ArgumentParser):
    """A parser that neither prints nor exits."""

    def error(self, message: str) -> NoReturn:
        raise BadInputError(f"{self.prog}: {message}. See {self.prog}? for its options.")


def _repeat(text: str) -> int | str:
    if text == AUTO:
        return AUTO
    if text.isdigit() and 1 <= int(text) <= MOST_REPEATS:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is no number of runs: give 1 or more, or auto")


def _positive(what: str) -> Callable[[str], float]:
    def parse(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = -1.0
        if not 0 < value < float("inf"):
            raise argparse.ArgumentTypeError(f"{text!r} is no {what}: give a number above 0")
        return value

    return parse


def _joules(text: str) -> float:
    """Joules, with or without the unit: 500, 500J, 0.5kJ."""
    number, scale = text.strip(), 1.0
    for suffix, factor in (("MJ", 1e6), ("kJ", 1e3), ("J", 1.0)):
        if number.endswith(suffix):
            number, scale = number[: -len(suffix)], factor
            break
    return _positive("energy in joules (500, 500J, 2kJ)")(number) * scale


def budget(text: str) -> Budget:
    """A trial's budget: seconds (30, 30s), or joules with their unit (300J, 2kJ).

    Raises:
        argparse.ArgumentTypeError: it is neither.
    """
    if text.strip().endswith("J"):
        return Budget(s=LONGEST_FOR_JOULES_S, j=_joules(text))
    return Budget(s=_positive("budget of a trial (30, 300J, 2kJ)")(text.strip().removesuffix("s")))


def variable(text: str) -> str:
    """A name that a result may be bound to, or "" for none.

    Raises:
        argparse.ArgumentTypeError: it is no name.
    """
    if text and not text.isidentifier():  # argparse parses the default too
        raise argparse.ArgumentTypeError(f"{text!r} is no name for a variable")
    return text


def parser(prog: str) -> argparse.ArgumentParser:
    """The parser behind ``prog`` ("%%energy" or "%energy")."""
    made = _Parser(prog=prog, add_help=False, allow_abbrev=False, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = made.add_argument
    add("-n", "--name", metavar="LABEL", default="", help="call the window LABEL in cards, reports and the ledger")
    add("-r", "--repeat", metavar="N|auto", type=_repeat,
        help="run it N times and give mean and interval; auto: until the scatter's 95%% interval is within 5%% "
             "or 30 s are spent")  # fmt: skip
    add("-o", "--output", metavar="VAR", type=variable, default="", help="put the measurement into the variable VAR")
    add("-q", "--quiet", action="store_true", help="record it and show nothing")
    add("--net", action="store_true", help="show joules above the idle baseline (see %%energy_baseline) first")
    add("--lines", action="store_true", help="also show which source lines the joules went to (%%%%energy only)")
    add("--budget", metavar="J", dest="budget_j", type=_joules, help="warn when J joules (500, 2kJ) are passed")
    add("--no-carbon", action="store_false", dest="carbon", help="show no grams of CO2e")
    add("--per", metavar="N", type=_positive("number of units"), help="also give the energy per unit of N done")
    add("--unit", metavar="NAME", default="", help="what --per counts, e.g. predictions")
    return made


def flags() -> tuple[str, ...]:
    """Every option as it is typed, for completion."""
    return tuple(flag for action in parser("%%energy")._actions for flag in action.option_strings)


def parse(prog: str, line: str) -> Options:
    """The options on ``line``.

    Raises:
        BadInputError: an unknown option or a value that it cannot take, in one sentence.
    """
    return _checked(prog, Options(**vars(parser(prog).parse_args(_words(prog, line)))))


def parse_statement(prog: str, line: str) -> tuple[Options, str]:
    """The options at the start of ``line``, and the statement after them, as it was typed."""
    rest, words = line.lstrip(), []
    takes = {f for action in parser(prog)._actions if action.nargs is None for f in action.option_strings}
    while rest.startswith("-") and not rest[1:2].isdigit():
        word, _, rest = rest.partition(" ")
        words.append(word)
        rest = rest.lstrip()
        if word == "--":
            words.pop()
            break
        if word in takes:
            value, rest = _value(prog, rest)
            words.append(value)
    return _checked(prog, Options(**vars(parser(prog).parse_args(words)))), rest


def _checked(prog: str, options: Options) -> Options:
    """``options``, unless they do not go together."""
    if options.lines and not prog.startswith("%%"):
        raise BadInputError(f"{prog}: --lines is for cells: put %%energy --lines on a cell's first line.")
    if options.lines and options.repeat is not None:
        raise BadInputError(f"{prog}: --lines follows one run: leave out -r.")
    return options


def _value(prog: str, text: str) -> tuple[str, str]:
    """The first word of ``text``, which may be quoted, and what follows it."""
    found = _WORD.match(text)
    if found is None:
        return "", text
    return "".join(_words(prog, found.group())), text[found.end() :].lstrip()


def _words(prog: str, line: str) -> list[str]:
    try:
        return shlex.split(line)
    except ValueError:
        raise BadInputError(f"{prog}: a quotation mark is not closed. Close it.") from None
