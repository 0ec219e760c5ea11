"""Instants of one clock on another, from questions that say when they were sent."""

from __future__ import annotations

import random

from greennb.cluster.clocks import DRIFT, Ahead, Question

MS = 1_000_000


def test_the_instants_are_found_within_what_is_said_to_be_unsure() -> None:
    """Whatever the clocks' difference and the ways there and back, of which the quickest is known."""
    chance = random.Random(0)
    for _ in range(500):
        difference_ns = chance.randrange(-(10**15), 10**15)
        ahead, now_ns, trips = Ahead(), 10**12, []
        for _question in range(4):
            there_ns, back_ns = chance.randrange(50 * MS), chance.randrange(50 * MS)
            ahead.hear(now_ns, now_ns + there_ns + difference_ns)
            trips.append(there_ns + back_ns)
            now_ns += there_ns + back_ns + chance.randrange(10**9)
        asked = Question(t0_ns=now_ns - 10**9, t1_ns=now_ns, sent_ns=now_ns, trip_ns=min(trips))
        t0_ns, t1_ns, unsure_ns = ahead.here(asked, now_ns + difference_ns)
        assert t1_ns - t0_ns == 10**9
        assert abs(t1_ns - (now_ns + difference_ns)) <= unsure_ns
        assert unsure_ns <= min(trips) / 2 + DRIFT * 5e9


def test_clocks_five_seconds_apart_or_fifty_years_make_no_difference() -> None:
    for difference_ns in (5 * 10**9, -5 * 10**9, 50 * 365 * 86400 * 10**9):
        ahead = Ahead()
        ahead.hear(10**12, 10**12 + difference_ns + 2 * MS)
        asked = Question(t0_ns=10**12, t1_ns=10**12 + 10**9, sent_ns=0, trip_ns=4 * MS)
        assert ahead.here(asked, 10**12 + difference_ns)[0] == 10**12 + difference_ns


def test_a_bound_grows_old() -> None:
    """A clock that drifts is followed, though a question was once quicker."""
    ahead = Ahead()
    ahead.hear(0, 10 * MS)
    hour_ns = 3600 * 10**9
    ahead.hear(hour_ns, hour_ns + 10 * MS + int(0.9 * DRIFT * hour_ns))
    asked = Question(t0_ns=hour_ns, t1_ns=hour_ns, sent_ns=hour_ns, trip_ns=0)
    t0_ns, _t1_ns, unsure_ns = ahead.here(asked, hour_ns + 10 * MS)
    assert t0_ns == hour_ns + 10 * MS + int(0.9 * DRIFT * hour_ns)
    assert unsure_ns < MS
