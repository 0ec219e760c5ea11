"""What a model is: a bounded walk over its modules that calls nothing of the user's."""

from __future__ import annotations

import weakref
from collections import Counter
from itertools import pairwise
from typing import Any

from greennb.advisor.signals.torch import PrunedLayer

MOST_MODULES = 5000
"""Modules of one model that are looked at: some 5 ms."""

WRAPPERS = ("DistributedDataParallel", "DataParallel", "LightningModule", "PreTrainedModel")
"""Classes around or above the user's model that other advice depends on."""

NORMS = ("_BatchNorm", "BatchNorm1d", "BatchNorm2d", "BatchNorm3d", "SyncBatchNorm")


def its(thing: Any) -> dict[str, Any]:
    """The instance's own attributes, without the user's ``__getattr__``."""
    return object.__getattribute__(thing, "__dict__")  # type: ignore[no-any-return]


def classes(thing: Any) -> set[str]:
    """Names of its class and of those above it."""
    return {it.__name__ for it in type(thing).__mro__}


def inner(module: Any) -> tuple[Any, bool]:
    """What ``torch.compile`` has wrapped, and whether it has; ``module.compile()`` leaves no wrapper."""
    if type(module).__name__ == "OptimizedModule":
        original = (its(module).get("_modules") or {}).get("_orig_mod")
        if original is not None:
            return original, True
    return module, its(module).get("_compiled_call_impl") is not None


def modules_of(root: Any) -> dict[int, tuple[str, Any]]:
    """Its modules by id, each with its first name as in ``named_modules``."""
    found: dict[int, tuple[str, Any]] = {}
    waiting = [("", root)]
    while waiting and len(found) < MOST_MODULES:
        name, module = waiting.pop()
        if id(module) in found:
            continue
        found[id(module)] = (name, module)
        parts = [(f"{name}.{key}" if name else str(key), part) for key, part in _parts(module, "_modules")]
        waiting.extend(reversed(parts))
    return found


def _parts(module: Any, kind: str) -> list[tuple[str, Any]]:
    """Its own submodules, parameters or buffers; those of a scripted module are asked of PyTorch."""
    held = its(module).get(kind)
    if isinstance(held, dict):
        return [(key, part) for key, part in list(held.items()) if part is not None]
    if str(type(module).__module__).startswith("torch.jit"):
        return list(getattr(module, kind).items())
    return []


class ModelFacts:
    """One model, as it was when last looked at; remembered from cell to cell.

    Attributes:
        idle: nothing to compute with, neither parameters nor quantized ones: a loss, an activation, a transform.
        owned: ids of its parameters, to find its optimizer.
        ordered: whether its order of layers was looked at in a call.
    """

    def __init__(self, torch: Any, model: Any, number: int) -> None:
        self.number = number
        self.ordered = False
        self._torch = torch
        self._called: list[tuple[weakref.ref[Any], str]] = []
        self._last: tuple[weakref.ref[Any], int] | None = None
        self._by_call: set[str] = set()
        self.read(model)

    def read(self, model: Any) -> None:
        """Look again."""
        found = modules_of(model)
        self.kind = type(model).__name__
        self.module = str(type(model).__module__)
        self.compiled = inner(model)[1]
        above = classes(model)
        self.wrapper = next((it for it in WRAPPERS if it in above), "")
        if self.wrapper in WRAPPERS[:2]:
            wrapped = (its(model).get("_modules") or {}).get("module", model)
            self.kind, self.module = type(wrapped).__name__, str(type(wrapped).__module__)
        parts = [it for it in found.values() if it[1] is not model or len(found) == 1]
        self.layers = dict(Counter(type(module).__name__ for _, module in parts))
        self.quantized = any(".quantized" in str(type(module).__module__) for _, module in found.values())
        self.pretrained = _pretrained(model)
        self._parameters(found)
        self._convolutions(found)
        self.pruned = tuple(_pruned(self._torch, found))
        self.idle = not (self.owned or self.quantized)

    def _parameters(self, found: dict[int, tuple[str, Any]]) -> None:
        numbers: Counter[str] = Counter()
        devices: dict[str, None] = {}
        self.owned: set[int] = set()
        self.parameters = self.trainable = linear = 0
        by_16 = []
        for _, module in found.values():
            is_linear = "Linear" in classes(module)
            for _, parameter in _parts(module, "_parameters"):
                size = _size(parameter)
                if is_linear and parameter is its(module).get("_parameters", {}).get("weight") and size:
                    by_16.append(all(length % 16 == 0 for length in parameter.shape))
                if id(parameter) in self.owned:
                    continue
                self.owned.add(id(parameter))
                devices[str(parameter.device)] = None
                self.parameters += size
                self.trainable += size if parameter.requires_grad else 0
                linear += size if is_linear else 0
                if parameter.is_floating_point():
                    numbers[str(parameter.dtype).removeprefix("torch.")] += size
        self.dtypes = tuple(name for name, _ in numbers.most_common())
        self.device = next(iter(devices), "")
        self.devices = max(1, len(devices))
        self.linear_share = linear / self.parameters if self.parameters else 0.0
        self.linear_by_16 = bool(by_16) and all(by_16)

    def _convolutions(self, found: dict[int, tuple[str, Any]]) -> None:
        self.grouped = 0
        weights = []
        names = {}
        for name, module in found.values():
            if _is_conv(module):
                names[name] = module
                self.grouped += "Conv2d" in classes(module) and its(module).get("groups", 1) > 1
                weights += [it for key, it in _parts(module, "_parameters") if key == "weight" and _size(it)]
        weights = [it for it in weights if it.dim() == 4]
        format_ = self._torch.channels_last
        self.channels_last = (
            bool(weights)
            and all(it.is_contiguous(memory_format=format_) for it in weights)
            and not all(it.is_contiguous() for it in weights)
        )
        self._settle(found)
        before = (self._by_call | set(_in_sequence(found))) & set(names)
        ordered = [name for name in names if name in before]
        self.conv_then_norm = tuple(ordered)
        self.conv_bias = tuple(it for it in ordered if its(names[it]).get("_parameters", {}).get("bias") is not None)

    def layer(self, module: Any, args: Any) -> None:
        """A layer is called within the model: a batch norm on what a convolution has just made is remembered."""
        if _is_conv(module):
            self._last = (weakref.ref(module), its(module).get("out_channels", 0))
        elif self._last is not None:
            if not classes(module).isdisjoint(NORMS) and its(module).get("num_features") == self._last[1]:
                maker = getattr(args[0], "grad_fn", None) if type(args) is tuple and args else None
                if type(maker).__name__.startswith("Convolution"):
                    self._called.append((self._last[0], ""))
            self._last = None

    def _settle(self, found: dict[int, tuple[str, Any]]) -> None:
        for ref, _ in self._called:
            known = found.get(id(ref()))
            if known is not None:
                self._by_call.add(known[0])
        self._called = []
        self._last = None

    def gradient(self, model: Any) -> tuple[int, int] | None:
        """Of the gradient of a trainable parameter: which one, and its version; a backward pass changes it."""
        for _, module in reversed(modules_of(model).values()):
            for _, parameter in _parts(module, "_parameters"):
                if parameter.requires_grad and parameter.is_leaf:
                    grad = parameter.grad
                    return None if grad is None else (id(grad), _version(grad))
        return None


