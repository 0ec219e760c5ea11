"""Public stand-ins for time and hardware, for our tests and other people's: nobody needs to patch anything."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime

from greennb.model.reading import Domain, DomainKind, Fault, Method
from greennb.model.units import w_ns_to_uj, w_to_mw
from greennb.sources.base import Channel, Modelled, Sample

_NEW_YEAR_NS = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp()) * 1_000_000_000


class FakeClock:
    """A clock that moves only when told to, or when somebody sleeps on it."""

    def __init__(self, start_ns: int = 1_000_000_000) -> None:
        self._ns = start_ns
        self._start_ns = start_ns
        self._lock = threading.Lock()

    def monotonic_ns(self) -> int:
        """The fake time in nanoseconds."""
        return self._ns

    def wall_ns(self) -> int:
        """2026-01-01 UTC plus the fake time that has passed."""
        return _NEW_YEAR_NS + self._ns - self._start_ns

    def sleep(self, seconds: float) -> None:
        """Move the clock on by ``seconds``, at once."""
        with self._lock:
            self._ns += round(seconds * 1e9)


def fake_channel(
    *,
    kind: DomainKind = DomainKind.CPU_PACKAGE,
    method: Method = Method.COUNTER,
    device: str = "fake-0",
    label: str = "Fake",
    wrap_uj: int | None = None,
    refresh_ns: int = 0,
    resolution_uj: float = 1.0,
    max_power_w: float = 1000.0,
    inside: Domain | None = None,
) -> Channel:
    """A channel of a domain that does not exist."""
    domain = Domain(kind=kind, host="fake-host", device=device, label=label, inside=inside)
    return Channel(
        domain=domain, method=method, resolution_uj=resolution_uj, refresh_ns=refresh_ns, wrap_uj=wrap_uj,
        max_power_w=max_power_w,
    )  # fmt: skip


class FakeSource:
    """A source that draws ``watts`` (a number, or a function of seconds since its birth) on one channel."""

    name = "fake"

    def __init__(
        self,
        watts: float | Callable[[float], float] = 40.0,
        *,
        clock: FakeClock,
        channel: Channel | None = None,
        step_ns: int = 1_000_000,
        spread: float = 0.5,
    ) -> None:
        self.channels = (channel or fake_channel(),)
        self.fault: Fault | None = None
        self._watts = watts if callable(watts) else (lambda _t, constant=watts: constant)
        self._clock = clock
        self._step_ns = step_ns
        self._spread = spread
        self._start_ns = self._t_ns = clock.monotonic_ns()
        self._uj = 0.0
        self.closed = False

    def sample(self) -> Sequence[Sample]:
        """The truth at the clock's time, or the fault that a test has set."""
        if self.fault is not None:
            return (self.fault,)
        self._advance(self._clock.monotonic_ns())
        channel = self.channels[0]
        if channel.method is Method.INTEGRATED:
            return (round(w_to_mw(self._watts((self._t_ns - self._start_ns) / 1e9))),)
        if channel.method is Method.ESTIMATED:
            spread = self._spread * self._uj
            return (Modelled(round(self._uj), round(self._uj - spread), round(self._uj + spread)),)
        return (round(self._uj) % channel.wrap_uj if channel.wrap_uj else round(self._uj),)

    def _advance(self, now_ns: int) -> None:
        """Integrate the power in small steps up to ``now_ns``."""
        while self._t_ns < now_ns:
            step = min(self._step_ns, now_ns - self._t_ns)
            middle_s = (self._t_ns + step / 2 - self._start_ns) / 1e9
            self._uj += w_ns_to_uj(self._watts(middle_s), step)
            self._t_ns += step

    def after_fork(self) -> None:
        """Nothing is shared."""

    def close(self) -> None:
        """Remember that it was closed."""
        self.closed = True


class RecordedSource:
    """A source that answers, one call after the other, what was recorded; the last answer stays."""

    name = "recorded"

    def __init__(self, channels: Sequence[Channel], samples: Iterable[Sequence[Sample]]) -> None:
        self.channels = tuple(channels)
        self._samples = [tuple(row) for row in samples]
        self._next = 0

    def sample(self) -> Sequence[Sample]:
        """The next recorded row."""
        row = self._samples[min(self._next, len(self._samples) - 1)]
        self._next += 1
        return row

    def after_fork(self) -> None:
        """Nothing is shared."""

    def close(self) -> None:
        """Nothing is open."""
