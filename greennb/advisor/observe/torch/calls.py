"""Calls of models: a global forward pre-hook, on for the first calls of a cell and for some later ones.

Which call is of a root module is read from the stack, which no exception and no other thread can put out of step. The
hook costs 1 to 2 us a call of any module while it is on, and nothing while it is off.
"""

from __future__ import annotations

import sys
import weakref
from collections.abc import Callable
from types import CodeType, FrameType
from typing import Any

from greennb.advisor.base import Failed
from greennb.advisor.observe.torch.cell import MOST_CALLS, Cell, Lane, Stage, no_modes
from greennb.advisor.observe.torch.loader import LoaderRecord
from greennb.advisor.observe.torch.model import ModelFacts, inner, its
from greennb.advisor.observe.torch.ring import Ring
from greennb.advisor.observe.torch.steps import Clock, StepRecord

FIRST_CALLS = 24
"""Calls of models that are looked at when a cell begins."""

ENOUGH = (12, 700)
"""Calls of models that are enough where they have cost that many calls of the hook: a deep model is looked at less."""

LATER_CALLS = 4
"""Calls that are looked at each time later: enough for three intervals between them."""

MOST_STATES = 16
"""States of one model that are kept apart."""

MOST_SHAPES = 64
"""Shapes of a batch that are told apart."""

PASSED_S = 1e-6
"""Seconds that PyTorch takes longer for a module's call because there is a hook: tried, 0.8 to 1.2 us."""

DEEP = 200
"""Frames looked through for a module around the one that is called."""


class Batch:
    """The first tensor that a model was called with, at the calls looked at."""

    __slots__ = ("channels_last", "device", "dtype", "name", "requires_grad", "shape", "shapes", "tensor")

    def __init__(self, torch: Any, tensor: Any, name: str | None) -> None:
        self.shape = tuple(tensor.shape)
        self.shapes = {self.shape}
        self.dtype = str(tensor.dtype).removeprefix("torch.")
        self.device = str(tensor.device)
        self.requires_grad = bool(tensor.requires_grad)
        self.channels_last = in_channels_last(torch, tensor)
        self.name = name
        self.tensor: weakref.ref[Any] = weakref.ref(tensor)


def in_channels_last(torch: Any, tensor: Any) -> bool:
    """Whether a 4-D tensor is in that format, and not in the standard one as well."""
    return (
        tensor.dim() == 4
        and bool(tensor.is_contiguous(memory_format=torch.channels_last))
        and not tensor.is_contiguous()
    )


class Calls:
    """Calls of one model in one state. Times are of the observer's clock, in seconds.

    Attributes:
        intervals: from one call to the next, both within one stretch of looking.
        windows: stretches in which it was called; ``watched`` optimizer steps taken while they lasted.
        stepped: after how many of these calls each optimizer took a step, before the model was called again.
        loader: the one whose batch came before the first call.
    """

    __slots__ = (
        "autocast", "batch", "calls", "first", "grad", "inference", "intervals", "last", "loader", "own", "stepped",
        "training", "window", "windows",
    )  # fmt: skip

    def __init__(self, state: tuple[bool, bool, bool, str], now: float) -> None:
        self.training, self.grad, self.inference, self.autocast = state
        self.batch: Batch | None = None
        self.calls = 0
        self.first = self.last = now
        self.intervals = Ring()
        self.loader: LoaderRecord | None = None
        self.stepped: dict[StepRecord, int] = {}
        self.own = (0, 0.0)
        self.window = -1
        self.windows = 0


class RootRecord:
    """One model in one cell.

    Attributes:
        facts: as it was when first called, and again at the cell's end where it still lives.
        called: the object that was called: the model, or ``torch.compile``'s wrapper around it.
        before: the state of the call before this one, and ``at`` its time.
        backward: of its last parameter's gradient when first called, to see whether there is a newer one later.
    """

    __slots__ = ("at", "backward", "before", "called", "compiled", "facts", "model", "states", "window")

    def __init__(self, model: Any, called: Any, facts: ModelFacts) -> None:
        self.model: weakref.ref[Any] = weakref.ref(model)
        self.called: weakref.ref[Any] = weakref.ref(called)
        self.facts = facts
        self.compiled = facts.compiled
        self.states: dict[tuple[bool, bool, bool, str], Calls] = {}
        self.before: Calls | None = None
        self.at = 0.0
        self.window = -1
        self.backward = facts.gradient(model)

    def settle(self, cell: Cell) -> None:
        """See which optimizers have stepped since the last call; only within one stretch, where no call was missed."""
        if self.before is not None and self.window == cell.window and cell.armed:
            for record in cell.optimizers:
                if record.ended > self.at:
                    self.before.stepped[record] = self.before.stepped.get(record, 0) + 1
            self.before = None


