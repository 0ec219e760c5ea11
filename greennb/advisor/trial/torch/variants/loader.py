"""The data loader: worker processes, kept alive between epochs, pinned memory."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any

from greennb.advisor.trial.base import Kind, RefusedError, Scene
from greennb.advisor.trial.edit import Cell, with_import
from greennb.advisor.trial.torch.variants.scene import before_work, loader_name, need_card, torch_of

MOST_WORKERS = 4
"""Workers that are tried at most: more seldom help, and each takes memory. Our choice."""

PLACES = {"batch_size": 1, "shuffle": 2, "num_workers": 5, "pin_memory": 7}
"""Where DataLoader takes what is changed here without its name, from 0 (torch.utils.data.DataLoader)."""


def with_settings(scene: Scene, **values: str) -> str:
    """The cell with these settings of its loader: where it is made, or in a line that makes it anew.

    Raises:
        RefusedError: what the loader was made with can't be told.
    """
    name = loader_name(scene)
    cell = Cell(scene.code)
    maker = cell.maker(name, "DataLoader")
    if maker is not None:
        return cell.with_argument(maker, PLACES, **values)
    loader = scene.namespace.get(name)
    if loader is None or type(loader).__name__ != "DataLoader":
        raise RefusedError(f"{name} is a {type(loader).__name__}, of which it can't be told how it was made.")
    line = f"{name} = DataLoader({', '.join(_made_with(name, loader, values))})"
    code = before_work(scene.code, (name,), line)
    return with_import(scene, code, "from torch.utils.data import DataLoader")


def _made_with(name: str, loader: Any, values: dict[str, str]) -> list[str]:
    """The arguments that make it anew, those that differ from the defaults."""
    known: dict[str, str] = {}
    if loader.batch_size is None:
        if "batch_size" in values:
            raise RefusedError(f"{name} has a batch sampler of its own: change the size of its batches there.")
        if type(loader.batch_sampler).__name__ != "NoneType":
            known["batch_sampler"] = f"{name}.batch_sampler"
        else:
            known["batch_size"] = "None"
    else:
        known["batch_size"] = str(loader.batch_size)
        sampler = type(loader.sampler).__name__
        if sampler == "RandomSampler" and _usual(loader.sampler):
            known["shuffle"] = "True"
        elif sampler not in ("SequentialSampler", "_InfiniteConstantSampler"):
            known["sampler"] = f"{name}.sampler"
        if loader.drop_last:
            known["drop_last"] = "True"
    usual = sys.modules.get("torch.utils.data._utils.collate")
    if loader.collate_fn not in (
        getattr(usual, "default_collate", None), getattr(usual, "default_convert", None)
    ):  # fmt: skip
        known["collate_fn"] = f"{name}.collate_fn"
    for setting, default in (("num_workers", 0), ("pin_memory", False), ("persistent_workers", False), ("timeout", 0)):
        if getattr(loader, setting, default) != default:
            known[setting] = repr(getattr(loader, setting))
    if loader.num_workers and loader.prefetch_factor not in (None, 2):
        known["prefetch_factor"] = str(loader.prefetch_factor)
    for setting in ("worker_init_fn", "generator", "multiprocessing_context"):
        if getattr(loader, setting, None) is not None:
            known[setting] = f"{name}.{setting}"
    return [f"{name}.dataset", *(f"{setting}={value}" for setting, value in {**known, **values}.items())]


def _usual(sampler: Any) -> bool:
    """Whether ``shuffle=True`` makes one like it."""
    return not sampler.replacement and sampler.num_samples == len(sampler.data_source)


@dataclass(frozen=True, slots=True)
class Workers:
    """Batches are prepared by processes of their own."""

    name: str = "loader workers"
    codes: tuple[str, ...] = ("GNB201",)
    kind: Kind = Kind.SAME

    def change(self, scene: Scene) -> str:
        """See :class:`greennb.advisor.trial.base.Variant`."""
        torch_of(scene)
        machine = scene.cell.machine
        count = max(1, min(MOST_WORKERS, int(machine.cpus) if machine is not None else 2))
        loader: Any = scene.namespace.get(loader_name(scene))
        if getattr(loader, "num_workers", 0) >= count:
            raise RefusedError(f"The loader has {loader.num_workers} workers already, on {count} CPUs.")
        return with_settings(scene, num_workers=str(count), persistent_workers="True")


@dataclass(frozen=True, slots=True)
class Persistent:
    """Workers live on between epochs."""

    name: str = "persistent workers"
    codes: tuple[str, ...] = ("GNB202",)
    kind: Kind = Kind.SAME

    def change(self, scene: Scene) -> str:
        """See :class:`greennb.advisor.trial.base.Variant`."""
        torch_of(scene)
        loader: Any = scene.namespace.get(loader_name(scene))
        if not getattr(loader, "num_workers", 1) or getattr(loader, "persistent_workers", False):
            raise RefusedError("The loader has no workers, or keeps them already.")
        return with_settings(scene, persistent_workers="True")


@dataclass(frozen=True, slots=True)
class Pinned:
    """Batches lie in pinned memory, from where a card fetches them by itself."""

    name: str = "pinned memory"
    codes: tuple[str, ...] = ("GNB203",)
    kind: Kind = Kind.SAME

    def change(self, scene: Scene) -> str:
        """See :class:`greennb.advisor.trial.base.Variant`."""
        torch_of(scene)
        need_card(scene, "Pinned memory")
        if getattr(scene.namespace.get(loader_name(scene)), "pin_memory", False):
            raise RefusedError("The loader puts its batches into pinned memory already.")
        return with_settings(scene, pin_memory="True")
