"""Copies of what a cell uses, bound in the notebook's own names while a trial runs, then the user's put back."""

from __future__ import annotations

import types
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from greennb.advisor.trial.copies import Copies
from greennb.advisor.trial.mentions import mentions
from greennb.advisor.trial.reach import Reach, class_dict, data_attributes, hidden, is_a, own

_TRIES = 1000
"""Times that putting back is begun again after an interrupt: nobody presses a key that often."""

_ABSENT = object()

_in_place: list[Placed] = []
"""Those whose copies are bound now; one at most, but for an interrupt between two instructions of Python's."""


class Shadow:
    """Copies of everything that a cell reaches, made with one memo: what was shared among the originals is among them.

    The user's objects are read while it is made, and not after.

    Attributes:
        size_b: bytes of tensors, arrays and buffers that were copied.
    """

    def __init__(self, namespace: dict[str, Any], copies: Copies, modules: list[_Space], unbound: set[str]) -> None:
        self._notebook = _Space(namespace, copies.names, unbound)
        self._spaces = [self._notebook, *modules]
        self._classes: dict[type, dict[str, Any]] = copies.classes
        self.size_b = copies.size_b

    @property
    def names(self) -> dict[str, Any]:
        """The notebook's names with what they mean in here: copies at first, then also what the trial has bound."""
        return self._notebook.names

    @classmethod
    def of(cls, namespace: dict[str, Any], code: str, *, most_b: int | None = None) -> Shadow:
        """Copy what ``code`` reaches.

        Names that the code binds before it reads them are not copied; they are unbound while the copies are in place.

        Args:
            most_b: bytes that may be copied; a quarter of the memory that is free unless told, of each device's own
                for what lies on a card.

        Raises:
            RefusedError: something can't be copied, or is too large; nothing has changed.
        """
        put_back()
        reach = Reach.of(namespace, code)
        copies = Copies.of(reach, most_b)
        modules = [_Space(own(module), copies.modules[key], set()) for key, (module, _) in reach.modules.items()]
        return cls(namespace, copies, modules, _unbound(reach, mentions(code).fresh))

    def in_place(self) -> Placed:
        """Bind the copies in the notebook's names for the time of a ``with`` block, whose value is the namespace.

        What the block binds, or deletes, is kept in here for the next block and undone in the notebook, also after an
        interrupt. Should one fall just between two instructions of Python's, where no code can catch it, then
        :meth:`close` puts back, and so do the next shadow and the next fingerprint.
        """
        return Placed(self)

    def close(self) -> None:
        """Let go of the copies, and put back what still is in place; may be called twice."""
        put_back()
        for space in self._spaces:
            space.names.clear()
            space.gone.clear()
        self._classes.clear()


class Placed:
    """The block in which a shadow's copies are bound; see :meth:`Shadow.in_place`."""

    def __init__(self, shadow: Shadow) -> None:
        self._shadow = shadow
        self._saved: list[tuple[_Space, dict[str, Any]]] = []
        self._saved_classes: list[tuple[type, dict[str, Any]]] = []

    def __enter__(self) -> dict[str, Any]:
        put_back()
        self._saved = [(space, dict(space.namespace)) for space in self._shadow._spaces]
        self._saved_classes = [(cls, data_attributes(cls)) for cls in self._shadow._classes]
        _in_place.append(self)
        try:
            for space in self._shadow._spaces:
                space.bind()
            for cls, attributes in self._shadow._classes.items():
                _set_class(cls, attributes)
        except BaseException:
            surely(self.put_back)
            raise
        return self._shadow._notebook.namespace

    def __exit__(self, *_raised: object) -> None:
        try:
            for space, saved in self._saved:
                space.keep(saved)
            self._shadow._classes = {cls: data_attributes(cls) for cls, _attributes in self._saved_classes}
        finally:
            surely(self.put_back)

    def put_back(self) -> None:
        """The user's bindings, in their order; may be called again, and after an interrupt in itself."""
        if self not in _in_place:
            return
        for space, saved in self._saved:
            space.put_back(saved)
        for cls, attributes in self._saved_classes:
            _set_class(cls, attributes)
        _in_place.remove(self)


@dataclass(slots=True)
class _Space:
    """A dictionary of names, the notebook's or a module's, and what they mean to a shadow; ``gone`` are not there."""

    namespace: dict[str, Any]
    names: dict[str, Any]
    gone: set[str]

    def bind(self) -> None:
        """Make the names mean what they mean to the shadow."""
        self.namespace.update(self.names)
        for name in self.gone:
            self.namespace.pop(name, None)

    def keep(self, saved: dict[str, Any]) -> None:
        """Remember what the names mean to the trial, before the user's are put back."""
        now = dict(self.namespace)
        self.names = {
            name: value
            for name, value in now.items()
            if not hidden(name) and (name in self.names or saved.get(name, _ABSENT) is not value)
        }
        self.gone = {name for name in saved if name not in now and not hidden(name)}

    def put_back(self, saved: dict[str, Any]) -> None:
        """The user's bindings, in their order."""
        namespace = self.namespace
        if saved.keys() <= namespace.keys():
            for name in [it for it in namespace if it not in saved]:
                del namespace[name]
            namespace.update(saved)
        if list(namespace) != list(saved):
            namespace.clear()
            namespace.update(saved)


def put_back() -> None:
    """Put back what an interrupt has left in place, if anything."""
    while _in_place:
        surely(_in_place[-1].put_back)


def surely(action: Callable[[], None]) -> None:
    """Do something to its end, also if interrupts fall into it; the last of them is raised afterwards."""
    interrupt: BaseException | None = None
    for _ in range(_TRIES):
        try:
            action()
            break
        except BaseException as error:  # noqa: BLE001  # raised below, once the user's things are theirs again
            interrupt = error
    if interrupt is not None:
        raise interrupt


def _unbound(reach: Reach, fresh: frozenset[str]) -> set[str]:
    """What the cell binds itself, but not modules, which are the same for everybody, nor what was reached after all."""
    return {
        name
        for name in fresh
        if name in reach.namespace
        and name not in reach.names
        and not hidden(name)
        and not is_a(reach.namespace[name], types.ModuleType)
    }


def _set_class(cls: type, attributes: dict[str, Any]) -> None:
    """Make a class's data attributes these, past any metaclass; only those that differ are touched."""
    now = data_attributes(cls)
    for name in now.keys() - attributes.keys():
        type.__delattr__(cls, name)
    for name, value in attributes.items():
        if class_dict(cls).get(name, _ABSENT) is not value:
            type.__setattr__(cls, name, value)
