"""Paths: the elastic net for many penalties, each starting where the last one ended.

Problem     (1) of `lasso_problem` for alpha_1 > alpha_2 > ..., without intercept.
Method      `gram_path` on Z'Z, where there are more rows than features or it is asked for;
            `working_set` on the data otherwise.
Reference   J. Friedman, T. Hastie, R. Tibshirani, Regularization paths for generalized linear
            models via coordinate descent, J. Statistical Software, 2010.
"""

import sys
import warnings
from numbers import Integral, Real
from typing import Any, NamedTuple

import numpy as np
from scipy import sparse
from sklearn.utils import check_array, check_consistent_length

from skcourse.core.chunks import one_blas_thread
from skcourse.core.duality_gap import Net
from skcourse.core.moments import moments
from skcourse.core.validation import FLOATS, Hidden, Interval, StrOptions, validate_params
from skcourse.linear_model.base import as_columns
from skcourse.linear_model.columns import columns_of
from skcourse.linear_model.gram_path import Path, Products, gram_path
from skcourse.linear_model.lasso_problem import (
    alpha_grid,
    as_read,
    checked_gram,
    seed_of,
    strengths,
    warn_unconverged,
)
from skcourse.linear_model.working_set import ALL_WORK, Descent, Settings

CONSTRAINTS = {
    "X": ["array-like", "sparse matrix"],
    "y": ["array-like", "sparse matrix"],
    "eps": [Interval(Real, 0, None, closed="neither")],
    "n_alphas": [Interval(Integral, 1, None, closed="left"), Hidden(StrOptions({"deprecated"}))],
    "alphas": [
        Interval(Integral, 1, None, closed="left"),
        "array-like",
        None,
        Hidden(StrOptions({"warn"})),
    ],
    "precompute": [StrOptions({"auto"}), "boolean", "array-like"],
    "Xy": ["array-like", None],
    "copy_X": ["boolean"],
    "coef_init": ["array-like", None],
    "verbose": ["verbose"],
    "return_n_iter": ["boolean"],
    "positive": ["boolean"],
}


@validate_params(CONSTRAINTS, prefer_skip_nested_validation=True)
def lasso_path(
    X,
    y,
    *,
    eps=1e-3,
    n_alphas="deprecated",
    alphas="warn",
    precompute="auto",
    Xy=None,
    copy_X=True,
    coef_init=None,
    verbose=False,
    return_n_iter=False,
    positive=False,
    **params,
):
    """Compute the lasso for many penalties, without an intercept.

    Parameters
    ----------
    X, y, eps, n_alphas, alphas, precompute, Xy, copy_X, coef_init, verbose, return_n_iter, positive
        See `enet_path`, which this is with ``l1_ratio=1``.
    **params : dict
        ``tol``, ``max_iter``, ``selection``, ``random_state``, ``check_input``; see there.

    Returns
    -------
    alphas : ndarray of shape (n_alphas,), falling
    coefs : ndarray of shape (n_features, n_alphas) or (n_targets, n_features, n_alphas)
    dual_gaps : ndarray of shape (n_alphas,)
    n_iters : list of int
        If `return_n_iter`.

    See Also
    --------
    Lasso : For one penalty, with an intercept.
    LassoCV : Chooses the penalty.

    Examples
    --------
    >>> from skcourse.linear_model import lasso_path
    >>> alphas, coefs, _ = lasso_path([[1.0], [2.0], [3.0]], [1.0, 2.0, 3.0], alphas=[2.0, 1.0])
    >>> coefs.round(3)
    array([[0.571, 0.786]])
    """
    asked = Asked(1.0, eps, n_alphas, alphas, precompute, Xy, coef_init, verbose, positive)
    check_input = params.pop("check_input", True)
    found = compute_path(X, y, asked, params, check_input)
    return found if return_n_iter else found[:3]


