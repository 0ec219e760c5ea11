"""PyTorch's own profiler over a few training steps, only where somebody has asked for it.

It costs tens to hundreds of milliseconds and makes the profiled steps slower: never of its own accord. It is
``torch.autograd.profiler.profile``, what ``torch.profiler`` is made of, without the environment variables that
``torch.profiler`` leaves set where CUDA graphs are in use.
"""

from __future__ import annotations

import gc
import sys
import threading
from collections.abc import Callable
from typing import Any

from greennb.advisor.observe.torch.sums import summed
from greennb.advisor.signals.torch import Profiled

FEWEST, STEPS, MOST = 3, 4, 5
"""Steps that can be profiled, and unless told: enough to even out, few enough to keep the trace small."""

WARM = 2
"""Steps before the first that is profiled: they allocate, compile and choose algorithms."""

ENTRIES = ("_prepare_profiler", "_enable_profiler")
"""What every profiler of PyTorch's calls, as names of ``torch.autograd.profiler``, when it begins."""

Say = Callable[[str], object]


class Profiling:
    """A wish for a profile, and the profile while it is made.

    The wish waits for a cell whose optimizer steps often enough, on the cell's own thread: the profiler is a thread's.

    Attributes:
        off: why there is no profile any more in this kernel; "" while all is well.
    """

    def __init__(self) -> None:
        self.off = ""
        self._wanted = 0
        self._say: Say = print
        self._torch: Any = None
        self._thread = 0
        self._record: Any = None  # the optimizer's, whose steps are counted
        self._profile: Any = None
        self._running = False
        self._done = 0
        self._hidden: dict[str, Any] = {}
        self._note = ""

    def ask(self, steps: int, say: Say) -> None:
        """Profile ``steps`` steps of the next cell that trains; ``say`` is told where that comes to nothing."""
        self._wanted, self._say = steps, say

    def begin(self, torch: Any) -> Profiling | None:
        """A cell begins: what is to be told of its steps, None where nobody has asked."""
        self._record = self._profile = None
        self._note = ""
        if not self._wanted or self.off:
            return None
        self._torch, self._thread, self._done = torch, threading.get_ident(), 0
        return self

    def stepped(self, record: Any) -> None:
        """An optimizer has taken a step. Never raises."""
        try:
            if self._wanted and threading.get_ident() == self._thread:
                self._step(record)
        except Exception as error:  # noqa: BLE001  # no profile is no reason for a step to fail
            self._fail(error)

    def end(self) -> Profiled | None:
        """The cell has ended, however it did: what the profile says of its steps; None without a whole one."""
        if self._running:
            self._cut_short()
        profile, self._profile, self._record = self._profile, None, None
        told = None
        if profile is not None and not self.off:
            try:
                told = summed(profile.key_averages(), self._done)
            except Exception as error:  # noqa: BLE001
                self._fail(error)
        note, self._note = self._note, ""
        if note:
            self._say(f"No steps were profiled: {note}.")
        return told

    def _cut_short(self) -> None:
        """The cell has ended too early; where not even one step was profiled, the wish waits for the next."""
        wanted, done = self._wanted, self._done
        self._drop(f"the cell ended after {done} of the {wanted} steps that were to be profiled")
        if not done and not self.off:
            self._wanted, self._note = wanted, ""

    def _step(self, record: Any) -> None:
        if self._record is None and record.steps == WARM:
            self._record = record
            self._start()
        elif self._running and record is self._record:
            self._done += 1
            if self._done >= self._wanted:
                self._stop()
                self._wanted = 0

    def _start(self) -> None:
        torch = self._torch
        cuda = bool(torch.cuda.is_initialized())
        reason = taken(torch, cuda)
        if reason:
            self._wanted, self._note = 0, reason
            return
        module = torch.autograd.profiler
        profile = module.profile(use_kineto=True, **({"use_device": "cuda"} if cuda else {}))
        self._profile, self._running = profile, True
        profile.__enter__()
        self._give_way(module)

    def _stop(self) -> None:
        """Stop the profiler; it is no more in anybody's way."""
        self._running = False
        self._show()
        if self._torch.autograd._profiler_enabled():
            self._profile.__exit__(None, None, None)

    def _drop(self, why: str) -> None:
        """Stop, and say nothing of what was seen so far."""
        try:
            self._stop()
        except Exception as error:  # noqa: BLE001
            self._fail(error)
        self._profile, self._wanted = None, 0
        self._note = self._note or why

    def _fail(self, error: Exception) -> None:
        self.off = self._note = f"PyTorch's profiler could not be used ({type(error).__name__}: {str(error)[:200]})"
        self._wanted = 0
        if self._running:
            self._drop(self.off)

    def _give_way(self, module: Any) -> None:
        """A profiler of the user's that begins meanwhile would fail, two being one too many: ours stops first."""
        for name in ENTRIES:
            original = getattr(module, name, None)
            if original is not None:
                self._hidden[name] = original
                setattr(module, name, self._yielding(original))

    def _yielding(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def begins(*args: Any, **kwargs: Any) -> Any:
            if self._running and threading.get_ident() == self._thread:
                self._drop("a profiler of your own began")
            return original(*args, **kwargs)

        return begins

    def _show(self) -> None:
        module = self._torch.autograd.profiler
        while self._hidden:
            name, original = self._hidden.popitem()
            setattr(module, name, original)


def taken(torch: Any, cuda: bool) -> str:
    """Why the profiler cannot be used now; "" where it can.

    One that is prepared but has not begun (``torch.profiler.schedule``) shows in no flag: its object is looked for.
    """
    module = torch.autograd.profiler
    if torch.autograd._profiler_enabled() or getattr(module, "_is_profiler_enabled", False):
        return "a profiler is at work already"
    kind = module.profile
    for thing in gc.get_objects():
        if type(thing) is kind:
            own = vars(thing)
            if own.get("entered") and own.get("kineto_results") is None:
                return "a profiler of your own is at work already"
    inductor = sys.modules.get("torch._inductor.config")
    if cuda and inductor is not None and inductor.triton.cudagraphs:
        return "CUDA graphs are in use, which the profiler can break"
    return ""
