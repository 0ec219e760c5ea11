"""greennb in plain Python: a context manager, a decorator, and the last measurement."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar, cast

from greennb.meter.meter import OpenWindow
from greennb.model.errors import GreennbError
from greennb.model.finding import Trial
from greennb.model.measurement import Measurement, Status
from greennb.runtime import runtime

if TYPE_CHECKING:
    from greennb.cluster.torchdist import Ranks

F = TypeVar("F", bound=Callable[..., Any])


class measure:  # noqa: N801  # reads as a verb: with greennb.measure("train") as window
    """Measure a block: ``with greennb.measure("train") as window: ...``, then ``window.result``.

    ``window.result`` is a :class:`~greennb.model.measurement.Measurement`; asked for inside the block it is what
    the block has cost up to now. The window closes however the block ends, and goes into the ledger.

    In a distributed training every rank opens the same windows in the same order, with ``group=True`` (the default
    process group) or a group of ``torch.distributed``. The window of its rank 0 then has the joules of all machines,
    each device once; those of the others have their own machine's. Rank 0 waits ``group_timeout_s`` at most: what a
    rank did not tell until then is a fault of the result, which is partial.

    Raises:
        BadInputError: at the opening, where there is no such group.
    """

    def __init__(self, label: str = "", *, group: Any = None, group_timeout_s: float = 10.0) -> None:
        self._label = str(label)
        self._group, self._group_timeout_s = group, group_timeout_s
        self._ranks: Ranks | None = None

    def __enter__(self) -> OpenWindow:
        """Open the window."""
        self._runtime = runtime()
        if self._group is not None:
            from greennb.cluster.torchdist import Ranks

            self._ranks = Ranks(self._group, self._group_timeout_s)
        self._window = self._runtime.open(self._label)
        self._token = self._runtime.enter(self._window)
        return self._window

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close it; an exception goes on its way."""
        self._runtime.leave(self._token)
        self._window.close(status_of(error))
        if self._ranks is not None:
            self._ranks.settle(self._window)
        self._runtime.close(self._window, status_of(error))


def measured(function: F) -> F:
    """Measure every call of a function, also of a coroutine function: ``@greennb.measured``.

    Each call is a window named after the function; ``greennb.last()`` gives the latest.
    """
    label = getattr(function, "__qualname__", repr(function))

    if inspect.iscoroutinefunction(function):

        @functools.wraps(function)
        async def awaited(*args: Any, **kwargs: Any) -> Any:
            with measure(label):
                return await function(*args, **kwargs)

        return cast("F", awaited)

    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        raise GreennbError(f"{label} is a generator: put `with greennb.measure():` around the loop that runs it.")

    @functools.wraps(function)
    def called(*args: Any, **kwargs: Any) -> Any:
        with measure(label):
            return function(*args, **kwargs)

    return cast("F", called)


def compare(
    baseline: Callable[[], Any],
    candidate: Callable[[], Any],
    *,
    quality: Callable[[Any, Any], object] | None = None,
    budget_s: float = 30.0,
) -> Trial:
    """Which of two ways to do the same work takes fewer joules, measured by turns on this machine.

    Each function does the work once, and is called many times: what it changes, it changes. The trial ends as soon as
    its verdict is safe, or when ``budget_s`` is spent: ``trial.verdict`` is "saves", "costs more", "no difference
    shown" or "cannot tell" (of the candidate), ``trial.ratio`` candidate / baseline in joules, ``trial.interval`` its
    95 % interval.

    Args:
        quality: called at the end with what the two returned last; True where the candidate's is as good. Where it
            returns False, or a sentence that says why not, the verdict is never "saves".
        budget_s: seconds that the trial may take.

    Raises:
        BadInputError: one is not callable, or the budget is no number of seconds above 0.
    """
    from greennb.advisor.trial.calls import run

    return run(runtime().meter, baseline, candidate, quality=quality, budget_s=budget_s)


def last() -> Measurement | None:
    """The latest measurement that this process closed, or None before the first."""
    return runtime().last


def status_of(error: BaseException | None) -> Status:
    """How a window ends that ``error`` left."""
    if error is None:
        return Status.OK
    return Status.ERROR if isinstance(error, Exception) else Status.INTERRUPTED