class Forwarded:
    """The hook, and when it is on.

    Args:
        facts: of a model; remembered by the observer from cell to cell.
        inside: code that makes a call no model's: a loader's, which may call modules on every sample.
        closed: told when as many calls as were wanted have been seen.
    """

    def __init__(
        self,
        torch: Any,
        stage: Stage,
        clock: Clock,
        failed: Failed,
        *,
        facts: Callable[[Any], ModelFacts],
        inside: Callable[[], Any],
        closed: Callable[[Cell], None],
    ) -> None:
        self._torch = torch
        self._stage = stage
        self._clock = clock
        self._failed = failed
        self._facts = facts
        self._inside = inside
        self._closed = closed
        self._hooks: Any = None
        self._key = -1
        self._hook = self._made()

    def install(self) -> None:
        """Learn where the hook goes: it is put there and taken away often, by a key that PyTorch has given it."""
        module = sys.modules.get("torch.nn.modules.module")
        register = getattr(module, "register_module_forward_pre_hook", None)
        if register is not None:
            handle = register(self._hook)
            self._hooks, self._key = handle.hooks_dict_ref(), handle.id
            handle.remove()

    def arm(self, cell: Cell, calls: int) -> None:
        """Look at the next ``calls`` calls of models, unless the cell has had its share."""
        if cell.hooked >= MOST_CALLS or self._stage.cell is not cell:
            return
        cell.left = max(cell.left, calls)
        if not cell.armed:
            cell.armed = True
            cell.window += 1
            cell.looked = 0
            cell.before = cell.hooked
            self.show()

    def hold(self) -> None:
        """Look no more in this cell: something is exported, and no callback says when that ends."""
        cell = self._stage.cell
        if cell is not None:
            cell.hooked = MOST_CALLS
            cell.armed = False
        self.hide()

    def disarm(self, cell: Cell) -> None:
        """Look no more."""
        for record in cell.roots:
            record.settle(cell)
        cell.armed = False
        cell.left = 0
        self.hide()

    def show(self) -> None:
        """Put the hook in its place."""
        if self._hooks is not None:
            self._hooks[self._key] = self._hook

    def hide(self) -> bool:
        """Take the hook away; whether it was there."""
        return self._hooks is not None and self._hooks.pop(self._key, None) is not None

    def _made(self) -> Callable[[Any, Any], None]:
        torch, stage, failed, seen = self._torch, self._stage, self._failed, self._seen

        def before_forward(module: Any, args: Any) -> None:
            if torch.compiler.is_compiling():
                return
            try:
                cell = stage.cell
                if cell is not None:
                    seen(cell, module, args)
            except Exception as error:  # noqa: BLE001  # ours, not the user's
                failed(error)

        return before_forward

    def _seen(self, cell: Cell, module: Any, args: Any) -> None:
        began = self._clock()
        cell.hooked += 1
        frame = sys._getframe(2)  # PyTorch's, which called the hook
        if cell.hooked >= MOST_CALLS:
            self.disarm(cell)
        elif self._torch._C._get_tracing_state() is not None:
            return  # a look at a tensor's shape would be traced into the user's graph
        else:
            caller = _outside(frame, self._inside())
            if caller is None:
                if cell.lane.tracing is not None:
                    self._nested(cell.lane, module, args)
            else:
                with no_modes(self._torch):
                    self._root(cell, module, args, frame, caller)
        cell.own_s += self._clock() - began

    def _nested(self, lane: Lane, module: Any, args: Any) -> None:
        """A layer of a model whose order of layers is not known yet."""
        if lane.tracing is not None:
            lane.tracing.facts.layer(module, args)

    def _root(self, cell: Cell, called: Any, args: Any, frame: FrameType, caller: FrameType) -> None:
        if its(called).get("_is_replica"):
            return  # DataParallel's copy, in a thread of its own
        now = self._clock()
        lane = cell.lane
        lane.tracing = None
        model, compiled = inner(called)
        record = cell.roots.get(model)
        if record is None:
            facts = self._facts(model)
            record = cell.roots.add(model, lambda: RootRecord(model, called, facts))
            if record is None:
                return
        if record.facts.idle:
            return  # a loss, an activation, a transform of images
        record.settle(cell)
        if compiled:
            record.compiled = True
            record.called = weakref.ref(called)
        state = self._state(model, record.facts.device)
        calls = record.states.get(state)
        if calls is None:
            if len(record.states) >= MOST_STATES:
                return
            calls = record.states[state] = Calls(state, now)
            calls.loader = lane.loader
        self._call(cell, record, calls, now)
        self._look(calls, args, frame, caller)
        if calls.grad and not record.facts.ordered:
            record.facts.ordered = True
            lane.tracing = record
        cell.left -= 1
        cell.looked += 1
        if cell.left <= 0 or (cell.looked >= ENOUGH[0] and cell.hooked - cell.before >= ENOUGH[1]):
            self.disarm(cell)
            self._closed(cell)

    def _call(self, cell: Cell, record: RootRecord, calls: Calls, now: float) -> None:
        if calls.window == cell.window:
            hooked, own_s = calls.own
            ours_s = cell.own_s - own_s + (cell.hooked - hooked) * PASSED_S
            calls.intervals.put(max(0.0, now - calls.last - ours_s))
        else:
            calls.window = cell.window
            calls.windows += 1
        calls.calls += 1
        calls.last = record.at = now
        calls.own = (cell.hooked, cell.own_s)
        record.before = calls
        record.window = cell.window

    def _state(self, model: Any, device: str) -> tuple[bool, bool, bool, str]:
        torch = self._torch
        own = its(model)
        training = own["training"] if "training" in own else getattr(model, "training", False)
        return bool(training), torch.is_grad_enabled(), torch.is_inference_mode_enabled(), autocast(torch, device)

    def _look(self, calls: Calls, args: Any, frame: FrameType, caller: FrameType) -> None:
        tensor = first_tensor(self._torch, args)
        if tensor is None and calls.batch is None and not args:
            tensor = first_tensor(self._torch, frame.f_locals.get("kwargs"))
        if tensor is None:
            return
        if calls.batch is None:
            calls.batch = Batch(self._torch, tensor, _name(tensor, caller))
        elif len(calls.batch.shapes) < MOST_SHAPES:
            calls.batch.shapes.add(tuple(tensor.shape))


