"""What was seen of PyTorch in one cell."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class PrunedLayer:
    """A parameter under a mask of ``torch.nn.utils.prune``.

    Attributes:
        name: as in ``named_modules``, "" for the root; ``kind`` is its module's class.
        density: the share of the weights that the mask keeps, 0 to 1.
        structured: whether whole rows (output channels) are masked, and nothing but rows.
        rows, rows_kept: output channels, and those with any weight left.
    """

    name: str
    kind: str
    density: float
    structured: bool
    rows: int
    rows_kept: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSeen:
    """A root module: one that was called, not from within another.

    Attributes:
        id: tells models apart within a kernel.
        name: the user's name for it in the notebook; None where it has none (a local of a function).
        kind: its class's name; ``module`` where that class was defined ("torchvision.models.resnet").
        parameters: numbers, not tensors; ``trainable`` those that require a gradient.
        dtypes: of its floating-point parameters, the commonest first: ("float32",).
        device: of its first parameter: "cpu", "cuda:0", "meta", "mps:0"; "" without parameters. ``devices``: how many.
        layers: class name to how many submodules are of it: {"Conv2d": 4, "Linear": 2}.
        linear_share: part of the parameters in ``nn.Linear``, 0 to 1.
        conv2d_grouped: convolutions with ``groups`` above 1.
        conv_bias_before_norm: names of convolutions with a bias that a batch norm follows directly in a Sequential or
            in the order of calls that was seen.
        conv_then_norm: names of convolutions that a batch norm follows directly, with or without bias.
        channels_last: whether its 4-D convolution weights are in that memory format.
        linear_features_by_16: whether every ``nn.Linear`` has in and out features divisible by 16.
        compiled: whether it was called through ``torch.compile``.
        wrapper: "DataParallel", "DistributedDataParallel", "LightningModule", "PreTrainedModel" or "".
        pretrained: whether its class or config says that it was loaded from a published checkpoint.
        quantized: whether it holds quantized modules.
        pruned: its masked parameters.
    """

    id: int
    name: str | None
    kind: str
    module: str = ""
    parameters: int = 0
    trainable: int = 0
    dtypes: tuple[str, ...] = ()
    device: str = ""
    devices: int = 1
    layers: dict[str, int]
    linear_share: float = 0.0
    conv2d_grouped: int = 0
    conv_bias_before_norm: tuple[str, ...] = ()
    conv_then_norm: tuple[str, ...] = ()
    channels_last: bool = False
    linear_features_by_16: bool = False
    compiled: bool = False
    wrapper: str = ""
    pretrained: bool = False
    quantized: bool = False
    pruned: tuple[PrunedLayer, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchSeen:
    """The first tensor that a model was called with, at the calls that were looked at.

    Attributes:
        name: the user's name for it in the notebook, if it has one.
        shape: at the first call; ``shapes`` how many different ones were seen.
        channels_last: whether a 4-D input is in that memory format.
        from_cpu: whether the loader gave it on the CPU while the model is elsewhere.
        pinned: whether what the loader gave lay in pinned memory.
    """

    name: str | None = None
    shape: tuple[int, ...]
    shapes: int = 1
    dtype: str
    device: str
    channels_last: bool = False
    requires_grad: bool = False
    from_cpu: bool = False
    pinned: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Forwards:
    """Calls of one root module in one state, as far as they were looked at: the first ones, and some later ones.

    Attributes:
        model: the :class:`ModelSeen` 's ``id``.
        training: ``module.training``.
        grad: whether gradients were being recorded; ``inference`` whether in ``torch.inference_mode``.
        stepped: whether an optimizer that holds its parameters took a step later in the cell, or ``backward`` was seen.
        calls: how many were looked at. ``calls_estimated``: how many there were, scaled up by the loader's batches or
            the optimizer's steps; equal to ``calls`` where nothing says more.
        call_s: median seconds from one call's begin to the next's; 0.0 from fewer than 3.
        seconds: from the first call to the last one seen, with the loop around them.
        autocast: the dtype of an active autocast ("bfloat16"), "" where there is none.
    """

    model: int
    training: bool
    grad: bool
    inference: bool = False
    stepped: bool = False
    calls: int = 1
    calls_estimated: int = 1
    call_s: float = 0.0
    seconds: float = 0.0
    autocast: str = ""
    batch: BatchSeen | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LoaderSeen:
    """A DataLoader that was iterated.

    Attributes:
        name: the user's name for it; ``dataset`` the class name of its data set.
        in_memory: whether the data set is a TensorDataset, or a Subset of one: nothing to decode.
        length: items in the data set; None where it doesn't say (iterable, or a broken ``__len__``).
        num_workers, persistent_workers, pin_memory, batch_size: its settings; ``batch_size`` None with a batch sampler.
        epochs: how often its iteration began in this cell.
        batches: how many were taken from it in this cell.
        wait_s: median seconds inside ``__next__``; ``wait_total_s`` all of them; ``first_wait_s`` median over epochs of
            the first batch's.
        seconds: from the first ``__next__`` to the end of the last one in this cell, over all epochs, gaps between
            epochs left out.
        in_training: whether optimizer steps were taken between its batches.
    """

    name: str | None
    dataset: str
    in_memory: bool = False
    length: int | None = None
    num_workers: int = 0
    persistent_workers: bool = False
    pin_memory: bool = False
    batch_size: int | None = None
    epochs: int = 1
    batches: int = 0
    wait_s: float = 0.0
    wait_total_s: float = 0.0
    first_wait_s: float = 0.0
    seconds: float = 0.0
    in_training: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OptimizerSeen:
    """An optimizer that took steps, and the loop around it.

    Attributes:
        kind: class name ("AdamW"); ``name`` the user's for it; ``builtin`` whether its class is of ``torch.optim``.
        model: the id of the model that holds its parameters, None where none was seen.
        loader: the index of its loader in :attr:`TorchSignals.loaders`, None without one.
        fused, foreach, capturable: as its first group has them (None is "unset").
        device, dtype: of its first parameter; ``parameters`` how many tensors it updates.
        float_parameters: whether all of its parameters are floating point (fused needs that).
        steps: taken in this cell. ``step_s``: median seconds from the end of one step to the end of the next (S), while
            one loader's epoch or one loop goes on. ``update_s``: median seconds inside ``step()`` itself.
        seconds: from its first step to its last in this cell.
        scaler: whether a GradScaler was used with it.
        bad_epochs: ``num_bad_epochs`` of a ReduceLROnPlateau on it, the largest seen; None without one.
        closure: whether ``step`` was given a closure (L-BFGS).
    """

    kind: str
    name: str | None = None
    builtin: bool = True
    model: int | None = None
    loader: int | None = None
    fused: bool | None = None
    foreach: bool | None = None
    capturable: bool | None = None
    device: str = "cpu"
    dtype: str = "float32"
    parameters: int = 0
    float_parameters: bool = True
    steps: int = 0
    step_s: float = 0.0
    update_s: float = 0.0
    seconds: float = 0.0
    scaler: bool = False
    bad_epochs: int | None = None
    closure: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CurveSeen:
    """A validation loss by epoch, as the notebook keeps it in a list of its own, that this cell made longer.

    Attributes:
        name: the expression that reads it: "val_losses", "history['val_loss']".
        values: all of them, in order; ``new`` how many of them were added in this cell.
    """

    name: str
    values: tuple[float, ...]
    new: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CudaSeen:
    """A CUDA device that this process uses, as PyTorch tells of it.

    Attributes:
        capability: compute capability, (8, 0) for an A100; ``name`` as the driver has it.
        allocated_b: tensors now; ``peak_b`` most reserved since the kernel began; ``total_b`` of the board.
        retries: allocations that succeeded only after the cache was emptied, within this cell.
        oom: whether allocations failed within this cell.
    """

    index: int
    name: str
    capability: tuple[int, int]
    allocated_b: int = 0
    peak_b: int = 0
    total_b: int = 0
    retries: int = 0
    oom: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Profiled:
    """What torch.profiler said of a few steps, on request. Seconds are of self time, summed over ``steps``.

    They are the card's where it was at work, else the CPU's: those include Python within an optimizer's step, and
    waiting for a loader, but not Python between PyTorch's operations.

    Attributes:
        matmul_s: products of matrices, batched ones and PyTorch's own attention among them.
        softmax_bmm_s: softmax and batched products, of which attention by hand is made.
        copy_s: copies and conversions; on a card what was moved to it, from it and on it.
        kernels: that the card ran, in ``kernel_s``. ``tensor_core_s``: in those whose names tell of tensor cores; None
            where no name does.
    """

    steps: int
    total_s: float
    matmul_s: float = 0.0
    conv_s: float = 0.0
    softmax_bmm_s: float = 0.0
    copy_s: float = 0.0
    kernels: int = 0
    kernel_s: float = 0.0
    tensor_core_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TorchSignals:
    """Everything that was seen of PyTorch in one cell.

    Attributes:
        version: ``torch.__version__``.
        threads: ``torch.get_num_threads()``; ``interop_threads`` likewise.
        matmul_precision: ``torch.get_float32_matmul_precision()``: "highest", "high" or "medium".
        cudnn_benchmark: ``torch.backends.cudnn.benchmark``.
        bf16_cpu: whether this CPU multiplies bf16 in hardware (AMX-BF16 or AVX512-BF16).
        mps: whether the Apple GPU is in use.
        compiles: whether ``torch.compile`` has compiled anything in this kernel; a model that is called within a
            compiled function has ``compiled`` False itself.
        lightning, transformers: whether a Trainer of theirs is loaded. ``trainer_bf16``: whether a Hugging Face Trainer
            in the notebook has bf16 or fp16 on; None where there is no Trainer. ``trainer_name`` the user's for it.
        curves: validation losses by epoch that grew in this cell, where an optimizer took steps in it.
    """

    version: str
    threads: int = 1
    interop_threads: int = 1
    matmul_precision: str = "highest"
    cudnn_benchmark: bool = False
    bf16_cpu: bool = False
    mps: bool = False
    lightning: bool = False
    transformers: bool = False
    trainer_bf16: bool | None = None
    trainer_name: str | None = None
    models: tuple[ModelSeen, ...] = ()
    forwards: tuple[Forwards, ...] = ()
    optimizers: tuple[OptimizerSeen, ...] = ()
    loaders: tuple[LoaderSeen, ...] = ()
    cuda: tuple[CudaSeen, ...] = ()
    profiled: Profiled | None = None
    curves: tuple[CurveSeen, ...] = ()
    compiles: bool = False

    def model(self, id_: int | None) -> ModelSeen | None:
        """The model of that id, None where it was not seen."""
        return next((model for model in self.models if model.id == id_), None)

    def loader(self, index: int | None) -> LoaderSeen | None:
        """The loader at ``index``, None for None."""
        return None if index is None or not 0 <= index < len(self.loaders) else self.loaders[index]
