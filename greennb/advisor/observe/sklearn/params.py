"""What an estimator is set to, and what it says after fitting: from its ``__dict__``, no code of its own runs."""

from __future__ import annotations

import hashlib
import inspect
import math
from typing import Any

from greennb.advisor.observe.sklearn.wrap import PACKAGES

PLAIN = frozenset((bool, int, float, str, type(None)))
"""Types of parameters that are told as they are."""

WORDS = frozenset((bool, str, type(None)))
"""Types of parameters of which there are few values."""

MOST_TEXT = 120
"""Characters of a text parameter that are kept."""

FITTED = ("n_iter_", "n_estimators_", "best_params_", "best_score_", "best_index_", "n_features_in_", "n_splits_")
"""Attributes after fitting that rules may want to know."""

UNSEEDED_IS_DETERMINISTIC = {
    "LogisticRegression": ("solver", ("lbfgs", "newton-cg", "newton-cholesky")),
    "Ridge": ("solver", ("auto", "svd", "cholesky", "lsqr", "sparse_cg", "lbfgs")),
    "RidgeClassifier": ("solver", ("auto", "svd", "cholesky", "lsqr", "sparse_cg", "lbfgs")),
    "Lasso": ("selection", ("cyclic",)),
    "ElasticNet": ("selection", ("cyclic",)),
    "SVC": ("probability", (False, "deprecated")),
    "NuSVC": ("probability", (False, "deprecated")),
    "PCA": ("svd_solver", ("full", "covariance_eigh")),
}
"""Estimators whose ``random_state`` plays no part where a parameter has one of these values: scikit-learn's docs."""

ANY_NUMBER = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)

_names: dict[type, tuple[str, ...]] = {}


class NotPlainError(Exception):
    """A parameter says nothing by which it could be told from another one."""


def state(thing: Any) -> dict[str, Any]:
    """Its ``__dict__``, {} where it has none."""
    try:
        found = object.__getattribute__(thing, "__dict__")
    except AttributeError:
        return {}
    return found if type(found) is dict else {}


def module_of(kind: type) -> str:
    """Where a class says that it was defined; "" where it says nothing of the kind."""
    try:
        found = type.__dict__["__module__"].__get__(kind)
    except AttributeError:
        return ""
    return found if type(found) is str else ""


def names(kind: type) -> tuple[str, ...]:
    """The parameters of an estimator's class: what its ``__init__`` names, and where that passes ``**kwargs`` on, the
    ``__init__`` of the class that it inherits from."""
    known = _names.get(kind)
    if known is None:
        found: dict[str, None] = {}
        for cls in kind.__mro__[:-1]:
            init = vars(cls).get("__init__")
            given = _signature(init) if init is not None else {}
            found.update({name: None for name, it in given.items() if name != "self" and it.kind not in ANY_NUMBER})
            if init is not None and not any(it.kind in ANY_NUMBER for it in given.values()):
                break
        known = tuple(found)
        if module_of(kind).startswith(PACKAGES):  # a notebook may define the same class a thousand times
            _names[kind] = known
    return known


def _signature(function: Any) -> Any:
    try:
        return inspect.signature(function).parameters
    except (TypeError, ValueError):
        return {}


TELLING = ("kernel", "n_jobs", "tree_method")
"""Parameters by which calls within other estimators are told apart, where they are texts, booleans or None."""

_telling: dict[type, tuple[str, ...]] = {}


def key(owner: Any) -> tuple[Any, ...]:
    """The plain parameters, in the order of :func:`names`."""
    held = state(owner)
    return tuple([value if type(value := held.get(name)) in PLAIN else ... for name in names(type(owner))])


def inner_key(owner: Any) -> tuple[Any, ...]:
    """Those of the parameters that tell apart; there may be thousands of such calls, of some microseconds each."""
    kind = type(owner)
    telling = _telling.get(kind)
    if telling is None:
        telling = tuple(name for name in names(kind) if name in TELLING)
        if module_of(kind).startswith(PACKAGES):
            _telling[kind] = telling
    if not telling:
        return ()
    held = state(owner)
    return tuple([value if type(value := held.get(name)) in WORDS else ... for name in telling])


def parameters(owner: Any) -> dict[str, object]:
    """As :attr:`~greennb.advisor.signals.sklearn.EstimatorCall.parameters`."""
    held = state(owner)
    return {name: _told(held[name]) for name in names(type(owner)) if name in held}


def _told(value: Any) -> object:
    if type(value) is float and not math.isfinite(value):
        return str(value)  # JSON has no word for it
    if type(value) is str:
        return value[:MOST_TEXT]
    return value if type(value) in PLAIN else type(value).__name__


