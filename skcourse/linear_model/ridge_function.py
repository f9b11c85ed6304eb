"""Ridge regression as one call: the coefficients, and nothing to keep. See `ridge`."""

from numbers import Integral, Real

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import LinearOperator
from sklearn.utils import check_array, check_consistent_length

from skcourse.core.validation import (
    FLOATS,
    Interval,
    StrOptions,
    check_weights,
    validate_params,
)
from skcourse.linear_model.base import SPARSE, as_columns
from skcourse.linear_model.ridge import Ridge
from skcourse.linear_model.ridge_problem import SOLVERS


@validate_params(
    {
        "X": ["array-like", "sparse matrix", LinearOperator],
        "y": ["array-like"],
        "alpha": [Interval(Real, 0, None, closed="left"), "array-like"],
        "sample_weight": [Interval(Real, None, None, closed="neither"), "array-like", None],
        "solver": [StrOptions(set(SOLVERS))],
        "max_iter": [Interval(Integral, 0, None, closed="left"), None],
        "tol": [Interval(Real, 0, None, closed="left")],
        "verbose": ["verbose"],
        "positive": ["boolean"],
        "random_state": ["random_state"],
        "return_n_iter": ["boolean"],
        "return_intercept": ["boolean"],
        "check_input": ["boolean"],
    },
    prefer_skip_nested_validation=True,
)
def ridge_regression(
    X,
    y,
    alpha,
    *,
    sample_weight=None,
    solver="auto",
    max_iter=None,
    tol=1e-4,
    verbose=0,
    positive=False,
    random_state=None,
    return_n_iter=False,
    return_intercept=False,
    check_input=True,
):
    """Return the coefficients of ridge regression, without an intercept unless asked for.

    Parameters
    ----------
    X : {array-like, sparse matrix, LinearOperator} of shape (n_samples, n_features)
        A linear operator takes `check_input=False` and the solvers "sparse_cg" and "lsqr".
    y : array-like of shape (n_samples,) or (n_samples, n_targets)
    alpha : float or array-like of shape (n_targets,)
    sample_weight : float or array-like of shape (n_samples,), default=None
    solver : {"auto", "svd", "cholesky", "lsqr", "sparse_cg", "sag", "saga", "lbfgs"}, \
            default="auto"
        See `Ridge`; "auto" is "sag" with `return_intercept=True`.
    max_iter : int, default=None
    tol : float, default=1e-4
    verbose : int, default=0
        Of no effect: iterations that end too early always warn.
    positive : bool, default=False
    random_state : int, RandomState instance or None, default=None
    return_n_iter : bool, default=False
    return_intercept : bool, default=False
        Fit an intercept, by "sag" only.
    check_input : bool, default=True
        False trusts X to be a C-contiguous array, or a sparse matrix, of finite floats.

    Returns
    -------
    coef : ndarray of shape (n_features,) or (n_targets, n_features)
    n_iter : ndarray of shape (n_targets,) or None
        If `return_n_iter`.
    intercept : float or ndarray of shape (n_targets,)
        If `return_intercept`.

    Raises
    ------
    ValueError
        If the solver does not do what is asked of it, or the shapes do not match.

    Examples
    --------
    >>> from skcourse.linear_model import ridge_regression
    >>> ridge_regression([[1.0], [2.0]], [1.0, 2.0], alpha=5.0)
    array([0.5])
    """
    if solver == "auto" and return_intercept and not positive:
        solver = "sag"
    check_combination(solver, positive, return_intercept)
    if check_input:
        X = check_array(X, accept_sparse=list(SPARSE), dtype=FLOATS, order="C")
        y = check_array(y, dtype=X.dtype, ensure_2d=False)
    elif not (sparse.issparse(X) or isinstance(X, LinearOperator)):
        X = np.asarray(X)
    check_consistent_length(X, y)
    if np.ndim(y) > 2:
        raise ValueError(f"Target y has the wrong shape {np.shape(y)}")
    model = Ridge(
        alpha,
        fit_intercept=return_intercept,
        max_iter=max_iter,
        tol=tol,
        solver=solver,
        positive=positive,
        random_state=random_state,
    )
    weights = check_weights(sample_weight, X)
    model._keep(model._solve(X, as_columns(y), weights), flat=False, dtype=X.dtype)
    result = [model.coef_]
    if return_n_iter:
        result.append(model.n_iter_)
    if return_intercept:
        result.append(model.intercept_[0] if len(model.intercept_) == 1 else model.intercept_)
    return tuple(result) if len(result) > 1 else model.coef_


def check_combination(solver, positive, return_intercept):
    """Raise ValueError where `ridge_regression` is asked for what the solver does not do."""
    if positive and solver not in ("auto", "lbfgs"):
        raise ValueError(
            "When positive=True, only 'lbfgs' solver can be used. Please change solver "
            f"{solver} to 'lbfgs' or set positive=False."
        )
    if return_intercept and solver != "sag":
        raise ValueError(
            "In Ridge, only 'sag' solver can directly fit the intercept. Please change solver to "
            "'sag' or set return_intercept=False."
        )
