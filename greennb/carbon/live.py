"""Live carbon intensity over HTTP, only where the user opted in (``settings.live``).

* "uk": NESO's Carbon Intensity API for Great Britain, half-hourly, no token (api.carbonintensity.org.uk).
* "electricitymaps": Electricity Maps' v3 "latest", hourly, life cycle, with a token (api.electricitymaps.com).

A figure is asked for once a period. A failure is not retried before its back-off is over (30 s, doubled each time, an
hour at most). The request runs in a thread of its own that ends with it, so that no cell waits for a network; what is
shown meanwhile is the last figure with its age, or nothing, and ``trouble`` says why.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from typing import Any

from greennb.carbon.zones import ALPHA2, ALPHA3
from greennb.model.errors import BadInputError
from greennb.model.footprint import CarbonIntensity, Origin

TIMEOUT_S = 2.0
FIRST_BACKOFF_S = 30.0
LONGEST_BACKOFF_S = 3600.0
LARGEST_ANSWER = 64 * 1024
"""Bytes; real answers have a few hundred."""
MOST_G_PER_KWH = 2500.0
"""No power station emits more (lignite: about 1,200 g/kWh): a larger figure is an error, not a grid."""
_KEPT_PERIODS = 4  # how many periods old a figure may get before the yearly average is the better guess


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """A service: where it is, what to ask for, how to read its answer. ``period_s`` is how often its figure changes.

    ``parse`` takes the decoded JSON and gives (g/kWh, ISO time, note); it raises KeyError, TypeError, IndexError or
    ValueError on anything else.
    """

    title: str
    base_url: str
    path: str
    period_s: float
    parse: Callable[[Any], tuple[float, str, str]]


def _parse_uk(answer: Any) -> tuple[float, str, str]:
    """``{"data": [{"from": ..., "intensity": {"forecast": 156, "actual": null}}]}``; actual is null at first."""
    row = answer["data"][0]
    actual = row["intensity"]["actual"]
    if actual is not None:
        return actual, row["from"], "average of this half hour, without life cycle"
    return row["intensity"]["forecast"], row["from"], "forecast of this half hour, without life cycle"


def _parse_electricity_maps(answer: Any) -> tuple[float, str, str]:
    """``{"carbonIntensity": 53, "datetime": ..., "isEstimated": true, "emissionFactorType": "lifecycle"}``."""
    note = "estimated by the provider" if answer.get("isEstimated") else "average of this hour"
    return answer["carbonIntensity"], answer["datetime"], f"{note}, {answer.get('emissionFactorType', 'lifecycle')}"


PROVIDERS: Mapping[str, Provider] = {
    "uk": Provider(
        title="Carbon Intensity API (NESO)", base_url="https://api.carbonintensity.org.uk", path="/intensity",
        period_s=1800.0, parse=_parse_uk,
    ),
    "electricitymaps": Provider(
        title="Electricity Maps", base_url="https://api.electricitymaps.com",
        path="/v3/carbon-intensity/latest?zone={zone}", period_s=3600.0, parse=_parse_electricity_maps,
    ),
}  # fmt: skip
"""By the value of ``settings.live``."""


class LiveFeed:
    """One zone's figure from one provider, cached in memory for the provider's period.

    ``base_url`` replaces the provider's (for a proxy, or a test's own server); ``clock`` gives monotonic seconds,
    ``now`` the time in UTC.
    """

    def __init__(
        self,
        provider: Provider,
        zone: str,
        token: str = "",
        *,
        base_url: str = "",
        timeout_s: float = TIMEOUT_S,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._provider = provider
        self._zone = zone
        self._token = token
        self._base_url = base_url or provider.base_url
        self._timeout_s = timeout_s
        self._clock = clock
        self._now = now
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._value: CarbonIntensity | None = None
        self._fetched_s = self._retry_s = -math.inf
        self._failures = 0
        self._trouble = ""

    @property
    def trouble(self) -> str:
        """Why ``current`` gave None or an old figure, as the start of a sentence."""
        return self._trouble or f"{self._provider.title} has not answered yet"

    def current(self, *, wait: bool = False) -> CarbonIntensity | None:
        """The figure, at once; None where there is none that is young enough. Its age is in its note.

        A missing or old figure starts a request; with ``wait`` this call lasts until it ends or times out.
        """
        thread = self._start_if_due()
        if wait and thread is not None:
            thread.join(self._timeout_s + 1)
        value, age_s = self._value, self._clock() - self._fetched_s
        if value is None or age_s > _KEPT_PERIODS * self._provider.period_s:
            return None
        notes = [_age_in_words(value.as_of, self._now()), value.note]
        if age_s > self._provider.period_s and self._trouble:
            notes.append(self._trouble)
        return replace(value, note="; ".join(note for note in notes if note))

    def _start_if_due(self) -> threading.Thread | None:
        """The request under way, started now if one is due; None if none is needed."""
        with self._lock:
            if self._thread is not None and self._thread.is_alive():
                return self._thread
            now_s = self._clock()
            fresh = self._value is not None and now_s - self._fetched_s < self._provider.period_s
            if fresh or now_s < self._retry_s:
                return None
            # A daemon, so that an interpreter that exits does not wait for a slow server.
            self._thread = threading.Thread(target=self._refresh, name="greennb-live-intensity", daemon=True)
            self._thread.start()
            return self._thread

    def _refresh(self) -> None:
        """Ask once; keep the figure, or the trouble and when to try again."""
        try:
            value = self._fetch()
        except _NoFigureError as error:
            delay_s = min(LONGEST_BACKOFF_S, FIRST_BACKOFF_S * 2**self._failures)
            self._failures = min(self._failures + 1, 10)
            self._trouble = f"{self._provider.title} failed ({error})"
            self._retry_s = self._clock() + delay_s
            return
        self._failures, self._trouble, self._retry_s = 0, "", -math.inf
        self._value, self._fetched_s = value, self._clock()

    def _fetch(self) -> CarbonIntensity:
        import json  # here and below: only those who opted in pay for loading them
        from urllib.parse import quote

        url = self._base_url + self._provider.path.format(zone=quote(self._zone, safe=""))
        body = _get(url, {"auth-token": self._token} if self._token else {}, self._timeout_s)
        try:
            g, as_of, note = self._provider.parse(json.loads(body))
            when = datetime.fromisoformat(as_of)
        except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError):
            raise _NoFigureError("its answer is not what its documentation says") from None
        if isinstance(g, bool) or not isinstance(g, int | float) or not 0 <= g <= MOST_G_PER_KWH:
            raise _NoFigureError("its figure is no carbon intensity")
        return CarbonIntensity(
            g_per_kwh=float(g), low=None, high=None, zone=self._zone, origin=Origin.LIVE,
            as_of=when.isoformat(), provider=self._provider.title, note=note,
        )  # fmt: skip


class _NoFigureError(Exception):
    """A request gave no figure; the message says why."""


def _get(url: str, headers: Mapping[str, str], timeout_s: float) -> bytes:
    """The body of ``url``, read within ``timeout_s`` in all. Redirects are refused: the token is for one host."""
    import http.client
    import urllib.error
    import urllib.request

    class NoRedirect(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_args: object, **_kwargs: object) -> None:
            return None

    deadline_s = time.monotonic() + timeout_s
    request = urllib.request.Request(url, headers={"User-Agent": "greennb", **headers})
    try:
        with urllib.request.build_opener(NoRedirect).open(request, timeout=timeout_s) as response:
            body = b""
            while chunk := response.read1(8192):
                body += chunk
                if len(body) > LARGEST_ANSWER:
                    raise _NoFigureError(f"its answer is larger than {LARGEST_ANSWER // 1024} KiB")
                if time.monotonic() > deadline_s:
                    raise _NoFigureError(f"no answer within {timeout_s:g} s")
            return body
    except urllib.error.HTTPError as error:
        error.close()
        raise _NoFigureError(f"HTTP {error.code}") from None
    except TimeoutError:
        raise _NoFigureError(f"no answer within {timeout_s:g} s") from None
    except urllib.error.URLError as error:
        timed_out = isinstance(error.reason, TimeoutError)
        raise _NoFigureError(f"no answer within {timeout_s:g} s" if timed_out else str(error.reason)) from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise _NoFigureError(str(error) or type(error).__name__) from None


@cache
def feed_for(name: str, zone: str, token: str = "") -> LiveFeed:
    """The process's one feed of provider ``name`` for ``zone``, so that its cache is shared.

    Raises:
        BadInputError: there is no such provider.
    """
    if name not in PROVIDERS:
        raise BadInputError(f'There is no live provider "{name}": choose one of {", ".join(PROVIDERS)}.')
    return LiveFeed(PROVIDERS[name], zone, token)


def electricity_maps_zone(zone: str, resolved: str = "") -> str:
    """Electricity Maps' name of ``zone``: its own ("US-CAL-CISO") as it is, a country by alpha-2 code, "" for others.

    ``resolved`` is the alpha-3 code where a table has resolved a country's name already.
    """
    upper = zone.strip().upper()
    if upper.partition("-")[0] in ALPHA3 and all(part.isalnum() for part in upper.split("-")):
        return upper
    return ALPHA2.get(upper) or (ALPHA2.get(resolved, "") if "/" not in zone and zone else "")


def _age_in_words(as_of: str, now: datetime) -> str:
    """How long ago the figure's period began, as the provider states it."""
    when = datetime.fromisoformat(as_of)
    minutes = (now - (when if when.tzinfo else when.replace(tzinfo=UTC))).total_seconds() / 60
    if minutes < 1:
        return "of this minute"
    return f"{minutes:.0f} min old" if minutes < 120 else f"{minutes / 60:.0f} h old"