def _version(tensor: Any) -> int:
    try:
        return int(tensor._version)
    except RuntimeError:  # an inference tensor keeps none
        return 0


def _size(parameter: Any) -> int:
    """Numbers in it; 0 for one that a lazy module has not made yet."""
    return 0 if type(parameter).__name__.startswith("Uninitialized") else int(parameter.numel())


def _is_conv(module: Any) -> bool:
    return "_ConvNd" in classes(module)


def _in_sequence(found: dict[int, tuple[str, Any]]) -> list[str]:
    """Names of convolutions that a batch norm follows in a Sequential."""
    names = []
    for _, module in found.values():
        if "Sequential" not in classes(module):
            continue
        parts = [part for _, part in _parts(module, "_modules")]
        for part, after in pairwise(parts):
            if _is_conv(part) and not classes(after).isdisjoint(NORMS) and id(part) in found:
                names.append(found[id(part)][0])
    return names


def _pretrained(model: Any) -> bool:
    """Whether it says that a published checkpoint was loaded: transformers keep the checkpoint's name in the config."""
    if "PreTrainedModel" not in classes(model):
        return False
    config = its(model).get("config")
    return bool(config is not None and its(config).get("_name_or_path"))


def _pruned(torch: Any, found: dict[int, tuple[str, Any]]) -> list[PrunedLayer]:
    """Masks of ``torch.nn.utils.prune``. They are counted on the CPU only: elsewhere that would wait for the device."""
    layers: list[PrunedLayer] = []
    if torch._C._len_torch_dispatch_stack():
        return layers  # a mode of the user's would see it
    for name, module in found.values():
        for key, mask in _parts(module, "_buffers"):
            tensor = key.removesuffix("_mask")
            if tensor == key or f"{tensor}_orig" not in dict(_parts(module, "_parameters")) or not mask.is_cpu:
                continue
            with torch.no_grad():
                kept = mask.reshape(mask.shape[0], -1).ne(0) if mask.dim() else mask.reshape(1, 1).ne(0)
                weights, rows = int(kept.sum()), int(kept.any(dim=1).sum())
            layers.append(
                PrunedLayer(
                    name=name, kind=type(module).__name__, density=weights / max(1, kept.numel()),
                    structured=weights == rows * kept.shape[1] and rows < kept.shape[0],
                    rows=kept.shape[0], rows_kept=rows,
                )
            )  # fmt: skip
    return layers
