"""Generalised linear models: a mean that is a function of a linear prediction.

Model       y_i is drawn from a family of distributions of mean mu_i, whose link g is linear in x_i:
                g(mu_i) = z_i = <w, x_i> + b,   g the identity or the logarithm.                (1)
            The family is known by how the variance grows with the mean, as mu^p (Tweedie): p = 0
            for normal, 1 for Poisson, 2 for gamma, 3 for inverse Gaussian distributions.
Problem     Half the mean deviance, which is a likelihood, and a penalty:
                F(w, b) = sum_i s_i d(y_i, mu_i) / (2 sum_i s_i) + alpha |w|^2 / 2,             (2)
                d(y, mu) / 2 = y^(2-p) / ((1-p) (2-p)) - y mu^(1-p) / (1-p) + mu^(2-p) / (2-p)
            and its limits. `core.losses` has d / 2 less what depends on y alone.
Iteration   From the best constant, b = g(mean of y): L-BFGS, one pass over the rows each, or Newton
            steps, which are least squares with weights and targets that change (IRLS).
Score       The share of the deviance that is explained, where D is the sum in (2):
                D^2 = 1 - D(mu) / D(mean of y)                                                  (3)
Cost        4 n p products for a step of L-BFGS, n p^2 more for one of Newton's.
Reference   J. Nelder, R. Wedderburn, Generalized linear models, JRSS A, 1972; B. Jørgensen,
            The Theory of Dispersion Models, 1997.
"""

import contextlib
from numbers import Integral, Real

import numpy as np
from scipy.sparse import issparse
from scipy.special import xlogy
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.callback import CallbackSupportMixin
from sklearn.utils import check_array
from sklearn.utils.validation import check_is_fitted

from skcourse.core.history import fit_task, warn_not_converged
from skcourse.core.loss_traits import best_constant, in_domain, loss_traits
from skcourse.core.losses import Loss
from skcourse.core.validation import (
    Interval,
    StrOptions,
    check_finite_sums,
    check_weights,
    fit_context,
    read_X,
    read_Xy,
)
from skcourse.linear_model.base import SPARSE, linear_map
from skcourse.linear_model.lbfgs import lbfgs
from skcourse.linear_model.newton import newton_cholesky
from skcourse.linear_model.penalised_risk import MAX_ITER, STOPPED
from skcourse.linear_model.risk import Risk

MINIMISERS = {"lbfgs": lbfgs, "newton-cholesky": newton_cholesky}


class LinkedRegressor(CallbackSupportMixin, RegressorMixin, BaseEstimator):
    """Base class: `predict` by (1), from `coef_` and `intercept_`.

    A subclass has `_loss_name()`, the name of its loss and the number in the formula.
    """

    def _raw(self, X):
        """Return z of the rows of X."""
        if not hasattr(self, "coef_"):
            check_is_fitted(self)
        X = read_X(self, X, order=None, finite=False, accept_sparse=list(SPARSE))
        return linear_map(X, self.coef_, self.intercept_, self)

    def predict(self, X):
        """Predict the mean of y by (1).

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        y : ndarray of shape (n_samples,), in the units of the targets
        """
        raw = self._raw(X)
        return np.exp(raw) if self._has_log_link() else raw

    def _has_log_link(self):
        """Tell which link (1) has."""
        return loss_traits(*self._loss_name()).link == "log"

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        with contextlib.suppress(KeyError, TypeError, ValueError):  # `fit` will refuse it
            tags.target_tags.positive_only = loss_traits(*self._loss_name()).domain[0] == 0
        return tags


