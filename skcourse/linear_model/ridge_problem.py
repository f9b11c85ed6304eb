"""The ridge problem, and who solves it under which name.

Problem     Minimise, for each target t, with the mean of the rows and targets taken off first if
            there is an intercept,
                sum_i w_i (y_it - <b_t, x_i> - b_0t)^2 + alpha_t |b_t|^2.                     (1)
Solvers     In closed form "cholesky" and "svd" (`ridge_direct`); from products with X alone
            "sparse_cg", "lsqr" (`ridge_iterative`), "sag" and "saga" (`sag`); with b >= 0 "lbfgs"
            (`nonnegative`). All but the last have the same optimum.
"""

from typing import Any, NamedTuple

import numpy as np
from scipy import sparse

from skcourse.core.validation import check_finite_sums
from skcourse.linear_model.centred_rows import CentredRows, is_near, weighted_mean

SOLVERS = ("auto", "svd", "cholesky", "lsqr", "sparse_cg", "sag", "saga", "lbfgs")


class Problem(NamedTuple):
    """(1), validated."""

    X: Any  # (n, p): C-contiguous array, CSR matrix, or a linear operator
    Y: np.ndarray  # y, (n, t), float64
    weights: np.ndarray | None  # w, (n,), float64
    alphas: np.ndarray  # (t,), float64
    centre: bool  # whether there is an intercept
    estimator: Any = None  # for messages

    @property
    def wide(self):
        """Whether there are more features than samples."""
        return self.X.shape[0] < self.X.shape[1]

    @property
    def dense(self):
        """Whether X is an array."""
        return isinstance(self.X, np.ndarray)

    @property
    def precision(self):
        """The name of the dtype of X, to which the solution will be rounded."""
        return "float32" if self.X.dtype == np.float32 else "float64"


class Settings(NamedTuple):
    """How to solve it; the parameters of `Ridge`."""

    solver: str
    positive: bool = False
    max_iter: int | None = None
    tol: float = 1e-4
    random_state: Any = None


class Solution(NamedTuple):
    """What came out."""

    coef: np.ndarray  # b, (p, t), float64
    x_mean: np.ndarray  # (p,), zeros if there is no intercept
    y_mean: np.ndarray  # (t,)
    solver: str  # the solver in the end
    n_iter: np.ndarray | None  # (t,), int32; 1 for a closed form
    statistics: Any = None  # Moments or Factor, to which more rows can be added

    def attributes(self, *, centre, flat, dtype):
        """Return `coef_` and `intercept_`; `flat` tells whether the targets came as a vector.

        Raises
        ------
        ValueError
            If they are not finite: sums have overflowed.
        """
        if not all(np.isfinite(found).all() for found in (self.coef, self.x_mean, self.y_mean)):
            raise ValueError("The numbers in X and y are too large to be added up.")
        coef = np.ascontiguousarray(self.coef.T, dtype=dtype)
        intercept = 0.0
        if centre:  # from the rounded b: the plane still passes through the means
            intercept = (self.y_mean - coef @ self.x_mean).astype(dtype, copy=False)
            intercept = intercept[0] if flat else intercept
        return (coef[0] if len(coef) == 1 else coef), intercept


class CentredProblem(NamedTuple):
    """(1) without the intercept: minimise |v_t - A b_t|^2 + alpha_t |b_t|^2."""

    rows: CentredRows  # A, (n, p)
    targets: np.ndarray  # v, (n, t), scaled by w^(1/2) as A is
    residuals: np.ndarray  # y - mean(y), (n, t), not scaled
    y_mean: np.ndarray  # (t,)


def centred(problem, *, quick=False):
    """Return the problem about its means; raise ValueError if X is not finite.

    `quick` is for many products with X, see `centred_rows.is_near`.
    """
    X, Y, weights = problem.X, problem.Y, problem.weights
    if problem.centre:
        x_mean, y_mean = weighted_mean(X, weights), weighted_mean(Y, weights)
        if problem.dense:
            check_finite_sums(x_mean, X, estimator=problem.estimator)
    else:
        x_mean, y_mean = np.zeros(X.shape[1]), np.zeros(Y.shape[1])
        if problem.dense:
            check_finite_sums(X.sum(axis=0), X, estimator=problem.estimator)
    near = quick and problem.dense and is_near(X, x_mean)
    rows = CentredRows(X, x_mean, weights, near=near)
    residuals = Y - y_mean
    targets = residuals if rows.roots is None else residuals * rows.roots
    return CentredProblem(rows, targets, residuals, y_mean)


def resolve(solver, *, positive, is_sparse, fit_intercept):
    """Return the solver that `Ridge` uses, one of `SOLVERS` but "auto".

    Raises
    ------
    ValueError
        If the solver cannot keep coefficients positive, or cannot fit them freely, or cannot fit
        an intercept to sparse X.
    """
    if solver == "lbfgs" and not positive:
        raise ValueError(
            "'lbfgs' solver can be used only when positive=True. Please use another solver."
        )
    if positive:
        if solver not in ("auto", "lbfgs"):
            raise ValueError(
                f"solver='{solver}' does not support positive fitting. Please set the solver to "
                "'auto' or 'lbfgs', or set `positive=False`"
            )
        return "lbfgs"
    if is_sparse and fit_intercept and solver in ("svd", "cholesky", "saga"):
        raise ValueError(
            f"solver='{solver}' does not support fitting the intercept on sparse data. Please set "
            "the solver to 'auto' or 'lsqr', 'sparse_cg', 'sag', 'lbfgs' or set "
            "`fit_intercept=False`"
        )
    if is_sparse and solver == "svd":
        raise TypeError("SVD solver does not support sparse inputs currently")
    if solver == "auto":
        return "sparse_cg" if is_sparse else "cholesky"
    return solver


def penalties(alpha, n_targets):
    """Return alpha as an array of shape (n_targets,), float64.

    Raises
    ------
    ValueError
        If there is neither one penalty nor one per target, or one is negative or not a number.
    """
    alphas = np.ravel(np.asarray(alpha, dtype=np.float64))
    if len(alphas) not in (1, n_targets):
        raise ValueError(
            "Number of targets and number of penalties do not correspond: "
            f"{len(alphas)} != {n_targets}"
        )
    if not (alphas >= 0).all():
        raise ValueError(f"alpha must be in the range [0, inf), got {alpha!r}.")
    return np.full(n_targets, alphas[0]) if len(alphas) == 1 else alphas


def once(problem):
    """Return the `n_iter` of a closed form."""
    return np.ones(len(problem.alphas), np.int32)


def as_rows(X):
    """Return sparse X as a CSR matrix, and anything else as it is."""
    return X.tocsr() if sparse.issparse(X) else X
