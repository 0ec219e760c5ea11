"""What was seen of scikit-learn, and of XGBoost and LightGBM through the same interface, in one cell."""

from __future__ import annotations

from dataclasses import dataclass, field

FITS = ("fit", "fit_transform", "fit_predict")
"""Methods that train from the beginning."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSeen:
    """What an estimator was given.

    Attributes:
        rows, columns: of X; columns 1 for a vector, 0 where it has none.
        dtype: of X ("float64"), "object" for mixed columns; ``kind``: "ndarray", "DataFrame", "sparse", "list".
        name: the user's name for X; ``y_name`` for y.
        print: a fingerprint of X and y, equal for equal data: "" where there is none (too large to be read in time).
    """

    rows: int
    columns: int
    dtype: str
    kind: str = "ndarray"
    name: str | None = None
    y_name: str | None = None
    print: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkSeen:
    """Fits that did the same: equal data, equal parameters to the last, nothing left to chance.

    ``print`` is equal for equal work, ``calls`` how many there were in the cell, ``seconds`` all of them together.
    """

    print: str
    calls: int = 1
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class EstimatorCall:
    """Calls of one method of one estimator with the same class, data shape and parameters, in one cell.

    Within other estimators (``depth`` above 0) shapes and numbers in parameters may differ among the calls; what is
    told of them is the first call's.

    Attributes:
        estimator: class name; ``module`` where it lives; ``name`` the user's for it.
        method: "fit", "fit_transform", "predict", "transform", "partial_fit", ...
        parameters: ``get_params(deep=False)``: numbers, texts, booleans and None as they are, all else by its class.
        calls: how many; ``seconds`` of all of them together; ``cpu_s`` process CPU seconds meanwhile, 0.0 for methods
            that don't fit and within others than pipelines. Other processes (``n_jobs`` of a search) are not in it.
        depth: 0 for one that the notebook itself called, 1 within that, and so on.
        inside: class name of the estimator around it (a search, a pipeline), "" at depth 0.
        fitted: what it said after fitting: ``n_iter_``, ``n_estimators_``, ``best_params_`` and the like; and of its
            loss by iteration: ``curve`` ("validation" or "training"), ``iterations``, and ``flat_from``, the iteration
            by which all but a thousandth of the improvement had been made.
        failed: whether it raised.
        inner_n_jobs: the ``n_jobs`` of an estimator among its parameters that is neither None nor 1; None without one.
        work: of fits at depth 0 that took time: which of them did the same.
    """

    estimator: str
    module: str = ""
    name: str | None = None
    method: str = "fit"
    parameters: dict[str, object] = field(default_factory=dict)
    data: DataSeen | None = None
    calls: int = 1
    seconds: float = 0.0
    cpu_s: float = 0.0
    depth: int = 0
    inside: str = ""
    fitted: dict[str, object] = field(default_factory=dict)
    failed: bool = False
    inner_n_jobs: int | None = None
    work: tuple[WorkSeen, ...] = ()

    @property
    def fits(self) -> bool:
        """Whether it trains from the beginning."""
        return self.method in FITS


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchSeen:
    """A search over parameters: GridSearchCV, RandomizedSearchCV, HalvingGridSearchCV.

    Attributes:
        call: the index of its ``fit`` in :attr:`SklearnSignals.calls`.
        estimator: class name of what is searched; ``steps`` those of a pipeline, in order.
        parameters: those that vary, each with how many values.
        candidates: how many were tried; ``splits`` of the data for each.
        fit_s: mean seconds of one fit, as the search has it; ``preprocess_s`` of that in a pipeline's steps before the
            last (from the fits in this process: all of them, or the last one alone), None where that was not seen.
        memory: whether the pipeline caches its steps. ``refit_s``: of the last fit on everything.
        n_jobs: of the search; ``inner_n_jobs`` of what is searched.
    """

    call: int
    estimator: str
    steps: tuple[str, ...] = ()
    parameters: dict[str, int] = field(default_factory=dict)
    candidates: int = 0
    splits: int = 0
    fit_s: float = 0.0
    preprocess_s: float | None = None
    refit_s: float = 0.0
    memory: bool = False
    n_jobs: int | None = None
    inner_n_jobs: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SklearnSignals:
    """Everything that was seen of scikit-learn in one cell.

    Attributes:
        calls: in the order in which they came first.
        intelex: whether scikit-learn-intelex has patched it; ``x86`` whether this machine could.
        cpus: logical CPUs that this process may run on.
        dropped: calls that were counted in no entry because there were too many different ones.
            Entries of next to no seconds are not told either.
    """

    version: str
    calls: tuple[EstimatorCall, ...] = ()
    searches: tuple[SearchSeen, ...] = ()
    intelex: bool = False
    x86: bool = True
    cpus: int = 1
    dropped: int = 0
