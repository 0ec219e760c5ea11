"""What can be tried of PyTorch, in the order in which it would be: the first that answers a rule is its usual one."""

from __future__ import annotations

from greennb.advisor.trial.base import Variant
from greennb.advisor.trial.torch.variants.batch import Batch
from greennb.advisor.trial.torch.variants.inference import FuseConvNorm, InferenceMode, Int8, Prune
from greennb.advisor.trial.torch.variants.loader import Persistent, Pinned, Workers
from greennb.advisor.trial.torch.variants.model import ChannelsLast, Compile, Float32
from greennb.advisor.trial.torch.variants.optimizer import Foreach, Fused, ZeroGrad
from greennb.advisor.trial.torch.variants.precision import Autocast, CudnnBenchmark, Scaled, Tf32
from greennb.advisor.trial.torch.variants.threads import Threads

VARIANTS: tuple[Variant, ...] = (
    Workers(), Persistent(), Pinned(),
    Batch(factor=2, codes=("GNB213", "GNB212")), Batch(factor=4, codes=("GNB213", "GNB212")),
    Batch(factor=0.5, codes=("GNB214",)),
    InferenceMode(), Autocast(), Scaled(), Tf32(), CudnnBenchmark(), Float32(),
    ChannelsLast(), Compile(), Fused(), Foreach(), ZeroGrad(), Threads(of="cores"), Threads(of="one"), Int8(),
    FuseConvNorm(), Prune(),
)  # fmt: skip
