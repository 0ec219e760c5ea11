"""A cell's records as signals, with the user's names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from greennb.advisor.names import Names
from greennb.advisor.observe.torch import facts as torch_facts
from greennb.advisor.observe.torch.calls import Batch, Calls, RootRecord
from greennb.advisor.observe.torch.cell import Cell
from greennb.advisor.observe.torch.loader import LoaderRecord
from greennb.advisor.observe.torch.model import ModelFacts, inner
from greennb.advisor.observe.torch.steps import StepRecord
from greennb.advisor.signals.torch import (
    BatchSeen,
    Forwards,
    LoaderSeen,
    ModelSeen,
    OptimizerSeen,
    TorchSignals,
)

Facts = Callable[[Any], ModelFacts]


def told(torch: Any, cell: Cell, names: Names, facts: Facts, cuda: torch_facts.Cuda) -> TorchSignals | None:
    """What was seen in ``cell``; ``facts`` of a model that was not called but is in the notebook."""
    return _Told(torch, cell, names, facts).signals(cuda)


class _Told:
    def __init__(self, torch: Any, cell: Cell, names: Names, facts: Facts) -> None:
        self._torch = torch
        self._cell = cell
        self._names = names
        self._facts = facts
        self._roots = [record for record in cell.roots if not record.facts.idle and record.states]
        self._loaders = [record for record in cell.loaders if record.batches or record.epochs]
        for loader in self._loaders:
            loader.end()
        for record in self._roots:
            model = record.model()
            if model is not None:
                record.facts.read(model)

    def signals(self, cuda: torch_facts.Cuda) -> TorchSignals | None:
        optimizers = [it for it in self._cell.optimizers if it.steps]
        if not (self._roots or self._loaders or optimizers):
            return None
        models = {record.facts.number: self._model(record) for record in self._roots}
        owners = {id(it): self._owner(it, models) for it in optimizers}
        forwards = [self._forwards(record, calls) for record in self._roots for calls in record.states.values()]
        seen = tuple(models.values())
        return TorchSignals(
            **torch_facts.settings(self._torch),
            **torch_facts.trainer(self._names),
            mps=any(it.device.startswith("mps") for it in seen),
            models=seen,
            forwards=tuple(forwards),
            optimizers=tuple(self._optimizer(it, owners[id(it)]) for it in optimizers),
            loaders=tuple(map(self._loader, self._loaders)),
            cuda=cuda.seen(),
        )

    def _model(self, record: RootRecord) -> ModelSeen:
        name = self._names.of(record.called()) or self._names.of(record.model())
        return _model(record.facts, name, compiled=record.compiled)

    def _owner(self, record: StepRecord, models: dict[int, ModelSeen]) -> int | None:
        """The model whose parameters an optimizer holds; one in the notebook that was not seen called is added."""
        if record.root is not None:
            return record.root.facts.number
        owned = record.facts.owned
        for root in self._roots:
            if not owned.isdisjoint(root.facts.owned):
                return root.facts.number
        optimizer = record.optimizer()
        if optimizer is None:
            return None
        alive = {id(it) for group in optimizer.param_groups or () for it in group["params"]}
        for name, thing in self._names.items():
            if issubclass(type(thing), self._torch.nn.Module):
                model, wrapped = inner(thing)
                facts = self._facts(model)
                if not alive.isdisjoint(facts.owned):
                    facts.read(model)
                    models.setdefault(facts.number, _model(facts, name, compiled=wrapped or facts.compiled))
                    return facts.number
        return None

    def _optimizer(self, record: StepRecord, model: int | None) -> OptimizerSeen:
        optimizer, facts = record.optimizer(), record.facts
        bad = [count for it, count in torch_facts.plateaus(self._names) if it is not None and it is optimizer]
        return OptimizerSeen(
            kind=facts.kind,
            name=self._names.of(optimizer),
            builtin=facts.builtin,
            model=model,
            loader=self._index(record.feeding),
            **facts.settings,
            device=facts.device,
            dtype=facts.dtype,
            parameters=len(facts.owned),
            float_parameters=facts.floating,
            steps=record.steps,
            step_s=record.step_s,
            update_s=record.updates.median,
            seconds=record.ended - record.first,
            scaler=record.scaler,
            bad_epochs=max(bad, default=None),
            closure=record.closure,
        )

    def _loader(self, record: LoaderRecord) -> LoaderSeen:
        facts = record.facts
        return LoaderSeen(
            name=None if record.loader is None else self._names.of(record.loader()),
            dataset=facts.dataset,
            in_memory=facts.in_memory,
            length=record.length,
            num_workers=facts.num_workers,
            persistent_workers=facts.persistent_workers,
            pin_memory=facts.pin_memory,
            batch_size=facts.batch_size,
            epochs=max(1, record.epochs),
            batches=record.batches,
            wait_s=record.waits.median,
            wait_total_s=record.waits.total,
            first_wait_s=record.first_wait_s,
            seconds=record.seconds,
            in_training=record.trained > 0,
        )

    def _forwards(self, record: RootRecord, calls: Calls) -> Forwards:
        steps = [it for it in calls.stepped if it.root is record or not it.facts.owned.isdisjoint(record.facts.owned)]
        stepped = bool(steps) or self._backward(record, calls)
        whole = _Whole(record, calls, steps)
        return Forwards(
            model=record.facts.number,
            training=calls.training,
            grad=calls.grad,
            inference=calls.inference,
            stepped=stepped,
            calls=calls.calls,
            calls_estimated=whole.calls,
            call_s=calls.intervals.median if calls.intervals.count >= 2 else 0.0,
            seconds=whole.seconds,
            autocast=calls.autocast,
            batch=None if calls.batch is None else self._batch(record, calls, calls.batch),
        )

    def _backward(self, record: RootRecord, calls: Calls) -> bool:
        """Whether there is a gradient that is newer than the cell, where no optimizer of the model has stepped."""
        model = record.model()
        if model is None or not calls.grad or any(it.root is record for it in self._cell.optimizers if it.steps):
            return False
        gradient = record.facts.gradient(model)
        return gradient is not None and gradient != record.backward

    def _batch(self, record: RootRecord, calls: Calls, batch: Batch) -> BatchSeen:
        loader = calls.loader
        gave = loader is not None and loader.device == "cpu"
        public = dict(self._names.items()) if batch.name else {}
        return BatchSeen(
            name=batch.name if batch.name in public else None,
            shape=batch.shape,
            shapes=len(batch.shapes),
            dtype=batch.dtype,
            device=batch.device,
            channels_last=batch.channels_last,
            requires_grad=batch.requires_grad,
            from_cpu=gave and not record.facts.device.startswith("cpu"),
            pinned=loader is not None and loader.pinned,
        )

    def _index(self, loader: LoaderRecord | None) -> int | None:
        return next((at for at, it in enumerate(self._loaders) if it is loader), None)


class _Whole:
    """A loop of which some calls were seen, as a whole: how many there were, and how long it took.

    The loader's batches say it where one feeds the calls, else the optimizer's steps, else the pace and the time from
    the first call seen to the last one.
    """

    def __init__(self, record: RootRecord, calls: Calls, steps: list[StepRecord]) -> None:
        self._calls = calls
        seen_s = calls.last - calls.first
        loader, step = calls.loader, max(steps, key=lambda it: calls.stepped[it], default=None)
        if loader is not None and loader.watched:
            self.calls = max(calls.calls, round(calls.calls * loader.batches / loader.watched))
            self.seconds = loader.seconds
        elif step is not None:
            a_step = (calls.calls - calls.windows) / calls.stepped[
                step
            ]  # what came after a stretch's last call is unseen
            self.calls = max(calls.calls, round(max(1.0, a_step) * step.steps))
            self.seconds = max(seen_s, step.ended - calls.first)
        else:
            self.calls = max(calls.calls, self._by_pace(seen_s) if calls.windows > 1 else 0)
            self.seconds = seen_s

    def _by_pace(self, seconds: float) -> int:
        pace_s = self._calls.intervals.median
        return round(seconds / pace_s) + 1 if pace_s > 0 else 0


def _model(facts: ModelFacts, name: str | None, *, compiled: bool) -> ModelSeen:
    return ModelSeen(
        id=facts.number,
        name=name,
        kind=facts.kind,
        module=facts.module,
        parameters=facts.parameters,
        trainable=facts.trainable,
        dtypes=facts.dtypes,
        device=facts.device,
        devices=facts.devices,
        layers=facts.layers,
        linear_share=facts.linear_share,
        conv2d_grouped=facts.grouped,
        conv_bias_before_norm=facts.conv_bias,
        conv_then_norm=facts.conv_then_norm,
        channels_last=facts.channels_last,
        linear_features_by_16=facts.linear_by_16,
        compiled=compiled,
        wrapper=facts.wrapper,
        pretrained=facts.pretrained,
        quantized=facts.quantized,
        pruned=facts.pruned,
    )