@validate_params(
    CONSTRAINTS | {"l1_ratio": [Interval(Real, 0, 1, closed="both")], "check_input": ["boolean"]},
    prefer_skip_nested_validation=True,
)
def enet_path(
    X,
    y,
    *,
    l1_ratio=0.5,
    eps=1e-3,
    n_alphas="deprecated",
    alphas="warn",
    precompute="auto",
    Xy=None,
    copy_X=True,
    coef_init=None,
    verbose=False,
    return_n_iter=False,
    positive=False,
    check_input=True,
    **params,
):
    """Compute the elastic net for many penalties, without an intercept.

    Parameters
    ----------
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
    y : array-like of shape (n_samples,) or (n_samples, n_targets)
        Several targets share their features: see `MultiTaskElasticNet`.
    l1_ratio : float, default=0.5
        1 is the lasso, 0 ridge regression.
    eps : float, default=1e-3
        The smallest alpha over the largest, if the grid is made.
    n_alphas : int
        Deprecated: give `alphas` a number.
    alphas : int or array-like, default=100
        The penalties, or how many.
    precompute : "auto", bool or array-like of shape (n_features, n_features), default="auto"
        Whether to work on X'X, which may be given; "auto": if there are more rows than columns,
        or few of both.
    Xy : array-like of shape (n_features,) or (n_features, n_targets), default=None
        X'y, where X'X is given.
    copy_X : bool, default=True
        Of no effect: X is never overwritten.
    coef_init : array-like of shape (n_features,) or (n_targets, n_features), default=None
    verbose : bool or int, default=False
        1 shows a dot per penalty, 2 its number.
    return_n_iter : bool, default=False
    positive : bool, default=False
        Keep the coefficients from being negative; for one target only.
    check_input : bool, default=True
        False trusts X and y to be finite floats.
    **params : dict
        ``tol=1e-4``, ``max_iter=1000``, ``selection="cyclic"``, ``random_state=None`` as in
        `ElasticNet`; ``do_screening=True``, whether to begin with few features; and for sparse X,
        ``X_offset`` and ``X_scale``, whose ratio is taken from the columns, and ``sample_weight``.

    Returns
    -------
    alphas : ndarray of shape (n_alphas,), falling
    coefs : ndarray of shape (n_features, n_alphas) or (n_targets, n_features, n_alphas)
    dual_gaps : ndarray of shape (n_alphas,)
    n_iters : list of int
        If `return_n_iter`.

    Raises
    ------
    ValueError
        If `params` has other names, or input is bad.

    Warns
    -----
    ConvergenceWarning
        If a penalty ended at ``max_iter``.

    See Also
    --------
    ElasticNet : For one penalty, with an intercept.
    ElasticNetCV : Chooses the penalty.

    Examples
    --------
    >>> from skcourse.linear_model import enet_path
    >>> alphas, coefs, _ = enet_path([[1.0], [2.0], [3.0]], [1.0, 2.0, 3.0], alphas=[2.0, 1.0])
    >>> coefs.round(3)
    array([[0.647, 0.806]])
    """
    asked = Asked(l1_ratio, eps, n_alphas, alphas, precompute, Xy, coef_init, verbose, positive)
    found = compute_path(X, y, asked, params, check_input)
    return found if return_n_iter else found[:3]


class Asked(NamedTuple):
    """The parameters of `enet_path` that say what is to be found."""

    l1_ratio: float
    eps: float
    n_alphas: Any
    alphas: Any
    precompute: Any
    Xy: Any
    coef_init: Any
    verbose: int
    positive: bool


def compute_path(X, y, asked, params, check_input):
    """Return alphas, coefficients, gaps and sweeps: the four of `enet_path`."""
    alphas, l1_ratio = asked_alphas(asked.alphas, asked.n_alphas), asked.l1_ratio
    given = path_parameters(params)
    if check_input:
        X = check_array(X, accept_sparse="csc", dtype=FLOATS)
        y = check_array(y, dtype=X.dtype.type, ensure_2d=False)
        check_consistent_length(X, y)
    X, y = as_read(X), np.asarray(y)
    if y.ndim != 1 and asked.positive:
        raise ValueError("positive=True is not allowed for multi-output (y.ndim != 1)")
    with one_blas_thread(), np.errstate(over="ignore", invalid="ignore"):
        run = PathRun(X, as_columns(y).T, given, asked, check_input)
        if isinstance(alphas, Integral):
            options = {"l1_ratio": l1_ratio, "eps": asked.eps, "n_alphas": alphas}
            alphas = alpha_grid(run.slopes, len(y), positive=asked.positive, **options)
        else:
            alphas = np.sort(alphas)[::-1]
        path = run.solve(strengths(alphas, l1_ratio, len(y)))
    report(path, run, alphas * l1_ratio, asked.verbose)
    coefs = np.moveaxis(path.coefs, 0, -1).astype(X.dtype)
    return alphas, coefs if y.ndim > 1 else coefs[0], path.gaps / len(y), path.n_sweeps.tolist()


