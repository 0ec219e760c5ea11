"""What was seen of Keras 3 and TensorFlow in one cell."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class InputSeen:
    """What a Keras method, or a loop of the user's own, was fed with.

    The last nine are tf.data's own account of what it ran (``tf.data.experimental.get_model_proto``), which includes
    what its runtime changed: it makes maps parallel, joins map and batch, and puts a prefetch at the end.

    Attributes:
        kind: "tf.data", "ndarray", "tensor", "generator", "PyDataset", "DataLoader"; "" where it is none of them.
        name: the user's name for it; of a tf.data pipeline that has none, the name of what it is built on.
        whole: whether ``name`` is of the pipeline itself.
        prefetched: whether the pipeline, as written, has a prefetch between its last map and its end.
        cached: whether it has a cache anywhere; ``batched``, ``shuffled``, ``mapped`` likewise.
        parallel_map: whether every ``map`` has ``num_parallel_calls``.
        batch_first: whether the last map comes after the batch: one call a batch.
        fixed_map: whether the first map draws no random numbers and calls no Python, so that its results may be kept.
        random_map: whether any map draws random numbers; ``python_map`` whether any calls Python.
        dtype: of the first array or element.
        rows: items of all calls together where known (an array's length, not a pipeline's).
        run: whether tf.data gave its account; the following say nothing without it.
        run_ahead: whether the last stage that it ran works ahead of its consumer (a prefetch, a parallel map).
        run_batches: batches that the account is about.
        map_s: seconds a batch in maps, summed over threads; ``work_s`` in all stages.
        batch_b: bytes of a batch as it left the pipeline; None where that is not told.
        wait_s: median seconds a batch that its consumer waited for it; None where that was not measured.
        step_s: median seconds from one batch to the next, of the steps that ``wait_s`` is about.
        seconds: of all of a loop's batches, 0.0 for a Keras method. ``batches`` of the loop, ``epochs`` passes.
    """

    kind: str
    name: str | None = None
    whole: bool = False
    prefetched: bool = False
    cached: bool = False
    batched: bool = False
    shuffled: bool = False
    mapped: bool = False
    parallel_map: bool = True
    batch_first: bool = False
    fixed_map: bool = False
    random_map: bool = False
    python_map: bool = False
    dtype: str = ""
    rows: int | None = None
    run: bool = False
    run_ahead: bool = False
    run_batches: int = 0
    map_s: float = 0.0
    work_s: float = 0.0
    batch_b: int | None = None
    wait_s: float | None = None
    step_s: float = 0.0
    seconds: float = 0.0
    batches: int = 0
    epochs: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class KerasCall:
    """Calls of ``fit``, ``evaluate`` or ``predict`` on one model in one cell.

    Attributes:
        model: class name, ``name`` the user's for it, ``parameters`` numbers in it, ``layers`` class name to count.
        method: "fit", "evaluate", "predict"; ``calls`` how many.
        policy: dtype policy of most of the layers that hold weights ("float32", "mixed_bfloat16"); ``dtypes`` of its
            variables.
        optimizer: class name.
        eager: ``run_eagerly``.
        jit: ``jit_compile`` as resolved; ``steps_per_execution``.
        batch_size: as it was given to ``fit``; None where it was not.
        epochs_asked, epochs: of fit, all calls together; ``steps`` executions of the step function in all.
        seconds: of all calls; ``steps_s`` of that in the steps, ``nested_s`` in evaluations within fit.
        step_s: median of a step from its begin to its end; ``wait_s`` median between a step's end and the next one's
            begin (callbacks, Python; with the PyTorch backend the input too); ``host_s`` median CPU time of the calling
            thread from one begin to the next: what Python and the launching take. All 0.0 from fewer than 10.
        compile_s: of the first step of the first call: tracing and compilation are in it.
        val_loss: per epoch; ``loss`` likewise; the first 2000.
        early_stopping: whether an EarlyStopping is among the callbacks, or one of the user's that may end training.
        callbacks: class names of the user's callbacks; ``batch_callbacks`` whether one of them wants every batch.
        rows: what all calls were given together, None where an input did not say.
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
    epochs_asked: int = 0
    epochs: int = 0
    steps: int = 0
    seconds: float = 0.0
    steps_s: float = 0.0
    nested_s: float = 0.0
    step_s: float = 0.0
    wait_s: float = 0.0
    host_s: float = 0.0
    compile_s: float = 0.0
    loss: tuple[float, ...] = ()
    val_loss: tuple[float, ...] = ()
    early_stopping: bool = False
    callbacks: tuple[str, ...] = ()
    batch_callbacks: bool = False
    rows: int | None = None
    input: InputSeen | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TapeSeen:
    """Eager gradient tapes in one cell, outside of Keras' own ``fit``.

    Attributes:
        gradients: ``GradientTape.gradient`` calls outside of a traced function.
        step_s: median seconds between them; ``seconds`` from the first to the last.
        host_s: median CPU seconds of the calling thread between them.
    """

    gradients: int = 0
    step_s: float = 0.0
    seconds: float = 0.0
    host_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class KerasSignals:
    """Everything that was seen of Keras and TensorFlow in one cell.

    Attributes:
        version: of Keras, "" where it is not imported. ``tensorflow`` likewise.
        backend: "tensorflow", "jax" or "torch"; "" where only TensorFlow is in use.
        gpus: names of the devices that TensorFlow uses. ``capability`` of the first, (0, 0) without one.
        functions_eagerly: whether ``tf.config.run_functions_eagerly`` is on at the cell's end.
        loops: tf.data pipelines that the user's own loops went through, each pipeline once.
        retraces: traces of ``tf.function`` s among the notebook's names beyond their first; ``retraced`` the name
            of the one with the most.
        dropped: models whose calls were counted in no entry because there were too many.
    """

    version: str
    tensorflow: str = ""
    backend: str = ""
    gpus: tuple[str, ...] = ()
    capability: tuple[int, int] = (0, 0)
    calls: tuple[KerasCall, ...] = ()
    functions_eagerly: bool = False
    loops: tuple[InputSeen, ...] = ()
    tape: TapeSeen | None = None
    retraces: int = 0
    retraced: str = ""
    dropped: int = 0
