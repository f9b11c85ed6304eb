"""Ordinary least squares.

Problem     Find the plane with the least sum of squared, weighted distances along y:
                min over b_0, b of  sum_i w_i (y_i - b_0 - <b, x_i>)^2                       (1)
Solution    The best plane passes through the means, whatever b is: b_0 = m_y - <b, m_x>. About
            them (1) is stationary where the residuals are orthogonal to the features,
                S b = s,   S = sum_i w_i (x_i - m_x)(x_i - m_x)',
                           s = sum_i w_i (x_i - m_x)(y_i - m_y).                              (2)
            S and s are sums over the rows, so one pass over them is nearly all the work.
            `least_squares` decides whether (2) may be solved as it stands, which squares the
            condition of X, or by an orthogonal route.
Cost        n p^2 products in one pass over the rows; p^3 to solve.
Reference   A. Björck, Numerical Methods for Least Squares Problems, SIAM, 1996.
"""

from numbers import Integral, Real

import numpy as np
from scipy.sparse import issparse

from skcourse.core import factors
from skcourse.core.dense_chunks import DenseChunks
from skcourse.core.factors import Factor
from skcourse.core.validation import (
    Interval,
    check_finite_sums,
    check_weights,
    fit_context,
    read_Xy,
)
from skcourse.linear_model.base import LinearRegressor, as_columns
from skcourse.linear_model.lawson_hanson import nonnegative_least_squares
from skcourse.linear_model.least_squares import (
    LeastSquares,
    Rows,
    as_factor,
    least_squares,
    solve_factor,
    triangular,
)
from skcourse.linear_model.sparse_rows import (
    iterative_least_squares,
    worth_densifying,
)


