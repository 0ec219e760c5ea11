"""What Keras and loops are fed with: a tf.data pipeline as it is written, and tf.data's own account of how it ran."""

from __future__ import annotations

import sys
import weakref
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from greennb.advisor.names import Names
from greennb.advisor.observe.keras.rings import FEWEST, Steps
from greennb.advisor.signals.keras import InputSeen

MOST_STAGES = 64
"""Stages of a pipeline that are looked at."""

MOST_OPS = 500
"""Operations of a map's graph that are looked at; a longer one counts as one that can't be kept."""

AHEAD = ("Prefetch", "ParallelMap", "ParallelMapV2", "MapAndBatch", "ParallelBatch", "ParallelInterleaveV4")
"""Stages, by the names in tf.data's account, that work ahead of their consumer."""

PASSING = ("Root", "Options", "FiniteRepeat", "ForeverRepeat", "FiniteTake", "FiniteSkip")
"""Stages that hand on what they are given."""

MAPS = ("Map", "ParallelMap", "ParallelMapV2", "MapAndBatch")
"""Stages in that account that run the user's map."""


@dataclass(slots=True)
class Fed:
    """What is known of an input while its cell runs; the pipeline itself is held by weak references only."""

    seen: InputSeen
    stages: list[weakref.ref[Any]] = field(default_factory=list)

    def named(self, names: Names) -> InputSeen:
        """As a signal, with the user's name for the outermost stage that has one."""
        for at, stage in enumerate(self.stages):
            name = names.of(stage())
            if name is not None:
                return replace(self.seen, name=name, whole=at == 0)
        return self.seen


def fed(thing: Any) -> Fed:
    """What ``thing``, the first argument of a Keras method, is."""
    if is_dataset(thing):
        return pipeline(thing)
    kind = _kind(thing)
    first = thing[0] if kind in ("ndarray", "tensor") and isinstance(thing, list | tuple) and thing else thing
    dtype = getattr(getattr(first, "dtype", None), "name", "") if kind in ("ndarray", "tensor") else ""
    return Fed(InputSeen(kind=kind, dtype=str(dtype)), _weak([thing]))


def rows(thing: Any) -> int | None:
    """Items of an array or tensor, by its shape alone; None for anything else."""
    shape = getattr(thing, "shape", None) if _kind(thing) in ("ndarray", "tensor") else None
    try:
        return None if not shape else int(shape[0])
    except (TypeError, ValueError):  # an unknown dimension
        return None


def is_dataset(thing: Any) -> bool:
    """Whether it is a ``tf.data.Dataset``."""
    return any(it.__name__ == "DatasetV2" and it.__module__.startswith("tensorflow") for it in type(thing).__mro__)


def _kind(thing: Any) -> str:
    for it in type(thing).__mro__:
        root = it.__module__.partition(".")[0]
        if root in ("numpy", "pandas"):
            return "ndarray"
        if root in ("tensorflow", "torch", "jax", "jaxlib"):
            return "DataLoader" if it.__name__ == "DataLoader" else "tensor"
        if it.__name__ == "PyDataset":
            return "PyDataset"
    if isinstance(thing, list | tuple | dict):
        return "ndarray"
    return "generator" if hasattr(type(thing), "__next__") else ""


def pipeline(dataset: Any) -> Fed:
    """A pipeline as it is written, outermost stage first."""
    stages = list(_stages(dataset))
    kinds = [_stage_kind(it) for it in stages]
    maps = [at for at, kind in enumerate(kinds) if kind == "map"]
    batch = kinds.index("batch") if "batch" in kinds else None
    looks = [_look(stages[at]) for at in maps[:8]]
    seen = InputSeen(
        kind="tf.data",
        prefetched="prefetch" in kinds[: maps[0] if maps else None],
        cached="cache" in kinds,
        batched=batch is not None,
        shuffled="shuffle" in kinds,
        mapped=bool(maps),
        parallel_map=all("Parallel" in type(stages[at]).__name__ for at in maps),
        batch_first=bool(maps) and batch is not None and maps[0] < batch,
        fixed_map=bool(looks) and looks[-1] == "fixed",
        random_map="random" in looks,
        python_map="python" in looks,
        dtype=_dtype(dataset),
    )
    return Fed(seen, _weak(stages))


def _stages(dataset: Any) -> Iterator[Any]:
    """Breadth first, so that the main path of a pipeline with several inputs comes in order."""
    waiting = [dataset]
    for _ in range(MOST_STAGES):
        if not waiting:
            return
        one = waiting.pop(0)
        yield one
        waiting.extend(one._inputs())


def _stage_kind(stage: Any) -> str:
    """ "prefetch", "cache", "map", "batch", "shuffle" or "": by class name (_ParallelMapDataset, CacheDataset)."""
    name = type(stage).__name__.lower()
    if "flatmap" in name:
        return ""
    return next((kind for kind in ("prefetch", "cache", "batch", "map", "shuffle") if kind in name), "")


