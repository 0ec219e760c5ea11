"""Whether a change of PyTorch's work leaves the results as good: losses of a few steps, or a model's outputs.

Both ways begin from fresh copies with the same random numbers. Where they differ by more than rounding, the work as it
is is run with other seeds too: what another seed changes as much is no fault of the change.
"""

from __future__ import annotations

import math
import random
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

from greennb.advisor.observe.torch.calls import first_tensor
from greennb.advisor.trial.ambient import Ambient
from greennb.advisor.trial.base import Kind, Quality, RefusedError, Scene
from greennb.advisor.trial.replay import Replay
from greennb.advisor.trial.torch.steps import Calls, Steps

STEPS = 20
"""Steps whose losses are compared. Tried: bf16 autocast differs by 2e-4 at the first and at most 3e-3 after 20."""

LEAST_STEPS = 5
"""Fewer say nothing."""

SEEDS = (20_231, 4_099, 77_003)
"""Of the runs that tell what another seed changes."""

SPREADS = 3.0
"""Root mean squares of the seeds' own differences that a change may make: about 1 of 20 other seeds does more."""

PART = 2
"""The guard may take this part of the budget, on top of it: fewer steps and seeds are run where they are slow."""

OUTPUTS = 3
"""Calls whose outputs are compared."""

MOST_VALUES = 1_000_000
"""Values of one output that are compared."""

TOLERANCE = {Kind.SAME: 1e-3, Kind.NUMERIC: 1e-2}
"""Of the mean loss. SAME is rounding of float32 (6e-8) as 20 steps multiply it."""

OUTPUT_TOLERANCE = {Kind.SAME: 1e-4, Kind.NUMERIC: 1e-2}
"""Root mean square of the outputs' differences, of that of the outputs."""

CLASSES_TOLERANCE = 5e-2
"""The same for scores of classes, where at least :data:`AGREE` of the best classes are the same."""

AGREE = 0.99


@dataclass(frozen=True, slots=True)
class Apart:
    """How far two runs are apart, of the first one's size: over all steps together, and step by step."""

    mean: float
    steps: float


@dataclass(frozen=True, slots=True, eq=False)
class Output:
    """The first tensor that a model was given, and the first that it returned: as float32 on the CPU."""

    given: Any
    got: Any

    @property
    def finite(self) -> bool:
        """Whether every value of it is a number."""
        return bool(self.got.isfinite().all())


