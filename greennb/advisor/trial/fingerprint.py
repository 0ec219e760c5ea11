"""A fingerprint of everything that a trial could change; two of them say in words what is not the same."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from greennb.advisor.trial.ambient import Ambient
from greennb.advisor.trial.digest import Digests, version
from greennb.advisor.trial.reach import Reach, hidden, is_a, library
from greennb.advisor.trial.shadow import put_back

MOST_FILES = 5000
"""Files of the working directory that are listed at most."""

DEEP = 3
"""Folders within folders that are listed: enough for runs/name/version."""

_NOT_LISTED = ("__pycache__", ".ipynb")
"""Ends of names that change by themselves: bytecode, and notebooks, which Jupyter saves while a trial runs."""


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What the notebook was at one moment.

    * Of every object that the cell reaches: SHA-256 of its bytes (tensors with gradients and version counters, buffers,
      an optimizer's state, arrays, frames, containers, attributes, closures, a class's attributes), and which objects
      it consists of. After the first GB of data, and of a single piece of more than 256 MB, only every sixteenth
      block of 4 KiB is read.
    * Of every other public name: which object it is, its type, and how long or of which shape.
    * Random numbers, flags and environment, as in :class:`~greennb.advisor.trial.ambient.Ambient`.
    * Names, sizes and times of the files in the working directory, three folders deep, 5000 at most, without notebooks
      and hidden folders.

    Nothing of the user's classes is called. It keeps no object alive. A GB takes one to three seconds.
    """

    _objects: Mapping[str, bytes]
    _names: Mapping[str, tuple[Any, ...]]
    _order: tuple[str, ...]
    _files: Mapping[str, tuple[int, int]]
    _ambient: Ambient = field(repr=False)

    @classmethod
    def of(cls, namespace: dict[str, Any], code: str, *, own: Collection[Path] = ()) -> Fingerprint:
        """Of a notebook's names, for a cell's source.

        Args:
            own: files of ours, which are written meanwhile and are not looked at.

        Raises:
            RefusedError: the source is no Python, or reaches too many objects.
        """
        put_back()
        ambient = Ambient.now()
        reach = Reach.of(namespace, code, fresh=True)
        names = {name: value for name, value in list(namespace.items()) if not hidden(name)}
        return cls(
            _objects=Digests.of(reach).values,
            _names={name: _cheap_facts(value) for name, value in names.items()},
            _order=tuple(names),
            _files=_listed(frozenset(map(os.path.realpath, own))),
            _ambient=ambient,
        )

    def differences(self, later: Fingerprint) -> list[str]:
        """In words, what differs: "model: parameter fc.weight", "the RNG of numpy", "file out.csv appeared"."""
        return [
            *self._of_names(later), *self._of_objects(later), *self._ambient.differences(later._ambient),
            *self._of_files(later),
        ]  # fmt: skip

    def _of_names(self, later: Fingerprint) -> list[str]:
        ours, theirs = self._names, later._names
        found = [f"{name} (deleted)" for name in ours if name not in theirs]
        found += [f"{name} (new)" for name in theirs if name not in ours]
        for name, facts in ours.items():
            now = theirs.get(name, facts)
            if facts[:2] != now[:2]:
                found.append(f"{name} (another object)")
            elif facts != now and self._objects.get(name) == later._objects.get(name):
                found.append(f"{name} (its content)")
        if not found and self._order != later._order:
            found.append("the order of the names")
        return found

    def _of_objects(self, later: Fingerprint) -> list[str]:
        ours, theirs = self._objects, later._objects
        another = {name for name, facts in self._names.items() if later._names.get(name, ())[:2] != facts[:2]}
        return [
            what for what, digest in ours.items()
            if theirs.get(what) != digest and what in theirs and what.partition(":")[0] not in another
        ]  # fmt: skip

    def _of_files(self, later: Fingerprint) -> list[str]:
        ours, theirs = self._files, later._files
        found = [f"file {name} appeared" for name in theirs if name not in ours]
        found += [f"file {name} is gone" for name in ours if name not in theirs]
        return found + [f"file {name} was written" for name in ours if theirs.get(name, ours[name]) != ours[name]]


def _cheap_facts(thing: Any) -> tuple[Any, ...]:
    """Identity, type, and how large; nothing of the user's is asked."""
    facts: tuple[Any, ...] = (id(thing), id(type(thing)))
    if type(thing) in (list, dict, set, bytearray):
        return (*facts, len(thing))
    if is_a(thing, library("numpy", "ndarray")):
        return (*facts, library("numpy").ndarray.shape.__get__(thing))
    if is_a(thing, library("torch", "Tensor")):
        return (*facts, tuple(thing.shape), version(thing))
    return facts


def _listed(own: frozenset[str]) -> dict[str, tuple[int, int]]:
    """Size and time of the files in the working directory, by relative path, without those of ``own``."""
    found: dict[str, tuple[int, int]] = {}
    here = os.path.realpath(".")
    todo = [("", 0)]
    while todo:
        folder, depth = todo.pop()
        try:
            with os.scandir(folder or ".") as entries:
                listed = sorted(entries, key=lambda entry: entry.name)
        except OSError:
            continue
        for entry in listed:
            if entry.name.startswith(".") or entry.name.endswith(_NOT_LISTED):
                continue
            path = f"{folder}/{entry.name}" if folder else entry.name
            if own and os.path.join(here, path) in own:  # noqa: PTH118  # of thousands, as text
                continue
            if len(found) >= MOST_FILES:
                return found
            try:
                if entry.is_dir(follow_symlinks=False):
                    if depth + 1 < DEEP:
                        todo.append((path, depth + 1))
                    continue
                about = entry.stat()
            except OSError:
                continue
            found[path] = (about.st_size, about.st_mtime_ns)
    return found