def _look(stage: Any) -> str:
    """What the function of a map does: "fixed", "random", "python", or "?" where it can't be seen."""
    try:
        names = list(_operations(stage._map_func.function.graph))
    except Exception:  # noqa: BLE001  # another version: it can't be seen, which a rule takes as "don't advise"
        return "?"
    if any("PyFunc" in it for it in names):
        return "python"
    if any("Random" in it or "Stateful" in it or it.startswith("RngRead") for it in names):
        return "random"
    if len(names) >= MOST_OPS or any(it.endswith("PartitionedCall") for it in names):
        return "?"
    return "fixed"


def _operations(graph: Any) -> Iterator[str]:
    """Types of a graph's operations, those of functions that it calls among them, :data:`MOST_OPS` at most."""
    waiting, left = [graph], MOST_OPS
    while waiting:
        one = waiting.pop()
        for operation in one.get_operations():
            if left == 0:
                return
            left -= 1
            kind = str(operation.type)
            if kind.endswith("PartitionedCall"):
                function = one._get_function(operation.get_attr("f").name)
                inner = getattr(function, "graph", None)
                if inner is not None:
                    waiting.append(inner)
                    continue
            yield kind


def _dtype(dataset: Any) -> str:
    spec = dataset.element_spec
    while isinstance(spec, tuple | list | dict) and spec:
        spec = next(iter(spec.values())) if isinstance(spec, dict) else spec[0]
    return str(getattr(getattr(spec, "dtype", None), "name", ""))


def _weak(things: Sequence[Any]) -> list[weakref.ref[Any]]:
    found = []
    for thing in things:
        try:
            found.append(weakref.ref(thing))
        except TypeError:  # a list, a generator of some kinds
            continue
    return found


def account(iterators: Sequence[Any]) -> Any:
    """tf.data's account of the one of these iterators that has given the most; None where it keeps none."""
    get = getattr(getattr(sys.modules.get("tensorflow"), "data", None), "experimental", None)
    best = None
    for iterator in iterators:
        try:
            model = get.get_model_proto(iterator)  # type: ignore[union-attr]
            if best is None or _given(model) > _given(best):
                best = model
        except Exception:  # noqa: BLE001  # autotune is off, or nothing was taken yet, or an older version
            continue
    return best


def _given(model: Any) -> int:
    return int(model.nodes[model.output].num_elements)


def with_account(seen: InputSeen, model: Any) -> InputSeen:
    """``seen`` and what tf.data says of its run, by an account that was taken while there was still something to come.

    At its end it leaves out the stages that are done.
    """
    chain = list(_chain(model))
    nodes = [node for node, _ratio in chain]
    batches = int(nodes[0].num_elements) if nodes else 0
    if batches < 2:
        return seen
    first = next((it for it in nodes[1:] if it.name not in PASSING), None)
    produced = int(nodes[0].bytes_produced)
    return replace(
        seen,
        run=True,
        run_ahead=first is not None and first.name in AHEAD,
        run_batches=batches,
        map_s=sum(_a_batch_s(it, ratio) for it, ratio in chain if it.name in MAPS),
        work_s=sum(_a_batch_s(it, ratio) for it, ratio in chain),
        batch_b=produced // batches if produced else None,
    )


def with_waiting(seen: InputSeen, model: Any, steps: Steps) -> InputSeen:
    """``seen`` and how long each of the last steps waited, by the last account.

    tf.data keeps its consumer's own time, from the return of one ``GetNext`` to the call of the next; the rest of a
    step is waiting. Means over the same steps, so that what is long in one is long in the other.
    """
    count = min(steps.in_row, len(model.gap_times))
    if count < FEWEST:
        return seen
    interval_s = steps.intervals.latest_mean(count)
    own_s = sum(list(model.gap_times)[-count:]) / 1e6 / count
    return replace(seen, wait_s=max(0.0, interval_s - own_s), step_s=interval_s)


def _a_batch_s(node: Any, ratio: float) -> float:
    """Seconds of a stage for a batch: by what it has made itself, for stages below a buffer are ahead."""
    return float(node.processing_time) / 1e9 / node.num_elements * ratio if node.num_elements else 0.0


def _chain(model: Any) -> Iterator[tuple[Any, float]]:
    """The stages that ran, outermost first, each with how many of its elements go into one batch."""
    waiting = [(model.output, 1.0)]
    for _ in range(MOST_STAGES):
        if not waiting:
            return
        at, ratio = waiting.pop(0)
        node = model.nodes[at]
        yield node, ratio
        waiting.extend((it, ratio * (node.ratio or 1.0)) for it in node.inputs)
