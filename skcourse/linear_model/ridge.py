"""Ridge regression.

Problem     Least squares, with large coefficients penalised (the intercept is free):
                sum_i w_i (y_i - <b, x_i> - b_0)^2 + alpha |b|^2                              (1)
Solution    With S = sum w_i (x_i - m)(x_i - m)' and s = sum w_i (x_i - m) y_i, m the mean,
                b = (S + alpha I)^-1 s,   b_0 = mean(y) - <b, m>.                             (2)
            S and s are sums over the rows: one pass, or as many pieces as one likes.
Effect      Along a direction of X with singular value d, least squares shrinks by
            d^2 / (d^2 + alpha): much where X varies little and noise would rule.
Reference   A. Hoerl, R. Kennard, Ridge regression: biased estimation for nonorthogonal problems,
            Technometrics, 1970.
"""

import warnings
from numbers import Integral, Real

import numpy as np
from scipy import sparse

from skcourse.core import factors
from skcourse.core.chunks import one_blas_thread
from skcourse.core.dense_chunks import DenseChunks
from skcourse.core.validation import (
    Interval,
    StrOptions,
    check_finite_sums,
    check_weights,
    fit_context,
    read_Xy,
)
from skcourse.linear_model.base import SPARSE, LinearRegressor, as_columns
from skcourse.linear_model.ridge_bounded import solve_bounded
from skcourse.linear_model.ridge_direct import solve_cholesky, solve_svd
from skcourse.linear_model.ridge_iterative import average_gradients, conjugate_gradients, lsqr
from skcourse.linear_model.ridge_pieces import solve_factor, statistics_of
from skcourse.linear_model.ridge_problem import (
    SOLVERS,
    Problem,
    Settings,
    as_rows,
    penalties,
    resolve,
)

SOLVE = {
    "cholesky": solve_cholesky,
    "svd": solve_svd,
    "sparse_cg": conjugate_gradients,
    "lsqr": lsqr,
    "sag": average_gradients,
    "saga": average_gradients,
    "lbfgs": solve_bounded,
}
COUNTED = ("auto", "lsqr", "sag", "saga")  # solvers that report their iterations


class RidgeSolver:
    """What `Ridge` and `RidgeClassifier` share: parameters, and how they are put to work."""

    _parameter_constraints: dict = {
        "alpha": [Interval(Real, 0, None, closed="left"), "array-like"],
        "fit_intercept": ["boolean"],
        "copy_X": ["boolean"],
        "max_iter": [Interval(Integral, 1, None, closed="left"), None],
        "tol": [Interval(Real, 0, None, closed="left")],
        "solver": [StrOptions(set(SOLVERS))],
        "positive": ["boolean"],
        "random_state": ["random_state"],
    }

    def _solve(self, X, Y, weights):
        """Return the Solution of (1) for Y of shape (n, t)."""
        is_sparse = not isinstance(X, np.ndarray)  # or a linear operator
        solver = resolve(
            self.solver,
            positive=self.positive,
            is_sparse=is_sparse,
            fit_intercept=self.fit_intercept,
        )
        if solver == "sag" and is_sparse and self.fit_intercept:
            warn_slow_sag(self.max_iter, self.tol)
        alphas = penalties(self.alpha, Y.shape[1])
        problem = Problem(as_rows(X), Y, weights, alphas, self.fit_intercept, self)
        name = self.solver if self.positive else solver
        settings = Settings(name, self.positive, self.max_iter, self.tol, self.random_state)
        with one_blas_thread(), np.errstate(over="ignore", invalid="ignore"):
            return SOLVE[solver](problem, settings)  # the result tells whether it is finite

    def _keep(self, solution, *, flat, dtype):
        """Set the attributes; the last thing that a fit does."""
        self.coef_, self.intercept_ = solution.attributes(
            centre=self.fit_intercept, flat=flat, dtype=dtype
        )
        self.n_iter_ = solution.n_iter if self.solver in COUNTED else None
        self.solver_ = solution.solver
        self._flat = flat

    def _takes_sparse(self):
        """Whether the solver takes sparse X."""
        return self.solver != "svd" and (self.solver != "cholesky" or not self.fit_intercept)


def warn_slow_sag(max_iter, tol):
    """Warn where "sag" on sparse X with an intercept is likely to stop too early."""
    if max_iter is None and tol > 1e-4:
        warnings.warn(
            '"sag" solver requires many iterations to fit an intercept with sparse inputs. Either '
            'set the solver to "auto" or "sparse_cg", or set a low "tol" and a high "max_iter" '
            "(especially if inputs are not standardized).",
            stacklevel=5,
        )


