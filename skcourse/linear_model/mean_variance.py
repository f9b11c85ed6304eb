"""Mean-and-variance regression: how large y is, and how far it spreads, both from x.

Problem     y_i ~ N(<w, x_i> + b, exp(<v, x_i> + c)), by maximum likelihood: minimise
                sum_i s_i (q_i + (y_i - m_i)^2 exp(-q_i)) / (2 sum_i s_i)
                    + alpha (|w|^2 / t^2 + |v|^2) / 2,                                         (1)
            m_i the mean, q_i the logarithm of the variance, see `mean_variance_risk`; t is the
            standard deviation of y, so that the unit of y is nothing to the fit.
Iteration   Given v, the best w solves a weighted least squares problem: rows that spread widely
            count little. Newton's method finds both at once. Away from the minimum, where the
            Hessian need not be positive definite, the expected one takes its place (scoring).
Cost        Three scatter matrices, 3 n p^2 products, per iteration; there are few.
Reference   A. Harvey, Estimating regression models with multiplicative heteroscedasticity,
            Econometrica, 1976. M. Aitkin, JRSS C, 1987.
"""

import warnings
from numbers import Integral, Real

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.callback import CallbackSupportMixin
from sklearn.utils.validation import check_is_fitted

from skcourse.core.history import fit_task, warn_not_converged
from skcourse.core.validation import Interval, check_weights, fit_context, read_X, read_Xy
from skcourse.linear_model.base import SPARSE, linear_map
from skcourse.linear_model.mean_variance_risk import LOWEST, MeanVarianceRisk
from skcourse.linear_model.newton import SingularHessian, newton_cholesky
from skcourse.linear_model.penalised_risk import STOPPED

NEAR = 3.0  # within which of LOWEST a fit is told to be there


