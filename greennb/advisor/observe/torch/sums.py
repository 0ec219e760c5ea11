"""What a profile comes to: seconds of self time by the kind of operation."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from greennb.advisor.signals.torch import Profiled

OPERATION = re.compile(r"(?:aten|mkldnn|onednn|quantized)::_*(\w+)")

MATMUL = re.compile(
    r"(?:add|badd)?(?:mm|bmm|mv)$|addbmm$|v?dot$|matmul|(?:mkldnn_)?linear|addmm_activation|scaled_mm|"
    r"scaled_dot_product|(?:flash|efficient|cudnn)_attention"
)
"""Matrix products, PyTorch's own attention among them."""

CONVOLUTION = re.compile(r"(?:\w+_)?conv(?:olution|_|\d|$)")
SOFTMAX_BMM = re.compile(r"(?:masked_)?softmax|(?:badd)?bmm$|addbmm$")
"""What attention by hand is made of; the softmax of a loss is another (``log_softmax``)."""

COPY = re.compile(r"(?:copy_?|to|to_copy)$")

ON_CARD_ONLY = ("Memcpy", "Memset")
"""How kineto names what a card does that is no kernel: "Memcpy HtoD (Pageable -> Device)"."""

TENSOR_CORES = re.compile(r"[hi]mma|wgmma|tensorop|tensor\d+x\d+|[his](?:884|1688|8816|16816|16832)|nvjet")
"""What cuBLAS, cuDNN and CUTLASS have in the names of kernels that use tensor cores. Not tried on a card by us."""


def summed(averages: Iterable[Any], steps: int) -> Profiled:
    """What a profile of ``steps`` steps comes to: the card's time where there was a card at work, else the CPU's.

    ``averages`` are those of ``key_averages()``, names and times those of
    ``torch.autograd.profiler_util.FunctionEventAvg``, which counts in microseconds.
    """
    events = [it for it in averages if not getattr(it, "is_user_annotation", False)]
    on_card = [it for it in events if _on_card(it) and not it.key.startswith(("Optimizer.", "ProfilerStep"))]
    operations = [(match[1], it) for it in events if not _on_card(it) and (match := OPERATION.match(it.key))]
    own = _card_us if on_card else _cpu_us
    everything = on_card or [it for it in events if not _on_card(it)]
    kernels = [it for it in on_card if not it.key.startswith(ON_CARD_ONLY)]

    def seconds(kind: re.Pattern[str]) -> float:
        return sum(own(it) for name, it in operations if kind.match(name)) / 1e6

    copies = sum(_card_us(it) for it in on_card if it.key.startswith("Memcpy")) / 1e6
    tensor_cores = [it for it in kernels if TENSOR_CORES.search(it.key)]
    return Profiled(
        steps=steps,
        total_s=sum(own(it) for it in everything) / 1e6,
        matmul_s=seconds(MATMUL),
        conv_s=seconds(CONVOLUTION),
        softmax_bmm_s=seconds(SOFTMAX_BMM),
        copy_s=copies if on_card else seconds(COPY),
        kernels=sum(int(it.count) for it in kernels),
        kernel_s=sum(_card_us(it) for it in kernels) / 1e6,
        tensor_core_s=sum(_card_us(it) for it in tensor_cores) / 1e6 if tensor_cores else None,
    )


def _on_card(event: Any) -> bool:
    return str(event.device_type).rpartition(".")[2] == "CUDA"


def _cpu_us(event: Any) -> float:
    return float(event.self_cpu_time_total)


def _card_us(event: Any) -> float:
    own = getattr(event, "self_device_time_total", None)  # so called since PyTorch 2.3
    return float(event.self_cuda_time_total if own is None else own)
