"""Wrapping the methods of scikit-learn's own classes, so that nothing but time tells that they are wrapped.

Only methods that are defined in a class of scikit-learn, XGBoost or LightGBM are wrapped, in that class: never a user's
class, which cloudpickle would send to other processes together with whatever its methods hold. Names, signatures and
sources are the originals' (``functools.wraps``), tracebacks leave the wrapper out, and ``warnings.warn(stacklevel=2)``
counts past it, so that a warning is about the same line of the user's as before.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from types import FunctionType
from typing import Any

PACKAGES = ("sklearn.", "xgboost.", "lightgbm.")
"""Whose classes are wrapped; those of scikit-learn-intelex stay as they are."""

METHODS = (
    "fit", "fit_transform", "fit_predict", "partial_fit",
    "predict", "predict_proba", "decision_function", "score_samples", "transform",
)  # fmt: skip

SETTLED_LATER = ("fit_transform", "transform")
"""What scikit-learn itself wraps (``set_output``) right after a class has come to be: ours goes around that, later."""

UNSEEN = f"{__file__} (like importlib and its _bootstrap: not counted by warnings)"
"""A file name that ``warnings`` takes for the import machinery's, whose frames ``stacklevel`` doesn't count."""


Enter = Callable[[str, tuple[Any, ...], dict[str, Any]], Any]
"""Told that a call of a method begins, with its arguments: the estimator is the first of them, unless it was passed by
keyword. What it answers is handed to :data:`Leave`. Never raises."""

Leave = Callable[[Any, bool], None]
"""Told that a call has ended, and whether it failed. Never raises."""


class Wraps:
    """The wrappers in force, and the way back."""

    def __init__(self, enter: Enter, leave: Leave, failed: Callable[[Exception], None]) -> None:
        self._enter = enter
        self._leave = leave
        self._failed = failed
        self._undo: list[Callable[[], None]] = []
        self._bases: list[type] = []
        self._done: set[type] = set()
        self.late: list[type] = []

    def install(self, base: type) -> None:
        """Wrap every class below ``base`` (``BaseEstimator``) that is there, and each one as it comes to be."""
        if base in self._bases:
            return
        self._bases.append(base)
        for cls in _below(base):
            self._wrap_with_mixins(cls)
        self._meet_newcomers(base)

    def remove(self) -> None:
        """Put the identical functions back, except where somebody has replaced ours meanwhile."""
        for undo in reversed(self._undo):
            undo()
        self._undo.clear()
        self._bases.clear()
        self._done.clear()
        self.late.clear()

    def catch_up(self) -> None:
        """Wrap what had to wait until its class was settled."""
        late, self.late[:] = list(self.late), []
        for cls in late:
            self._wrap(cls, SETTLED_LATER)

    def _newcomer(self, cls: type) -> None:
        try:
            self.catch_up()
            if _ours_to_wrap(cls):
                self._done.add(cls)
                self._wrap_with_mixins(cls)
                self._wrap(cls, tuple(name for name in METHODS if name not in SETTLED_LATER))
                self.late.append(cls)
        except Exception as error:  # noqa: BLE001  # a class of the user's may be in the making
            self._failed(error)

    def _wrap_with_mixins(self, cls: type) -> None:
        """It and what it inherits from, below ``BaseEstimator`` or not: many a ``predict`` is a mixin's."""
        for one in cls.__mro__ if _ours_to_wrap(cls) else ():
            if one not in self._done and _ours_to_wrap(one):
                self._done.add(one)
                self._wrap(one, METHODS)

    def _wrap(self, cls: type, methods: tuple[str, ...]) -> None:
        for name in methods:
            found = vars(cls).get(name)
            if isinstance(found, FunctionType):
                self._replace(cls, name, found)
            elif type(found).__name__ == "_AvailableIfDescriptor" and isinstance(vars(found).get("fn"), FunctionType):
                self._replace(found, "fn", vars(found)["fn"], method=name)

    def _replace(self, holder: Any, name: str, original: FunctionType, *, method: str | None = None) -> None:
        if original.__code__.co_filename == UNSEEN:
            return  # the same function under two roofs
        wrapper = _wrapper(original, method or name, self._enter, self._leave)
        setattr(holder, name, wrapper)

        def undo() -> None:
            if vars(holder).get(name) is wrapper:
                setattr(holder, name, original)

        self._undo.append(undo)

    def _meet_newcomers(self, base: type) -> None:
        own = vars(base).get("__init_subclass__")
        base_: Any = base  # a type known only at run time

        def __init_subclass__(cls: Any, **kwargs: Any) -> None:  # noqa: N807
            try:
                if own is None:
                    super(base_, cls).__init_subclass__(**kwargs)
                else:
                    own.__get__(None, cls)(**kwargs)
            except BaseException as error:
                _leave_out_this_frame(error)
                raise
            if base in self._bases:  # else it was taken back, under somebody else's that was put over it
                self._newcomer(cls)

        hook: Any = classmethod(_unseen(__init_subclass__))
        type.__setattr__(base, "__init_subclass__", hook)

        def undo() -> None:
            if vars(base).get("__init_subclass__") is hook:
                if own is None:
                    type.__delattr__(base, "__init_subclass__")
                else:
                    type.__setattr__(base, "__init_subclass__", own)

        self._undo.append(undo)


def _wrapper(original: FunctionType, method: str, enter: Enter, leave: Leave) -> Any:
    def call(*args: Any, **kwargs: Any) -> Any:
        seen = enter(method, args, kwargs)
        try:
            result = original(*args, **kwargs)
        except BaseException as error:
            leave(seen, True)
            _leave_out_this_frame(error)
            raise
        leave(seen, False)
        return result

    return functools.update_wrapper(_unseen(call), original)


def _leave_out_this_frame(error: BaseException) -> None:
    """Take the caller's frame, the newest of the traceback, off it; ``error`` 's own class has no say in this."""
    traceback = BaseException.__dict__["__traceback__"].__get__(error)
    BaseException.with_traceback(error, None if traceback is None else traceback.tb_next)


def _unseen(function: Callable[..., Any]) -> FunctionType:
    assert isinstance(function, FunctionType)
    function.__code__ = function.__code__.replace(co_filename=UNSEEN)
    return function


def _ours_to_wrap(cls: type) -> bool:
    module = vars(cls).get("__module__")
    return type(module) is str and module.startswith(PACKAGES)


def _below(base: type) -> Iterator[type]:
    """Every class below ``base``, each once."""
    seen: set[type] = set()
    rest = [base]
    cls: type
    while rest:
        for cls in type.__subclasses__(rest.pop()):
            if cls not in seen:
                seen.add(cls)
                rest.append(cls)
                yield cls
