"""The observers at work: woken when their framework is there, asked cell by cell, turned off where one fails.

A framework is noticed when its import ends, also in the middle of a cell, by a finder at the head of ``sys.meta_path``
that finds nothing itself; it leaves the module's loader and spec as they would be without it.
"""

from __future__ import annotations

import functools
import sys
import threading
from collections.abc import Callable, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, ParamSpec

from greennb.advisor.base import Failed, Observer
from greennb.advisor.names import Names

P = ParamSpec("P")


def guarded(hook: Callable[P, None], failed: Failed) -> Callable[P, None]:
    """``hook`` that never raises into the user's call: what it raises goes to ``failed``. KeyboardInterrupt passes.

    Costs about 0.1 us a call; a hook in a hot loop may rather have its own ``try``.
    """

    @functools.wraps(hook)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            hook(*args, **kwargs)
        except Exception as error:  # noqa: BLE001  # an observer's failure is not the user's
            failed(error)

    return run


class Watch:
    """The observers of one kernel.

    Args:
        say: told in one sentence, once for each, which observer is off and why.

    Attributes:
        off: names of the observers that have failed.
    """

    def __init__(self, observers: Sequence[Observer], *, say: Callable[[str], None]) -> None:
        self._observers = list(observers)
        self._say = say
        self._awake: list[Observer] = []
        self.off: tuple[str, ...] = ()
        self._failures: dict[int, BaseException] = {}
        self._open = False
        self._installed = False
        self._lock = threading.RLock()
        self._finder = _Finder({name for it in observers for name in it.modules}, self._imported)

    @property
    def installed(self) -> bool:
        """Whether anybody watches, or waits for a framework."""
        return self._installed

    def install(self) -> None:
        """Wake the observers whose framework is there, and wait for the others'."""
        self._installed = True
        sys.meta_path.insert(0, self._finder)
        for observer in list(self._observers):
            if not observer.modules or any(_whole(name) for name in observer.modules):
                self._wake(observer)

    def remove(self) -> None:
        """Take everything back."""
        self._installed = False
        if self._finder in sys.meta_path:
            sys.meta_path.remove(self._finder)
        for observer in list(self._awake):
            self._send_off(observer)

    def begin(self) -> None:
        """A cell begins."""
        self._open = True
        for observer in list(self._awake):
            self._guard(observer, observer.begin)

    def end(self, names: Names) -> dict[str, Any]:
        """A cell has ended: what was seen in it, by the observers' names; those that saw nothing have no entry."""
        self._open = False
        seen: dict[str, Any] = {}
        for observer in list(self._awake):
            signals = self._guard(observer, functools.partial(observer.end, names))
            if signals is not None:
                seen[observer.name] = signals
        for observer in [it for it in self._awake if id(it) in self._failures]:
            self._give_up(observer)
        return seen

    def observer(self, name: str, *, asleep: bool = False) -> Observer | None:
        """The observer of that name, where it is awake; with ``asleep``, also one whose framework is not there yet."""
        return next((it for it in (self._observers if asleep else self._awake) if it.name == name), None)

    def _imported(self, name: str) -> None:
        """A module has just been imported, on whatever thread."""
        if self._installed:
            for observer in list(self._observers):
                if name in observer.modules:
                    self._wake(observer)

    def _wake(self, observer: Observer) -> None:
        """Install it, again where another of its modules has arrived; a cell that runs has begun for it as well."""
        with self._lock:
            failed = functools.partial(self._failures.setdefault, id(observer))
            self._guard(observer, lambda: observer.install(failed))
            if id(observer) in self._failures:
                self._give_up(observer)
            elif observer not in self._awake:
                self._awake.append(observer)
                if self._open:
                    self._guard(observer, observer.begin)

    def _guard(self, observer: Observer, step: Callable[[], Any]) -> Any:
        try:
            return step()
        except Exception as error:  # noqa: BLE001  # a failure to look never fails the cell
            self._failures.setdefault(id(observer), error)
            return None

    def _give_up(self, observer: Observer) -> None:
        error = self._failures.pop(id(observer))
        self.off = (*self.off, observer.name)
        self._observers.remove(observer)
        self._send_off(observer)
        self._say(
            f"the advisor looks at {observer.name} no more in this kernel ({type(error).__name__}: {_words(error)}); "
            "your results are not affected. Please report it."
        )

    def _send_off(self, observer: Observer) -> None:
        if observer in self._awake:
            self._awake.remove(observer)
        self._guard(observer, observer.remove)


def _words(error: BaseException) -> str:
    try:
        return str(error)[:200]
    except Exception:  # noqa: BLE001  # the user's own exception class, with a broken __str__
        return "it cannot say why"


def _whole(name: str) -> bool:
    """Whether a module is imported to its end."""
    module = sys.modules.get(name)
    spec = getattr(module, "__spec__", None)
    return module is not None and not getattr(spec, "_initializing", False)


class _Finder(MetaPathFinder):
    """Finds nothing; learns when one of ``names`` is imported."""

    def __init__(self, names: set[str], done: Callable[[str], None]) -> None:
        self._names = frozenset(names)
        self._done = done
        self._here = threading.local()

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname not in self._names or getattr(self._here, "busy", False):
            return None
        self._here.busy = True
        try:
            spec = _others(self, fullname, path, target)
        finally:
            self._here.busy = False
        if spec is not None and spec.loader is not None and hasattr(spec.loader, "exec_module"):
            spec.loader = _Then(spec.loader, self._done)
        return spec


def _others(
    own: MetaPathFinder, fullname: str, path: Sequence[str] | None, target: ModuleType | None
) -> ModuleSpec | None:
    """What the finders behind ``own`` find."""
    for finder in sys.meta_path:
        find = getattr(finder, "find_spec", None)
        if finder is own or find is None:
            continue
        spec: ModuleSpec | None = find(fullname, path, target)
        if spec is not None:
            return spec
    return None


class _Then(Loader):
    """A module's own loader, and a call when it is done. The module never sees it."""

    def __init__(self, loader: Loader, done: Callable[[str], None]) -> None:
        self._loader = loader
        self._done = done

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        spec = module.__spec__
        module.__loader__ = self._loader
        if spec is not None:
            spec.loader = self._loader
        self._loader.exec_module(module)
        self._done(module.__name__)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)