class DevianceRegressor(LinkedRegressor):
    """Base class of the regressors by (2); a subclass says which loss, and what it is called."""

    _parameter_constraints: dict = {
        "alpha": [Interval(Real, 0.0, None, closed="left")],
        "fit_intercept": ["boolean"],
        "solver": [StrOptions({"lbfgs", "newton-cholesky"})],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0.0, None, closed="neither")],
        "warm_start": ["boolean"],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        *,
        alpha=1.0,
        fit_intercept=True,
        solver="lbfgs",
        max_iter=100,
        tol=1e-4,
        warm_start=False,
        verbose=0,
    ):
        self.alpha = alpha
        self.fit_intercept = fit_intercept
        self.solver = solver
        self.max_iter = max_iter
        self.tol = tol
        self.warm_start = warm_start
        self.verbose = verbose

    @fit_context
    def fit(self, X, y, sample_weight=None):
        """Find the coefficients and the intercept.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
        sample_weight : float or array-like of shape (n_samples,), default=None
            Not negative; a weight of 2 is a row given twice.

        Returns
        -------
        self : estimator

        Raises
        ------
        ValueError
            If y is outside what the distribution gives, or a warm start is not finite.

        Warns
        -----
        ConvergenceWarning
            If `max_iter` is reached, or y is nowhere positive where the mean has to be.
        """
        X, y = self._read(X, y)
        self._check_domain(y)
        weights = check_weights(sample_weight, X)
        name, power = self._loss_name()
        loss = Loss(loss_traits(name, power).code, power)
        risk = Risk(X, y, loss, weights, fit_intercept=self.fit_intercept)
        task = fit_task(self, X, y, sample_weight, max_subtasks=self.max_iter)
        theta = self._start(X, y, weights)
        with np.errstate(over="ignore", invalid="ignore"):
            risk.value_and_gradient(theta)  # it remembers
            check_finite_sums(risk.slopes.raw, X, estimator=self)
            found = MINIMISERS[self.solver](
                risk,
                theta,
                self.alpha,
                tol=self.tol,
                max_iter=self.max_iter,
                task=task,
                attributes=lambda theta: self._attributes(theta, X.dtype),
                verbose=self.verbose,
            )
        self._keep(found, X)
        task.end()
        return self

    def _read(self, X, y):
        """Return X and y; whether dense rows are finite, the predictions will tell."""
        kinds = {"accept_sparse": ["csr"], "multi_output": False, "y_numeric": True}
        X, y = read_Xy(self, X, y, finite=issparse(X), **kinds)
        return X, check_array(y, dtype=X.dtype, ensure_2d=False, input_name="y")

    def _start(self, X, y, weights):
        """Return the theta to begin at: the last one, or the best constant."""
        if self.warm_start and hasattr(self, "coef_"):
            theta = np.append(self.coef_, self.intercept_).astype(np.float64)
            if len(theta) != X.shape[1] + 1:
                raise ValueError(
                    f"warm_start begins at the {len(theta) - 1} coefficients of the last fit, but "
                    f"X has {X.shape[1]} features; set warm_start=False."
                )
            if not np.isfinite(theta).all():
                raise ValueError(
                    "warm_start begins at the coefficients of the last fit, which are not finite; "
                    "set warm_start=False, or coef_ and intercept_ to finite numbers."
                )
            return theta
        theta = np.zeros(X.shape[1] + 1)
        if self.fit_intercept:
            theta[-1] = first_intercept(*self._loss_name(), y, weights, X.dtype)
        elif self._loss_name()[0] == "tweedie_identity" and self.power != 0:
            raise ValueError(
                "With the identity as link there is no value for predictions of 0, where a fit "
                "without an intercept begins: use fit_intercept=True, or link='log'."
            )
        return theta

    def _attributes(self, theta, dtype):
        """Return what a fit that ends at theta leaves behind."""
        intercept = dtype.type(theta[-1]) if self.fit_intercept else 0.0
        return {"coef_": theta[:-1].astype(dtype), "intercept_": intercept}

    def _keep(self, found, X):
        """Set the attributes of the fit, unless it is not finite; warn if it is no minimum."""
        if not np.isfinite(found.theta).all():
            raise ValueError(
                "The fit left the range of numbers. Scale the columns of X, e.g. by a "
                "StandardScaler, or raise alpha."
            )
        if not found.converged and found.reason != STOPPED:
            warn_not_converged(not_converged(self.solver, found, self.max_iter))
        vars(self).update(self._attributes(found.theta, X.dtype))
        self.n_iter_ = int(found.n_iter)
        self.history_ = found.history

    def _check_domain(self, y):
        """Raise ValueError unless all of y can come from the model."""
        traits = loss_traits(*self._loss_name())
        if not in_domain(traits, y):
            sign = ">=" if traits.closed[0] else ">"
            raise ValueError(
                f"Some value(s) of y are out of the valid range of the loss {self._loss_title!r}: "
                f"y must be {sign} 0."
            )

    def score(self, X, y, sample_weight=None):
        """Return (3), at most 1, and 0 for the mean of y.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
        sample_weight : float or array-like of shape (n_samples,), default=None

        Returns
        -------
        score : float

        Raises
        ------
        ValueError
            If y is outside what the distribution gives.
        """
        mean = self.predict(X)
        y = check_array(y, dtype=np.float64, ensure_2d=False, input_name="y")
        self._check_domain(y)
        weights = check_weights(sample_weight, mean)
        power = self._loss_name()[1]
        null = np.full(len(y), np.average(y, weights=weights))
        deviances = [
            np.average(half_deviance(y, np.asarray(mu, np.float64), power), weights=weights)
            for mu in (mean, null)
        ]
        if deviances[1] == 0:  # y is constant: as R^2 has it
            return float(deviances[0] == 0)
        return float(1 - deviances[0] / deviances[1])


def first_intercept(name, parameter, y, weights, dtype):
    """Return the best constant raw prediction, to begin at; finite.

    Where means are positive and that of y is not, it is the one for what is positive in y.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        best = best_constant(name, y, weights, parameter)
        if not np.isfinite(best) or (name == "tweedie_identity" and parameter and best <= 0):
            best = best_constant(name, np.maximum(y, 0.0), weights, parameter)
    if best == -np.inf:
        warn_not_converged(
            "y is nowhere positive where it has weight: the likelihood has no maximum, and the "
            "intercept stands for minus infinity. The fit predicts 0; it needs a positive y.",
        )
        return float(np.log(np.finfo(dtype).tiny))
    return best


def not_converged(solver, found, max_iter):
    """Return the warning for a Minimum that is none."""
    gradient = found.history["gradient"][-1]
    if found.reason != MAX_ITER:
        return (
            f"{solver} failed to converge: it found no lower point after {found.n_iter} "
            f"iterations, and yet the gradient is {gradient:.3g}. Rounding is in its way, or means "
            "that the loss does not allow. Scale the columns of X (e.g. by a StandardScaler), or "
            "raise alpha or tol."
        )
    return (
        f"{solver} failed to converge after max_iter={max_iter} iterations: the gradient still is "
        f"{gradient:.3g}. Increase max_iter, scale the columns of X (e.g. by a StandardScaler), or "
        "raise alpha or tol."
    )


def half_deviance(y, mu, power):
    """Return d(y, mu) / 2 of (2) for each sample; infinite where mu cannot be a mean.

    Parameters
    ----------
    y, mu : arrays of shape (n,)
    power : float
    """
    if power == 0:
        return 0.5 * (y - mu) ** 2
    with np.errstate(all="ignore"):
        if power == 1:
            deviance = xlogy(y, y / mu) - y + mu
        elif power == 2:
            deviance = np.log(mu / y) + y / mu - 1
        else:
            a, b = 2 - power, 1 - power
            own = np.maximum(y, 0) ** a / (a * b)
            deviance = own - y * mu**b / b + mu**a / a
    return np.where(mu > 0, deviance, np.inf)