class PathRun:
    """A path on the data or on their products; `slopes` is Z'y, (t, p)."""

    def __init__(self, X, Y, given, asked, check_gram):
        n, p = X.shape
        self.settings, self.asked = path_settings(given), asked
        self.products, self.descent = None, None
        is_sparse, precompute = sparse.issparse(X), asked.precompute
        if isinstance(precompute, str):
            precompute = n > p or n * p * p <= ALL_WORK
        if precompute is True and not is_sparse:
            sums = moments(np.ascontiguousarray(X), Y.T, centre=False).scatter
            gram, slopes = np.ascontiguousarray(sums[:, :p]), np.ascontiguousarray(sums[:, p:].T)
            self.products = Products(gram, slopes, float(np.vdot(Y, Y)))
            self.slopes = slopes
            return
        weights, means = None, None
        if is_sparse:
            weights = given["sample_weight"]
            if given["X_offset"] is not None:
                means = np.asarray(given["X_offset"]) / np.asarray(given["X_scale"])
        columns = columns_of(X, weights, centre=False, means=means)
        Y = Y * columns.roots if weights is not None else np.ascontiguousarray(Y)
        if np.ndim(precompute) and not is_sparse:
            gram = checked_gram(precompute, columns, Y.dtype) if check_gram else precompute
            gram = np.ascontiguousarray(gram, dtype=np.float64)
            slopes = columns.products(Y) if asked.Xy is None else as_columns(asked.Xy).T.copy()
            self.products = Products(gram, slopes, float(np.vdot(Y, Y)))
        else:
            self.descent = Descent(columns, Y, self.settings)
            slopes = columns.products(Y)
        self.slopes = slopes

    @property
    def target(self):
        """The gap to be reached."""
        squares = self.products.squares if self.descent is None else self.descent.squares
        return self.settings.tol * squares

    def solve(self, penalties):
        """Return the Path of the penalties, rows (a, b)."""
        start, positive = self.asked.coef_init, self.asked.positive
        if start is not None:
            start = np.atleast_2d(np.asarray(start, dtype=np.float64))
        if self.products is not None:
            options = {"positive": bool(positive), "start": start}
            return gram_path(self.products, penalties, self.settings, **options)
        if start is not None:
            self.descent.start(start)
        return descent_path(self.descent, penalties, positive)


def path_settings(given):
    """Return the Settings of a path."""
    random = given["selection"] == "random"
    return Settings(
        1000 if given["max_iter"] is None else given["max_iter"],
        float(given["tol"]),
        random,
        seed_of(given["random_state"]) if random else np.uint64(0),
        not given["do_screening"],
    )


def descent_path(descent, penalties, positive):
    """Return the Path of the penalties, rows (a, b), on the data."""
    n = len(penalties)
    path = Path(
        np.empty((n, *descent.w.shape)), np.empty(n), np.empty(n, np.int64), np.empty(n, np.bool_)
    )
    for i, (a, b) in enumerate(penalties):
        path.n_sweeps[i], path.done[i] = descent.solve(Net(float(a), float(b), bool(positive)))
        path.coefs[i], path.gaps[i] = descent.w, descent.gap
    return path


def asked_alphas(alphas, n_alphas):
    """Return the penalties, or their number; warn about what is deprecated as scikit-learn does."""
    asked = 100
    if n_alphas != "deprecated":
        warnings.warn(
            "'n_alphas' was deprecated in 1.9 and will be removed in 1.11. 'alphas' takes a "
            "number as well.",
            FutureWarning,
            stacklevel=5,
        )
        asked = n_alphas
    if alphas is None:
        warnings.warn(
            "'alphas=None' is deprecated and will be removed in 1.11; 'alphas=100' is the same.",
            FutureWarning,
            stacklevel=5,
        )
    elif not isinstance(alphas, str):
        asked = alphas
    return asked if isinstance(asked, Integral) else np.asarray(asked)


def path_parameters(params):
    """Return `params` with defaults; raise ValueError if there are unknown ones."""
    known = {
        "X_offset": None,
        "X_scale": None,
        "sample_weight": None,
        "tol": 1e-4,
        "max_iter": 1000,
        "random_state": None,
        "selection": "cyclic",
        "do_screening": True,
    }
    if unknown := sorted(set(params) - set(known)):
        raise ValueError("Unexpected parameters in params", unknown)
    given = known | params
    if given["selection"] not in ("random", "cyclic"):
        raise ValueError("selection should be either random or cyclic.")
    return given


def report(path, run, l1, verbose):
    """Warn of penalties that did not converge; show what `verbose` asks for."""
    for i in range(len(l1)):
        if not path.done[i]:
            warn_unconverged(path.gaps[i], run.target, l1[i])
        if verbose > 1:
            print(f"Path: {i:03d} out of {len(l1):03d}")
        elif verbose:
            sys.stderr.write(".")
