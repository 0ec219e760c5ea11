"""How many threads PyTorch computes with."""

from __future__ import annotations

from dataclasses import dataclass

from greennb.advisor.trial.base import Kind, RefusedError, Scene
from greennb.advisor.trial.edit import with_import
from greennb.advisor.trial.torch.variants.scene import before_work, on_card, torch_of


@dataclass(frozen=True, slots=True)
class Threads:
    """One a physical core, or one in all: small work is done before a second has begun."""

    of: str
    codes: tuple[str, ...] = ("GNB226", "GNB105")
    kind: Kind = Kind.SAME

    @property
    def name(self) -> str:
        """Such as "one thread"."""
        return "a thread a core" if self.of == "cores" else "one thread"

    def change(self, scene: Scene) -> str:
        """See :class:`greennb.advisor.trial.base.Variant`."""
        torch = torch_of(scene)
        if on_card(scene):
            raise RefusedError("The model is on a card: the CPU's threads do little for it.")
        machine = scene.cell.machine
        cores = 1 if machine is None else max(1, min(machine.cores, int(machine.cpus)))
        count = cores if self.of == "cores" else 1
        seen = scene.cell.torch
        now = torch.get_num_threads() if seen is None else seen.threads
        if now == count:
            raise RefusedError(f"PyTorch computes with {count} threads already.")
        code = before_work(scene.code, (), f"torch.set_num_threads({count})")
        return with_import(scene, code, "import torch")
