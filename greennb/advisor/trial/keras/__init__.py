"""The kit of Keras 3 on TensorFlow: steps of ``fit`` on copies of the model, or turns of a loop of the user's own."""

from __future__ import annotations

import ast
import sys
from contextlib import nullcontext
from typing import Any

from greennb.advisor.trial import effects
from greennb.advisor.trial.base import Pair, Quality, RefusedError, Scene, Variant
from greennb.advisor.trial.keras import guard
from greennb.advisor.trial.keras.capture import KerasWay, Target
from greennb.advisor.trial.keras.left import arrays, seeded
from greennb.advisor.trial.keras.loops import Turns, counted
from greennb.advisor.trial.keras.seen import KerasVariant, target
from greennb.advisor.trial.keras.variants import VARIANTS
from greennb.advisor.trial.replay import SLOW_S, Replay

__all__ = ["VARIANTS", "pair"]

TURNS = 14
"""Turns of a loop after its first five and one to warm up, before what it left is compared: 20 in all."""


def pair(scene: Scene, variant: Variant) -> Pair:
    """The two ways of a Keras cell; see :class:`greennb.advisor.trial.base.Kit`."""
    _supported()
    assert isinstance(variant, KerasVariant)
    changed = variant.change(scene)
    for code in (scene.code, changed):
        effects.refuse(code, scene.namespace)
    return _of_loop(scene, variant, changed) if variant.loops(scene) else _of_call(scene, variant, changed)


def _supported() -> None:
    """Say in words what this kit is not for.

    Raises:
        RefusedError: this is such a case.
    """
    keras = sys.modules.get("keras")
    if keras is None or "tensorflow" not in sys.modules:
        raise RefusedError("Keras with TensorFlow is not loaded in this notebook.")
    if not str(getattr(keras, "__version__", "")).startswith("3."):
        raise RefusedError(f"Trials need Keras 3; this is {getattr(keras, '__version__', 'another')}.")
    backend = keras.backend.backend()
    if backend != "tensorflow":
        raise RefusedError(f"Trials of Keras need its TensorFlow backend; here it runs on {backend}.")


def _of_call(scene: Scene, variant: KerasVariant, changed: str) -> Pair:
    """Steps of ``fit`` or ``evaluate``."""
    wanted = target(scene)
    a, b = (
        KerasWay(scene, code, label, wanted, whole_pass=variant.whole_pass and label == "B")
        for code, label in ((scene.code, "A"), (changed, "B"))
    )
    try:
        for way in (a, b):
            way.prepare()
    except BaseException:
        a.close()
        b.close()
        raise
    seen = [it for it in (scene.cell.keras.calls if scene.cell.keras else ()) if it.method == wanted.method]
    units = sum(it.steps * it.steps_per_execution for it in seen if wanted.model in (None, it.name))
    return Pair(
        baseline=a, candidate=b, unit="step", guard=lambda: guard.losses(a, b, variant.kind),
        units=float(units) or None, notes=_left_out(a, wanted),
    )  # fmt: skip


def _left_out(way: KerasWay, wanted: Target) -> tuple[str, ...]:
    """What of the call is not in its steps."""
    given = way.call.given
    callbacks = given.get("callbacks") or ()
    names = [type(it).__name__ for it in (callbacks if isinstance(callbacks, list | tuple) else [callbacks])]
    parts = ["what happens between epochs"]
    if names:
        parts.append(f"callbacks ({', '.join(names[:5])})")
    if given.get("validation_data") is not None or given.get("validation_split"):
        parts.append("validation")
    if given.get("verbose", "auto") != 0:
        parts.append("the progress bar")
    listed = f"{', '.join(parts[:-1])} and {parts[-1]}" if len(parts) > 1 else parts[0]
    return (f"Only the steps of {wanted.method} are compared, without {listed}.",)


def _of_loop(scene: Scene, variant: KerasVariant, changed: str) -> Pair:
    """Turns of the user's own loop."""
    code = {label: counted(it, variant.works(scene)) for it, label in ((scene.code, "A"), (changed, "B"))}
    a, b = (Replay(scene, code[label], label, Turns(scene.namespace)) for label in "AB")
    try:
        for way in (a, b):
            way.prepare()
    except BaseException:
        a.close()
        b.close()
        raise
    names = _bound(scene.code)

    def run(label: str, seed: int | None) -> list[Any]:
        # By a clock that stands still: a way whose first turns are slow is prepared with fewer of them otherwise.
        way = Replay(scene, code[label], label, Turns(scene.namespace), clock=lambda: 0.0)
        try:
            if seed is not None:
                way.stage.ambient = seeded(seed)
            way.prepare()
            way.unit_s = SLOW_S  # one turn to warm up, in both ways
            way.run(TURNS, nullcontext)
            return arrays(way, names)
        finally:
            way.close()

    def judge() -> Quality:
        return guard.left_behind(run, variant.kind)

    return Pair(baseline=a, candidate=b, unit=Turns.unit, guard=judge, units=variant.units(scene))


def _bound(code: str) -> frozenset[str]:
    """Names that the cell binds: what its loop leaves is among them."""
    return frozenset(
        it.id for it in ast.walk(ast.parse(code)) if isinstance(it, ast.Name) and isinstance(it.ctx, ast.Store)
    )
