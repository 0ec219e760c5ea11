"""The carbon intensity in force: yours, a live grid's, a table's, a guess from the time zone, or the world's.

Country and state figures are yearly averages, location-based. Nothing here opens a socket unless ``settings.live`` is
set, and the place is never looked up by address.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from difflib import get_close_matches
from functools import cache
from pathlib import Path

from greennb.carbon.live import LiveFeed, electricity_maps_zone, feed_for
from greennb.carbon.tables import CarbonTables, Row, codecarbon_tables
from greennb.carbon.zones import ALIASES, ALPHA3, CLOUD_PLACES, country_of_time_zone, plain, time_zone
from greennb.model.errors import BadInputError, UnknownZoneError
from greennb.model.footprint import CarbonIntensity, Origin
from greennb.settings import Settings

WORLD_TAILS = 0.025
"""Share of the world's generation left out at either end of the world's range: the range holds 95 % of its kWh."""

_LONGEST_NAME = 60
_WORLD_SOURCE = "IEA, Global Energy & CO2 Status Report 2019, through codecarbon"
_WORLD_YEAR = "2018"  # the year that this report is about


def static_intensity(zone: str, tables: CarbonTables | None = None) -> CarbonIntensity:
    """The yearly average of ``zone``: "FRA", "FR", "France", "USA/California", "US-CA", or "gcp/europe-west1".

    Raises:
        UnknownZoneError: no table knows it; the message has the nearest names.
        BadInputError: the tables cannot be read.
    """
    tables = tables or codecarbon_tables()
    place, _, region = (part.strip() for part in zone.partition("/"))
    if not region and re.fullmatch(r"[A-Za-z]{2}-[A-Za-z]{1,3}", place):  # ISO 3166-2
        place, region = place[:2], place[3:]
    if region and place.lower() in ("gcp", "aws", "azure"):
        return _cloud(f"{place}/{region}".lower(), tables)
    code = _country_code(place, tables)
    if code is None:
        raise UnknownZoneError(f'There is no place "{_short(zone)}"{_nearest(place, _country_names(tables))}')
    if region:
        return _region(zone, code, region, tables)
    if code not in tables.countries():
        raise UnknownZoneError(f"The table has no figure for {code}: give a neighbour's code, or set intensity.")
    return _intensity(tables.countries()[code], code)


def world_intensity(tables: CarbonTables | None = None) -> CarbonIntensity:
    """The world's average, with the range that 95 % of the kWh in the table of countries fall into."""
    tables = tables or codecarbon_tables()
    low, high = _world_range(tables)
    return CarbonIntensity(
        g_per_kwh=tables.world(), low=low, high=high, zone="world", origin=Origin.WORLD, as_of=_WORLD_YEAR,
        provider=_WORLD_SOURCE, note="where this machine is, is not known: set zone",
    )  # fmt: skip


def guess_zone(root: Path = Path("/"), environ: Mapping[str, str] = os.environ) -> str | None:
    """The country that this machine's time zone lies in (alpha-3, or its name); None for UTC or an unknown one."""
    name = time_zone(root, environ)
    return (country_of_time_zone(name, root) or None) if name else None


def resolve(
    settings: Settings,
    *,
    wait: bool = False,
    feed: LiveFeed | None = None,
    tables: CarbonTables | None = None,
    guess: Callable[[], str | None] = guess_zone,
) -> CarbonIntensity:
    """The intensity to use: yours, then live (if opted in), the zone's, the time zone's, the world's.

    A live figure that is not here yet is fetched behind the scenes while the static one is used, and ``note`` says so;
    with ``wait`` it is waited for (two seconds at most). ``feed`` replaces the one that the settings name.

    Raises:
        UnknownZoneError: ``settings.zone`` is set and no table knows it.
    """
    if settings.intensity > 0:
        return CarbonIntensity(
            g_per_kwh=settings.intensity, low=None, high=None, zone=settings.zone or "your own figure",
            origin=Origin.USER, as_of="", provider="your settings",
        )  # fmt: skip
    # A cell asks each time: with the defaults, the answer of this process's first time stands.
    if tables is None and guess is guess_zone:
        static = _usual_static(settings.zone, settings.live, os.environ.get("TZ", ""))
    else:
        static = _static(settings, tables, guess)
    if not settings.live:
        return static
    return _live(settings, static, feed, wait=wait)


def _live(settings: Settings, static: CarbonIntensity, feed: LiveFeed | None, *, wait: bool) -> CarbonIntensity:
    zone, refusal = _live_zone(settings, static)
    if refusal:
        return _fallback(static, refusal)
    feed = feed or feed_for(settings.live, zone, settings.live_token)
    return feed.current(wait=wait) or _fallback(static, feed.trouble)


