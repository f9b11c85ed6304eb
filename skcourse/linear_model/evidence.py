"""What the Bayesian linear regressions share: the model, its rows made few, its predictions.

Model       y_i = b_0 + <b, x_i> + e_i,   e_i ~ N(0, 1 / (alpha w_i)),   b_j ~ N(0, 1 / lambda_j).
Posterior   With A and v the rows and the targets about their means, times the roots of their
            weights, b is normal, with precision and mean
                P = diag(lambda) + alpha A'A,   m = alpha P^-1 A'v.                           (1)
Evidence    What p(y | alpha, lambda) is once b has been integrated out: with W the sum of weights,
            log p = 1/2 (sum_j log lambda_j + W log alpha - log |P| - W log 2 pi
                         - alpha |v - A m|^2 - sum_j lambda_j m_j^2).                         (2)
            It is stationary where
                gamma_j = 1 - lambda_j (P^-1)_jj,   lambda_j = gamma_j / m_j^2,               (3)
                alpha = (W - sum_j gamma_j) / |v - A m|^2.                                    (4)
            gamma_j, between 0 and 1, says how far the data determine b_j. MacKay's iteration sets
            m by (1), then lambda and alpha by (3) and (4). Gamma priors on alpha and lambda add
            small numbers above and below.
Prediction  f(x) ~ N(b_0 + <m, x>, 1 / alpha + (x - mean)'P^-1 (x - mean)).                   (5)
Few rows    The triangle of QR of A and v side by side is all that (1) to (4) need of them:
                |v - A b|^2 = |t - R b|^2 + rest.                                             (6)
            Of wide A, n rows about their mean are n - 1 rows, once turned by a reflection that
            takes q_i = (w_i / W)^(1/2), orthogonal to A and v, to the first axis.            (7)
Reference   D. MacKay, Bayesian interpolation, Neural Computation, 1992.
"""

import math
from typing import NamedTuple

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.callback import CallbackSupportMixin
from sklearn.utils.validation import check_is_fitted

from skcourse.core.chunks import for_each_chunk
from skcourse.core.factors import factor
from skcourse.core.history import warn_not_converged
from skcourse.core.validation import check_finite_sums, read_X
from skcourse.linear_model.base import SPARSE, linear_map
from skcourse.linear_model.least_squares import centred_columns

EPS = np.finfo(np.float64).eps
TOO_LARGE = "The numbers in X and y are too large to be added up."


class Prior(NamedTuple):
    """Shapes and rates of the gamma priors."""

    alpha_1: float
    alpha_2: float
    lambda_1: float
    lambda_2: float


class FewRows(NamedTuple):
    """(6): no more rows than columns and the same least squares."""

    A: np.ndarray  # R, or by (7) where X is wide, (m, p), m <= min(n, p)
    t: np.ndarray  # (m,)
    rest: float
    mean: np.ndarray  # of x and y side by side, (p + 1,); 0 without an intercept


class Beside:
    """The rows of X and of y side by side, made chunk by chunk."""

    def __init__(self, X, y):
        self.X, self.y = X, y
        self.shape = len(X), X.shape[1] + 1

    def __len__(self):
        return len(self.X)

    def __getitem__(self, rows):
        return np.column_stack([self.X[rows], self.y[rows]])


def few_rows(X, y, weights, *, centre, estimator=None):
    """Return (6), from one pass over the rows.

    Parameters
    ----------
    X : array of shape (n, p), C-contiguous
    y : array of shape (n,), float64
    weights : array of shape (n,) or None
    centre : bool
    estimator : estimator, default=None, for messages

    Raises
    ------
    ValueError
        If X is not finite, or its sums are not.
    """
    n, p = X.shape
    if n <= p:
        w = np.ones(n) if weights is None else weights.astype(np.float64)
        A, x_mean = centred_columns(X.astype(np.float64), w, centre=centre)
        t, y_mean = centred_columns(y[:, np.newaxis].copy(), w, centre=centre)
        if centre:
            q = np.sqrt(w / w.sum())
            A, t = reflected(q, A)[1:], reflected(q, t)[1:]
        few = FewRows(A, t[:, 0], 0.0, np.append(x_mean, y_mean))
        sums = A
    else:
        found = factor(Beside(X, y), None, weights, centre=centre)._replace(p=p)
        R, t = found.sides
        few = FewRows(R[:p], t[:p, 0], float(np.square(t[p, 0])), found.mean)
        sums = found.R
    if not check_finite_sums(sums, X, estimator=estimator):
        raise ValueError(TOO_LARGE)
    check_summable(few.t, few.rest)
    return few