def last_step(owner: Any) -> Any:
    """The last step of a pipeline, itself where it is none."""
    steps = state(owner).get("steps")
    if type(steps) is list and steps and type(steps[-1]) is tuple and len(steps[-1]) == 2:
        return steps[-1][1]
    return owner


WITHOUT_EFFECT = (
    "LogisticRegression", "LinearRegression", "SGDClassifier", "Perceptron", "PassiveAggressiveClassifier", "Pipeline",
)  # fmt: skip
"""Estimators whose ``n_jobs`` does nothing, or only for several targets: scikit-learn's documentation."""


def inner_n_jobs(owner: Any, depth: int = 3) -> int | None:
    """The ``n_jobs`` neither None nor 1 of an estimator within ``owner``, the first that is met; None without one."""
    for inner in _inner(owner):
        found = state(inner).get("n_jobs")
        if type(found) is int and found != 1 and type(inner).__name__ not in WITHOUT_EFFECT:
            return found
        below = inner_n_jobs(inner, depth - 1) if depth > 1 else None
        if below is not None:
            return below
    return None


def _inner(owner: Any) -> list[Any]:
    """The estimators among the parameters: ``estimator``, a pipeline's steps, a voting's."""
    held = state(owner)
    found = [held[name] for name in ("estimator", "base_estimator", "final_estimator") if name in held]
    for name in ("steps", "estimators", "transformers", "transformer_list"):
        listed = held.get(name)
        if type(listed) is list:
            found += [it[1] for it in listed[:50] if type(it) is tuple and len(it) > 1]
    return [it for it in found if _is_known(type(it))]


def _is_known(kind: type) -> bool:
    return module_of(kind).startswith(PACKAGES)


def settings(owner: Any) -> str:
    """A fingerprint of everything that ``owner`` is set to, equal where a fit on equal data must give the same.

    "" where something is left to chance (``random_state=None``), or can't be told from another (a function of the
    user's, a RandomState).
    """
    try:
        return hashlib.blake2b(_canonical(owner, 0).encode(), digest_size=8).hexdigest()
    except NotPlainError:
        return ""


def _canonical(value: Any, depth: int) -> str:
    kind = type(value)
    if depth > 6:
        raise NotPlainError
    if kind in PLAIN:
        return repr(value)
    if kind in (list, tuple) and len(value) <= 1000:
        return f"{kind.__name__}({','.join([_canonical(it, depth + 1) for it in value])})"
    if kind is dict and len(value) <= 1000 and all(type(name) is str for name in value):
        return "{" + ",".join([f"{name}:{_canonical(it, depth + 1)}" for name, it in sorted(value.items())]) + "}"
    if module_of(kind) == "numpy" and kind.__name__.startswith(("int", "float", "bool")):
        return repr(value.item())
    if kind.__name__ == "function" and str(value.__module__).startswith("sklearn."):
        return f"{value.__module__}.{value.__qualname__}"
    if not _is_known(kind):
        raise NotPlainError
    return _of_object(value, depth)


def _of_object(value: Any, depth: int) -> str:
    held = state(value)
    named = [name for name in names(type(value)) if name in held]
    if not named and held:
        raise NotPlainError
    if "random_state" in held and held["random_state"] is None and not _is_settled(type(value), held):
        raise NotPlainError
    if held.get("warm_start") is True or any(held[name] is False for name in named if name.startswith("copy")):
        raise NotPlainError  # it goes on from where it was; it changes the data that it is given
    inside = ",".join([f"{name}={_canonical(held[name], depth + 1)}" for name in named])
    return f"{type(value).__module__}.{type(value).__qualname__}({inside})"


def _is_settled(kind: type, held: dict[str, Any]) -> bool:
    """Whether no chance plays a part though ``random_state`` is None."""
    if held.get("shuffle") is False or module_of(kind).startswith(("xgboost.", "lightgbm.")):
        return True  # these two seed themselves with a constant
    name, settled = UNSEEDED_IS_DETERMINISTIC.get(kind.__name__, ("", ()))
    return name in held and held[name] in settled


def fitted(owner: Any) -> dict[str, object]:
    """As :attr:`~greennb.advisor.signals.sklearn.EstimatorCall.fitted`."""
    held = state(owner)
    found: dict[str, object] = {}
    for name in FITTED:
        value = held.get(name)
        if type(value) is dict:
            found[name] = {str(key): _told(it) for key, it in value.items()}
        elif value is not None and (number := _number(value)) is not None:
            found[name] = number
    return found


def _number(value: Any) -> float | int | None:
    """``value`` as a number; of an array the largest."""
    numpys = module_of(type(value)) == "numpy"
    plain = value.max().item() if numpys and value.size else value
    return plain if type(plain) in (int, float) and math.isfinite(plain) else None
