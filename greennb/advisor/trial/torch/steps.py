"""Counts units of PyTorch's work: an optimizer's steps, or calls of a model. Everything is taken back afterwards.

Steps are seen by PyTorch's hook after every optimizer's ``step``. Calls are seen by an attribute of the one model (a
copy) that PyTorch calls in place of ``_call_impl``: no tracer looks into it, as it would into a hook, and copies and
files of the model come without it.
"""

from __future__ import annotations

import copy
import sys
import threading
import weakref
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from greennb.advisor.observe.torch.calls import first_tensor
from greennb.advisor.trial.replay import Find

Passed = Callable[[], None]
Saw = Callable[[Any, Any], None]

INSTEAD = "_compiled_call_impl"
"""What ``Module.__call__`` calls where it is set: the place of ``module.compile()``, in PyTorch since 2.1."""


class Root:
    """The model whose calls are looked at, by its name in the notebook, or the first one that is called.

    Args:
        name: the user's name for it; None where it has none.
        called: told of every call when it has returned, with its arguments and its value.
        begun: told of the call by which a model without a name is found, before it; the next ones go to ``called``.
    """

    def __init__(
        self, torch: Any, name: str | None, called: Callable[[Any, Any, Any], None], begun: Callable[[Any], None]
    ) -> None:
        self._torch = torch
        self._name = name
        self._called = called
        self._begun = begun
        self._module: weakref.ref[Any] | None = None
        self._ours: Any = None
        self._before: Any = None
        self._first: Any = None
        self._calls = 0

    def look(self, find: Find) -> None:
        """A statement is about to be run: the name may mean another model by now, or the model be gone."""
        named = None if self._name is None else find(self._name)
        if named is not None and self._is_model(named):
            self._attach(named)
        elif (live := self._live()) is not None:
            self._attach(live)
        else:
            self._wait_for_first()

    def again(self) -> None:
        """The work is run again: a model that was not called in the last run is not the one."""
        if not self._calls:
            self.detach()
            self._name = self._module = None
        self._calls = 0

    def _is_model(self, thing: Any) -> bool:
        return issubclass(type(thing), self._torch.nn.Module)

    def _live(self) -> Any:
        return None if self._module is None else self._module()

    def _attach(self, module: Any) -> None:
        own = object.__getattribute__(module, "__dict__")
        if self._ours is not None and self._live() is module and own.get(INSTEAD) is self._ours:
            return
        self.detach()
        self._before = own.get(INSTEAD)
        self._module = weakref.ref(module)
        self._ours = own[INSTEAD] = self._instead(module, self._before)

    def _instead(self, module: Any, before: Any) -> Callable[..., Any]:
        torch, called = self._torch, self._called
        call = before or module._call_impl

        def instead(*args: Any, **kwargs: Any) -> Any:
            if torch.compiler.is_compiling():
                return call(*args, **kwargs)
            value = call(*args, **kwargs)
            self._calls += 1
            called(args, kwargs, value)
            return value

        return instead

    def detach(self) -> None:
        """Give the model's calls back, and wait for none."""
        module, ours, self._ours = self._live(), self._ours, None
        if module is not None and ours is not None:
            own = object.__getattribute__(module, "__dict__")
            if own.get(INSTEAD) is ours:
                del own[INSTEAD]
                if self._before is not None:
                    own[INSTEAD] = self._before
        self._before = None
        if self._first is not None:
            self._first.remove()
            self._first = None

    def _wait_for_first(self) -> None:
        """Look at the next call of any model with parameters: a loss has none, and the outermost model is called first.

        A hook on all modules, for that one call: a model that is compiled by then is compiled again without it.
        """
        if self._first is not None:
            return
        torch = self._torch

        def first(module: Any, args: Any) -> None:
            if torch.compiler.is_compiling() or next(module.parameters(), None) is None:
                return
            self._attach(module)
            self._calls += 1
            self._begun(args)

        self._first = torch.nn.modules.module.register_module_forward_pre_hook(first)


class _Counter(ABC):
    """What both counters share."""

    unit = ""

    def __init__(self, torch: Any, name: str | None) -> None:
        self._torch = torch
        self._root = Root(torch, name, self._called, self._begun)
        self._schedules = Schedules()
        self._thread = 0
        self._passed: Passed = _nothing
        self._busy: Passed = _nothing
        self.items = 0.0

    @contextmanager
    def on(self, passed: Passed, busy: Passed) -> Iterator[None]:
        """See :class:`greennb.advisor.trial.replay.Counter`."""
        self._passed, self._busy = passed, busy
        self._thread = threading.get_ident()
        try:
            with self._hooks():
                yield
        finally:
            self._root.detach()
            self._passed = self._busy = _nothing

    @contextmanager
    def _hooks(self) -> Iterator[None]:
        yield

    def look(self, find: Find) -> None:
        """See :class:`greennb.advisor.trial.replay.Counter`."""
        self._root.look(find)

    def mark(self, own: Mapping[str, Any]) -> None:
        """See :class:`greennb.advisor.trial.replay.Counter`."""
        self._schedules.mark(own)

    def rewind(self) -> None:
        """See :class:`greennb.advisor.trial.replay.Counter`."""
        self._schedules.rewind()
        self._root.again()

    def _begun(self, args: Any) -> None:  # noqa: B027  # who counts calls needs nothing of it
        """The call by which a model without a name was found."""

    @abstractmethod
    def _called(self, args: Any, kwargs: Any, value: Any) -> None:
        """The model was called, and has given ``value``."""

    @property
    def _here(self) -> bool:
        """Whether this is the thread that runs the cell: only that one can be stopped."""
        return threading.get_ident() == self._thread


