"""The calls of one cell: who called whom, and their sums by what is the same."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from greennb.advisor.observe.sklearn import data as data
from greennb.advisor.observe.sklearn import params as params
from greennb.advisor.observe.sklearn.loss import curve
from greennb.advisor.signals.sklearn import FITS

MOST_ENTRIES = 200
"""Different calls that are told apart in a cell; further ones are summed up by class and method alone."""

MOST_ROUGH = 400
"""Entries in all; what comes beyond is only counted."""

MOST_WORK = 64
"""Fits told apart within one entry, by their data and settings."""

MOST_DEPTH = 20
"""Calls deeper than this are not told apart by depth."""

LOOK_S = 0.1
"""A fit that takes less is not asked what came out of it."""

WORK_S = 0.2
"""A fit that takes less gets no fingerprint: to do it again costs little."""


@dataclass(slots=True, eq=False)
class Frame:
    """A call that goes on: of ``method`` of ``owner``, within ``parent``, on the thread that ``stack`` is of.

    ``last`` is the last step of a pipeline, ``pre_s`` the seconds in the steps before it; ``pipe_s`` and ``pipe_pre_s``
    are the seconds of the pipelines right within this call, and those of their earlier steps.
    """

    calls: Calls
    owner: Any
    method: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    parent: Frame | None
    stack: list[Frame]
    depth: int
    last: Any = None
    pre_s: float = 0.0
    pipe_s: float = 0.0
    pipe_pre_s: float = 0.0
    cpu_s: float = 0.0
    t0_s: float = 0.0


@dataclass(slots=True)
class Entry:
    """A sum of calls that are alike."""

    kind: type
    method: str
    depth: int
    inside: str
    parameters: dict[str, object]
    outline: data.Outline | None
    inner_n_jobs: int | None
    calls: int = 0
    seconds: float = 0.0
    cpu_s: float = 0.0
    failed: bool = False
    print: str = ""
    owner_id: int = 0
    x_id: int = 0
    y_id: int = 0
    y_type: type = object
    fitted: dict[str, object] = field(default_factory=dict)
    work: dict[str, list[float]] = field(default_factory=dict)
    search: dict[str, Any] | None = None


class Calls:
    """What is called while a cell runs; a new one for every cell, so that nothing of the last one is left.

    Args:
        failed: told, once, what went wrong in here; nothing more is recorded then.
    """

    def __init__(self, failed: Callable[[Exception], None]) -> None:
        self.on = True
        self.dropped = 0
        self.entries: dict[Any, Entry] = {}
        self._failed = failed
        self._here = threading.local()
        self._here.stack = []
        self._home: list[Frame] = self._here.stack
        self._lock = threading.Lock()

    def enter(self, method: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Frame | None:
        """A call begins; None for one that is not told apart from the call around it, by the same estimator."""
        try:
            owner = args[0] if args else kwargs.get("self")
            try:
                stack: list[Frame] = self._here.stack
            except AttributeError:
                stack = self._here.stack = []
            # What another thread calls is within what the cell's own thread is in: joblib's threads for an ensemble.
            parent = stack[-1] if stack else self._home[-1] if self._home else None
            if owner is None or (parent is not None and parent.owner is owner):
                return None
            depth = 0 if parent is None else parent.depth + 1
            frame = Frame(self, owner, method, args, kwargs, parent, stack, depth)
            if method in FITS:
                last = params.last_step(owner)
                frame.last = None if last is owner else last
                if parent is None or parent.last is not None:  # to ask for it takes as long as all the rest
                    frame.cpu_s = time.process_time()
            stack.append(frame)
            frame.t0_s = time.perf_counter()
            return frame
        except IndexError:  # the home thread has left its call meanwhile
            return None
        except Exception as error:  # noqa: BLE001  # ours to fail, not the user's
            self.fail(error)
            return None

    def leave(self, frame: Frame, failed: bool) -> None:
        """A call has ended."""
        t1_s = time.perf_counter()
        try:
            seconds = t1_s - frame.t0_s
            cpu_s = time.process_time() - frame.cpu_s if frame.cpu_s else 0.0
            stack = frame.stack
            while stack and stack.pop() is not frame:
                pass  # an interrupt may have left some behind
            if frame.parent is not None:
                self._tell_parent(frame, frame.parent, seconds)
            if self.on:
                self._count(frame, seconds, cpu_s, failed)
        except Exception as error:  # noqa: BLE001  # ours to fail, not the user's
            self.fail(error)

    def fail(self, error: Exception) -> None:
        """Record nothing more."""
        if self.on:
            self.on = False
            self._failed(error)

    @staticmethod
    def _tell_parent(frame: Frame, parent: Frame, seconds: float) -> None:
        """How long a pipeline's earlier steps take, and a search's pipelines."""
        if parent.last is not None and frame.owner is not parent.last:
            parent.pre_s += seconds
        if frame.last is not None:
            parent.pipe_s += seconds
            parent.pipe_pre_s += frame.pre_s

    def _count(self, frame: Frame, seconds: float, cpu_s: float, failed: bool) -> None:
        entry = self._entry(frame)
        if entry is None:
            self.dropped += 1
            return
        entry.calls += 1
        entry.seconds += seconds
        entry.cpu_s += cpu_s
        entry.failed = entry.failed or failed
        if frame.method in FITS and seconds >= LOOK_S and not failed:
            self._look(entry, frame, seconds)

    def _entry(self, frame: Frame) -> Entry | None:
        owner, kind, parent = frame.owner, type(frame.owner), frame.parent
        if parent is None:
            inside = None
            rough: Any = (kind, frame.method)
            seen = data.outline(_x(frame))
            exact: Any = (kind, frame.method, params.key(owner), seen)
        else:
            inside = type(parent.owner)
            rough = (kind, frame.method, inside, min(frame.depth, MOST_DEPTH))
            exact = (*rough, params.inner_key(owner))
        with self._lock:
            entry = self.entries.get(exact)
            if entry is not None or (entry := self.entries.get(rough)) is not None:
                return entry
            if len(self.entries) >= MOST_ROUGH:
                return None
            entry = self._new(frame, seen if parent is None else data.outline(_x(frame)), inside)
            self.entries[exact if len(self.entries) < MOST_ENTRIES else rough] = entry
            return entry

    @staticmethod
    def _new(frame: Frame, outline: data.Outline | None, inside: type | None) -> Entry:
        y = _y(frame)
        return Entry(
            kind=type(frame.owner),
            method=frame.method,
            depth=frame.depth,
            inside="" if inside is None else inside.__name__,
            parameters=params.parameters(frame.owner),
            outline=outline,
            inner_n_jobs=params.inner_n_jobs(frame.owner),
            owner_id=id(frame.owner),
            x_id=id(_x(frame)),
            y_id=id(y),
            y_type=type(y),
        )

    def _look(self, entry: Entry, frame: Frame, seconds: float) -> None:
        """What came out of a fit that took time; after it, so that no clock of ours counts it."""
        owner = frame.owner
        entry.owner_id = id(owner)
        entry.fitted = {**params.fitted(owner), **curve(owner), **curve(params.last_step(owner))}
        if "cv_results_" in params.state(owner):
            entry.search = search(owner, frame)
        if frame.depth == 0 and seconds >= WORK_S and len(frame.args) <= 3 and set(frame.kwargs) <= {"X", "y", "self"}:
            self._remember_work(entry, frame, seconds)

    @staticmethod
    def _remember_work(entry: Entry, frame: Frame, seconds: float) -> None:
        settings = params.settings(frame.owner)
        entry.print = data.fingerprint(_x(frame), _y(frame), seconds) if settings else ""
        if entry.print and (entry.print + settings in entry.work or len(entry.work) < MOST_WORK):
            work = entry.work.setdefault(entry.print + settings, [0, 0.0])
            work[0] += 1
            work[1] += seconds


def _x(frame: Frame) -> Any:
    return frame.args[1] if len(frame.args) > 1 else frame.kwargs.get("X")


def _y(frame: Frame) -> Any:
    return frame.args[2] if len(frame.args) > 2 else frame.kwargs.get("y")


def search(owner: Any, frame: Frame) -> dict[str, Any] | None:
    """The fields of a :class:`~greennb.advisor.signals.sklearn.SearchSeen`; None where ``owner`` is no search."""
    held = params.state(owner)
    results, searched = held.get("cv_results_"), held.get("estimator")
    if type(results) is not dict or not any(cls.__name__ == "BaseSearchCV" for cls in type(owner).__mro__):
        return None
    fits = results.get("mean_fit_time")
    fit_s = float(fits.mean()) if fits is not None and len(fits) else 0.0
    steps = params.state(searched).get("steps")
    preprocess_s = fit_s * frame.pipe_pre_s / frame.pipe_s if frame.pipe_s > 0 else None
    n_jobs = held.get("n_jobs")
    own_n_jobs = params.state(searched).get("n_jobs")
    inner = own_n_jobs if type(own_n_jobs) is int and own_n_jobs != 1 else params.inner_n_jobs(owner)
    return {
        "estimator": type(searched).__name__,
        "steps": tuple(str(it[0]) for it in steps) if type(steps) is list else (),
        "parameters": _varied(results),
        "candidates": len(results.get("params", ())),
        "splits": held["n_splits_"] if type(held.get("n_splits_")) is int else 0,
        "fit_s": fit_s,
        "preprocess_s": preprocess_s,
        "refit_s": float(held.get("refit_time_") or 0.0),
        "memory": params.state(searched).get("memory") is not None,
        "n_jobs": n_jobs if type(n_jobs) is int else None,
        "inner_n_jobs": inner,
    }


def _varied(results: dict[str, Any]) -> dict[str, int]:
    """Each parameter that was searched, with how many values of it; objects are told apart by identity."""
    values: dict[str, set[Any]] = {}
    for candidate in results.get("params", ())[:10_000]:
        for name, value in candidate.items():
            values.setdefault(name, set()).add(value if type(value) in params.PLAIN else id(value))
    return {name: len(found) for name, found in values.items()}
