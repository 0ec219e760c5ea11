"""Completion of the options and arguments of greennb's magics."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from greennb.jupyter.options import flags
from greennb.settings import Settings

_ARGUMENTS: dict[str, tuple[str, ...]] = {
    "%energy_auto": ("on", "off", "-q"),
    "%energy_advise": ("--all", "--dismiss", "--profile"),
    "%energy_compare": ("--code", "--budget"),
    "%energy_try": ("--variant", "--budget", "--plan", "--output", "--quiet"),
    "%energy_needs": ("torch", "sklearn", "tensorflow", "jax"),
    "%energy_report": ("--plot", "--last"),
    "%energy_export": ("--format",),
    "%energy_statement": ("--format", "--all", "--zone", "--intensity", "--pue", "--title", "--training-type"),
    "%energy_config": tuple(f"{field.name}=" for field in fields(Settings)),
}


def complete(shell: Any, event: Any) -> list[str]:
    """What may follow on this line, for IPython's ``complete_command`` hook."""
    command = str(event.command)
    if command == "%energy_try" and not event.symbol.startswith("-"):
        return _tried(shell, str(event.line), str(event.symbol))
    if command == "%energy_advise" and event.symbol[:1].isalpha():
        from greennb.advisor.catalogue import catalogue

        return [code for rule in catalogue().rules if (code := rule.RULE.code).startswith(event.symbol.upper())]
    words = _ARGUMENTS.get(command, flags() if command.lstrip("%") == "energy" else ())
    return [word for word in words if word.startswith(event.symbol)]


def _tried(shell: Any, line: str, symbol: str) -> list[str]:
    """What ``%energy_try`` may be given: variants after ``--variant``, else keys of this notebook's, and codes."""
    from greennb.advisor.trial.trials import variants
    from greennb.jupyter.session import Session

    words = line[: len(line) - len(symbol)].split()
    if words[-1:] == ["--variant"]:
        return [it for it in map(_word, dict.fromkeys(name for name, _codes in variants())) if _begins(it, symbol)]
    known = dict.fromkeys(code for _name, codes in variants() for code in codes)
    found = Session.start(shell).coach.findings(all_cells=True) if Session.running(shell) else ()
    keys = [_word(it.key) for it in found if it.rule.code in known]
    return [word for word in [*keys, *sorted(known)] if _begins(word, symbol)]


def _word(text: str) -> str:
    """Text as one word of a line."""
    return f'"{text}"' if " " in text else text


def _begins(word: str, symbol: str) -> bool:
    return word.strip('"').lower().startswith(symbol.strip('"').lower())