def _outside(frame: FrameType, inside: CodeType | None) -> FrameType | None:
    """The user's frame around a call of a root module; None where a module, or a loader, is around it.

    ``frame`` is one of PyTorch's for this call: ``inner`` of ``_call_impl``, or ``_call_impl`` itself.
    """
    own: FrameType | None = frame
    while own is not None and own.f_code.co_name != "_call_impl":
        own = own.f_back
    if own is None:
        return None
    code = own.f_code
    caller: FrameType | None = None
    above = own.f_back
    for _ in range(DEEP):
        if above is None:
            break
        if above.f_code is code or above.f_code is inside or above.f_code.co_name == "_call_impl":
            return None
        if caller is None and above.f_code.co_name not in ("_wrapped_call_impl", "__call__"):
            caller = above
        if above.f_code.co_name == "<module>":
            break
        above = above.f_back
    return caller or own


def _name(tensor: Any, caller: FrameType) -> str | None:
    """The name of ``tensor`` in the cell itself, where the call stands there."""
    if caller.f_code.co_name != "<module>":
        return None
    names = (name for name, value in list(caller.f_globals.items()) if value is tensor and not name.startswith("_"))
    return next(names, None)


def first_tensor(torch: Any, things: Any) -> Any:
    """The first tensor among arguments or in a batch, one container deep; plain tensors only."""
    kinds = (torch.Tensor, torch.nn.Parameter)
    if type(things) in kinds:
        return things
    for outer in _few(things):
        if type(outer) in kinds:
            return outer
        for one in _few(outer):
            if type(one) in kinds:
                return one
    return None


def _few(things: Any) -> list[Any]:
    """The first items of a plain container; nothing of the user's own classes."""
    if isinstance(things, dict):
        return list(dict.values(things))[:8]
    return list(things[:8]) if type(things) in (list, tuple) else []


def autocast(torch: Any, device: str) -> str:
    """The dtype of an autocast that is on for that kind of device, "" without."""
    kind = device.partition(":")[0] or "cpu"
    try:
        on = torch.is_autocast_enabled(kind)
    except (TypeError, RuntimeError):  # before PyTorch 2.4, or a device that has none
        on = kind == "cuda" and torch.is_autocast_enabled()
    if not on:
        return ""
    ask = getattr(torch, "get_autocast_dtype", None)
    return "" if ask is None else str(ask(kind)).removeprefix("torch.")