def reflected(q, rows):
    """Return the rows after the reflection of (7); q is of length 1."""
    u = q.copy()
    u[0] += np.copysign(1.0, q[0])
    return rows - np.outer(u, (u @ rows) / (u @ u / 2))


def check_summable(t, rest=0.0):
    """Raise ValueError if the targets are too large to be squared."""
    with np.errstate(over="ignore"):
        if not np.isfinite(t @ t + rest):
            raise ValueError(TOO_LARGE)


def quotient(a, b):
    """Return a / b, infinity for b = 0."""
    return a / b if b else math.inf


def variance(y, weights=None):
    """Return the weighted variance of the targets, a number."""
    with np.errstate(over="ignore", invalid="ignore"):
        return float(np.average((y - np.average(y, weights=weights)) ** 2, weights=weights))


class BayesianRegressor(CallbackSupportMixin, RegressorMixin, BaseEstimator):
    """Base class: `predict`, with the standard deviation of (5)."""

    def predict(self, X, return_std=False):
        """Predict the targets.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        return_std : bool, default=False
            Whether to return the standard deviation of the prediction too.

        Returns
        -------
        y : ndarray of shape (n_samples,), in the units of the targets
        y_std : ndarray of shape (n_samples,), in the same units
            The noise and the doubt about the coefficients; only if `return_std`.
        """
        if not hasattr(self, "coef_"):
            check_is_fitted(self)
        kinds = {"accept_sparse": list(SPARSE), "dtype": "numeric"}
        X = read_X(self, X, order=None, finite=False, **kinds)
        y = linear_map(X, self.coef_, self.intercept_, self)
        return (y, self._deviation(X, y.dtype)) if return_std else y

    def _deviation(self, X, dtype):
        """Return the root of the variance in (5), (n,)."""
        kept = self._kept()
        offset, deviation = self.X_offset_[kept], np.empty(X.shape[0], dtype)
        X = X if isinstance(X, np.ndarray) else X.tocsr()

        def part(rows):
            x = X[rows] if isinstance(X, np.ndarray) else X[rows].toarray()
            x = x[:, kept] - offset
            doubt = np.maximum(np.einsum("ij,ij->i", x @ self.sigma_, x), 0)
            deviation[rows] = np.sqrt(doubt + 1 / self.alpha_)

        for_each_chunk(part, X.shape[0], row_bytes=24 * len(self.coef_))
        return deviation

    def _kept(self):
        """Return which columns `sigma_` is of."""
        return slice(None)

    def _shared(self, coef, mean, dtype):
        """Return the attributes of the mean of (1), `coef`, (p,), and of the `mean` of the rows."""
        p = len(coef)
        coef = coef.astype(dtype, copy=False)
        intercept = dtype.type(mean[p] - coef @ mean[:p]) if self.fit_intercept else 0.0
        return {
            "coef_": coef,
            "intercept_": intercept,
            "X_offset_": mean[:p].astype(dtype),
            "X_scale_": np.ones(p, dtype),
        }


def warn_stopped(diverged, max_iter, change, tol):
    """Warn that the iteration of (1), (3) and (4) ended before its time; called by `fit`."""
    if diverged:
        message = (
            "The evidence has no maximum: a precision would become infinite, or not positive, and "
            "was left as it was. Either y is explained without error, or the weights add up to "
            "less than the parameters that they determine. Set alpha_1, alpha_2, lambda_1 and "
            "lambda_2 above 0, or use larger weights."
        )
    else:
        last = f"changed by {change:.3g} in the last one" if change < np.inf else "were found once"
        message = (
            f"Did not converge in max_iter={max_iter} iterations: the coefficients {last}, and "
            f"tol={tol:.3g}. Raise max_iter, or tol; features of a common scale converge sooner."
        )
    warn_not_converged(message)