class Guard:
    """Looks at quality, once.

    Args:
        model: the user's name for the model; ``trains`` whether a unit is a step.
        unit_s: seconds of a unit, and ``prefix_s`` of what stands before the work: of the slower way.
    """

    def __init__(
        self, torch: Any, scene: Scene, kind: Kind, changed: str, model: str | None, trains: bool,
        timing: Callable[[], tuple[float, float]],
    ) -> None:  # fmt: skip
        self._torch = torch
        self._scene = scene
        self._kind = kind
        self._changed = changed
        self._model = model
        self._trains = trains
        self._timing = timing

    def __call__(self) -> Quality:
        """What it saw."""
        try:
            if self._kind not in TOLERANCE:
                return self._only_finite()
            return self._losses() if self._trains else self._outputs()
        except RefusedError as error:
            return Quality(good=None, words=f"quality was not compared: {error}")

    def _only_finite(self) -> Quality:
        if self._trains:
            steps, _seeds = self._affordable()
            if not _finite(self._run_losses(self._changed, "B", steps)):
                return Quality(good=False, words="with the change the loss is no number any more (NaN or infinite)")
        return Quality(good=None, words="cost shown, quality not: it changes what is learned, so compare that yourself")

    def _affordable(self) -> tuple[int, int]:
        """Steps and seeds for which there is time."""
        unit_s, prefix_s = self._timing()
        steps, seeds = STEPS, len(SEEDS)
        most_s = self._scene.budget_s / PART

        def cost_s() -> float:
            return (2 + seeds) * (prefix_s + (steps + 8) * unit_s)

        while seeds > 1 and cost_s() > most_s:
            seeds -= 1
        while steps > LEAST_STEPS and cost_s() > most_s:
            steps -= 1
        return steps, seeds

    def _losses(self) -> Quality:
        steps, seeds = self._affordable()
        a = self._run_losses(self._scene.code, "A", steps)
        b = self._run_losses(self._changed, "B", steps)
        if len(a) < LEAST_STEPS or len(b) < LEAST_STEPS:
            return Quality(good=None, words="quality was not compared: no loss was seen (no `.backward()` on one)")
        if not _finite(a):
            return Quality(good=None, words="the loss of the work as it is is no number (NaN or infinite)")
        if not _finite(b):
            return Quality(good=False, words="with the change the loss is no number any more (NaN or infinite)")
        apart, tolerance = _apart(a, b), TOLERANCE[self._kind]
        words = f"over {min(len(a), len(b))} steps the loss differs by {_percent(apart.mean)}"
        if max(apart.mean, apart.steps) <= tolerance:
            return Quality(good=True, words=words)
        others = [_apart(a, self._run_losses(self._scene.code, "A", steps, seed)) for seed in SEEDS[:seeds]]
        mean, each = SPREADS * _rms([it.mean for it in others]), SPREADS * _rms([it.steps for it in others])
        good = apart.mean <= max(tolerance, mean) and apart.steps <= max(tolerance, each)
        spread = f"another seed changes it by {_percent(_rms([it.mean for it in others]))}"
        return Quality(good=good, words=f"{words}, step by step by {_percent(apart.steps)}; {spread}")

    def _run_losses(self, code: str, label: str, steps: int, seed: int | None = None) -> list[float]:
        with losses(self._torch) as seen, self._way(code, label, Steps(self._torch, self._model)) as way:
            way.prepare()
            seen.clear()
            if seed is not None:
                way.stage.ambient = seeded(seed)
            way.run(steps, nullcontext)
            return [float(it) for it in seen[:steps]]

    def _outputs(self) -> Quality:
        a, b = self._run_outputs(self._scene.code, "A"), self._run_outputs(self._changed, "B")
        if not (a and b and len(a) == len(b) and all(map(_alike, a, b))):
            return Quality(
                good=None, words="quality was not compared: the model gave no tensors of one shape for one input"
            )
        if not all(it.finite for it in a):
            return Quality(good=None, words="the outputs of the work as it is are not all finite")
        if not all(it.finite for it in b):
            return Quality(good=False, words="with the change the outputs are not all finite")
        apart, agree = _outputs_apart(a, b), _agree(a, b)
        words = f"outputs differ by {_percent(apart)}"
        if agree is not None:
            words += f", {_percent(agree)} of the best classes are the same"
        good = apart <= OUTPUT_TOLERANCE[self._kind]
        if not good and self._kind is Kind.NUMERIC and agree is not None:
            good = apart <= CLASSES_TOLERANCE and agree >= AGREE
        if not good:
            other = self._run_outputs(self._scene.code, "A", SEEDS[0])
            if len(other) == len(a) and all(map(_alike, a, other)):
                spread = _outputs_apart(a, other)
                good = apart <= SPREADS * spread
                words += f"; another seed changes them by {_percent(spread)}"
        return Quality(good=good, words=words)

    def _run_outputs(self, code: str, label: str, seed: int | None = None) -> list[Output]:
        torch = self._torch
        seen: list[Output] = []

        def saw(arguments: Any, value: Any) -> None:
            given, got = (_values(torch, it) for it in (arguments, value))
            if given is not None and got is not None and len(seen) < OUTPUTS:
                seen.append(Output(given, got))

        with self._way(code, label, Calls(torch, self._model, saw)) as way:
            if seed is not None:
                way.stage.ambient = seeded(seed)
            way.prepare()
        return seen

    @contextmanager
    def _way(self, code: str, label: str, counter: Steps | Calls) -> Iterator[Replay]:
        way = Replay(self._scene, code, label, counter)
        try:
            yield way
        finally:
            way.close()


