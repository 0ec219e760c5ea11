"""The settings as traitlets: ``c.GreenNB.zone = "FRA"`` in a config file, ``%energy_config zone=FRA`` in a cell.

The environment (``GREENNB_*``) overrides the config file, since it belongs to who starts the kernel; what is typed
in the notebook overrides both.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any

from traitlets import Bool, Float, TraitType, Unicode
from traitlets.config import Configurable

from greennb.model.errors import BadInputError
from greennb.settings import Settings

_TRAITS: dict[type, type[TraitType[Any, Any]]] = {bool: Bool, float: Float, str: Unicode}


def _help() -> dict[str, str]:
    """What the docstring of :class:`Settings` says of each setting, so that it is said once."""
    texts: dict[str, str] = {}
    name = ""
    for line in (Settings.__doc__ or "").partition("Attributes:")[2].splitlines():
        head, colon, rest = line.strip().partition(": ")
        if colon and head in Settings.__dataclass_fields__:
            name, texts[head] = head, rest
        elif name and line.strip():
            texts[name] += " " + line.strip()
    return texts


HELP = _help()


class _GreenNB(Configurable):
    """Settings of greennb."""

    def to_settings(self, environ: Mapping[str, str], complain: Callable[[str], None]) -> Settings:
        """These settings with the environment's on top; what cannot be used is given to ``complain`` and left out."""
        result = Settings()
        for field in fields(Settings):
            try:
                result = result.changed(**{field.name: getattr(self, field.name)})
            except BadInputError as error:
                complain(f"c.GreenNB.{field.name} is left out: {error}")
        return result.overridden(environ, complain)


GreenNB = type(
    "GreenNB",
    (_GreenNB,),
    {
        "__doc__": _GreenNB.__doc__,
        **{
            field.name: _TRAITS[type(field.default)](default_value=field.default, help=HELP.get(field.name, "")).tag(
                config=True
            )
            for field in fields(Settings)
        },
    },
)
"""One trait for each field of :class:`~greennb.settings.Settings`, with its default and its words."""
