"""A ledger of its own for each test, closed at the end; no thread of it may be left."""

from __future__ import annotations

import threading

import pytest

from greennb.ledger.store import Ledger


@pytest.fixture
def path(tmp_path):
    return tmp_path / "folder" / "ledger.sqlite3"


@pytest.fixture
def opened():
    """Make ledgers that are closed at the end."""
    made: list[Ledger] = []

    def make(path, **options):
        made.append(Ledger(path, **options))
        return made[-1]

    yield make
    closed = [ledger.close(5) for ledger in made]  # each, also after one that was not
    assert all(closed)
    assert not [thread for thread in threading.enumerate() if thread.name == "greennb-ledger"]


@pytest.fixture
def ledger(path, opened):
    return opened(path)


@pytest.fixture
def kept(ledger):
    """Append a measurement as a cell's, with what differs from that."""

    def append(measurement, **fields):
        known = {"session_id": "s1", "notebook": "/home/me/train.ipynb", "source": "model.fit(x, y)", "kind": "cell"}
        ledger.append(measurement, **known | fields)
        return measurement

    return append