@contextmanager
def losses(torch: Any) -> Iterator[list[Any]]:
    """Values on which ``backward`` is called, as tensors of one element; a GradScaler's scale is not in them."""
    seen: list[Any] = []
    plain: dict[int, tuple[Any, Any]] = {}
    scaler = getattr(sys.modules.get("torch.amp.grad_scaler"), "GradScaler", None)
    backward, scale = torch.Tensor.backward, getattr(scaler, "scale", None)

    def seen_backward(self: Any, *args: Any, **kwargs: Any) -> Any:
        if not torch.compiler.is_compiling() and self.numel() == 1:
            scaled, value = plain.get(id(self), (None, None))
            seen.append((value if scaled is self else self).detach().clone())
            plain.clear()
        return backward(self, *args, **kwargs)

    def seen_scale(self: Any, outputs: Any) -> Any:
        assert scale is not None
        scaled = scale(self, outputs)
        if isinstance(outputs, torch.Tensor):
            plain[id(scaled)] = (scaled, outputs)
        return scaled

    torch.Tensor.backward = seen_backward
    if scaler is not None:
        scaler.scale = seen_scale
    try:
        yield seen
    finally:
        torch.Tensor.backward = backward
        if scaler is not None:
            scaler.scale = scale


def seeded(seed: int) -> Ambient:
    """What there would be if random numbers began at that seed; they don't."""
    outside = Ambient.now()
    try:
        random.seed(seed)
        numpy, torch = sys.modules.get("numpy"), sys.modules.get("torch")
        if numpy is not None:
            numpy.random.seed(seed)
        if torch is not None:
            torch.manual_seed(seed)
        return Ambient.now()
    finally:
        outside.restore()


def _values(torch: Any, things: Any) -> Any:
    """The first tensor among things as float32 on the CPU, its first rows; None without one."""
    if isinstance(things, dict):
        things = dict(things)  # a Hugging Face output is a dictionary of a class of its own
    tensor = first_tensor(torch, things)
    if tensor is None or not tensor.dim() or not tensor.numel():
        return None
    with torch.inference_mode():
        rows = max(1, MOST_VALUES * len(tensor) // tensor.numel())
        return tensor.detach()[:rows].float().cpu().clone()


def _alike(one: Output, two: Output) -> bool:
    """Whether both are of the same input, but for rounding."""
    if one.given.shape != two.given.shape or one.got.shape != two.got.shape:
        return False
    return bool(one.given.isclose(two.given, rtol=1e-2, atol=1e-2, equal_nan=True).all())


def _apart(a: Sequence[float], b: Sequence[float]) -> Apart:
    count = min(len(a), len(b))
    if not count or not (_finite(a) and _finite(b)):
        return Apart(0.0, 0.0)
    size = math.fsum(map(abs, a[:count])) / count or 1.0
    apart = [two - one for one, two in zip(a[:count], b[:count], strict=True)]
    return Apart(abs(math.fsum(apart)) / count / size, math.fsum(map(abs, apart)) / count / size)


def _outputs_apart(a: Sequence[Output], b: Sequence[Output]) -> float:
    square = math.fsum(float((two.got - one.got).double().pow(2).sum()) for one, two in zip(a, b, strict=True))
    size = math.fsum(float(one.got.double().pow(2).sum()) for one in a)
    return math.sqrt(square / size) if size else math.sqrt(square)


def _agree(a: Sequence[Output], b: Sequence[Output]) -> float | None:
    """The share of rows whose best class is the same; None where the outputs are no scores of classes."""
    if any(it.got.dim() != 2 or it.got.shape[1] < 2 for it in (*a, *b)):
        return None
    same = [float((one.got.argmax(1) == two.got.argmax(1)).double().mean()) for one, two in zip(a, b, strict=True)]
    return math.fsum(same) / len(same)


def _finite(values: Sequence[float]) -> bool:
    return all(map(math.isfinite, values))


def _rms(values: Sequence[float]) -> float:
    return math.sqrt(math.fsum(it * it for it in values) / len(values)) if values else 0.0


def _percent(part: float) -> str:
    if 0 < part < 1e-5:
        return "less than 0.001 %"
    return f"{100 * part:.{2 if part < 0.095 else 3}g} %"
