"""Completion of the options and arguments of greennb's magics."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from greennb.jupyter.options import flags
from greennb.settings import Settings

_ARGUMENTS: dict[str, tuple[str, ...]] = {
    "%energy_auto": ("on", "off", "-q"),
    "%energy_advise": ("--all", "--dismiss", "--profile"),
    "%energy_report": ("--plot", "--last"),
    "%energy_export": ("--format",),
    "%energy_config": tuple(f"{field.name}=" for field in fields(Settings)),
}


def complete(_shell: Any, event: Any) -> list[str]:
    """What may follow on this line, for IPython's ``complete_command`` hook."""
    command = str(event.command)
    if command == "%energy_advise" and event.symbol[:1].isalpha():
        from greennb.advisor.catalogue import catalogue

        return [code for rule in catalogue().rules if (code := rule.RULE.code).startswith(event.symbol.upper())]
    words = _ARGUMENTS.get(command, flags() if command.lstrip("%") == "energy" else ())
    return [word for word in words if word.startswith(event.symbol)]