class MeanVarianceRegressor(CallbackSupportMixin, RegressorMixin, BaseEstimator):
    """Linear regression of the mean, and of the logarithm of the variance, by (1).

    Parameters
    ----------
    alpha : float, default=1e-4
        Strength of the penalty on the squared lengths of both vectors of coefficients; the
        likelihood is a mean over the samples. 0 is maximum likelihood.
    fit_intercept : bool, default=True
        Of the mean; the variance always has one.
    max_iter : int, default=100
    tol : float, default=1e-6
        The fit ends where no entry of the gradient of (1) is larger.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,), of the mean, dtype of X
    intercept_ : float
    log_variance_coef_ : ndarray of shape (n_features,), dtype of X
        By how much the logarithm of the variance grows with each feature.
    log_variance_intercept_ : float
    n_iter_ : int
    history_ : dict of arrays of shape (n_iter_,)
        After each iteration "loss", which is (1), and "gradient", its largest slope.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Only if X has names.

    See Also
    --------
    LinearRegression : One variance for all samples.
    QuantileRegressor : Quantiles of y, without a distribution.

    Examples
    --------
    >>> import numpy as np
    >>> from skcourse.linear_model import MeanVarianceRegressor
    >>> rng = np.random.default_rng(0)
    >>> X = rng.uniform(size=(2000, 1))
    >>> y = 1 + 2 * X[:, 0] + np.exp(X[:, 0]) * rng.normal(size=2000)
    >>> mean, std = MeanVarianceRegressor().fit(X, y).predict([[0.0], [1.0]], return_std=True)
    >>> mean.round(1), std.round(1)
    (array([1., 3.]), array([1. , 2.8]))
    """

    _parameter_constraints: dict = {
        "alpha": [Interval(Real, 0, None, closed="left")],
        "fit_intercept": ["boolean"],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="neither")],
    }

    def __init__(self, *, alpha=1e-4, fit_intercept=True, max_iter=100, tol=1e-6):
        self.alpha = alpha
        self.fit_intercept = fit_intercept
        self.max_iter = max_iter
        self.tol = tol

    @fit_context
    def fit(self, X, y, sample_weight=None):
        """Find both vectors of coefficients, and both intercepts.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
        sample_weight : float or array-like of shape (n_samples,), default=None
            Not negative; a weight of 2 is a row given twice.

        Returns
        -------
        self : MeanVarianceRegressor

        Warns
        -----
        ConvergenceWarning
            If `max_iter` is reached, or the likelihood has no maximum, since the variance of some
            samples can go to 0.
        """
        X, y = read_Xy(self, X, y, accept_sparse=["csr"], multi_output=False)
        weights = check_weights(sample_weight, X)
        values, center, scale = standardised(y, weights, self.fit_intercept)
        risk = MeanVarianceRisk(X, values, weights, LOWEST, fit_intercept=self.fit_intercept)
        task = fit_task(self, X, y, sample_weight, max_subtasks=self.max_iter)
        start = np.zeros(2 * (X.shape[1] + 1))
        with np.errstate(over="ignore", invalid="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore", SingularHessian)  # what matters of it is told below
            found = newton_cholesky(
                risk,
                start,
                self.alpha,
                tol=self.tol,
                max_iter=self.max_iter,
                task=task,
                attributes=lambda theta: self._attributes(theta, center, scale, X.dtype),
            )
            attributes = self._attributes(found.theta, center, scale, X.dtype)
        if not all(np.isfinite(numbers).all() for numbers in attributes.values()):
            raise ValueError(
                "The coefficients are beyond the range of numbers, since those in X or y are too "
                "large. Scale them."
            )
        if risk.raw[1, risk.weights > 0].min() < LOWEST + NEAR:
            warn_not_converged(
                "The likelihood has no maximum: some samples can be fitted exactly, and their "
                "variance goes to 0. Raise alpha, or use fewer features.",
            )
        elif not found.converged and found.reason != STOPPED:
            warn_not_converged(
                f"The fit did not converge in max_iter={self.max_iter} iterations: the gradient "
                f"is {found.history['gradient'][-1]:.3g}. Increase max_iter, raise alpha, or bring "
                "the columns of X to a common scale (as StandardScaler does).",
            )
        vars(self).update(attributes)
        self.n_iter_ = found.n_iter
        self.history_ = found.history | {"loss": found.history["loss"] + np.log(scale)}
        task.end()
        return self

    def _attributes(self, theta, center, scale, dtype):
        """Return what a fit in the unit `scale`, from `center`, leaves behind."""
        mean, log_variance = theta.reshape(-1, 2).T
        return {
            "coef_": (scale * mean[:-1]).astype(dtype),
            "intercept_": dtype.type(center + scale * mean[-1]) if self.fit_intercept else 0.0,
            "log_variance_coef_": log_variance[:-1].astype(dtype),
            "log_variance_intercept_": dtype.type(log_variance[-1] + 2 * np.log(scale)),
        }

    def predict(self, X, return_std=False):
        """Predict the mean of y, and how far it spreads.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        return_std : bool, default=False

        Returns
        -------
        mean : ndarray of shape (n_samples,)
        std : ndarray of shape (n_samples,), only if `return_std`
            Standard deviations of y, in its units.
        """
        if not hasattr(self, "coef_"):
            check_is_fitted(self)
        X = read_X(self, X, order=None, finite=False, accept_sparse=list(SPARSE))
        mean = linear_map(X, self.coef_, self.intercept_, self)
        if not return_std:
            return mean
        log_variance = linear_map(X, self.log_variance_coef_, self.log_variance_intercept_, self)
        return mean, np.exp(0.5 * log_variance)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


def standardised(y, weights, centred):
    """Return (y - m) / t, float64, with m the mean of y, or 0 if not `centred`, and t.

    t is the standard deviation about m, or what rounding leaves of it. Sums are of y over its
    largest number, since squares of y may leave the range of numbers.
    """
    y = np.asarray(y, np.float64)
    unit = np.abs(y).max() or 1.0
    shares = y / unit
    center = np.average(shares, weights=weights) if centred else 0.0
    spread = np.sqrt(np.average((shares - center) ** 2, weights=weights))
    spread = spread if spread > 1e-10 else (1e-10 if y.any() else 1.0)
    return (shares - center) / spread, float(unit * center), float(unit * spread)
