"""What the linear regressors share: prediction, and the shapes of what a fit found.

Model       f(x) = <b, x> + b_0, for one target or for several side by side.                  (1)
Intercept   Whoever fits on centred data finds b alone; the plane passes through the means:
                b_0 = mean(y) - <b, mean(x)>                                                  (2)
"""

import numpy as np
from sklearn.base import BaseEstimator, MultiOutputMixin, RegressorMixin
from sklearn.utils.validation import check_is_fitted

from skcourse.core.chunks import for_each_chunk, one_blas_thread
from skcourse.core.validation import check_finite_sums, is_finite, read_X

SPARSE = ("csr", "csc", "coo")
AT_ONCE = 2**16  # entries of X: below, one product on the calling thread
ALONE = 2**11  # products: below, BLAS uses one thread anyway


class LinearRegressor(RegressorMixin, MultiOutputMixin, BaseEstimator):
    """Base class of the linear regressors: `predict` from `coef_` and `intercept_`."""

    def predict(self, X):
        """Predict the targets.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_targets), in the units of the targets
        """
        if not hasattr(self, "coef_"):
            check_is_fitted(self)
        kinds = {"accept_sparse": list(SPARSE), "dtype": "numeric"}  # no numbers in strings
        X = read_X(self, X, order=None, finite=False, **kinds)
        return linear_map(X, self.coef_, self.intercept_, self)

    def _set_solution(self, coef, x_mean, y_mean, *, flat, dtype):
        """Set `coef_` and `intercept_` by (2); the last thing that a fit does.

        Parameters
        ----------
        coef : array of shape (n_features, n_targets), for centred data
        x_mean : array of shape (n_features,), float64
        y_mean : array of shape (n_targets,), float64
        flat : bool
            Whether the targets came as a vector: then `coef_` is one, and `intercept_` a number.
        dtype : dtype of `coef_` and `intercept_`, that of X
        """
        coef_ = np.ascontiguousarray(coef.T, dtype=dtype)
        if self.fit_intercept:  # from the rounded b: the plane still passes through the means
            intercept = (y_mean - coef_ @ x_mean).astype(dtype, copy=False)
            self.intercept_ = intercept[0] if flat else intercept
        else:
            self.intercept_ = 0.0
        self.coef_ = coef_[0] if flat else coef_

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


def linear_map(X, coef, intercept, estimator=None):
    """Return (1) for the rows of X, read chunk by chunk and checked for NaN on the way.

    Parameters
    ----------
    X : {array, sparse matrix} of shape (n, p)
    coef : array of shape (p,) or (t, p)
    intercept : number or array of shape (t,)
    estimator : estimator, default=None, for the message

    Returns
    -------
    values : array of shape (n,) or (n, t)

    Raises
    ------
    ValueError
        scikit-learn's, if X holds NaN or infinity.
    """
    if not isinstance(X, np.ndarray):
        check_finite_sums(X.data.sum(), X, estimator=estimator)
        return X @ coef.T + intercept
    if X.size <= AT_ONCE:
        if not is_finite(X):
            check_finite_sums(np.nan, X, estimator=estimator)
        if len(X) * coef.size <= ALONE:
            return np.asarray(X @ coef.T + intercept)
        with one_blas_thread():
            return np.asarray(X @ coef.T + intercept)
    values = np.empty(X.shape[:1] + coef.shape[:-1], np.result_type(X, coef))

    def part(rows):
        block = np.asarray(X[rows])
        if not is_finite(block):
            check_finite_sums(np.nan, block, estimator=estimator)
        np.add(block @ coef.T, intercept, out=values[rows])

    for_each_chunk(part, len(X), row_bytes=X.itemsize * X.shape[1])
    return values


def as_columns(y, dtype=np.float64):
    """Return the targets as a C-contiguous array of shape (n_samples, n_targets) of `dtype`."""
    y = np.asarray(y)
    return np.ascontiguousarray(y.reshape(len(y), -1), dtype=dtype)