def _live_zone(settings: Settings, static: CarbonIntensity) -> tuple[str, str]:
    """The provider's name for the zone, or why there is none."""
    if settings.live == "uk":
        away = settings.zone and static.zone != "GBR" and not _is_britain(settings.zone)
        return "GB", f'live provider "uk" knows Great Britain only, not {settings.zone}' if away else ""
    if not settings.live_token:
        return "", "Electricity Maps needs live_token"
    place = settings.zone or (static.zone if static.origin is Origin.GUESSED else "")
    zone = electricity_maps_zone(place, static.zone)
    return zone, "" if zone else f'Electricity Maps has no zone for "{place}": give its own, like US-CAL-CISO'


def _is_britain(zone: str) -> bool:
    return zone.lower() in ("gcp/europe-west2", "aws/eu-west-2", "azure/uksouth", "azure/ukwest")


def _fallback(static: CarbonIntensity, trouble: str) -> CarbonIntensity:
    note = f"{trouble}; the yearly average of {static.zone} stands in"
    return replace(static, note=f"{note}; {static.note}" if static.note else note)


@cache
def _usual_static(zone: str, live: str, _tz: str) -> CarbonIntensity:
    return _static(Settings(zone=zone, live=live), None, guess_zone)


def _static(settings: Settings, tables: CarbonTables | None, guess: Callable[[], str | None]) -> CarbonIntensity:
    if settings.zone:
        try:
            return static_intensity(settings.zone, tables)
        except UnknownZoneError:
            country = settings.zone.partition("-")[0].upper()
            if settings.live == "electricitymaps" and "-" in settings.zone and country in ALPHA3:
                return static_intensity(country, tables)  # one of the provider's own zones: US-CAL-CISO
            raise
    try:
        country = guess() or ""
        if country:
            note = "guessed from the time zone: set zone if it is wrong"
            return replace(static_intensity(country, tables), origin=Origin.GUESSED, note=note)
    except UnknownZoneError:  # a time zone's country that the table lacks
        pass
    return world_intensity(tables)


def _cloud(zone: str, tables: CarbonTables) -> CarbonIntensity:
    row = tables.clouds().get(zone)
    if row is not None:
        return _intensity(row, zone)
    place = CLOUD_PLACES.get(zone)
    if place is None:
        known = [*tables.clouds(), *CLOUD_PLACES]
        raise UnknownZoneError(f'There is no cloud region "{_short(zone)}"{_nearest(zone, known)}')
    intensity = static_intensity(place, tables)
    return replace(intensity, zone=zone, note=f"the average of {place}, where this region is")


def _region(zone: str, code: str, region: str, tables: CarbonTables) -> CarbonIntensity:
    regions = tables.regions(code)
    row = regions.get(plain(region)) or regions.get(region.lower())
    if row is None:
        near = _nearest(plain(region), regions) if regions else f': use "{code}", it has no regions here.'
        raise UnknownZoneError(f'There is no region "{_short(zone)}"{near}')
    return _intensity(row, f"{code}/{row.name}")


def _intensity(row: Row, zone: str) -> CarbonIntensity:
    return CarbonIntensity(
        g_per_kwh=row.g_per_kwh, low=None, high=None, zone=zone, origin=Origin.STATIC, as_of=row.as_of,
        provider=f"codecarbon's {row.table}", note=row.note,
    )  # fmt: skip


def _country_code(place: str, tables: CarbonTables) -> str | None:
    """Alpha-3 code of a country given by code or name; None where there is no such country."""
    upper = place.upper()
    if upper in ALPHA3:
        return ALPHA3[upper]
    if upper in ALPHA3.values():
        return upper
    return _country_names(tables).get(plain(place))


def _country_names(tables: CarbonTables) -> dict[str, str]:
    return {plain(row.name): code for code, row in tables.countries().items()} | dict(ALIASES)


def _short(zone: str) -> str:
    """``zone`` as it can be shown in a sentence, whatever was typed."""
    shown = "".join(letter if letter.isprintable() else " " for letter in zone)
    return shown if len(shown) <= _LONGEST_NAME else shown[: _LONGEST_NAME - 3] + "..."


def _nearest(wanted: str, known: Mapping[str, object] | list[str]) -> str:
    """The end of a sentence: the nearest names, or how a zone is written where none is near."""
    near = get_close_matches(plain(wanted[:_LONGEST_NAME]), list(known), n=3, cutoff=0.7)
    if near:
        return ": did you mean " + " or ".join(f'"{name.title() if name.isalpha() else name}"' for name in near) + "?"
    return ': give a country ("FRA", "FR", "France"), "USA/California" or "gcp/europe-west1".'


@cache
def _world_range(tables: CarbonTables) -> tuple[float, float]:
    """Intensities below and above which ``WORLD_TAILS`` of the world's generation lies each."""
    rows = sorted((row.g_per_kwh, row.weight_twh) for row in tables.countries().values())
    total = sum(weight for _, weight in rows)
    if total <= 0:
        raise BadInputError("codecarbon's country table has no generation in it: reinstall codecarbon.")
    return _at_share(rows, WORLD_TAILS * total), _at_share(rows, (1 - WORLD_TAILS) * total)


def _at_share(rows: list[tuple[float, float]], wanted: float) -> float:
    reached = 0.0
    for g, weight in rows:
        reached += weight
        if reached >= wanted:
            return g
    return rows[-1][0]