class Ridge(RidgeSolver, LinearRegressor):
    """Linear least squares with a penalty on the squared length of the coefficients.

    Minimises ``sum_i w_i (y_i - <b, x_i> - b_0)^2 + alpha |b|^2``, for each target by itself.

    Parameters
    ----------
    alpha : float or array-like of shape (n_targets,), default=1.0
        The penalty, not negative; an array has one for each target. 0 gives least squares, and of
        several optima the one of least norm.
    fit_intercept : bool, default=True
        False if the plane must pass through the origin.
    copy_X : bool, default=True
        Of no effect: X is never overwritten, and never copied if it is a C-contiguous array of
        float32 or float64.
    max_iter : int, default=None
        Bound on the iterations of "sparse_cg" (default: 10 times the unknowns), "lsqr" (twice the
        features), "sag" and "saga" (1000 epochs) and "lbfgs" (15000).
    tol : float, default=1e-4
        When iterations end: "sparse_cg", the residual of the normal equations, relative to their
        right side; "lsqr", its `atol` and `btol`; "sag" and "saga", the change of a coefficient
        in an epoch, relative to the largest; "lbfgs", the projected gradient and the relative
        decrease. No effect on "cholesky" and "svd", nor on "auto" where that is exact.
    solver : {"auto", "svd", "cholesky", "lsqr", "sparse_cg", "sag", "saga", "lbfgs"}, \
            default="auto"
        - "auto": "cholesky" for dense X, "sparse_cg" for sparse X, and with `positive=True`
          coordinate descent on the normal equations, ended by an exact solution ("lbfgs" where
          they would take more memory than X);
        - "cholesky": the normal equations, or their dual if there are more features than samples,
          with a certificate: where they are ill-conditioned, "svd" takes their place;
        - "svd": the singular values of X, through a triangular factor where X is tall; no sparse X;
        - "lsqr", "sparse_cg": iterations that need products with X only;
        - "sag", "saga": stochastic average gradients; give features a common scale first;
        - "lbfgs": L-BFGS-B, for `positive=True`, and only then.

        With an intercept, sparse X takes "auto", "lsqr", "sparse_cg", "sag" and "lbfgs".
    positive : bool, default=False
        Keep the coefficients from being negative; with the solvers "auto" and "lbfgs" only.
    random_state : int, RandomState instance or None, default=None
        Draws the samples of "sag" and "saga".

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,) or (n_targets, n_features), dtype of X
    intercept_ : float or ndarray of shape (n_targets,); 0.0 without an intercept
    n_iter_ : ndarray of shape (n_targets,), int32, or None
        Iterations of "lsqr", epochs of "sag" and "saga"; of "auto" those of whatever it has chosen,
        a closed form being 1; None for the others.
    solver_ : str
        The solver in the end: "svd" if "cholesky" was not good enough, "lbfgs" for any fit with
        `positive=True`.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Only if X has names.

    See Also
    --------
    RidgeCV : Chooses alpha by cross-validation.
    RidgeClassifier : Classifies by the sign.

    Examples
    --------
    >>> from skcourse.linear_model import Ridge
    >>> model = Ridge(alpha=1.0).fit([[0.0], [1.0], [2.0]], [0.0, 1.0, 2.0])
    >>> model.coef_.round(3), round(float(model.intercept_), 3)
    (array([0.667]), 0.333)
    """

    def __init__(
        self,
        alpha=1.0,
        *,
        fit_intercept=True,
        copy_X=True,
        max_iter=None,
        tol=1e-4,
        solver="auto",
        positive=False,
        random_state=None,
    ):
        self.alpha = alpha
        self.fit_intercept = fit_intercept
        self.copy_X = copy_X
        self.max_iter = max_iter
        self.tol = tol
        self.solver = solver
        self.positive = positive
        self.random_state = random_state

    @fit_context
    def fit(self, X, y, sample_weight=None):
        """Find the coefficients and the intercept.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            A memmap is read chunk by chunk.
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
        sample_weight : float or array-like of shape (n_samples,), default=None
            Not negative. A weight of 2 is a row that occurs twice.

        Returns
        -------
        self : Ridge

        Raises
        ------
        ValueError
            If X, y or the weights are not finite or do not match, if there are more penalties
            than one and not one per target, or if the solver does not do what is asked of it.

        Warns
        -----
        ConvergenceWarning
            If iterations ended at `max_iter`.
        """
        X, y = read_Xy(self, X, y, finite=sparse.issparse(X), accept_sparse=list(SPARSE))
        weights = check_weights(sample_weight, X)
        solution = self._solve(X, as_columns(y), weights)
        self._keep(solution, flat=y.ndim == 1, dtype=X.dtype)
        self._statistics = solution.statistics
        return self

    @fit_context
    def partial_fit(self, X, y, sample_weight=None):
        """Fit all rows seen so far: those of `fit` or of earlier calls, and these.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
        sample_weight : float or array-like of shape (n_samples,), default=None

        Returns
        -------
        self : Ridge
            As after one `fit` of all the rows, whatever the pieces; in closed form, whatever the
            solver, but for "svd", which is the only one to decide anything.

        Raises
        ------
        ValueError
            If y has other targets than before, or after a `fit` that kept no statistics: one of
            fewer rows than columns, of sparse X, or by iterations.
        """
        first = not hasattr(self, "coef_")
        X, y = read_Xy(
            self, X, y, reset=first, finite=sparse.issparse(X), accept_sparse=list(SPARSE)
        )
        weights = check_weights(sample_weight, X, zero=not first)
        if not first and self._flat != (y.ndim == 1):
            raise ValueError("y must be a vector in every piece, or a matrix in every piece.")
        Y = as_columns(y)
        resolve(self.solver, positive=self.positive, is_sparse=False, fit_intercept=True)
        alphas = penalties(self.alpha, Y.shape[1])
        rows = DenseChunks(as_rows(X)) if sparse.issparse(X) else X
        with one_blas_thread(), np.errstate(over="ignore", invalid="ignore"):
            total = factors.factor(rows, Y, weights, centre=self.fit_intercept)
            check_finite_sums(total.R, X, estimator=self)
            if not first:
                total = factors.merge(statistics_of(self._statistics, Y.shape[1], alphas), total)
            solution = solve_factor(
                total, alphas, positive=self.positive, orthogonal=self.solver == "svd"
            )
        self._keep(solution, flat=y.ndim == 1, dtype=X.dtype)
        self._statistics = solution.statistics
        return self

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = self._takes_sparse()
        return tags