class Steps(_Counter):
    """Steps of the optimizer that steps most often, where there are several that take turns.

    Args:
        name: the user's name for the model that is trained: its calls tell how many samples went through.
    """

    unit = "step"

    def __init__(self, torch: Any, name: str | None = None) -> None:
        super().__init__(torch, name)
        self._leader = self._other = 0
        self._led = False
        self._known: dict[int, weakref.ref[Any]] = {}
        self._sampled = self._since = 0.0
        self._steps = 0
        self._scaler: Any = None

    @contextmanager
    def _hooks(self) -> Iterator[None]:
        handle = sys.modules["torch.optim.optimizer"].register_optimizer_step_post_hook(self._hook())
        try:
            yield
        finally:
            handle.remove()

    def _hook(self) -> Callable[..., None]:
        torch = self._torch

        def stepped(optimizer: Any, _args: Any, _kwargs: Any) -> None:
            if torch.compiler.is_compiling() or not self._here or not self._leads(optimizer):
                return
            self._count()
            try:
                self._passed()
            except BaseException:
                self._scaler = _scaler()
                raise

        return stepped

    def _leads(self, optimizer: Any) -> bool:
        """Whether its step is a unit.

        One that steps twice before the leader does again leads from then on; and so does a new one where the leader
        was of the last run of the work.
        """
        key = id(optimizer)
        known = self._known.get(key)
        new = known is None or known() is not optimizer
        if new:
            self._known[key] = weakref.ref(optimizer)
        if (not new and key in (self._leader, self._other)) or (new and not self._led):
            self._leader, self._other, self._led = key, 0, True
            return True
        self._other = key
        return False

    def _count(self) -> None:
        """Samples of the step that ends; where no call was seen (a model made within a function) the mean of others."""
        if self._since:
            self._sampled += self._since
            self._steps += 1
            self.items += self._since
        elif self._steps:
            self.items += self._sampled / self._steps
        self._since = 0.0

    def _begun(self, args: Any) -> None:
        self._since += samples(self._torch, args)

    def _called(self, args: Any, kwargs: Any, value: Any) -> None:
        if self._here:
            self._since += samples(self._torch, args, kwargs)
            self._busy()

    def rewind(self) -> None:
        """As the other counter's; a GradScaler that was left in the middle of its step ends it."""
        super().rewind()
        self._led, self._since = False, 0.0
        scaler, self._scaler = self._scaler, None
        if scaler is not None:
            scaler.update()


class Calls(_Counter):
    """Calls of a model.

    Args:
        name: the user's name for it. ``saw``: given each call's arguments and what it has returned.
    """

    unit = "call"

    def __init__(self, torch: Any, name: str | None = None, saw: Saw | None = None) -> None:
        super().__init__(torch, name)
        self._saw = saw

    def _called(self, args: Any, kwargs: Any, value: Any) -> None:
        if self._here:
            self.items += samples(self._torch, args, kwargs)
            if self._saw is not None:
                self._saw(args or kwargs, value)
            self._passed()


class Schedules:
    """Learning rate schedules: one that is made for so many steps raises at the next, and a trial takes more."""

    def __init__(self) -> None:
        self._kept: list[tuple[Any, Any, list[dict[str, Any]]]] = []

    def mark(self, own: Mapping[str, Any]) -> None:
        """Remember where they stand, and the settings of their optimizers."""
        module = sys.modules.get("torch.optim.lr_scheduler")
        kind = getattr(module, "LRScheduler", None) or getattr(module, "_LRScheduler", None)
        if kind is None:
            return
        found = [it for it in own.values() if issubclass(type(it), kind)]
        self._kept = [(it, copy.deepcopy(it.state_dict()), _settings(it.optimizer)) for it in found]

    def rewind(self) -> None:
        """Put that back."""
        for schedule, state, settings in self._kept:
            schedule.load_state_dict(copy.deepcopy(state))
            for group, before in zip(schedule.optimizer.param_groups, settings, strict=False):
                group.update(copy.deepcopy(before))


def _settings(optimizer: Any) -> list[dict[str, Any]]:
    """Each group's, without its parameters."""
    return [
        copy.deepcopy({key: it for key, it in group.items() if key != "params"}) for group in optimizer.param_groups
    ]


def samples(torch: Any, *arguments: Any) -> float:
    """The first dimension of the first tensor that a model is given; 1 where there is none."""
    for things in arguments:
        tensor = first_tensor(torch, things)
        if tensor is not None:
            return float(tensor.shape[0]) if tensor.dim() else 1.0
    return 1.0


def _scaler() -> Any:
    """The GradScaler that takes the step that is being left; None without one."""
    frame: Any = sys._getframe(2)
    while frame is not None:
        if frame.f_code.co_filename.endswith("grad_scaler.py") and frame.f_code.co_name == "step":
            return frame.f_locals.get("self")
        frame = frame.f_back
    return None


def _nothing() -> None:
    return
