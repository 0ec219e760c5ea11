"""Live intensity against a real HTTP server on this machine: good, slow, broken, huge, gone."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from greennb.carbon.intensity import resolve
from greennb.carbon.live import (
    FIRST_BACKOFF_S,
    LARGEST_ANSWER,
    LONGEST_BACKOFF_S,
    PROVIDERS,
    LiveFeed,
    electricity_maps_zone,
    feed_for,
)
from greennb.model.errors import BadInputError
from greennb.model.footprint import Origin
from greennb.settings import Settings

NOW = datetime(2026, 1, 5, 12, 20, tzinfo=UTC)
UK = {"data": [{"from": "2026-01-05T12:00Z", "intensity": {"forecast": 156, "actual": 149, "index": "moderate"}}]}
MAPS = {"zone": "FR", "carbonIntensity": 53, "datetime": "2026-01-05T12:00:00.000Z", "isEstimated": False}


class Grid:
    """A grid's server: ``body`` and ``status`` are what it answers next; ``asked`` are the paths and headers it saw."""

    def __init__(self) -> None:
        self.body: bytes | dict = UK
        self.status = 200
        self.headers: dict[str, str] = {}
        self.hold = threading.Event()
        self.hold.set()
        self.drip_s = 0.0
        self.asked: list[tuple[str, dict[str, str]]] = []
        grid = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                grid.asked.append((self.path, {key.lower(): value for key, value in self.headers.items()}))
                grid.hold.wait(10)
                body = grid.body if isinstance(grid.body, bytes) else json.dumps(grid.body).encode()
                try:
                    self.send_response(grid.status)
                    for name, value in grid.headers.items():
                        self.send_header(name, value)
                    self.end_headers()
                    for byte in body if grid.drip_s else ():
                        self.wfile.write(bytes([byte]))
                        self.wfile.flush()
                        time.sleep(grid.drip_s)
                    self.wfile.write(b"" if grid.drip_s else body)
                except OSError:  # the client has given up: what the test wants
                    pass

            def log_message(self, *_args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()

    def stop(self) -> None:
        self.hold.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


class Seconds:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.s = 1000.0

    def __call__(self) -> float:
        return self.s


@pytest.fixture
def grid() -> Iterator[Grid]:
    server = Grid()
    yield server
    server.stop()


@pytest.fixture
def clock() -> Seconds:
    return Seconds()


@pytest.fixture(autouse=True)
def no_thread_stays() -> Iterator[None]:
    """A request's thread ends with the request."""
    yield
    deadline = time.monotonic() + 5
    while any(t.name == "greennb-live-intensity" for t in threading.enumerate()) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not [t for t in threading.enumerate() if t.name == "greennb-live-intensity"]


def feed_to(grid: Grid, clock: Seconds, provider: str = "uk", zone: str = "GB", **options) -> LiveFeed:
    def now() -> datetime:
        return NOW + timedelta(seconds=clock.s - 1000)

    return LiveFeed(
        PROVIDERS[provider], zone, options.pop("token", ""), base_url=grid.url, clock=clock, now=now, **options
    )


def ask(feed: LiveFeed):
    return feed.current(wait=True)


# Good answers


def test_great_britain_s_actual_figure_with_its_age(grid, clock):
    found = ask(feed_to(grid, clock))
    assert (found.g_per_kwh, found.origin, found.zone) == (149, Origin.LIVE, "GB")
    assert found.as_of == "2026-01-05T12:00:00+00:00"
    assert "20 min old" in found.note
    assert "NESO" in found.provider
    assert grid.asked[0][0] == "/intensity"


def test_a_half_hour_that_has_no_actual_figure_yet_gives_the_forecast_and_says_so(grid, clock):
    grid.body = {"data": [{"from": "2026-01-05T12:00Z", "intensity": {"forecast": 156, "actual": None}}]}
    found = ask(feed_to(grid, clock))
    assert found.g_per_kwh == 156
    assert "forecast" in found.note


def test_electricity_maps_gets_its_zone_and_token(grid, clock):
    grid.body = MAPS
    found = ask(feed_to(grid, clock, "electricitymaps", "US-CAL-CISO", token="secret"))
    assert found.g_per_kwh == 53
    path, headers = grid.asked[0]
    assert path == "/v3/carbon-intensity/latest?zone=US-CAL-CISO"
    assert headers["auth-token"] == "secret"


def test_an_estimate_of_the_provider_is_said_to_be_one(grid, clock):
    grid.body = MAPS | {"isEstimated": True}
    assert "estimated" in ask(feed_to(grid, clock, "electricitymaps", "FR", token="t")).note


def test_no_token_goes_to_who_needs_none(grid, clock):
    ask(feed_to(grid, clock))
    assert "auth-token" not in grid.asked[0][1]


# Cache and back-off


def test_one_request_a_period(grid, clock):
    feed = feed_to(grid, clock)
    for _ in range(5):
        assert ask(feed).g_per_kwh == 149
    assert len(grid.asked) == 1
    clock.s += 1801
    grid.body = {"data": [{"from": "2026-01-05T12:30Z", "intensity": {"forecast": 1, "actual": 90}}]}
    assert ask(feed).g_per_kwh == 90
    assert len(grid.asked) == 2


def test_after_a_failure_it_waits_longer_each_time(grid, clock):
    grid.status = 500
    feed = feed_to(grid, clock)
    delay = FIRST_BACKOFF_S
    for asked in range(1, 12):
        assert ask(feed) is None
        assert ask(feed) is None
        assert len(grid.asked) == asked
        clock.s += delay - 1
        assert ask(feed) is None
        assert len(grid.asked) == asked
        clock.s += 2
        delay = min(LONGEST_BACKOFF_S, delay * 2)
    grid.status = 200
    assert ask(feed).g_per_kwh == 149


def test_an_old_figure_stays_a_while_with_its_age_and_the_trouble(grid, clock):
    feed = feed_to(grid, clock)
    ask(feed)
    grid.status = 503
    clock.s += 2 * 1800
    found = ask(feed)
    assert found.g_per_kwh == 149
    assert "80 min old" in found.note
    assert "HTTP 503" in found.note
    clock.s += 3 * 1800
    assert ask(feed) is None


# Bad answers


@pytest.mark.parametrize(
    ("status", "body", "says"),
    [
        (500, b"", "HTTP 500"),
        (404, b"{}", "HTTP 404"),
        (401, b"{}", "HTTP 401"),
        (200, b"", "documentation"),
        (200, b"<html>", "documentation"),
        (200, b"\xff\xfe", "documentation"),
        (200, b"[" * 60_000, "documentation"),
        (200, b"null", "documentation"),
        (200, {"data": []}, "documentation"),
        (200, {"data": [{"from": "today", "intensity": {"forecast": 1, "actual": 2}}]}, "documentation"),
        (200, {"data": [{"from": 5, "intensity": {"forecast": 1, "actual": 2}}]}, "documentation"),
        (200, {"data": [{"from": "2026-01-05T12:00Z", "intensity": {"forecast": None, "actual": None}}]}, "no carbon"),
        (200, {"data": [{"from": "2026-01-05T12:00Z", "intensity": {"forecast": 1, "actual": -3}}]}, "no carbon"),
        (200, {"data": [{"from": "2026-01-05T12:00Z", "intensity": {"forecast": 1, "actual": 1e9}}]}, "no carbon"),
        (200, {"data": [{"from": "2026-01-05T12:00Z", "intensity": {"forecast": 1, "actual": "9"}}]}, "no carbon"),
        (200, {"data": [{"from": "2026-01-05T12:00Z", "intensity": {"forecast": 1, "actual": True}}]}, "no carbon"),
        (200, b'{"data": [{"from": "2026-01-05T12:00Z", "intensity": {"actual": NaN}}]}', "no carbon"),
        (200, b" " * (LARGEST_ANSWER + 10), "larger than 64 KiB"),
    ],
)
def test_a_bad_answer_is_no_figure_and_says_why(grid, clock, status, body, says):
    grid.status, grid.body = status, body
    feed = feed_to(grid, clock)
    assert ask(feed) is None
    assert says in feed.trouble
    assert "NESO" in feed.trouble


def test_a_redirect_is_refused_so_that_the_token_stays_with_its_host(grid, clock):
    grid.status, grid.headers = 302, {"Location": grid.url + "/elsewhere"}
    feed = feed_to(grid, clock, token="secret")
    assert ask(feed) is None
    assert "HTTP 302" in feed.trouble
    assert len(grid.asked) == 1


def test_a_silent_server_times_out(grid, clock):
    grid.hold.clear()
    feed = feed_to(grid, clock, timeout_s=0.2)
    start = time.monotonic()
    assert ask(feed) is None
    assert time.monotonic() - start < 1.5
    assert "no answer within 0.2 s" in feed.trouble
    grid.hold.set()


def test_a_server_that_drips_is_cut_off(grid, clock):
    """Each byte comes in time, the whole does not."""
    grid.drip_s = 0.02
    feed = feed_to(grid, clock, timeout_s=0.2)
    start = time.monotonic()
    assert ask(feed) is None
    assert time.monotonic() - start < 1.5
    assert "no answer within 0.2 s" in feed.trouble


def test_no_server_at_all(clock):
    feed = LiveFeed(PROVIDERS["uk"], "GB", base_url="http://127.0.0.1:9", clock=clock)
    assert ask(feed) is None
    assert "failed" in feed.trouble


def test_the_token_is_never_in_a_message(grid, clock):
    grid.status = 401
    feed = feed_to(grid, clock, "electricitymaps", "FR", token="very-secret")
    ask(feed)
    assert "very-secret" not in feed.trouble


# In force


def test_a_cell_never_waits_for_the_network(grid, clock):
    """The first answer is the static one at once, and says so; the live one is there for a later cell."""
    grid.hold.clear()
    feed = feed_to(grid, clock)
    settings = Settings(zone="GBR", live="uk")
    resolve(settings, feed=feed)  # reads the static tables, once a process
    start = time.perf_counter()
    first = resolve(settings, feed=feed)
    assert time.perf_counter() - start < 0.1
    assert first.origin is Origin.STATIC
    assert "has not answered yet" in first.note
    assert "yearly average of GBR" in first.note
    grid.hold.set()
    assert resolve(settings, feed=feed, wait=True).origin is Origin.LIVE
    assert len(grid.asked) == 1


def test_a_failure_falls_back_to_the_table_and_says_so(grid, clock):
    grid.status = 500
    found = resolve(Settings(zone="GBR", live="uk"), feed=feed_to(grid, clock), wait=True)
    assert (found.origin, found.zone) == (Origin.STATIC, "GBR")
    assert "HTTP 500" in found.note


def test_britain_s_grid_is_not_asked_for_france(grid, clock):
    found = resolve(Settings(zone="FRA", live="uk"), feed=feed_to(grid, clock), wait=True)
    assert (found.origin, found.zone) == (Origin.STATIC, "FRA")
    assert "Great Britain only" in found.note
    assert grid.asked == []


def test_opting_in_to_uk_without_a_zone_is_enough(grid, clock):
    assert resolve(Settings(live="uk"), feed=feed_to(grid, clock), wait=True, guess=lambda: None).origin is Origin.LIVE


def test_electricity_maps_without_a_token_or_a_zone_is_not_asked(grid, clock):
    grid.body = MAPS
    feed = feed_to(grid, clock, "electricitymaps", "FR", token="t")
    for settings, says in (
        (Settings(live="electricitymaps", zone="FRA"), "live_token"),
        (Settings(live="electricitymaps", live_token="t"), "no zone"),
        (Settings(live="electricitymaps", live_token="t", zone="USA/California"), "US-CAL-CISO"),
    ):
        found = resolve(settings, feed=feed, wait=True, guess=lambda: None)
        assert found.origin is not Origin.LIVE
        assert says in found.note
    assert grid.asked == []


@pytest.mark.parametrize("zone", ["FRA", "FR", "France", "FR-COR"])
def test_electricity_maps_with_a_zone_and_a_token(grid, clock, zone):
    grid.body = MAPS
    feed = feed_to(grid, clock, "electricitymaps", "FR", token="t")
    settings = Settings(live="electricitymaps", live_token="t", zone=zone)
    assert resolve(settings, feed=feed, wait=True).origin is Origin.LIVE


def test_a_zone_of_electricity_maps_own_falls_back_to_its_country(grid, clock):
    grid.status = 500
    feed = feed_to(grid, clock, "electricitymaps", "US-CAL-CISO", token="t")
    settings = Settings(live="electricitymaps", live_token="t", zone="US-CAL-CISO")
    found = resolve(settings, feed=feed, wait=True)
    assert (found.origin, found.zone) == (Origin.STATIC, "USA")


@pytest.mark.parametrize(
    ("zone", "resolved", "name"),
    [
        ("FRA", "FRA", "FR"),
        ("fr", "FRA", "FR"),
        ("France", "FRA", "FR"),
        ("us-cal-ciso", "", "US-CAL-CISO"),
        ("USA/California", "USA/California", ""),
        ("gcp/europe-west1", "gcp/europe-west1", ""),
        ("", "world", ""),
        ("FR?x=1", "", ""),
    ],
)
def test_electricity_maps_names_of_zones(zone, resolved, name):
    assert electricity_maps_zone(zone, resolved) == name


def test_nobody_is_asked_unless_you_opt_in(grid, clock):
    resolve(Settings(zone="GBR"), feed=feed_to(grid, clock), wait=True)
    assert grid.asked == []


def test_many_threads_make_one_request(grid, clock):
    grid.hold.clear()
    feed = feed_to(grid, clock)
    threads = [threading.Thread(target=feed.current) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    grid.hold.set()
    assert ask(feed).g_per_kwh == 149
    assert len(grid.asked) == 1


def test_a_process_has_one_feed_a_zone():
    assert feed_for("uk", "GB") is feed_for("uk", "GB")
    with pytest.raises(BadInputError, match="choose one of uk"):
        feed_for("nope", "GB")
