"""What was seen of Keras 3 and TensorFlow in one cell."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class InputSeen:
    """What a Keras method was fed with.

    Attributes:
        kind: "tf.data", "ndarray", "generator", "PyDataset", "DataLoader".
        name: the user's name for it.
        prefetched, cached, batched, shuffled, mapped: whether such a step is in a tf.data pipeline.
        parallel_map: whether every ``map`` has ``num_parallel_calls``.
        dtype: of the first array or element.
        rows: items where known.
    """

    kind: str
    name: str | None = None
    prefetched: bool = False
    cached: bool = False
    batched: bool = False
    shuffled: bool = False
    mapped: bool = False
    parallel_map: bool = True
    dtype: str = ""
    rows: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KerasCall:
    """Calls of ``fit``, ``evaluate`` or ``predict`` on one model in one cell.

    Attributes:
        model: class name, ``name`` the user's for it, ``parameters`` numbers in it, ``layers`` class name to count.
        method: "fit", "evaluate", "predict"; ``calls`` how many.
        policy: dtype policy of the model ("float32", "mixed_bfloat16"); ``dtypes`` of its variables.
        optimizer: class name.
        eager: ``run_eagerly``; ``jit``: ``jit_compile`` as resolved; ``steps_per_execution``.
        batch_size, epochs_asked, epochs: of fit; ``steps`` batches in all.
        seconds: of all calls; ``step_s`` median of a batch from begin to end; ``wait_s`` median between a batch's end
            and the next one's begin (input, callbacks, Python); both 0.0 from fewer than 10.
        compile_s: of the first batch: tracing and compilation.
        val_loss: per epoch; ``loss`` likewise. ``early_stopping``: whether such a callback is there.
        restored: whether the best weights would be kept. ``callbacks``: class names of the user's callbacks.
    """

    model: str
    name: str | None = None
    parameters: int = 0
    layers: dict[str, int] = field(default_factory=dict)
    method: str = "fit"
    calls: int = 1
    policy: str = "float32"
    dtypes: tuple[str, ...] = ()
    optimizer: str = ""
    eager: bool = False
    jit: bool = False
    steps_per_execution: int = 1
    batch_size: int | None = None
    epochs_asked: int = 1
    epochs: int = 1
    steps: int = 0
    seconds: float = 0.0
    step_s: float = 0.0
    wait_s: float = 0.0
    compile_s: float = 0.0
    loss: tuple[float, ...] = ()
    val_loss: tuple[float, ...] = ()
    early_stopping: bool = False
    callbacks: tuple[str, ...] = ()
    input: InputSeen | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TapeSeen:
    """Eager gradient tapes in one cell.

    Attributes:
        gradients: ``GradientTape.gradient`` calls outside of a traced function.
        step_s: median seconds between them; ``seconds`` from the first to the last.
        retraces: traces of ``tf.function`` s beyond their first, as far as seen; ``function`` the name of the worst.
    """

    gradients: int = 0
    step_s: float = 0.0
    seconds: float = 0.0
    retraces: int = 0
    function: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class KerasSignals:
    """Everything that was seen of Keras and TensorFlow in one cell.

    Attributes:
        backend: "tensorflow", "jax" or "torch"; "" where only TensorFlow is in use.
        gpus: names of the devices that TensorFlow sees. ``capability`` of the first, (0, 0) without one.
        bf16_cpu: whether this CPU multiplies bf16 in hardware.
        tensorflow: its version, "" where it is not imported.
    """

    version: str
    tensorflow: str = ""
    backend: str = ""
    gpus: tuple[str, ...] = ()
    capability: tuple[int, int] = (0, 0)
    bf16_cpu: bool = False
    calls: tuple[KerasCall, ...] = ()
    tape: TapeSeen | None = None
