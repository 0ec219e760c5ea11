"""What a user may set, as one frozen value. Fronts fill it: traitlets in a notebook, the environment elsewhere."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from greennb.model.errors import BadInputError


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Settings of greennb; each may be overridden by ``GREENNB_<NAME>`` in the environment.

    Attributes:
        auto: measure every cell without a marker.
        quiet: in auto mode, record and show nothing in the notebook.
        zone: where the electricity comes from: ISO country ("FRA", "FR", "France"), "USA/California",
            "CAN/Quebec" or a cloud region ("gcp/europe-west1"); "" guesses from the time zone.
        intensity: grams of CO2 equivalent a kWh, when you know better than the tables; 0 leaves it to them.
        pue: power usage effectiveness of the building, >= 1.
        price: price of a kWh; 0 shows none.
        currency: printed after a price.
        carbon: show grams at all.
        advice: watch the frameworks in use for what would make cells cheaper, and say it; see ``%energy_advise``.
        live: provider of live carbon intensity, "" (none, no network), "uk" or "electricitymaps".
        live_token: token for the live provider.
        ledger: path of the ledger; "" is the platform's data folder, "off" keeps none.
        sources: comma-separated names of the sources to use; "" uses all that work.
        tdp: the CPU's thermal design power in watts, when the estimate does not know it: of one socket, or in a virtual
            machine of this machine's own share; 0 asks the table.
        rapl_root: folder of the powercap tree (for containers that mount it elsewhere).
        cluster: "auto" counts the workers of the Dask client in use, too; "" does after ``%energy_cluster on`` only.
    """

    auto: bool = False
    quiet: bool = False
    zone: str = ""
    intensity: float = 0.0
    pue: float = 1.0
    price: float = 0.0
    currency: str = "EUR"
    carbon: bool = True
    advice: bool = True
    live: str = ""
    live_token: str = ""
    ledger: str = ""
    sources: str = ""
    tdp: float = 0.0
    rapl_root: str = "/sys/class/powercap"
    cluster: str = ""

    def __post_init__(self) -> None:
        for name, floor in (("pue", 1.0), ("intensity", 0.0), ("price", 0.0), ("tdp", 0.0)):
            value = getattr(self, name)
            if not floor <= value < float("inf"):
                raise BadInputError(f"{name} is {value:g}: give a number of at least {floor:g}.")
        if self.live not in ("", "uk", "electricitymaps"):
            raise BadInputError(f'live is "{self.live}": give "uk", "electricitymaps" or "" for none.')
        if self.cluster not in ("", "auto"):
            raise BadInputError(f'cluster is "{self.cluster}": give "auto" or "".')

    def changed(self, **changes: str | float | bool) -> Settings:
        """These settings with ``changes``; values may be text as a user types it.

        Raises:
            BadInputError: a name that is no setting, or a value that it cannot take.
        """
        parsed: dict[str, Any] = {name: _parsed(name, value) for name, value in changes.items()}
        return replace(self, **parsed)

    @classmethod
    def from_environment(cls) -> Settings:
        """The defaults with this process's environment applied; what is wrong in it goes to standard error."""
        return cls().overridden(os.environ, lambda sentence: print(f"greennb: {sentence}", file=sys.stderr))  # noqa: T201

    def overridden(self, environ: Mapping[str, str], complain: Callable[[str], None]) -> Settings:
        """These settings with every ``GREENNB_<NAME>`` of ``environ`` applied.

        What cannot be applied is left as it was and given to ``complain`` as a sentence: a wrong variable in the
        environment must not keep anybody from measuring.
        """
        result = self
        for field in fields(self):
            variable = f"GREENNB_{field.name.upper()}"
            if variable not in environ:
                continue
            try:
                result = result.changed(**{field.name: environ[variable]})
            except BadInputError as error:
                complain(f"{variable} is left out: {error}")
        return result


def _flag(text: str) -> bool:
    if text.strip().lower() in ("1", "true", "yes", "on"):
        return True
    if text.strip().lower() in ("0", "false", "no", "off", ""):
        return False
    raise ValueError("on or off")


_PARSERS: dict[type, tuple[Callable[[str], Any], str]] = {
    bool: (_flag, "on or off"),
    float: (float, "a number"),
    str: (str, "text"),
}


def _parsed(name: str, value: str | float | bool) -> str | float | bool:
    defaults = Settings.__dataclass_fields__
    if name not in defaults:
        raise BadInputError(f'There is no setting "{name}": choose one of {", ".join(defaults)}.')
    kind = type(defaults[name].default)
    parse, wanted = _PARSERS[kind]
    try:
        result: str | float | bool = parse(str(value))
    except ValueError:
        raise BadInputError(f'{name} cannot be "{value}": give {wanted}.') from None
    return result