class LinearRegression(LinearRegressor):
    """Ordinary least squares, as scikit-learn's class of this name.

    Parameters
    ----------
    fit_intercept : bool, default=True
        False if the plane must pass through the origin.
    copy_X : bool, default=True
        False lets the fit centre a writeable float64 X with fewer rows than columns where it
        lies, which takes less time and memory. X is not written to otherwise.
    tol : float, default=1e-6
        Singular values of the centred X up to `tol` times the largest count as zero, 0 standing
        for the working precision. Where X is sparse with many rows and columns, the `atol` and
        `btol` of LSQR.
    n_jobs : int, default=None
        Threads. None is all cores that the process may use, as BLAS does; 1 is one. The result
        is the same to the bit.
    positive : bool, default=False
        Whether coefficients must not be negative. X must be dense then.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,), or (n_targets, n_features) if y was a matrix
        In units of y per unit of the feature. Where several are best, those of least norm.
    intercept_ : float, or ndarray of shape (n_targets,), in the units of y
    rank_ : int
        Of the centred X; only if X is dense, and not with `positive`.
    singular_ : ndarray of shape (min(n_samples, n_features),)
        Singular values of the centred X, its rows times the roots of their weights, in falling
        order; only if X is dense, and not with `positive`.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Only if X has names that are strings.

    See Also
    --------
    Ridge : keeps the coefficients small.

    Notes
    -----
    `fit` reads a C-contiguous X of floats, in memory or a memmap, chunk by chunk and makes no
    copy. `partial_fit` keeps a triangular factor of (n_features + 1) x n_features numbers.

    Examples
    --------
    >>> import numpy as np
    >>> from skcourse.linear_model import LinearRegression
    >>> X = np.array([[1.0, 1.0], [1.0, 2.0], [2.0, 2.0], [2.0, 3.0]])
    >>> model = LinearRegression().fit(X, X @ [1.0, 2.0] + 3.0)
    >>> model.coef_.round(6)
    array([1., 2.])
    >>> model.predict([[3.0, 5.0]]).round(6)
    array([16.])
    """

    _parameter_constraints: dict = {
        "fit_intercept": ["boolean"],
        "copy_X": ["boolean"],
        "n_jobs": [None, Integral],
        "positive": ["boolean"],
        "tol": [Interval(Real, 0, None, closed="left")],
    }

    def __init__(self, *, fit_intercept=True, copy_X=True, tol=1e-6, n_jobs=None, positive=False):
        self.fit_intercept = fit_intercept
        self.copy_X = copy_X
        self.tol = tol
        self.n_jobs = n_jobs
        self.positive = positive

    @fit_context
    def fit(self, X, y, sample_weight=None):
        """Find the coefficients and the intercept.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
        sample_weight : array-like of shape (n_samples,), default=None
            Not negative; a weight of 2 is a row given twice.

        Returns
        -------
        self : LinearRegression
        """
        rows, flat = self._read(X, y, sample_weight)
        if self.positive:
            with np.errstate(over="ignore", invalid="ignore"):
                A, C, statistics = triangular(rows)
            solution = positive_solution(A, C, statistics)
        elif issparse(rows.X):
            solution = iterative_least_squares(rows, self.tol)
        else:
            solution = least_squares(rows, self.tol)
        return self._keep(solution, rows.X, flat)

    @fit_context
    def partial_fit(self, X, y, sample_weight=None):
        """Fit all rows seen so far: those of `fit` or of earlier calls, and these.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
        sample_weight : array-like of shape (n_samples,), default=None

        Returns
        -------
        self : LinearRegression
            As after one `fit` of all the rows, whatever the pieces.

        Raises
        ------
        ValueError
            If y has other targets than before, or after a `fit` that kept no statistics: one of
            fewer rows than columns, or by LSQR.
        """
        first = not hasattr(self, "coef_")
        rows, flat = self._read(X, y, sample_weight, reset=first, whole=False)
        total = factors.factor(*rows[:3], centre=rows.centre, n_jobs=rows.n_jobs)
        if not first:
            total = factors.merge(self._so_far(rows.Y.shape[1], flat), total)
        if self.positive:
            solution = positive_solution(*total.sides, total)
        else:
            solution = solve_factor(total, self.tol)
        return self._keep(solution, rows.X, flat)

    def _read(self, X, y, sample_weight, *, reset=True, whole=True):
        """Return the rows of a fit, the `whole` or a part, and whether y is a vector."""
        X, y = read_Xy(
            self,
            X,
            y,
            reset=reset,
            finite=issparse(X),  # of dense rows, the sums will tell
            accept_sparse=False if self.positive else ["csr"],
        )
        weights = check_weights(sample_weight, X, zero=not reset)
        if issparse(X) and (not whole or worth_densifying(X)):
            X = DenseChunks(X)
        n_jobs = -1 if self.n_jobs is None else self.n_jobs
        spare = not self.copy_X and isinstance(X, np.ndarray)
        rows = Rows(X, as_columns(y), weights, self.fit_intercept, n_jobs, spare)
        return rows, y.ndim == 1

    def _so_far(self, n_targets, flat):
        """Return the triangular factor of the rows before; they must have had the same targets."""
        if self._statistics is None:
            raise ValueError("This fit kept no statistics of its rows; begin with partial_fit.")
        before = 1 if self.coef_.ndim == 1 else len(self.coef_)
        if flat != (self.coef_.ndim == 1):
            raise ValueError("y must be a vector in every piece, or a matrix in every piece.")
        if before != n_targets:
            raise ValueError(f"y has {n_targets} targets, but {before} were expected.")
        if isinstance(self._statistics, Factor):
            return self._statistics
        return as_factor(self._statistics, self.n_features_in_)

    def _keep(self, solution, X, flat):
        """Set the attributes of the fit, unless X or y was not finite."""
        if not check_finite_sums(solution.coef, getattr(X, "X", X), estimator=self):
            raise ValueError("The numbers in X and y are too large to be added up.")
        for name in ("rank_", "singular_"):
            vars(self).pop(name, None)
        if solution.rank is not None and not isinstance(X, DenseChunks):
            self.rank_ = solution.rank
            self.singular_ = solution.singular.astype(X.dtype, copy=False)
        self._statistics = solution.statistics
        p = X.shape[1]
        self._set_solution(
            solution.coef, solution.mean[:p], solution.mean[p:], flat=flat, dtype=X.dtype
        )
        return self

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = not self.positive
        return tags


def positive_solution(A, C, statistics):
    """Return the solution of min |A b - C|^2 with b >= 0, for the rows of the `statistics`."""
    coef = np.full((A.shape[1], C.shape[1]), np.nan)
    if np.isfinite(A).all() and np.isfinite(C).all():
        coef = nonnegative_least_squares(A, C)
    return LeastSquares(coef, statistics.mean, None, None, statistics)
