"""Fill the cache of machine code: fit every estimator, by every solver, on a few rows.

For images of containers, and for continuous integration: what is compiled here is read from disk
afterwards.
"""

import contextlib
import inspect
import time
import warnings

import numpy as np
from sklearn.utils import get_tags

from skcourse.core.kernel import cache_base
from skcourse.core.validation import StrOptions

N, P = 60, 4  # rows and columns: more of both than any default asks for
ROUTES = ("algorithm", "solver", "svd_solver")  # parameters that choose the code that runs


def warm_up(estimators):
    """Fit `estimators` on a few rows and print how long that took.

    Parameters
    ----------
    estimators : list of (name, class), see `skcourse.discovery.all_estimators`

    Returns
    -------
    status : int, 1 if a fit with default parameters failed, else 0
    """
    failed = False
    started = time.perf_counter()
    width = max(len(name) for name, _ in estimators) if estimators else 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # on so few rows there is much to warn of
        for name, estimator_class in estimators:
            print(f"{name:<{width}}", end="  ", flush=True)
            before = time.perf_counter()
            error = run(estimator_class)
            failed = failed or error is not None
            told = f"FAILED: {error!r}" if error else f"{time.perf_counter() - before:6.2f} s"
            print(told, flush=True)
    print(f"{'in all':<{width}}  {time.perf_counter() - started:6.2f} s, kept in {cache_base()}")
    return int(failed)


def run(estimator_class):
    """Fit and ask one estimator by all routes; return the error of the default one, or None."""
    for dtype in (np.float64, np.float32):
        try:
            exercise(estimator_class(), dtype)
        except Exception as error:
            return error
        for name, option in routes(estimator_class):
            with contextlib.suppress(TypeError, ValueError):  # it may want other data
                exercise(estimator_class(**{name: option}), dtype)
    return None


def routes(estimator_class):
    """List (parameter, name) for every name that a parameter in ROUTES takes."""
    constraints = getattr(estimator_class, "_parameter_constraints", {})
    return [
        (name, option)
        for name in ROUTES
        for constraint in constraints.get(name, ())
        if isinstance(constraint, StrOptions)
        for option in sorted(constraint.options)
    ]


def exercise(estimator, dtype):
    """Fit on random rows, also weighted where it can be, and ask for whatever it answers."""
    rng = np.random.RandomState(0)
    X = np.ascontiguousarray(rng.uniform(size=(N, P)), dtype=dtype)
    discrete = get_tags(estimator).estimator_type == "classifier"
    y = np.arange(N) % 3 if discrete else (X @ np.arange(1, P + 1)).astype(dtype)
    weights = np.ones(N, dtype)
    for method in ("fit", "partial_fit"):
        call = getattr(estimator, method, None)
        if call is None:
            continue
        call(X, y)
        if "sample_weight" in inspect.signature(call).parameters:
            call(X, y, sample_weight=weights)
    for method in (
        "predict",
        "predict_proba",
        "decision_function",
        "transform",
        "inverse_transform",
        "score_samples",
    ):
        call = getattr(estimator, method, None)
        if call is not None:
            call(estimator.transform(X) if method == "inverse_transform" else X)
    if hasattr(estimator, "score"):
        estimator.score(X, y)
