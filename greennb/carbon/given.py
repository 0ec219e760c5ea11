"""The building and the place that somebody names for once: ``--pue``, ``--intensity`` and ``--zone``."""

from __future__ import annotations

import math

from greennb.carbon.intensity import resolve
from greennb.model.errors import BadInputError
from greennb.model.footprint import CarbonIntensity
from greennb.settings import Settings


def with_given(
    settings: Settings, *, pue: float | None = None, intensity: float | None = None, zone: str | None = None
) -> Settings:
    """``settings`` with what was given; each of ``zone`` and ``intensity`` puts the other's setting aside.

    Raises:
        BadInputError: a figure that makes none, or an empty zone.
    """
    changes: dict[str, float | str] = {}
    if pue is not None:
        changes["pue"] = pue
    if intensity is not None:
        changes["intensity"] = positive("--intensity", intensity, "grams of CO2e a kWh")
        changes["zone"] = ""
    if zone is not None:
        changes["zone"] = zone
        changes["intensity"] = 0.0
        if not zone.strip():
            raise BadInputError('--zone is empty: give a country ("FRA"), "USA/California" or "gcp/europe-west1".')
    return settings.changed(**changes)


def given_intensity(
    settings: Settings, *, pue: float | None = None, intensity: float | None = None, zone: str | None = None
) -> CarbonIntensity | None:
    """The intensity that ``zone`` or ``intensity`` name, None where neither is given; a live figure is no past one.

    Raises:
        BadInputError: as for :func:`with_given`.
        UnknownZoneError: no table knows the zone.
    """
    changed = with_given(settings, pue=pue, intensity=intensity, zone=zone)
    return None if intensity is None and zone is None else resolve(changed.changed(live=""))


def positive(option: str, value: float, what: str) -> float:
    """``value``, which must be a number above 0.

    Raises:
        BadInputError: it is not.
    """
    if not 0 < value < math.inf:
        raise BadInputError(f"{option} is {value:g}: give {what} as a number above 0.")
    return value
