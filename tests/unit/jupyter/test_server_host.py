"""One sampler a server, whatever the number of tabs, and nothing without them."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from greennb.jupyter.server.host import MOST_LOOKERS, FullError, Host
from greennb.runtime import Runtime
from greennb.settings import Settings


class Made:
    """A host on this machine's own sensors, and how often it was made."""

    def __init__(self) -> None:
        self.times = 0
        self.host = Host(self._make)

    def _make(self) -> Runtime:
        self.times += 1
        return Runtime(Settings(ledger="off"))


@pytest.fixture
def made() -> Iterator[Made]:
    found = Made()
    yield found
    found.host.close()
    _until(lambda: _posts() == 0)


def _posts() -> int:
    return sum(thread.name == "greennb-bridge" for thread in threading.enumerate())


def _until(true: Any, seconds: float = 20) -> None:
    end_s = time.monotonic() + seconds
    while not true() and time.monotonic() < end_s:
        time.sleep(0.02)
    assert true()


def test_nothing_is_looked_for_before_somebody_looks_on(made: Made) -> None:
    looker = made.host.join(lambda _said: None)
    assert (made.times, _posts(), made.host.watched) == (0, 0, False)
    made.host.leave(looker)
    assert made.times == 0


def test_tabs_share_one_sampler_and_one_thread_that_end_with_the_last(made: Made) -> None:
    heard: list[list[dict[str, Any]]] = [[] for _ in range(6)]
    lookers = [made.host.join(each.append) for each in heard]
    for looker in lookers:
        made.host.watch(looker, 10.0)
    _until(lambda: all(heard))
    assert (made.times, _posts()) == (1, 1)
    assert len(made.host.runtime.meter.sampler._watchers) == 1  # white box: one watcher is the promise
    for looker in lookers[1:]:
        made.host.leave(looker)
    told = len(heard[0])
    _until(lambda: len(heard[0]) > told)
    made.host.leave(lookers[0])
    _until(lambda: _posts() == 0)
    assert made.host.runtime.meter.sampler._watchers == []
    silent = [len(each) for each in heard]
    time.sleep(1.0)
    assert [len(each) for each in heard] == silent


def test_a_page_that_comes_back_is_told_again(made: Made) -> None:
    for _ in range(2):
        heard: list[dict[str, Any]] = []
        looker = made.host.join(heard.append)
        made.host.watch(looker, 10.0)
        _until(lambda heard=heard: heard)
        assert heard[0]["type"] == "samples"
        made.host.leave(looker)


def test_there_is_an_end_of_pages(made: Made) -> None:
    for _ in range(MOST_LOOKERS):
        made.host.join(lambda _said: None)
    with pytest.raises(FullError):
        made.host.join(lambda _said: None)
