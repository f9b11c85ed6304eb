"""Fill the cache of machine code: fit every estimator, by every solver, on a few rows.

For images of containers, and for continuous integration: what is compiled here is read from disk
afterwards. Machine code is made for a dtype and a layout of arrays, so each estimator sees float64
and float32; rows, columns and sparse matrices; few features and many; and is asked about one row,
and about thousands.
"""

import contextlib
import inspect
import time
import warnings

import numpy as np
import scipy.sparse as sp
from sklearn.base import clone
from sklearn.utils import get_tags

from skcourse.core.chunks import one_blas_thread
from skcourse.core.kernel import cache_base
from skcourse.core.validation import StrOptions

N, P = 40, 4  # rows and columns: more of both than any default asks for
MANY = 5_000  # rows: so many that answers are computed another way
WIDE = 132  # columns: so many that distances to centres are bounded one by one
ROUTES = ("algorithm", "solver", "svd_solver")  # parameters that choose the code that runs


def in_one_place(X, n_clusters, random_state):
    """Return centres of which all but one lose their rows."""
    return np.zeros((n_clusters, X.shape[1]))


def among_many(X, n_clusters, random_state):
    """Return centres as they are chosen among so many rows that these are sketched."""
    from skcourse.cluster import kmeans_plusplus

    many = np.resize(X.toarray() if sp.issparse(X) else X, (2**14, X.shape[1]))
    return kmeans_plusplus(many, 16, random_state=random_state)[0][:n_clusters]


MORE_ROUTES = {  # other parameters that do, by the name of the class
    "DecisionTreeClassifier": [{"ccp_alpha": 0.01}, {"categorical_features": [0]}],
    "DecisionTreeRegressor": [{"criterion": "absolute_error"}, {"criterion": "poisson"}],
    "DictionaryLearning": [{"fit_algorithm": "cd", "max_iter": 5}],
    "GradientDescentClassifier": [{"batch_size": 8}, {"penalty": "l1"}],
    "GradientDescentRegressor": [{"batch_size": 8}, {"penalty": "l1"}],
    "GaussianMixture": [{"covariance_type": kind} for kind in ("tied", "diag", "spherical")],
    "IncrementalPCA": [{"n_components": 2, "batch_size": 20}],
    "KMeans": [
        *({"init": init, "n_init": 1} for init in (in_one_place, among_many)),
        {"init": "k-means||"},
        {"size_max": N // 2},
    ],
    "LinearRegression": [{"positive": True}],
    "LogisticRegression": [
        {"solver": "saga", "l1_ratio": 1.0},
        {"solver": "liblinear", "dual": True},
    ],
    "NMF": [{"solver": "mu", "beta_loss": 1.0}],
    "PCA": [{"svd_solver": "covariance_eigh", "n_components": 2}],
    "Ridge": [{"positive": True}],
    "RidgeClassifier": [{"positive": True}],
}
QUESTIONS = ("predict", "predict_proba", "decision_function", "transform", "score_samples")


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
    with warnings.catch_warnings(), one_blas_thread():
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
            exercise(estimator_class(), rows(P, dtype))
        except Exception as error:
            return error
        for parameters in routes(estimator_class):
            estimator = estimator_class(**parameters)
            for X in inputs(estimator, dtype):
                with contextlib.suppress(TypeError, ValueError):  # it may want other data
                    exercise(clone(estimator), X)
    return None


def routes(estimator_class):
    """List parameters: none; each name that one of ROUTES takes; what MORE_ROUTES has."""
    constraints = getattr(estimator_class, "_parameter_constraints", {})
    named = [
        {name: option}
        for name in ROUTES
        for constraint in constraints.get(name, ())
        if isinstance(constraint, StrOptions)
        for option in sorted(constraint.options)
    ]
    return [{}, *named, *MORE_ROUTES.get(estimator_class.__name__, ())]


def inputs(estimator, dtype):
    """Yield rows of every kind that an estimator may be given."""
    X = rows(P, dtype)
    yield from (X, np.asfortranarray(X), rows(WIDE, dtype))
    if get_tags(estimator).input_tags.allow_nan:
        yield np.where(np.eye(N, P, dtype=bool), np.nan, X)
    if get_tags(estimator).input_tags.sparse:
        yield sp.csr_array(X)
        yield sp.csc_array(X)


def rows(n_features, dtype):
    """Make random rows, C-contiguous."""
    return np.random.RandomState(0).uniform(size=(N, n_features)).astype(dtype)


def exercise(estimator, X):
    """Fit on X, also weighted where it can be, and ask for whatever it answers."""
    discrete = get_tags(estimator).estimator_type == "classifier"
    y = np.arange(N) % 3 if discrete else (X @ np.arange(1, X.shape[1] + 1)).astype(X.dtype)
    if not get_tags(estimator).target_tags.single_output:
        y = np.column_stack([y, -y])
    for method in ("fit", "partial_fit"):
        call = getattr(estimator, method, None)
        if call is None:
            continue
        call(X, y)
        if "sample_weight" in inspect.signature(call).parameters:
            call(X, y, sample_weight=np.linspace(1, 2, N, dtype=X.dtype))
        ask(estimator, X)
        ask(estimator, X[:1])
        if isinstance(X, np.ndarray):
            ask(estimator, np.resize(X, (MANY, X.shape[1])))
    if hasattr(estimator, "score"):
        estimator.score(X, y)


def ask(estimator, X):
    """Ask for whatever the fitted estimator answers."""
    for method in QUESTIONS:
        call = getattr(estimator, method, None)
        if call is not None:
            call(X)
    if hasattr(estimator, "inverse_transform"):
        estimator.inverse_transform(estimator.transform(X))
